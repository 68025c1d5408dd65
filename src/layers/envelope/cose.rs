//! COSE (RFC 9052): Encrypt and Encrypt0, told apart from signatures and MACs.

use super::grammar::cbor::{self, Item};
use super::grammar::signs;
use super::{Class, Envelope, Form, Recogniser, Tier};

/// COSE messages.
pub const MESSAGES: Recogniser =
    Recogniser { format_family: "cose", title: "COSE", tries: Form::Binary, recognise };

const PROTOCOL: &str = "COSE";

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    // A short tag, a tag of one byte, or an untagged array of three or four.
    if !matches!(bytes, [0xd0 | 0xd1 | 0xd2 | 0x83 | 0x84, ..] | [0xd8, 0x60..=0x62, ..]) {
        return None;
    }
    let (tag, item) = match cbor::parse(bytes, 0)? {
        Item::Tag(tag, inner) => (Some(tag), *inner),
        item => (None, item),
    };
    let Item::Array(fields) = item else {
        return None;
    };
    let [protected, unprotected @ Item::Map(_), content, rest @ ..] = fields.as_slice() else {
        return None;
    };
    let protected = protected.range()?;
    let header = match protected.is_empty() {
        true => Item::Map(Vec::new()),
        false => cbor::parse(bytes.get(protected.clone())?, protected.start)?,
    };
    let either = |key| header.at(key).or_else(|| unprotected.at(key));
    let algorithm = either(1).and_then(Item::integer);
    match (tag, rest) {
        (Some(17 | 18), [mark]) => mark.range().and(algorithm).map(|_| signed(tag == Some(17))),
        (Some(97), [_, Item::Array(_)]) => algorithm.map(|_| signed(true)),
        (Some(98), [Item::Array(_)]) => Some(signed(false)),
        (Some(16) | None, []) => sealed(bytes, &header, unprotected, content, &[]),
        (Some(96) | None, [Item::Array(recipients)]) if !recipients.is_empty() => {
            sealed(bytes, &header, unprotected, content, recipients)
        }
        _ => None,
    }
}

fn signed(mac: bool) -> Envelope {
    let format = if mac { "cose-mac" } else { "cose-sign" };
    Envelope::new(format, PROTOCOL, Class::SignedOnly, Tier::T1)
}

fn sealed(bytes: &[u8], header: &Item, open: &Item, content: &Item, recipients: &[Item]) -> Option<Envelope> {
    let ciphertext = content.range()?;
    let either = |key| header.at(key).or_else(|| open.at(key));
    let algorithm = either(1)?.integer()?;
    let (name, tag) = content_algorithm(algorithm)?;
    let nonce = either(5).or_else(|| either(6))?.range()?;
    if ciphertext.len() < tag || !(2..=24).contains(&nonce.len()) {
        return None;
    }
    let mut ways = Vec::new();
    let mut sign = None;
    for recipient in recipients {
        let (way, exposed) = recipient_way(bytes, recipient)?;
        sign = sign.or(exposed);
        ways.push(way);
    }
    let public = ways.iter().any(|w| *w == "ECDH" || *w == "RSA");
    let class = if public { Class::E2eeMessage } else { Class::Symmetric };
    let format = if recipients.is_empty() { "cose-encrypt0" } else { "cose-encrypt" };
    let plain = bytes.get(ciphertext.clone()).and_then(signs::not_ciphertext);
    let envelope = Envelope::new(format, PROTOCOL, class, Tier::T2)
        .fact("content_algorithm", name)
        .fact("recipients", recipients.len() as u64)
        .fact("key_management", ways)
        .fact("ciphertext_bytes", ciphertext.len() as u64)
        .nonce(Some(nonce))
        .sealed(Some(ciphertext));
    Some(envelope.broken_if(sign).broken_if(plain))
}

/// RFC 9053 section 4: the name and the length of the tag at the end.
fn content_algorithm(number: i128) -> Option<(&'static str, usize)> {
    Some(match number {
        1 => ("A128GCM", 16),
        2 => ("A192GCM", 16),
        3 => ("A256GCM", 16),
        24 => ("ChaCha20-Poly1305", 16),
        10..=13 => ("AES-CCM-64", 8),
        30..=33 => ("AES-CCM-128", 16),
        _ => return None,
    })
}

/// How a recipient gets the key; whether the ephemeral key came with its private half.
fn recipient_way(bytes: &[u8], recipient: &Item) -> Option<(&'static str, Option<&'static str>)> {
    let Item::Array(fields) = recipient else {
        return None;
    };
    let [protected, open @ Item::Map(_), key, ..] = fields.as_slice() else {
        return None;
    };
    key.range()?;
    let protected = protected.range()?;
    let header = match protected.is_empty() {
        true => Item::Map(Vec::new()),
        false => cbor::parse(bytes.get(protected.clone())?, protected.start)?,
    };
    let either = |key| header.at(key).or_else(|| open.at(key));
    let way = match either(1)?.integer()? {
        -13..=-10 | -6 => "direct",
        -5..=-3 => "key wrap",
        -34..=-25 => "ECDH",
        -42..=-40 => "RSA",
        _ => return None,
    };
    let private = [-1, -2, -3].into_iter().filter_map(either).any(|key| key.at(-4).is_some());
    Some((way, private.then_some("the private half of the ephemeral key is in the header")))
}
