//! The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding): fields one behind
//! another, whatever their schema. Numbers must be written in their shortest form, as encoders do.

use crate::bytes::Cursor;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A varint.
    Varint(u64),
    /// Eight bytes, least significant first.
    Fixed64(u64),
    /// A length and as many bytes: text, bytes or a message.
    Bytes(&'a [u8]),
    /// Four bytes, least significant first.
    Fixed32(u32),
}

/// Why no field was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The bytes end before the field does.
    Short,
    /// No field is written so.
    Wrong,
}

/// The next field: its number, which may be any, and what it holds.
pub fn field<'a>(c: &mut Cursor<'a>) -> Result<(u64, Value<'a>), Stop> {
    let tag = varint(c)?;
    let value = match tag & 7 {
        0 => Value::Varint(varint(c)?),
        1 => Value::Fixed64(c.u64_le().ok_or(Stop::Short)?),
        2 => {
            let n = usize::try_from(varint(c)?).map_err(|_| Stop::Wrong)?;
            Value::Bytes(c.take(n).ok_or(Stop::Short)?)
        }
        5 => Value::Fixed32(c.u32_le().ok_or(Stop::Short)?),
        _ => return Err(Stop::Wrong),
    };
    Ok((tag >> 3, value))
}

/// The fields of bytes, texts and messages, if the whole input is fields.
pub fn delimited(bytes: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut c = Cursor::new(bytes);
    let mut list = Vec::new();
    while !c.is_empty() {
        if let (number, Value::Bytes(b)) = field(&mut c).ok()? {
            list.push((number, b));
        }
    }
    Some(list)
}

fn varint(c: &mut Cursor<'_>) -> Result<u64, Stop> {
    let short = c.left() < 10 && c.rest().iter().all(|b| b & 0x80 != 0);
    c.shortest_varint().ok_or(if short { Stop::Short } else { Stop::Wrong })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_every_kind_and_where_they_stop() {
        let bytes = [8, 0xac, 2, 0x12, 1, b'x', 0x19, 7, 0, 0, 0, 0, 0, 0, 0, 0x25, 9, 0, 0, 0];
        let mut c = Cursor::new(&bytes);
        let mut next = || field(&mut c);
        assert_eq!(next(), Ok((1, Value::Varint(300))));
        assert_eq!(next(), Ok((2, Value::Bytes(b"x"))));
        assert_eq!(next(), Ok((3, Value::Fixed64(7))));
        assert_eq!(next(), Ok((4, Value::Fixed32(9))));
        assert_eq!(next(), Err(Stop::Short));
        assert_eq!(delimited(&bytes), Some(vec![(2, &b"x"[..])]));
        let stop = |bytes: &[u8]| field(&mut Cursor::new(bytes)).err();
        assert_eq!(stop(&[0x12, 5, 1]), Some(Stop::Short));
        assert_eq!(stop(&[8, 0x80]), Some(Stop::Short));
        assert_eq!(stop(&[8, 0x80, 0]), Some(Stop::Wrong), "a longer way to write zero");
        assert_eq!(stop(&[0x0b]), Some(Stop::Wrong), "groups are no more");
    }
}
