//! Opens records: one instance for one direction and one generation of keys.

use super::blocks::{BlockKey, MacKey};
use super::hkdf::{Prefix, expand_label_of};
use super::suite::{Block, Cipher, Suite};
use aes::cipher::{KeyInit, StreamCipher};
use aes_gcm::AesGcm;
use ccm::aead::AeadInOut;
use ccm::consts::{U8, U12, U16};
use rc4::Rc4;
use ring::aead::{self, LessSafeKey, Nonce, UnboundKey};

/// The keys of one direction and how to use them.
#[allow(clippy::large_enum_variant)] // two live per connection, and the fast one should not be behind a box
pub(super) enum Opener {
    /// An AEAD of `ring`. `explicit` nonces stand in the record (TLS 1.2 GCM).
    Ring { key: LessSafeKey, iv: [u8; 12], explicit: bool, tls13: bool },
    /// ARIA or Camellia in GCM (TLS 1.2 only).
    OtherGcm { key: Box<GcmKey>, iv: [u8; 12] },
    /// AES-CCM.
    Ccm { key: CcmKey, iv: [u8; 12], tag: usize, tls13: bool },
    /// CBC with an HMAC, before or after encryption. `chained` is the last block where the IV is not
    /// in the record (TLS 1.0).
    Cbc { key: BlockKey, mac: MacKey, chained: Option<Vec<u8>>, mac_last: bool },
    /// RC4, whose keystream runs on from record to record.
    Rc4 { key: Box<Rc4>, mac: MacKey },
    /// No encryption; the MAC is cut off.
    Null { mac_len: usize },
}

/// Block ciphers in GCM that `ring` does not know.
pub(super) enum GcmKey {
    Aria128(AesGcm<aria::Aria128, U12>),
    Aria256(AesGcm<aria::Aria256, U12>),
    Camellia128(AesGcm<camellia::Camellia128, U12>),
    Camellia256(AesGcm<camellia::Camellia256, U12>),
}

pub(super) enum CcmKey {
    A16(ccm::Ccm<aes::Aes128, U16, U12>),
    A8(ccm::Ccm<aes::Aes128, U8, U12>),
    B16(ccm::Ccm<aes::Aes256, U16, U12>),
    B8(ccm::Ccm<aes::Aes256, U8, U12>),
}

/// What the two sides of a TLS 1.2 (or older) session get from the key block.
pub(super) struct Material<'a> {
    pub mac: &'a [u8],
    pub key: &'a [u8],
    pub iv: &'a [u8],
}

/// Bytes of MAC key, key and IV that one side needs. The IV of CBC matters only in TLS 1.0.
pub(super) fn needs(cipher: Cipher) -> Option<(usize, usize, usize)> {
    Some(match cipher {
        Cipher::Gcm(key) | Cipher::OtherGcm(_, key) | Cipher::Ccm(key, _) => (0, key, 4),
        Cipher::ChaCha => (0, 32, 12),
        Cipher::Cbc(Block::Des | Block::TripleDes, key, mac) => (mac, key, 8),
        Cipher::Cbc(_, key, mac) => (mac, key, 16),
        Cipher::Rc4(mac) => (mac, 16, 0),
        Cipher::Null(mac) => (mac, 0, 0),
        Cipher::Other => return None,
    })
}

impl Opener {
    /// For TLS 1.3 from a traffic secret.
    pub fn tls13(suite: &Suite, secret: &[u8]) -> Option<Self> {
        Self::of_secret(Prefix::Tls, suite, secret)
    }

    /// For TLS 1.3 or DTLS 1.3 from a traffic secret.
    pub fn of_secret(prefix: Prefix, suite: &Suite, secret: &[u8]) -> Option<Self> {
        let expand = |label, n| expand_label_of(prefix, suite.hash, secret, label, &[], n);
        let iv: [u8; 12] = expand("iv", 12).try_into().ok()?;
        match suite.cipher {
            Cipher::Gcm(n) => Self::ring(n, &expand("key", n), iv, false, true),
            Cipher::ChaCha => {
                let key = expand("key", 32);
                let key = LessSafeKey::new(UnboundKey::new(&aead::CHACHA20_POLY1305, &key).ok()?);
                Some(Self::Ring { key, iv, explicit: false, tls13: true })
            }
            Cipher::Ccm(n, tag) => {
                let key = ccm_key(&expand("key", n), tag)?;
                Some(Self::Ccm { key, iv, tag, tls13: true })
            }
            Cipher::OtherGcm(..) | Cipher::Cbc(..) | Cipher::Rc4(_) | Cipher::Null(_) | Cipher::Other => None,
        }
    }

