//! Block ciphers in CBC and the MACs of TLS 1.2 and older.

use super::suite::Block;
use aes::cipher::{Block as Octets, BlockCipherDecrypt, BlockSizeUser, KeyInit};
use hmac::{Hmac, Mac};
use md5::Md5;
use ring::hmac as ring_hmac;

/// A block cipher with its key.
pub(super) enum BlockKey {
    Aes128(aes::Aes128),
    Aes256(aes::Aes256),
    Aria128(aria::Aria128),
    Aria256(aria::Aria256),
    Camellia128(camellia::Camellia128),
    Camellia256(camellia::Camellia256),
    Des(des::Des),
    TripleDes(des::TdesEde3),
}

impl BlockKey {
    pub fn new(block: Block, key: &[u8]) -> Option<Self> {
        Some(match (block, key.len()) {
            (Block::Aes, 16) => Self::Aes128(KeyInit::new_from_slice(key).ok()?),
            (Block::Aes, _) => Self::Aes256(KeyInit::new_from_slice(key).ok()?),
            (Block::Aria, 16) => Self::Aria128(KeyInit::new_from_slice(key).ok()?),
            (Block::Aria, _) => Self::Aria256(KeyInit::new_from_slice(key).ok()?),
            (Block::Camellia, 16) => Self::Camellia128(KeyInit::new_from_slice(key).ok()?),
            (Block::Camellia, _) => Self::Camellia256(KeyInit::new_from_slice(key).ok()?),
            (Block::Des, _) => Self::Des(KeyInit::new_from_slice(key).ok()?),
            (Block::TripleDes, _) => Self::TripleDes(KeyInit::new_from_slice(key).ok()?),
        })
    }

    /// Bytes of a block.
    pub fn size(&self) -> usize {
        match self {
            Self::Des(_) | Self::TripleDes(_) => 8,
            _ => 16,
        }
    }

    /// Undoes CBC in place. `None` if `text` is not whole blocks or `iv` not one.
    pub fn decrypt(&self, iv: &[u8], text: &mut [u8]) -> Option<()> {
        match self {
            Self::Aes128(k) => cbc(k, iv, text),
            Self::Aes256(k) => cbc(k, iv, text),
            Self::Aria128(k) => cbc(k, iv, text),
            Self::Aria256(k) => cbc(k, iv, text),
            Self::Camellia128(k) => cbc(k, iv, text),
            Self::Camellia256(k) => cbc(k, iv, text),
            Self::Des(k) => cbc(k, iv, text),
            Self::TripleDes(k) => cbc(k, iv, text),
        }
    }
}

fn cbc<C: BlockCipherDecrypt + BlockSizeUser>(cipher: &C, iv: &[u8], text: &mut [u8]) -> Option<()> {
    let size = C::block_size();
    if iv.len() != size || text.is_empty() || !text.len().is_multiple_of(size) {
        return None;
    }
    let mut previous: Octets<C> = iv.try_into().ok()?;
    for chunk in text.chunks_exact_mut(size) {
        let sealed: Octets<C> = (&*chunk).try_into().ok()?;
        let mut open = sealed.clone();
        cipher.decrypt_block(&mut open);
        chunk.iter_mut().zip(open.iter().zip(previous.iter())).for_each(|(b, (o, p))| *b = o ^ p);
        previous = sealed;
    }
    Some(())
}

/// The key of a record's MAC.
pub(super) enum MacKey {
    Ring(ring_hmac::Key, usize),
    Md5(Box<Hmac<Md5>>),
    /// SSL 3.0: the key itself.
    Ssl3(Vec<u8>),
}

impl MacKey {
    /// HMAC with the hash that makes tags of `len` bytes.
    pub fn new(len: usize, key: &[u8]) -> Option<Self> {
        let algorithm = match len {
            16 => return Some(Self::Md5(Box::new(KeyInit::new_from_slice(key).ok()?))),
            20 => ring_hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            32 => ring_hmac::HMAC_SHA256,
            48 => ring_hmac::HMAC_SHA384,
            _ => return None,
        };
        Some(Self::Ring(ring_hmac::Key::new(algorithm, key), len))
    }

    /// Bytes of a tag.
    pub fn len(&self) -> usize {
        match self {
            Self::Ring(_, len) => *len,
            Self::Md5(_) => 16,
            Self::Ssl3(key) => key.len(),
        }
    }

    /// Whether `tag` is that of `head` and `text`.
    pub fn verify(&self, head: &[u8], text: &[u8], tag: &[u8]) -> Option<()> {
        match self {
            Self::Ring(key, _) => {
                let mut context = ring_hmac::Context::with_key(key);
                context.update(head);
                context.update(text);
                (context.sign().as_ref() == tag).then_some(())
            }
            Self::Md5(mac) => {
                let mut mac = (**mac).clone();
                mac.update(head);
                mac.update(text);
                mac.verify_slice(tag).ok()
            }
            Self::Ssl3(key) => (super::ssl3::mac(key, head, text)? == tag).then_some(()),
        }
    }
}
