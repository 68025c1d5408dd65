//! Puts handshake messages together that came in fragments, twice, or out of order (RFC 6347 section 4.2).

use crate::bytes::Cursor;
use std::collections::{BTreeMap, BTreeSet};

/// Messages that may be under way at once; a message that keeps so many waiting was lost.
const WAITING: usize = 12;
/// Bytes that messages under way may hold.
const HELD: usize = 1 << 18;

/// A whole handshake message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub kind: u8,
    pub body: Vec<u8>,
}

/// The messages of one side.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    next: u16,
    parts: BTreeMap<u16, Parts>,
    held: usize,
    /// Messages given out ahead of a lost one.
    given: BTreeSet<u16>,
}

#[derive(Debug)]
struct Parts {
    kind: u8,
    bytes: Vec<u8>,
    /// Ranges that are there, by start.
    there: BTreeMap<usize, usize>,
}

/// What a fragment came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    /// It was taken, or was there already.
    Fine,
    /// The bytes are no fragment.
    Malformed,
    /// It claims more than the bound allows.
    TooLong,
}

impl Assembly {
    /// Takes the fragments of one record.
    pub fn add(&mut self, record: &[u8]) -> Added {
        let mut c = Cursor::new(record);
        while !c.is_empty() {
            let head = (|| Some((c.u8()?, c.u24()?, c.u16()?, c.u24()?, c.u24()?)))();
            let Some((kind, len, seq, from, part)) = head else { return Added::Malformed };
            let (len, from, part) = (len as usize, from as usize, part as usize);
            let Some(bytes) = c.take(part).filter(|_| from + part <= len) else { return Added::Malformed };
            if len > HELD || self.held + len > HELD && !self.parts.contains_key(&seq) {
                return Added::TooLong;
            }
            self.fragment(kind, len, seq, from, bytes);
        }
        Added::Fine
    }

    fn fragment(&mut self, kind: u8, len: usize, seq: u16, from: usize, bytes: &[u8]) {
        if seq < self.next || self.given.contains(&seq) {
            return;
        }
        let held = &mut self.held;
        let parts = self.parts.entry(seq).or_insert_with(|| {
            *held += len;
            Parts { kind, bytes: vec![0; len], there: BTreeMap::new() }
        });
        let Some(place) = parts.bytes.get_mut(from..from + bytes.len()).filter(|_| parts.kind == kind) else {
            return;
        };
        place.copy_from_slice(bytes);
        let end = parts.there.entry(from).or_default();
        *end = (*end).max(from + bytes.len());
    }

    /// The next message in order. A message whose forerunner is missing waits, until so many wait that the
    /// forerunner must be lost, or until `overdue` says that nobody sends it any more.
    pub fn next(&mut self, overdue: Overdue) -> Option<Message> {
        let ready = |p: &Parts| p.is_whole();
        let seq = match self.parts.get(&self.next) {
            Some(p) if ready(p) => self.next,
            _ if overdue == Overdue::Yes || self.parts.len() > WAITING => {
                *self.parts.iter().find(|(_, p)| ready(p))?.0
            }
            _ => return None,
        };
        let parts = self.parts.remove(&seq)?;
        self.held -= parts.bytes.len();
        match seq == self.next {
            true => self.next = seq.saturating_add(1),
            false => {
                self.given.insert(seq);
            }
        }
        while self.given.remove(&self.next) {
            self.next = self.next.saturating_add(1);
        }
        Some(Message { kind: parts.kind, body: parts.bytes })
    }
}

/// Whether a message that is missing can still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    Yes,
    No,
}

impl Parts {
    fn is_whole(&self) -> bool {
        let reach =
            self.there.iter().try_fold(0, |reach, (from, to)| (*from <= reach).then_some(reach.max(*to)));
        reach.is_some_and(|r| r >= self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(seq: u16, len: usize, from: usize, bytes: &[u8]) -> Vec<u8> {
        let three = |n: usize| (n as u32).to_be_bytes()[1..].to_vec();
        [&[11][..], &three(len), &seq.to_be_bytes(), &three(from), &three(bytes.len()), bytes].concat()
    }

    #[test]
    fn fragments_in_any_order_twice_and_overlapping_make_one_message() {
        let mut a = Assembly::default();
        for (from, bytes) in [(4, &b"efgh"[..]), (0, b"abc"), (4, b"efgh"), (2, b"cde")] {
            assert_eq!(a.next(Overdue::No), None);
            assert_eq!(a.add(&fragment(0, 8, from, bytes)), Added::Fine);
        }
        assert_eq!(a.next(Overdue::No).map(|m| m.body), Some(b"abcdefgh".to_vec()));
        a.add(&fragment(0, 8, 0, b"abcdefgh"));
        assert_eq!(a.next(Overdue::Yes), None, "a retransmission says nothing new");
    }

    #[test]
    fn messages_wait_for_their_forerunner_unless_it_is_lost() {
        let mut a = Assembly::default();
        a.add(&fragment(1, 1, 0, b"b"));
        assert_eq!(a.next(Overdue::No), None);
        assert_eq!(a.next(Overdue::Yes).map(|m| m.body), Some(b"b".to_vec()));
        a.add(&fragment(0, 1, 0, b"a"));
        a.add(&fragment(2, 1, 0, b"c"));
        let rest: Vec<_> = std::iter::from_fn(|| a.next(Overdue::No)).map(|m| m.body).collect();
        assert_eq!(rest, [b"a".to_vec(), b"c".to_vec()]);
    }

    #[test]
    fn what_is_no_fragment_or_too_long_is_refused() {
        let mut a = Assembly::default();
        assert_eq!(a.add(&[11, 0, 0]), Added::Malformed);
        assert_eq!(a.add(&fragment(0, 4, 2, b"efgh")), Added::Malformed);
        assert_eq!(a.add(&fragment(0, 1 << 20, 0, b"efgh")), Added::TooLong);
    }
}
