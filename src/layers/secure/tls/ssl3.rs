//! SSL 3.0 (RFC 6101): its key derivation and its MAC, which later versions replaced by the PRF and HMAC.

use md5::{Digest as _, Md5};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY as SHA1};

/// Master secret and key block (RFC 6101 sections 6.1 and 6.2.2): MD5 over SHA-1 with a salt that grows.
pub(super) fn derive(secret: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length + 16);
    for n in 0..26u8 {
        if out.len() >= length {
            break;
        }
        let mut sha = Context::new(&SHA1);
        sha.update(&vec![b'A' + n; usize::from(n) + 1]);
        sha.update(secret);
        sha.update(seed);
        let mut md5 = Md5::new();
        md5.update(secret);
        md5.update(sha.finish());
        out.extend_from_slice(&md5.finalize());
    }
    out.truncate(length);
    out
}

/// The MAC of a record (RFC 6101 section 5.2.3.1). `head` is that of TLS: sequence number, type, version
/// and length; SSL 3.0 leaves the version out.
pub(super) fn mac(key: &[u8], head: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let (seq, kind, length) = (head.get(..8)?, head.get(8..9)?, head.get(11..13)?);
    let inner = |pad: &[u8]| [key, pad, seq, kind, length, text].concat();
    Some(match key.len() {
        16 => {
            let hash = Md5::digest(inner(&[0x36; 48]));
            Md5::digest([key, &[0x5c; 48], &hash[..]].concat()).to_vec()
        }
        20 => {
            let hash = ring::digest::digest(&SHA1, &inner(&[0x36; 40]));
            ring::digest::digest(&SHA1, &[key, &[0x5c; 40], hash.as_ref()].concat()).as_ref().to_vec()
        }
        _ => return None,
    })
}
