//! OpenPGP under a password (RFC 9580 sections 5.3 and 5.13.1): session key from the password, AES in CFB
//! mode, and the digest at the end that tells whether it was the right one.

use super::ciphers::encrypt_block;
use super::{Budget, Plain};
use crate::bytes::Cursor;
use ring::digest;
use std::io::Read;

/// Octets that a password may be stretched to: as many as the format can say, which is what GnuPG says.
const STRETCHED: usize = 31 << 21;
/// Octets that are hashed at once.
const BLOCK: usize = 16 << 10;
/// Octets that come out of a compressed packet.
const OUTPUT: u64 = 64 << 10;

pub fn open(password: &[u8], message: &[u8], budget: &mut Budget) -> Option<Plain> {
    let packets = packets(message)?;
    let data = packets.iter().find(|(tag, _)| *tag == 18)?.1.strip_prefix(&[1])?;
    for (_, body) in packets.iter().filter(|(tag, _)| *tag == 3).take(4) {
        let Some(key) = session_key(password, body, budget) else { continue };
        if !budget.attempt(4 * data.len()) {
            return None;
        }
        if let Some(inner) = unsealed(&key, data) {
            let bytes = literal(&inner, 0).unwrap_or(inner);
            return Some(Plain { how: "OpenPGP with a password", bytes, authentic: true });
        }
    }
    None
}

/// Packets with their bodies, joined where the length is partial.
fn packets(bytes: &[u8]) -> Option<Vec<(u8, Vec<u8>)>> {
    let mut at = Cursor::new(bytes);
    let mut all = Vec::new();
    while let Some(header) = at.u8() {
        if all.len() > 64 || header & 0x80 == 0 {
            return None;
        }
        all.push(if header & 0x40 == 0 { old(header, &mut at)? } else { (header & 0x3f, new(&mut at)?) });
    }
    Some(all)
}

fn old(header: u8, at: &mut Cursor<'_>) -> Option<(u8, Vec<u8>)> {
    let size = match header & 3 {
        0 => usize::from(at.u8()?),
        1 => usize::from(at.u16()?),
        2 => at.u32()? as usize,
        _ => at.left(),
    };
    Some((header >> 2 & 15, at.take(size)?.to_vec()))
}

fn new(at: &mut Cursor<'_>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let (size, partial) = match at.u8()? {
            l @ 0..192 => (usize::from(l), false),
            l @ 192..224 => (((usize::from(l) - 192) << 8) + usize::from(at.u8()?) + 192, false),
            255 => (at.u32()? as usize, false),
            l => (1usize << (l & 31), true),
        };
        body.extend_from_slice(at.take(size)?);
        if !partial {
            return Some(body);
        }
    }
}

/// The session key: what the password gives, or what that decrypts.
fn session_key(password: &[u8], packet: &[u8], budget: &mut Budget) -> Option<Vec<u8>> {
    let mut at = Cursor::new(packet);
    let (version, cipher) = (at.u8()?, at.u8()?);
    let size = key_size(cipher).filter(|_| version == 4)?;
    let kind = at.u8()?;
    let hash = at.u8()?;
    let salt: &[u8] = if kind == 0 { &[] } else { at.take(8)? };
    let count = match kind {
        0 | 1 => 0,
        3 => {
            let c = at.u8()?;
            (16 + usize::from(c & 15)) << (c >> 4 & 15).checked_add(6)?
        }
        _ => return None,
    };
    let cost = count.max(password.len());
    if count > STRETCHED || !budget.stretch(cost as u64) {
        return None;
    }
    let key = stretched(hash, salt, password, count, size)?;
    let wrapped = at.rest();
    if wrapped.is_empty() {
        return Some(key);
    }
    let clear = cfb(&key, wrapped)?;
    let (cipher, inner) = clear.split_first()?;
    (key_size(*cipher) == Some(inner.len())).then(|| inner.to_vec())
}

/// AES only; the other ciphers are not worth their code here.
fn key_size(cipher: u8) -> Option<usize> {
    match cipher {
        7 => Some(16),
        8 => Some(24),
        9 => Some(32),
        _ => None,
    }
}

/// Section 3.7.1: salt and password, again and again up to the count; further digests start with octets
/// of nought.
fn stretched(hash: u8, salt: &[u8], password: &[u8], count: usize, size: usize) -> Option<Vec<u8>> {
    let algorithm = match hash {
        2 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        8 => &digest::SHA256,
        9 => &digest::SHA384,
        10 => &digest::SHA512,
        _ => return None,
    };
    let unit = [salt, password].concat();
    let units = unit.repeat((BLOCK / unit.len().max(1)).max(1));
    let mut key = Vec::new();
    while key.len() < size {
        let mut context = digest::Context::new(algorithm);
        context.update(&vec![0u8; key.len() / algorithm.output_len()]);
        let mut left = count.max(unit.len());
        while left > 0 {
            let part = units.get(..left).unwrap_or(&units);
            context.update(part);
            left -= part.len().max(1);
        }
        key.extend_from_slice(context.finish().as_ref());
    }
    key.truncate(size);
    Some(key)
}

/// CFB from a first block of noughts.
fn cfb(key: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut block = [0u8; 16];
    let mut plain = Vec::with_capacity(bytes.len());
    for chunk in bytes.chunks(16) {
        let pad = encrypt_block(key, block)?;
        plain.extend(chunk.iter().zip(pad).map(|(a, b)| a ^ b));
        block.get_mut(..chunk.len())?.copy_from_slice(chunk);
    }
    Some(plain)
}

/// The prefix repeats its last two octets, and the end is the SHA-1 of all before it.
fn unsealed(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    // Most wrong keys fail at the prefix already.
    let head = cfb(key, data.get(..18)?)?;
    if head.get(14..16)? != head.get(16..18)? {
        return None;
    }
    let plain = cfb(key, data)?;
    let (signed, tag) = plain.split_at_checked(plain.len().checked_sub(20)?)?;
    let agrees = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, signed).as_ref() == tag;
    let inner = signed.get(18..)?.strip_suffix(&[0xd3, 0x14])?;
    agrees.then(|| inner.to_vec())
}

/// The content of the literal packet, through compression.
fn literal(bytes: &[u8], depth: usize) -> Option<Vec<u8>> {
    for (tag, body) in packets(bytes)? {
        match tag {
            8 if depth < 3 => return literal(&inflated(&body)?, depth + 1),
            11 => {
                let name = usize::from(*body.get(1)?);
                return body.get(2 + name + 4..).map(<[u8]>::to_vec);
            }
            _ => {}
        }
    }
    None
}

fn inflated(body: &[u8]) -> Option<Vec<u8>> {
    let (kind, rest) = body.split_first()?;
    let mut out = Vec::new();
    match kind {
        0 => return Some(rest.to_vec()),
        1 => flate2::read::DeflateDecoder::new(rest).take(OUTPUT).read_to_end(&mut out).ok()?,
        2 => flate2::read::ZlibDecoder::new(rest).take(OUTPUT).read_to_end(&mut out).ok()?,
        _ => return None,
    };
    Some(out)
}
