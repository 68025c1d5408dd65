//! iMessage over APNs: the property list of command 100 and the payloads inside it, as published
//! re-implementations write them. The newest post-quantum payloads are not public and stay unnamed.

use super::grammar::plist::{self, Plist};
use super::grammar::protobuf::{Kind, Order, Rule, may, need, parse};
use super::{Class, Envelope, Form, Recogniser, Tier};

/// APNs payloads.
pub const PAYLOADS: Recogniser =
    Recogniser { format_family: "imessage", title: "iMessage", tries: Form::Binary, recognise };

const PROTOCOL: &str = "iMessage";

static PAIR_EC: [Rule; 4] = [
    need(1, Kind::Between(20, usize::MAX)),
    need(2, Kind::Exactly(32)),
    need(3, Kind::Exactly(64)),
    need(99, Kind::Exactly(7)),
];

/// What a property list of iMessage calls `pair-ec` need not have the trailer: sources differ on it.
static NAMED_PAIR_EC: [Rule; 4] = [
    need(1, Kind::Between(20, usize::MAX)),
    need(2, Kind::Exactly(32)),
    need(3, Kind::Exactly(64)),
    may(99, Kind::Exactly(7)),
];

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    match bytes.first()? {
        b'b' if bytes.starts_with(b"bplist00") => property_list(bytes),
        2 => pair(bytes),
        0x0a => pair_ec(bytes),
        _ => None,
    }
}

/// 2, an RSA-1280-OAEP block and AES-CTR, an ECDSA signature in DER.
fn pair(bytes: &[u8]) -> Option<Envelope> {
    let (length, rest) = bytes.get(1..)?.split_first_chunk::<2>()?;
    let sealed = usize::from(u16::from_be_bytes(*length));
    let (_, signature) = rest.split_at_checked(sealed)?;
    let der = matches!(signature, [n, 0x30, inner, ..]
        if signature.len() == usize::from(*n) + 1 && (68..=72).contains(n) && *inner + 2 == *n);
    (sealed >= 160 && der).then(|| {
        Envelope::new("imessage-pair", PROTOCOL, Class::E2eeMessage, Tier::T1)
            .fact("forward_secrecy", false)
            .fact("ciphertext_bytes", sealed as u64)
            .sealed(Some(3..3 + sealed))
    })
}

/// `{1 ciphertext, 2 compact key, 3 signature, 99 trailer}`.
fn pair_ec(bytes: &[u8]) -> Option<Envelope> {
    let fields = parse(bytes, &PAIR_EC, Order::Ascending)?;
    let sealed = fields.bytes(1)?;
    (sealed.len() % 16 == 4 && fields.bytes(99)?.last() == Some(&0x0c)).then(|| {
        Envelope::new("imessage-pair-ec", PROTOCOL, Class::E2eeMessage, Tier::T1)
            .fact("ciphertext_bytes", sealed.len() as u64)
            .sealed(fields.range(1, 0))
            .ephemeral(fields.range(2, 0))
    })
}

/// The same where the property list names it. What the bytes alone do not carry, repetition must.
fn named_pair_ec(bytes: &[u8]) -> Option<Envelope> {
    let fields = parse(bytes, &NAMED_PAIR_EC, Order::Ascending)?;
    let envelope = Envelope::new("imessage-pair-ec", PROTOCOL, Class::E2eeMessage, Tier::T2)
        .fact("ciphertext_bytes", fields.bytes(1)?.len() as u64)
        .sealed(fields.range(1, 0))
        .ephemeral(fields.range(2, 0));
    Some(envelope)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Addressed {
    Yes,
    No,
}

/// Whether a property list says who writes to whom, as iMessage names people.
fn addressed(list: &Plist<'_>) -> Addressed {
    let named = |at: &Plist<'_>, key: &str| {
        let handle = at.at(key).and_then(Plist::text);
        handle.is_some_and(|h| h.starts_with("mailto:") || h.starts_with("tel:") || h.starts_with("urn:biz:"))
    };
    let to = match list.at("dtl") {
        Some(Plist::Array(deliveries)) => deliveries.iter().all(|d| named(d, "tP")),
        _ => named(list, "tP"),
    };
    if to && named(list, "sP") { Addressed::Yes } else { Addressed::No }
}

/// What a property list carries. Without the trailer the list must be iMessage's beyond doubt.
fn payload(encoding: Option<&str>, addressed: Addressed, bytes: &[u8]) -> Option<Envelope> {
    match encoding {
        Some("pair") | None => pair(bytes),
        Some("pair-ec") => {
            pair_ec(bytes).or_else(|| named_pair_ec(bytes).filter(|_| addressed == Addressed::Yes))
        }
        Some(_) => None,
    }
}

fn property_list(bytes: &[u8]) -> Option<Envelope> {
    let list = plist::parse(bytes)?;
    let text = |at: &Plist<'_>, key: &str| at.at(key).and_then(Plist::text).map(str::to_owned);
    let encoding = text(&list, "E");
    let addressed = addressed(&list);
    let mut recipients: Vec<String> = text(&list, "tP").into_iter().collect();
    let (inner, data, devices) = match (list.at("P").and_then(Plist::data), list.at("dtl")) {
        (Some(data), _) => (payload(encoding.as_deref(), addressed, data)?, data, 1),
        (None, Some(Plist::Array(deliveries))) => {
            let mut first = None;
            for delivery in deliveries {
                let data = delivery.at("P")?.data()?;
                let inner = payload(text(delivery, "E").as_deref().or(encoding.as_deref()), addressed, data)?;
                recipients.extend(text(delivery, "tP"));
                first.get_or_insert((inner, data));
            }
            let (inner, data) = first?;
            (inner, data, deliveries.len() as u64)
        }
        _ => return None,
    };
    let envelope = inner
        .maybe("sender", text(&list, "sP"))
        .fact("recipients", recipients)
        .fact("recipient_devices", devices)
        .decoded(data.to_vec());
    Some(envelope)
}
