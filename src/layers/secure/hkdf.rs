//! The key schedule of TLS 1.3 (RFC 8446 section 7.1), which DTLS and QUIC share: HKDF-Expand-Label.

use ring::hkdf::{self, KeyType, Prk};
use ring::{digest, hmac};

/// The hash of a key schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    /// Bytes of a hash.
    pub fn len(self) -> usize {
        match self {
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
        }
    }

    /// The hash of a text.
    pub fn digest(self, text: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
        };
        digest::digest(algorithm, text).as_ref().to_vec()
    }

    /// `HMAC(key, text)`, which is also `HKDF-Extract(salt, input)`.
    pub fn mac(self, key: &[u8], text: &[u8]) -> Vec<u8> {
        hmac::sign(&hmac::Key::new(self.hmac(), key), text).as_ref().to_vec()
    }

    /// Its HMAC.
    pub fn hmac(self) -> hmac::Algorithm {
        match self {
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
        }
    }

    fn hkdf(self) -> hkdf::Algorithm {
        match self {
            Hash::Sha256 => hkdf::HKDF_SHA256,
            Hash::Sha384 => hkdf::HKDF_SHA384,
        }
    }
}

/// What stands before every label (RFC 8446 section 7.1, RFC 9147 section 5.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    Tls,
    Dtls,
}

impl Prefix {
    fn bytes(self) -> &'static [u8; 6] {
        match self {
            Prefix::Tls => b"tls13 ",
            Prefix::Dtls => b"dtls13",
        }
    }
}

/// `HKDF-Expand-Label(secret, label, "", length)`.
pub(super) fn expand_label(hash: Hash, secret: &[u8], label: &str, length: usize) -> Vec<u8> {
    expand_label_of(Prefix::Tls, hash, secret, label, &[], length)
}

/// `HKDF-Expand-Label(secret, label, context, length)`.
pub(super) fn expand_label_with(
    hash: Hash,
    secret: &[u8],
    label: &str,
    context: &[u8],
    length: usize,
) -> Vec<u8> {
    expand_label_of(Prefix::Tls, hash, secret, label, context, length)
}

/// `HKDF-Expand-Label(secret, label, context, length)` of either protocol.
pub(super) fn expand_label_of(
    prefix: Prefix,
    hash: Hash,
    secret: &[u8],
    label: &str,
    context: &[u8],
    length: usize,
) -> Vec<u8> {
    let mut info = Vec::with_capacity(16 + label.len() + context.len());
    info.extend_from_slice(&(length as u16).to_be_bytes());
    info.push((6 + label.len()) as u8);
    info.extend_from_slice(prefix.bytes());
    info.extend_from_slice(label.as_bytes());
    info.push(context.len() as u8);
    info.extend_from_slice(context);
    let key = Prk::new_less_safe(hash.hkdf(), secret);
    let mut out = vec![0; length];
    match key.expand(&[&info], Bytes(length)).and_then(|okm| okm.fill(&mut out)) {
        Ok(()) => out,
        // No more than 255 hashes can be had, and nothing here asks for as many.
        Err(_) => Vec::new(),
    }
}

struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8448 section 3: the server's handshake traffic secret and its key and IV.
    #[test]
    fn expands_the_keys_of_rfc_8448() {
        let unhex = |t: &str| -> Vec<u8> {
            (0..t.len() / 2).map(|i| u8::from_str_radix(&t[2 * i..2 * i + 2], 16).unwrap()).collect()
        };
        let secret = unhex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        assert_eq!(expand_label(Hash::Sha256, &secret, "key", 16), unhex("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(expand_label(Hash::Sha256, &secret, "iv", 12), unhex("5d313eb2671276ee13000b30"));
    }
}
