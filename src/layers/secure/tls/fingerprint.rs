//! Fingerprints of a client's hello: JA3 and JA4.
//!
//! JA3 joins version, suites, extensions, groups and point formats in decimal. JA4 (the TLS client
//! part of the specification that FoxIO publishes under a BSD licence) counts and sorts them.

use super::hello::ClientHello;
use super::suite::is_grease;
use crate::bytes::hex;
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fmt::Write;

/// The JA3 string.
pub(super) fn ja3(hello: &ClientHello) -> String {
    let mut text = String::with_capacity(256);
    let _ = write!(text, "{}", hello.version);
    for list in [&hello.suites, &hello.extensions, &hello.groups] {
        decimals(&mut text, list.iter().copied().filter(|v| !is_grease(*v)));
    }
    decimals(&mut text, hello.point_formats.iter().copied().map(u16::from));
    text
}

/// A comma, then the numbers with dashes between them.
fn decimals(text: &mut String, list: impl Iterator<Item = u16>) {
    text.push(',');
    for (i, v) in list.enumerate() {
        if i > 0 {
            text.push('-');
        }
        // Sixty of them in every hello: the formatting machinery would be half of the work on it.
        let digits = [10_000, 1000, 100, 10, 1].map(|unit| char::from(b'0' + (v / unit % 10) as u8));
        let first = digits.iter().take(4).take_while(|d| **d == '0').count();
        text.extend(digits.iter().skip(first));
    }
}

/// The MD5 of a JA3 string, in hexadecimal.
pub(super) fn ja3_digest(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

/// The JA4 fingerprint of a hello over TCP, or over datagrams where it has a cookie's place.
pub(super) fn ja4(hello: &ClientHello) -> String {
    let real = |list: &[u16]| -> Vec<u16> { list.iter().copied().filter(|v| !is_grease(*v)).collect() };
    let (mut suites, mut extensions) = (real(&hello.suites), real(&hello.extensions));
    let transport = if hello.cookie.is_some() { 'd' } else { 't' };
    // DTLS counts its versions downwards.
    let newest = match transport {
        'd' => hello.versions.iter().copied().filter(|v| v >> 8 == 0xfe).min(),
        _ => hello.versions.iter().copied().max(),
    };
    let version = match newest.unwrap_or(hello.version) {
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    };
    let name = if extensions.contains(&0) { 'd' } else { 'i' };
    let head = format!(
        "{transport}{version}{name}{:02}{:02}{}",
        suites.len().min(99),
        extensions.len().min(99),
        ends(&hello.alpn_raw)
    );
    suites.sort_unstable();
    extensions.retain(|e| *e != 0 && *e != 16);
    extensions.sort_unstable();
    let mut second = codes(&extensions);
    if !hello.signatures.is_empty() && !second.is_empty() {
        let _ = write!(second, "_{}", codes(&real(&hello.signatures)));
    }
    format!("{head}_{}_{}", short(&codes(&suites)), short(&second))
}

/// First and last character of the first protocol offered; of its hexadecimal form where either is
/// neither a letter nor a digit.
fn ends(protocol: &[u8]) -> String {
    let (Some(first), Some(last)) = (protocol.first(), protocol.last()) else { return "00".into() };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return format!("{}{}", *first as char, *last as char);
    }
    format!("{:x}{:x}", first >> 4, last & 15)
}

fn codes(list: &[u16]) -> String {
    let mut text = String::with_capacity(list.len() * 5);
    for (i, v) in list.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        let digits = [12, 8, 4, 0].map(|shift| char::from_digit(u32::from(v >> shift & 15), 16));
        text.extend(digits.into_iter().flatten());
    }
    text
}

/// First 12 hexadecimal digits of the SHA-256, or zeros for nothing.
fn short(text: &str) -> String {
    if text.is_empty() {
        return "000000000000".into();
    }
    hex(Sha256::digest(text.as_bytes()).get(..6).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the specification.
    #[test]
    fn makes_the_fingerprint_of_the_specification() {
        let hello = ClientHello {
            version: 0x0303,
            suites: vec![
                0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
                0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023,
                0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015,
            ],
            versions: vec![0x0304, 0x0303],
            alpn_raw: b"h2".to_vec(),
            signatures: vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
            ..ClientHello::default()
        };
        assert_eq!(ja4(&hello), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn odd_protocol_names_are_shown_in_hexadecimal() {
        assert_eq!(
            (ends(b""), ends(b"h2"), ends(b"h"), ends(&[0xab, 0xcd])),
            ("00".into(), "h2".into(), "hh".into(), "ad".into())
        );
    }
}
