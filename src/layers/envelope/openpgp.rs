//! OpenPGP packet sequences (RFC 9580, and RFC 4880 with LibrePGP's packet 20): what is encrypted, what
//! only says so, signatures and keys. The whole buffer has to be one sequence.

use super::{Class, Envelope, Form, Recogniser, Tier};
use crate::bytes::{Cursor, hex};
use std::ops::Range;

/// Binary packet sequences.
pub const PACKETS: Recogniser =
    Recogniser { format_family: "openpgp", title: "OpenPGP packets", tries: Form::Binary, recognise };

/// The protocol's name, whatever carries the packets.
pub(super) const PROTOCOL: &str = "OpenPGP";
/// More packets than any key ring or message of a person.
const MOST: usize = 4096;

/// A packet; `body` is its first part where the length is partial.
struct Packet<'a> {
    tag: u8,
    body: &'a [u8],
    at: usize,
    end: usize,
    partial: bool,
}

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    let tag = match *bytes.first()? {
        h if h & 0xc0 == 0xc0 => h & 0x3f,
        h if h & 0x80 != 0 => h >> 2 & 0x0f,
        _ => return None,
    };
    if !matches!(tag, 1..=6 | 8 | 10 | 11) || bytes.len() < 8 {
        return None;
    }
    let packets = packets(bytes)?;
    match tag {
        1 | 3 | 10 => encrypted(&packets),
        4 | 8 | 11 => readable(&packets),
        2 => signature(&packets),
        _ => key(&packets),
    }
}

fn packets(bytes: &[u8]) -> Option<Vec<Packet<'_>>> {
    let mut c = Cursor::new(bytes);
    let mut out = Vec::new();
    while !c.is_empty() {
        let packet = packet(&mut c, bytes.len())?;
        if !matches!(packet.tag, 1..=14 | 17 | 18 | 19 | 20 | 21) || out.len() >= MOST {
            return None;
        }
        out.push(packet);
    }
    Some(out)
}

fn packet<'a>(c: &mut Cursor<'a>, whole: usize) -> Option<Packet<'a>> {
    let header = c.u8()?;
    let (tag, length) = match header {
        h if h & 0xc0 == 0xc0 => return new_packet(h & 0x3f, c, whole),
        h if h & 0x80 == 0 => return None,
        h => (h >> 2 & 0x0f, h & 3),
    };
    let n = match length {
        0 => usize::from(c.u8()?),
        1 => usize::from(c.u16()?),
        2 => c.u32()? as usize,
        _ => c.left(),
    };
    let at = whole - c.left();
    let body = c.take(n)?;
    Some(Packet { tag, body, at, end: at + n, partial: false })
}

fn new_packet<'a>(tag: u8, c: &mut Cursor<'a>, whole: usize) -> Option<Packet<'a>> {
    let mut first: Option<(&[u8], usize)> = None;
    loop {
        let (n, partial) = match c.u8()? {
            l @ 0..192 => (usize::from(l), false),
            l @ 192..224 => (((usize::from(l) - 192) << 8) + usize::from(c.u8()?) + 192, false),
            255 => (c.u32()? as usize, false),
            l => (1usize << (l & 31), true),
        };
        let at = whole - c.left();
        let part = c.take(n)?;
        // Only data packets come in parts, and the first part has 512 bytes (RFC 9580 section 4.2.1.4).
        if first.is_none() && partial && (n < 512 || !matches!(tag, 8 | 9 | 11 | 18 | 20)) {
            return None;
        }
        let (body, start) = *first.get_or_insert((part, at));
        if !partial {
            return Some(Packet { tag, body, at: start, end: at + n, partial: start != at });
        }
    }
}

