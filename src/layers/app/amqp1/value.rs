//! Values of AMQP 1.0 (part 1: types), as far as messages are made of them.

use crate::bytes::Cursor;

/// Values inside one another.
const DEEPEST: usize = 16;
/// Values of one message.
const MOST: usize = 10_000;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    /// Nothing, or what carries nothing to read: numbers without a meaning here, times, arrays.
    Other,
    /// A whole number, or a truth.
    Number(u64),
    /// A text or a symbol.
    Text(&'a str),
    /// Octets.
    Bytes(&'a [u8]),
    /// Values in order.
    List(Vec<Value<'a>>),
    /// Keys and values in turn.
    Map(Vec<Value<'a>>),
    /// A value under its descriptor.
    Described(u64, Box<Value<'a>>),
}

impl<'a> Value<'a> {
    /// A member of a list.
    pub(super) fn at(&self, index: usize) -> Option<&Value<'a>> {
        match self {
            Value::List(list) => list.get(index),
            Value::Described(_, inside) => inside.at(index),
            _ => None,
        }
    }
    /// The text that this is.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The next value.
pub(super) fn read<'a>(c: &mut Cursor<'a>) -> Option<Value<'a>> {
    Reader { left: MOST }.value(c, 0)
}

struct Reader {
    left: usize,
}

impl Reader {
    fn value<'a>(&mut self, c: &mut Cursor<'a>, depth: usize) -> Option<Value<'a>> {
        self.left = self.left.checked_sub(1)?;
        if depth > DEEPEST {
            return None;
        }
        let code = c.u8()?;
        Some(match code {
            0x00 => {
                let descriptor = match self.value(c, depth + 1)? {
                    Value::Number(n) => n,
                    Value::Text(symbol) => named(symbol),
                    _ => return None,
                };
                Value::Described(descriptor, Box::new(self.value(c, depth + 1)?))
            }
            0x41 => Value::Number(1),
            0x42..=0x44 => Value::Number(0),
            0x45 => Value::List(Vec::new()),
            0x50 | 0x52 | 0x53 | 0x56 => Value::Number(u64::from(c.u8()?)),
            0x60 => Value::Number(u64::from(c.u16()?)),
            0x70 => Value::Number(u64::from(c.u32()?)),
            0x80 => Value::Number(c.u64()?),
            0xa0 => Value::Bytes(c.vec8()?),
            0xb0 => Value::Bytes(long(c)?),
            0xa1 | 0xa3 => Value::Text(std::str::from_utf8(c.vec8()?).ok()?),
            0xb1 | 0xb3 => Value::Text(std::str::from_utf8(long(c)?).ok()?),
            0xc0 => Value::List(self.members(c.vec8()?, 1, depth)?),
            0xc1 => Value::Map(self.members(c.vec8()?, 1, depth)?),
            0xd0 => Value::List(self.members(long(c)?, 4, depth)?),
            0xd1 => Value::Map(self.members(long(c)?, 4, depth)?),
            // The upper half of the code is the width (section 1.2.1).
            0x40..=0x4f => Value::Other,
            0x50..=0x9f => {
                c.take(1 << (usize::from(code >> 4) - 5))?;
                Value::Other
            }
            0xa0..=0xaf | 0xc0..=0xcf | 0xe0..=0xef => {
                c.vec8()?;
                Value::Other
            }
            0xb0..=0xbf | 0xd0..=0xdf | 0xf0..=0xff => {
                long(c)?;
                Value::Other
            }
            _ => return None,
        })
    }

    /// What a list or a map holds behind the number of its values.
    fn members<'a>(&mut self, bytes: &'a [u8], width: usize, depth: usize) -> Option<Vec<Value<'a>>> {
        let mut c = Cursor::new(bytes);
        let count = if width == 1 { usize::from(c.u8()?) } else { c.u32()? as usize };
        // Each takes a byte at least.
        if count > c.left() {
            return None;
        }
        (0..count).map(|_| self.value(&mut c, depth + 1)).collect()
    }
}

fn long<'a>(c: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let n = c.u32()? as usize;
    c.take(n)
}

/// The numbers of the descriptors that are of interest when they are written as symbols.
fn named(symbol: &str) -> u64 {
    match symbol {
        "amqp:sasl-init:list" => 0x41,
        "amqp:attach:list" => 0x12,
        "amqp:transfer:list" => 0x14,
        "amqp:properties:list" => 0x73,
        "amqp:application-properties:map" => 0x74,
        "amqp:data:binary" => 0x75,
        "amqp:amqp-sequence:list" => 0x76,
        "amqp:amqp-value:*" => 0x77,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_lengths_that_lie_are_not() {
        let one = |bytes: &'static [u8]| read(&mut Cursor::new(bytes));
        assert_eq!(one(b"\xa1\x02hi"), Some(Value::Text("hi")));
        assert_eq!(one(b"\xa1\x03hi"), None);
        assert_eq!(one(b"\xc0\x03\x02\x40\x41"), Some(Value::List(vec![Value::Other, Value::Number(1)])));
        assert_eq!(one(b"\xc0\x03\x09\x40\x41"), None, "more values than bytes");
        assert_eq!(one(b"\xd0\x00\x00\x00\x04\xff\xff\xff\xff"), None);
        assert_eq!(one(b"\x00\x53\x75\xa0\x01x"), Some(Value::Described(0x75, Box::new(Value::Bytes(b"x")))));
        assert_eq!(one(b"\x83\x00\x00\x01\x70\xca\x3b\x05\x20"), Some(Value::Other), "a time");
        assert_eq!(one(&[0; 64]), None, "descriptors of descriptors");
    }
}
