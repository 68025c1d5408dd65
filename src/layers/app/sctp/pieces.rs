//! Messages put together from their pieces, which come in order: of DATA one message after the other, of
//! I-DATA several at a time (RFC 8260 section 2.2).

use super::order::Piece;

/// Messages of one sender that are under way at once.
const UNDER_WAY: usize = 64;

/// A whole message.
#[derive(Debug)]
pub(super) struct Message {
    pub stream: u16,
    pub protocol: u32,
    pub bytes: Vec<u8>,
}

/// One that is not whole yet.
#[derive(Debug)]
struct Partial {
    stream: u16,
    unordered: bool,
    number: u32,
    /// The next piece's number; `None` for DATA, whose pieces follow each other.
    piece: Option<u32>,
    protocol: u32,
    bytes: Vec<u8>,
}

impl Partial {
    fn continues(&self, p: &Piece) -> bool {
        (self.stream, self.unordered, self.number) == (p.stream, p.unordered, p.message)
            && self.piece == p.piece
    }
}

/// What was had of a message that stays without its other pieces, and the note on it.
#[derive(Debug)]
pub(super) struct Lost(pub Message, pub &'static str);

const INCOMPLETE: &str = "sctp-message-incomplete";
const LIMIT: &str = "sctp-message-limit";

/// The messages of one sender that are under way.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    partial: Vec<Partial>,
    size: usize,
    lost: Vec<Lost>,
}

impl Pieces {
    /// Takes the next piece: the message that is whole with it.
    pub fn add(&mut self, p: Piece, bound: usize) -> Option<Message> {
        if p.begins && p.ends {
            return Some(Message { stream: p.stream, protocol: p.protocol, bytes: p.bytes });
        }
        if p.begins {
            self.begin(p, bound);
            return None;
        }
        let Some(at) = self.partial.iter().position(|q| q.continues(&p)) else {
            self.lose(p, INCOMPLETE);
            return None;
        };
        if self.size + p.bytes.len() > bound {
            self.give_up(at, LIMIT);
            self.lose(p, LIMIT);
            return None;
        }
        self.size += p.bytes.len();
        let partial = self.partial.get_mut(at)?;
        partial.bytes.extend(p.bytes);
        partial.piece = partial.piece.map(|n| n.wrapping_add(1));
        p.ends.then(|| self.take(at))
    }

    fn begin(&mut self, p: Piece, bound: usize) {
        let same = |q: &Partial| (q.stream, q.unordered, q.number) == (p.stream, p.unordered, p.message);
        // A message of DATA that another one interrupts will not go on.
        let broken = self.partial.iter().position(|q| same(q) || q.piece.is_none() && p.piece.is_none());
        if let Some(at) = broken {
            self.give_up(at, INCOMPLETE);
        }
        if self.partial.len() >= UNDER_WAY || self.size + p.bytes.len() > bound {
            return self.lose(p, LIMIT);
        }
        self.size += p.bytes.len();
        self.partial.push(Partial {
            stream: p.stream,
            unordered: p.unordered,
            number: p.message,
            piece: p.piece.map(|_| 1),
            protocol: p.protocol,
            bytes: p.bytes,
        });
    }

    /// Pieces are missing: messages of DATA cannot go on; those of I-DATA have numbers of their own.
    pub fn gap(&mut self) {
        if let Some(at) = self.partial.iter().position(|q| q.piece.is_none()) {
            self.give_up(at, INCOMPLETE);
        }
    }

    /// Nothing follows.
    pub fn end(&mut self) {
        while !self.partial.is_empty() {
            self.give_up(0, INCOMPLETE);
        }
    }

    /// What was lost since this was asked last.
    pub fn lost(&mut self) -> Vec<Lost> {
        std::mem::take(&mut self.lost)
    }

    fn take(&mut self, at: usize) -> Message {
        let whole = self.partial.remove(at);
        self.size -= whole.bytes.len();
        Message { stream: whole.stream, protocol: whole.protocol, bytes: whole.bytes }
    }

    fn give_up(&mut self, at: usize, code: &'static str) {
        let message = self.take(at);
        self.lost.push(Lost(message, code));
    }

    fn lose(&mut self, p: Piece, code: &'static str) {
        let message = Message { stream: p.stream, protocol: p.protocol, bytes: p.bytes };
        self.lost.push(Lost(message, code));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(message: u32, piece: Option<u32>, begins: bool, ends: bool) -> Piece {
        Piece {
            stream: 1,
            unordered: false,
            message,
            piece,
            protocol: 51,
            begins,
            ends,
            bytes: b"ab".to_vec(),
        }
    }

    /// The length of the message that is whole with a piece, and the notes on what was lost.
    fn add(pieces: &mut Pieces, p: Piece, bound: usize) -> (usize, Vec<&'static str>) {
        let whole = pieces.add(p, bound).map_or(0, |m| m.bytes.len());
        (whole, pieces.lost().into_iter().map(|Lost(_, code)| code).collect())
    }

    #[test]
    fn interleaved_messages_are_told_apart_and_others_interrupt_each_other() {
        let mut pieces = Pieces::default();
        let mut put = |p| add(&mut pieces, p, 100);
        assert_eq!(put(piece(1, Some(0), true, false)), (0, vec![]));
        assert_eq!(put(piece(2, Some(0), true, false)), (0, vec![]));
        assert_eq!(put(piece(1, Some(1), false, true)), (4, vec![]));
        assert_eq!(put(piece(2, Some(2), false, true)), (0, vec![INCOMPLETE]));
        pieces.gap();
        assert!(pieces.lost().is_empty());
        pieces.end();
        assert_eq!(pieces.lost().len(), 1);
        let mut put = |p| add(&mut pieces, p, 100);
        assert_eq!(put(piece(1, None, true, false)), (0, vec![]));
        assert_eq!(put(piece(2, None, true, false)), (0, vec![INCOMPLETE]));
        assert_eq!(put(piece(2, None, false, false)), (0, vec![]));
        assert_eq!(put(piece(2, None, false, true)), (6, vec![]));
        assert_eq!((pieces.partial.len(), pieces.size), (0, 0));
    }

    #[test]
    fn what_is_under_way_is_bounded() {
        let mut pieces = Pieces::default();
        let mut put = |p| add(&mut pieces, p, 5).1;
        assert!(put(piece(1, Some(0), true, false)).is_empty());
        assert!(put(piece(2, Some(0), true, false)).is_empty());
        assert_eq!(put(piece(3, Some(0), true, false)), [LIMIT]);
        assert_eq!(put(piece(1, Some(1), false, false)), [LIMIT, LIMIT]);
        assert_eq!((pieces.partial.len(), pieces.size), (1, 2));
    }
}
