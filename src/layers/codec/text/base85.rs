//! Five characters for four octets: Ascii85 (Adobe), Z85 (ZeroMQ RFC 32) and the alphabet of RFC 1924 that
//! git and Python use. Without Ascii85's brackets only what comes out as text or behind a magic is believed.

use super::{Decoded, form_of, readable};
use crate::bytes::begins_text;
use crate::peel::Form;

const Z85: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const RFC_1924: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
/// Octets that must come out before text is no accident.
const LEAST: usize = 16;
/// How compressed data and property lists begin.
const MAGICS: [&[u8]; 5] =
    [b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"bplist0", b"\x04\x22\x4d\x18", b"PK\x03\x04"];

pub(super) fn base85(bytes: &[u8]) -> Decoded {
    if let Some(inner) = bytes.strip_prefix(b"<~").and_then(|b| b.strip_suffix(b"~>")) {
        let plain = groups(&ascii85(inner)?)?;
        let form = form_of(&plain);
        return Some((plain, form));
    }
    // The marks of these alphabets are not in words, and words have spaces between them.
    if bytes.len() < LEAST * 5 / 4
        || bytes.iter().any(|b| !b.is_ascii_graphic())
        || !bytes.iter().any(u8::is_ascii_punctuation)
    {
        return None;
    }
    let readings = [ascii85(bytes), translated(bytes, &Z85_DIGITS), translated(bytes, &RFC_1924_DIGITS)];
    readings.into_iter().flatten().find_map(|digits| {
        // The beginning settles most of what only has the characters.
        let start = groups(digits.get(..LEAST * 5).unwrap_or(&digits))?;
        let known = MAGICS.iter().any(|m| start.starts_with(m));
        if !known && !begins_text(&start) {
            return None;
        }
        let plain = groups(&digits)?;
        let text = plain.len() >= LEAST && readable(&plain);
        (text || known).then_some((plain, if text { Form::Text } else { Form::Binary }))
    })
}

static Z85_DIGITS: [u8; 256] = digits(Z85);
static RFC_1924_DIGITS: [u8; 256] = digits(RFC_1924);

/// What each character stands for; 255 for no digit.
const fn digits(alphabet: &[u8; 85]) -> [u8; 256] {
    let mut digits = [255; 256];
    let mut i = 0;
    while i < alphabet.len() {
        digits[alphabet[i] as usize] = i as u8;
        i += 1;
    }
    digits
}

/// The digits of Ascii85.
fn ascii85(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut digits = Vec::with_capacity(bytes.len());
    for b in bytes.iter().filter(|b| !b.is_ascii_whitespace()) {
        match b {
            b'z' if digits.len() % 5 == 0 => digits.extend([0; 5]),
            b'!'..=b'u' => digits.push(b - b'!'),
            _ => return None,
        }
    }
    Some(digits)
}

/// The digits of an alphabet.
fn translated(bytes: &[u8], digits: &[u8; 256]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = bytes.iter().map(|b| digits[usize::from(*b)]).collect();
    (!digits.contains(&255)).then_some(digits)
}

/// Groups of five; a shorter one at the end is filled with the highest digit and cut.
fn groups(digits: &[u8]) -> Option<Vec<u8>> {
    if digits.len() % 5 == 1 {
        return None;
    }
    let mut plain = Vec::with_capacity(digits.len() / 5 * 4 + 4);
    for group in digits.chunks(5) {
        let digit = |i: usize| u64::from(group.get(i).copied().unwrap_or(84));
        let value = (0..5).fold(0u64, |n, i| n * 85 + digit(i));
        let four = u32::try_from(value).ok()?.to_be_bytes();
        plain.extend_from_slice(four.get(..group.len() - 1)?);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_from_each_alphabet() {
        let seen = Some((b"see you at noon or six".to_vec(), Form::Text));
        for text in ["F(Jo*H#IgJ@<<W0Df9M9DfQtABm9", "<~F(Jo*H#IgJ@<<W0Df9M9DfQtABm9~>"] {
            let got = base85(text.as_bytes());
            assert_eq!(got.as_ref().map(|(b, _)| b.starts_with(b"see you")), Some(true), "{text} {got:?}");
        }
        let encode = |table: &[u8; 85]| -> Vec<u8> {
            let text = b"see you at noon or six";
            let filled: Vec<u8> = text.iter().copied().chain([0; 2]).collect();
            let mut out: Vec<u8> = filled
                .chunks_exact(4)
                .flat_map(|four| {
                    let n = u32::from_be_bytes([four[0], four[1], four[2], four[3]]);
                    [52_200_625, 614_125, 7_225, 85, 1].map(|p| table[(n / p % 85) as usize])
                })
                .collect();
            out.truncate(out.len() - 2);
            out
        };
        assert_eq!(base85(&encode(Z85)), seen);
        assert_eq!(base85(&encode(RFC_1924)), seen);
        for text in
            ["https://example.org/a/b?c=d&e=f", "see you at the old bridge!", "a.b.c.d-e-f-g-h-i-j-k-l"]
        {
            assert_eq!(base85(text.as_bytes()), None, "{text}");
        }
    }
}
