//! The PRFs of TLS 1.0 to 1.2 (RFC 2246 section 5, RFC 5246 section 5).

use super::hkdf::Hash;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use ring::hmac as ring_hmac;

/// Key block of TLS 1.2 with the suite's hash.
pub(super) fn prf12(hash: Hash, secret: &[u8], label: &str, seed: &[u8], length: usize) -> Vec<u8> {
    let key = ring_hmac::Key::new(hash.hmac(), secret);
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
