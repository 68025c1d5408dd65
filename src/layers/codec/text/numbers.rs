//! Characters written as their numbers: decimal (`115 101 101`) or in binary digits, with or without marks
//! between them.

use super::{Decoded, readable};
use crate::peel::Form;

/// Fewer characters say nothing.
const LEAST: usize = 12;

pub(super) fn numbers(bytes: &[u8]) -> Decoded {
    let listed = |b: &u8| b.is_ascii_digit() || matches!(b, b' ' | b',' | b';' | b'[' | b']' | b'\n' | b'\r');
    if bytes.len() < 2 * LEAST || !bytes.iter().all(listed) {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let marks = |c: char| !c.is_ascii_digit();
    let parts: Vec<&str> = text.split(marks).filter(|p| !p.is_empty()).collect();
    let plain = binary(&parts).or_else(|| decimal(&parts))?;
    (plain.len() >= LEAST && is_prose(&plain)).then_some((plain, Form::Text))
}

fn decimal(parts: &[&str]) -> Option<Vec<u8>> {
    parts.iter().map(|p| p.parse().ok()).collect()
}

/// Eight binary digits a character, in groups of their own or all in one.
fn binary(parts: &[&str]) -> Option<Vec<u8>> {
    let digits =
        parts.iter().all(|p| p.len().is_multiple_of(8) && p.bytes().all(|b| matches!(b, b'0' | b'1')));
    let octet = |p: &[u8]| u8::from_str_radix(std::str::from_utf8(p).ok()?, 2).ok();
    parts
        .iter()
        .filter(|_| digits)
        .flat_map(|p| p.as_bytes().chunks(8))
        .map(octet)
        .collect::<Option<Vec<u8>>>()
        .filter(|plain| !plain.is_empty())
}

/// Mostly letters, with spaces between them: numbers that count or measure something give other characters.
fn is_prose(plain: &[u8]) -> bool {
    let Some(text) = std::str::from_utf8(plain).ok().filter(|_| readable(plain)) else { return false };
    let letters = text.chars().filter(|c| c.is_alphabetic() || *c == ' ').count();
    text.contains(' ') && letters * 10 >= text.chars().count() * 7
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &[u8] = b"see you at noon";

    fn written(mark: &str, f: fn(&u8) -> String) -> Vec<u8> {
        SAID.iter().map(f).collect::<Vec<_>>().join(mark).into_bytes()
    }

    #[test]
    fn numbers_that_spell_a_text_come_back() {
        for mark in [" ", ",", ", "] {
            assert_eq!(numbers(&written(mark, u8::to_string)).map(|d| d.0).as_deref(), Some(SAID));
        }
        for mark in ["", " "] {
            assert_eq!(numbers(&written(mark, |b| format!("{b:08b}"))).map(|d| d.0).as_deref(), Some(SAID));
        }
    }

    #[test]
    fn measurements_and_long_numbers_do_not() {
        for text in [
            "70 72 75 71 69 68 74 77 73 70 72 71 70 69",
            "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14",
            "1732450000123456 1732450000123457",
            "0101010101010101010101010101010101010101",
            "192 168 0 1 10 0 0 1 172 16 0 1 127 0 0 1",
        ] {
            assert_eq!(numbers(text.as_bytes()), None, "{text}");
        }
    }
}
