//! Bare ciphertexts under a symmetric key: the usual authenticated ciphers in the layouts that apps
//! use, then the modes without a tag, where only what comes out can convince.

use super::{Budget, Field, Plain};
use crate::ruleset::language;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::AesGcm;
use aes_gcm::aead::consts::{U8, U12, U13, U16};
use aes_gcm::aead::{Aead, Payload};
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;

/// Rounds of a key derivation beyond which nothing is tried.
const ROUNDS: u32 = 2_000_000;

/// Tries everything that a key of this length fits.
pub fn open(key: &[u8], field: &Field, budget: &mut Budget) -> Option<Plain> {
    // Links carry nonce and key in one: the key is what comes last (XEP-0454).
    if let Some((nonce, rest)) = key.split_at_checked(key.len().saturating_sub(32))
        && matches!(nonce.len(), 12 | 16)
        && let Some(plain) = sealed_with(rest, nonce, &field.bytes, budget)
    {
        return Some(plain);
    }
    if let Some(plain) = with_mac(key, field, budget) {
        return Some(plain);
    }
    if !matches!(key.len(), 16 | 24 | 32) {
        return None;
    }
    authenticated(key, field, budget)
        .or_else(|| cbc(key, field, budget))
        .or_else(|| ecb(key, field, budget))
        .or_else(|| counter(key, field, budget))
}

/// Keys made of a password: its digest, and PBKDF2 where salt and rounds stand beside the field.
pub fn derived(password: &[u8], field: &Field, budget: &mut Budget) -> Vec<Vec<u8>> {
    let digest = digest::digest(&digest::SHA256, password);
    let mut keys = vec![digest.as_ref().to_vec()];
    if matches!(password.len(), 16 | 24 | 32) {
        keys.push(password.to_vec());
    }
    let Some(rounds) = field.rounds.filter(|r| (1..=ROUNDS).contains(r)).and_then(NonZeroU32::new) else {
        return keys;
    };
    for salt in field.nearby.iter().filter(|n| n.len() >= 8) {
        for algorithm in [pbkdf2::PBKDF2_HMAC_SHA256, pbkdf2::PBKDF2_HMAC_SHA512, pbkdf2::PBKDF2_HMAC_SHA1] {
            if !budget.take(u64::from(rounds.get()) * 1000) {
                return keys;
            }
            let mut key = vec![0u8; 32];
            pbkdf2::derive(algorithm, rounds, salt, password, &mut key);
            keys.push(key.get(..16).unwrap_or_default().to_vec());
            keys.push(key);
        }
    }
    keys
}

type Open = fn(&[u8], &[u8], &[u8], &[u8]) -> Option<Vec<u8>>;

/// Ciphers with a tag: name, length of nonce and tag, whether the tag stands in front, and the opening
/// of nonce and body with the tag behind.
const SEALS: &[(&str, usize, usize, Open)] = &[
    ("AES-GCM", 12, 16, gcm::<U12>),
    ("AES-GCM, 16-byte nonce", 16, 16, gcm::<U16>),
    ("ChaCha20-Poly1305", 12, 16, chacha),
    ("XChaCha20-Poly1305", 24, 16, xchacha),
    ("XSalsa20-Poly1305 secretbox", 24, 16, secretbox),
    ("AES-CCM", 12, 16, ccm16::<U12>),
    ("AES-CCM", 13, 16, ccm16::<U13>),
    ("AES-CCM, 8-byte tag", 13, 8, ccm8::<U13>),
    ("AES-CCM, 8-byte tag", 12, 8, ccm8::<U12>),
];

fn authenticated(key: &[u8], field: &Field, budget: &mut Budget) -> Option<Plain> {
    for (name, nonce_len, tag_len, run) in SEALS {
        if matches!(*nonce_len, 24) && key.len() != 32 || name.starts_with("ChaCha") && key.len() != 32 {
            continue;
        }
        for (nonce, body) in layouts(field, *nonce_len) {
            if body.len() <= *tag_len || !budget.attempt(2 * body.len()) {
                continue;
            }
            let (front, back) = (body.split_at(*tag_len), body.split_at(body.len() - *tag_len));
            // The tag behind the text, then in front of it.
            let opened = run(key, nonce, back.0, back.1).or_else(|| run(key, nonce, front.1, front.0));
            if let Some(bytes) = opened {
                return Some(Plain { how: name, bytes, authentic: true });
            }
        }
        // The tag in a field of its own.
        for nonce in field.nearby.iter().filter_map(|n| n.get(..*nonce_len)) {
            for tag in field.nearby.iter().filter(|t| t.len() == *tag_len) {
                if budget.attempt(field.bytes.len())
                    && let Some(bytes) = run(key, nonce, &field.bytes, tag)
                {
                    return Some(Plain { how: name, bytes, authentic: true });
                }
            }
        }
    }
    None
}

