//! Signs that only several messages show: nonces and keys that come again, first blocks that are equal,
//! a keystream used twice.

use super::{Class, Envelope};

/// Messages looked at; more would not add to a sign.
const MOST: usize = 256;
/// Pairs of bytes whose top bits agree before chance is ruled out.
const PAIRS: usize = 48;

/// What repeats among messages of one format, sender and field, if anything: each with the bytes that its
/// ranges count in.
pub fn repeats(messages: &[(&Envelope, &[u8])]) -> Option<&'static str> {
    let messages = messages.get(..MOST).unwrap_or(messages);
    let parts: Vec<Parts<'_>> = messages
        .iter()
        .filter_map(|(e, bytes)| Parts::of(e, bytes))
        .collect();
    let mut nonces: Vec<(&[u8], &[u8])> = parts
        .iter()
        .map(|p| (p.nonce, p.ciphertext))
        .filter(|p| !p.0.is_empty())
        .collect();
    nonces.sort_unstable();
    nonces.dedup();
    if nonces.windows(2).any(|w| matches!(w, [a, b] if a.0 == b.0)) {
        return Some("a nonce is used again for another message");
    }
    let mut firsts: Vec<(&[u8], &[u8])> = parts
        .iter()
        .filter_map(|p| Some((p.ciphertext.get(..16)?, p.ciphertext)))
        .collect();
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
        let nonce = envelope
            .nonce
            .clone()
            .and_then(|r| bytes.get(r))
            .unwrap_or_default();
        Some(Self { nonce, ciphertext })
    }
}

/// Two ASCII texts under one keystream agree in every top bit.
fn keystream_again(parts: &[Parts<'_>]) -> bool {
    let Some(first) = parts.iter().max_by_key(|p| p.ciphertext.len()) else {
        return false;
    };
    let mut same = 0;
    let mut differ = 0;
    for other in parts.iter().filter(|p| !std::ptr::eq(*p, first)) {
        for (a, b) in first.ciphertext.iter().zip(other.ciphertext).take(4096) {
            match (a ^ b) & 0x80 {
                0 => same += 1,
                _ => differ += 1,
            }
        }
    }
    same >= PAIRS && differ * 10 <= (same + differ).saturating_sub(PAIRS)
}
