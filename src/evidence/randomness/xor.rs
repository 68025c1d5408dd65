//! Undoing trivial obfuscation: single-byte and short repeating XOR, a shifted alphabet, added bytes.
//!
//! A solution is only reported when the recovered bytes read as text far beyond what trying all keys on
//! uniform bytes could give, so ciphertext and compressed data yield none.

/// What was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// XOR with a repeating key.
    Xor,
    /// A constant added to every byte.
    Add,
    /// Letters moved along the alphabet (ROT13 and its kin).
    Rotation,
}

/// A key that makes text of the bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct XorSolution {
    /// Which cipher.
    pub cipher: Cipher,
    /// The repeating key; for `Add` and `Rotation` one byte to subtract.
    pub key: Vec<u8>,
    /// The first bytes of the recovered text (at most 256).
    pub plain: Vec<u8>,
    /// Mean log2 likelihood ratio of the text against uniform, bits per byte.
    pub score: f64,
}

const LONGEST: usize = 32;
const SAMPLE: usize = 1024;
/// Bits per byte that recovered text must reach; English reaches 3.3, JSON 2.8.
const CONVINCING: f64 = 2.0;

/// Weight of a byte in chat text, JSON and markup, as log2(p * 256).
fn weight(b: u8) -> f64 {
    match b {
        b' ' => 5.2,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' => 4.2,
        b's' | b'r' | b'h' | b'l' | b'd' | b'c' | b'u' | b'm' => 3.4,
        b'a'..=b'z' => 1.8,
        b'"' | b'.' | b',' | b':' => 1.8,
        b'0'..=b'9' => 1.2,
        b'A'..=b'Z' => 0.4,
        b'\n' | b'\'' | b'-' | b'_' | b'/' | b'{' | b'}' | b'(' | b')' | b'=' | b'<' | b'>' | b'?' | b'!' => {
            0.4
        }
        b'\t' | b'\r' => -2.0,
        0x80..=0xbf => -3.5,
        0xc3 | 0xd0 | 0xd1 => -3.0,
        _ if b.is_ascii_graphic() => -1.5,
        _ => -8.0,
    }
}

fn score(bytes: impl Iterator<Item = u8>) -> f64 {
    let (sum, n) = bytes.fold((0.0, 0u32), |(s, n), b| (s + weight(b), n + 1));
    if n == 0 { -8.0 } else { sum / f64::from(n) }
}

/// The best key for one message, when its text convinces. Nothing for text that is clear already.
pub fn solve_xor(bytes: &[u8]) -> Option<XorSolution> {
    solve_xor_messages(&[bytes])
}

/// The same for messages that share the key from their first byte on.
pub fn solve_xor_messages(messages: &[&[u8]]) -> Option<XorSolution> {
    let total: usize = messages.iter().map(|m| m.len()).sum();
    if total < 12 {
        return None;
    }
    let clear = score(messages.iter().flat_map(|m| m.iter().copied()).take(SAMPLE));
    if clear >= CONVINCING {
        return rotation(messages);
    }
    // Base64, hex and other printable text are no obfuscation, and a long key can bend them to words.
    if messages
        .iter()
        .all(|m| m.get(..SAMPLE).unwrap_or(m).iter().all(|b| b.is_ascii_graphic() || b" \r\n\t".contains(b)))
    {
        return None;
    }
    xor(messages, total).or_else(|| added(messages))
}

/// The period whose columns turn best into text. Each column needs rows enough to choose among 256
/// keys, hence the penalty that grows with the key's share of the message; a longer period must beat a
/// shorter one clearly, as every multiple of the true one fits as well.
fn xor(messages: &[&[u8]], total: usize) -> Option<XorSolution> {
    let mut best: Option<(f64, XorSolution)> = None;
    for period in 1..=LONGEST {
        let rows = total / period;
        if rows < if period == 1 { 8 } else { 16 } {
            break;
        }
        let key: Vec<u8> = (0..period).map(|i| column_key(messages, period, i)).collect();
        let plain: Vec<u8> = messages.iter().flat_map(|m| undo(m, &key)).take(SAMPLE).collect();
        let reached = score(plain.iter().copied());
        // 8 bits of key are chosen for every `rows` bytes: that much of the ratio is luck.
        let sure = reached - 12.0 / rows as f64;
        let better = best.as_ref().is_none_or(|(old, _)| sure > old + 0.15);
        if sure >= CONVINCING && better && key.iter().any(|k| *k != 0) && reads(&plain) {
            let plain = plain.into_iter().take(256).collect();
            best = Some((sure, XorSolution { cipher: Cipher::Xor, key, plain, score: reached }));
        }
    }
    best.map(|(_, solution)| solution)
}

fn undo<'a>(message: &'a [u8], key: &'a [u8]) -> impl Iterator<Item = u8> + 'a {
    message.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k)
}

fn column_key(messages: &[&[u8]], period: usize, i: usize) -> u8 {
    let mut counts = [0u32; 256];
    for b in messages.iter().flat_map(|m| m.iter().skip(i).step_by(period)).take(SAMPLE) {
        counts[usize::from(*b)] += 1;
    }
    let present: Vec<(u8, f64)> =
        counts.iter().zip(0u8..=255).filter(|(c, _)| **c > 0).map(|(c, b)| (b, f64::from(*c))).collect();
    let weights: [f64; 256] = std::array::from_fn(|b| weight(b as u8));
    let rate = |k: u8| present.iter().map(|(b, c)| c * weights[usize::from(b ^ k)]).sum::<f64>();
    (0..=255u8).map(|k| (k, rate(k))).max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(k, _)| k)
}

