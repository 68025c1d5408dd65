//! Texts and datagrams that announce end-to-end encryption or give its keys away: RCS over CPIM, SDES in
//! session descriptions, ZRTP, Fernet tokens.

use super::grammar::encoding::{base64, base64_lines};
use super::grammar::signs;
use super::{Class, Envelope, Form, Recogniser, Tier, recognise_as};
use crate::bytes::Cursor;

/// CPIM messages of RCS, read as bytes since their body may be binary.
pub const RCS: Recogniser =
    Recogniser { format_family: "rcs", title: "RCS encrypted messages", tries: Form::Binary, recognise: rcs };
/// Session descriptions with keys.
pub const SDES: Recogniser =
    Recogniser { format_family: "sdes", title: "SDES keys", tries: Form::Text, recognise: sdes };
/// ZRTP packets.
pub const ZRTP: Recogniser =
    Recogniser { format_family: "zrtp", title: "ZRTP", tries: Form::Binary, recognise: zrtp };
/// Fernet tokens, decoded.
pub const FERNET: Recogniser =
    Recogniser { format_family: "fernet", title: "Fernet tokens", tries: Form::Binary, recognise: fernet };

/// CPIM headers (RFC 3862), a blank line, MIME headers, a blank line, the body.
fn rcs(bytes: &[u8]) -> Option<Envelope> {
    if !bytes.first()?.is_ascii_alphabetic() || bytes.len() < 64 {
        return None;
    }
    let head = bytes.get(..4096).unwrap_or(bytes);
    let name = memchr::memmem::find(head, b"\nContent-Type: ")?;
    let line = head.get(name + 15..)?;
    let end = line.iter().position(|&b| b == b'\r' || b == b'\n')?;
    let kind = std::str::from_utf8(line.get(..end)?).ok()?;
    let kind = kind.split(';').next()?.trim().to_ascii_lowercase();
    let format = match kind.as_str() {
        "message/mls" | "message/mls-rcs-client" | "message/mls-rcs-server" => "rcs-mls",
        "application/vnd.google.rcs.encrypted" => "rcs-google-encrypted",
        _ => return None,
    };
    let after = line.get(end..)?;
    let body = memchr::memmem::find(after, b"\r\n\r\n")
        .map(|n| n + 4)
        .or_else(|| memchr::memmem::find(after, b"\n\n").map(|n| n + 2))?;
    let start = name + 15 + end + body;
    let raw = bytes.get(start..)?;
    let decoded = std::str::from_utf8(raw).ok().and_then(base64_lines).unwrap_or_else(|| raw.to_vec());
    if format == "rcs-mls" {
        let inner = recognise_as("mls", &decoded)?;
        return Some(Envelope { format, protocol: "RCS (MLS)", ..inner }.decoded(decoded));
    }
    // The inner layout is not public: the content type names it, text in it refutes it.
    if decoded.len() < 16 {
        return None;
    }
    let sign = signs::not_ciphertext(&decoded);
    let envelope = Envelope::new(format, "RCS (Google)", Class::E2eeMessage, Tier::T2)
        .fact("ciphertext_bytes", decoded.len() as u64);
    Some(envelope.decoded(decoded).broken_if(sign))
}

/// `a=crypto:1 SUITE inline:key` (RFC 4568): whoever reads the signalling has the master key.
fn sdes(bytes: &[u8]) -> Option<Envelope> {
    memchr::memmem::find(bytes, b"a=crypto:")?;
    let text = std::str::from_utf8(bytes).ok()?;
    let mut suites = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.trim().strip_prefix("a=crypto:") else {
            continue;
        };
        let mut words = rest.split_ascii_whitespace();
        let (tag, suite) = (words.next()?, words.next()?);
        let key = words.next()?.strip_prefix("inline:")?.split('|').next()?;
        let key_fits = base64(key).is_some_and(|k| (16..=62).contains(&k.len()));
        if tag.bytes().all(|b| b.is_ascii_digit()) && key_fits {
            suites.push(suite.to_owned());
        }
    }
    (!suites.is_empty()).then(|| {
        Envelope::new("sdes-key", "SDES-SRTP", Class::Broken, Tier::T1)
            .because("the media key stands in the session description")
            .fact("suites", suites)
    })
}

/// A ZRTP packet (RFC 6189 section 5): cookie, preamble, length in words, CRC-32C.
fn zrtp(bytes: &[u8]) -> Option<Envelope> {
    if bytes.first() != Some(&0x10) || bytes.get(4..8) != Some(b"ZRTP") {
        return None;
    }
    let (body, sum) = bytes.split_last_chunk::<4>()?;
    let mut c = Cursor::new(body.get(12..)?);
    let preamble = c.u16()?;
    let words = usize::from(c.u16()?);
    let name = std::str::from_utf8(c.take(8)?).ok()?.trim_end();
    let known = [
        "Hello", "HelloACK", "Commit", "DHPart1", "DHPart2", "Confirm1", "Confirm2", "Conf2ACK", "Error",
        "ErrorACK", "GoClear", "ClearACK", "SASrelay", "RelayACK", "Ping", "PingACK",
    ];
    let whole = 12 + words * 4 == body.len();
    if preamble != 0x505a || !whole || !known.contains(&name) || crc32c(body) != u32::from_le_bytes(*sum) {
        return None;
    }
    Some(Envelope::new("zrtp", "ZRTP", Class::E2eeHandshake, Tier::T1).fact("message", name))
}

/// CRC-32C, sent least significant byte first as in SCTP (RFC 4960 appendix B).
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| {
        if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 }
    };
    !bytes.iter().fold(u32::MAX, |crc, &b| (0..8).fold(crc ^ u32::from(b), step))
}

/// 0x80, time, IV 16, AES-CBC, HMAC 32: a token of a server for itself.
fn fernet(bytes: &[u8]) -> Option<Envelope> {
    let (&[0x80], rest) = bytes.split_first_chunk::<1>()? else {
        return None;
    };
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    let blocks = rest.len().checked_sub(16 + 32)?;
    let fits = (1_000_000_000..4_000_000_000).contains(&time) && blocks > 0 && blocks.is_multiple_of(16);
    fits.then(|| {
        Envelope::new("fernet", "Fernet", Class::Symmetric, Tier::T1)
            .fact("timestamp", time)
            .nonce(Some(9..25))
            .sealed(Some(25..25 + blocks))
    })
}
