//! Characters that are spelled out: JSON and C escapes in text that no parser has been over, and HTML's
//! character references, and quoted-printable.

use super::super::escaped::character;
use super::{Decoded, readable};
use crate::peel::Form;

/// `\u0041`, `\x41` and the short forms, or a whole JSON string.
pub(super) fn escapes(bytes: &[u8]) -> Decoded {
    if memchr::memchr(b'\\', bytes).is_none() && bytes.first() != Some(&b'"') {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let plain = match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(_) => serde_json::from_str(text).ok()?,
        None if text.matches("\\u").count() + text.matches("\\x").count() + octal(text) / 2 < 2 => {
            return None;
        }
        None => spelled(text)?,
    };
    (plain != text && readable(plain.as_bytes())).then_some((plain.into_bytes(), Form::Text))
}

/// How often the text has an octet in octal digits (`\163`).
fn octal(text: &str) -> usize {
    text.as_bytes().windows(4).filter(|w| octet(w).is_some()).count()
}

fn octet(window: &[u8]) -> Option<u8> {
    match *window {
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
            Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
        }
        _ => None,
    }
}

/// Reads the text as the inside of a JSON string; `\xHH` and `\OOO` are octets of UTF-8 or of Latin-1.
fn spelled(text: &str) -> Option<String> {
    if text.contains("\\x") || octal(text) >= 4 {
        return octets(text);
    }
    let quoted = format!("\"{}\"", text.replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r"));
    serde_json::from_str(&quoted).ok()
}

fn octets(text: &str) -> Option<String> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((b, tail)) = rest.split_first() {
        let digit = |i: usize| tail.get(i).and_then(|d| (*d as char).to_digit(16));
        if let Some(octet) = octet(rest) {
            plain.push(octet);
            rest = tail.get(3..).unwrap_or_default();
            continue;
        }
        rest = tail;
        match (b, tail.first(), digit(1), digit(2)) {
            (b'\\', Some(b'x'), Some(h), Some(l)) => {
                plain.push((h << 4 | l) as u8);
                rest = tail.get(3..).unwrap_or_default();
            }
            _ => plain.push(*b),
        }
    }
    Some(match String::from_utf8(plain) {
        Ok(text) => text,
        Err(e) => e.into_bytes().iter().map(|b| char::from(*b)).collect(),
    })
}

/// Markup leaves its characters as they are; where this many are spelled out, and most of the text with them,
/// somebody hides what it says.
const SPELLED: usize = 12;

/// `&#65;`, `&#x41;` and the names that every writer escapes, in text without markup, or with more references
/// than anything else.
pub(super) fn entities(bytes: &[u8]) -> Decoded {
    let marks = memchr::memchr_iter(b'&', bytes).count();
    let marked = memchr::memchr2(b'<', b'=', bytes).is_some();
    let spelled = || memchr::memmem::find_iter(bytes, b"&#").count();
    if marks < 2 || marked && (marks < SPELLED || spelled() * 10 < bytes.len()) {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let mut plain = String::with_capacity(text.len());
    let mut pieces = text.split('&');
    plain.push_str(pieces.next()?);
    let mut undone = 0;
    for piece in pieces {
        let named = piece.split_once(';').filter(|(name, _)| name.len() <= 8);
        match named.and_then(|(name, rest)| Some((character(name)?, rest))) {
            Some((c, rest)) => {
                undone += 1;
                plain.push(c);
                plain.push_str(rest);
            }
            None => {
                plain.push('&');
                plain.push_str(piece);
            }
        }
    }
    (undone >= 2 && readable(plain.as_bytes())).then_some((plain.into_bytes(), Form::Text))
}

/// Quoted-printable (RFC 2045 section 6.7) without a header that says so: every `=` begins an escape or ends
/// a line, and several do.
pub(super) fn quoted(bytes: &[u8]) -> Decoded {
    if memchr::memchr_iter(b'=', bytes).take(2).count() < 2 {
        return None;
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((b, tail)) = rest.split_first() {
        let digit = |i: usize| {
            tail.get(i).filter(|d| !d.is_ascii_lowercase()).and_then(|d| (*d as char).to_digit(16))
        };
        rest = tail;
        match (b, tail) {
            (b'=', [b'\n', after @ ..] | [b'\r', b'\n', after @ ..]) => rest = after,
            (b'=', _) => {
                plain.push((digit(0)? << 4 | digit(1)?) as u8);
                rest = tail.get(2..)?;
            }
            _ => plain.push(*b),
        }
    }
    readable(&plain).then_some((plain, Form::Text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(decoded: Decoded) -> Option<String> {
        decoded.and_then(|(b, _)| String::from_utf8(b).ok())
    }

    #[test]
    fn spelled_characters_come_back() {
        assert_eq!(plain(escapes(br"\u0073\u0065e you")).as_deref(), Some("see you"));
        assert_eq!(plain(escapes(br"\x73\x65\x65 caf\xc3\xa9")).as_deref(), Some("see café"));
        assert_eq!(plain(escapes(br#""see \"you\"""#)).as_deref(), Some("see \"you\""));
        assert_eq!(plain(escapes(br"\163\145\145 caf\303\251")).as_deref(), Some("see café"));
        assert_eq!(escapes(br"C:\dir\file"), None);
        let hidden: String = "see you at noon".chars().map(|c| format!("&#x{:x};", u32::from(c))).collect();
        let marked = plain(entities(format!("<p>{hidden}</p>").as_bytes()));
        assert_eq!(marked.as_deref(), Some("<p>see you at noon</p>"));
        assert_eq!(plain(entities(b"&#115;&#x65;e you &amp; me")).as_deref(), Some("see you & me"));
        assert_eq!(plain(quoted(b"{=22a=22: =\n=22caf=C3=A9=22}")).as_deref(), Some("{\"a\": \"café\"}"));
        assert_eq!(quoted(b"a=1&b=2"), None);
        assert_eq!(entities(b"a & b & c"), None);
        assert_eq!(entities(b"a=1&lt;=2&gt;"), None);
    }
}
