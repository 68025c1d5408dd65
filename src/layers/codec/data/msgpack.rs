//! MessagePack (msgpack.org specification): one object, or several one after another where the carrier
//! says so.

use super::tree::Data;
use super::{DEEPEST, MOST, Whole};
use crate::bytes::Cursor;
use crate::peel::{Eats, Family, Form, Guess, Hint, Probe, Spec};

/// The row.
pub static SPEC: Spec = Spec {
    name: "msgpack",
    title: "MessagePack",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Binary, Form::Text],
    answers: |h| matches!(h, Hint::ContentType(t) if t.contains("msgpack") || t.contains("messagepack")),
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Whole(|b| read(b, Writer::Any))),
};

/// Whose output is accepted.
#[derive(Clone, Copy, PartialEq)]
enum Writer {
    /// Any, also those from before texts and bytes were told apart.
    Any,
    /// One that writes lengths in their shortest form and texts in UTF-8.
    Shortest,
}

fn probe(p: &Probe<'_>) -> Guess {
    if p.stated {
        return if read(p.bytes, Writer::Any).is_some() { Guess::Maybe } else { Guess::No };
    }
    // Maps and arrays; a text that begins so is no UTF-8.
    if !matches!(p.bytes.first(), Some(0x81..=0x8f | 0x91..=0x9f | 0xdc..=0xdf)) || p.form == Form::Text {
        return Guess::No;
    }
    match one(p.bytes, Writer::Shortest) {
        Some(data) if data.signs().convince() => Guess::Maybe,
        _ => Guess::No,
    }
}

/// The one object that fills `bytes`.
fn one(bytes: &[u8], writer: Writer) -> Option<Data<'_>> {
    let mut reader = Reader { c: Cursor::new(bytes), left: MOST, writer };
    let data = reader.object(0)?;
    reader.c.is_empty().then_some(data)
}

/// All objects of `bytes`: the only one as it is, several as a list.
fn read(bytes: &[u8], writer: Writer) -> Option<Data<'_>> {
    let mut reader = Reader { c: Cursor::new(bytes), left: MOST, writer };
    let mut list = Vec::new();
    while !reader.c.is_empty() {
        list.push(reader.object(0)?);
    }
    Data::of_items(list)
}

struct Reader<'a> {
    c: Cursor<'a>,
    left: usize,
    writer: Writer,
}

impl<'a> Reader<'a> {
    /// A length of `width` bytes, which is at least `least` if the writer is one for the shortest form.
    fn length(&mut self, width: usize, least: usize) -> Option<usize> {
        let n = match width {
            1 => usize::from(self.c.u8()?),
            2 => usize::from(self.c.u16()?),
            _ => self.c.u32()? as usize,
        };
        (self.writer == Writer::Any || n >= least).then_some(n)
    }

