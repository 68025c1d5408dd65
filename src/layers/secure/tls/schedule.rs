//! Key derivation: HKDF-Expand-Label of TLS 1.3 (RFC 8446 section 7.1) and the PRFs of TLS 1.0 to 1.2
//! (RFC 2246 section 5, RFC 5246 section 5).

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use ring::hmac as ring_hmac;

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
            Hash::Sha256 => &ring::digest::SHA256,
            Hash::Sha384 => &ring::digest::SHA384,
        };
        ring::digest::digest(algorithm, text).as_ref().to_vec()
    }

    /// `HMAC(key, text)`, which is also `HKDF-Extract(salt, input)`.
    pub fn mac(self, key: &[u8], text: &[u8]) -> Vec<u8> {
        ring_hmac::sign(&ring_hmac::Key::new(self.algorithm(), key), text).as_ref().to_vec()
    }

    fn algorithm(self) -> ring_hmac::Algorithm {
        match self {
            Hash::Sha256 => ring_hmac::HMAC_SHA256,
            Hash::Sha384 => ring_hmac::HMAC_SHA384,
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
    let key = ring_hmac::Key::new(hash.algorithm(), secret);
    let (mut out, mut previous): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
    for counter in 1..=255u8 {
        if out.len() >= length {
            break;
        }
        let mut mac = ring_hmac::Context::with_key(&key);
        mac.update(&previous);
        mac.update(&info);
        mac.update(&[counter]);
        previous = mac.sign().as_ref().to_vec();
        out.extend_from_slice(&previous);
    }
    out.truncate(length);
    out
}

/// Key block of TLS 1.2 with the suite's hash.
pub(super) fn prf12(hash: Hash, secret: &[u8], label: &str, seed: &[u8], length: usize) -> Vec<u8> {
    let key = ring_hmac::Key::new(hash.algorithm(), secret);
    p_hash(
        |parts| {
            let mut context = ring_hmac::Context::with_key(&key);
            parts.iter().for_each(|p| context.update(p));
            context.sign().as_ref().to_vec()
        },
        &[label.as_bytes(), seed].concat(),
        length,
    )
}

/// Key block of TLS 1.0 and 1.1: MD5 and SHA-1 over the halves of the secret.
pub(super) fn prf10(secret: &[u8], label: &str, seed: &[u8], length: usize) -> Vec<u8> {
    let half = secret.len().div_ceil(2);
    let (left, right) = (&secret[..half], &secret[secret.len() - half..]);
    let seed = [label.as_bytes(), seed].concat();
    let md5 = p_hash(
        |parts| {
            let Ok(mut mac) = Hmac::<Md5>::new_from_slice(left) else { return Vec::new() };
            parts.iter().for_each(|p| mac.update(p));
            mac.finalize().into_bytes().to_vec()
        },
        &seed,
        length,
    );
    let key = ring_hmac::Key::new(ring_hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, right);
    let sha = p_hash(
        |parts| {
            let mut context = ring_hmac::Context::with_key(&key);
            parts.iter().for_each(|p| context.update(p));
            context.sign().as_ref().to_vec()
        },
        &seed,
        length,
    );
    md5.iter().zip(&sha).map(|(a, b)| a ^ b).collect()
}

fn p_hash(mac: impl Fn(&[&[u8]]) -> Vec<u8>, seed: &[u8], length: usize) -> Vec<u8> {
    let (mut out, mut a) = (Vec::new(), mac(&[seed]));
    while out.len() < length && !a.is_empty() {
        out.extend(mac(&[&a, seed]));
        a = mac(&[&a]);
    }
    out.truncate(length);
    out
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
