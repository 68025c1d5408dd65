//! Home-made JSON envelopes: a ciphertext field, perhaps with a nonce and an algorithm's name. Nothing
//! here is ever called end-to-end encrypted; the signs that such a scheme protects nothing are the point.

use super::grammar::encoding::{base64, unhex};
use super::grammar::signs;
use super::{Class, Envelope, ObjectRecogniser, Tier, recognise_binary};
use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Map, Value};

/// JSON objects with a ciphertext.
pub const OBJECTS: ObjectRecogniser =
    ObjectRecogniser { format_family: "custom-json", title: "Home-made JSON envelopes", recognise };

const PROTOCOL: &str = "a scheme of its own";
/// What they are called.
pub const FORMAT: &str = "custom-json";
const SEALED: &[&str] =
    &["ciphertext", "cipher_text", "ciphertxt", "ct", "cipher", "encrypted", "enc", "encrypted_data"];
const SEALED_BESIDE_NONCE: &[&str] = &["data", "payload", "body", "msg", "message", "content", "text"];
const NONCES: &[&str] = &["iv", "nonce", "n", "salt_iv"];
const KEYS: &[&str] = &[
    "key",
    "secret",
    "k",
    "aes_key",
    "secret_key",
    "aeskey",
    "secretkey",
    "session_key",
    "content_key",
    "symmetric_key",
    "enc_key",
];
const ENCODED: &[&str] = &["msg", "message", "text", "body", "content", "data", "payload"];

type Object = Map<String, Value>;

fn recognise(object: &Object) -> Option<Envelope> {
    if object.len() > 64 {
        return None;
    }
    if let Some(text) = string(object, SEALED)
        .filter(|t| !is_algorithm(t))
        .or_else(|| string(object, NONCES).and_then(|_| string(object, SEALED_BESIDE_NONCE)))
    {
        return sealed(object, text);
    }
    string(object, ENCODED).and_then(encoded)
}

/// The first string field with one of these names, whatever its case.
fn string<'a>(object: &'a Object, names: &[&str]) -> Option<&'a str> {
    object
        .iter()
        .find_map(|(k, v)| names.contains(&k.to_ascii_lowercase().as_str()).then(|| v.as_str()).flatten())
}

/// Whether a field called `enc` or `cipher` says how, not what: a name such as `A256GCM` (RFC 7518) reads as base64.
fn is_algorithm(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let starts = [
        "aes", "a128", "a192", "a256", "xchacha", "chacha", "c20p", "xc20p", "xsalsa", "salsa", "rsa", "ecdh",
    ];
    text.len() <= 24 && !text.contains(['=', '/']) && starts.iter().any(|s| lower.starts_with(s))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    unhex(text).or_else(|| base64(text))
}

fn sealed(object: &Object, text: &str) -> Option<Envelope> {
    let Some(ciphertext) = bytes(text) else {
        return encoded(text);
    };
    let nonce = string(object, NONCES).and_then(bytes).filter(|n| (8..=24).contains(&n.len()));
    let algorithm = string(object, &["alg", "algorithm", "cipher_suite", "enc_alg"]);
    let short =
        algorithm.is_some_and(tagged) && !object.keys().any(|k| k.contains("tag")) && ciphertext.len() <= 16;
    let sign = short
        .then_some("claims authenticated encryption, but is no longer than a tag")
        .or_else(|| signs::not_ciphertext(&ciphertext))
        .or_else(|| signs::repeating_xor(&ciphertext).map(|_| "a short repeating XOR key shows through"))
        .or_else(|| nonce.as_ref().filter(|n| n.iter().all(|&b| b == 0)).map(|_| "the nonce is all zero"));
    let split = nonce.as_ref().map_or(0, Vec::len);
    // What the ciphertext itself says that it is needs no scheme of its own.
    let known = sign.is_none() && recognise_binary(&ciphertext).is_some_and(|e| e.class.claim() > 1);
    let (key_sign, tier) = key_beside(object, nonce.as_deref().unwrap_or_default(), &ciphertext);
    if known && key_sign.is_none() {
        return None;
    }
    let envelope =
        Envelope::new(FORMAT, PROTOCOL, Class::Symmetric, if sign.is_some() { Tier::T1 } else { tier })
            .maybe("algorithm", algorithm)
            .fact("shape", object.keys().map(String::as_str).collect::<Vec<_>>().join(" "))
            .fact("ciphertext_bytes", ciphertext.len() as u64)
            .nonce((split > 0).then_some(0..split))
            .sealed(Some(split..split + ciphertext.len()))
            .decoded([nonce.unwrap_or_default(), ciphertext].concat());
    Some(envelope.broken_if(sign).broken_if(key_sign))
}

/// Whether a named algorithm appends a tag of 16 bytes.
fn tagged(algorithm: &str) -> bool {
    let lower = algorithm.to_ascii_lowercase();
    ["gcm", "poly1305", "eax", "ocb", "siv"].iter().any(|mode| lower.contains(mode))
}

/// A key of fitting length in a field called so, proven where it opens the ciphertext.
fn key_beside(object: &Object, nonce: &[u8], ciphertext: &[u8]) -> (Option<&'static str>, Tier) {
    let named = object.iter().filter(|(k, _)| KEYS.contains(&k.to_ascii_lowercase().as_str()));
    let keys = named.filter_map(|(_, v)| bytes(v.as_str()?)).filter(|k| matches!(k.len(), 16 | 24 | 32));
    let mut sign = None;
    for key in keys {
        if opens(&key, nonce, ciphertext) {
            return (Some("the key beside the ciphertext opens it"), Tier::T1);
        }
        sign = Some("a key stands beside the ciphertext");
    }
    (sign, Tier::T2)
}

fn opens(key: &[u8], nonce: &[u8], ciphertext: &[u8]) -> bool {
    let algorithms: &[&aead::Algorithm] = match key.len() {
        16 => &[&aead::AES_128_GCM],
        32 => &[&aead::AES_256_GCM, &aead::CHACHA20_POLY1305],
        _ => return false,
    };
    algorithms.iter().any(|algorithm| {
        let (Ok(nonce), Ok(key)) = (Nonce::try_assume_unique_for_key(nonce), UnboundKey::new(algorithm, key))
        else {
            return false;
        };
        LessSafeKey::new(key).open_in_place(nonce, Aad::empty(), &mut ciphertext.to_vec()).is_ok()
    })
}

/// Text under an encoding that is meant to look like more than it is.
fn encoded(text: &str) -> Option<Envelope> {
    let broken =
        |why| Some(Envelope::new("encoded-text", "no encryption", Class::Broken, Tier::T1).because(why));
    let reversed: String = text.chars().rev().collect();
    // Padding in front is base64 backwards and nothing else.
    let padded = text.starts_with('=') && !text.ends_with('=');
    if (padded || base64(text).is_none_or(|b| !signs::is_text(&b)))
        && let Some(bytes) = base64(&reversed)
        && (signs::is_text(&bytes)
            || (padded && std::str::from_utf8(&bytes).is_ok_and(|t| !t.contains(char::is_control))))
    {
        return broken("base64 written backwards");
    }
    signs::is_rot13(text).then(|| broken("text under ROT13")).flatten()
}