    /// For TLS 1.2 and older from one side's part of the key block.
    pub fn tls12(suite: &Suite, version: u16, material: &Material<'_>, mac_last: bool) -> Option<Self> {
        let mut iv = [0u8; 12];
        match suite.cipher {
            Cipher::Gcm(n) => {
                iv[..4].copy_from_slice(material.iv.get(..4)?);
                Self::ring(n, material.key, iv, true, false)
            }
            Cipher::Ccm(_, tag) => {
                iv[..4].copy_from_slice(material.iv.get(..4)?);
                Some(Self::Ccm { key: ccm_key(material.key, tag)?, iv, tag, tls13: false })
            }
            Cipher::ChaCha => {
                iv.copy_from_slice(material.iv.get(..12)?);
                let key = LessSafeKey::new(UnboundKey::new(&aead::CHACHA20_POLY1305, material.key).ok()?);
                Some(Self::Ring { key, iv, explicit: false, tls13: false })
            }
            Cipher::OtherGcm(block, _) => {
                iv[..4].copy_from_slice(material.iv.get(..4)?);
                Some(Self::OtherGcm { key: Box::new(GcmKey::new(block, material.key)?), iv })
            }
            Cipher::Cbc(block, _, mac_len) => {
                let key = BlockKey::new(block, material.key)?;
                let mac = record_mac(version, mac_len, material.mac)?;
                let chained = (version <= 0x0301).then(|| material.iv.to_vec());
                Some(Self::Cbc { key, mac, chained, mac_last })
            }
            Cipher::Rc4(mac_len) => {
                let key = Box::new(Rc4::new_from_slice(material.key).ok()?);
                Some(Self::Rc4 { key, mac: record_mac(version, mac_len, material.mac)? })
            }
            Cipher::Null(mac_len) => Some(Self::Null { mac_len }),
            Cipher::Other => None,
        }
    }

    fn ring(n: usize, key: &[u8], iv: [u8; 12], explicit: bool, tls13: bool) -> Option<Self> {
        let algorithm = if n == 16 { &aead::AES_128_GCM } else { &aead::AES_256_GCM };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
        Some(Self::Ring { key, iv, explicit, tls13 })
    }

    /// Opens the record body in `body` with its 5-byte header. On success the plaintext lies in the
    /// returned range of `body`; on failure `body` is unusable.
    pub fn open(&mut self, header: [u8; 5], seq: u64, body: &mut [u8]) -> Option<std::ops::Range<usize>> {
        match self {
            Self::Ring { key, iv, explicit, tls13 } => {
                let start = if *explicit { 8 } else { 0 };
                let nonce = if *explicit { explicit_nonce(iv, body)? } else { sequence_nonce(iv, seq) };
                let plain = body.len().checked_sub(start + 16)?;
                let (aad, used) = additional(header, seq, plain, *tls13);
                let sealed = body.get_mut(start..)?;
                key.open_in_place(
                    Nonce::assume_unique_for_key(nonce),
                    aead::Aad::from(aad.get(..used)?),
                    sealed,
                )
                .ok()?;
                Some(start..start + plain)
            }
            Self::Ccm { key, iv, tag, tls13 } => {
                let start = if *tls13 { 0 } else { 8 };
                let nonce = if *tls13 { sequence_nonce(iv, seq) } else { explicit_nonce(iv, body)? };
                let plain = body.len().checked_sub(start + *tag)?;
                let (aad, used) = additional(header, seq, plain, *tls13);
                let (text, mac) = body.get_mut(start..)?.split_at_mut_checked(plain)?;
                key.open(&nonce, aad.get(..used)?, text, mac)?;
                Some(start..start + plain)
            }
            Self::OtherGcm { key, iv } => {
                let nonce = explicit_nonce(iv, body)?;
                let plain = body.len().checked_sub(24)?;
                let (aad, used) = additional(header, seq, plain, false);
                let (text, tag) = body.get_mut(8..)?.split_at_mut_checked(plain)?;
                key.open(&nonce, aad.get(..used)?, text, tag)?;
                Some(8..8 + plain)
            }
            Self::Cbc { key, mac, chained, mac_last } => {
                open_cbc(key, mac, chained, *mac_last, header, seq, body)
            }
            Self::Rc4 { key, mac } => {
                key.apply_keystream(body);
                let plain = body.len().checked_sub(mac.len())?;
                let (text, tag) = body.split_at_checked(plain)?;
                verify(mac, header, seq, text, tag)?;
                Some(0..plain)
            }
            Self::Null { mac_len } => Some(0..body.len().checked_sub(*mac_len)?),
        }
    }
}

