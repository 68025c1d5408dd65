//! Puts the pieces of a stream in order, whatever the order, overlap and number of their arrivals.

use std::collections::BTreeMap;

/// Pieces held at most; each costs more than its bytes.
const PIECES: usize = 4096;

/// What comes out next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Data(Vec<u8>),
    /// Bytes that never came.
    Gap(u64),
}

/// One direction of a stream.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    next: u64,
    held: BTreeMap<u64, Vec<u8>>,
    bytes: usize,
    length: Option<u64>,
}

impl Assembly {
    /// Takes a piece. What is already out is dropped; the first arrival wins.
    pub fn insert(&mut self, offset: u64, data: &[u8], fin: bool) {
        let Some(end) = offset.checked_add(data.len() as u64).filter(|e| *e < 1 << 62) else { return };
        if fin && self.length.is_none() {
            self.length = Some(end);
        }
        let cut = self.next.saturating_sub(offset).min(data.len() as u64);
        let rest = data.get(cut as usize..).unwrap_or_default();
        if rest.is_empty() {
            return;
        }
        let slot = self.held.entry(offset + cut).or_default();
        if slot.len() < rest.len() {
            self.bytes = self.bytes - slot.len() + rest.len();
            *slot = rest.to_vec();
        }
    }

    /// The next bytes in order, if they are there. Beyond `limit` held bytes, or when `flush` says that
    /// nothing will follow, what is missing is given up.
    pub fn take(&mut self, limit: usize, last: Last) -> Option<Piece> {
        loop {
            let (&offset, _) = self.held.first_key_value()?;
            if offset > self.next {
                let full = self.bytes > limit || self.held.len() > PIECES;
                if last == Last::No && !full {
                    return None;
                }
                let missing = offset - self.next;
                self.next = offset;
                return Some(Piece::Gap(missing));
            }
            let (_, mut data) = self.held.pop_first()?;
            self.bytes -= data.len();
            let known = (self.next - offset).min(data.len() as u64) as usize;
            data.drain(..known);
            if !data.is_empty() {
                self.next += data.len() as u64;
                return Some(Piece::Data(data));
            }
        }
    }

    /// Bytes that wait for others.
    pub fn held(&self) -> usize {
        self.bytes
    }

    /// Whether every byte up to the end is out.
    pub fn done(&self) -> bool {
        self.length.is_some_and(|l| self.next >= l)
    }
}

/// Whether more may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Yes,
    No,
}
