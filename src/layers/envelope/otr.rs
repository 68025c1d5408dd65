//! Off-the-Record messaging, versions 1 to 4: data messages, key exchange, fragments, offers
//! (libotr Protocol-v3, otrv4 draft). Also FiSH, the blowfish of IRC.

use super::grammar::encoding::base64;
use super::grammar::signs;
use super::{Class, Envelope, Form, Recogniser, Tier};
use crate::bytes::Cursor;

/// `?OTR` texts.
pub const TEXTS: Recogniser =
    Recogniser { format_family: "otr", title: "OTR", tries: Form::Text, recognise: text };
/// Decoded messages.
pub const BINARY: Recogniser = Recogniser {
    format_family: "otr-binary",
    title: "OTR, decoded",
    tries: Form::Binary,
    recognise: decoded,
};
/// `+OK` texts.
pub const FISH: Recogniser =
    Recogniser { format_family: "fish", title: "FiSH", tries: Form::Text, recognise: fish };

const PROTOCOL: &str = "OTR";

fn text(bytes: &[u8]) -> Option<Envelope> {
    let rest = std::str::from_utf8(bytes.strip_prefix(b"?OTR")?).ok()?;
    match rest.as_bytes().first()? {
        b':' => {
            let bytes = base64(rest.strip_prefix(':')?.strip_suffix('.')?)?;
            let envelope = message(&bytes)?;
            Some(Envelope { tier: Tier::T1, ..envelope }.decoded(bytes))
        }
        b'|' | b',' => fragment(rest),
        b'?' | b'v' => offer(rest),
        _ => None,
    }
}

/// `?OTRv23?`: an offer is no encryption.
fn offer(rest: &str) -> Option<Envelope> {
    let versions = rest.trim_start_matches('?').strip_prefix('v')?.split('?').next()?;
    let known = !versions.is_empty() && versions.len() < 8 && versions.bytes().all(|b| b.is_ascii_digit());
    known.then(|| {
        Envelope::new("otr-offer", PROTOCOL, Class::NotEncrypted, Tier::T1)
            .because("an offer to encrypt, nothing more")
            .fact("versions", versions)
    })
}

/// `?OTR|sender|receiver,k,n,piece,` and without tags in version 2.
fn fragment(rest: &str) -> Option<Envelope> {
    let mut fields = rest.split(',');
    let tags = fields.next()?;
    let tags_fit = tags.split('|').all(|t| t.len() <= 8 && t.bytes().all(|b| b.is_ascii_hexdigit()));
    let (k, n) = (fields.next()?.parse::<u16>().ok()?, fields.next()?.parse::<u16>().ok()?);
    let (piece, end) = (fields.next()?, fields.next()?);
    let ends = piece.strip_prefix("?OTR:").unwrap_or(piece);
    let base64_only = ends.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=.".contains(&b));
    let first_fits = k != 1 || piece.starts_with("?OTR:AA");
    if !tags_fit || k == 0 || k > n || piece.is_empty() || !end.is_empty() || !base64_only || !first_fits {
        return None;
    }
    // Only the first piece shows what is being sent in pieces: the others claim no message of their own.
    let data = k == 1 && piece.as_bytes().get(8) == Some(&b'D');
    let class = if data { Class::E2eeMessage } else { Class::E2eeHandshake };
    let envelope = Envelope::new("otr-fragment", PROTOCOL, class, Tier::T2)
        .fact("piece", u64::from(k))
        .fact("pieces", u64::from(n));
    Some(envelope)
}

fn decoded(bytes: &[u8]) -> Option<Envelope> {
    match bytes {
        [0, 1..=4, 3, ..] if bytes.len() >= 80 => message(bytes),
        _ => None,
    }
}

fn message(bytes: &[u8]) -> Option<Envelope> {
    let mut c = Cursor::new(bytes);
    let version = c.u16()?;
    let kind = c.u8()?;
    let tags = match version {
        1 | 2 => None,
        3 | 4 => Some((c.u32()?, c.u32()?)),
        _ => return None,
    };
    if tags.is_some_and(|(from, to)| from < 0x100 || (to != 0 && to < 0x100)) {
        return None;
    }
    let envelope = match (version, kind) {
        (1..=3, 3) => data(&mut c, bytes.len())?,
        (4, 3) => data_v4(&mut c, bytes.len())?,
        _ => exchange(&mut c, version, kind)?,
    };
    let envelope = envelope
        .fact("version", u64::from(version))
        .maybe("sender_instance", tags.map(|t| u64::from(t.0)))
        .maybe("receiver_instance", tags.map(|t| u64::from(t.1)));
    c.is_empty().then_some(envelope)
}

/// DATA: a length of four bytes in front.
fn blob<'a>(c: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let n = c.u32()? as usize;
    c.take(n)
}

/// A number without leading zeros, no longer than the group.
fn mpi<'a>(c: &mut Cursor<'a>, longest: usize) -> Option<&'a [u8]> {
    blob(c).filter(|n| n.len() <= longest && n.first() != Some(&0))
}

