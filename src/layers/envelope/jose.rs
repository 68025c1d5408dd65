//! JOSE: JWE in compact and JSON form (RFC 7516), DIDComm v2 on top of it, and what is not encrypted:
//! JWS (RFC 7515), JWK (RFC 7517), PASETO.

use super::grammar::encoding::base64url;
use super::grammar::signs;
use super::{Class, Envelope, Form, ObjectRecogniser, PKCS1, Recogniser, Tier};
use crate::model::digest16;
use serde_json::{Map, Value};

/// Compact tokens.
pub const TOKENS: Recogniser =
    Recogniser { format_family: "jose", title: "JWE and JWS tokens", tries: Form::Text, recognise: token };
/// JSON forms.
pub const OBJECTS: ObjectRecogniser =
    ObjectRecogniser { format_family: "jose", title: "JWE, JWS and JWK objects", recognise: object };

const PROTOCOL: &str = "JOSE";
type Object = Map<String, Value>;

fn token(bytes: &[u8]) -> Option<Envelope> {
    let text = match bytes.first()? {
        b'e' | b'v' => std::str::from_utf8(bytes).ok()?,
        _ => return None,
    };
    if let Some(rest) = text.strip_prefix("v").and_then(|t| t.split_once('.')) {
        return paseto(rest);
    }
    let parts: Vec<&str> = text.split('.').collect();
    match parts.as_slice() {
        [header, key, iv, ciphertext, tag] => {
            let header = header_object(header)?;
            let key = base64url(key)?;
            let sealed = Sealed::read(&header, iv, ciphertext, tag)?;
            algorithm_fits(text_of(&header, "alg")?, &key)?;
            Some(sealed.envelope(&header, &[&header], "jwe"))
        }
        [header, payload, signature] => {
            let header = header_object(header)?;
            let alg = text_of(&header, "alg")?;
            let signed = alg == "none" || !base64url(signature)?.is_empty();
            base64url(payload)?;
            (signed && header.get("enc").is_none()).then(|| signed_only(alg))
        }
        _ => None,
    }
}

fn paseto((version, rest): (&str, &str)) -> Option<Envelope> {
    let (purpose, body) = rest.split_once('.')?;
    let body = base64url(body.split('.').next()?)?;
    let class = match (version, purpose) {
        ("1" | "2" | "3" | "4", "local") => Class::Symmetric,
        ("1" | "2" | "3" | "4", "public") => Class::SignedOnly,
        _ => return None,
    };
    (body.len() >= 64).then(|| Envelope::new("paseto", "PASETO", class, Tier::T1))
}

fn text_of<'a>(object: &'a Object, field: &str) -> Option<&'a str> {
    object.get(field)?.as_str()
}

fn header_object(part: &str) -> Option<Object> {
    serde_json::from_slice(&base64url(part)?).ok()
}

/// Key management algorithms (RFC 7518 section 4, ECDH-1PU draft). The key must be there or not.
fn algorithm_fits(alg: &str, key: &[u8]) -> Option<()> {
    let wraps = match alg {
        "dir" | "ECDH-ES" | "ECDH-1PU" => return key.is_empty().then_some(()),
        "RSA1_5" => true,
        _ => {
            alg.starts_with("RSA-OAEP")
                || (alg.starts_with("ECDH-") && alg.ends_with("KW"))
                || (alg.starts_with("PBES2-") && alg.ends_with("KW"))
                || (alg.starts_with('A') && (alg.ends_with("GCMKW") || alg.ends_with("KW")))
        }
    };
    (wraps && key.len() >= 16).then_some(())
}

/// Whether the key is shared rather than a recipient's own.
fn shared_key(alg: &str) -> bool {
    alg == "dir" || alg.starts_with("PBES2") || alg.starts_with('A')
}

/// The encrypted part of a JWE with lengths that fit its algorithm.
struct Sealed {
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
    enc: String,
}

