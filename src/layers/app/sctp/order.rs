//! Pieces of one sender brought into the order of their transmission sequence numbers (RFC 9260 section 6.5),
//! each once, with what the recording lacks told.

use super::packet::Data;
use std::collections::BTreeMap;

/// Pieces that wait for an earlier one.
const WAITING: usize = 512;
/// What one of them costs beside its bytes.
const COST: usize = 96;

/// A piece that waits.
#[derive(Debug)]
pub(super) struct Piece {
    pub stream: u16,
    pub unordered: bool,
    pub message: u32,
    pub piece: Option<u32>,
    pub protocol: u32,
    pub begins: bool,
    pub ends: bool,
    pub bytes: Vec<u8>,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    Piece(Piece),
    /// Pieces are missing here.
    Gap,
}

/// One sender's numbers, counted on beyond 32 bits so that they do not wrap.
#[derive(Debug)]
pub(super) struct Order {
    next: u64,
    /// The receiver has everything before this one, so it is not sent again.
    acknowledged: u64,
    waiting: BTreeMap<u64, Piece>,
    size: usize,
}

impl Order {
    /// Beginning with that number.
    pub fn new(first: u32) -> Self {
        let next = 1 << 32 | u64::from(first);
        Self { next, acknowledged: next, waiting: BTreeMap::new(), size: 0 }
    }

    /// The number counted on, unless it lies in the past.
    fn count(&self, tsn: u32) -> Option<u64> {
        let ahead = tsn.wrapping_sub(self.next as u32);
        (ahead < 1 << 31).then(|| self.next + u64::from(ahead))
    }

    /// Takes a piece in, if it is new. What can go on then is told.
    pub fn add(&mut self, data: &Data<'_>, bound: usize, mut tell: impl FnMut(Next)) {
        let Some(number) = self.count(data.tsn) else { return };
        // What comes after the acknowledgement was seen leaves no hope for what it covers.
        if number >= self.acknowledged {
            self.pass(self.acknowledged, &mut tell);
        }
        if !self.waiting.contains_key(&number) {
            self.size += COST + data.bytes.len();
            self.waiting.insert(number, Piece::of(data));
        }
        self.go_on(&mut tell);
        while self.waiting.len() > WAITING || self.size > bound {
            self.jump(&mut tell);
        }
    }

    /// The receiver has everything up to this number.
    pub fn acknowledge(&mut self, tsn: u32) {
        if let Some(number) = self.count(tsn) {
            self.acknowledged = self.acknowledged.max(number + 1);
        }
    }

    /// The sender gave up everything up to this number (RFC 3758 section 3.6).
    pub fn forward(&mut self, tsn: u32, mut tell: impl FnMut(Next)) {
        if let Some(number) = self.count(tsn) {
            self.pass(number + 1, &mut tell);
            self.go_on(&mut tell);
        }
    }

    /// Nothing follows.
    pub fn end(&mut self, mut tell: impl FnMut(Next)) {
        while !self.waiting.is_empty() {
            self.jump(&mut tell);
        }
    }

    /// Goes on at `until`, with what waits before it.
    fn pass(&mut self, until: u64, tell: &mut impl FnMut(Next)) {
        while self.waiting.first_key_value().is_some_and(|(n, _)| *n < until) {
            self.jump(tell);
        }
        if self.next < until {
            self.next = until;
            tell(Next::Gap);
        }
    }

    /// Over a gap to the first piece behind it.
    fn jump(&mut self, tell: &mut impl FnMut(Next)) {
        if let Some((number, _)) = self.waiting.first_key_value() {
            if *number != self.next {
                self.next = *number;
                tell(Next::Gap);
            }
            self.go_on(tell);
        }
    }

    fn go_on(&mut self, tell: &mut impl FnMut(Next)) {
        while let Some(piece) = self.waiting.remove(&self.next) {
            self.size -= COST + piece.bytes.len();
            self.next += 1;
            tell(Next::Piece(piece));
        }
    }
}

impl Piece {
    fn of(data: &Data<'_>) -> Self {
        Self {
            stream: data.stream,
            unordered: data.unordered,
            message: data.message,
            piece: data.piece,
            protocol: data.protocol,
            begins: data.begins,
            ends: data.ends,
            bytes: data.bytes.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(tsn: u32) -> Data<'static> {
        let (begins, ends, bytes) = (true, true, b"x".as_slice());
        Data {
            tsn,
            stream: 0,
            unordered: false,
            message: tsn,
            piece: None,
            protocol: 51,
            begins,
            ends,
            bytes,
        }
    }

    /// The numbers that are told for these, and `None` for every gap.
    fn told(first: u32, numbers: &[u32]) -> Vec<Option<u32>> {
        let (mut order, mut all) = (Order::new(first), Vec::new());
        let mut tell = |next: Next| {
            all.push(match next {
                Next::Piece(p) => Some(p.message),
                Next::Gap => None,
            });
        };
        numbers.iter().for_each(|n| order.add(&data(*n), 1 << 20, &mut tell));
        order.end(&mut tell);
        all
    }

    #[test]
    fn numbers_come_in_order_once_and_across_the_wrap() {
        let last = u32::MAX;
        assert_eq!(told(last, &[0, last, last, 0, 1]), [Some(last), Some(0), Some(1)]);
        assert_eq!(told(5, &[5, 7, 9, 4]), [Some(5), None, Some(7), None, Some(9)]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let (mut order, mut gaps) = (Order::new(0), 0);
        for n in 0..100_000u32 {
            order.add(&data(2 * n + 1), 1 << 16, |next| gaps += usize::from(matches!(next, Next::Gap)));
            assert!(order.waiting.len() <= WAITING && order.size <= 1 << 16);
        }
        assert!(gaps > 90_000);
    }

    #[test]
    fn what_was_acknowledged_or_given_up_is_not_waited_for() {
        let (mut order, mut told) = (Order::new(1), Vec::new());
        order.add(&data(2), 1 << 16, |_| panic!("1 may still come"));
        order.acknowledge(2);
        order.add(&data(3), 1 << 16, |next| told.push(matches!(next, Next::Gap)));
        assert_eq!(told, [true, false, false]);
        told.clear();
        order.forward(9, |next| told.push(matches!(next, Next::Gap)));
        order.add(&data(10), 1 << 16, |next| told.push(matches!(next, Next::Gap)));
        assert_eq!(told, [true, false]);
    }
}
