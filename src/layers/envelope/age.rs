//! age files (C2SP `age.md`), version 1.

use super::grammar::encoding::base64;
use super::{Class, Envelope, Form, Recogniser, Tier};

/// Binary age files; the armored form is read by the armor recogniser.
pub const FILES: Recogniser =
    Recogniser { format_family: "age", title: "age encrypted files", tries: Form::Binary, recognise };

const MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// Nonce of 16 and at least one chunk's tag.
const LEAST_PAYLOAD: usize = 32;

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut kinds = Vec::new();
    loop {
        let (line, after) = line(rest)?;
        rest = after;
        if let Some(mac) = line.strip_prefix("--- ") {
            if mac.len() != 43 || base64(mac).is_none() {
                return None;
            }
            break;
        }
        let kind = line.strip_prefix("-> ")?.split(' ').next().filter(|k| !k.is_empty())?;
        kinds.push(kind.to_owned());
        rest = stanza_body(rest)?;
        if kinds.len() > 1000 {
            return None;
        }
    }
    if kinds.is_empty() || rest.len() < LEAST_PAYLOAD {
        return None;
    }
    let password = kinds.iter().any(|k| k == "scrypt");
    if password && kinds.len() > 1 {
        return None;
    }
    let class = if password { Class::Symmetric } else { Class::E2eeMessage };
    let start = bytes.len() - rest.len();
    let real = kinds.iter().filter(|k| !k.ends_with("-grease")).count() as u64;
    let envelope = Envelope::new("age", "age", class, Tier::T1)
        .fact("recipients", real)
        .fact("recipient_kinds", kinds)
        .nonce(Some(start..start + 16))
        .sealed(Some(start + 16..bytes.len()));
    Some(envelope)
}

/// A line of printable ASCII and what follows it.
fn line(rest: &[u8]) -> Option<(&str, &[u8])> {
    let end = rest.iter().take(4096).position(|&b| b == b'\n')?;
    let (line, after) = rest.split_at_checked(end)?;
    let printable = line.iter().all(|b| (0x20..0x7f).contains(b));
    Some((std::str::from_utf8(line).ok().filter(|_| printable)?, after.get(1..)?))
}

/// Base64 in lines of 64 columns; the last line is shorter, possibly empty.
fn stanza_body(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let (text, after) = line(rest)?;
        rest = after;
        let valid = text.is_empty() || base64(text).is_some();
        if text.len() > 64 || !valid || text.contains('=') {
            return None;
        }
        if text.len() < 64 {
            return Some(rest);
        }
    }
}
