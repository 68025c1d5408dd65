//! Encodings that stand for bytes in text: base64, base32 and hexadecimal (RFC 4648), base85, percent
//! (RFC 3986), escapes, and text in other units than octets.

use super::decoded::{Decoded, Decoder};
use crate::peel::{Eats, Family, Form, Guess, Hint, Spec};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

macro_rules! row {
    ($static:ident, $name:literal, $title:literal, $forms:expr, $hint:literal, $decode:ident, $sure:ident) => {
        /// The row.
        pub static $static: Spec = Spec {
            name: $name,
            title: $title,
            family: Family::Codec,
            eats: Eats::Message,
            forms: $forms,
    answers: |h| matches!(h, Hint::Encoding(e) if e.eq_ignore_ascii_case($hint)),
            shapes: &[],
            probe: Some(|p| $sure($decode(p.bytes))),
            facts: &[],
            notes: &[],
            open: || Box::new(Decoder($decode)),
        };
    };
}

mod base32;
mod base85;
mod escapes;
mod gsm7;
mod numbers;
mod utf7;
mod wide;

use base32::base32;
use base85::base85;
use escapes::{entities, escapes, quoted};
use gsm7::gsm7;
use numbers::numbers;
use utf7::utf7;
use wide::{utf16, utf32};

row!(BASE64, "base64", "Base64 (RFC 4648)", &[Form::Text], "base64", base64, by_form);
row!(HEX, "hex", "Hexadecimal", &[Form::Text], "hex", hex, by_form);
row!(PERCENT, "percent", "Percent encoding (RFC 3986)", &[Form::Text], "percent", percent, by_form);
row!(BASE32, "base32", "Base32 (RFC 4648)", &[Form::Text], "base32", base32, by_form);
row!(BASE85, "base85", "Ascii85, Z85 and base85 (RFC 1924)", &[Form::Text], "base85", base85, by_form);
row!(UTF16, "utf16", "UTF-16 text", &[Form::Binary, Form::Text], "utf-16", utf16, by_form);
row!(UTF32, "utf32", "UTF-32 text", &[Form::Binary, Form::Text], "utf-32", utf32, by_form);
row!(
    QUOTED,
    "quoted-printable",
    "Quoted-printable (RFC 2045)",
    &[Form::Text],
    "quoted-printable",
    quoted,
    by_form
);
row!(ENTITIES, "entities", "Character references of HTML", &[Form::Text], "entities", entities, by_form);
row!(ESCAPES, "escapes", "Escaped characters", &[Form::Text], "escapes", escapes, by_form);

row!(UTF7, "utf7", "UTF-7 text (RFC 2152)", &[Form::Text], "utf-7", utf7, at_most_maybe);
row!(NUMBERS, "numbers", "Characters written as numbers", &[Form::Text], "charcodes", numbers, at_most_maybe);
row!(
    GSM7,
    "gsm7",
    "GSM 7-bit text, packed (3GPP TS 23.038)",
    &[Form::Binary, Form::Text],
    "gsm-7bit",
    gsm7,
    at_most_maybe
);

/// Text that came out is convincing; bytes are as convincing as the alphabet they came from.
fn by_form(decoded: Decoded) -> Guess {
    match decoded {
        Some((_, Form::Text)) => Guess::Sure,
        Some(_) => Guess::Maybe,
        None => Guess::No,
    }
}

/// What came out may be an accident.
fn at_most_maybe(decoded: Decoded) -> Guess {
    if decoded.is_some() { Guess::Maybe } else { Guess::No }
}

