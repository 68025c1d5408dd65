//! Proteus, Wire's ratchet (wireapp/proteus, CBOR), and Wire's protobuf that lists every recipient device.

use super::grammar::cbor::{self, Item};
use super::grammar::protobuf::{self, ANY_BYTES, ANY_NUMBER, Kind, Order, Rule, need, parse};
use super::grammar::signs;
use super::{Class, Envelope, Form, Recogniser, Tier};
use crate::bytes::hex;
use crate::model::digest16;
use std::ops::Range;

/// Proteus envelopes and pre-key bundles.
pub const MESSAGES: Recogniser =
    Recogniser { format_family: "proteus", title: "Proteus", tries: Form::Binary, recognise };
/// NewOtrMessage.
pub const FAN_OUT: Recogniser =
    Recogniser { format_family: "wire", title: "Wire messages", tries: Form::Binary, recognise: wire };

const PROTOCOL: &str = "Proteus (Wire)";

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    match bytes {
        [0xa3, 0, 1, 1, 0xa1, 0, 0x58, 0x20, ..] => envelope(bytes),
        [0xa5, 0, 1, 1, ..] => bundle(bytes),
        _ => None,
    }
}

fn envelope(bytes: &[u8]) -> Option<Envelope> {
    let outer = cbor::parse(bytes, 0)?;
    let body = outer.at(2)?.range()?;
    let (&kind, rest) = bytes.get(body.clone())?.split_first()?;
    let inner = cbor::parse(rest, body.start + 1)?;
    match kind {
        1 => message(bytes, &inner, "proteus-message"),
        2 => {
            let first = message(bytes, inner.at(3)?, "proteus-prekey-message")?;
            let base = key(inner.at(1)?)?;
            let identity = key(inner.at(2)?.at(0)?)?;
            let prekey = inner.at(0)?.integer()?;
            let envelope = first
                .fact("prekey_id", u64::try_from(prekey).ok()?)
                .fact("sender_identity_key", digest16(bytes.get(identity)?))
                .ephemeral(Some(base));
            Some(envelope)
        }
        _ => None,
    }
}

fn message(bytes: &[u8], item: &Item, format: &'static str) -> Option<Envelope> {
    let tag = item.at(0)?.range().filter(|t| t.len() == 16)?;
    let ratchet = key(item.at(3)?)?;
    let sealed = item.at(4)?.range().filter(|c| !c.is_empty())?;
    let ciphertext = bytes.get(sealed.clone())?;
    let key_bytes = bytes.get(ratchet.clone())?;
    let envelope = Envelope::new(format, PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("session_tag", digest16(bytes.get(tag)?))
        .fact("counter", u64::try_from(item.at(1)?.integer()?).ok()?)
        .fact("previous_counter", u64::try_from(item.at(2)?.integer()?).ok()?)
        .fact("ratchet_key", digest16(key_bytes))
        .fact("ciphertext_bytes", ciphertext.len() as u64)
        .sealed(Some(sealed))
        .ephemeral(Some(ratchet));
    Some(envelope.broken_if(signs::not_ciphertext(ciphertext)).broken_if(signs::not_a_key(key_bytes)))
}

/// `{0: key of 32 bytes}`.
fn key(item: &Item) -> Option<Range<usize>> {
    item.at(0)?.range().filter(|k| k.len() == 32)
}

fn bundle(bytes: &[u8]) -> Option<Envelope> {
    let item = cbor::parse(bytes, 0)?;
    key(item.at(2)?)?;
    key(item.at(3)?.at(0)?)?;
    item.at(4)?;
    Some(Envelope::new("proteus-prekey-bundle", PROTOCOL, Class::PublicKey, Tier::T1))
}

static CLIENT: [Rule; 1] = [need(1, ANY_NUMBER)];
static USER: [Rule; 1] = [need(1, Kind::Exactly(16))];
static CLIENT_ENTRY: [Rule; 2] = [need(1, Kind::Between(2, 12)), need(2, ANY_BYTES)];

/// The fields of a protobuf message with repeats: number and bytes, varints as empty.
fn fields(bytes: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (tag, after) = protobuf::varint(rest)?;
        let (n, after) = protobuf::varint(after)?;
        let (body, after) = match tag & 7 {
            0 => (&after[..0], after),
            2 => after.split_at_checked(usize::try_from(n).ok()?)?,
            _ => return None,
        };
        out.push((tag >> 3, body));
        rest = after;
        if out.len() > 10_000 {
            return None;
        }
    }
    Some(out)
}

/// `{1 sender client, 2 user entries {1 user id, 2 client entries {1 client, 2 Proteus}}, 3.. flags}`.
fn wire(bytes: &[u8]) -> Option<Envelope> {
    if bytes.first() != Some(&0x0a) || bytes.len() < 100 {
        return None;
    }
    let mut users = Vec::new();
    let mut devices = 0u64;
    let mut last = None;
    let mut sender = None;
    for (number, body) in fields(bytes)? {
        match number {
            1 => sender = parse(body, &CLIENT, Order::Ascending)?.number(1),
            2 => {
                let parts = fields(body)?;
                let ((1, user), clients) = parts.split_first().map(|(f, c)| (*f, c))? else {
                    return None;
                };
                users.push(hex(parse(user, &USER, Order::Ascending)?.bytes(1)?));
                for (number, entry) in clients {
                    let entry = parse(entry, &CLIENT_ENTRY, Order::Ascending)?;
                    parse(entry.bytes(1)?, &CLIENT, Order::Ascending)?;
                    let message = entry.bytes(2)?;
                    last = Some(recognise(message).filter(|_| *number == 2)?);
                    devices += 1;
                }
            }
            3..=7 => {}
            _ => return None,
        }
    }
    let inner = last?;
    let envelope = Envelope::new("wire-otr-message", PROTOCOL, inner.class, Tier::T1)
        .fact("sender_client", sender?)
        .fact("recipients", users)
        .fact("recipient_devices", devices);
    let why = inner.why;
    Some(envelope.broken_if(why))
}
