//! Nostr: encrypted contents (NIP-04, NIP-44) and the events that carry them (NIP-01, NIP-17, NIP-59,
//! Marmot's MLS events).

use super::grammar::encoding::{base64, unhex};
use super::grammar::signs;
use super::{Class, Envelope, Form, ObjectRecogniser, Recogniser, Tier};
use serde_json::{Map, Value};

/// Encrypted contents alone.
pub const CONTENTS: Recogniser = Recogniser {
    format_family: "nostr",
    title: "Nostr encrypted contents",
    tries: Form::Text,
    recognise: content,
};
/// Events.
pub const EVENTS: ObjectRecogniser =
    ObjectRecogniser { format_family: "nostr", title: "Nostr events", recognise: event };

const PROTOCOL: &str = "Nostr";

fn content(bytes: &[u8]) -> Option<Envelope> {
    if bytes.len() < 24 + 4 {
        return None;
    }
    if bytes.first() != Some(&b'A') {
        memchr::memmem::find(bytes, b"?iv=")?;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    nip44(text).or_else(|| nip04(text))
}

/// Base64 of version 2, nonce 32, padded ciphertext, MAC 32. The padding law leaves few lengths.
fn nip44(text: &str) -> Option<Envelope> {
    if text.len() < 132
        || !text.starts_with('A')
        || !text.len().is_multiple_of(4)
        || text.contains(['-', '_'])
    {
        return None;
    }
    let bytes = base64(text)?;
    let padded = bytes.len().checked_sub(1 + 32 + 32 + 2)?;
    let padded = if padded > 65536 { padded - 4 } else { padded };
    let step = if padded <= 256 { 32 } else { padded.next_power_of_two() / 8 };
    if bytes.first() != Some(&2) || padded == 0 || !padded.is_multiple_of(step) {
        return None;
    }
    let end = bytes.len() - 32;
    let plain = bytes.get(33..end).and_then(signs::not_ciphertext);
    let envelope = Envelope::new("nostr-nip44", PROTOCOL, Class::E2eeMessage, Tier::T2)
        .fact("padded_bytes", padded as u64)
        .nonce(Some(1..33))
        .sealed(Some(33..end))
        .decoded(bytes);
    Some(envelope.broken_if(plain))
}

/// `base64(AES-CBC)?iv=base64(16)`: no MAC, no forward secrecy.
fn nip04(text: &str) -> Option<Envelope> {
    let (ciphertext, iv) = text.split_once("?iv=")?;
    let (ciphertext, iv) = (base64(ciphertext)?, base64(iv)?);
    if iv.len() != 16 || !ciphertext.len().is_multiple_of(16) {
        return None;
    }
    let plain = signs::not_ciphertext(&ciphertext);
    let zero = iv.iter().all(|&b| b == 0).then_some("the initialisation vector is all zero");
    let envelope = Envelope::new("nostr-nip04", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("integrity", false)
        .fact("ciphertext_bytes", ciphertext.len() as u64)
        .nonce(Some(0..16))
        .sealed(Some(16..16 + ciphertext.len()))
        .decoded([iv, ciphertext].concat());
    Some(envelope.broken_if(plain).broken_if(zero))
}

fn is_hex(event: &Map<String, Value>, field: &str, bytes: usize) -> bool {
    event.get(field).and_then(Value::as_str).and_then(unhex).is_some_and(|b| b.len() == bytes)
}

fn event(event: &Map<String, Value>) -> Option<Envelope> {
    if !is_hex(event, "pubkey", 32) || !is_hex(event, "sig", 64) || !is_hex(event, "id", 32) {
        return None;
    }
    let kind = event.get("kind")?.as_u64()?;
    let text = event.get("content")?.as_str()?;
    let tags = event.get("tags")?.as_array()?;
    let sealed = content(text.as_bytes());
    let format = match (kind, sealed.as_ref().map(|e| e.format)) {
        (4, Some("nostr-nip04")) => "nostr-nip04-event",
        (1059 | 21059, Some("nostr-nip44")) => "nostr-gift-wrap",
        (13, Some("nostr-nip44")) if tags.is_empty() => "nostr-seal",
        (445, Some("nostr-nip44")) => "nostr-mls-group-message",
        (1060, Some("nostr-nip44")) => "nostr-ratchet-message",
        (_, Some(_)) => "nostr-encrypted-event",
        (443, None) => "nostr-mls-key-package",
        _ => "nostr-event",
    };
    let envelope = match sealed {
        // Lists for oneself, orders to a signer or a wallet and their answers are sealed the same way.
        Some(sealed) if format == "nostr-encrypted-event" && sealed.class == Class::E2eeMessage => {
            Envelope { format, class: Class::Symmetric, tier: Tier::T1, ..sealed }
        }
        Some(sealed) => Envelope { format, tier: Tier::T1, ..sealed },
        None if kind == 443 => Envelope::new(format, PROTOCOL, Class::PublicKey, Tier::T1),
        None if matches!(kind, 4 | 13 | 1059 | 21059) => {
            Envelope::new(format, PROTOCOL, Class::Broken, Tier::T1)
                .because("an event of an encrypted kind whose content is not encrypted")
        }
        None => Envelope::new(format, PROTOCOL, Class::SignedOnly, Tier::T1),
    };
    let recipients: Vec<&str> = tags.iter().filter_map(tagged_person).collect();
    let envelope = envelope
        .fact("kind", kind)
        .maybe("sender", event.get("pubkey").and_then(Value::as_str))
        .maybe("created_at", event.get("created_at").and_then(Value::as_u64))
        .fact("recipients", recipients);
    Some(envelope)
}

fn tagged_person(tag: &Value) -> Option<&str> {
    let is_person = tag.get(0)?.as_str()? == "p";
    is_person.then(|| tag.get(1)?.as_str()).flatten()
}
