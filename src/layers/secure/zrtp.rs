//! ZRTP (RFC 6189): two ends of a call agree on its keys in the media stream itself. Only they can tell,
//! by reading a short string to each other, that nobody stands between them.

use crate::bytes::Cursor;
use crate::model::Value;
use crate::peel::{Eats, Family, Form, Guess, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "zrtp",
    title: "ZRTP (RFC 6189)",
    family: Family::Secure,
    eats: Eats::Datagram,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &[
        "zrtp.message",
        "zrtp.version",
        "zrtp.client",
        "zrtp.zid",
        "zrtp.offered",
        "zrtp.hash",
        "zrtp.cipher",
        "zrtp.auth_tag",
        "zrtp.key_agreement",
        "zrtp.sas",
        "zrtp.error",
        "zrtp.agreed",
    ],
    notes: &["zrtp-malformed"],
    open: || Box::new(Zrtp::default()),
};

/// "ZRTP", and what begins every message (RFC 6189 sections 5 and 5.1).
const COOKIE: [u8; 4] = *b"ZRTP";
const PREAMBLE: u16 = 0x505a;
/// Kinds of message that are told once each.
const KINDS: usize = 24;
/// Where media looks for who agreed on its keys.
const TOPIC: &str = "srtp";
const PLACES: u8 = 16;

fn probe(p: &Probe<'_>) -> Guess {
    if message(p.bytes).is_some() { Guess::Sure } else { Guess::No }
}

/// Kind and body of the message in a packet whose checksum is right.
fn message(packet: &[u8]) -> Option<([u8; 8], &[u8])> {
    let (before, sum) = packet.split_last_chunk::<4>()?;
    let mut c = Cursor::new(before);
    if c.u8()? >> 4 != 1 {
        return None;
    }
    c.take(3)?;
    if c.array()? != COOKIE {
        return None;
    }
    c.take(4)?;
    let whole = c.left();
    let (preamble, words) = (c.u16()?, c.u16()?);
    let kind: [u8; 8] = c.array()?;
    let fits = preamble == PREAMBLE && usize::from(words) * 4 == whole;
    (fits && crc32c(before).to_be_bytes() == *sum).then_some((kind, c.rest()))
}

/// CRC-32C as SCTP uses it, in the byte order of a big-endian number (RFC 6189 section 5, RFC 4960
/// appendix B). ZRTP packets are few and short, so that no table is needed.
fn crc32c(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { c >> 1 ^ 0x82f6_3b78 } else { c >> 1 })
    });
    (!crc).swap_bytes()
}

#[derive(Default)]
struct Zrtp {
    told: Vec<[u8; 8]>,
    agreed: bool,
}

impl Peeler for Zrtp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some((kind, body)) = message(input.bytes) else { return Step::die("zrtp-malformed") };
        if !self.told.contains(&kind) && self.told.len() < KINDS {
            self.told.push(kind);
            out.fact("zrtp.message", word(&kind));
        }
        match &kind {
            b"Hello   " => drop(hello(body, out)),
            b"Commit  " => drop(commit(body, out)),
            b"Error   " => out.fact("zrtp.error", Cursor::new(body).u32().map_or(0, u64::from)),
            // The second confirmation is sent by an end that has the keys and has seen the other's.
            b"Confirm2" | b"Conf2ACK" if !self.agreed => {
                self.agreed = true;
                out.fact("zrtp.agreed", true);
                let place = (0..PLACES).find(|n| out.recall(TOPIC, &[*n]).is_none());
                out.remember(TOPIC, &[place.unwrap_or(PLACES - 1)], vec![b'z']);
            }
            _ => {}
        }
        Step::again(input.bytes.len())
    }
}

fn word(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches([' ', '\0']).to_owned()
}

/// RFC 6189 section 5.2.
fn hello(body: &[u8], out: &mut Out<'_, '_>) -> Option<()> {
    let mut c = Cursor::new(body);
    out.fact("zrtp.version", word(c.take(4)?));
    out.fact("zrtp.client", word(c.take(16)?));
    c.take(32)?;
    let zid: String = c.take(12)?.iter().map(|b| format!("{b:02x}")).collect();
    out.fact("zrtp.zid", zid);
    let counts = c.u32()?;
    let offered: u32 = (0..5).map(|n| counts >> (4 * n) & 15).sum();
    let names: Vec<Value> = (0..offered).map_while(|_| c.take(4)).map(|n| Value::from(word(n))).collect();
    out.fact("zrtp.offered", Value::List(names));
    Some(())
}

/// RFC 6189 section 5.4: the hash image and the identity of the initiator, then what it chose.
fn commit(body: &[u8], out: &mut Out<'_, '_>) -> Option<()> {
    let mut c = Cursor::new(body);
    c.take(32 + 12)?;
    for name in ["zrtp.hash", "zrtp.cipher", "zrtp.auth_tag", "zrtp.key_agreement", "zrtp.sas"] {
        out.fact(name, word(c.take(4)?));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_sctp() {
        // RFC 3720 appendix B.4 writes it in the order of the wire: 32 zeros give aa 36 91 8a.
        assert_eq!(crc32c(&[0; 32]), 0xaa36_918a);
    }

    #[test]
    fn a_packet_is_taken_by_its_checksum_only() {
        let mut packet = vec![0x10, 0, 0, 1];
        packet.extend(COOKIE);
        packet.extend([1, 2, 3, 4]);
        packet.extend(PREAMBLE.to_be_bytes());
        packet.extend(3u16.to_be_bytes());
        packet.extend(b"HelloACK");
        packet.extend(crc32c(&packet).to_be_bytes());
        assert_eq!(message(&packet), Some((*b"HelloACK", &[][..])));
        for at in 0..packet.len() {
            let mut damaged = packet.clone();
            damaged[at] ^= 1;
            assert_eq!(message(&damaged), None);
            assert_eq!(message(&packet[..at]), None);
        }
    }
}
