//! Olm and Megolm, the ratchets of Matrix: messages, pre-key messages and the session keys that must
//! only travel inside them (matrix-org/matrix-spec `olm-megolm`, vodozemac).

use super::grammar::protobuf::{Kind, Order, Rule, U32, need, parse};
use super::grammar::signs;
use super::{Class, Envelope, Form, Recogniser, Tier};
use crate::model::digest16;

/// Olm and Megolm messages and session keys.
pub const MESSAGES: Recogniser =
    Recogniser { format_family: "olm", title: "Olm and Megolm", tries: Form::Binary, recognise };

const PROTOCOL: &str = "Olm/Megolm";
const SIGNATURE: usize = 64;

static NORMAL: [Rule; 3] = [need(1, Kind::Key32), need(2, U32), need(4, Kind::Blocks)];
static PREKEY: [Rule; 4] = [
    need(1, Kind::Key32),
    need(2, Kind::Key32),
    need(3, Kind::Key32),
    need(4, Kind::Between(62, usize::MAX)),
];
static GROUP: [Rule; 2] = [need(1, U32), need(2, Kind::Blocks)];

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    match bytes.first()? {
        3 => version(bytes, 8),
        4 => version(bytes, 32),
        1 if bytes.len() == 165 => session_key(bytes, "megolm-session-export"),
        2 if bytes.len() == 229 => session_key(bytes, "megolm-session-share"),
        _ => None,
    }
}

/// Version 3 has a MAC of 8 bytes, version 4 the full 32.
fn version(bytes: &[u8], mac: usize) -> Option<Envelope> {
    match bytes.get(1)? {
        0x08 => megolm(bytes, mac),
        0x0a => normal(bytes, mac).or_else(|| prekey(bytes, mac)),
        _ => None,
    }
}

fn normal(bytes: &[u8], mac: usize) -> Option<Envelope> {
    let fields = parse(bytes.get(1..bytes.len().checked_sub(mac)?)?, &NORMAL, Order::Ascending)?;
    let (ratchet, ciphertext) = (fields.bytes(1)?, fields.bytes(4)?);
    let envelope = Envelope::new("olm-message", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("ratchet_key", digest16(ratchet))
        .fact("counter", fields.number(2)?)
        .fact("ciphertext_bytes", ciphertext.len() as u64)
        .sealed(fields.range(4, 1))
        .ephemeral(fields.range(1, 1));
    Some(envelope.broken_if(signs::not_ciphertext(ciphertext)).broken_if(signs::not_a_key(ratchet)))
}

fn prekey(bytes: &[u8], mac: usize) -> Option<Envelope> {
    let fields = parse(bytes.get(1..)?, &PREKEY, Order::Ascending)?;
    let at = fields.range(4, 1)?.start;
    let body = fields.bytes(4)?;
    if body.first() != bytes.first() {
        return None;
    }
    let inner = normal(body, mac)?;
    let base = fields.bytes(2)?;
    let envelope = Envelope::new("olm-prekey-message", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("one_time_key", digest16(fields.bytes(1)?))
        .fact("base_key", digest16(base))
        .fact("sender_identity_key", digest16(fields.bytes(3)?))
        .sealed(inner.ciphertext.clone().map(|r| at + r.start..at + r.end))
        .ephemeral(fields.range(2, 1));
    let envelope = inner.facts.into_iter().fold(envelope, |e, (name, value)| e.fact(name, value));
    Some(envelope.broken_if(inner.why).broken_if(signs::not_a_key(base)))
}

fn megolm(bytes: &[u8], mac: usize) -> Option<Envelope> {
    let body = bytes.get(1..bytes.len().checked_sub(mac + SIGNATURE)?)?;
    let fields = parse(body, &GROUP, Order::Ascending)?;
    let ciphertext = fields.bytes(2)?;
    let envelope = Envelope::new("megolm-message", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("message_index", fields.number(1)?)
        .fact("ciphertext_bytes", ciphertext.len() as u64)
        .sealed(fields.range(2, 1));
    Some(envelope.broken_if(signs::not_ciphertext(ciphertext)))
}

/// The ratchet of a group session: whoever has it reads every message from this index on.
fn session_key(bytes: &[u8], format: &'static str) -> Option<Envelope> {
    let (index, rest) = bytes.get(1..)?.split_first_chunk::<4>()?;
    let index = u32::from_be_bytes(*index);
    let ratchet = rest.get(..128)?;
    let public = rest.get(128..160)?;
    // An index counts messages of one sender in one session; clients rotate after a hundred.
    if index > 0xffff || signs::is_text(ratchet) || signs::not_a_key(public).is_some() {
        return None;
    }
    let envelope = Envelope::new(format, PROTOCOL, Class::SecretKey, Tier::T2)
        .because("a Megolm session key stands outside any encrypted message")
        .fact("message_index", u64::from(index))
        .fact("session_id", digest16(public));
    Some(envelope)
}