/// GCM and ChaCha20-Poly1305 with a nonce that is known.
fn sealed_with(key: &[u8], nonce: &[u8], body: &[u8], budget: &mut Budget) -> Option<Plain> {
    for (name, nonce_len, tag_len, run) in SEALS.iter().filter(|s| s.1 == nonce.len()) {
        debug_assert_eq!(nonce.len(), *nonce_len);
        if body.len() <= *tag_len || !budget.attempt(body.len()) {
            continue;
        }
        let (text, tag) = body.split_at(body.len() - tag_len);
        if let Some(bytes) = run(key, nonce, text, tag) {
            return Some(Plain { how: name, bytes, authentic: true });
        }
    }
    None
}

/// Nonce and body: the nonce in front (behind up to two bytes of version), at the end, or beside.
fn layouts(field: &Field, nonce: usize) -> Vec<(&[u8], &[u8])> {
    let bytes = field.bytes.as_slice();
    let mut all = Vec::new();
    for lead in 0..3 {
        all.extend(bytes.get(lead..).and_then(|rest| rest.split_at_checked(nonce)));
    }
    if let Some((body, nonce)) = bytes.len().checked_sub(nonce).and_then(|at| bytes.split_at_checked(at)) {
        all.push((nonce, body));
    }
    // A longer nonce than the cipher takes is cut (RFC 3610 as some libraries do it).
    all.extend(field.nearby.iter().filter_map(|n| Some((n.get(..nonce)?, bytes))));
    all
}

fn gcm<N>(key: &[u8], nonce: &[u8], text: &[u8], tag: &[u8]) -> Option<Vec<u8>>
where
    N: aes_gcm::aead::array::ArraySize,
    AesGcm<Aes128, N>: Aead + KeyInit,
    AesGcm<Aes192, N>: Aead + KeyInit,
    AesGcm<Aes256, N>: Aead + KeyInit,
{
    match key.len() {
        16 => aead::<AesGcm<Aes128, N>>(key, nonce, text, tag),
        24 => aead::<AesGcm<Aes192, N>>(key, nonce, text, tag),
        _ => aead::<AesGcm<Aes256, N>>(key, nonce, text, tag),
    }
}

fn ccm16<N>(key: &[u8], nonce: &[u8], text: &[u8], tag: &[u8]) -> Option<Vec<u8>>
where
    N: aes_gcm::aead::array::ArraySize + ccm::NonceSize,
{
    match key.len() {
        16 => aead::<ccm::Ccm<Aes128, U16, N>>(key, nonce, text, tag),
        24 => aead::<ccm::Ccm<Aes192, U16, N>>(key, nonce, text, tag),
        _ => aead::<ccm::Ccm<Aes256, U16, N>>(key, nonce, text, tag),
    }
}

fn ccm8<N>(key: &[u8], nonce: &[u8], text: &[u8], tag: &[u8]) -> Option<Vec<u8>>
where
    N: aes_gcm::aead::array::ArraySize + ccm::NonceSize,
{
    match key.len() {
        16 => aead::<ccm::Ccm<Aes128, U8, N>>(key, nonce, text, tag),
        24 => aead::<ccm::Ccm<Aes192, U8, N>>(key, nonce, text, tag),
        _ => aead::<ccm::Ccm<Aes256, U8, N>>(key, nonce, text, tag),
    }
}

fn chacha(key: &[u8], nonce: &[u8], text: &[u8], tag: &[u8]) -> Option<Vec<u8>> {
    aead::<chacha20poly1305::ChaCha20Poly1305>(key, nonce, text, tag)
}

fn xchacha(key: &[u8], nonce: &[u8], text: &[u8], tag: &[u8]) -> Option<Vec<u8>> {
    aead::<chacha20poly1305::XChaCha20Poly1305>(key, nonce, text, tag)
}

