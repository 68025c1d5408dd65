//! BSON (bsonspec.org, version 1.1): a document that says its own length.

use super::tree::Data;
use super::{DEEPEST, MOST, Whole};
use crate::bytes::{Cursor, hex};
use crate::peel::{Eats, Family, Form, Guess, Hint, Probe, Spec};

/// The row.
pub static SPEC: Spec = Spec {
    name: "bson",
    title: "BSON",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Binary, Form::Text],
    answers: |h| matches!(h, Hint::ContentType(t) if t.ends_with("bson")),
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Whole(read)),
};

/// Four bytes of length that fit, a parse to the last byte and a name: sure.
fn probe(p: &Probe<'_>) -> Guess {
    let claimed = p.bytes.first_chunk::<4>().map(|n| u32::from_le_bytes(*n) as usize);
    if claimed != Some(p.bytes.len()) {
        return Guess::No;
    }
    match read(p.bytes) {
        Some(_) if p.stated => Guess::Maybe,
        Some(data) if data.signs().convince() => Guess::Sure,
        Some(data) if data.signs().names > 0 && data.signs().odd == 0 => Guess::Maybe,
        _ => Guess::No,
    }
}

fn read(bytes: &[u8]) -> Option<Data<'_>> {
    let mut c = Cursor::new(bytes);
    let data = document(&mut c, Named::Yes, 0, &mut { MOST })?;
    c.is_empty().then_some(data)
}

/// Whether the names of a document's elements mean anything: an array numbers them.
#[derive(Clone, Copy, PartialEq)]
enum Named {
    Yes,
    No,
}

fn document<'a>(c: &mut Cursor<'a>, named: Named, depth: usize, left: &mut usize) -> Option<Data<'a>> {
    if depth > DEEPEST {
        return None;
    }
    let length = (c.u32_le()? as usize).checked_sub(5)?;
    let mut inner = c.sub(length)?;
    if c.u8()? != 0 {
        return None;
    }
    let mut pairs = Vec::new();
    while !inner.is_empty() {
        *left = left.checked_sub(1)?;
        let kind = inner.u8()?;
        let name = cstring(&mut inner)?.to_owned();
        pairs.push((name, element(kind, &mut inner, depth, left)?));
    }
    Some(match named {
        Named::Yes => Data::Map(pairs),
        Named::No => Data::List(pairs.into_iter().map(|(_, v)| v).collect()),
    })
}

fn cstring<'a>(c: &mut Cursor<'a>) -> Option<&'a str> {
    let end = memchr::memchr(0, c.rest())?;
    let text = std::str::from_utf8(c.take(end)?).ok()?;
    c.u8()?;
    Some(text)
}

/// A text with its length, the closing zero included.
fn string<'a>(c: &mut Cursor<'a>) -> Option<&'a str> {
    let length = (c.u32_le()? as usize).checked_sub(1)?;
    let text = std::str::from_utf8(c.take(length)?).ok()?;
    (c.u8()? == 0).then_some(text)
}

fn element<'a>(kind: u8, c: &mut Cursor<'a>, depth: usize, left: &mut usize) -> Option<Data<'a>> {
    Some(match kind {
        0x01 => Data::plain(f64::from_bits(c.u64_le()?)),
        0x02 | 0x0d | 0x0e => Data::text(string(c)?),
        0x03 => document(c, Named::Yes, depth + 1, left)?,
        0x04 => document(c, Named::No, depth + 1, left)?,
        0x05 => {
            let n = c.u32_le()? as usize;
            match c.u8()? {
                // The old subtype repeats the length.
                2 => Data::bytes(c.take(n)?.get(4..)?),
                _ => Data::bytes(c.take(n)?),
            }
        }
        0x06 | 0x0a | 0x7f | 0xff => Data::Nothing,
        0x07 => Data::plain(hex(c.take(12)?)),
        0x08 => match c.u8()? {
            0 => Data::plain(false),
            1 => Data::plain(true),
            _ => return None,
        },
        0x09 | 0x12 => Data::plain(c.u64_le()? as i64),
        0x11 => Data::plain(c.u64_le()?),
        0x0b => {
            let pattern = cstring(c)?;
            cstring(c)?;
            Data::text(pattern)
        }
        0x0c => {
            string(c)?;
            Data::plain(hex(c.take(12)?))
        }
        0x0f => {
            c.u32_le()?;
            let code = string(c)?;
            document(c, Named::Yes, depth + 1, left)?;
            Data::text(code)
        }
        0x10 => Data::plain(c.u32_le()? as i32),
        0x13 => Data::plain(hex(c.take(16)?)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_reads_whole_or_not_at_all() {
        // {"text": "see you", "a": [true, 7], "b": binary}
        let mut body =
            b"\x02text\0\x08\0\0\0see you\0\x04a\0\x10\0\0\0\x080\0\x01\x101\0\x07\0\0\0\0".to_vec();
        body.extend(b"\x05b\0\x02\0\0\0\0\xff\xfe\0");
        let mut whole = (body.len() as u32 + 4).to_le_bytes().to_vec();
        whole.extend(&body);
        let data = read(&whole).unwrap();
        assert_eq!(data.at("text").and_then(Data::as_text), Some("see you"));
        assert_eq!(data.at("a"), Some(&Data::List(vec![Data::plain(true), Data::plain(7)])));
        assert_eq!(data.at("b"), Some(&Data::bytes(&[255, 254])));
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut]), None);
        }
        assert_eq!(read(&[5, 0, 0, 0, 0, 1]), None);
    }
}
