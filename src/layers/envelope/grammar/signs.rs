//! Signs that a field which ought to be ciphertext is not: text, padding left in clear, repeated
//! blocks, constant keys. Each sign is sized so that a random field shows it less than once in a
//! million.

use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// Bits of surprise that a random field must not reach by chance.
const SURE: f64 = 20.0;
/// How much of a field is looked at.
const SAMPLE: usize = 64 * 1024;

/// What says that `field` is not ciphertext, if anything does.
pub fn not_ciphertext(field: &[u8]) -> Option<&'static str> {
    let field = field.get(..SAMPLE).unwrap_or(field);
    let tail = tail_run(field);
    let tail_bits = if tail >= 3 { 8.0 * (tail as f64 - 1.0) - 4.0 } else { 0.0 };
    if tail_bits >= SURE {
        return Some("padding stands in clear at the end of the ciphertext field");
    }
    let body = field.get(..field.len() - if tail >= 2 { tail } else { 0 }).unwrap_or_default();
    if text_bits(body) + tail_bits >= SURE {
        return Some("the ciphertext field is readable text");
    }
    repeated_block(field).then_some("blocks of the ciphertext repeat (ECB)")
}

/// What says that `key` is no public key anybody generated.
pub fn not_a_key(key: &[u8]) -> Option<&'static str> {
    let body = if key.len() == 33 { key.get(1..)? } else { key };
    let first = body.first()?;
    // Zero, one and a handful of other points have small order; all but these two are rare enough
    // that a list would never pay.
    let constant = body.iter().all(|b| b == first);
    let one = *first == 1 && body.iter().skip(1).all(|&b| b == 0);
    (constant || one).then_some("the public key is a constant")
}

/// Whether `bytes` read as text beyond chance.
pub fn is_text(bytes: &[u8]) -> bool {
    text_bits(bytes) >= SURE
}

/// The logarithm of how much likelier text is than chance, in bits.
pub fn text_bits(bytes: &[u8]) -> f64 {
    let printable = bytes.iter().filter(|&&b| matches!(b, 0x20..=0x7e | 9 | 10 | 13)).count() as f64;
    let other = bytes.len() as f64 - printable;
    let ascii = printable * 1.31 - other * 3.6;
    // A random byte string of n bytes is valid UTF-8 without controls about once in 2^(1.2 n).
    let utf8 = match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(|c| c.is_control() && !c.is_whitespace()) => bytes.len() as f64 * 1.2,
        _ => 0.0,
    };
    ascii.max(utf8)
}

/// The period of a short XOR key over text, if one shows: ASCII has its top bit clear, so two bytes under
/// the same key byte differ in it almost never.
pub fn repeating_xor(bytes: &[u8]) -> Option<usize> {
    const PAIRS: usize = 40;
    let sample = bytes.get(..4096).unwrap_or(bytes);
    (1..=32).find(|&period| {
        let pairs = sample.len().saturating_sub(period);
        let shifted = sample.get(period..).unwrap_or_default();
        let differ = sample.iter().zip(shifted).filter(|(a, b)| (*a ^ *b) & 0x80 != 0).count();
        pairs >= PAIRS && differ * 20 <= pairs.saturating_sub(PAIRS)
    })
}

/// Common English words of three letters and more; shorter ones turn into words of other languages.
const ENGLISH: &str = "the and you that for with this have not are was but what all were when your can said \
    there use each which she how their will other about out many then them these some her \
    would make like him into time has look two more write see number way could people than \
    first been call who its now find long down day did get come made may part over new sound \
    take only little work know place year live back give most very after thing our just name \
    good sentence man think say great where help through much before line right too mean old \
    any same tell later coming meeting lunch dinner photo photos train tomorrow today \
    tonight thanks please love home morning night hello sorry yes yeah sure really maybe \
    going want need meet soon money school";

/// Whether English appears when letters are turned by thirteen, and was not there before.
pub fn is_rot13(text: &str) -> bool {
    let text: String = text.chars().take(4096).collect();
    let turned: String = text.chars().map(turn).collect();
    let (before, after) = (english_words(&text), english_words(&turned));
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).count();
    let enough = after >= 4 || (after >= 2 && after * 2 >= words);
    enough && after > 4 * before
}

fn english_words(text: &str) -> usize {
    text.split(|c: char| !c.is_alphabetic()).filter(|w| is_english(w)).count()
}

/// No word of the list is longer, in bytes.
const LONGEST_WORD: usize = 8;

static WORDS: LazyLock<FxHashSet<&[u8]>> = LazyLock::new(|| ENGLISH.split(' ').map(str::as_bytes).collect());

fn is_english(word: &str) -> bool {
    let mut small = [0; LONGEST_WORD];
    let Some(small) = small.get_mut(..word.len()) else { return false };
    small.copy_from_slice(word.as_bytes());
    small.make_ascii_lowercase();
    WORDS.contains(&*small)
}

fn turn(c: char) -> char {
    let base = match c {
        'a'..='z' => b'a',
        'A'..='Z' => b'A',
        _ => return c,
    };
    char::from(base + (c as u8 - base + 13) % 26)
}

fn tail_run(bytes: &[u8]) -> usize {
    let Some(last) = bytes.last() else { return 0 };
    bytes.iter().rev().take_while(|b| *b == last).count()
}

/// Whether two aligned blocks of 16 bytes are equal.
pub fn repeated_block(bytes: &[u8]) -> bool {
    if bytes.len() < 32 {
        return false;
    }
    let mut blocks: Vec<&[u8]> = bytes.get(..SAMPLE).unwrap_or(bytes).chunks_exact(16).collect();
    blocks.sort_unstable();
    blocks.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_padding_and_repeats_show() {
        assert_eq!(
            not_ciphertext(b"meet me at the harbour at six"),
            Some("the ciphertext field is readable text")
        );
        assert!(not_ciphertext(b"{\"id\": \"a\"}\x05\x05\x05\x05\x05").is_some());
        assert!(not_ciphertext(&[b'm', 15, 15, 15, 15, 15, 15]).is_some());
        let block = digest(1);
        assert!(not_ciphertext(&[&block[..16], &digest(2)[..], &block[..16]].concat()).is_some());
        assert!(not_a_key(&[0; 32]).is_some() && not_a_key(&digest(1)).is_none());
    }

    #[test]
    fn only_turned_english_is_rot13() {
        assert!(is_rot13("zrrg zr ng gur genva"));
        for plain in ["meet me at the train", "va na bar con ella", "bar", "", "gur"] {
            assert!(!is_rot13(plain), "{plain}");
        }
    }

    #[test]
    fn digests_show_no_sign() {
        for n in 0..2000 {
            for length in [16, 32] {
                assert_eq!(not_ciphertext(digest(n).get(..length).unwrap()), None);
            }
        }
    }

    fn digest(n: u32) -> Vec<u8> {
        use sha2::{Digest, Sha256};
        Sha256::digest(n.to_be_bytes()).to_vec()
    }
}
