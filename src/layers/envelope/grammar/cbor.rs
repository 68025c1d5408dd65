//! CBOR in its shortest form (RFC 8949 section 4.2.1), bounded, with the place of every byte string.

use std::ops::Range;

const DEEPEST: usize = 12;
const MOST: u64 = 1000;

/// A data item.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An integer.
    Integer(i128),
    /// A byte string: where it lies.
    Bytes(Range<usize>),
    /// A text string.
    Text(String),
    /// An array.
    Array(Vec<Item>),
    /// A map in wire order.
    Map(Vec<(Item, Item)>),
    /// A tag and its item.
    Tag(u64, Box<Item>),
    /// A simple value or a float.
    Simple(u64),
}

impl Item {
    /// The value of an integer key in a map.
    pub fn at(&self, key: i128) -> Option<&Item> {
        match self {
            Item::Map(pairs) => pairs.iter().find(|(k, _)| *k == Item::Integer(key)).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The range, if it is a byte string.
    pub fn range(&self) -> Option<Range<usize>> {
        match self {
            Item::Bytes(range) => Some(range.clone()),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn integer(&self) -> Option<i128> {
        match self {
            Item::Integer(n) => Some(*n),
            _ => None,
        }
    }
}

/// The one item that fills `bytes`. Ranges count from the start of `bytes`, plus `base`.
pub fn parse(bytes: &[u8], base: usize) -> Option<Item> {
    let mut reader = Reader { bytes, at: 0, base, left: 20_000 };
    let item = reader.item(0)?;
    (reader.at == bytes.len()).then_some(item)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
    left: usize,
}

impl Reader<'_> {
    fn take(&mut self, n: usize) -> Option<&[u8]> {
        let end = self.at.checked_add(n)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// Major type and argument, minimal unless it is a float.
    fn head(&mut self) -> Option<(u8, u64)> {
        let first = *self.take(1)?.first()?;
        let (major, low) = (first >> 5, first & 31);
        let width = match low {
            0..24 => return Some((major, u64::from(low))),
            24..28 => 1usize << (low - 24),
            _ => return None,
        };
        let value = self.take(width)?.iter().fold(0u64, |n, &b| n << 8 | u64::from(b));
        let least = match width {
            1 => 24,
            2 => 1 << 8,
            4 => 1 << 16,
            _ => 1 << 32,
        };
        (major == 7 || value >= least).then_some((major, value))
    }

    fn item(&mut self, depth: usize) -> Option<Item> {
        self.left = self.left.checked_sub(1)?;
        if depth > DEEPEST {
            return None;
        }
        let (major, n) = self.head()?;
        match major {
            0 => Some(Item::Integer(i128::from(n))),
            1 => Some(Item::Integer(-1 - i128::from(n))),
            2 => {
                let start = self.base + self.at;
                let length = self.take(usize::try_from(n).ok()?)?.len();
                Some(Item::Bytes(start..start + length))
            }
            3 => {
                let text = self.take(usize::try_from(n).ok()?)?;
                Some(Item::Text(std::str::from_utf8(text).ok()?.to_owned()))
            }
            4 if n <= MOST => (0..n).map(|_| self.item(depth + 1)).collect::<Option<_>>().map(Item::Array),
            5 if n <= MOST => {
                let pairs = (0..n).map(|_| Some((self.item(depth + 1)?, self.item(depth + 1)?)));
                pairs.collect::<Option<_>>().map(Item::Map)
            }
            6 => Some(Item::Tag(n, Box::new(self.item(depth + 1)?))),
            7 => Some(Item::Simple(n)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_and_shortest_only() {
        assert_eq!(parse(&[0x42, 1, 2], 10), Some(Item::Bytes(11..13)));
        assert_eq!(parse(&[0xa1, 1, 3], 0).unwrap().at(1), Some(&Item::Integer(3)));
        for bad in [&[0x42u8, 1][..], &[0x18, 3], &[1, 1], &[0x81; 40], &[0x9f, 1, 0xff], &[0x5b; 9]] {
            assert_eq!(parse(bad, 0), None, "{bad:?}");
        }
    }
}
