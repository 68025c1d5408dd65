//! OMEMO: the stanza elements of version 0.3 (`eu.siacs.conversations.axolotl`, Signal frames as keys)
//! and of version 2 (`urn:xmpp:omemo:2`, its own key messages), after XEP-0384.

use super::grammar::encoding::base64_lines;
use super::grammar::notice;
use super::grammar::protobuf::{Kind, Order, Rule, U32, may, need, parse};
use super::grammar::signs;
use super::grammar::xml::{self, Element};
use super::{Class, Envelope, Form, Recogniser, Tier, recognise_as};
use crate::model::digest16;

/// Key messages of OMEMO 2, as bytes.
pub const KEYS: Recogniser = Recogniser {
    format_family: "omemo-2-key",
    title: "OMEMO 2 key messages",
    tries: Form::Binary,
    recognise: key,
};
/// Stanzas.
pub const STANZAS: Recogniser =
    Recogniser { format_family: "omemo", title: "OMEMO stanzas", tries: Form::Text, recognise: stanza };

const PROTOCOL: &str = "OMEMO";
const OLD: &str = "eu.siacs.conversations.axolotl";
const NEW: &str = "urn:xmpp:omemo:2";

static AUTHENTICATED: [Rule; 2] = [need(1, Kind::Exactly(16)), need(2, Kind::Between(38, 4096))];
static RATCHET: [Rule; 4] = [need(1, U32), need(2, U32), need(3, Kind::Key32), may(4, Kind::Blocks)];
static EXCHANGE: [Rule; 5] = [
    need(1, U32),
    need(2, U32),
    need(3, Kind::Exactly(32)),
    need(4, Kind::Key32),
    need(5, Kind::Between(56, 4096)),
];

fn key(bytes: &[u8]) -> Option<Envelope> {
    match *bytes.first()? {
        0x0a => authenticated(bytes),
        0x08 => exchange(bytes),
        _ => None,
    }
}

