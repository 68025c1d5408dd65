//! UTF-7 (RFC 2152), where a shifted run holds letters that ASCII lacks, or a text long enough to be no chance.

use super::{Decoded, readable};
use crate::peel::Form;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Characters of ASCII in one shifted run, each with an octet of noughts, that say enough.
const SPELLED: usize = 8;

pub(super) fn utf7(bytes: &[u8]) -> Decoded {
    if memchr::memchr(b'+', bytes).is_none() || !bytes.is_ascii() {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let mut runs = text.split('+');
    let mut plain = runs.next()?.to_owned();
    let mut letters = 0;
    for run in runs {
        let end = run.find(|c: char| !(c.is_ascii_alphanumeric() || c == '/')).unwrap_or(run.len());
        let (code, rest) = run.split_at_checked(end)?;
        if code.is_empty() {
            // `+-` is a plus sign.
            plain.push('+');
            plain.push_str(rest.strip_prefix('-')?);
            continue;
        }
        // A plus before digits alone begins a number to call.
        let shifted = shifted(code).filter(|_| !code.bytes().all(|b| b.is_ascii_digit()))?;
        letters += usize::from(shifted.is_ascii() && shifted.len() >= SPELLED);
        letters += shifted.chars().filter(|c| !c.is_ascii() && c.is_alphabetic()).count();
        plain.push_str(&shifted);
        plain.push_str(rest.strip_prefix('-').unwrap_or(rest));
    }
    (letters > 0 && readable(plain.as_bytes())).then_some((plain.into_bytes(), Form::Text))
}

/// UTF-16 in base64 without padding, with zero bits at its end.
fn shifted(code: &str) -> Option<String> {
    let octets = STANDARD_NO_PAD.decode(code).ok()?;
    let units = octets.chunks_exact(2).map(|p| u16::from_be_bytes([p[0], p[1]]));
    let text: String = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
    (octets.len().is_multiple_of(2) && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifted_runs_come_back_strictly() {
        assert_eq!(utf7(b"caf+AOk- um acht").map(|d| d.0), Some("café um acht".into()));
        assert_eq!(utf7(b"1 +- 2 +ZeVnLIqe-").map(|d| d.0), Some("1 + 2 日本語".into()));
        assert_eq!(utf7(b"+AHMAZQBlACAAeQBvAHUAIABhAHQ-").map(|d| d.0), Some("see you at".into()));
        for text in ["a+b", "1+1=2", "+AGE-", "see you at +49 170 1234567", "+493055501012", "AAAA+BBBB/CCCC"]
        {
            assert_eq!(utf7(text.as_bytes()), None, "{text}");
        }
    }
}
