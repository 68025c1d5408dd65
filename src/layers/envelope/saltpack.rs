//! saltpack messages, versions 1 and 2, binary and armored (keybase/saltpack specifications).

use super::grammar::signs;
use super::{Class, Envelope, Form, Recogniser, Tier};
use crate::bytes::Cursor;

/// Binary messages.
pub const BINARY: Recogniser =
    Recogniser { format_family: "saltpack", title: "saltpack", tries: Form::Binary, recognise };
/// Armored messages.
pub const ARMOR: Recogniser = Recogniser {
    format_family: "saltpack-armor",
    title: "saltpack armor",
    tries: Form::Text,
    recognise: armored,
};

const PROTOCOL: &str = "saltpack";

/// What the payload packets are expected to look like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Encrypted,
    Signed,
    Signcrypted,
}

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    if !matches!(bytes.first()?, 0xc4..=0xc6) || bytes.len() < 40 {
        return None;
    }
    let mut c = Cursor::new(bytes);
    let mut header = Cursor::new(binary(&mut c)?);
    let fields = array(&mut header)?;
    let magic = header.take(9)? == b"\xa8saltpack" && header.u8()? == 0x92;
    let (major, _minor) = (header.u8()?, header.u8()?);
    if !magic || !(5..=6).contains(&fields) || !(1..=2).contains(&major) {
        return None;
    }
    let mode = match header.u8()? {
        0 => Mode::Encrypted,
        1 | 2 => Mode::Signed,
        3 => Mode::Signcrypted,
        _ => return None,
    };
    let ephemeral = binary(&mut header).filter(|k| k.len() == 32)?;
    if mode == Mode::Signed {
        binary(&mut header)?;
        return header
            .is_empty()
            .then(|| Envelope::new("saltpack-signed", PROTOCOL, Class::SignedOnly, Tier::T1));
    }
    let sender = binary(&mut header)?;
    let (recipients, hidden) = recipients(&mut header)?;
    if sender.len() != 48 || recipients == 0 || !header.is_empty() || !payload(c, major, mode) {
        return None;
    }
    let format = if mode == Mode::Encrypted { "saltpack-encrypted" } else { "saltpack-signcrypted" };
    let at = bytes.len() - c.left();
    let envelope = Envelope::new(format, PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("version", u64::from(major))
        .fact("recipients", recipients)
        .fact("hidden_recipients", hidden)
        .sealed(Some(at..bytes.len()));
    Some(envelope.broken_if(signs::not_a_key(ephemeral)))
}

/// A msgpack byte string.
fn binary<'a>(c: &mut Cursor<'a>) -> Option<&'a [u8]> {
    match c.u8()? {
        0xc4 => c.vec8(),
        0xc5 => c.vec16(),
        0xc6 => {
            let n = c.u32()? as usize;
            c.take(n)
        }
        _ => None,
    }
}

/// A msgpack array's count.
fn array(c: &mut Cursor<'_>) -> Option<usize> {
    match c.u8()? {
        b @ 0x90..=0x9f => Some(usize::from(b & 15)),
        0xdc => c.u16().map(usize::from),
        _ => None,
    }
}

/// `[[public key or nil, box], ..]`: how many, and how many without their key.
fn recipients(c: &mut Cursor<'_>) -> Option<(u64, u64)> {
    let count = array(c)?;
    let mut hidden = 0;
    for _ in 0..count {
        if array(c)? != 2 {
            return None;
        }
        if c.peek()? == 0xc0 {
            c.u8()?;
            hidden += 1;
        } else {
            binary(c).filter(|k| k.len() == 32)?;
        }
        binary(c).filter(|b| b.len() == 48)?;
    }
    Some((count as u64, hidden))
}

/// Payload packets up to the end; the last one says so in version 2.
fn payload(mut c: Cursor<'_>, major: u8, mode: Mode) -> bool {
    let mut packets = 0;
    let mut last = false;
    while !c.is_empty() {
        let Some(this_is_last) = packet(&mut c, major, mode) else {
            return false;
        };
        if last {
            return false;
        }
        last = this_is_last && major == 2;
        packets += 1;
    }
    packets > 0 && (major == 1 || last)
}

/// One payload packet; whether it says that it is the last.
fn packet(c: &mut Cursor<'_>, major: u8, mode: Mode) -> Option<bool> {
    let fields = array(c)?;
    if mode == Mode::Signcrypted {
        binary(c).filter(|b| b.len() >= 16)?;
        let last = flag(c)?;
        return (fields == 2).then_some(last);
    }
    let last = major == 2 && flag(c)?;
    for _ in 0..array(c)? {
        binary(c).filter(|a| a.len() == 32)?;
    }
    binary(c).filter(|b| b.len() >= 16)?;
    (fields == 1 + usize::from(major)).then_some(last)
}

fn flag(c: &mut Cursor<'_>) -> Option<bool> {
    match c.u8()? {
        0xc2 => Some(false),
        0xc3 => Some(true),
        _ => None,
    }
}

/// `BEGIN [APP] SALTPACK ENCRYPTED MESSAGE. words. END ...`
fn armored(bytes: &[u8]) -> Option<Envelope> {
    if !bytes.starts_with(b"BEGIN ") {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let mut sentences = text.split('.');
    let (head, body, foot) = (sentences.next()?, sentences.next()?, sentences.next()?);
    let name = head.strip_prefix("BEGIN ")?;
    // Words behind the message would be read with it.
    let ended = sentences.all(|s| s.trim().is_empty());
    if !name.contains("SALTPACK ") || !ended || foot.trim().strip_prefix("END ")? != name {
        return None;
    }
    let decoded = base62(body)?;
    let envelope = recognise(&decoded)?;
    Some(envelope.decoded(decoded))
}

/// Base62 in blocks of 43 characters for 32 bytes; white space does not count.
fn base62(body: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = body.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'>').collect();
    if digits.len() > 4 * 1024 * 1024 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() * 32 / 43 + 1);
    for block in digits.chunks(43) {
        // Six bits short of a byte per character: log2(62) is 5.954.
        let bytes = block.len() * 5954 / 8000;
        let mut number = vec![0u8; bytes];
        for &digit in block {
            let mut carry = u32::from(base62_digit(digit)?);
            for byte in number.iter_mut().rev() {
                carry += u32::from(*byte) * 62;
                *byte = carry as u8;
                carry >>= 8;
            }
            if carry != 0 {
                return None;
            }
        }
        out.extend(number);
    }
    Some(out)
}

fn base62_digit(b: u8) -> Option<u8> {
    match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'A'..=b'Z' => Some(b - b'A' + 10),
        b'a'..=b'z' => Some(b - b'a' + 36),
        _ => None,
    }
}
