//! Matrix events that carry Olm or Megolm, and those that carry its keys (Matrix client-server API,
//! sections "m.room.encrypted", "m.room_key", "keys/upload").

use super::grammar::encoding::base64;
use super::grammar::{notice, signs};
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
        _ if event.contains_key("session_data") => key_backup(event),
        _ if event.contains_key("encrypted") => secret_storage(event),
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
    let says = |name| text(content, name).is_some_and(|b| !b.is_empty() && !notice::is_fallback(b));
    let leak = says("body") || says("formatted_body");
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

/// A room key in the server-side backup: X25519, then AES-256-CBC and a MAC cut to eight bytes, for a key of the
/// user's own (section "m.megolm_backup.v1.curve25519-aes-sha2").
fn key_backup(entry: &Map<String, Value>) -> Option<Envelope> {
    entry.get("first_message_index")?.as_u64()?;
    let data = entry.get("session_data")?.as_object()?;
    let [ephemeral, ciphertext, mac] = parts(data, ["ephemeral", "ciphertext", "mac"])?;
    let fits = ephemeral.len() == 32 && mac.len() == 8 && is_blocks(&ciphertext);
    let plain = signs::not_ciphertext(&ciphertext).or_else(|| signs::not_a_key(&ephemeral));
    fits.then(|| {
        let bytes = ciphertext.len() as u64;
        let envelope = Envelope::new("matrix-key-backup", PROTOCOL, Class::E2eeHandshake, Tier::T1);
        envelope.fact("ciphertext_bytes", bytes).broken_if(plain)
    })
}

/// Secrets of the user in the account data, under a key that a passphrase or recovery key gives (section
/// "m.secret_storage.v1.aes-hmac-sha2"): one entry for each such key.
fn secret_storage(content: &Map<String, Value>) -> Option<Envelope> {
    let entries = content.get("encrypted")?.as_object().filter(|e| !e.is_empty() && content.len() == 1)?;
    let mut plain = None;
    for entry in entries.values() {
        let [iv, ciphertext, mac] = parts(entry.as_object()?, ["iv", "ciphertext", "mac"])?;
        if iv.len() != 16 || mac.len() != 32 || ciphertext.is_empty() {
            return None;
        }
        plain = plain.or_else(|| signs::not_ciphertext(&ciphertext));
    }
    let envelope = Envelope::new("matrix-secret-storage", PROTOCOL, Class::E2eeHandshake, Tier::T2);
    Some(envelope.fact("keys", entries.len() as u64).broken_if(plain))
}

/// The bytes of the three fields that an object consists of.
fn parts(object: &Map<String, Value>, names: [&str; 3]) -> Option<[Vec<u8>; 3]> {
    let [a, b, c] = names.map(|name| text(object, name).and_then(base64));
    (object.len() == 3).then_some([a?, b?, c?])
}

fn is_blocks(ciphertext: &[u8]) -> bool {
    !ciphertext.is_empty() && ciphertext.len().is_multiple_of(16)
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: Value) -> Option<(&'static str, Class)> {
        recognise(value.as_object().unwrap()).map(|e| (e.format, e.class))
    }

    /// Octets that no test for ciphertext objects to.
    fn octets(n: usize, seed: u32) -> String {
        use ::base64::Engine as _;
        let mut state = seed;
        let octet = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        ::base64::engine::general_purpose::STANDARD_NO_PAD.encode((0..n).map(octet).collect::<Vec<u8>>())
    }

    #[test]
    fn keys_sealed_for_their_owner_are_no_messages() {
        let backup = |cipher: usize, mac: usize| {
            json!({"first_message_index": 0, "forwarded_count": 0, "is_verified": true, "session_data":
                {"ephemeral": octets(32, 1), "ciphertext": octets(cipher, 2), "mac": octets(mac, 3)}})
        };
        assert_eq!(of(backup(64, 8)), Some(("matrix-key-backup", Class::E2eeHandshake)));
        assert_eq!(of(backup(63, 8)), None);
        assert_eq!(of(backup(64, 16)), None);
        let secret = |iv: usize| json!({"encrypted": {"AbCd": {"iv": octets(iv, 4), "ciphertext": octets(43, 5), "mac": octets(32, 6)}}});
        assert_eq!(of(secret(16)), Some(("matrix-secret-storage", Class::E2eeHandshake)));
        assert_eq!(of(secret(12)), None);
        assert_eq!(of(json!({"encrypted": {}})), None);
        // The same shape outside of account data may be anybody's message.
        assert_eq!(of(json!({"iv": octets(16, 4), "ciphertext": octets(43, 5), "mac": octets(32, 6)})), None);
    }
}
