//! CBOR (RFC 8949): one data item, or several one after another (RFC 8742) where the carrier says so.

use super::tree::Data;
use super::{DEEPEST, MOST, Whole};
use crate::bytes::Cursor;
use crate::peel::{Eats, Family, Form, Guess, Hint, Probe, Spec};
use std::borrow::Cow;

/// The row.
pub static SPEC: Spec = Spec {
    name: "cbor",
    title: "CBOR (RFC 8949)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Binary, Form::Text],
    answers: |h| match h {
        Hint::ContentType(t) => {
            matches!(t.as_str(), "application/cbor" | "application/cbor-seq" | "application/x-cbor")
                || t.ends_with("+cbor")
                || t.ends_with("+cbor-seq")
        }
        _ => false,
    },
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Whole(|b| read(b, Writer::Any))),
};

/// Tag 55799 says that CBOR follows (RFC 8949 section 3.4.6).
const SELF_DESCRIBED: &[u8] = &[0xd9, 0xd9, 0xf7];

/// Whose output is accepted.
#[derive(Clone, Copy, PartialEq)]
enum Writer {
    /// Any that the document allows.
    Any,
    /// One that writes lengths and numbers in their shortest form (section 4.2.1).
    Shortest,
}

fn probe(p: &Probe<'_>) -> Guess {
    if p.stated {
        return if read(p.bytes, Writer::Any).is_some() { Guess::Maybe } else { Guess::No };
    }
    // Maps and arrays; a text that begins so is no UTF-8.
    let fits = matches!(p.bytes.first(), Some(0x81..=0x9b | 0x9f | 0xa1..=0xbb | 0xbf)) && p.bytes.len() >= 8;
    let described = p.bytes.starts_with(SELF_DESCRIBED);
    if !(fits || described) || p.form == Form::Text {
        return Guess::No;
    }
    match one(p.bytes, Writer::Shortest) {
        Some(_) if described => Guess::Sure,
        Some(data) if data.signs().convince() => Guess::Maybe,
        _ => Guess::No,
    }
}

/// The one item that fills `bytes`.
fn one(bytes: &[u8], writer: Writer) -> Option<Data<'_>> {
    let mut reader = Reader { c: Cursor::new(bytes), left: MOST, writer };
    let data = reader.item(0)?;
    reader.c.is_empty().then_some(data)
}

/// All items of `bytes`: the only one as it is, several as a list.
fn read(bytes: &[u8], writer: Writer) -> Option<Data<'_>> {
    let mut reader = Reader { c: Cursor::new(bytes), left: MOST, writer };
    let mut list = Vec::new();
    while !reader.c.is_empty() {
        list.push(reader.item(0)?);
    }
    Data::of_items(list)
}

struct Reader<'a> {
    c: Cursor<'a>,
    left: usize,
    writer: Writer,
}

/// The argument of a head.
enum Argument {
    Number(u64),
    /// Items follow until a break.
    Open,
}

impl<'a> Reader<'a> {
    /// Major type, low bits, argument (section 3).
    fn head(&mut self) -> Option<(u8, u8, Argument)> {
        let first = self.c.u8()?;
        let (major, low) = (first >> 5, first & 31);
        let (value, least) = match low {
            0..24 => (u64::from(low), 0),
            24 => (u64::from(self.c.u8()?), 24),
            25 => (u64::from(self.c.u16()?), 1 << 8),
            26 => (u64::from(self.c.u32()?), 1 << 16),
            27 => (self.c.u64()?, 1 << 32),
            31 if matches!(major, 2..=5) => return Some((major, low, Argument::Open)),
            _ => return None,
        };
        let short = self.writer == Writer::Any || major == 7 || value >= least;
        short.then_some((major, low, Argument::Number(value)))
    }

    /// Passes over a break, if one is next.
    fn breaks(&mut self) -> bool {
        let next = self.c.peek() == Some(0xff);
        if next {
            self.c.u8();
        }
        next
    }

