//! IP fragments put together (RFC 791 section 3.2, RFC 8200 section 4.5): bounded in number, bytes
//! and capture time. Where copies overlap the first one stays, and a disagreement is told.

use crate::model::{Limits, Timestamp};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What fragments of one datagram have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub source: IpAddr,
    pub target: IpAddr,
    pub id: u32,
    /// IPv4's protocol; 0 for IPv6, where only the first fragment's counts.
    pub proto: u8,
}

/// One fragment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub offset: usize,
    pub last: bool,
    /// What the payload starts with; only that of the first fragment counts.
    pub proto: u8,
    pub bytes: &'a [u8],
}

/// What became of a fragment. The notes are codes to be counted.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The whole datagram's payload and the protocol it starts with.
    pub whole: Option<(Vec<u8>, u8)>,
    pub notes: Vec<(&'static str, u64)>,
}

struct Partial {
    serial: u64,
    since: Timestamp,
    bytes: Vec<u8>,
    /// Received ranges, sorted, neither touching nor overlapping.
    have: Vec<(usize, usize)>,
    total: Option<usize>,
    proto: Option<u8>,
}

/// All datagrams that are not whole yet.
pub(super) struct Assembly {
    partial: FxHashMap<Key, Partial>,
    by_age: BTreeMap<u64, Key>,
    serial: u64,
    held: usize,
    most: usize,
    most_bytes: usize,
}

impl Assembly {
    /// Nanoseconds of capture time after which an incomplete datagram is given up (RFC 8200: 60 s).
    const PATIENCE: i64 = 60_000_000_000;
    /// The longest payload of an IP datagram.
    const LONGEST: usize = 65_535;
    /// What one datagram costs beside its bytes.
    const OVERHEAD: usize = 256;

    /// Bounded by `limits`.
    pub fn new(limits: &Limits) -> Self {
        Self {
            partial: FxHashMap::default(),
            by_age: BTreeMap::new(),
            serial: 0,
            held: 0,
            most: limits.fragments.max(1),
            most_bytes: limits.fragment_bytes,
        }
    }

    /// Takes a fragment that arrived at `now`.
    pub fn add(&mut self, key: Key, piece: Piece<'_>, now: Timestamp) -> Outcome {
        let mut outcome = Outcome::default();
        let late = self.expire(now);
        if late > 0 {
            outcome.notes.push(("ip-fragments-timed-out", late));
        }
        let end = piece.offset.saturating_add(piece.bytes.len());
        if end > Self::LONGEST || piece.bytes.is_empty() {
            outcome.notes.push(("ip-fragment-impossible", 1));
            return outcome;
        }
        let serial = self.serial;
        let by_age = &mut self.by_age;
        let partial = self.partial.entry(key).or_insert_with(|| {
            by_age.insert(serial, key);
            Partial { serial, since: now, bytes: Vec::new(), have: Vec::new(), total: None, proto: None }
        });
        self.serial += 1;
        let before = partial.cost();
        let fits = partial.put(piece, &mut outcome);
        self.held = (self.held + partial.cost()).saturating_sub(before);
        if partial.have.len() == 1 && before == Self::OVERHEAD {
            self.held += Self::OVERHEAD;
        }
        if !fits {
            outcome.notes.push(("ip-fragment-impossible", 1));
        }
        if partial.is_whole() {
            outcome.whole = self.remove(key).map(|p| {
                let proto = p.proto.unwrap_or(piece.proto);
                (p.bytes, proto)
            });
            return outcome;
        }
        let evicted = self.shrink();
        if evicted > 0 {
            outcome.notes.push(("ip-fragments-evicted", evicted));
        }
        outcome
    }

    /// Datagrams that never became whole.
    pub fn incomplete(&self) -> u64 {
        self.partial.len() as u64
    }

    fn remove(&mut self, key: Key) -> Option<Partial> {
        let gone = self.partial.remove(&key)?;
        self.by_age.remove(&gone.serial);
        self.held = self.held.saturating_sub(gone.cost());
        Some(gone)
    }