impl Opener {
    /// Opens a record of an AEAD whose additional data is not what TLS makes of a record's header: the
    /// unified header of DTLS 1.3, or connection ids. On success the plaintext lies in the returned range.
    pub fn open_with(
        &mut self,
        additional: impl FnOnce(usize) -> Vec<u8>,
        seq: u64,
        body: &mut [u8],
    ) -> Option<std::ops::Range<usize>> {
        let (iv, start, tag) = match self {
            Self::Ring { iv, explicit, .. } => (iv, if *explicit { 8 } else { 0 }, 16),
            Self::Ccm { iv, tag, tls13, .. } => (iv, if *tls13 { 0 } else { 8 }, *tag),
            Self::OtherGcm { iv, .. } => (iv, 8, 16),
            Self::Cbc { .. } | Self::Rc4 { .. } | Self::Null { .. } => return None,
        };
        let nonce = if start > 0 { explicit_nonce(iv, body)? } else { sequence_nonce(iv, seq) };
        let plain = body.len().checked_sub(start + tag)?;
        let aad = additional(plain);
        let sealed = body.get_mut(start..)?;
        if let Self::Ring { key, .. } = self {
            let nonce = Nonce::assume_unique_for_key(nonce);
            key.open_in_place(nonce, aead::Aad::from(&aad), sealed).ok()?;
            return Some(start..start + plain);
        }
        let (text, tag) = sealed.split_at_mut_checked(plain)?;
        match self {
            Self::Ccm { key, .. } => key.open(&nonce, &aad, text, tag)?,
            Self::OtherGcm { key, .. } => key.open(&nonce, &aad, text, tag)?,
            _ => return None,
        }
        Some(start..start + plain)
    }
}

fn explicit_nonce(iv: &[u8; 12], body: &[u8]) -> Option<[u8; 12]> {
    let mut nonce = *iv;
    nonce[4..].copy_from_slice(body.get(..8)?);
    Some(nonce)
}

/// RFC 8446 section 5.3.
fn sequence_nonce(iv: &[u8; 12], seq: u64) -> [u8; 12] {
    let mut nonce = *iv;
    nonce[4..].iter_mut().zip(seq.to_be_bytes()).for_each(|(n, s)| *n ^= s);
    nonce
}

/// Additional data and its length: the record header in TLS 1.3, sequence number and a header with the
/// length of the plaintext before (RFC 5246 section 6.2.3.3).
fn additional(header: [u8; 5], seq: u64, plain: usize, tls13: bool) -> ([u8; 13], usize) {
    let mut aad = [0u8; 13];
    if tls13 {
        aad[..5].copy_from_slice(&header);
        return (aad, 5);
    }
    aad[..8].copy_from_slice(&seq.to_be_bytes());
    aad[8..11].copy_from_slice(&header[..3]);
    aad[11..].copy_from_slice(&(plain as u16).to_be_bytes());
    (aad, 13)
}

impl GcmKey {
    fn new(block: Block, key: &[u8]) -> Option<Self> {
        Some(match (block, key.len()) {
            (Block::Aria, 16) => Self::Aria128(KeyInit::new_from_slice(key).ok()?),
            (Block::Aria, 32) => Self::Aria256(KeyInit::new_from_slice(key).ok()?),
            (Block::Camellia, 16) => Self::Camellia128(KeyInit::new_from_slice(key).ok()?),
            (Block::Camellia, 32) => Self::Camellia256(KeyInit::new_from_slice(key).ok()?),
            _ => return None,
        })
    }

