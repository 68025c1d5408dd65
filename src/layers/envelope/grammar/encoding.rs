//! Encodings of bytes as text, undone strictly: what is not entirely base64 is not base64.

use crate::bytes;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The longest text that is decoded.
const LONGEST: usize = 16 * 1024 * 1024;

const ANY_PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(false);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);

/// Base64 in either alphabet, padded or not, without any white space.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// Base64 broken into lines.
pub fn base64_lines(text: &str) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        return None;
    }
    let joined: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    base64(&joined)
}

/// Base64url without padding, as JOSE writes it (RFC 7515 section 2). Empty text is no bytes.
pub fn base64url(text: &str) -> Option<Vec<u8>> {
    if text.contains('=') || text.len() > LONGEST {
        return None;
    }
    URL_SAFE.decode(text).ok()
}

/// Hexadecimal digits of one case.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let upper = digits.iter().any(u8::is_ascii_uppercase);
    let lower = digits.iter().any(u8::is_ascii_lowercase);
    if digits.is_empty() || !digits.len().is_multiple_of(2) || digits.len() > LONGEST || (upper && lower) {
        return None;
    }
    bytes::unhex(text)
}

fn digit(b: u8) -> Option<u8> {
    (b as char).to_digit(16).map(|d| d as u8)
}

/// Undoes `%xx` and `+` of a form field (WHATWG URL, application/x-www-form-urlencoded).
pub fn form_field(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&b, after)) = rest.split_first() {
        rest = after;
        match b {
            b'+' => out.push(b' '),
            b'%' => {
                let (pair, after) = rest.split_first_chunk::<2>()?;
                out.push(digit(pair[0])? << 4 | digit(pair[1])?);
                rest = after;
            }
            b => out.push(b),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_encodings_decode() {
        assert_eq!(base64("_-8="), Some(vec![0xff, 0xef]));
        assert_eq!(base64("/+8"), Some(vec![0xff, 0xef]));
        assert_eq!(base64("a b"), None);
        assert_eq!(unhex("00fF"), None);
        assert_eq!(unhex("00ff"), Some(vec![0, 255]));
        assert_eq!(form_field("%2AA+b"), Some(b"*A b".to_vec()));
        assert_eq!(form_field("%2"), None);
    }
}