impl Sealed {
    fn read(header: &Object, iv: &str, ciphertext: &str, tag: &str) -> Option<Self> {
        let enc = text_of(header, "enc")?.to_owned();
        let (iv_bytes, tag_bytes, block) = match enc.as_str() {
            "A128GCM" | "A192GCM" | "A256GCM" | "C20P" => (12, 16, 1),
            "XC20P" => (24, 16, 1),
            "A128CBC-HS256" => (16, 16, 16),
            "A192CBC-HS384" => (16, 24, 16),
            "A256CBC-HS512" => (16, 32, 16),
            _ => return None,
        };
        let sealed =
            Self { iv: base64url(iv)?, ciphertext: base64url(ciphertext)?, tag: base64url(tag)?, enc };
        let fits = sealed.iv.len() == iv_bytes
            && sealed.tag.len() == tag_bytes
            && sealed.ciphertext.len().is_multiple_of(block)
            && (block == 1 || !sealed.ciphertext.is_empty());
        fits.then_some(sealed)
    }

    fn envelope(self, shared: &Object, recipients: &[&Object], format: &'static str) -> Envelope {
        let all = || std::iter::once(shared).chain(recipients.iter().copied());
        let algs: Vec<&str> =
            recipients.iter().filter_map(|h| text_of(h, "alg").or(text_of(shared, "alg"))).collect();
        let didcomm = text_of(shared, "typ") == Some("application/didcomm-encrypted+json");
        let (format, protocol, tier) = if didcomm {
            ("didcomm-encrypted", "DIDComm v2", Tier::T1)
        } else {
            (format, PROTOCOL, Tier::T2)
        };
        let class = if algs.iter().all(|a| shared_key(a)) { Class::Symmetric } else { Class::E2eeMessage };
        let kids: Vec<&str> = recipients.iter().filter_map(|h| text_of(h, "kid")).collect();
        let sign = key_in_header(all()).or_else(|| kids.iter().any(|k| names_provider(k)).then_some(ESCROW));
        let ephemeral = all()
            .find_map(|h| h.get("epk")?.as_object())
            .map(|k| digest16(Value::from(k.clone()).to_string().as_bytes()));
        let pkcs1 = algs.contains(&"RSA1_5").then_some(PKCS1);
        let plain = signs::not_ciphertext(&self.ciphertext);
        let (nonce, end) = (self.iv.len(), self.iv.len() + self.ciphertext.len());
        Envelope::new(format, protocol, class, tier)
            .fact("algorithms", algs)
            .fact("content_algorithm", self.enc.as_str())
            .fact("recipients", recipients.len() as u64)
            .fact("recipient_keys", kids)
            .maybe("key_transport", pkcs1)
            .maybe("sender_key", text_of(shared, "skid"))
            .maybe("ephemeral_key", ephemeral)
            .maybe("compression", text_of(shared, "zip"))
            .maybe("clear_text", words_in(all()))
            .fact("ciphertext_bytes", self.ciphertext.len() as u64)
            .nonce(Some(0..nonce))
            .sealed(Some(nonce..end))
            .decoded([self.iv, self.ciphertext, self.tag].concat())
            .broken_if(sign)
            .broken_if(plain)
    }
}

/// A member of a header in words. Those of the specifications are identifiers, names and numbers.
fn words_in<'a>(headers: impl Iterator<Item = &'a Object>) -> Option<&'static str> {
    for (name, value) in headers.flatten() {
        let words = value.as_str().map_or(0, |t| t.split_whitespace().count());
        // People name keys.
        if words >= if name == "kid" { 5 } else { 3 } {
            return Some("a member of the header in words");
        }
    }
    None
}

const ESCROW: &str = "the provider's own key is named as a recipient";

/// Private halves that must never be in a header: `k` of a symmetric key, `d` of a key pair.
fn key_in_header<'a>(headers: impl Iterator<Item = &'a Object>) -> Option<&'static str> {
    for header in headers {
        let nested = ["epk", "jwk"].into_iter().filter_map(|n| header.get(n)?.as_object());
        if std::iter::once(header)
            .chain(nested)
            .any(|h| ["k", "d"].iter().any(|n| h.get(*n).is_some_and(Value::is_string)))
        {
            return Some("the content key stands in the header");
        }
    }
    None
}