    fn expire(&mut self, now: Timestamp) -> u64 {
        let mut gone = 0;
        while let Some((_, key)) = self.by_age.first_key_value() {
            let key = *key;
            let old = self.partial.get(&key).is_none_or(|p| now.0.saturating_sub(p.since.0) > Self::PATIENCE);
            if !old {
                break;
            }
            self.remove(key);
            gone += 1;
        }
        gone
    }

    fn shrink(&mut self) -> u64 {
        let mut gone = 0;
        while self.partial.len() > self.most || self.held > self.most_bytes {
            let Some((_, key)) = self.by_age.first_key_value() else {
                break;
            };
            let key = *key;
            self.remove(key);
            gone += 1;
        }
        gone
    }
}

impl Partial {
    fn cost(&self) -> usize {
        Assembly::OVERHEAD + self.bytes.capacity() + self.have.capacity() * 16
    }

    /// Adds a piece; false where it contradicts the datagram's known end.
    fn put(&mut self, piece: Piece<'_>, outcome: &mut Outcome) -> bool {
        let end = piece.offset + piece.bytes.len();
        let reached = self.have.last().map_or(0, |(_, e)| *e);
        if self.total.is_some_and(|t| end > t || (piece.last && end != t)) || (piece.last && reached > end) {
            return false;
        }
        if piece.last {
            self.total = Some(end);
        }
        if piece.offset == 0 && self.proto.is_none() {
            self.proto = Some(piece.proto);
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        let differs = self.fill(piece, end);
        if differs {
            outcome.notes.push(("ip-overlap-differs", 1));
        }
        self.join(piece.offset, end);
        true
    }

    /// Copies what is new and compares what is not; true where a byte differs.
    fn fill(&mut self, piece: Piece<'_>, end: usize) -> bool {
        let mut differs = false;
        let mut at = piece.offset;
        for &(from, to) in self.have.iter().filter(|(f, t)| *f < end && *t > piece.offset) {
            copy(&mut self.bytes, piece, at, from);
            let (low, high) = (from.max(piece.offset), to.min(end));
            let ours = self.bytes.get(low..high);
            let theirs = piece.bytes.get(low - piece.offset..high - piece.offset);
            differs |= ours != theirs;
            at = high;
        }
        copy(&mut self.bytes, piece, at, end);
        differs
    }

    fn join(&mut self, from: usize, to: usize) {
        let (mut low, mut high) = (from, to);
        self.have.retain(|&(f, t)| {
            let apart = t < low || f > high;
            if !apart {
                low = low.min(f);
                high = high.max(t);
            }
            apart
        });
        let place = self.have.partition_point(|r| r.0 < low);
        self.have.insert(place, (low, high));
    }

    fn is_whole(&self) -> bool {
        self.total.is_some_and(|t| self.have.as_slice() == [(0, t)])
    }
}

/// Copies `from..to` (places in the datagram) out of `piece`, where that range is not empty.
fn copy(bytes: &mut [u8], piece: Piece<'_>, from: usize, to: usize) {
    if from >= to {
        return;
    }
    let source = piece.bytes.get(from - piece.offset..to - piece.offset);
    if let (Some(target), Some(source)) = (bytes.get_mut(from..to), source) {
        target.copy_from_slice(source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn memory_is_accounted_for_to_the_last_byte() {
        let mut assembly = Assembly::new(&Limits { fragment_bytes: 100_000, ..Limits::default() });
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        for n in 0..5000u32 {
            let key = Key { source: ip, target: ip, id: n % 97, proto: 17 };
            let offset = (n as usize * 7919) % 8000 * 8;
            let piece = Piece { offset, last: n % 5 == 0, proto: 17, bytes: &[1; 64] };
            assembly.add(key, piece, Timestamp(i64::from(n)));
            let costs: usize = assembly.partial.values().map(Partial::cost).sum();
            assert_eq!(assembly.held, costs);
            assert_eq!(assembly.partial.len(), assembly.by_age.len());
            assert!(assembly.held <= 100_000);
        }
        assembly.expire(Timestamp(i64::MAX));
        assert_eq!((assembly.held, assembly.incomplete()), (0, 0));
    }
}
