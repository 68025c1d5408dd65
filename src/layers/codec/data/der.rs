//! ASN.1 in DER (ITU-T X.690): the structure as fields, strings as text, nested octet strings as bytes.

use super::tree::{Data, readable};
use super::{DEEPEST, MOST, Whole};
use crate::bytes::Cursor;
use crate::peel::{Eats, Family, Form, Guess, Hint, Probe, Spec};
use std::borrow::Cow;

/// The row.
pub static SPEC: Spec = Spec {
    name: "der",
    title: "ASN.1 DER (X.690)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Binary, Form::Text],
    answers: |h| match h {
        Hint::ContentType(t) => {
            matches!(
                t.as_str(),
                "application/pkix-cert"
                    | "application/x-x509-ca-cert"
                    | "application/pkcs10"
                    | "application/pkcs8"
                    | "application/ocsp-request"
                    | "application/ocsp-response"
                    | "application/timestamp-query"
                    | "application/timestamp-reply"
            )
        }
        Hint::Encoding(e) => e == "der",
        _ => false,
    },
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Whole(read)),
};

/// One sequence that fills the buffer, with lengths in their only form all the way down.
fn probe(p: &Probe<'_>) -> Guess {
    if p.bytes.first() != Some(&0x30) || p.bytes.len() < 8 || p.form == Form::Text && !p.stated {
        return Guess::No;
    }
    match read(p.bytes).map(|d| d.signs()) {
        Some(_) if p.stated => Guess::Maybe,
        // A short outer length fits noise once in 65,536, its content seldom; text or depth must add to it.
        Some(s) if s.garbled == 0 && s.values >= 4 && (s.text >= 4 || s.values >= 8) => Guess::Maybe,
        _ => Guess::No,
    }
}

fn read(bytes: &[u8]) -> Option<Data<'_>> {
    let mut c = Cursor::new(bytes);
    let data = element(&mut c, 0, &mut { MOST })?;
    c.is_empty().then_some(data)
}

/// Tag and content of the next element (sections 8.1 and 10.1).
fn tlv<'a>(c: &mut Cursor<'a>) -> Option<(u8, &'a [u8])> {
    let tag = c.u8()?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let length = match c.u8()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(c.u8()?.checked_sub(0x80)?) + 0x80,
        0x82 => usize::from(c.u16()?.checked_sub(0x100)?) + 0x100,
        0x83 => (c.u24()?.checked_sub(0x1_0000)? + 0x1_0000) as usize,
        _ => return None,
    };
    Some((tag, c.take(length)?))
}

fn element<'a>(c: &mut Cursor<'a>, depth: usize, left: &mut usize) -> Option<Data<'a>> {
    *left = left.checked_sub(1)?;
    if depth > DEEPEST {
        return None;
    }
    let (tag, content) = tlv(c)?;
    if tag & 0x20 != 0 {
        let mut inner = Cursor::new(content);
        let mut list = Vec::new();
        let named = content.first() == Some(&IDENTIFIER);
        while !inner.is_empty() {
            list.push(element(&mut inner, depth + 1, left)?);
        }
        return Some(if named { by_identifier(list) } else { Data::List(list) });
    }
    primitive(tag, content)
}

/// Tag of an object identifier.
const IDENTIFIER: u8 = 6;

/// What an object identifier stands in front of is named by it: an attribute, an extension, a variable.
fn by_identifier(mut list: Vec<Data<'_>>) -> Data<'_> {
    let Some(Data::Plain(name)) = list.first().filter(|_| list.len() > 1).cloned() else {
        return Data::List(list);
    };
    list.remove(0);
    Data::of_items(list).map_or(Data::Nothing, |value| Data::Map(vec![(format!("oid:{name}"), value)]))
}

fn primitive(tag: u8, content: &[u8]) -> Option<Data<'_>> {
    if tag & 0xc0 != 0 {
        // A tag of the context says nothing about its type.
        return Some(match std::str::from_utf8(content) {
            Ok(text) if content.len() >= 4 && readable(text) => Data::text(text),
            _ => Data::bytes(content),
        });
    }
    match tag {
        1 if content.len() == 1 => Some(Data::plain(content != [0])),
        2 | 10 => integer(content),
        3 => {
            let (unused, bits) = content.split_first()?;
            (*unused < 8).then(|| Data::bytes(bits))
        }
        4 => Some(Data::bytes(content)),
        5 if content.is_empty() => Some(Data::Nothing),
        IDENTIFIER => identifier(content),
        12 | 18 | 19 | 20 | 22 | 26 => Some(Data::text(std::str::from_utf8(content).ok()?)),
        23 | 24 => {
            let digits = content.iter().all(|b| b.is_ascii_digit() || b"Z+-.".contains(b));
            digits.then(|| Data::plain(String::from_utf8_lossy(content)))
        }
        30 => {
            let units =
                content.chunks_exact(2).filter_map(|p| Some(u16::from_be_bytes([*p.first()?, *p.get(1)?])));
            let text = String::from_utf16(&units.collect::<Vec<_>>()).ok()?;
            content.len().is_multiple_of(2).then_some(Data::Text(Cow::Owned(text)))
        }
        _ => None,
    }
}

/// An integer in its shortest form (section 8.3.2); a long one is key material.
fn integer(content: &[u8]) -> Option<Data<'_>> {
    match content {
        [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => None,
        [first, ..] if content.len() <= 8 => {
            let sign = if first & 0x80 != 0 { -1i64 } else { 0 };
            Some(Data::plain(content.iter().fold(sign, |n, b| n << 8 | i64::from(*b))))
        }
        _ => Some(Data::bytes(content)),
    }
}

/// An object identifier in its dotted form (section 8.19).
fn identifier(content: &[u8]) -> Option<Data<'_>> {
    let (mut text, mut value) = (String::new(), 0u64);
    for (i, b) in content.iter().enumerate() {
        if value == 0 && *b == 0x80 || value > 1 << 56 {
            return None;
        }
        value = value << 7 | u64::from(b & 0x7f);
        if b & 0x80 != 0 {
            if i + 1 == content.len() {
                return None;
            }
            continue;
        }
        match text.is_empty() {
            true => text = format!("{}.{}", (value / 40).min(2), value - 40 * (value / 40).min(2)),
            false => text.push_str(&format!(".{value}")),
        }
        value = 0;
    }
    (!text.is_empty()).then_some(Data::Plain(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_read_with_their_only_length() {
        let whole = b"\x30\x14\x02\x01\x80\x06\x03\x2a\x86\x48\x0c\x07see you\x01\x01\xff";
        let Some(Data::List(list)) = read(whole) else { panic!("a sequence") };
        assert_eq!(
            list,
            [Data::plain(-128), Data::plain("1.2.840"), Data::text("see you"), Data::plain(true)]
        );
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut]), None);
        }
        for bad in
            [&b"\x30\x81\x03\x02\x01\x05"[..], b"\x30\x80\x02\x01\x05\0\0", b"\x30\x04\x02\x02\x00\x05"]
        {
            assert_eq!(read(bad), None);
        }
        assert_eq!(read(&b"\x30\x80".repeat(100)), None);
    }

    #[test]
    fn what_stands_behind_an_object_identifier_is_named_by_it() {
        let organization = b"\x30\x0e\x06\x03\x55\x04\x0a\x0c\x07Some CA";
        assert_eq!(read(organization), Some(Data::Map(vec![("oid:2.5.4.10".into(), Data::text("Some CA"))])));
        assert_eq!(read(b"\x30\x05\x06\x03\x55\x04\x0a"), Some(Data::List(vec![Data::plain("2.5.4.10")])));
    }
}
