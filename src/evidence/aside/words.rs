//! Words of one message in fields of no known kind: each too little to tell alone.

use super::{kind, sentence};
use crate::evidence::{Evidence, Strength};
use crate::model::{Origin, digest16};
use std::collections::{BTreeMap, BTreeSet};

/// Words in fields of no known kind of one message.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Words {
    few: Vec<Evidence>,
    /// Words that stand each in a place of its own of a list, or of fields with numbers.
    lists: Vec<(String, Evidence, Vec<String>)>,
    /// Texts as names of fields, by the place that they stand in.
    names: BTreeMap<String, (Evidence, BTreeSet<String>)>,
    /// Something was not kept: an envelope in the same message claims nothing.
    pub full: bool,
}

/// Records of a few words, lists, and words of a list that are kept of one message.
const KEPT: usize = 16;
const LISTED: usize = 64;

impl Words {
    /// A few words in one field.
    pub fn few(&mut self, record: Evidence) {
        if self.few.len() < KEPT {
            self.few.push(record);
        } else {
            self.full = true;
        }
    }

    /// A text as the name of a field.
    pub fn named(&mut self, place: String, record: Evidence, name: &str) {
        if self.names.len() >= KEPT && !self.names.contains_key(&place) {
            self.full = true;
            return;
        }
        let (_, names) = self.names.entry(place).or_insert_with(|| (record, BTreeSet::new()));
        if names.len() < LISTED {
            names.insert(name.to_owned());
        } else {
            self.full = true;
        }
    }

    /// One word of several at places that differ by their number. True if it is the first, whose record is wanted.
    pub fn is_first(&mut self, place: &str, word: &str) -> bool {
        let begun = self.lists.len();
        match self.lists.iter_mut().find(|(known, ..)| known == place) {
            Some((_, _, words)) if words.len() < LISTED => words.push(word.to_owned()),
            None if begun < KEPT => return true,
            _ => self.full = true,
        }
        false
    }

    /// Begins a list.
    pub fn begin(&mut self, place: String, mut record: Evidence, word: &str) {
        // The list is part of its item, and no item itself.
        if record.origin.field.ends_with(']')
            && let Some(at) = record.origin.field.rfind('[')
        {
            record.origin.field.truncate(at);
        }
        self.lists.push((place, record, vec![word.to_owned()]));
    }

    /// Lists that make a sentence.
    pub fn sentences(&self) -> impl Iterator<Item = Evidence> {
        // Words without those that join them are no sentence.
        let said = |(_, record, words): &(String, Evidence, Vec<String>)| {
            let text = words.join(" ");
            let joined = words.iter().any(|w| w.chars().count() <= 2);
            let natural = sentence(&text).filter(|_| joined)?;
            let origin = Origin { digest: digest16(text.as_bytes()), ..record.origin.clone() };
            Some(Evidence { kind: kind(natural), strength: Strength::Strong, origin, ..record.clone() })
        };
        self.lists.iter().filter_map(said).collect::<Vec<_>>().into_iter()
    }

    /// Everything that is too little to tell alone.
    pub fn all(&self) -> Vec<Evidence> {
        let lists = self.lists.iter().filter(|(_, _, words)| words.len() >= 2).map(|(_, record, words)| {
            let origin = Origin { digest: digest16(words.join(" ").as_bytes()), ..record.origin.clone() };
            Evidence { origin, ..record.clone() }
        });
        let names = self.names.values().map(|(record, names)| {
            let all: Vec<&str> = names.iter().map(String::as_str).collect();
            let origin = Origin { digest: digest16(all.join("\n").as_bytes()), ..record.origin.clone() };
            Evidence { origin, ..record.clone() }
        });
        self.few.iter().cloned().chain(lists).chain(names).collect()
    }
}
