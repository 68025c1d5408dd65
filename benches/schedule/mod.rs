//! The key schedule that TLS and QUIC share, for benches that seal what the layers open.

use ring::hkdf::{Algorithm, KeyType, Prk};

/// A length of derived octets.
pub struct Len(pub usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label without a context (RFC 8446 section 7.1).
pub fn expand(hash: Algorithm, secret: &[u8], label: &str, n: usize) -> Vec<u8> {
    let mut info = (n as u16).to_be_bytes().to_vec();
    info.push(6 + label.len() as u8);
    info.extend(b"tls13 ");
    info.extend(label.as_bytes());
    info.push(0);
    let mut out = vec![0; n];
    let prk = Prk::new_less_safe(hash, secret);
    prk.expand(&[&info], Len(n)).and_then(|okm| okm.fill(&mut out)).expect("a length that fits");
    out
}
