//! The GSM 7-bit default alphabet, packed (3GPP TS 23.038 section 6.1.2.1). Any octets unpack to something,
//! so only what comes out as words is believed.

use super::Decoded;
use crate::peel::Form;
use std::sync::LazyLock;

/// The default alphabet (section 6.2.1); the escape stands for itself.
const ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
static LETTERS: LazyLock<Vec<char>> = LazyLock::new(|| ALPHABET.chars().collect());
/// Octets that are too few for words.
const LEAST: usize = 10;

pub(super) fn gsm7(bytes: &[u8]) -> Decoded {
    if bytes.len() < LEAST || bytes.len() > 4096 {
        return None;
    }
    // Noise has one septet in five among small letters and spaces, words have four; most octets end here.
    let beginning = &bytes[..bytes.len().min(28) / 7 * 7];
    let words: usize = beginning.chunks_exact(7).map(like_words).sum();
    if words * 100 < beginning.len() * 8 / 7 * 40 {
        return None;
    }
    let septets = unpacked(bytes);
    let count = |fits: fn(u8) -> bool| septets.iter().filter(|s| fits(**s)).count();
    let n = septets.len();
    let (words, spaces) = (count(|s| s.is_ascii_lowercase() || s == b' '), count(|s| s == b' '));
    if words * 100 < n * 72 || spaces * 20 < n || spaces * 3 > n {
        return None;
    }
    let text: String = septets.iter().filter_map(|s| LETTERS.get(usize::from(*s))).collect();
    let strange = text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r'));
    let plain = std::str::from_utf8(bytes).is_ok_and(|t| !t.chars().any(char::is_control));
    (!strange && !plain).then_some((text.into_bytes(), Form::Text))
}

/// How many of the eight septets in seven octets are small letters or spaces.
fn like_words(seven: &[u8]) -> usize {
    let bits = seven.iter().rev().fold(0u64, |bits, b| bits << 8 | u64::from(*b));
    let septets = (0..8).map(|i| (bits >> (7 * i) & 0x7f) as u8);
    septets.filter(|s| s.is_ascii_lowercase() || *s == b' ').count()
}

/// Seven bits at a time, lowest first. Eight septets fill seven octets; a last one of nothing is filling.
fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let (mut bits, mut have, mut septets) = (0u32, 0, Vec::with_capacity(bytes.len() * 8 / 7));
    for b in bytes {
        bits |= u32::from(*b) << have;
        have += 8;
        while have >= 7 {
            septets.push((bits & 0x7f) as u8);
            bits >>= 7;
            have -= 7;
        }
    }
    if bytes.len().is_multiple_of(7) && matches!(septets.last(), Some(0 | b'\r')) {
        septets.pop();
    }
    septets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        let place = |c| ALPHABET.chars().position(|a| a == c).unwrap();
        let (mut bits, mut have, mut out) = (0usize, 0, Vec::new());
        for c in text.chars() {
            bits |= place(c) << have;
            have += 7;
            while have >= 8 {
                out.push(bits as u8);
                bits >>= 8;
                have -= 8;
            }
        }
        if have > 0 {
            out.push(bits as u8);
        }
        out
    }

    #[test]
    fn words_come_back() {
        for text in ["see you at the old bridge", "grüße aus köln, bis morgen um 8", "see you at noon"] {
            assert_eq!(gsm7(&packed(text)), Some((text.as_bytes().to_vec(), Form::Text)));
        }
        assert_eq!(gsm7(b"see you at the old bridge"), None);
    }
}
