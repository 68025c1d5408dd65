//! Secure RTP (RFC 3711, RFC 6188, RFC 7714): whether a master key fits a packet. The packet's
//! authentication decides; nothing is decrypted beyond that.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use ring::{aead, hmac};

/// How packets of a stream are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// AES in counter mode with a key of that many bytes, HMAC-SHA1 cut to that many.
    Counter(usize, usize),
    /// AES-GCM with a key of that many bytes and a tag of 16.
    Gcm(usize),
}

impl Profile {
    /// By its code in DTLS (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
    pub fn of_code(code: u16) -> Option<Self> {
        Some(match code {
            1 => Self::Counter(16, 10),
            2 => Self::Counter(16, 4),
            7 => Self::Gcm(16),
            8 => Self::Gcm(32),
            _ => return None,
        })
    }

    /// By its name in SDP (RFC 4568 section 6.2, RFC 6188 section 4, RFC 7714 section 14.2).
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "AES_CM_128_HMAC_SHA1_80" => Self::Counter(16, 10),
            "AES_CM_128_HMAC_SHA1_32" => Self::Counter(16, 4),
            "AES_192_CM_HMAC_SHA1_80" => Self::Counter(24, 10),
            "AES_192_CM_HMAC_SHA1_32" => Self::Counter(24, 4),
            "AES_256_CM_HMAC_SHA1_80" => Self::Counter(32, 10),
            "AES_256_CM_HMAC_SHA1_32" => Self::Counter(32, 4),
            "AEAD_AES_128_GCM" => Self::Gcm(16),
            "AEAD_AES_256_GCM" => Self::Gcm(32),
            _ => return None,
        })
    }

    /// The name in SDP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter(16, 4) => "AES_CM_128_HMAC_SHA1_32",
            Self::Counter(16, _) => "AES_CM_128_HMAC_SHA1_80",
            Self::Counter(24, 4) => "AES_192_CM_HMAC_SHA1_32",
            Self::Counter(24, _) => "AES_192_CM_HMAC_SHA1_80",
            Self::Counter(_, 4) => "AES_256_CM_HMAC_SHA1_32",
            Self::Counter(..) => "AES_256_CM_HMAC_SHA1_80",
            Self::Gcm(16) => "AEAD_AES_128_GCM",
            Self::Gcm(_) => "AEAD_AES_256_GCM",
        }
    }

    /// Bytes of master key and master salt.
    pub fn sizes(self) -> (usize, usize) {
        match self {
            Self::Counter(key, _) => (key, 14),
            Self::Gcm(key) => (key, 12),
        }
    }

    /// Bytes of the authentication tag.
    pub fn tag(self) -> usize {
        match self {
            Self::Counter(_, tag) => tag,
            Self::Gcm(_) => 16,
        }
    }
}

/// An RTP packet (RFC 3550 section 5.1), sealed or not: its header is always readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// All of it.
    pub bytes: &'a [u8],
    /// Where the payload begins: behind sources and extension.
    pub payload_at: usize,
    /// Payload type.
    pub kind: u8,
    /// Set on the first packet of a talk spurt or the last of a picture.
    pub marker: bool,
    /// Sequence number.
    pub number: u16,
    /// Sampling instant.
    pub timestamp: u32,
    /// Who sends.
    pub source: u32,
}

impl<'a> Packet<'a> {
    /// Reads a header of version 2 whose parts fit. The payload types that RTCP would have are refused
    /// (RFC 5761 section 4).
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut c = crate::bytes::Cursor::new(bytes);
        let (first, second) = (c.u8()?, c.u8()?);
        let (kind, marker) = (second & 0x7f, second & 0x80 != 0);
        if first >> 6 != 2 || (64..96).contains(&kind) && marker {
            return None;
        }
        let (number, timestamp, source) = (c.u16()?, c.u32()?, c.u32()?);
        c.take(4 * usize::from(first & 15))?;
        if first & 0x10 != 0 {
            c.u16()?;
            let words = c.u16()?;
            c.take(4 * usize::from(words))?;
        }
        Some(Self { bytes, payload_at: c.consumed(), kind, marker, number, timestamp, source })
    }

    /// What follows the header: payload, padding, and a tag where there is one.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(self.payload_at..).unwrap_or_default()
    }
}

/// Keys of one direction, made from a master key and salt (RFC 3711 section 4.3).
pub struct Session {
    profile: Profile,
    /// HMAC key, or the cipher's key where it authenticates.
    mac: Option<hmac::Key>,
    aead: Option<aead::LessSafeKey>,
    salt: Vec<u8>,
}

/// Times that the sequence number may have wrapped before a recording begins.
const ROLLOVERS: u32 = 3;
/// Lengths of the master key identifier that stands before the tag, if any (RFC 3711 section 3.1).
const IDENTIFIERS: [usize; 4] = [0, 1, 4, 2];

