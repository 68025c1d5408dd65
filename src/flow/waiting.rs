//! TCP bytes beyond a hole, waiting for it to be filled or given up.

use crate::model::Arrival;
use std::collections::BTreeMap;

/// What one piece costs beside its bytes: the map's share (nodes may be half empty) and the
/// allocator's.
const PIECE: usize = 128;

/// Contiguous bytes, or a stretch known to have been on the wire but cut by the snap length.
#[derive(Debug)]
pub(super) enum Body {
    Data(Box<[u8]>),
    Cut(u64),
}

/// One piece and the frame that carried it.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) body: Body,
    pub(super) at: Arrival,
}

impl Piece {
    fn len(&self) -> u64 {
        match &self.body {
            Body::Data(bytes) => bytes.len() as u64,
            Body::Cut(len) => *len,
        }
    }

    fn cost(&self) -> usize {
        match &self.body {
            Body::Data(bytes) => PIECE + bytes.len(),
            Body::Cut(_) => PIECE,
        }
    }
}

/// Whether a copy agrees with the bytes that were there before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copies {
    Agree,
    Differ,
}

/// Pieces by stream position, never overlapping.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pieces: BTreeMap<u64, Piece>,
    /// Bytes allocated.
    held: usize,
}

impl Waiting {
    /// Bytes allocated for the pieces, their housekeeping included.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Position of the first piece.
    pub(super) fn first(&self) -> Option<u64> {
        self.pieces.keys().next().copied()
    }

    /// Position and end of the first piece if it is a cut.
    pub(super) fn first_cut(&self) -> Option<(u64, u64)> {
        let (start, piece) = self.pieces.first_key_value()?;
        match piece.body {
            Body::Cut(len) => Some((*start, start.saturating_add(len))),
            Body::Data(_) => None,
        }
    }

    /// Position behind the last piece.
    pub(super) fn end(&self) -> Option<u64> {
        self.pieces.last_key_value().map(|(start, piece)| start.saturating_add(piece.len()))
    }

    /// Takes the first piece out.
    pub(super) fn pop(&mut self) -> Option<(u64, Piece)> {
        let (start, piece) = self.pieces.pop_first()?;
        self.held = self.held.saturating_sub(piece.cost());
        Some((start, piece))
    }

    /// Adds bytes where none wait yet, in place of cuts; bytes that wait already stay as they are.
    pub(super) fn insert(&mut self, start: u64, bytes: &[u8], at: Arrival) -> Copies {
        let end = start.saturating_add(bytes.len() as u64);
        let slice =
            |from: u64, to: u64| bytes.get((from - start) as usize..(to - start) as usize).unwrap_or(&[]);
        let mut copies = Copies::Agree;
        let mut from = start;
        while from < end {
            let Some((there, until)) = self.covering(from) else {
                let to = self.next_start(from).map_or(end, |next| next.min(end));
                self.put(from, Body::Data(slice(from, to).into()), at);
                from = to;
                continue;
            };
            let to = until.min(end);
            match self.pieces.get(&there).map(|piece| &piece.body) {
                Some(Body::Data(old)) => {
                    let old = old.get((from - there) as usize..(to - there) as usize);
                    if old != Some(slice(from, to)) {
                        copies = Copies::Differ;
                    }
                    from = to;
                }
                _ => self.carve(there, from, to),
            }
        }
        copies
    }

    /// Marks a stretch as cut by the snap length where nothing waits yet.
    pub(super) fn insert_cut(&mut self, start: u64, len: u64, at: Arrival) {
        let end = start.saturating_add(len);
        let mut from = start;
        while from < end {
            if let Some((_, until)) = self.covering(from) {
                from = until;
                continue;
            }
            let to = self.next_start(from).map_or(end, |next| next.min(end));
            self.put(from, Body::Cut(to - from), at);
            from = to;
        }
    }

    /// Start and end of the piece that holds `position`.
    fn covering(&self, position: u64) -> Option<(u64, u64)> {
        let (start, piece) = self.pieces.range(..=position).next_back()?;
        let end = start.saturating_add(piece.len());
        (end > position).then_some((*start, end))
    }

    fn next_start(&self, position: u64) -> Option<u64> {
        self.pieces.range(position..).next().map(|(start, _)| *start)
    }

    /// Makes room for `from..to` in the cut that starts at `there`.
    fn carve(&mut self, there: u64, from: u64, to: u64) {
        let Some(cut) = self.pieces.remove(&there) else { return };
        self.held = self.held.saturating_sub(cut.cost());
        let until = there.saturating_add(cut.len());
        if there < from {
            self.put(there, Body::Cut(from - there), cut.at);
        }
        if to < until {
            self.put(to, Body::Cut(until - to), cut.at);
        }
    }

    fn put(&mut self, start: u64, body: Body, at: Arrival) {
        let piece = Piece { body, at };
        self.held += piece.cost();
        self.pieces.insert(start, piece);
    }
}