fn authenticated(bytes: &[u8]) -> Option<Envelope> {
    let outer = parse(bytes, &AUTHENTICATED, Order::Ascending)?;
    let at = outer.range(2, 0)?.start;
    let inner = parse(outer.bytes(2)?, &RATCHET, Order::Ascending)?;
    let ratchet = inner.bytes(3)?;
    let envelope = Envelope::new("omemo-2-key", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("counter", inner.number(1)?)
        .fact("previous_counter", inner.number(2)?)
        .fact("ratchet_key", digest16(ratchet))
        .sealed(inner.range(4, at))
        .ephemeral(inner.range(3, at));
    let plain = inner.bytes(4).and_then(signs::not_ciphertext);
    Some(envelope.broken_if(plain).broken_if(signs::not_a_key(ratchet)))
}

fn exchange(bytes: &[u8]) -> Option<Envelope> {
    let outer = parse(bytes, &EXCHANGE, Order::Ascending)?;
    let at = outer.range(5, 0)?.start;
    let inner = authenticated(outer.bytes(5)?)?;
    let envelope = Envelope::new("omemo-2-key-exchange", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("one_time_prekey_id", outer.number(1)?)
        .fact("signed_prekey_id", outer.number(2)?)
        .fact("sender_identity_key", digest16(outer.bytes(3)?))
        .sealed(inner.ciphertext.clone().map(|r| at + r.start..at + r.end))
        .ephemeral(outer.range(4, 0));
    Some(inner.facts.into_iter().fold(envelope, |e, (n, v)| e.fact(n, v)).broken_if(inner.why))
}

fn stanza(bytes: &[u8]) -> Option<Envelope> {
    let mentions = |name: &str| memchr::memmem::find(bytes, name.as_bytes()).is_some();
    if bytes.first() != Some(&b'<') || !(mentions(OLD) || mentions(NEW)) {
        return None;
    }
    let root = xml::parse(std::str::from_utf8(bytes).ok()?)?;
    for element in root.all() {
        let found = match (element.namespace.as_str(), element.name.as_str()) {
            (OLD, "encrypted") => encrypted(&root, element, "omemo-0.3", old_key),
            (NEW, "encrypted") => encrypted(&root, element, "omemo-2", new_key),
            (OLD | NEW, "bundle") => bundle(element),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Whether a key element holds what its flag says: a first message or a later one.
type KeyCheck = fn(&Element, &[u8]) -> Option<Envelope>;

fn is_true(value: Option<&str>) -> bool {
    matches!(value, Some("true" | "1"))
}

fn old_key(element: &Element, bytes: &[u8]) -> Option<Envelope> {
    let first = is_true(element.attribute("prekey"));
    let frame = recognise_as("signal", bytes)?;
    (frame.format == if first { "signal-prekey-message" } else { "signal-message" }).then_some(frame)
}

fn new_key(element: &Element, bytes: &[u8]) -> Option<Envelope> {
    let first = is_true(element.attribute("kex"));
    let frame = recognise_as("omemo-2-key", bytes)?;
    (frame.format == if first { "omemo-2-key-exchange" } else { "omemo-2-key" }).then_some(frame)
}

fn encrypted(root: &Element, element: &Element, format: &'static str, check: KeyCheck) -> Option<Envelope> {
    let header = element.child("header")?;
    let old = format == "omemo-0.3";
    let keys: Vec<&Element> = header.all().into_iter().filter(|e| e.is(&element.namespace, "key")).collect();
    let mut devices = Vec::new();
    let mut first_messages = 0u64;
    let mut sign = None;
    for key in &keys {
        let frame = check(key, &base64_lines(&key.text)?)?;
        first_messages += u64::from(frame.format.contains("prekey") || frame.format.contains("exchange"));
        sign = sign.or(frame.why);
        devices.push(key.attribute("rid")?.to_owned());
    }
    let payload = match element.child("payload") {
        Some(p) => Some(base64_lines(&p.text)?),
        None => None,
    };
    let nonce = header.child("iv").and_then(|iv| base64_lines(&iv.text));
    let nonce_fits = !old || nonce.as_ref().is_some_and(|n| matches!(n.len(), 12 | 16));
    let payload_fits = old || payload.as_ref().is_none_or(|p| !p.is_empty() && p.len().is_multiple_of(16));
    if devices.is_empty() || !nonce_fits || !payload_fits {
        return None;
    }
    let class = if payload.is_some() { Class::E2eeMessage } else { Class::E2eeHandshake };
    let leak = payload.as_ref().and_then(|p| body_leak(root, p.len(), old));
    let envelope = Envelope::new(format, PROTOCOL, class, Tier::T1)
        .maybe("sender_device", header.attribute("sid"))
        .fact("recipient_devices", devices)
        .fact("new_sessions", first_messages)
        .maybe("from", root.attribute("from"))
        .maybe("to", root.attribute("to"))
        .maybe("ciphertext_bytes", payload.as_ref().map(|p| p.len() as u64));
    let plain = payload.as_deref().and_then(signs::not_ciphertext);
    // Ranges count in nonce followed by payload.
    let split = nonce.as_ref().map_or(0, Vec::len);
    let bytes: Vec<u8> = nonce.into_iter().flatten().chain(payload.into_iter().flatten()).collect();
    let sealed = (split < bytes.len()).then_some(split..bytes.len());
    let envelope = envelope.nonce((split > 0).then_some(0..split)).sealed(sealed).decoded(bytes);
    Some(envelope.broken_if(leak).broken_if(sign).broken_if(plain))
}

/// A readable body or subject beside the payload. Version 0.3 does not pad, so a text as long as the payload is
/// the message itself whatever it says.
fn body_leak(root: &Element, payload: usize, unpadded: bool) -> Option<&'static str> {
    let bodies = root
        .all()
        .into_iter()
        .filter(|e| matches!(e.name.as_str(), "body" | "subject") && e.namespace != NEW);
    let mut texts = bodies.map(|e| e.text.trim()).filter(|t| !t.is_empty());
    let leaks = |t: &str| !notice::is_fallback(t) || (unpadded && t.len() == payload);
    texts.any(leaks).then_some("text stands readable in <body> or <subject> beside the ciphertext")
}

fn bundle(element: &Element) -> Option<Envelope> {
    let keys = element.all().len() as u64 - 1;
    (keys > 2)
        .then(|| Envelope::new("omemo-bundle", PROTOCOL, Class::PublicKey, Tier::T1).fact("elements", keys))
}