/// Whether a key id says in words that it is not a user's.
fn names_provider(kid: &str) -> bool {
    const WORDS: &[&str] = &[
        "server",
        "escrow",
        "moderation",
        "moderator",
        "backup",
        "provider",
        "operator",
        "compliance",
        "lawful",
        "gateway",
    ];
    let lower = kid.to_ascii_lowercase();
    lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| WORDS.contains(&word))
}

fn signed_only(alg: &str) -> Envelope {
    Envelope::new("jws", PROTOCOL, Class::SignedOnly, Tier::T1).fact("algorithm", alg)
}

fn object(object: &Object) -> Option<Envelope> {
    if object.contains_key("ciphertext") {
        return jwe(object);
    }
    if object.contains_key("payload")
        && (object.contains_key("signatures") || object.contains_key("signature"))
    {
        return jws(object);
    }
    if text_of(object, "typ") == Some("application/didcomm-plain+json") {
        let envelope = Envelope::new("didcomm-plain", "DIDComm v2", Class::NotEncrypted, Tier::T1);
        return Some(envelope.because("the media type says that it is plain"));
    }
    jwk(object)
}

fn jwe(object: &Object) -> Option<Envelope> {
    let mut shared = match text_of(object, "protected") {
        Some(part) => header_object(part)?,
        None => Object::new(),
    };
    if let Some(Value::Object(more)) = object.get("unprotected") {
        shared.extend(more.clone());
    }
    let flat = [Value::Object(object.clone())];
    let recipients = object.get("recipients").and_then(Value::as_array).map_or(&flat[..], Vec::as_slice);
    let mut headers = Vec::new();
    for recipient in recipients {
        let header = recipient.get("header").and_then(Value::as_object).cloned().unwrap_or_default();
        let key =
            recipient.get("encrypted_key").and_then(Value::as_str).map_or(Some(Vec::new()), base64url)?;
        algorithm_fits(text_of(&header, "alg").or(text_of(&shared, "alg"))?, &key)?;
        headers.push(header);
    }
    if headers.is_empty() {
        return None;
    }
    if let (None, Some(enc)) = (shared.get("enc"), headers.iter().find_map(|h| h.get("enc").cloned())) {
        shared.insert("enc".to_owned(), enc);
    }
    let sealed = Sealed::read(
        &shared,
        text_of(object, "iv")?,
        text_of(object, "ciphertext")?,
        text_of(object, "tag")?,
    )?;
    Some(sealed.envelope(&shared, &headers.iter().collect::<Vec<_>>(), "jwe-json"))
}

fn jws(object: &Object) -> Option<Envelope> {
    let first = object
        .get("signatures")
        .and_then(Value::as_array)
        .and_then(|s| s.first()?.as_object())
        .unwrap_or(object);
    let header = header_object(text_of(first, "protected")?)?;
    base64url(text_of(object, "payload")?)?;
    let envelope = signed_only(text_of(&header, "alg")?);
    let didcomm = text_of(&header, "typ") == Some("application/didcomm-signed+json");
    Some(if didcomm {
        Envelope { format: "didcomm-signed", protocol: "DIDComm v2", ..envelope }
    } else {
        envelope
    })
}

/// What is said of a JWK that holds a private key; a shared key is another matter.
pub const PRIVATE_JWK: &str = "a private key in clear";

fn jwk(object: &Object) -> Option<Envelope> {
    let has = |name: &str| text_of(object, name).and_then(base64url).is_some_and(|b| b.len() >= 3);
    let (public, private) = match text_of(object, "kty")? {
        "EC" | "OKP" => (has("x"), has("d")),
        "RSA" => (has("n") && has("e"), has("d")),
        "oct" => (has("k"), has("k")),
        _ => return None,
    };
    let envelope = match (public, private) {
        (true, true) => Envelope::new("jwk-secret", PROTOCOL, Class::SecretKey, Tier::T1)
            .because(if has("d") { PRIVATE_JWK } else { "a shared key in clear" }),
        (true, false) => Envelope::new("jwk", PROTOCOL, Class::PublicKey, Tier::T1),
        _ => return None,
    };
    Some(envelope.maybe("key_id", text_of(object, "kid")))
}
