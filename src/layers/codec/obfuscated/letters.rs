//! Operations on letters: all turned by the same number, or the text backwards.

use super::Decoded;
use super::words::{frequent, frequent_backwards, is_json};
use crate::peel::Form;

/// Different frequent words that make a reading.
const ENOUGH: usize = 3;
/// Octets whose letters are counted.
const SAMPLE: usize = 2048;
/// By how much the turned text must fit better than the text as it stands: nine to eight.
const BETTER: (u32, u32) = (9, 8);
/// How often the letters occur in English, per thousand: near enough for its neighbours.
const SHARES: [u32; 26] =
    [82, 15, 28, 43, 127, 22, 20, 61, 70, 2, 8, 40, 24, 67, 75, 19, 1, 60, 63, 91, 28, 10, 24, 2, 20, 1];

/// Letters turned by the number under which they are as frequent as in a language, if that gives several
/// frequent words where there was none.
pub(super) fn caesar(bytes: &[u8]) -> Decoded {
    memchr::memchr(b' ', bytes)?;
    // Twice, so that every turn is a run of them.
    let mut counts = [0u32; 52];
    for b in bytes.iter().take(SAMPLE).filter(|b| b.is_ascii_alphabetic()) {
        counts[usize::from(b.to_ascii_lowercase() - b'a')] += 1;
    }
    counts.copy_within(..26, 26);
    let letters: u32 = counts[..26].iter().sum();
    if letters < 16 {
        return None;
    }
    let fit =
        |turn: usize| -> u32 { counts[26 - turn..][..26].iter().zip(&SHARES).map(|(n, s)| n * s).sum() };
    // Plain text fits about as well as it stands; what is turned fits much worse.
    let unturned = fit(0);
    let mut turns: Vec<(u32, usize)> =
        (1..26).map(|t| (fit(t), t)).filter(|(fit, _)| *fit * BETTER.1 > unturned * BETTER.0).collect();
    if turns.is_empty() {
        return None;
    }
    turns.sort_by_key(|(fit, turn)| (std::cmp::Reverse(*fit), *turn));
    let before = frequent(std::str::from_utf8(bytes).ok()?);
    turns.into_iter().take(4).find_map(|(_, turn)| {
        let plain = turned(bytes, turn as u8);
        let after = frequent(std::str::from_utf8(&plain).ok()?);
        (after >= ENOUGH && after > 3 * before).then_some((plain, Form::Text))
    })
}

fn turned(bytes: &[u8], by: u8) -> Vec<u8> {
    let turn = |b: u8, a: u8| (b - a + by) % 26 + a;
    let one = |b: &u8| match b {
        b'a'..=b'z' => turn(*b, b'a'),
        b'A'..=b'Z' => turn(*b, b'A'),
        other => *other,
    };
    bytes.iter().map(one).collect()
}

/// Backwards, where that is a JSON document, padded base64, or has several frequent words where there was
/// none.
pub(super) fn reversed(bytes: &[u8]) -> Decoded {
    let (first, last) = (*bytes.first()?, *bytes.last()?);
    if !matches!((first, last), (b'=', _) | (b'}', b'{') | (b']', b'[')) {
        // Sentences alone are left.
        memchr::memchr(b' ', bytes).filter(|_| bytes.len() >= 16)?;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let back = || text.chars().rev().collect::<String>();
    let padding = bytes.starts_with(b"=") && bytes.len() >= 16 && bytes.len().is_multiple_of(4);
    let core = text.trim_start_matches('=');
    if padding && core.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b)) {
        return Some((back().into_bytes(), Form::Text));
    }
    if matches!((first, last), (b'}', b'{') | (b']', b'[')) {
        let back = back();
        return is_json(&back).then(|| (back.into_bytes(), Form::Text));
    }
    if bytes.len() < 16 || !bytes.contains(&b' ') {
        return None;
    }
    let after = frequent_backwards(text);
    (after >= ENOUGH && after > 3 * frequent(text)).then(|| (back().into_bytes(), Form::Text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "see you tomorrow at noon under the old bridge, and bring the money for all of them";

    #[test]
    fn letters_come_back_and_sentences_stay() {
        for by in [1, 5, 13, 22] {
            assert_eq!(caesar(&turned(TEXT.as_bytes(), by)).map(|d| d.0), Some(TEXT.as_bytes().to_vec()));
        }
        let back: String = TEXT.chars().rev().collect();
        assert_eq!(reversed(back.as_bytes()).map(|d| d.0), Some(TEXT.as_bytes().to_vec()));
        assert_eq!(reversed(b"}\"b\":\"a\"{").map(|d| d.0), Some(b"{\"a\":\"b\"}".to_vec()));
        assert_eq!(reversed(b"==wb5BSZlNHIh91").map(|d| d.0), None);
        assert_eq!(reversed(b"==gb5BSZlNHIh91a").map(|d| d.0), Some(b"a19hIHNlZSB5bg==".to_vec()));
        for text in
            [TEXT, "Wir sehen uns morgen an der alten Brücke", "Content-Type: text/plain; charset=utf-8"]
        {
            assert_eq!(caesar(text.as_bytes()), None);
            assert_eq!(reversed(text.as_bytes()), None);
        }
    }
}
