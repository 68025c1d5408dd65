//! Apache Thrift (thrift-compact-protocol.md, thrift-binary-protocol.md): messages, whole and strict; bare
//! structs in the compact protocol only where the carrier says so, because too much else would fit.

use super::tree::Data;
use super::{DEEPEST, MOST, Whole};
use crate::bytes::Cursor;
use crate::peel::{Eats, Family, Form, Guess, Hint, Probe, Spec};

/// The row.
pub static SPEC: Spec = Spec {
    name: "thrift",
    title: "Apache Thrift",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Binary, Form::Text],
    answers: |h| match h {
        Hint::ContentType(t) => t == "application/x-thrift" || t.starts_with("application/vnd.apache.thrift"),
        Hint::Encoding(e) => e == "thrift-compact",
        _ => false,
    },
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Whole(read)),
};

/// A message names its method: sure where the name is one.
fn probe(p: &Probe<'_>) -> Guess {
    if message(p.bytes).is_some() {
        return Guess::Sure;
    }
    match p.stated && read(p.bytes).is_some() {
        true => Guess::Maybe,
        false => Guess::No,
    }
}

fn read(bytes: &[u8]) -> Option<Data<'_>> {
    message(bytes).or_else(|| {
        let mut reader = Reader { c: Cursor::new(bytes), left: MOST, compact: true };
        let data = reader.structure(0)?;
        reader.c.is_empty().then_some(data)
    })
}

/// A message of either protocol, alone or behind the length of the framed transport.
fn message(bytes: &[u8]) -> Option<Data<'_>> {
    let framed =
        bytes.split_first_chunk::<4>().filter(|(n, rest)| u32::from_be_bytes(**n) as usize == rest.len());
    let bytes = framed.map_or(bytes, |(_, rest)| rest);
    match bytes {
        [0x82, kind, ..] if kind & 0x1f == 1 && (1..=4).contains(&(kind >> 5)) => {
            let mut reader = Reader { c: Cursor::new(bytes.get(2..)?), left: MOST, compact: true };
            reader.c.varint()?;
            reader.call()
        }
        [0x80, 1, 0, 1..=4, ..] => {
            let mut reader = Reader { c: Cursor::new(bytes.get(4..)?), left: MOST, compact: false };
            reader.call()
        }
        _ => None,
    }
}

struct Reader<'a> {
    c: Cursor<'a>,
    left: usize,
    compact: bool,
}

/// What a type byte of either protocol means.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bool,
    Byte,
    Number(u8),
    Double,
    Binary,
    List,
    Map,
    Struct,
    Uuid,
}

