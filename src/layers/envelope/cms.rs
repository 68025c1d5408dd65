//! Cryptographic Message Syntax (RFC 5652, 5083) as S/MIME uses it, and Virgil's envelope around it.

use super::grammar::der::{self, Tlv};
use super::grammar::signs;
use super::{Class, Envelope, Form, PKCS1, Recogniser, Tier};
use crate::bytes::hex;
use crate::model::digest16;

/// ContentInfo structures.
pub const CONTENT: Recogniser =
    Recogniser { format_family: "cms", title: "CMS and S/MIME", tries: Form::Binary, recognise };

const PROTOCOL: &str = "CMS (S/MIME)";
const ENVELOPED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3];
const AUTH_ENVELOPED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 1, 0x17];
const COMPRESSED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 1, 9];
const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7];

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    if bytes.first() != Some(&0x30) || bytes.len() < 24 {
        return None;
    }
    let outer = der::read(bytes, 0)?;
    if outer.next < bytes.len() {
        return virgil(bytes, outer);
    }
    let parts = der::children(outer.content)?;
    let [oid, wrapper] = parts.as_slice() else {
        return None;
    };
    if oid.tag != 6 || wrapper.tag != 0xa0 {
        return None;
    }
    let inner = der::read(wrapper.content, 0)?;
    let alone = inner.next == wrapper.content.len();
    let at = outer.at + wrapper.at + inner.at;
    match oid.content {
        _ if !alone => None,
        ENVELOPED => enveloped(inner, at, "cms-enveloped-data"),
        AUTH_ENVELOPED => enveloped(inner, at, "cms-auth-enveloped-data"),
        COMPRESSED if inner.tag == 0x30 => Some(remark("cms-compressed-data", Class::NotEncrypted)),
        [head @ .., kind] if head == PKCS7 => match (kind, inner.tag) {
            (1, 4 | 0x24) => Some(remark("cms-data", Class::NotEncrypted)),
            (2, 0x30) => Some(remark("cms-signed-data", Class::SignedOnly)),
            (5, 0x30) => Some(remark("cms-digested-data", Class::NotEncrypted)),
            (6, 0x30) => Some(remark("cms-encrypted-data", Class::Symmetric)),
            _ => None,
        },
        _ => None,
    }
}

fn remark(format: &'static str, class: Class) -> Envelope {
    let envelope = Envelope::new(format, PROTOCOL, class, Tier::T1);
    if class == Class::NotEncrypted {
        envelope.because("the content type says that it is readable")
    } else {
        envelope
    }
}

/// EnvelopedData or AuthEnvelopedData whose content starts at `at` in the input.
fn enveloped(sequence: Tlv<'_>, at: usize, format: &'static str) -> Option<Envelope> {
    let parts = der::children(sequence.content)?;
    let mut parts = parts.into_iter().filter(|p| p.tag != 0xa0).peekable();
    if sequence.tag != 0x30 || der::children(sequence.content)?.first()?.tag != 2 {
        return None;
    }
    let version = parts.next()?;
    if !matches!(version.content, [0 | 2 | 3 | 4]) {
        return None;
    }
    let set = parts.next().filter(|s| s.tag == 0x31)?;
    let recipients = der::children(set.content)?;
    let kinds: Vec<&str> = recipients.iter().map(recipient_kind).collect::<Option<_>>()?;
    let content = parts.next().filter(|s| s.tag == 0x30)?;
    let rest_fits = parts.all(|p| matches!(p.tag, 0xa1 | 0xa2 | 4));
    let fields = der::children(content.content)?;
    let [kind, algorithm, sealed @ ..] = fields.as_slice() else {
        return None;
    };
    if kind.tag != 6 || algorithm.tag != 0x30 || kinds.is_empty() || !rest_fits || sealed.len() > 1 {
        return None;
    }
    let algorithm = algorithm_name(der::children(algorithm.content)?.first()?.content);
    let people = kinds.iter().any(|k| matches!(*k, "key transport" | "key agreement" | "other"));
    let class = if people { Class::E2eeMessage } else { Class::Symmetric };
    let pkcs1 = recipients.iter().any(is_pkcs1).then_some(PKCS1);
    let names: Vec<String> = recipients.iter().map(recipient_name).collect();
    let plain = sealed.first().filter(|s| s.tag == 0x80).and_then(|s| signs::not_ciphertext(s.content));
    let range = sealed.first().map(|s| at + content.at + s.at..at + content.at + s.at + s.content.len());
    let envelope = Envelope::new(format, PROTOCOL, class, Tier::T1)
        .fact("recipients", recipients.len() as u64)
        .fact("recipient_kinds", kinds)
        .fact("recipient_names", names)
        .maybe("key_transport", pkcs1)
        .fact("content_algorithm", algorithm)
        .fact("integrity", format == "cms-auth-enveloped-data" || algorithm.contains("gcm"))
        .sealed(range);
    Some(envelope.broken_if(plain))
}

