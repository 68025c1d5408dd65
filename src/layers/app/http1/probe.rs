//! What a request or a response begins with: in a new stream, and behind a loss.

use crate::layers::imitation;
use crate::peel::{Guess, Probe};
use aho_corasick::AhoCorasick;
use memchr::memmem;
use std::sync::LazyLock;

const METHODS: [&[u8]; 14] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"CONNECT ",
    b"TRACE ",
    b"PROPFIND ",
    b"REPORT ",
    b"SEARCH ",
    b"MERGE ",
    b"LOCK ",
];

/// Bytes in which the first line names its version.
const FIRST_LINE: usize = 2000;
/// Names the protocol in every first line.
const VERSION: &[u8] = b"HTTP/1.";

/// What a request or a response begins with.
static BEGINNINGS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new(METHODS.iter().chain([&VERSION])).expect("a short list of words makes an automaton")
});

fn starts(bytes: &[u8], word: &[u8]) -> Guess {
    let n = bytes.len().min(word.len());
    match bytes.first().is_none_or(|b| Some(b) == word.first()) && bytes[..n] == word[..n] {
        false => Guess::No,
        true if n == word.len() => Guess::Sure,
        true => Guess::More,
    }
}

/// What only looks like an upgrade is told from one by the answer.
pub(super) fn probe(p: &Probe<'_>) -> Guess {
    match begins(p) {
        Guess::Sure if imitation::probe(p) == Guess::More => Guess::More,
        told => told,
    }
}

fn begins(p: &Probe<'_>) -> Guess {
    if starts(p.bytes, VERSION) == Guess::Sure {
        return Guess::Sure;
    }
    let line = &p.bytes[..memchr::memchr(b'\n', p.bytes).unwrap_or(p.bytes.len())];
    // No more than is waited for, so that a longer line is the same whole and in pieces.
    let line = &line[..line.len().min(FIRST_LINE)];
    match METHODS.iter().map(|m| starts(p.bytes, m)).max() {
        // SIP and RTSP share the methods' look; the version tells.
        Some(Guess::Sure) if line.len() == p.bytes.len() && !p.end && line.len() < FIRST_LINE => Guess::More,
        Some(Guess::Sure) if has_version(line) => Guess::Sure,
        Some(Guess::Sure) => Guess::No,
        Some(Guess::More) => Guess::More,
        _ => starts(p.bytes, VERSION),
    }
}

fn has_version(line: &[u8]) -> bool {
    memmem::find(line, VERSION).is_some()
}

/// Where the next plausible head begins.
pub(super) fn next_head(bytes: &[u8]) -> Option<usize> {
    let plausible = |at: &usize| {
        let rest = &bytes[*at..];
        rest.starts_with(VERSION) || has_version(&rest[..rest.len().min(FIRST_LINE)])
    };
    BEGINNINGS.find_overlapping_iter(bytes).map(|found| found.start()).find(plausible)
}