fn data(c: &mut Cursor<'_>, whole: usize) -> Option<Envelope> {
    c.u8()?;
    let (sender, recipient) = (c.u32()?, c.u32()?);
    let next = mpi(c, 192).filter(|n| n.len() >= 180)?;
    let key_at = whole - c.left() - next.len();
    let counter = c.u64()?;
    let ciphertext = blob(c)?;
    let end = whole - c.left();
    c.take(20)?;
    let revealed = blob(c)?;
    if sender == 0 || recipient == 0 || counter == 0 || !revealed.len().is_multiple_of(20) {
        return None;
    }
    let envelope = Envelope::new("otr-data", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("sender_key_id", u64::from(sender))
        .fact("recipient_key_id", u64::from(recipient))
        .fact("counter", counter)
        .fact("revealed_mac_keys", revealed.len() as u64 / 20)
        .fact("ciphertext_bytes", ciphertext.len() as u64)
        .ephemeral(Some(key_at..key_at + next.len()))
        .sealed(Some(end - ciphertext.len()..end));
    Some(envelope.broken_if(signs::not_ciphertext(ciphertext)))
}

/// Flags, three counters, an Ed448 point, an optional Diffie-Hellman key of 3072 bits, ciphertext, MAC.
fn data_v4(c: &mut Cursor<'_>, whole: usize) -> Option<Envelope> {
    c.u8()?;
    let counters = [c.u32()?, c.u32()?, c.u32()?];
    let at = whole - c.left();
    c.take(57)?;
    mpi(c, 384)?;
    let ciphertext = blob(c)?;
    let end = whole - c.left();
    c.take(64)?;
    let revealed = blob(c)?;
    if counters.iter().any(|n| *n > 0x00ff_ffff) || !revealed.len().is_multiple_of(64) {
        return None;
    }
    let [previous, ratchet, index] = counters.map(u64::from);
    let envelope = Envelope::new("otr-data", PROTOCOL, Class::E2eeMessage, Tier::T1)
        .fact("previous_counter", previous)
        .fact("ratchet", ratchet)
        .fact("counter", index)
        .fact("ciphertext_bytes", ciphertext.len() as u64)
        .ephemeral(Some(at..at + 57))
        .sealed(Some(end - ciphertext.len()..end));
    Some(envelope.broken_if(signs::not_ciphertext(ciphertext)))
}

fn exchange(c: &mut Cursor<'_>, version: u16, kind: u8) -> Option<Envelope> {
    let step = match (version, kind) {
        (1..=3, 0x02) => {
            blob(c).filter(|b| b.len() >= 180)?;
            blob(c).filter(|b| b.len() == 32)?;
            "D-H commit"
        }
        (1..=3, 0x0a) => {
            mpi(c, 192).filter(|b| b.len() >= 180)?;
            "D-H key"
        }
        (1..=3, 0x11) => {
            blob(c).filter(|b| b.len() == 16)?;
            blob(c).filter(|b| b.len() > 64)?;
            c.take(20)?;
            "reveal signature"
        }
        (1..=3, 0x12) => {
            blob(c).filter(|b| b.len() > 64)?;
            c.take(20)?;
            "signature"
        }
        // The fourth version is a draft: long enough to hold its keys, and no more is read.
        (4, 0x35 | 0x36 | 0x37 | 0x0d | 0x0f) if c.left() > 57 => {
            c.take(c.left())?;
            "version 4 exchange"
        }
        _ => return None,
    };
    Some(Envelope::new("otr-key-exchange", PROTOCOL, Class::E2eeHandshake, Tier::T1).fact("step", step))
}

/// `+OK ` and blowfish: in base64 after a star for CBC, else in an alphabet of its own, 12 characters a
/// block, for ECB. The channel's key is a password; equal blocks show.
fn fish(bytes: &[u8]) -> Option<Envelope> {
    let text = std::str::from_utf8(bytes.strip_prefix(b"+OK ")?).ok()?;
    let (mode, bytes) = match text.strip_prefix('*') {
        Some(rest) => ("CBC", base64(rest).filter(|b| b.len() >= 16 && b.len().is_multiple_of(8))?),
        None => {
            let mixed = text.len() >= 24 || text.bytes().any(|b| b.is_ascii_digit() || b == b'/');
            ("ECB", fish_blocks(text).filter(|_| mixed)?)
        }
    };
    // In CBC mode the first block is the initialisation vector.
    let start = if mode == "CBC" { 8 } else { 0 };
    Some(
        Envelope::new("fish", "FiSH (Blowfish)", Class::Symmetric, Tier::T2)
            .fact("mode", mode)
            .fact("integrity", false)
            .nonce((start > 0).then_some(0..start))
            .sealed(Some(start..bytes.len()))
            .decoded(bytes),
    )
}

/// Blocks of eight bytes written as twelve characters: the right half first, each half six characters
/// with the lowest six bits first.
fn fish_blocks(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"./0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if text.is_empty() || !text.len().is_multiple_of(12) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 3 * 2);
    for block in text.as_bytes().chunks_exact(12) {
        let (right, left) = block.split_at(6);
        for half in [left, right] {
            let mut word = 0u64;
            for c in half.iter().rev() {
                let digit = memchr::memchr(*c, ALPHABET)? as u64;
                word = word << 6 | digit;
            }
            out.extend(u32::try_from(word).ok()?.to_be_bytes());
        }
    }
    Some(out)
}
