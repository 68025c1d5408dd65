//! MTProto 2.0 encryption (core.telegram.org/mtproto/description): AES-256-IGE under keys that an
//! authorization key and a message key give.

use crate::bytes::Cursor;
use crate::keys::AUTH_KEY;
use crate::model::Side;
use aes::cipher::{BlockCipherDecrypt, KeyInit};
use ring::digest::{Context, SHA256};

/// Bytes before the ciphertext: the identifier of the authorization key and the message key.
pub const HEAD: usize = 24;
const BLOCK: usize = 16;
/// Bytes before the body inside: salt, session, message id, sequence number, length.
const INNER_HEAD: usize = 32;
/// Most padding behind the body, and more than any client adds.
const PADDING: usize = 1024 + BLOCK;

/// What stood inside an encrypted packet.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened {
    /// Session identifier, chosen by the client.
    pub session: u64,
    /// The message, in TL.
    pub body: Vec<u8>,
}

/// Opens a packet (without its transport framing). `None` if the key does not fit it.
pub fn open(key: &[u8; AUTH_KEY], side: Side, packet: &[u8]) -> Option<Opened> {
    let (message_key, sealed) = packet.get(8..)?.split_first_chunk::<16>()?;
    if sealed.is_empty() || sealed.len() % BLOCK != 0 {
        return None;
    }
    let x = match side {
        Side::Client => 0,
        Side::Server => 8,
    };
    let (aes_key, iv) = derive(key, message_key, x)?;
    let plain = ige_decrypt(&aes_key, &iv, sealed)?;
    let check = sha256(&[key.get(88 + x..120 + x)?, &plain]);
    if check.get(8..24)? != message_key {
        return None;
    }
    let mut c = Cursor::new(&plain);
    let (_salt, session, _id, _seq) = (c.u64_le()?, c.u64_le()?, c.u64_le()?, c.u32_le()?);
    let length = c.u32_le()? as usize;
    let fits = length <= c.left() && c.left() - length <= PADDING;
    fits.then(|| plain.get(INNER_HEAD..INNER_HEAD + length))
        .flatten()
        .map(|body| Opened { session, body: body.to_vec() })
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|p| context.update(p));
    context.finish().as_ref().try_into().unwrap_or_default()
}

/// Key and initialisation vector of one message.
fn derive(key: &[u8; AUTH_KEY], message_key: &[u8; 16], x: usize) -> Option<([u8; 32], [u8; 32])> {
    let a = sha256(&[message_key, key.get(x..x + 36)?]);
    let b = sha256(&[key.get(40 + x..76 + x)?, message_key]);
    let mix = |outer: &[u8; 32], inner: &[u8; 32]| -> Option<[u8; 32]> {
        [outer.get(..8)?, inner.get(8..24)?, outer.get(24..)?].concat().try_into().ok()
    };
    Some((mix(&a, &b)?, mix(&b, &a)?))
}

/// Infinite garble extension: every block is mixed with the blocks before it on both sides.
fn ige_decrypt(key: &[u8; 32], iv: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
    let cipher = aes::Aes256::new_from_slice(key).ok()?;
    let (mut before, mut plain_before) = iv.split_first_chunk::<BLOCK>().map(|(c, p)| (*c, p.to_vec()))?;
    let mut plain = Vec::with_capacity(sealed.len());
    for chunk in sealed.chunks_exact(BLOCK) {
        let mut block: [u8; BLOCK] = chunk.try_into().ok()?;
        let sealed_block = block;
        block.iter_mut().zip(&plain_before).for_each(|(b, p)| *b ^= p);
        let mut octets = aes::cipher::Block::<aes::Aes256>::from(block);
        cipher.decrypt_block(&mut octets);
        octets.iter_mut().zip(&before).for_each(|(b, c)| *b ^= c);
        before = sealed_block;
        plain_before.clear();
        plain_before.extend_from_slice(&octets);
        plain.extend_from_slice(&octets);
    }
    Some(plain)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use aes::cipher::BlockCipherEncrypt;

    /// Seals a message as a client or a server does, for the tests of this layer.
    pub fn seal(key: &[u8; AUTH_KEY], side: Side, body: &[u8]) -> Vec<u8> {
        let x = if side == Side::Client { 0 } else { 8 };
        let mut plain = [[1u8; 8], [2u8; 8], [3u8; 8], [0u8; 8]].concat();
        plain[28..32].copy_from_slice(&(body.len() as u32).to_le_bytes());
        plain.extend_from_slice(body);
        plain.resize((plain.len() + 12).next_multiple_of(16), 0x5a);
        let check = sha256(&[&key[88 + x..120 + x], &plain]);
        let message_key: [u8; 16] = check[8..24].try_into().unwrap();
        let (aes_key, iv) = derive(key, &message_key, x).unwrap();
        let cipher = aes::Aes256::new_from_slice(&aes_key).unwrap();
        let (mut c, mut p) = (iv[..16].to_vec(), iv[16..].to_vec());
        let mut packet = [crate::keys::auth_key_id(key).as_slice(), &message_key].concat();
        for chunk in plain.chunks_exact(16) {
            let mut block: [u8; 16] = chunk.try_into().unwrap();
            block.iter_mut().zip(&c).for_each(|(b, c)| *b ^= c);
            let mut octets = aes::cipher::Block::<aes::Aes256>::from(block);
            cipher.encrypt_block(&mut octets);
            octets.iter_mut().zip(&p).for_each(|(b, p)| *b ^= p);
            (c, p) = (octets.to_vec(), chunk.to_vec());
            packet.extend_from_slice(&octets);
        }
        packet
    }

    #[test]
    fn a_packet_opens_with_its_key_for_its_direction_only() {
        let key: [u8; AUTH_KEY] = std::array::from_fn(|i| (i * 7) as u8);
        let packet = seal(&key, Side::Client, b"see you at six. ");
        let opened = open(&key, Side::Client, &packet).expect("opens");
        assert_eq!((opened.session, opened.body.as_slice()), (0x0202020202020202, &b"see you at six. "[..]));
        assert_eq!(open(&key, Side::Server, &packet), None);
        assert_eq!(open(&[0x22; AUTH_KEY], Side::Client, &packet), None);
        for at in [0usize, 8, 24, packet.len() - 1] {
            let mut bent = packet.clone();
            bent[at] ^= 1;
            assert_eq!(open(&key, Side::Client, &bent).is_some(), at < 8, "byte {at}");
        }
        for n in 0..packet.len() {
            assert_eq!(open(&key, Side::Client, &packet[..n]), None);
        }
    }
}
