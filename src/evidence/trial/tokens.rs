//! JWE under a shared key (RFC 7516): it opens the content itself (RFC 7518 section 4.5) or the content's key
//! (section 4.4), and the header is authenticated with it.

use super::ciphers::{decrypt_cbc, decrypt_cbc_padded};
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
    let unwrapped = parts.wrap.and_then(|size| unwrapped(key, &parts.wrapped).filter(|_| key.len() == size));
    let key = match parts.wrap {
        Some(_) => unwrapped.as_deref()?,
        None => key,
    };
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
    /// Length of the key that wraps the content's, if one does.
    wrap: Option<usize>,
    wrapped: Vec<u8>,
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
        if let [protected, wrapped, iv, text, tag] = list.as_slice() {
            return Self::of(protected, wrapped, iv, text, tag);
        }
        let object: Value = serde_json::from_str(token).ok()?;
        let part = |name: &str| object.get(name).and_then(Value::as_str);
        Self::of(
            part("protected")?,
            part("encrypted_key").unwrap_or(""),
            part("iv")?,
            part("ciphertext")?,
            part("tag")?,
        )
    }

    fn of(protected: &str, wrapped: &str, iv: &str, text: &str, tag: &str) -> Option<Self> {
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok();
        let header: Value = serde_json::from_slice(&bytes(protected)?).ok()?;
        let named = |name: &str| header.get(name).and_then(Value::as_str);
        // A compressed content would need one more step than a trial is worth.
        let wrap = match named("alg") {
            None | Some("dir") => None,
            Some("A128KW") => Some(16),
            Some("A192KW") => Some(24),
            Some("A256KW") => Some(32),
            Some(_) => return None,
        };
        let enc = named("enc").filter(|_| named("zip").is_none())?.to_owned();
        Some(Self {
            protected: protected.to_owned(),
            wrap,
            wrapped: bytes(wrapped)?,
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

/// Takes a key out of its wrapping (RFC 3394 section 2.2.2); the value in front tells whether it was the right one.
fn unwrapped(key: &[u8], wrapped: &[u8]) -> Option<Vec<u8>> {
    let (front, rest) = wrapped.split_first_chunk::<8>()?;
    let (mut front, mut rest) = (u64::from_be_bytes(*front), rest.to_vec());
    let parts = rest.len() / 8;
    if !rest.len().is_multiple_of(8) || !(2..=8).contains(&parts) {
        return None;
    }
    for step in (1..=6 * parts).rev() {
        let part = rest.get_mut((step - 1) % parts * 8..)?.first_chunk_mut::<8>()?;
        let block = [(front ^ step as u64).to_be_bytes(), *part].concat();
        let plain = decrypt_cbc(key, &[0; 16], &block)?;
        front = u64::from_be_bytes(*plain.first_chunk()?);
        *part = *plain.last_chunk()?;
    }
    (front == 0xa6a6_a6a6_a6a6_a6a6).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3394 section 4.6, and the same with another key.
    #[test]
    fn a_wrapped_key_comes_out_under_its_own_key_only() {
        let hex = |text: &str| crate::bytes::unhex(text).unwrap();
        let key = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
        let wrapped = hex("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
        let inner = hex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
        assert_eq!(unwrapped(&key, &wrapped), Some(inner));
        assert_eq!(unwrapped(&key[..16], &wrapped), None);
    }
}