/// UTF-8 of some length with no control characters but white space.
fn readable(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    bytes.len() >= 4 && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

fn form_of(bytes: &[u8]) -> Form {
    if readable(bytes) { Form::Text } else { Form::Binary }
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// How often neighbouring characters are of different classes: about 0.6 in base64 of anything,
/// little in words and identifiers.
fn turns(text: &[u8]) -> f64 {
    let class = |b: &u8| match b {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let changes = text.windows(2).filter(|w| class(&w[0]) != class(&w[1])).count();
    changes as f64 / text.len().saturating_sub(1).max(1) as f64
}

fn base64(bytes: &[u8]) -> Decoded {
    // Words and sentences are turned away here, before anything is copied.
    let letter =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=' | b'\r' | b'\n');
    if bytes.len() < 12 || !bytes.iter().all(letter) {
        return None;
    }
    let compact: Vec<u8> = bytes.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    let core = compact.strip_suffix(b"==").or_else(|| compact.strip_suffix(b"=")).unwrap_or(&compact);
    let padded = core.len() != compact.len();
    if core.len() < 12 || core.len() % 4 == 1 || padded && !compact.len().is_multiple_of(4) {
        return None;
    }
    let engine = match core.iter().any(|b| matches!(b, b'-' | b'_')) {
        true => URL_SAFE,
        false => STANDARD,
    };
    let plain = match core.contains(&b'=') {
        true => padded_parts(&engine, &compact)?,
        false => engine.decode(core).ok()?,
    };
    let mixed = core.iter().any(u8::is_ascii_uppercase) && core.iter().any(u8::is_ascii_lowercase);
    if readable(&plain) {
        return (mixed || padded).then_some((plain, Form::Text));
    }
    let digits = core.iter().any(|b| b.is_ascii_digit() || b"+/-_".contains(b));
    let varied = mixed && turns(core) > if padded { 0.25 } else { 0.38 };
    (varied && (digits || padded) && core.len() >= 16).then_some((plain, Form::Binary))
}

/// Several encodings, one behind the other, each padded to its end.
fn padded_parts(engine: &GeneralPurpose, text: &[u8]) -> Option<Vec<u8>> {
    let (mut plain, mut from) = (Vec::with_capacity(text.len()), 0);
    for (n, quantum) in text.chunks(4).enumerate() {
        let to = 4 * n + quantum.len();
        if quantum.contains(&b'=') || to == text.len() {
            plain.extend(engine.decode(text.get(from..to)?).ok()?);
            from = to;
        }
    }
    Some(plain)
}

/// Pairs of digits with one and the same mark between them (`73:65:65`): dumps, and fingerprints of keys, so
/// only text counts.
fn parted_hex(bytes: &[u8]) -> Decoded {
    let mark = *bytes.get(2).filter(|m| b": -".contains(m))?;
    let pairs = bytes.chunks(3);
    let parted = pairs.clone().all(|p| p.len() == 2 || p.get(2) == Some(&mark));
    let digits: Vec<u8> = pairs.flat_map(|p| p.get(..2)).flatten().copied().collect();
    hex(&digits).filter(|(_, form)| parted && bytes.len() % 3 == 2 && *form == Form::Text)
}

fn hex(bytes: &[u8]) -> Decoded {
    if bytes.get(2).is_some_and(|b| !b.is_ascii_hexdigit()) {
        return parted_hex(bytes);
    }
    if bytes.len() < 16 || !bytes.len().is_multiple_of(2) || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let one_case = !(bytes.iter().any(u8::is_ascii_uppercase) && bytes.iter().any(u8::is_ascii_lowercase));
    let lettered = bytes.iter().any(u8::is_ascii_alphabetic);
    let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    let plain: Option<Vec<u8>> =
        bytes.chunks_exact(2).map(|p| Some(digit(p[0])? << 4 | digit(p[1])?)).collect();
    let plain = plain?;
    match form_of(&plain) {
        Form::Text => Some((plain, Form::Text)),
        form => (one_case && lettered).then_some((plain, form)),
    }
}

fn percent(bytes: &[u8]) -> Decoded {
    memchr::memchr(b'%', bytes)?;
    let escapes =
        bytes.windows(3).filter(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit());
    let escaped = escapes.count();
    if escaped == 0 || bytes.iter().any(|b| *b == b' ' || !b.is_ascii()) {
        return None;
    }
    let plain = super::escaped::percent(bytes, b' ');
    readable(&plain).then_some((plain, Form::Text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_identifiers_and_numbers_are_not_base64() {
        for text in [
            "c21680ac-9c63-4ad9-9a58-be7f99861247",
            "destinationRegistrationId",
            "application/x-protobuf",
            "the quick brown fox",
            "1732450000123456",
            "Some-Header-Name-Here",
            "internationalisation",
        ] {
            assert!(base64(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn text_and_ciphertext_in_base64_are() {
        assert_eq!(base64(b"c2VlIHlvdSBhdCBub29u"), Some((b"see you at noon".to_vec(), Form::Text)));
        let bytes: Vec<u8> = (0..48u32).map(|i| (i * i * 37 + i * 11 + 129) as u8).collect();
        let parts =
            [STANDARD.encode("see you at no"), STANDARD.encode("on by the"), STANDARD.encode("old bridge")];
        let joined = b"see you at noon by theold bridge".to_vec();
        assert_eq!(base64(parts.concat().as_bytes()), Some((joined, Form::Text)));
        assert_eq!(base64(b"c2VlIHlvdSA=YXQgbm9vb"), None);
        let (plain, form) = base64(STANDARD.encode(&bytes).as_bytes()).unwrap();
        assert_eq!((plain, form), (bytes, Form::Binary));
    }

    #[test]
    fn the_other_encodings_come_back() {
        assert_eq!(hex(b"73656520796f75206174206e6f6f6e").unwrap().0, b"see you at noon");
        assert_eq!(percent(b"see%20you%20at+noon").unwrap().0, b"see you at noon");
        let wide: Vec<u8> = "see you".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(utf16(&wide).unwrap().0, b"see you");
        assert!(hex(b"1732450000123456").is_none());
        assert_eq!(hex(b"73:65:65:20:79:6f:75:20:61:74").unwrap().0, b"see you at");
        assert_eq!(hex(b"73 65 65 20 79 6f 75 20 61 74").unwrap().0, b"see you at");
        assert!(
            hex(b"73:65:65:20:79:6f:75-20:61:74").is_none() && hex(b"73:65:65:20:79:6f:75:20:61:7").is_none()
        );
        assert!(hex(b"0a:f3:91:02:ee:41:c0:77:18:9d").is_none());
    }
}