fn aead<A: Aead + KeyInit>(key: &[u8], nonce: &[u8], text: &[u8], tag: &[u8]) -> Option<Vec<u8>> {
    let cipher = A::new_from_slice(key).ok()?;
    let nonce = nonce.try_into().ok()?;
    let whole = [text, tag].concat();
    cipher.decrypt(&nonce, Payload { msg: &whole, aad: &[] }).ok()
}

/// NaCl's secretbox: the first 32 bytes of the keystream are the one-time key of the MAC.
fn secretbox(key: &[u8], nonce: &[u8], text: &[u8], tag: &[u8]) -> Option<Vec<u8>> {
    use poly1305::universal_hash::KeyInit as _;
    use salsa20::cipher::{KeyIvInit, StreamCipher};
    let mut stream = salsa20::XSalsa20::new_from_slices(key, nonce).ok()?;
    let mut once = [0u8; 32];
    stream.apply_keystream(&mut once);
    let mac = poly1305::Poly1305::new_from_slice(&once).ok()?.compute_unpadded(text);
    if mac.as_slice() != tag {
        return None;
    }
    let mut plain = text.to_vec();
    stream.apply_keystream(&mut plain);
    Some(plain)
}

/// CBC under an HMAC over nonce and ciphertext: Signal's attachments, Fernet, and their like. The key is
/// two in one, in either order.
fn with_mac(key: &[u8], field: &Field, budget: &mut Budget) -> Option<Plain> {
    if !matches!(key.len(), 32 | 48 | 64) {
        return None;
    }
    let bytes = field.bytes.as_slice();
    let (a, b) = key.split_at(key.len() / 2);
    for (cipher, mac) in [(a, b), (b, a), (key, key)] {
        if !matches!(cipher.len(), 16 | 24 | 32) {
            continue;
        }
        let check = hmac::Key::new(hmac::HMAC_SHA256, mac);
        for tag_len in [32, 16, 10, 8] {
            let Some((signed, tag)) = bytes.split_at_checked(bytes.len().saturating_sub(tag_len)) else {
                continue;
            };
            if signed.len() < 32 || !budget.attempt(signed.len()) {
                continue;
            }
            if !hmac::sign(&check, signed).as_ref().starts_with(tag) {
                continue;
            }
            // Fernet puts a version and a time before the nonce.
            let body = if signed.len() % 16 == 9 { signed.get(9..)? } else { signed };
            let (iv, text) = body.split_at_checked(16)?;
            let plain = unpadded(decrypt_cbc(cipher, iv, text)?)?;
            return Some(Plain { how: "AES-CBC with HMAC-SHA256", bytes: plain, authentic: true });
        }
    }
    None
}

/// AES-CBC has no tag: only a full PKCS#7 padding over readable text convinces.
fn cbc(key: &[u8], field: &Field, budget: &mut Budget) -> Option<Plain> {
    // A vector in front comes last: what is tried with its first block as one reads from the second on.
    let beside = field.nearby.iter().filter(|n| n.len() == 16);
    let mut pairs: Vec<(&[u8], &[u8])> = beside.map(|n| (n.as_slice(), field.bytes.as_slice())).collect();
    pairs.push((&[0; 16], &field.bytes));
    pairs.extend(field.bytes.split_at_checked(16));
    pairs.into_iter().find_map(|(iv, body)| {
        if body.is_empty() || !body.len().is_multiple_of(16) || !budget.attempt(body.len()) {
            return None;
        }
        let plain = unpadded(decrypt_cbc(key, iv, body)?)?;
        convinces(&plain, 16).then_some(Plain { how: "AES-CBC", bytes: plain, authentic: false })
    })
}

/// AES-ECB, likewise.
fn ecb(key: &[u8], field: &Field, budget: &mut Budget) -> Option<Plain> {
    if !field.bytes.len().is_multiple_of(16) || !budget.attempt(field.bytes.len()) {
        return None;
    }
    let blocks = field.bytes.chunks(16).map(|block| decrypt_cbc(key, &[0; 16], block));
    let plain = unpadded(blocks.collect::<Option<Vec<_>>>()?.concat())?;
    convinces(&plain, 16).then_some(Plain { how: "AES-ECB", bytes: plain, authentic: false })
}

