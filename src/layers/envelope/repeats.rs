//! Signs that only several messages show: nonces and keys that come again, first blocks that are equal,
//! a keystream used twice.

use super::{Class, Envelope};

/// Messages looked at; more would not add to a sign.
const MOST: usize = 256;
/// Pairs of bytes below which nothing is said.
const PAIRS: usize = 48;

/// What repeats among messages of one format, sender and field, if anything: each with the bytes that its
/// ranges count in.
pub fn repeats(messages: &[(&Envelope, &[u8])]) -> Option<&'static str> {
    let messages = messages.get(..MOST).unwrap_or(messages);
    let parts: Vec<Parts<'_>> = messages.iter().filter_map(|(e, bytes)| Parts::of(e, bytes)).collect();
    let mut nonces: Vec<(&[u8], &[u8])> =
        parts.iter().map(|p| (p.nonce, p.ciphertext)).filter(|p| !p.0.is_empty()).collect();
    nonces.sort_unstable();
    nonces.dedup();
    if nonces.windows(2).any(|w| matches!(w, [a, b] if a.0 == b.0)) {
        return Some("a nonce is used again for another message");
    }
    let mut firsts: Vec<(&[u8], &[u8])> =
        parts.iter().filter_map(|p| Some((p.ciphertext.get(..16)?, p.ciphertext))).collect();
    firsts.sort_unstable();
    firsts.dedup();
    if firsts.windows(2).any(|w| matches!(w, [a, b] if a.0 == b.0)) {
        return Some("different messages begin with the same block of ciphertext");
    }
    keystream_again(&parts).then_some("messages share one keystream")
}

struct Parts<'a> {
    nonce: &'a [u8],
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(envelope: &Envelope, bytes: &'a [u8]) -> Option<Self> {
        let claims = envelope.class.claim() > 0 || envelope.class == Class::Broken;
        let ciphertext = bytes.get(envelope.ciphertext.clone()?).filter(|_| claims)?;
        let nonce = envelope.nonce.clone().and_then(|r| bytes.get(r)).unwrap_or_default();
        Some(Self { nonce, ciphertext })
    }
}

/// Texts are mostly ASCII, so two of them under one keystream agree in most top bits, where independent
/// ciphertexts agree in half. Asked of the whole group (six standard deviations) and of most of its
/// members, so that two readable messages do not speak for the rest.
fn keystream_again(parts: &[Parts<'_>]) -> bool {
    let Some(first) = parts.iter().max_by_key(|p| p.ciphertext.len()) else {
        return false;
    };
    let (mut same, mut bits) = (0usize, 0usize);
    let (mut members, mut agreeing) = (0usize, 0usize);
    for other in parts.iter().filter(|p| !std::ptr::eq(*p, first)) {
        let pairs = first.ciphertext.iter().zip(other.ciphertext).take(4096);
        let n = pairs.len();
        let equal = pairs.filter(|(a, b)| (*a ^ *b) & 0x80 == 0).count();
        same += equal;
        bits += n;
        if n >= 16 {
            members += 1;
            agreeing += usize::from(equal * 10 >= n * 6);
        }
    }
    let excess = 2.0 * same as f64 - bits as f64;
    bits >= PAIRS && excess > 6.0 * (bits as f64).sqrt() && agreeing * 2 > members
}

#[cfg(test)]
mod tests {
    use super::super::{Class, Tier};
    use super::*;
    use sha2::{Digest, Sha256};

    fn stream(seed: u32, length: usize) -> Vec<u8> {
        (0u32..)
            .flat_map(|i| Sha256::digest([seed.to_be_bytes(), i.to_be_bytes()].concat()))
            .take(length)
            .collect()
    }

    fn judged(messages: &[Vec<u8>], nonce: usize) -> Option<&'static str> {
        let envelope = |m: &Vec<u8>| {
            Envelope::new("custom-json", "", Class::Symmetric, Tier::T2)
                .nonce(Some(0..nonce))
                .sealed(Some(nonce..m.len()))
        };
        let envelopes: Vec<Envelope> = messages.iter().map(envelope).collect();
        let pairs: Vec<_> = envelopes.iter().zip(messages).map(|(e, m)| (e, m.as_slice())).collect();
        repeats(&pairs)
    }

    #[test]
    fn one_keystream_for_two_texts_shows() {
        let texts = [
            "we meet at noon under the bridge, bring the papers",
            "nobody else knows about this, and it stays so, please",
        ];
        let pad = stream(1, 64);
        let sealed = texts.map(|t| t.bytes().zip(&pad).map(|(a, b)| a ^ b).collect::<Vec<u8>>());
        assert_eq!(judged(&sealed, 0), Some("messages share one keystream"));
    }

    #[test]
    fn a_nonce_again_shows_and_independent_messages_do_not() {
        let again = [[stream(9, 12), stream(1, 40)].concat(), [stream(9, 12), stream(2, 40)].concat()];
        assert_eq!(judged(&again, 12), Some("a nonce is used again for another message"));
        for seed in 0..200 {
            let apart: Vec<_> = (0..8).map(|i| stream(seed * 100 + i, 60)).collect();
            assert_eq!(judged(&apart, 12), None);
        }
    }
}