    fn text(&mut self, n: usize) -> Option<Data<'a>> {
        let bytes = self.c.take(n)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(Data::text(text)),
            Err(_) if self.writer == Writer::Any => Some(Data::bytes(bytes)),
            Err(_) => None,
        }
    }

    fn bytes(&mut self, n: usize) -> Option<Data<'a>> {
        self.c.take(n).map(Data::bytes)
    }

    fn list(&mut self, n: usize, depth: usize) -> Option<Data<'a>> {
        (0..n).map(|_| self.object(depth + 1)).collect::<Option<_>>().map(Data::List)
    }

    fn map(&mut self, n: usize, depth: usize) -> Option<Data<'a>> {
        let pairs = (0..n).map(|_| Some((self.object(depth + 1)?.into_key(), self.object(depth + 1)?)));
        pairs.collect::<Option<_>>().map(Data::Map)
    }

    /// Extension data; type -1 is a time.
    fn extension(&mut self, n: usize) -> Option<Data<'a>> {
        let kind = self.c.u8()?;
        let body = self.c.take(n)?;
        let number = body.iter().fold(0u128, |n, b| n << 8 | u128::from(*b));
        Some(if kind == 0xff && matches!(n, 4 | 8 | 12) { Data::plain(number) } else { Data::bytes(body) })
    }

    fn object(&mut self, depth: usize) -> Option<Data<'a>> {
        self.left = self.left.checked_sub(1)?;
        if depth > DEEPEST {
            return None;
        }
        let first = self.c.u8()?;
        let low = usize::from(first);
        match first {
            0..=0x7f => Some(Data::plain(first)),
            0x80..=0x8f => self.map(low & 15, depth),
            0x90..=0x9f => self.list(low & 15, depth),
            0xa0..=0xbf => self.text(low & 31),
            0xc0 => Some(Data::Nothing),
            0xc1 => None,
            0xc2 | 0xc3 => Some(Data::plain(first == 0xc3)),
            0xc4..=0xc6 => {
                let n = self.length(1 << (first - 0xc4), [0, 1 << 8, 1 << 16][usize::from(first - 0xc4)])?;
                self.bytes(n)
            }
            0xc7..=0xc9 => {
                let n = self.length(1 << (first - 0xc7), 0)?;
                self.extension(n)
            }
            0xca => Some(Data::plain(f32::from_bits(self.c.u32()?))),
            0xcb => Some(Data::plain(f64::from_bits(self.c.u64()?))),
            0xcc => Some(Data::plain(self.c.u8()?)),
            0xcd => Some(Data::plain(self.c.u16()?)),
            0xce => Some(Data::plain(self.c.u32()?)),
            0xcf => Some(Data::plain(self.c.u64()?)),
            0xd0 => Some(Data::plain(self.c.u8()? as i8)),
            0xd1 => Some(Data::plain(self.c.u16()? as i16)),
            0xd2 => Some(Data::plain(self.c.u32()? as i32)),
            0xd3 => Some(Data::plain(self.c.u64()? as i64)),
            0xd4..=0xd8 => self.extension(1 << (first - 0xd4)),
            // Writers from before 8-bit lengths use 16 bits from 32 on.
            0xd9..=0xdb => {
                let n = self.length(1 << (first - 0xd9), [32, 32, 1 << 16][usize::from(first - 0xd9)])?;
                self.text(n)
            }
            0xdc | 0xdd => {
                let n = self.length(2 << (first - 0xdc), [16, 1 << 16][usize::from(first - 0xdc)])?;
                self.list(n, depth)
            }
            0xde | 0xdf => {
                let n = self.length(2 << (first - 0xde), [16, 1 << 16][usize::from(first - 0xde)])?;
                self.map(n, depth)
            }
            0xe0..=0xff => Some(Data::plain(first as i8)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"from": "ana", "text": "see you", "n": [1, -2, true, bin]}`
    const CHAT: &[u8] = b"\x83\xa4from\xa3ana\xa4text\xa7see you\xa1n\x94\x01\xfe\xc3\xc4\x02\x00\xff";

    #[test]
    fn a_map_reads_to_its_last_byte_or_not_at_all() {
        let data = one(CHAT, Writer::Shortest).unwrap();
        assert_eq!(data.at("text").and_then(Data::as_text), Some("see you"));
        let n = Data::List(vec![Data::plain(1), Data::plain(-2), Data::plain(true), Data::bytes(&[0, 255])]);
        assert_eq!(data.at("n"), Some(&n));
        assert!(data.signs().convince());
        for cut in 0..CHAT.len() {
            assert_eq!(one(&CHAT[..cut], Writer::Any), None);
        }
    }

    #[test]
    fn long_forms_are_for_those_who_say_what_they_send() {
        let long = b"\x81\xa4text\xd9\x03see";
        assert_eq!(one(long, Writer::Shortest), None);
        assert_eq!(one(long, Writer::Any).unwrap().at("text").unwrap().as_text(), Some("see"));
        let old = b"\x81\xa4blob\xa2\xff\xfe";
        assert_eq!(one(old, Writer::Any).unwrap().at("blob"), Some(&Data::bytes(&[255, 254])));
    }

    #[test]
    fn nests_and_floods_end() {
        assert_eq!(one(&[0x91; 4000], Writer::Any), None);
        assert_eq!(one(&[0xdd, 255, 255, 255, 255, 0, 0], Writer::Any), None);
    }
}