/// AES-CTR: whole counter block, or a nonce with a counter from nought or one.
fn counter(key: &[u8], field: &Field, budget: &mut Budget) -> Option<Plain> {
    let bytes = field.bytes.as_slice();
    let mut pairs: Vec<([u8; 16], &[u8])> = Vec::new();
    let mut add = |start: &[u8], body| {
        for first in if start.len() == 16 { 0..1 } else { 0..2u8 } {
            let mut block = [0u8; 16];
            let Some(front) = block.get_mut(..start.len()) else { return };
            front.copy_from_slice(start);
            block[15] = block[15].wrapping_add(first);
            pairs.push((block, body));
        }
    };
    for n in [16, 12, 8] {
        if let Some((nonce, body)) = bytes.split_at_checked(n) {
            add(nonce, body);
        }
    }
    for near in field.nearby.iter().filter(|n| matches!(n.len(), 8 | 12 | 16)) {
        add(near, bytes);
    }
    add(&[0; 16], bytes);
    pairs.into_iter().find_map(|(block, body)| {
        if body.len() < 24 || !budget.attempt(64) {
            return None;
        }
        // The first two blocks tell; the rest is worth its work only if they read.
        let head = keystream(key, block, body.get(..24)?)?;
        if !printable(&head) || !budget.attempt(body.len()) {
            return None;
        }
        let plain = keystream(key, block, body)?;
        convinces(&plain, 24).then_some(Plain { how: "AES-CTR", bytes: plain, authentic: false })
    })
}

fn printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t' | 0x80..))
}

/// What came out of a cipher without a tag: valid text throughout, long enough not to be chance over all
/// trials of an audit, and language or a JSON document.
fn convinces(plain: &[u8], least: usize) -> bool {
    let Ok(text) = std::str::from_utf8(plain) else { return false };
    let clean = !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    plain.len() >= least
        && clean
        && (language::natural(text) >= 0.35 || serde_json::from_str::<serde_json::Value>(text).is_ok())
}

fn unpadded(mut plain: Vec<u8>) -> Option<Vec<u8>> {
    let pad = usize::from(*plain.last()?);
    let keep = plain.len().checked_sub(pad).filter(|_| (1..=16).contains(&pad))?;
    let whole = plain.get(keep..)?.iter().all(|b| usize::from(*b) == pad);
    plain.truncate(keep);
    whole.then_some(plain)
}

/// AES in CBC mode, padding still on; nothing for a key or a length that does not fit.
pub fn decrypt_cbc(key: &[u8], iv: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    if body.is_empty() || !body.len().is_multiple_of(16) || iv.len() != 16 {
        return None;
    }
    Some(match key.len() {
        16 => blocks(&Aes128::new_from_slice(key).ok()?, iv, body),
        24 => blocks(&Aes192::new_from_slice(key).ok()?, iv, body),
        32 => blocks(&Aes256::new_from_slice(key).ok()?, iv, body),
        _ => return None,
    })
}

/// The same with the padding taken off.
pub fn decrypt_cbc_padded(key: &[u8], iv: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    unpadded(decrypt_cbc(key, iv, body)?)
}

fn blocks<C: BlockCipherDecrypt>(cipher: &C, iv: &[u8], body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(body.len());
    let mut previous = iv;
    for chunk in body.chunks_exact(16) {
        let Ok(mut block) = aes::cipher::Block::<C>::try_from(chunk) else { return plain };
        cipher.decrypt_block(&mut block);
        plain.extend(block.iter().zip(previous).map(|(a, b)| a ^ b));
        previous = chunk;
    }
    plain
}

/// One AES block, encrypted; for modes that run the cipher forwards only.
pub fn encrypt_block(key: &[u8], block: [u8; 16]) -> Option<[u8; 16]> {
    fn one<C: BlockCipherEncrypt + KeyInit>(key: &[u8], block: [u8; 16]) -> Option<[u8; 16]> {
        let cipher = C::new_from_slice(key).ok()?;
        let mut out = aes::cipher::Block::<C>::try_from(block.as_slice()).ok()?;
        cipher.encrypt_block(&mut out);
        out.as_slice().try_into().ok()
    }
    match key.len() {
        16 => one::<Aes128>(key, block),
        24 => one::<Aes192>(key, block),
        32 => one::<Aes256>(key, block),
        _ => None,
    }
}

fn keystream(key: &[u8], first: [u8; 16], body: &[u8]) -> Option<Vec<u8>> {
    let mut block = u128::from_be_bytes(first);
    let mut plain = Vec::with_capacity(body.len());
    for chunk in body.chunks(16) {
        let pad = encrypt_block(key, block.to_be_bytes())?;
        plain.extend(chunk.iter().zip(pad).map(|(a, b)| a ^ b));
        block = block.wrapping_add(1);
    }
    Some(plain)
}
