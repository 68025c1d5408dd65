//! Brotli (RFC 7932). It has no magic and no digest, so where nobody states it the whole must come out, end
//! exactly where the input does, and be text: of forty million random inputs some hundreds met the first two
//! and none the third.

use std::io::Read;

/// Output of one message that is looked at where nobody states the format.
const LOOKED_AT: usize = 1 << 20;
/// Characters that come out at least where nobody states the format.
const LEAST: usize = 12;

/// Undoes as much as the limit allows.
pub(super) fn undo(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let reader = brotli_decompressor::Decompressor::new(bytes, 4096);
    reader.take(limit as u64).read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// Times that text shrinks at most.
const RATIO: u64 = 200;

/// Whether the first meta-block can be one of a message this long (RFC 7932, sections 9.1 and 9.2). Twenty
/// messages that are no brotli fail here for one that needs a window's worth of memory to fail.
fn begins(bytes: &[u8]) -> bool {
    let Some(first) = bytes.first_chunk::<8>() else { return false };
    let mut bits = u64::from_le_bytes(*first);
    let mut take = |n: u64| {
        let value = bits & ((1 << n) - 1);
        bits >>= n;
        value
    };
    // Windows larger than the format's are another format.
    if take(1) == 1 && take(3) == 0 && take(3) == 1 {
        return false;
    }
    let last = take(1) == 1;
    if last && take(1) == 1 {
        return false;
    }
    let nibbles = match take(2) {
        3 => return false,
        n => n + 4,
    };
    let length = take(4 * nibbles) + 1;
    if nibbles > 4 && length <= 1 << (4 * (nibbles - 1)) {
        return false;
    }
    let stored = !last && take(1) == 1;
    let (len, most) = (bytes.len() as u64, if stored { 1 } else { RATIO });
    length <= len * most && (!last || length * 2 >= len)
}

/// Whether bytes that nobody calls brotli are. The reader does not say what it left over, so the input must
/// also be too short without its last octet.
pub(super) fn is(bytes: &[u8]) -> bool {
    let Some((_, shorter)) = bytes.split_last().filter(|_| bytes.len() >= 8) else { return false };
    let text = |plain: &[u8]| {
        plain.len() >= LEAST
            && std::str::from_utf8(plain)
                .is_ok_and(|t| !t.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')))
    };
    match begins(bytes).then(|| undo(bytes, LOOKED_AT)).flatten() {
        Some(plain) if plain.len() < LOOKED_AT => text(&plain) && undo(shorter, LOOKED_AT).is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    /// `{"type":"chat.message","from":"alice","body":"meet me at the north pier at seven"}`
    const CHAT: &[u8] = include_bytes!("chat.br");

    #[test]
    fn a_message_is_known_by_all_of_it_and_nothing_more() {
        assert!(is(CHAT));
        assert!(!is(&CHAT[..CHAT.len() - 1]) && !is(&[CHAT, b"\0"].concat()) && !is(&CHAT[1..]));
        assert!(undo(CHAT, 4096).is_some_and(|plain| plain.ends_with(b"north pier at seven\"}")));
    }

    #[test]
    fn ciphertext_is_not_taken_for_it() {
        let mut seed = Sha256::digest(b"brotli").to_vec();
        for n in 0..20_000usize {
            seed = [Sha256::digest(&seed), Sha256::digest([&seed[..], b"x"].concat())].concat();
            assert!(!is(&seed[..8 + n % 56]), "{n}");
        }
    }
}
