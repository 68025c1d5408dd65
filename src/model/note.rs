//! Counted remarks about malformed, missing or limited input. A note never ends a run.

use super::FrameRef;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often something odd happened and where it was first seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Note {
    /// Occurrences.
    pub count: u64,
    /// The first few frames it was seen in, in capture order, without repeats.
    pub examples: Vec<FrameRef>,
}

/// Notes by code (`tcp-overlap-differs`, `tls-bad-tag`, ...). Merging is commutative and
/// associative, so shards may be joined in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Notes(pub BTreeMap<String, Note>);

impl Notes {
    const EXAMPLES: usize = 3;

    /// Counts one occurrence of `code`.
    pub fn add(&mut self, code: &str, at: Option<FrameRef>) {
        self.add_many(code, 1, at);
    }

    /// Counts `count` occurrences of `code` with one example.
    pub fn add_many(&mut self, code: &str, count: u64, at: Option<FrameRef>) {
        if count == 0 {
            return;
        }
        if !self.0.contains_key(code) {
            self.0.insert(code.to_owned(), Note::default());
        }
        if let Some(note) = self.0.get_mut(code) {
            note.count += count;
            note.keep(at);
        }
    }

    /// Joins another shard's notes.
    pub fn merge(&mut self, other: Notes) {
        for (code, theirs) in other.0 {
            let note = self.0.entry(code).or_default();
            note.count += theirs.count;
            for at in theirs.examples {
                note.keep(Some(at));
            }
        }
    }
}

impl Note {
    fn keep(&mut self, at: Option<FrameRef>) {
        let Some(at) = at else { return };
        if self.examples.len() == Notes::EXAMPLES && self.examples.last().is_some_and(|l| *l <= at)
        {
            return;
        }
        if let Err(i) = self.examples.binary_search(&at) {
            self.examples.insert(i, at);
            self.examples.truncate(Notes::EXAMPLES);
        }
    }
}
