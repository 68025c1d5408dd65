//! The alphabets of short messages (3GPP TS 23.038).

/// The alphabet by `data_coding` (section 5.2.19) and the text, where it is one.
pub(super) fn decode(coding: u8, said: &[u8]) -> (&'static str, Option<String>) {
    let ascii = said.is_ascii();
    match coding {
        // The centre's default: GSM 7 bit, one letter an octet. Octets above that are what no such text has.
        0 | 0xf0..=0xf3 if ascii => ("GSM 7 bit", Some(gsm(said))),
        0 | 0xf0..=0xf3 => ("unknown", std::str::from_utf8(said).ok().map(str::to_owned)),
        1 if ascii => ("ASCII", Some(String::from_utf8_lossy(said).into_owned())),
        3 => ("Latin-1", Some(said.iter().map(|b| char::from(*b)).collect())),
        8 if said.len().is_multiple_of(2) => {
            let units = said.chunks_exact(2).map(|p| u16::from_be_bytes([p[0], p[1]]));
            ("UCS-2", Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()))
        }
        _ => ("binary", None),
    }
}

/// The default alphabet (3GPP TS 23.038 section 6.2.1) and its extension after an escape.
fn gsm(said: &[u8]) -> String {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    let letter = |n: u8| BASIC.chars().nth(usize::from(n)).unwrap_or('\u{fffd}');
    let mut text = String::with_capacity(said.len());
    let mut octets = said.iter();
    while let Some(octet) = octets.next() {
        if *octet != 0x1b {
            text.push(letter(*octet));
            continue;
        }
        let Some(next) = octets.next() else { break };
        text.push(match next {
            0x0a => '\u{c}',
            0x14 => '^',
            0x28 => '{',
            0x29 => '}',
            0x2f => '\\',
            0x3c => '[',
            0x3d => '~',
            0x3e => ']',
            0x40 => '|',
            0x65 => '€',
            other => letter(*other),
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphabets_decode() {
        assert_eq!(decode(0, b"at 5 \x02 \x1b\x65 \x00 noon").1.unwrap(), "at 5 $ € @ noon");
        assert_eq!(decode(8, &[0x20, 0xac, 0, b'5']).1.unwrap(), "€5");
        assert_eq!(decode(3, &[0xe9]).1.unwrap(), "é");
        assert_eq!(decode(4, &[1, 2]), ("binary", None));
        assert_eq!(decode(0, &[0xd3, 0x61]), ("unknown", None));
        assert_eq!(gsm(&[0x7f, 0x1b]), "à");
    }
}