/// Beyond frequencies: printable almost throughout, and with runs of letters as words have.
fn reads(plain: &[u8]) -> bool {
    let n = plain.len();
    let printable =
        plain.iter().filter(|b| (0x20..0x7f).contains(*b) || b"\n\r\t".contains(b) || **b >= 0x80).count();
    let letters =
        plain.windows(2).filter(|w| w[0].is_ascii_alphabetic() && w[1].is_ascii_alphabetic()).count();
    let vowels = plain.iter().filter(|b| b"aeiouAEIOU".contains(b)).count();
    let mut counts = [0usize; 256];
    for b in plain {
        counts[usize::from(*b)] += 1;
    }
    // Silence and padding turn into one repeated letter; prose has spaces and a dozen letters.
    let top = counts.iter().max().copied().unwrap_or(0);
    let distinct = counts.iter().filter(|c| **c > 0).count();
    let spaced = counts[32] * 100 >= n * 4 && top * 100 <= n * 35 && distinct >= 10.min(n / 2);
    spaced && printable * 100 >= n * 98 && letters * 100 >= n * 35 && vowels * 100 >= n * 12
}

fn added(messages: &[&[u8]]) -> Option<XorSolution> {
    let all: Vec<u8> = messages.iter().flat_map(|m| m.iter().copied()).take(SAMPLE).collect();
    let (key, reached) = (1..=255u8)
        .map(|k| (k, score(all.iter().map(|b| b.wrapping_sub(k)))))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    let plain: Vec<u8> = all.iter().map(|b| b.wrapping_sub(key)).collect();
    let sure = reached - 12.0 / all.len() as f64 >= CONVINCING && reads(&plain);
    sure.then(|| XorSolution {
        cipher: Cipher::Add,
        key: vec![key],
        plain: plain.into_iter().take(256).collect(),
        score: reached,
    })
}

/// Letters in per mille of English, a to z.
const ENGLISH: [f64; 26] = [
    82., 15., 28., 43., 127., 22., 20., 61., 70., 2., 8., 40., 24., 67., 75., 19., 1., 60., 63., 91., 28.,
    10., 24., 2., 20., 1.,
];

fn rotation(messages: &[&[u8]]) -> Option<XorSolution> {
    let all: Vec<u8> = messages.iter().flat_map(|m| m.iter().copied()).take(SAMPLE).collect();
    let letters = all.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let spaces = all.iter().filter(|b| **b == b' ').count();
    // Base64 and hex have no spaces; few letters decide nothing.
    if letters < 40 || letters * 10 < all.len() * 6 || spaces * 12 < all.len() {
        return None;
    }
    let fit = |k: u8| {
        all.iter()
            .map(|b| turned(*b, k))
            .filter(u8::is_ascii_alphabetic)
            .map(|b| (ENGLISH[usize::from(b.to_ascii_lowercase() - b'a')] * 0.026).log2())
            .sum::<f64>()
            / letters as f64
    };
    let (key, reached) = (1..26u8).map(|k| (k, fit(k))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    let plain: Vec<u8> = all.iter().map(|b| turned(*b, key)).collect();
    let sure = reached > 0.35 && reached > fit(0) + 0.8 && reads(&plain);
    sure.then(|| XorSolution {
        cipher: Cipher::Rotation,
        key: vec![key],
        plain: plain.into_iter().take(256).collect(),
        score: reached,
    })
}

/// A letter turned back by `k` places of the alphabet.
pub(super) fn turned(b: u8, k: u8) -> u8 {
    match b {
        b'a'..=b'z' => (b - b'a' + 26 - k) % 26 + b'a',
        b'A'..=b'Z' => (b - b'A' + 26 - k) % 26 + b'A',
        _ => b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"Are you coming tonight? The train leaves at eight and I will wait by the north entrance until nine.";

    #[test]
    fn short_keys_are_found() {
        for key in [&b"\x5a"[..], b"\x13\xc7", b"key!", b"\x91\x02\x7f\xe0\x44"] {
            let hidden: Vec<u8> = undo(TEXT, key).collect();
            let found = solve_xor(&hidden).expect("solved");
            assert_eq!(found.plain, TEXT);
            assert_eq!(found.key, key);
        }
    }

    #[test]
    fn turned_letters_are_found_and_clear_text_is_left_alone() {
        let hidden: Vec<u8> = TEXT.iter().map(|b| turned(*b, 13)).collect();
        assert_eq!(solve_xor(&hidden).expect("solved").plain, TEXT);
        assert_eq!(solve_xor(TEXT), None);
    }

    #[test]
    fn digests_are_never_solved() {
        use sha2::Digest;
        for i in 0..3000u32 {
            let hash = sha2::Sha512::digest(i.to_le_bytes());
            assert_eq!(solve_xor(&hash), None);
            assert_eq!(solve_xor(hash.get(..16).unwrap()), None);
        }
    }
}