impl<'a> Reader<'a> {
    /// The method's name, the number of the call where it stands behind the name, and the arguments.
    fn call(&mut self) -> Option<Data<'a>> {
        let name = std::str::from_utf8(self.binary()?).ok()?;
        let identifier = |b: u8| b.is_ascii_alphanumeric() || b"_.:/-".contains(&b);
        if name.len() < 2 || name.len() > 128 || !name.bytes().all(identifier) {
            return None;
        }
        if !self.compact {
            self.c.u32()?;
        }
        let arguments = self.structure(0)?;
        let pairs = vec![("method".to_owned(), Data::plain(name)), ("arguments".to_owned(), arguments)];
        self.c.is_empty().then_some(Data::Map(pairs))
    }

    fn zigzag(&mut self) -> Option<i64> {
        self.c.varint().map(|n| (n >> 1) as i64 ^ -((n & 1) as i64))
    }

    fn binary(&mut self) -> Option<&'a [u8]> {
        let n = if self.compact { self.c.varint()? } else { u64::from(self.c.u32()?) };
        self.c.take(usize::try_from(n).ok()?)
    }

    fn kind(&self, code: u8) -> Option<Kind> {
        Some(match (self.compact, code) {
            (true, 1 | 2) | (false, 2) => Kind::Bool,
            (_, 3) => Kind::Byte,
            (true, 4) | (false, 6) => Kind::Number(2),
            (true, 5) | (false, 8) => Kind::Number(4),
            (true, 6) | (false, 10) => Kind::Number(8),
            (true, 7) | (false, 4) => Kind::Double,
            (true, 8) | (false, 11) => Kind::Binary,
            (true, 9 | 10) | (false, 14 | 15) => Kind::List,
            (true, 11) | (false, 13) => Kind::Map,
            (_, 12) => Kind::Struct,
            (true, 13) | (false, 16) => Kind::Uuid,
            _ => return None,
        })
    }

    fn structure(&mut self, depth: usize) -> Option<Data<'a>> {
        if depth > DEEPEST {
            return None;
        }
        let mut pairs = Vec::new();
        let mut id = 0i64;
        loop {
            let head = self.c.u8()?;
            if head == 0 {
                return Some(Data::Map(pairs));
            }
            let code = if self.compact { head & 15 } else { head };
            id = match (self.compact, head >> 4) {
                (true, 0) => self.zigzag()?,
                (true, delta) => id + i64::from(delta),
                (false, _) => i64::from(self.c.u16()? as i16),
            };
            if !(-0x8000..0x8000).contains(&id) {
                return None;
            }
            let kind = self.kind(code)?;
            let value = match kind {
                // The compact protocol has the truth in the head.
                Kind::Bool if self.compact => Data::plain(code == 1),
                kind => self.value(kind, depth)?,
            };
            pairs.push((id.to_string(), value));
        }
    }

    fn value(&mut self, kind: Kind, depth: usize) -> Option<Data<'a>> {
        self.left = self.left.checked_sub(1)?;
        if depth > DEEPEST {
            return None;
        }
        Some(match (kind, self.compact) {
            (Kind::Bool, _) => Data::plain(self.c.u8()? == 1),
            (Kind::Byte, _) => Data::plain(self.c.u8()? as i8),
            (Kind::Number(_), true) => Data::plain(self.zigzag()?),
            (Kind::Number(2), false) => Data::plain(self.c.u16()? as i16),
            (Kind::Number(4), false) => Data::plain(self.c.u32()? as i32),
            (Kind::Number(_), false) => Data::plain(self.c.u64()? as i64),
            (Kind::Double, true) => Data::plain(f64::from_bits(self.c.u64_le()?)),
            (Kind::Double, false) => Data::plain(f64::from_bits(self.c.u64()?)),
            (Kind::Uuid, _) => Data::bytes(self.c.take(16)?),
            (Kind::Struct, _) => self.structure(depth + 1)?,
            (Kind::Binary, _) => {
                let bytes = self.binary()?;
                match std::str::from_utf8(bytes) {
                    Ok(text) if super::tree::readable(text) => Data::text(text),
                    _ => Data::bytes(bytes),
                }
            }
            (Kind::List, _) => self.list(depth)?,
            (Kind::Map, _) => self.map(depth)?,
        })
    }

    fn list(&mut self, depth: usize) -> Option<Data<'a>> {
        let (code, n) = match self.compact {
            true => match self.c.u8()? {
                head if head >> 4 == 15 => (head & 15, self.c.varint()?),
                head => (head & 15, u64::from(head >> 4)),
            },
            false => (self.c.u8()?, u64::from(self.c.u32()?)),
        };
        let kind = self.kind(code)?;
        (0..n).map(|_| self.value(kind, depth + 1)).collect::<Option<_>>().map(Data::List)
    }

    fn map(&mut self, depth: usize) -> Option<Data<'a>> {
        let (keys, values, n) = match self.compact {
            true => match self.c.varint()? {
                0 => return Some(Data::Map(Vec::new())),
                n => {
                    let kinds = self.c.u8()?;
                    (kinds >> 4, kinds & 15, n)
                }
            },
            false => (self.c.u8()?, self.c.u8()?, u64::from(self.c.u32()?)),
        };
        let (keys, values) = (self.kind(keys)?, self.kind(values)?);
        let pairs =
            (0..n).map(|_| Some((self.value(keys, depth + 1)?.into_key(), self.value(values, depth + 1)?)));
        pairs.collect::<Option<_>>().map(Data::Map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_both_protocols_read_whole_or_not_at_all() {
        // send(1: "see you", 2: 7, 3: true)
        let compact = b"\x82\x21\x01\x04send\x18\x07see you\x15\x0e\x11\x00";
        let binary = b"\x80\x01\x00\x01\0\0\0\x04send\0\0\0\x01\x0b\0\x01\0\0\0\x07see you\x08\0\x02\0\0\0\x07\x02\0\x03\x01\0";
        let framed = [&(compact.len() as u32).to_be_bytes()[..], compact].concat();
        for whole in [&compact[..], binary, &framed] {
            let data = message(whole).unwrap();
            let arguments = data.at("arguments").unwrap();
            assert_eq!(arguments.at("1").and_then(Data::as_text), Some("see you"));
            assert_eq!(arguments.at("2"), Some(&Data::plain(7)));
            assert_eq!(arguments.at("3"), Some(&Data::plain(true)));
            for cut in 0..whole.len() {
                assert_eq!(message(&whole[..cut]), None);
            }
        }
    }

    #[test]
    fn bare_structs_end_where_the_buffer_ends() {
        let data = read(b"\x18\x02hi\x1b\x01\x88\x01a\x01b\x00").unwrap();
        assert_eq!(data.at("1").and_then(Data::as_text), Some("hi"));
        assert_eq!(data.at("2").unwrap().at("a").unwrap().as_text(), Some("b"));
        assert_eq!(read(b"\x18\x02hi\x00\x00"), None);
        assert_eq!(read(&[0x1c; 200]), None);
    }
}
