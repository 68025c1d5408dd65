//! Messaging Layer Security (RFC 9420): private messages and welcomes; public messages, key packages and
//! group infos, which are not encrypted.

use super::grammar::signs;
use super::{Class, Envelope, Form, Recogniser, Tier};
use crate::bytes::Cursor;
use crate::model::digest16;

/// MLSMessage structures.
pub const MESSAGES: Recogniser =
    Recogniser { format_family: "mls", title: "Messaging Layer Security", tries: Form::Binary, recognise };

const PROTOCOL: &str = "MLS";
/// Epochs count commits; no group lives this long.
const LAST_EPOCH: u64 = 1 << 48;

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    let [0, 1, 0, format @ 1..=5, ..] = bytes else {
        return None;
    };
    let mut c = Cursor::new(bytes.get(4..)?);
    match format {
        1 => public(&mut c),
        2 => private(&mut c, bytes.len()),
        3 => welcome(&mut c),
        4 => group_info(&mut c),
        _ => key_package(&mut c),
    }
}

/// A vector with a variable-size length in its shortest form (RFC 9420 section 2.1.2).
fn vector<'a>(c: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let width = 1usize << (c.peek()? >> 6);
    if width == 8 {
        return None;
    }
    let raw = c.take(width)?.iter().fold(0usize, |n, &b| n << 8 | usize::from(b));
    let length = raw & ((1 << (8 * width - 2)) - 1);
    let least = match width {
        1 => 0,
        2 => 1 << 6,
        _ => 1 << 14,
    };
    if length < least {
        return None;
    }
    c.take(length)
}

/// Group id and epoch, as facts.
fn group(c: &mut Cursor<'_>, envelope: Envelope) -> Option<Envelope> {
    let id = vector(c)?;
    let epoch = c.u64().filter(|e| *e < LAST_EPOCH)?;
    Some(envelope.fact("group_id", digest16(id)).fact("group_id_bytes", id.len() as u64).fact("epoch", epoch))
}

fn private(c: &mut Cursor<'_>, whole: usize) -> Option<Envelope> {
    let envelope = group(c, Envelope::new("mls-private-message", PROTOCOL, Class::E2eeMessage, Tier::T1))?;
    let (kind, class) = match c.u8()? {
        1 => ("application", Class::E2eeMessage),
        2 => ("proposal", Class::E2eeHandshake),
        3 => ("commit", Class::E2eeHandshake),
        _ => return None,
    };
    let open = vector(c)?;
    let sender = vector(c)?;
    let ciphertext = vector(c)?;
    // A signature of 64 bytes or so, a content byte and a tag are inside.
    if sender.len() != 28 || !c.is_empty() || ciphertext.len() < 81 {
        return None;
    }
    let envelope = Envelope { class, ..envelope }
        .fact("content_type", kind)
        .fact("authenticated_data_bytes", open.len() as u64)
        .fact("ciphertext_bytes", ciphertext.len() as u64)
        .maybe("clear_text", words_in(open))
        .sealed(Some(whole - ciphertext.len()..whole));
    Some(envelope.broken_if(signs::not_ciphertext(ciphertext)))
}

/// What is authenticated and not sealed (RFC 9420 section 6.3) is the application's: identifiers, mostly.
fn words_in(open: &[u8]) -> Option<&'static str> {
    let words = std::str::from_utf8(open).map_or(0, |t| t.split_whitespace().count());
    (words >= 3).then_some("authenticated data in words")
}

fn public(c: &mut Cursor<'_>) -> Option<Envelope> {
    let envelope = group(c, Envelope::new("mls-public-message", PROTOCOL, Class::SignedOnly, Tier::T1))?;
    let sender = c.u8()?;
    match sender {
        1 | 2 => c.u32().map(drop)?,
        3 | 4 => {}
        _ => return None,
    }
    vector(c)?;
    let kind = match c.u8()? {
        2 => "proposal",
        3 => "commit",
        _ => return None,
    };
    // Content, a signature and, for members, two tags follow.
    (c.left() >= 64).then(|| envelope.fact("content_type", kind).because("a group operation in clear"))
}

fn welcome(c: &mut Cursor<'_>) -> Option<Envelope> {
    let suite = c.u16().filter(|s| *s != 0)?;
    let mut secrets = Cursor::new(vector(c)?);
    let info = vector(c)?;
    let mut members = 0u64;
    while !secrets.is_empty() {
        let reference = vector(&mut secrets)?;
        let (kem, sealed) = (vector(&mut secrets)?, vector(&mut secrets)?);
        if !matches!(reference.len(), 32 | 48 | 64) || kem.len() < 32 || sealed.len() < 32 {
            return None;
        }
        members += 1;
    }
    (members > 0 && c.is_empty() && info.len() >= 32).then(|| {
        Envelope::new("mls-welcome", PROTOCOL, Class::E2eeHandshake, Tier::T1)
            .fact("cipher_suite", u64::from(suite))
            .fact("new_members", members)
    })
}

fn group_info(c: &mut Cursor<'_>) -> Option<Envelope> {
    let version = c.u16()?;
    let suite = c.u16().filter(|s| *s != 0)?;
    let envelope = group(c, Envelope::new("mls-group-info", PROTOCOL, Class::PublicKey, Tier::T1))?;
    // Tree hash, transcript hash, two lists of extensions, confirmation tag.
    for _ in 0..5 {
        vector(c)?;
    }
    c.u32()?;
    vector(c)?;
    (version == 1 && c.is_empty()).then(|| envelope.fact("cipher_suite", u64::from(suite)))
}

fn key_package(c: &mut Cursor<'_>) -> Option<Envelope> {
    let version = c.u16()?;
    let suite = c.u16().filter(|s| *s != 0)?;
    let init = vector(c)?;
    let identity = leaf(c)?;
    vector(c)?;
    vector(c)?;
    (version == 1 && c.is_empty() && init.len() >= 32).then(|| {
        Envelope::new("mls-key-package", PROTOCOL, Class::PublicKey, Tier::T1)
            .fact("cipher_suite", u64::from(suite))
            .maybe("identity", identity)
    })
}

/// A leaf node (RFC 9420 section 7.2): the identity of a basic credential.
fn leaf(c: &mut Cursor<'_>) -> Option<Option<String>> {
    vector(c)?;
    vector(c)?;
    let identity = match c.u16()? {
        1 => std::str::from_utf8(vector(c)?).ok().map(str::to_owned),
        _ => vector(c).map(|_| None)?,
    };
    for _ in 0..5 {
        vector(c)?;
    }
    match c.u8()? {
        1 => c.take(16).map(drop)?,
        2 => {}
        3 => vector(c).map(drop)?,
        _ => return None,
    }
    vector(c)?;
    vector(c)?;
    Some(identity)
}
