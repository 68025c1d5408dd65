//! Base32 (RFC 4648 sections 6 and 7), whole and with zero bits at its end.

use super::{Decoded, form_of, readable};
use crate::peel::Form;

const STANDARD: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const EXTENDED_HEX: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";

pub(super) fn base32(bytes: &[u8]) -> Decoded {
    let first = *bytes.first()?;
    if bytes.len() < 16 || !(first.is_ascii_alphanumeric() && bytes.iter().all(|b| legal(*b))) {
        return None;
    }
    let compact: Vec<u8> = bytes.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    let end = compact.iter().position(|b| *b == b'=').unwrap_or(compact.len());
    let (core, padding) = compact.split_at_checked(end)?;
    let lower = core.iter().any(u8::is_ascii_lowercase);
    let padded = !padding.is_empty();
    let whole = matches!(core.len() % 8, 0 | 2 | 4 | 5 | 7) && (!padded || compact.len().is_multiple_of(8));
    if !whole || padding.iter().any(|b| *b != b'=') || lower && core.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let upper = core.to_ascii_uppercase();
    if let Some(plain) = undo(&upper, STANDARD) {
        // Words in capitals are of this alphabet, too; digits or padding are not in words.
        let digits = core.iter().filter(|b| b.is_ascii_digit()).count();
        let varied = digits >= 1 && core.len() >= 24 || padded;
        return match readable(&plain) {
            true => Some((plain, Form::Text)),
            false => (varied && !lower).then(|| (plain.clone(), form_of(&plain))),
        };
    }
    let plain = undo(&upper, EXTENDED_HEX)?;
    (readable(&plain) && plain.len() >= 12).then_some((plain, Form::Text))
}

fn legal(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'=' | b'\r' | b'\n')
}

/// Groups of five bits; what is left at the end must be zero.
fn undo(core: &[u8], alphabet: &[u8; 32]) -> Option<Vec<u8>> {
    let (mut bits, mut have, mut plain) = (0u32, 0, Vec::with_capacity(core.len() * 5 / 8));
    for b in core {
        bits = bits << 5 | alphabet.iter().position(|a| a == b)? as u32;
        have += 5;
        if have >= 8 {
            have -= 8;
            plain.push((bits >> have) as u8);
            bits &= (1 << have) - 1;
        }
    }
    (bits == 0).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_and_words_do_not_go() {
        let seen = Some((b"see you at noon".to_vec(), Form::Text));
        assert_eq!(base32(b"ONSWKIDZN52SAYLUEBXG633O"), seen);
        assert_eq!(base32(b"onswkidzn52sayluebxg633o"), seen);
        assert_eq!(base32(b"EDIMA83PDTQI0OBK41N6URRE"), seen);
        for text in [
            "INTERNATIONALISATION",
            "SEEYOUATTHEBRIDGE",
            "0123456789012345",
            "c21680ac9c634ad99a58be7f99861247",
        ] {
            assert_eq!(base32(text.as_bytes()), None, "{text}");
        }
    }
}