fn encrypted(packets: &[Packet<'_>]) -> Option<Envelope> {
    let (data, keys) = packets.split_last()?;
    let mut recipients = Vec::new();
    let mut algorithms = Vec::new();
    let mut passwords = 0u64;
    for packet in keys {
        match packet.tag {
            1 => {
                let (id, algorithm) = pkesk(packet.body)?;
                recipients.push(id);
                algorithms.push(algorithm);
            }
            3 => {
                skesk(packet.body)?;
                passwords += 1;
            }
            10 if packet.body == b"PGP" => {}
            _ => return None,
        }
    }
    if recipients.is_empty() && passwords == 0 {
        return None;
    }
    let (format, class) = match recipients.is_empty() {
        true => ("openpgp-password", Class::Symmetric),
        false => ("openpgp-encrypted", Class::E2eeMessage),
    };
    let (container, sealed) = container(data)?;
    let hidden = recipients.iter().filter(|id| id.as_str() == "hidden").count() as u64;
    let envelope = Envelope::new(format, PROTOCOL, class, Tier::T1)
        .fact("recipient_keys", recipients)
        .fact("hidden_recipients", hidden)
        .fact("algorithms", algorithms)
        .fact("passwords", passwords)
        .fact("container", container)
        .fact("integrity", data.tag != 9)
        .sealed(Some(sealed));
    Some(envelope)
}

/// The packet with the ciphertext: its name and where the ciphertext starts.
fn container(packet: &Packet<'_>) -> Option<(&'static str, Range<usize>)> {
    let body = packet.body;
    let (name, head) = match (packet.tag, *body.first()?) {
        // Prefix of a block and two bytes, and the modification detection packet of 22.
        (18, 1) if packet.partial || body.len() > 1 + 18 + 22 => ("SEIPD v1", 1),
        (18, 2) => {
            let known = matches!(body.get(1..4)?, [1..=13, 1..=3, 0..=16]);
            (known && (packet.partial || body.len() >= 36 + 32)).then_some(("SEIPD v2", 36))?
        }
        (20, 1) => {
            let nonce = match body.get(1..4)? {
                [1..=13, 1, 0..=56] => 16,
                [1..=13, 2, 0..=56] => 15,
                _ => return None,
            };
            (packet.partial || body.len() >= 4 + nonce + 32).then_some(("AEAD", 4 + nonce))?
        }
        (9, _) if packet.partial || body.len() >= 18 => ("SED", 0),
        _ => return None,
    };
    Some((name, packet.at + head..packet.end))
}

/// A session key for a public key (RFC 9580 section 5.1): the recipient's id and the algorithm.
fn pkesk(body: &[u8]) -> Option<(String, &'static str)> {
    let mut c = Cursor::new(body);
    let id = match c.u8()? {
        3 => match c.array::<8>()? {
            [0, 0, 0, 0, 0, 0, 0, 0] => "hidden".to_owned(),
            id => hex(&id),
        },
        6 => match c.u8()? {
            0 => "hidden".to_owned(),
            n @ (21 | 33) => {
                let version = c.u8()?;
                ((version == 4) == (n == 21) && matches!(version, 4 | 6)).then_some(())?;
                hex(c.take(usize::from(n) - 1)?)
            }
            _ => return None,
        },
        _ => return None,
    };
    let name = match c.u8()? {
        1 | 2 => {
            mpi(&mut c)?;
            "RSA"
        }
        16 => {
            mpi(&mut c)?;
            mpi(&mut c)?;
            "Elgamal"
        }
        18 => {
            mpi(&mut c)?;
            (!c.vec8()?.is_empty()).then_some("ECDH")?
        }
        25 => wrapped(&mut c, 32).map(|()| "X25519")?,
        26 => wrapped(&mut c, 56).map(|()| "X448")?,
        35 | 36 | 105 if c.left() > 1000 => {
            c.take(c.left())?;
            "ML-KEM"
        }
        _ => return None,
    };
    c.is_empty().then_some((id, name))
}

fn wrapped(c: &mut Cursor<'_>, key: usize) -> Option<()> {
    c.take(key)?;
    (!c.vec8()?.is_empty()).then_some(())
}

/// A number whose bit count is exact (RFC 9580 section 3.2).
fn mpi<'a>(c: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let bits = usize::from(c.u16()?);
    let number = c.take(bits.div_ceil(8))?;
    let top = *number.first()?;
    let exact = 8 - top.leading_zeros() as usize == (bits - 1) % 8 + 1;
    exact.then_some(number)
}

/// A session key for a password (RFC 9580 section 5.3).
fn skesk(body: &[u8]) -> Option<()> {
    match *body.first()? {
        4 => {
            let (cipher, kind) = (*body.get(1)?, *body.get(2)?);
            let base = match kind {
                0 => 4,
                1 => 12,
                3 => 13,
                4 => 22,
                _ => return None,
            };
            let hash_known = kind == 4 || matches!(body.get(3)?, 1..=3 | 8..=14);
            let rest = body.len().checked_sub(base)?;
            (matches!(cipher, 1..=4 | 7..=13) && hash_known && (rest == 0 || (17..=33).contains(&rest)))
                .then_some(())
        }
        5 | 6 => (body.len() > 20 && body.len() < 200).then_some(()),
        _ => None,
    }
}

fn not_encrypted(why: &'static str) -> Envelope {
    Envelope::new("openpgp-not-encrypted", PROTOCOL, Class::NotEncrypted, Tier::T1).because(why)
}

