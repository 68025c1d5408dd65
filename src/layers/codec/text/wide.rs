//! Text in units of two and four octets (Unicode 16, sections 3.9 and 3.10).

use super::{Decoded, readable};
use crate::peel::Form;

pub(super) fn utf16(bytes: &[u8]) -> Decoded {
    if bytes.len() < 8 || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let (body, little) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, Some(true)),
        [0xfe, 0xff, rest @ ..] => (rest, Some(false)),
        _ => (bytes, None),
    };
    if zeros_in(bytes) * 4 <= body.len() && little.is_none() {
        return None;
    }
    let zeros = |odd: usize| body.iter().skip(odd).step_by(2).filter(|b| **b == 0).count() * 4 > body.len();
    let little = match little {
        Some(l) => l,
        None if zeros(1) => true,
        None if zeros(0) => false,
        None => return None,
    };
    let unit =
        |p: &[u8]| if little { u16::from_le_bytes([p[0], p[1]]) } else { u16::from_be_bytes([p[0], p[1]]) };
    let text: Option<String> = char::decode_utf16(body.chunks_exact(2).map(unit)).map(Result::ok).collect();
    let text = text?.into_bytes();
    readable(&text).then_some((text, Form::Text))
}

/// Counted by chunks whose sums fit an octet, so that many are counted at once.
fn zeros_in(bytes: &[u8]) -> usize {
    let of = |chunk: &[u8]| usize::from(chunk.iter().map(|b| u8::from(*b == 0)).sum::<u8>());
    bytes.chunks(255).map(of).sum()
}

pub(super) fn utf32(bytes: &[u8]) -> Decoded {
    if bytes.len() < 12 || !bytes.len().is_multiple_of(4) {
        return None;
    }
    // A unit never reaches beyond 0x10ffff, so one of its ends is zero.
    let little = bytes.chunks_exact(4).all(|u| u[3] == 0);
    let unit = |u: &[u8]| match little {
        true => u32::from_le_bytes([u[0], u[1], u[2], u[3]]),
        false => u32::from_be_bytes([u[0], u[1], u[2], u[3]]),
    };
    let mut text = String::with_capacity(bytes.len() / 4);
    for (i, u) in bytes.chunks_exact(4).enumerate() {
        let c = char::from_u32(unit(u))?;
        // A mark of the byte order, at the start only.
        if !(i == 0 && c == '\u{feff}') {
            text.push(c);
        }
    }
    // Neither a zero nor a private character is text, and zeros abound where this is looked for.
    let strange = |c: char| c == '\0' || ('\u{e000}'..='\u{f8ff}').contains(&c) || c > '\u{2ffff}';
    let plain = text.chars().count() >= 3 && !text.contains(strange) && readable(text.as_bytes());
    plain.then_some((text.into_bytes(), Form::Text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_octets_a_character() {
        let text = "see é 明日";
        for bytes in [
            text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect::<Vec<u8>>(),
            text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
        ] {
            assert_eq!(utf32(&bytes), Some((text.as_bytes().to_vec(), Form::Text)));
            assert_eq!(utf32(&bytes[1..]), None);
        }
        assert_eq!(utf32(&[0; 64]), None);
    }
}
