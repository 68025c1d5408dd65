//! Signal protocol frames: messages, pre-key messages, sender keys, sealed senders, plaintext content
//! (libsignal `rust/protocol/src/protocol.rs`, `sealed_sender.rs`, and its protobuf files). The same
//! frames carry WhatsApp, Messenger and OMEMO 0.3.

use super::grammar::protobuf::{ANY_BYTES, Fields, Kind, Order, Rule, U32, may, need, parse, varint};
use super::grammar::signs;
use super::{Class, Envelope, Form, Recogniser, Tier};
use crate::bytes::{Cursor, hex};
use crate::model::digest16;

/// Signal frames.
pub const MESSAGES: Recogniser =
    Recogniser { format_family: "signal", title: "Signal protocol frames", tries: Form::Binary, recognise };

const PROTOCOL: &str = "Signal protocol";
/// Bytes of the truncated HMAC-SHA256 behind a message.
const MAC: usize = 8;
/// Bytes of the XEdDSA signature behind a sender key message.
const SIGNATURE: usize = 64;
/// Kyber1024 or ML-KEM1024 ciphertext with its type byte.
const KEM: usize = 1569;

static MESSAGE: [Rule; 6] = [
    need(1, Kind::Key33),
    need(2, U32),
    may(3, U32),
    need(4, Kind::Blocks),
    may(5, Kind::Between(4, 256)),
    may(6, Kind::Exactly(36)),
];
static PREKEY: [Rule; 8] = [
    may(1, U32),
    need(2, Kind::Key33),
    need(3, Kind::Key33),
    need(4, Kind::Between(62, usize::MAX)),
    may(5, Kind::Number(0x3fff_ffff)),
    need(6, U32),
    may(7, U32),
    may(8, Kind::Exactly(KEM)),
];
static SENDER: [Rule; 4] = [need(1, Kind::Exactly(16)), need(2, U32), need(3, U32), need(4, Kind::Blocks)];
static SENDER_OLD: [Rule; 3] = [need(1, U32), need(2, U32), need(3, Kind::Blocks)];
static DISTRIBUTION: [Rule; 5] = [
    need(1, Kind::Exactly(16)),
    need(2, U32),
    need(3, U32),
    need(4, Kind::Exactly(32)),
    need(5, Kind::Key33),
];
static DISTRIBUTION_OLD: [Rule; 4] =
    [need(1, U32), need(2, U32), need(3, Kind::Exactly(32)), need(4, Kind::Key33)];
static SEALED: [Rule; 3] =
    [need(1, Kind::Key33), need(2, Kind::Exactly(43)), need(3, Kind::Between(111, usize::MAX))];
static PLAINTEXT: [Rule; 11] = [
    may(1, ANY_BYTES),
    may(2, ANY_BYTES),
    may(3, ANY_BYTES),
    may(4, ANY_BYTES),
    may(5, ANY_BYTES),
    may(6, ANY_BYTES),
    may(7, ANY_BYTES),
    may(8, ANY_BYTES),
    may(9, ANY_BYTES),
    may(10, ANY_BYTES),
    may(11, ANY_BYTES),
];

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    match *bytes.first()? {
        0x33 => message(bytes)
            .or_else(|| prekey(bytes))
            .or_else(|| sender_key(bytes))
            .or_else(|| distribution(bytes)),
        0x34 | 0x44 => message(bytes).or_else(|| prekey(bytes)),
        0x11 => sealed_v1(bytes),
        0x22 | 0x23 => sealed_sent(bytes).or_else(|| sealed_received(bytes)),
        0xc0 => plaintext(bytes),
        _ => None,
    }
}

fn version(bytes: &[u8]) -> u64 {
    u64::from(bytes.first().copied().unwrap_or_default() >> 4)
}