impl Session {
    /// `None` where the lengths are not those of the profile.
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Option<Self> {
        let sizes = profile.sizes();
        if (key.len(), salt.len()) != sizes {
            return None;
        }
        let derive = |label: u8, len: usize| derive(key, salt, label, len);
        let (mut mac, mut sealer) = (None, None);
        match profile {
            Profile::Counter(..) => {
                mac = Some(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &derive(1, 20)?));
            }
            Profile::Gcm(len) => {
                let algorithm = if len == 16 { &aead::AES_128_GCM } else { &aead::AES_256_GCM };
                let key = aead::UnboundKey::new(algorithm, &derive(0, len)?).ok()?;
                sealer = Some(aead::LessSafeKey::new(key));
            }
        }
        Some(Self { profile, mac, aead: sealer, salt: derive(2, sizes.1)? })
    }

    /// Whether the packet's tag is right under these keys.
    pub fn fits(&self, packet: &Packet<'_>) -> bool {
        (0..ROLLOVERS).any(|rollover| match self.profile {
            Profile::Counter(_, tag) => self.fits_hmac(packet, rollover, tag),
            Profile::Gcm(_) => self.fits_gcm(packet, rollover).is_some(),
        })
    }

    fn fits_hmac(&self, packet: &Packet<'_>, rollover: u32, tag: usize) -> bool {
        let Some(key) = &self.mac else { return false };
        let Some((before, tag)) = packet.bytes.split_at_checked(packet.bytes.len().saturating_sub(tag))
        else {
            return false;
        };
        // A short tag fits by chance where many ways are tried.
        let ways = if tag.len() > 4 { IDENTIFIERS.len() } else { 1 };
        IDENTIFIERS.iter().take(ways).any(|id| {
            let Some(end) = before.len().checked_sub(*id).filter(|e| *e >= packet.payload_at) else {
                return false;
            };
            let mut context = hmac::Context::with_key(key);
            context.update(before.get(..end).unwrap_or_default());
            context.update(&rollover.to_be_bytes());
            context.sign().as_ref().get(..tag.len()) == Some(tag)
        })
    }

    /// RFC 7714 section 8.1.
    fn fits_gcm(&self, packet: &Packet<'_>, rollover: u32) -> Option<()> {
        let mut nonce = [0u8; 12];
        let counter = [
            &[0, 0][..],
            &packet.source.to_be_bytes(),
            &rollover.to_be_bytes(),
            &packet.number.to_be_bytes(),
        ]
        .concat();
        nonce.iter_mut().zip(counter.iter().zip(&self.salt)).for_each(|(n, (c, s))| *n = c ^ s);
        let (head, sealed) = packet.bytes.split_at_checked(packet.payload_at)?;
        let mut text = sealed.to_vec();
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        self.aead.as_ref()?.open_in_place(nonce, aead::Aad::from(head), &mut text).ok()?;
        Some(())
    }
}

/// AES-CM as a pseudo-random function (RFC 3711 section 4.3.3). The salt of GCM is shorter and is filled
/// up with zeros (RFC 7714 section 11).
fn derive(key: &[u8], salt: &[u8], label: u8, len: usize) -> Option<Vec<u8>> {
    let mut block = [0u8; 16];
    block.get_mut(..salt.len())?.copy_from_slice(salt);
    block[7] ^= label;
    match key.len() {
        16 => Some(keystream(&aes::Aes128::new_from_slice(key).ok()?, block, len)),
        24 => Some(keystream(&aes::Aes192::new_from_slice(key).ok()?, block, len)),
        _ => Some(keystream(&aes::Aes256::new_from_slice(key).ok()?, block, len)),
    }
}

fn keystream<C: BlockCipherEncrypt>(cipher: &C, start: [u8; 16], len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + 16);
    for counter in 0..len.div_ceil(16) as u16 {
        let mut input = start;
        input[14..].copy_from_slice(&counter.to_be_bytes());
        let Ok(mut block) = aes::cipher::Block::<C>::try_from(&input[..]) else { return out };
        cipher.encrypt_block(&mut block);
        out.extend_from_slice(&block);
    }
    out.truncate(len);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(t: &str) -> Vec<u8> {
        (0..t.len() / 2).map(|i| u8::from_str_radix(&t[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    /// RFC 3711 appendix B.3.
    #[test]
    fn derives_the_keys_of_rfc_3711() {
        let (key, salt) = (unhex("E1F97A0D3E018BE0D64FA32C06DE4139"), unhex("0EC675AD498AFEEBB6960B3AABE6"));
        assert_eq!(derive(&key, &salt, 0, 16), Some(unhex("C61E7A93744F39EE10734AFE3FF7A087")));
        assert_eq!(derive(&key, &salt, 2, 14), Some(unhex("30CBBC08863D8C85D49DB34A9AE1")));
        assert_eq!(derive(&key, &salt, 1, 20), Some(unhex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")));
    }

    /// RFC 7714 section 16.1.1 gives session key and salt, so the derivation is passed by.
    #[test]
    fn the_tag_of_rfc_7714_fits() {
        let key = unhex("000102030405060708090a0b0c0d0e0f");
        let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, &key).unwrap());
        let salt = unhex("517569642070726f2071756f");
        let session = Session { profile: Profile::Gcm(16), mac: None, aead: Some(key), salt };
        let sealed = unhex(
            "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
        );
        assert!(session.fits(&Packet::read(&sealed).unwrap()));
        let mut damaged = sealed.clone();
        damaged[20] ^= 1;
        assert!(!session.fits(&Packet::read(&damaged).unwrap()));
    }

    #[test]
    fn headers_with_sources_and_extensions_are_read_and_rtcp_is_not() {
        let mut bytes = unhex("91e0000100000002000000030000000400010001aabbccdd55");
        let packet = Packet::read(&bytes).unwrap();
        assert_eq!((packet.payload(), packet.kind, packet.marker), (&[0x55][..], 96, true));
        bytes.truncate(20);
        assert_eq!(Packet::read(&bytes), None);
        assert_eq!(Packet::read(&unhex("80c8000100000002000000030000")), None);
    }
}