    fn open(&self, nonce: &[u8; 12], aad: &[u8], text: &mut [u8], tag: &[u8]) -> Option<()> {
        macro_rules! open {
            ($key:expr) => {
                $key.decrypt_inout_detached(&(*nonce).into(), aad, text.into(), tag.try_into().ok()?).ok()
            };
        }
        match self {
            GcmKey::Aria128(k) => open!(k),
            GcmKey::Aria256(k) => open!(k),
            GcmKey::Camellia128(k) => open!(k),
            GcmKey::Camellia256(k) => open!(k),
        }
    }
}

fn ccm_key(key: &[u8], tag: usize) -> Option<CcmKey> {
    Some(match (key.len(), tag) {
        (16, 16) => CcmKey::A16(KeyInit::new_from_slice(key).ok()?),
        (16, 8) => CcmKey::A8(KeyInit::new_from_slice(key).ok()?),
        (32, 16) => CcmKey::B16(KeyInit::new_from_slice(key).ok()?),
        (32, 8) => CcmKey::B8(KeyInit::new_from_slice(key).ok()?),
        _ => return None,
    })
}

impl CcmKey {
    fn open(&self, nonce: &[u8; 12], aad: &[u8], text: &mut [u8], tag: &[u8]) -> Option<()> {
        macro_rules! open {
            ($key:expr) => {
                $key.decrypt_inout_detached(&(*nonce).into(), aad, text.into(), tag.try_into().ok()?).ok()
            };
        }
        match self {
            CcmKey::A16(k) => open!(k),
            CcmKey::A8(k) => open!(k),
            CcmKey::B16(k) => open!(k),
            CcmKey::B8(k) => open!(k),
        }
    }
}

/// CBC with the MAC inside the encryption (RFC 5246 section 6.2.3.2) or outside it (RFC 7366).
fn open_cbc(
    key: &BlockKey,
    mac: &MacKey,
    chained: &mut Option<Vec<u8>>,
    mac_last: bool,
    header: [u8; 5],
    seq: u64,
    body: &mut [u8],
) -> Option<std::ops::Range<usize>> {
    let sealed = if mac_last { body.len().checked_sub(mac.len())? } else { body.len() };
    let start = if chained.is_some() { 0 } else { key.size() };
    let iv = match chained {
        Some(iv) => iv.clone(),
        None => body.get(..start)?.to_vec(),
    };
    if let Some(chain) = chained {
        // The chain goes on from a damaged record, too.
        *chain = body.get(sealed.checked_sub(key.size())?..sealed)?.to_vec();
    }
    if mac_last {
        let (text, tag) = body.split_at_checked(sealed)?;
        verify(mac, header, seq, text, tag)?;
    }
    let text = body.get_mut(start..sealed)?;
    key.decrypt(&iv, text)?;
    let pad = usize::from(*text.last()?) + 1;
    let end = text.len().checked_sub(pad)?;
    let (inside, padding) = text.split_at_checked(end)?;
    // SSL 3.0 alone leaves the padding's content open (RFC 6101 section 5.2.3.2); its MAC is another.
    let open_padding = matches!(mac, MacKey::Ssl3(_));
    if !open_padding && padding.iter().any(|b| usize::from(*b) + 1 != pad) {
        return None;
    }
    if mac_last {
        return Some(start..start + end);
    }
    let (content, tag) = inside.split_at_checked(end.checked_sub(mac.len())?)?;
    verify(mac, header, seq, content, tag)?;
    Some(start..start + content.len())
}

fn record_mac(version: u16, len: usize, key: &[u8]) -> Option<MacKey> {
    if version == 0x0300 { Some(MacKey::Ssl3(key.to_vec())) } else { MacKey::new(len, key) }
}

fn verify(mac: &MacKey, header: [u8; 5], seq: u64, text: &[u8], tag: &[u8]) -> Option<()> {
    let (head, used) = additional(header, seq, text.len(), false);
    mac.verify(head.get(..used)?, text, tag)
}