    fn item(&mut self, depth: usize) -> Option<Data<'a>> {
        self.left = self.left.checked_sub(1)?;
        if depth > DEEPEST {
            return None;
        }
        let (major, low, argument) = self.head()?;
        let n = match argument {
            Argument::Number(n) => n,
            Argument::Open => return self.open(major, depth),
        };
        match major {
            0 => Some(Data::plain(n)),
            1 => Some(Data::plain(-1 - i128::from(n))),
            2 => Some(Data::bytes(self.c.take(usize::try_from(n).ok()?)?)),
            3 => {
                let text = self.c.take(usize::try_from(n).ok()?)?;
                Some(Data::text(std::str::from_utf8(text).ok()?))
            }
            4 => (0..n).map(|_| self.item(depth + 1)).collect::<Option<_>>().map(Data::List),
            5 => (0..n).map(|_| self.pair(depth)).collect::<Option<_>>().map(Data::Map),
            // What a tag says about the item is not needed to read it.
            6 => self.item(depth + 1),
            _ => simple(low, n),
        }
    }

    fn pair(&mut self, depth: usize) -> Option<(String, Data<'a>)> {
        Some((self.item(depth + 1)?.into_key(), self.item(depth + 1)?))
    }

    /// Items until a break (section 3.2).
    fn open(&mut self, major: u8, depth: usize) -> Option<Data<'a>> {
        let (mut list, mut pairs) = (Vec::new(), Vec::new());
        while !self.breaks() {
            match major {
                5 => pairs.push(self.pair(depth)?),
                _ => list.push(self.item(depth + 1)?),
            }
        }
        match major {
            4 => Some(Data::List(list)),
            5 => Some(Data::Map(pairs)),
            2 => {
                let pieces = list.into_iter().map(|d| if let Data::Bytes(b) = d { Some(b) } else { None });
                let pieces: Vec<Cow<'_, [u8]>> = pieces.collect::<Option<_>>()?;
                Some(Data::Bytes(Cow::Owned(pieces.concat())))
            }
            _ => {
                let pieces = list.into_iter().map(|d| if let Data::Text(t) = d { Some(t) } else { None });
                let pieces: Vec<Cow<'_, str>> = pieces.collect::<Option<_>>()?;
                Some(Data::Text(Cow::Owned(pieces.concat())))
            }
        }
    }
}

/// Simple values and floats (section 3.3).
fn simple(low: u8, n: u64) -> Option<Data<'static>> {
    match low {
        20 | 21 => Some(Data::plain(low == 21)),
        22 | 23 => Some(Data::Nothing),
        25 => Some(Data::plain(half(n as u16))),
        26 => Some(Data::plain(f32::from_bits(n as u32))),
        27 => Some(Data::plain(f64::from_bits(n))),
        24 if n < 32 => None,
        _ => Some(Data::plain(n)),
    }
}

/// A half-precision float (appendix D).
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 != 0 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"from": "ana", "text": "see you", "n": [1, -2, 1.5, true, h'00ff']}`
    const CHAT: &[u8] =
        b"\xa3\x64from\x63ana\x64text\x67see you\x61n\x85\x01\x21\xf9\x3e\x00\xf5\x42\x00\xff";

    #[test]
    fn a_map_reads_to_its_last_byte_or_not_at_all() {
        let data = one(CHAT, Writer::Shortest).unwrap();
        assert_eq!(data.at("text").and_then(Data::as_text), Some("see you"));
        let Some(Data::List(n)) = data.at("n") else { panic!("a list") };
        assert_eq!(n[..4], [Data::plain(1), Data::plain(-2), Data::plain(1.5), Data::plain(true)]);
        assert_eq!(n[4], Data::bytes(&[0, 255]));
        assert!(data.signs().convince());
        for cut in 0..CHAT.len() {
            assert_eq!(one(&CHAT[..cut], Writer::Any), None);
        }
        assert_eq!(one(&[CHAT, &[0]].concat(), Writer::Any), None);
    }

    #[test]
    fn open_lengths_and_long_forms_read() {
        let open = b"\xbf\x64text\x7f\x64see \x63you\xff\xff";
        assert_eq!(one(open, Writer::Shortest).unwrap().at("text").unwrap().as_text(), Some("see you"));
        assert_eq!(one(&[0x18, 3], Writer::Any), Some(Data::plain(3)));
        assert_eq!(one(&[0x18, 3], Writer::Shortest), None);
        assert_eq!(read(&[1, 2], Writer::Any), Some(Data::List(vec![Data::plain(1), Data::plain(2)])));
    }

    #[test]
    fn nests_and_floods_end() {
        assert_eq!(one(&[0x81; 4000], Writer::Any), None);
        assert_eq!(one(&[0x9b, 255, 255, 255, 255, 255, 255, 255, 255, 0], Writer::Any), None);
        let flood = [vec![0x9a, 0, 1, 0, 0], vec![0; 1 << 16]].concat();
        assert_eq!(one(&flood, Writer::Any), None);
    }
}
