//! Protocol-buffer messages read against a closed list of fields: the whole buffer, minimal varints,
//! no unknown field, no repeat. A schema-less reader would accept far too much to prove anything.

use crate::bytes::Cursor;
use std::ops::Range;

/// The most fields a schema here has.
const MOST: usize = 20;

/// What a field must hold.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A varint up to and including this.
    Number(u64),
    /// Bytes of exactly this many.
    Exactly(usize),
    /// Bytes, at least and at most this many.
    Between(usize, usize),
    /// Whole blocks of 16, one or more: a CBC ciphertext.
    Blocks,
    /// A Curve25519 public key behind the type byte 0x05.
    Key33,
    /// A bare Curve25519 public key. Its top bit is clear in every library's output.
    Key32,
    /// Eight bytes, fixed.
    Fixed64,
}

/// One field of a schema.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    number: u32,
    kind: Kind,
    needed: bool,
}

/// A field that must be there.
pub const fn need(number: u32, kind: Kind) -> Rule {
    Rule { number, kind, needed: true }
}

/// A field that may be there.
pub const fn may(number: u32, kind: Kind) -> Rule {
    Rule { number, kind, needed: false }
}

/// Whether fields have to come in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As serialisers write them.
    Ascending,
    /// As they like.
    Free,
}

/// Any varint.
pub const ANY_NUMBER: Kind = Kind::Number(u64::MAX);
/// A varint of 32 bits.
pub const U32: Kind = Kind::Number(u32::MAX as u64);
/// Any bytes.
pub const ANY_BYTES: Kind = Kind::Between(0, usize::MAX);

#[derive(Debug, Clone, Copy)]
enum Part<'a> {
    Number(u64),
    Bytes(&'a [u8], usize),
}

/// A message that fitted its schema.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rules: &'static [Rule],
    parts: [Option<Part<'a>>; MOST],
}

impl<'a> Fields<'a> {
    fn part(&self, number: u32) -> Option<Part<'a>> {
        let at = self.rules.iter().position(|r| r.number == number)?;
        self.parts.get(at).copied().flatten()
    }

    /// A varint field.
    pub fn number(&self, number: u32) -> Option<u64> {
        match self.part(number)? {
            Part::Number(n) => Some(n),
            Part::Bytes(..) => None,
        }
    }

    /// A length-delimited field.
    pub fn bytes(&self, number: u32) -> Option<&'a [u8]> {
        match self.part(number)? {
            Part::Bytes(b, _) => Some(b),
            Part::Number(_) => None,
        }
    }

    /// Where a length-delimited field lies, counted from `base` before the parsed bytes.
    pub fn range(&self, number: u32, base: usize) -> Option<Range<usize>> {
        match self.part(number)? {
            Part::Bytes(b, at) => Some(base + at..base + at + b.len()),
            Part::Number(_) => None,
        }
    }
}

/// A varint in its shortest form, and what follows it.
pub fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut c = Cursor::new(bytes);
    Some((c.shortest_varint()?, c.rest()))
}

/// Reads `bytes` whole against `rules`.
pub fn parse<'a>(bytes: &'a [u8], rules: &'static [Rule], order: Order) -> Option<Fields<'a>> {
    let mut parts = [None; MOST];
    let mut rest = bytes;
    let mut last = 0usize;
    while !rest.is_empty() {
        let (tag, after) = varint(rest)?;
        let at = rules.iter().position(|r| u64::from(r.number) == tag >> 3)?;
        if order == Order::Ascending && at < last {
            return None;
        }
        last = at;
        let slot = parts.get_mut(at)?;
        if slot.is_some() {
            return None;
        }
        let (part, after) = value(rules.get(at)?.kind, tag & 7, after, bytes.len())?;
        *slot = Some(part);
        rest = after;
    }
    let complete = rules.iter().zip(&parts).all(|(rule, part)| !rule.needed || part.is_some());
    complete.then_some(Fields { rules, parts })
}

fn value(kind: Kind, wire: u64, rest: &[u8], whole: usize) -> Option<(Part<'_>, &[u8])> {
    match kind {
        Kind::Number(most) => {
            let (n, after) = varint(rest)?;
            (wire == 0 && n <= most).then_some((Part::Number(n), after))
        }
        Kind::Fixed64 => {
            let (b, after) = rest.split_first_chunk::<8>()?;
            (wire == 1).then_some((Part::Number(u64::from_le_bytes(*b)), after))
        }
        _ => {
            let (n, after) = varint(rest)?;
            let (b, after) = after.split_at_checked(usize::try_from(n).ok()?)?;
            let at = whole - after.len() - b.len();
            (wire == 2 && fits(kind, b)).then_some((Part::Bytes(b, at), after))
        }
    }
}

fn fits(kind: Kind, b: &[u8]) -> bool {
    match kind {
        Kind::Exactly(n) => b.len() == n,
        Kind::Between(least, most) => (least..=most).contains(&b.len()),
        Kind::Blocks => !b.is_empty() && b.len().is_multiple_of(16),
        Kind::Key33 => b.len() == 33 && b.first() == Some(&5) && b.last().is_some_and(|l| l & 0x80 == 0),
        Kind::Key32 => b.len() == 32 && b.last().is_some_and(|l| l & 0x80 == 0),
        Kind::Number(_) | Kind::Fixed64 => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static RULES: [Rule; 2] = [need(1, U32), may(2, Kind::Exactly(2))];

    #[test]
    fn only_the_whole_canonical_message_fits() {
        let fields = parse(&[8, 7, 0x12, 2, 9, 9], &RULES, Order::Ascending).unwrap();
        assert_eq!((fields.number(1), fields.range(2, 10)), (Some(7), Some(14..16)));
        for bad in [&[8u8, 7, 0][..], &[8, 0x87, 0], &[8, 7, 8, 7], &[0x12, 2, 9, 9], &[8, 7, 0x1a, 0], &[8]]
        {
            assert!(parse(bad, &RULES, Order::Ascending).is_none(), "{bad:?}");
        }
        assert!(parse(&[0x12, 2, 9, 9, 8, 7], &RULES, Order::Ascending).is_none());
        assert!(parse(&[0x12, 2, 9, 9, 8, 7], &RULES, Order::Free).is_some());
    }
}