fn message(bytes: &[u8]) -> Option<Envelope> {
    let body = bytes.get(1..bytes.len().checked_sub(MAC)?)?;
    let fields = parse(body, &MESSAGE, Order::Ascending)?;
    let ratchet = fields.bytes(1)?;
    let ciphertext = fields.bytes(4)?;
    let post_quantum = match fields.bytes(5) {
        Some(part) => Some(spqr(part)?),
        None => None,
    };
    let envelope = Envelope::new("signal-message", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("version", version(bytes))
        .fact("counter", fields.number(2)?)
        .fact("previous_counter", fields.number(3).unwrap_or(0))
        .fact("ratchet_key", digest16(ratchet))
        .maybe("spqr_epoch", post_quantum)
        .fact("ciphertext_bytes", ciphertext.len() as u64)
        .sealed(fields.range(4, 1))
        .ephemeral(fields.range(1, 1));
    Some(envelope.broken_if(signs::not_ciphertext(ciphertext)).broken_if(signs::not_a_key(ratchet)))
}

/// The sparse post-quantum ratchet's part: version, epoch, index, type and its chunk. The epoch.
fn spqr(part: &[u8]) -> Option<u64> {
    let (&[1], rest) = part.split_first_chunk::<1>()? else {
        return None;
    };
    let (epoch, rest) = varint(rest)?;
    let (_, rest) = varint(rest)?;
    let (&kind, rest) = rest.split_first()?;
    let whole = match kind {
        0 | 4 => rest.is_empty(),
        1..=6 => matches!(varint(rest), Some((chunk, data)) if chunk < 65536 && data.len() == 32),
        _ => false,
    };
    (whole && epoch > 0).then_some(epoch)
}

fn prekey(bytes: &[u8]) -> Option<Envelope> {
    let fields = parse(bytes.get(1..)?, &PREKEY, Order::Free)?;
    let kem = fields.bytes(8);
    let kem_agrees = fields.number(7).is_some() == kem.is_some();
    let kem_type = kem.is_none_or(|k| matches!(k.first(), Some(8 | 10)));
    if !kem_agrees || !kem_type || (version(bytes) == 4 && kem.is_none()) {
        return None;
    }
    let inner = message(fields.bytes(4)?)?;
    let at = fields.range(4, 1)?.start;
    let shift = |r: Option<std::ops::Range<usize>>| r.map(|r| at + r.start..at + r.end);
    let base = fields.bytes(2)?;
    let envelope = Envelope::new("signal-prekey-message", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("version", version(bytes))
        .maybe("registration_id", fields.number(5))
        .maybe("one_time_prekey_id", fields.number(1))
        .fact("signed_prekey_id", fields.number(6)?)
        .maybe("kyber_prekey_id", fields.number(7))
        .fact("sender_identity_key", digest16(fields.bytes(3)?))
        .fact("base_key", digest16(base))
        .sealed(shift(inner.ciphertext.clone()))
        .ephemeral(fields.range(2, 1));
    let envelope = inner.facts.into_iter().skip(1).fold(envelope, |e, (name, value)| e.fact(name, value));
    Some(envelope.broken_if(inner.why).broken_if(signs::not_a_key(base)))
}

fn sender_key(bytes: &[u8]) -> Option<Envelope> {
    let body = bytes.get(1..bytes.len().checked_sub(SIGNATURE)?)?;
    let (fields, at) = either(body, &SENDER, &SENDER_OLD)?;
    let ciphertext = fields.bytes(at)?;
    let envelope = Envelope::new("signal-sender-key-message", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .maybe("distribution_id", fields.bytes(1).map(hex))
        .fact("chain_id", fields.number(at - 2)?)
        .fact("iteration", fields.number(at - 1)?)
        .fact("ciphertext_bytes", ciphertext.len() as u64)
        .sealed(fields.range(at, 1));
    Some(envelope.broken_if(signs::not_ciphertext(ciphertext)))
}

/// A sender key itself. It belongs inside pairwise encrypted messages only, so seen here it is lost.
fn distribution(bytes: &[u8]) -> Option<Envelope> {
    let (fields, at) = either(bytes.get(1..)?, &DISTRIBUTION, &DISTRIBUTION_OLD)?;
    let envelope = Envelope::new("signal-sender-key-distribution", PROTOCOL, Class::SecretKey, Tier::T1)
        .because("a group's sender key stands outside any encrypted message")
        .maybe("distribution_id", fields.bytes(1).map(hex))
        .fact("chain_id", fields.number(at - 3)?)
        .fact("iteration", fields.number(at - 2)?)
        .fact("signing_key", digest16(fields.bytes(at)?));
    Some(envelope)
}

/// Reads the current schema or the one of older clients and WhatsApp; the number of the last field.
fn either<'a>(body: &'a [u8], new: &'static [Rule], old: &'static [Rule]) -> Option<(Fields<'a>, u32)> {
    let read = |rules: &'static [Rule]| Some((parse(body, rules, Order::Ascending)?, rules.len() as u32));
    read(new).or_else(|| read(old))
}

fn sealed_v1(bytes: &[u8]) -> Option<Envelope> {
    let fields = parse(bytes.get(1..)?, &SEALED, Order::Ascending)?;
    let ciphertext = fields.bytes(3)?;
    let envelope = Envelope::new("signal-sealed-sender-v1", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("sender_hidden", true)
        .fact("ephemeral_key", digest16(fields.bytes(1)?))
        .fact("ciphertext_bytes", ciphertext.len() as u64)
        .sealed(fields.range(3, 1))
        .ephemeral(fields.range(1, 1));
    Some(envelope.broken_if(signs::not_ciphertext(ciphertext)))
}

/// One message to several recipients as a sender uploads it: recipients in clear, one ciphertext.
fn sealed_sent(bytes: &[u8]) -> Option<Envelope> {
    let mut c = Cursor::new(bytes);
    let id_bytes = if c.u8()? == 0x23 { 17 } else { 16 };
    let (count, rest) = varint(c.rest())?;
    if !(1..=2000).contains(&count) {
        return None;
    }
    c = Cursor::new(rest);
    let mut recipients = Vec::new();
    let mut devices = 0u64;
    for _ in 0..count {
        let id = c.take(id_bytes)?;
        let (kind, uuid) = id.split_at_checked(id.len() - 16)?;
        let uuid_v4 = uuid.get(6)? >> 4 == 4 && uuid.get(8)? >> 6 == 2;
        if kind.first().is_some_and(|&k| k > 1) || !uuid_v4 {
            return None;
        }
        let here = recipient_devices(&mut c)?;
        if here > 0 {
            c.take(48)?;
        }
        devices += here;
        recipients.push(hex(uuid));
    }
    let key_at = bytes.len() - c.left();
    let key = c.take(32)?;
    let tail = c.rest();
    if tail.len() < 16 || devices == 0 || key.last()? & 0x80 != 0 {
        return None;
    }
    // One recipient with one device is nine constant bits behind a short magic.
    let tier = if count > 1 { Tier::T1 } else { Tier::T2 };
    let envelope = Envelope::new("signal-sealed-sender-v2-sent", PROTOCOL, Class::E2eeMessage, tier)
        .fact("sender_hidden", true)
        .fact("recipients", recipients)
        .fact("recipient_devices", devices)
        .fact("ciphertext_bytes", tail.len() as u64)
        .sealed(Some(key_at + 32..bytes.len()))
        .ephemeral(Some(key_at..key_at + 32));
    Some(envelope.broken_if(signs::not_ciphertext(tail)))
}

/// The devices of one recipient: (device, registration id with a "more" bit) or a zero for none.
fn recipient_devices(c: &mut Cursor<'_>) -> Option<u64> {
    let mut devices = 0;
    loop {
        let device = c.u8()?;
        if device == 0 {
            return (devices == 0).then_some(0);
        }
        let registration = c.u16()?;
        if device > 127 || registration & 0x4000 != 0 || devices > 126 {
            return None;
        }
        devices += 1;
        if registration & 0x8000 == 0 {
            return Some(devices);
        }
    }
}

/// One magic byte, three fixed fields and an authenticated tail: nothing to hold on to without a carrier.
fn sealed_received(bytes: &[u8]) -> Option<Envelope> {
    let fits = bytes.first() == Some(&0x22) && bytes.len() >= 281 && bytes.get(80)? & 0x80 == 0;
    fits.then(|| {
        Envelope::new("signal-sealed-sender-v2", PROTOCOL, Class::E2eeMessage, Tier::T3)
            .fact("sender_hidden", true)
            .sealed(Some(81..bytes.len()))
            .ephemeral(Some(49..81))
    })
}

/// A receipt for a message that could not be read; it is in clear by design. 0x80 ends the padding.
fn plaintext(bytes: &[u8]) -> Option<Envelope> {
    let end = bytes.iter().rposition(|&b| b != 0)?;
    let padded = bytes.get(end) == Some(&0x80) && bytes.len() < 4096;
    let body = bytes.get(1..end)?;
    if !padded || body.is_empty() {
        return None;
    }
    parse(body, &PLAINTEXT, Order::Ascending)?;
    let envelope = Envelope::new("signal-plaintext-content", PROTOCOL, Class::NotEncrypted, Tier::T2);
    Some(envelope.because("plaintext content: a control message sent in clear"))
}