fn readable(packets: &[Packet<'_>]) -> Option<Envelope> {
    match packets {
        [p] if p.tag == 11 && literal(p) => {
            Some(not_encrypted("a literal data packet: the text is readable"))
        }
        [p] if p.tag == 8 && compressed(p) => {
            Some(not_encrypted("compressed or signed data: the text is readable"))
        }
        [p, next, ..] if p.tag == 4 && one_pass(p.body) && matches!(next.tag, 4 | 8 | 11) => {
            Some(Envelope { class: Class::SignedOnly, ..not_encrypted("signed data: the text is readable") })
        }
        _ => None,
    }
}

fn literal(packet: &Packet<'_>) -> bool {
    let mut c = Cursor::new(packet.body);
    let format = c.u8().is_some_and(|f| b"btuml1".contains(&f));
    let name = c.vec8().is_some_and(|n| n.iter().all(|b| (0x20..0x7f).contains(b)));
    // No date, or one between 1989 and 2039.
    format && name && c.u32().is_some_and(|t| t == 0 || (600_000_000..2_200_000_000).contains(&t))
}

fn one_pass(body: &[u8]) -> bool {
    match body {
        [3, 0..=1, _, ..] => body.len() == 13 && matches!(body.last(), Some(0 | 1)),
        [6, 0..=1, _, ..] => body.len() > 36,
        _ => false,
    }
}

/// Whether what comes out begins with a packet that a message may begin with.
fn compressed(packet: &Packet<'_>) -> bool {
    let Some((algorithm, data)) = packet.body.split_first() else {
        return false;
    };
    match algorithm {
        0 => begins_message(data),
        1 => inflated(data, false).is_some_and(|d| begins_message(&d)),
        2 => inflated(data, true).is_some_and(|d| begins_message(&d)),
        3 => data.starts_with(b"BZh") && data.get(4..10) == Some(&[0x31, 0x41, 0x59, 0x26, 0x53, 0x59]),
        _ => false,
    }
}

fn begins_message(data: &[u8]) -> bool {
    let mut c = Cursor::new(data);
    let header = c.u8().unwrap_or_default();
    let tag = if header & 0xc0 == 0xc0 { header & 0x3f } else { header >> 2 & 0x0f };
    header & 0x80 != 0 && matches!(tag, 2 | 4 | 8 | 11)
}

/// The first bytes of a deflate stream, with or without the zlib header.
fn inflated(data: &[u8], zlib: bool) -> Option<Vec<u8>> {
    let mut out = vec![0; 64];
    let mut inflate = flate2::Decompress::new(zlib);
    inflate.decompress(data, &mut out, flate2::FlushDecompress::None).ok()?;
    out.truncate(inflate.total_out() as usize);
    (!out.is_empty()).then_some(out)
}

fn signature(packets: &[Packet<'_>]) -> Option<Envelope> {
    let (first, rest) = packets.split_first()?;
    let known = first.body.len() > 40
        && matches!(
            first.body,
            [3 | 4 | 6, 0..=2 | 0x10..=0x13 | 0x18 | 0x19 | 0x1f | 0x20 | 0x28 | 0x30 | 0x40, ..]
        );
    let follows = rest.iter().all(|p| p.tag == 2) || rest.iter().any(|p| matches!(p.tag, 8 | 11));
    (known && follows).then(|| Envelope::new("openpgp-signature", PROTOCOL, Class::SignedOnly, Tier::T2))
}

fn key(packets: &[Packet<'_>]) -> Option<Envelope> {
    let (first, rest) = packets.split_first()?;
    let known = matches!(first.body, [4..=6, _, _, _, _, 1..=3 | 16..=19 | 22 | 25..=28, ..]);
    let follows = rest.iter().all(|p| matches!(p.tag, 2 | 5 | 6 | 7 | 12 | 13 | 14 | 17 | 21));
    if !known || rest.is_empty() || !follows {
        return None;
    }
    if first.tag == 5 && is_locked(first.body) == Some(true) {
        let envelope = Envelope::new("openpgp-locked-key", PROTOCOL, Class::PublicKey, Tier::T2);
        return Some(envelope.because("its secret half is encrypted under a password"));
    }
    if first.tag == 5 {
        let envelope = Envelope::new("openpgp-secret-key", PROTOCOL, Class::SecretKey, Tier::T2);
        return Some(envelope.because("a secret key outside any encrypted message"));
    }
    Some(Envelope::new("openpgp-public-key", PROTOCOL, Class::PublicKey, Tier::T2))
}

/// Whether a password protects the secret half of a key (RFC 9580 section 5.5.3): the octet behind the public
/// half says how, and nought says not at all.
fn is_locked(body: &[u8]) -> Option<bool> {
    let mut c = Cursor::new(body);
    let version = c.u8()?;
    c.u32()?;
    let algorithm = c.u8()?;
    if version > 4 {
        c.u32()?;
    }
    match algorithm {
        1..=3 => (0..2).try_for_each(|_| mpi(&mut c).map(drop))?,
        16 => (0..3).try_for_each(|_| mpi(&mut c).map(drop))?,
        17 => (0..4).try_for_each(|_| mpi(&mut c).map(drop))?,
        18 => {
            c.vec8()?;
            mpi(&mut c)?;
            c.vec8()?;
        }
        19 | 22 => {
            c.vec8()?;
            mpi(&mut c)?;
        }
        25 | 27 => {
            c.take(32)?;
        }
        26 => {
            c.take(56)?;
        }
        28 => {
            c.take(57)?;
        }
        _ => return None,
    }
    Some(c.u8()? != 0)
}
