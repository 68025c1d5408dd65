//! Matrix events that carry Olm or Megolm, and those that carry its keys (Matrix client-server API,
//! sections "m.room.encrypted", "m.room_key", "keys/upload").

use super::grammar::encoding::base64;
use super::grammar::signs;
use super::{Class, Envelope, ObjectRecogniser, Tier, recognise_as};
use serde_json::{Map, Value};

/// Matrix events.
pub const EVENTS: ObjectRecogniser =
    ObjectRecogniser { format_family: "matrix", title: "Matrix events", recognise };

const PROTOCOL: &str = "Olm/Megolm";

fn recognise(event: &Map<String, Value>) -> Option<Envelope> {
    let kind = text(event, "type");
    match event.get("content") {
        Some(Value::Object(content)) if matches!(kind, Some("m.room_key" | "m.forwarded_room_key")) => {
            room_key(content)
        }
        Some(Value::Object(content)) if kind.is_none_or(|k| k == "m.room.encrypted") => {
            encrypted(content).map(|e| outside(event, e))
        }
        // Requests to send an event carry its content alone.
        _ if event.contains_key("ciphertext") => encrypted(event),
        _ => key_upload(event),
    }
}

fn text<'a>(object: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    object.get(field)?.as_str()
}

fn encrypted(content: &Map<String, Value>) -> Option<Envelope> {
    let envelope = match text(content, "algorithm")? {
        "m.megolm.v1.aes-sha2" => megolm(content)?,
        "m.olm.v1.curve25519-aes-sha2" => olm(content)?,
        _ => return None,
    };
    let leak = text(content, "body").is_some_and(|b| !b.is_empty() && !signs::is_fallback(b));
    Some(envelope.broken_if(leak.then_some("a readable body stands beside the ciphertext")))
}

fn megolm(content: &Map<String, Value>) -> Option<Envelope> {
    let bytes = base64(text(content, "ciphertext")?)?;
    let envelope = match recognise_as("olm", &bytes) {
        Some(inner) if inner.format == "megolm-message" => {
            Envelope { format: "matrix-room-encrypted", ..inner }
        }
        _ => {
            not_what_it_says("matrix-room-encrypted", "labelled Megolm, but the bytes are no Megolm message")
        }
    };
    let relation = content.get("m.relates_to").and_then(Value::as_object).and_then(|r| text(r, "rel_type"));
    let envelope = Envelope { protocol: PROTOCOL, ..envelope }
        .fact("algorithm", "m.megolm.v1.aes-sha2")
        .maybe("session_id", text(content, "session_id"))
        .maybe("sender_key", text(content, "sender_key"))
        .maybe("sender_device", text(content, "device_id"))
        .maybe("relation", relation);
    Some(envelope.decoded(bytes))
}

fn not_what_it_says(format: &'static str, why: &'static str) -> Envelope {
    Envelope::new(format, PROTOCOL, Class::Broken, Tier::T1).because(why)
}

fn olm(content: &Map<String, Value>) -> Option<Envelope> {
    const FORMAT: &str = "matrix-to-device-olm";
    let recipients = content.get("ciphertext")?.as_object()?;
    let mut envelope: Option<Envelope> = None;
    let mut kept = Vec::new();
    for message in recipients.values() {
        let bytes = message.get("body").and_then(Value::as_str).and_then(base64)?;
        let wanted = match message.get("type").and_then(Value::as_u64)? {
            0 => "olm-prekey-message",
            1 => "olm-message",
            _ => return None,
        };
        let this = match recognise_as("olm", &bytes) {
            Some(inner) if inner.format == wanted => Envelope { format: FORMAT, ..inner },
            _ => not_what_it_says(FORMAT, "labelled Olm, but the bytes are no Olm message"),
        };
        if envelope.as_ref().is_none_or(|e| e.class != Class::Broken) {
            envelope = Some(this);
            kept = bytes;
        }
    }
    let envelope = Envelope { protocol: PROTOCOL, ..envelope? }
        .fact("algorithm", "m.olm.v1.curve25519-aes-sha2")
        .maybe("sender_key", text(content, "sender_key"))
        .fact("recipient_keys", recipients.keys().map(String::as_str).collect::<Vec<_>>());
    Some(envelope.decoded(kept))
}

/// What stands around the content in clear.
fn outside(event: &Map<String, Value>, envelope: Envelope) -> Envelope {
    ["sender", "room_id", "event_id"].into_iter().fold(envelope, |e, name| e.maybe(name, text(event, name)))
}

fn room_key(content: &Map<String, Value>) -> Option<Envelope> {
    let bytes = base64(text(content, "session_key")?)?;
    let key = recognise_as("olm", &bytes)?;
    let envelope = Envelope { format: "matrix-room-key", protocol: PROTOCOL, ..key }
        .maybe("room_id", text(content, "room_id"))
        .maybe("session_id", text(content, "session_id"));
    (envelope.class == Class::SecretKey).then(|| envelope.decoded(bytes))
}

fn key_upload(request: &Map<String, Value>) -> Option<Envelope> {
    let device = request.get("device_keys")?.as_object()?;
    let algorithms = device.get("algorithms")?.as_array()?;
    device.get("keys")?.as_object()?;
    let envelope = Envelope::new("matrix-device-keys", PROTOCOL, Class::PublicKey, Tier::T1)
        .maybe("user_id", text(device, "user_id"))
        .maybe("device_id", text(device, "device_id"))
        .fact("algorithms", algorithms.iter().filter_map(Value::as_str).collect::<Vec<_>>());
    Some(envelope)
}
