//! SDP (RFC 8866): the description of a call's media, one item for each line. What it says of codecs and
//! keys is left to the media of the same two hosts.

use crate::model::{Side, Value};
use crate::peel::{Eats, End, Family, Form, Guard, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The row.
pub static SPEC: Spec = Spec {
    name: "sdp",
    title: "SDP (RFC 8866)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text],
    answers: |h| matches!(h, Hint::ContentType(t) if t == "application/sdp"),
    shapes: &[],
    probe: Some(probe),
    facts: &[
        "sdp.media",
        "sdp.protocol",
        "sdp.codec",
        "sdp.fingerprint",
        "sdp.setup",
        "sdp.ice",
        "sdp.crypto",
        "sdp.crypto_suite",
        "sdp.zrtp",
    ],
    notes: &[],
    open: || Box::new(Sdp),
};

/// Where media looks for the names of its payload types, and for how its keys are agreed on: `d` DTLS,
/// `s` SDES, `z` ZRTP, `-` not at all.
const CODECS: &str = "sdp.codec";
const KEYING: &str = "sdp.keying";
/// Where media finds the keys that stand here: a value is 1 where they were confidential on the wire, the length
/// of the suite's name, the name, master key and salt.
const KEYS: &str = "sdes";
/// Keys between two hosts that are kept.
const PLACES: u8 = 32;
/// Where DTLS looks for the digests of its certificates.
const FINGERPRINTS: &str = "sdp.fingerprint";

fn probe(p: &Probe<'_>) -> Guess {
    let begins = p.bytes.starts_with(b"v=0\r\n") || p.bytes.starts_with(b"v=0\n");
    if begins && memchr::memmem::find(p.bytes, b"\no=").is_some() { Guess::Sure } else { Guess::No }
}

struct Sdp;

impl Peeler for Sdp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let mut keying = None;
        for line in input.bytes.split(|b| *b == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Ok(text) = std::str::from_utf8(line) else { continue };
            let Some((kind, value)) = text.split_once('=') else { continue };
            match kind {
                "m" => media(value, &mut keying, out),
                "a" => attribute(input.side, value, &mut keying, out),
                _ => {}
            }
            let name = match kind {
                // "-" stands for none (RFC 8866 section 5.3).
                "s" if !matches!(value.trim(), "" | "-") => "subject".to_owned(),
                "a" => format!("a.{}", value.split(':').next().unwrap_or("")),
                other => other.to_owned(),
            };
            out.leaf(&name, Form::Text, input.side, line.len() as u64, End::Clear, line);
        }
        if let Some(keying) = keying {
            out.remember(KEYING, b"", vec![keying]);
        }
        Step::again(input.bytes.len())
    }
}

/// `m=` names the medium, its port, the transport and the payload types (RFC 8866 section 5.14).
fn media(value: &str, keying: &mut Option<u8>, out: &mut Out<'_, '_>) {
    let mut words = value.split(' ');
    out.fact("sdp.media", words.next().unwrap_or(""));
    let protocol = words.nth(1).unwrap_or("");
    out.fact("sdp.protocol", protocol);
    if protocol.contains("RTP/") && keying.is_none() {
        *keying = Some(b'-');
    }
}

fn attribute(side: Side, value: &str, keying: &mut Option<u8>, out: &mut Out<'_, '_>) {
    let (name, value) = value.split_once(':').unwrap_or((value, ""));
    match name {
        "rtpmap" => codec(value, out),
        "fingerprint" => {
            *keying = Some(b'd');
            out.fact("sdp.fingerprint", value);
            if let Some(digest) = value.split_once(' ').and_then(|(_, d)| digest(d)) {
                out.remember(FINGERPRINTS, &digest, vec![1]);
                let end = if side == Side::Client { &b"client"[..] } else { b"server" };
                out.remember(FINGERPRINTS, end, vec![1]);
            }
        }
        "setup" => out.fact("sdp.setup", value),
        "ice-ufrag" => out.fact("sdp.ice", true),
        // Where several ways are offered, DTLS is what ends use that know it (RFC 8827 section 6.5).
        "crypto" => {
            *keying = Some(keying.filter(|k| *k == b'd').unwrap_or(b's'));
            crypto(value, out);
        }
        "zrtp-hash" => {
            *keying = Some(keying.filter(|k| *k != b'-').unwrap_or(b'z'));
            out.fact("sdp.zrtp", value);
        }
        _ => {}
    }
}

/// `AA:BB:...` (RFC 8122 section 5).
fn digest(text: &str) -> Option<Vec<u8>> {
    let bytes = text.trim().split(':').take(65).map(|b| u8::from_str_radix(b, 16).ok());
    bytes.collect::<Option<Vec<u8>>>().filter(|d| (16..=64).contains(&d.len()))
}

/// `96 opus/48000/2` (RFC 8866 section 6.6).
fn codec(value: &str, out: &mut Out<'_, '_>) {
    let Some((number, name)) = value.split_once(' ') else { return };
    let Some(number) = number.parse::<u8>().ok().filter(|n| *n < 128) else { return };
    out.fact("sdp.codec", name.trim());
    out.remember(CODECS, &[number], name.trim().as_bytes().to_vec());
}

/// `1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^31|1:4` (RFC 4568 section 9.1): the suite, then keys, each with
/// its lifetime and identifier.
fn crypto(value: &str, out: &mut Out<'_, '_>) {
    let mut words = value.split_ascii_whitespace();
    let (Some(_), Some(suite), Some(keys)) = (words.next(), words.next(), words.next()) else { return };
    out.fact("sdp.crypto_suite", suite);
    for key in keys.split(';').filter_map(|k| k.strip_prefix("inline:")).take(8) {
        let inline = key.split('|').next().unwrap_or("");
        out.fact("sdp.crypto", Value::List(vec![Value::from(suite), Value::from(inline)]));
        if let Ok(key) = STANDARD_NO_PAD.decode(inline.trim_end_matches('=')) {
            leave(suite, &key, out);
        }
    }
}

/// Leaves a key to the media of the same two hosts. An offer is often said again.
fn leave(suite: &str, key: &[u8], out: &mut Out<'_, '_>) {
    let Ok(length) = u8::try_from(suite.len()) else { return };
    let guard = u8::from(out.guard() == Guard::Confidential);
    let value = [&[guard, length][..], suite.as_bytes(), key].concat();
    for place in 0..PLACES {
        match out.recall(KEYS, &[place]) {
            Some(known) if *known == *value => return,
            Some(_) => {}
            None => return out.remember(KEYS, &[place], value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peel::{Surroundings, Tree, Unit};

    #[test]
    fn tells_codecs_fingerprints_and_keys() {
        let text = "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nm=audio 4000 RTP/SAVP 0 96\r\na=rtpmap:96 opus/48000/2\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4\r\na=fingerprint:sha-256 AA:BB\r\na=ice-ufrag:x\r\n";
        let invite = format!(
            "INVITE sip:b@b.example SIP/2.0\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        let turns = [(Side::Client, invite)];
        let lines =
            Surroundings::new(&crate::layers::REGISTRY, 0).record(Tree::new(Unit::Datagram), &turns).lines;
        for fact in [
            "sdp.protocol=RTP/SAVP",
            "sdp.codec=opus/48000/2",
            "sdp.fingerprint=sha-256 AA:BB",
            "sdp.crypto=AES_CM_128_HMAC_SHA1_80, d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
            "sdp.ice=true",
        ] {
            assert!(lines.iter().any(|l| l.ends_with(fact)), "{fact}: {lines:#?}");
        }
    }
}