fn recipient_kind(info: &Tlv<'_>) -> Option<&'static str> {
    let filled = !der::children(info.content)?.is_empty();
    let kind = match info.tag {
        0x30 => "key transport",
        0xa1 => "key agreement",
        0xa2 => "shared key",
        0xa3 => "password",
        0xa4 => "other",
        _ => return None,
    };
    filled.then_some(kind)
}

/// KeyTransRecipientInfo (RFC 5652 section 6.2.1) under rsaEncryption and not RSAES-OAEP.
fn is_pkcs1(info: &Tlv<'_>) -> bool {
    const RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    let parts = der::children(info.content).unwrap_or_default();
    let algorithm = parts.get(2).filter(|a| info.tag == 0x30 && a.tag == 0x30);
    let oid = algorithm.and_then(|a| der::children(a.content)?.into_iter().next());
    oid.is_some_and(|o| o.tag == 6 && o.content == RSA)
}

/// What the recipient's identifier shows: the texts of its issuer's name, or a digest of the rest.
fn recipient_name(info: &Tlv<'_>) -> String {
    let mut texts = Vec::new();
    collect_texts(info.content, 0, &mut texts);
    if texts.is_empty() { format!("key {}", digest16(info.content)) } else { texts.join(", ") }
}

fn collect_texts(bytes: &[u8], depth: usize, out: &mut Vec<String>) {
    if depth > 8 || out.len() > 16 {
        return;
    }
    for child in der::children(bytes).unwrap_or_default() {
        match child.tag {
            0x0c | 0x13 | 0x16 if child.content.len() < 200 => {
                out.push(String::from_utf8_lossy(child.content).into_owned())
            }
            0x02 if depth > 0 && child.content.len() >= 8 => {
                out.push(format!("serial {}", hex(child.content)))
            }
            tag if tag & 0x20 != 0 => collect_texts(child.content, depth + 1, out),
            _ => {}
        }
    }
}

fn algorithm_name(oid: &[u8]) -> &'static str {
    match oid {
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, mode] => match mode {
            2 => "aes-128-cbc",
            6 => "aes-128-gcm",
            22 => "aes-192-cbc",
            26 => "aes-192-gcm",
            42 => "aes-256-cbc",
            46 => "aes-256-gcm",
            _ => "aes",
        },
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7] => "des-ede3-cbc",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 2] => "rc2-cbc",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 3, 0x12] => "chacha20-poly1305",
        _ => "unknown",
    }
}

/// Virgil puts version and EnvelopedData without content in front of a raw AES-GCM ciphertext.
fn virgil(bytes: &[u8], outer: Tlv<'_>) -> Option<Envelope> {
    let parts = der::children(outer.content)?;
    let [version, info, ..] = parts.as_slice() else {
        return None;
    };
    let fields = der::children(info.content)?;
    let [oid, wrapper] = fields.as_slice() else {
        return None;
    };
    let fits = version.tag == 2 && version.content == [0] && oid.content == ENVELOPED && wrapper.tag == 0xa0;
    if !fits || bytes.len() < outer.next + 16 {
        return None;
    }
    let inner = enveloped(der::read(wrapper.content, 0)?, 0, "virgil")?;
    let plain = bytes.get(outer.next..).and_then(signs::not_ciphertext);
    let envelope = Envelope { protocol: "Virgil", ..inner }.sealed(Some(outer.next..bytes.len()));
    Some(envelope.broken_if(plain))
}
