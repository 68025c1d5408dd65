//! Group sessions whose key lies open: a Megolm session (export, share, room key) on Megolm messages, and a
//! sender key on sender key messages (matrix-spec `olm-megolm`; libsignal `sender_keys.rs`).

use super::ciphers::decrypt_cbc_padded;
use super::{Budget, Field, Plain};
use crate::bytes::Cursor;
use ring::{hkdf, hmac};

const MEGOLM: [&str; 3] = ["megolm-session-export", "megolm-session-share", "matrix-room-key"];
const SENDER: &str = "signal-sender-key-distribution";
/// Steps that a chain is moved on.
const STEPS: u32 = 1 << 16;

pub fn is_material(format: &str) -> bool {
    MEGOLM.contains(&format) || format == SENDER
}

pub fn opens(format: &str) -> bool {
    matches!(format, "megolm-message" | "matrix-room-encrypted" | "signal-sender-key-message")
}

pub fn open(material: &str, key: &[u8], field: &Field, budget: &mut Budget) -> Option<Plain> {
    match field.format.as_deref()? {
        "signal-sender-key-message" if material == SENDER => sender(key, &field.bytes, budget),
        "megolm-message" | "matrix-room-encrypted" if MEGOLM.contains(&material) => {
            megolm(key, &field.bytes, budget)
        }
        _ => None,
    }
}

/// Derives `N` bytes (RFC 5869) without a salt, as both protocols do.
fn hkdf<const N: usize>(secret: &[u8], info: &[u8]) -> Option<[u8; N]> {
    struct Len(usize);
    impl hkdf::KeyType for Len {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut out = [0u8; N];
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &[0; 32]);
    salt.extract(secret).expand(&[info], Len(N)).ok()?.fill(&mut out).ok()?;
    Some(out)
}

fn mac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
    tag.as_ref().try_into().unwrap_or([0; 32])
}

/// A protobuf of numbers and byte strings, each field at most once.
fn fields(bytes: &[u8]) -> Option<[Part<'_>; 6]> {
    let mut parts: [Part<'_>; 6] = Default::default();
    let mut at = Cursor::new(bytes);
    while let Some(tag) = at.u8() {
        let part = parts.get_mut(usize::from(tag >> 3))?;
        let number = at.varint()?;
        match tag & 7 {
            0 => part.number = u32::try_from(number).ok(),
            2 => part.bytes = Some(at.take(usize::try_from(number).ok()?)?),
            _ => return None,
        }
    }
    Some(parts)
}

#[derive(Default, Clone, Copy)]
struct Part<'a> {
    number: Option<u32>,
    bytes: Option<&'a [u8]>,
}

/// The MAC of 8 bytes tells whether it is the right session, and at the right index.
fn megolm(key: &[u8], message: &[u8], budget: &mut Budget) -> Option<Plain> {
    const SIGNATURE: usize = 64;
    const MAC: usize = 8;
    let (from, ratchet) = key.get(1..)?.split_first_chunk::<4>()?;
    let from = u32::from_be_bytes(*from);
    let signed = message.get(..message.len().checked_sub(SIGNATURE + MAC)?)?;
    let tag = message.get(signed.len()..signed.len() + MAC)?;
    let parts = fields(signed.get(1..)?)?;
    let (index, ciphertext) = (parts[1].number?, parts[2].bytes?);
    let steps = index.checked_sub(from).filter(|s| *s <= STEPS)?;
    if !budget.take(4000 + u64::from(steps.min(1024)) * 1000 + ciphertext.len() as u64) {
        return None;
    }
    let state = advanced(ratchet.first_chunk::<128>()?, from, index);
    let keys: [u8; 80] = hkdf(&state, b"MEGOLM_KEYS")?;
    let (cipher, rest) = keys.split_at(32);
    let (check, iv) = rest.split_at(32);
    if !mac(check, signed).starts_with(tag) {
        return None;
    }
    let bytes = decrypt_cbc_padded(cipher, iv, ciphertext)?;
    Some(Plain { how: "Megolm with its session key", bytes, authentic: true })
}

/// Moves the four parts of the ratchet from one index to another: part k is made anew from part k - 1 or
/// itself every 2^(8 (3 - k)) messages.
fn advanced(state: &[u8; 128], from: u32, to: u32) -> [u8; 128] {
    let mut parts: [[u8; 32]; 4] = Default::default();
    for (part, bytes) in parts.iter_mut().zip(state.chunks_exact(32)) {
        part.copy_from_slice(bytes);
    }
    let mut at = from;
    while at != to {
        at = at.wrapping_add(1);
        let changed = match at {
            a if a & 0xff_ffff == 0 => 0,
            a if a & 0xffff == 0 => 1,
            a if a & 0xff == 0 => 2,
            _ => 3,
        };
        let source = parts[changed];
        for (k, part) in parts.iter_mut().enumerate().skip(changed) {
            *part = mac(&source, &[k as u8]);
        }
    }
    let mut out = [0u8; 128];
    for (bytes, part) in out.chunks_exact_mut(32).zip(&parts) {
        bytes.copy_from_slice(part);
    }
    out
}

/// There is no MAC, only a signature; distribution and chain ids must agree and the padding must hold.
fn sender(key: &[u8], message: &[u8], budget: &mut Budget) -> Option<Plain> {
    const SIGNATURE: usize = 64;
    let body = message.get(1..message.len().checked_sub(SIGNATURE)?)?;
    let (ours, theirs) = (fields(key.get(1..)?)?, fields(body)?);
    // Older clients have no distribution id, and all fields one earlier.
    let old = usize::from(ours[1].bytes.is_none());
    let (chain, from, seed) = (ours[2 - old].number?, ours[3 - old].number?, ours[4 - old].bytes?);
    let same = ours[1].bytes == theirs[1].bytes && theirs[2 - old].number? == chain;
    let (index, ciphertext) = (theirs[3 - old].number?, theirs[4 - old].bytes?);
    let steps = index.checked_sub(from).filter(|s| *s <= STEPS)?;
    if !same || !budget.take(4000 + u64::from(steps) * 1000 + ciphertext.len() as u64) {
        return None;
    }
    let mut link: [u8; 32] = seed.try_into().ok()?;
    for _ in 0..steps {
        link = mac(&link, &[2]);
    }
    let keys: [u8; 48] = hkdf(&mac(&link, &[1]), b"WhisperGroup")?;
    let (iv, cipher) = keys.split_at(16);
    let bytes = decrypt_cbc_padded(cipher, iv, ciphertext)?;
    // The ids of 20 bytes agree, so the padding (1 in 256) is not searched for among many.
    let authentic = ours[1].bytes.is_some_and(|id| id.len() == 16);
    Some(Plain { how: "sender key message with its sender key", bytes, authentic })
}
