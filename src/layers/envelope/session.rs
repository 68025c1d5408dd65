//! Session: the envelope that its storage servers keep (session-desktop `SignalService.proto`), with the
//! request that stores it. Built after the published source; newer libsession envelopes differ.

use super::grammar::encoding::base64;
use super::grammar::protobuf::{ANY_NUMBER, Kind, Order, Rule, may, need, parse};
use super::grammar::signs;
use super::{Class, Envelope, Form, ObjectRecogniser, Recogniser, Tier, recognise_as};
use serde_json::{Map, Value};

/// Envelopes.
pub const ENVELOPES: Recogniser =
    Recogniser { format_family: "session", title: "Session envelopes", tries: Form::Binary, recognise };
/// `store` requests.
pub const REQUESTS: ObjectRecogniser =
    ObjectRecogniser { format_family: "session-store", title: "Session store requests", recognise: request };

const PROTOCOL: &str = "Session";

static WEBSOCKET: [Rule; 2] = [need(1, Kind::Number(1)), need(2, Kind::Between(40, usize::MAX))];
static REQUEST: [Rule; 4] = [
    need(1, Kind::Between(3, 4)),
    need(2, Kind::Exactly(15)),
    need(3, Kind::Between(20, usize::MAX)),
    may(4, ANY_NUMBER),
];
static ENVELOPE: [Rule; 4] = [
    need(1, Kind::Number(7)),
    may(2, Kind::Between(0, 66)),
    need(5, Kind::Number(9_999_999_999_999)),
    need(8, Kind::Between(144, usize::MAX)),
];
/// Milliseconds since 1970 in September 2001: anything earlier is no time.
const EARLIEST: u64 = 1_000_000_000_000;

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    if bytes.first() != Some(&8) || bytes.len() < 150 {
        return None;
    }
    let wrapped = parse(bytes, &WEBSOCKET, Order::Ascending).and_then(|w| {
        let request = parse(w.bytes(2)?, &REQUEST, Order::Free)?;
        let fits = matches!(request.bytes(1)?, b"PUT" | b"POST") && request.bytes(2)? == b"/api/v1/message";
        let at = w.range(2, 0)?.start + request.range(3, 0)?.start;
        fits.then_some((request.bytes(3)?, at))
    });
    let (body, at) = wrapped.unwrap_or((bytes, 0));
    let fields = parse(body, &ENVELOPE, Order::Ascending)?;
    let (kind, time, sealed) = (fields.number(1)?, fields.number(5)?, fields.bytes(8)?);
    let source = fields.bytes(2).unwrap_or_default();
    // Sealed box over content padded to 160 with key and signature: 48 + 95 more than the padding.
    let fits = matches!(kind, 6 | 7) && time >= EARLIEST && matches!(source.len(), 0 | 66);
    if !fits || sealed.len() % 160 != 143 {
        return None;
    }
    let envelope = Envelope::new("session-envelope", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("kind", if kind == 6 { "one to one" } else { "closed group" })
        .fact("timestamp", time)
        .fact("source", String::from_utf8_lossy(source).into_owned())
        .fact("ciphertext_bytes", sealed.len() as u64)
        .sealed(fields.range(8, at));
    Some(envelope.broken_if(signs::not_ciphertext(sealed)))
}

fn request(object: &Map<String, Value>) -> Option<Envelope> {
    if object.get("method")?.as_str()? != "store" {
        return None;
    }
    let params = object.get("params")?.as_object()?;
    let bytes = base64(params.get("data")?.as_str()?)?;
    let envelope = recognise_as("session", &bytes)?;
    let envelope = Envelope { format: "session-store-request", ..envelope }
        .maybe("recipient", params.get("pubkey").and_then(Value::as_str));
    Some(envelope.decoded(bytes))
}
