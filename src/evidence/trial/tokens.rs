//! JWE with direct encryption (RFC 7516, RFC 7518 section 4.5): the shared key opens the content, and the
//! header is authenticated with it.

use super::ciphers::decrypt_cbc_padded;
use super::{Budget, Plain};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{aead, hmac};
use serde_json::Value;

const HOW: &str = "JWE under a shared key";

pub fn open(key: &[u8], token: &[u8], budget: &mut Budget) -> Option<Plain> {
    let parts = Parts::read(token)?;
    if !budget.attempt(parts.text.len()) {
        return None;
    }
    let bytes = match parts.enc.as_str() {
        "A128GCM" if key.len() == 16 => parts.sealed(&aead::AES_128_GCM, key)?,
        "A256GCM" if key.len() == 32 => parts.sealed(&aead::AES_256_GCM, key)?,
        "C20P" if key.len() == 32 => parts.sealed(&aead::CHACHA20_POLY1305, key)?,
        "A128CBC-HS256" if key.len() == 32 => parts.with_mac(hmac::HMAC_SHA256, key)?,
        "A192CBC-HS384" if key.len() == 48 => parts.with_mac(hmac::HMAC_SHA384, key)?,
        "A256CBC-HS512" if key.len() == 64 => parts.with_mac(hmac::HMAC_SHA512, key)?,
        _ => return None,
    };
    Some(Plain { how: HOW, bytes, authentic: true })
}

struct Parts {
    protected: String,
    enc: String,
    iv: Vec<u8>,
    text: Vec<u8>,
    tag: Vec<u8>,
}

impl Parts {
    /// The compact form, or a JSON object with the same parts.
    fn read(token: &[u8]) -> Option<Self> {
        let token = std::str::from_utf8(token).ok()?.trim();
        let list: Vec<&str> = token.split('.').collect();
        if let [protected, _, iv, text, tag] = list.as_slice() {
            return Self::of(protected, iv, text, tag);
        }
        let object: Value = serde_json::from_str(token).ok()?;
        let part = |name: &str| object.get(name).and_then(Value::as_str);
        Self::of(part("protected")?, part("iv")?, part("ciphertext")?, part("tag")?)
    }

    fn of(protected: &str, iv: &str, text: &str, tag: &str) -> Option<Self> {
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok();
        let header: Value = serde_json::from_slice(&bytes(protected)?).ok()?;
        let named = |name: &str| header.get(name).and_then(Value::as_str);
        // A compressed content would need one more step than a trial is worth.
        let direct = named("alg").is_none_or(|a| a == "dir") && named("zip").is_none();
        let enc = named("enc").filter(|_| direct)?.to_owned();
        Some(Self {
            protected: protected.to_owned(),
            enc,
            iv: bytes(iv)?,
            text: bytes(text)?,
            tag: bytes(tag)?,
        })
    }

    fn sealed(&self, algorithm: &'static aead::Algorithm, key: &[u8]) -> Option<Vec<u8>> {
        let key = aead::LessSafeKey::new(aead::UnboundKey::new(algorithm, key).ok()?);
        let nonce = aead::Nonce::try_assume_unique_for_key(&self.iv).ok()?;
        let mut whole = [self.text.as_slice(), &self.tag].concat();
        let plain = key.open_in_place(nonce, aead::Aad::from(self.protected.as_bytes()), &mut whole).ok()?;
        Some(plain.to_vec())
    }

    /// RFC 7518 section 5.2: the first half of the key checks, the second encrypts.
    fn with_mac(&self, algorithm: hmac::Algorithm, key: &[u8]) -> Option<Vec<u8>> {
        let (check, cipher) = key.split_at(key.len() / 2);
        let header = self.protected.as_bytes();
        let bits = (header.len() as u64 * 8).to_be_bytes();
        let signed = [header, &self.iv, &self.text, &bits].concat();
        let tag = hmac::sign(&hmac::Key::new(algorithm, check), &signed);
        let half = tag.as_ref().get(..check.len())?;
        if half != self.tag.as_slice() {
            return None;
        }
        decrypt_cbc_padded(cipher, &self.iv, &self.text)
    }
}
