//! The keys of one direction and the packets that they open.

use super::{Packet, Profile};
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use ring::{aead, hmac};

/// Keys of one direction, made from a master key and salt (RFC 3711 section 4.3).
pub struct Session {
    pub(super) profile: Profile,
    media: Keys,
    pub(super) control: Keys,
}

/// Keys for packets of one kind.
pub(super) struct Keys {
    /// The cipher's key, where it does not authenticate.
    pub cipher: Vec<u8>,
    /// HMAC key, or the cipher's key where it authenticates.
    pub mac: Option<hmac::Key>,
    pub aead: Option<aead::LessSafeKey>,
    pub salt: Vec<u8>,
}

/// Times that the sequence number may have wrapped before a recording begins, where many keys are tried.
const ROLLOVERS: u32 = 16;
/// Lengths of the master key identifier that stands before the tag, if any (RFC 3711 section 3.1).
const IDENTIFIERS: [usize; 4] = [0, 1, 4, 2];

impl Session {
    /// `None` where the lengths are not those of the profile.
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Option<Self> {
        if (key.len(), salt.len()) != profile.sizes() {
            return None;
        }
        let (media, control) = (Keys::new(profile, key, salt, 0)?, Keys::new(profile, key, salt, 3)?);
        Some(Self { profile, media, control })
    }

    /// How packets are protected.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Whether the packet's tag is right under these keys.
    pub fn fits(&self, packet: &Packet<'_>) -> bool {
        self.identifiers().iter().any(|id| self.find(packet, *id, ROLLOVERS).is_some())
    }

    /// Lengths of the key identifier that are worth a try: a short tag fits by chance where many ways are.
    pub(super) fn identifiers(&self) -> &'static [usize] {
        if self.profile.tag() > 4 { &IDENTIFIERS } else { &IDENTIFIERS[..1] }
    }

    /// How often the sequence number has wrapped, below `most`, if the tag is right for one of them.
    pub(super) fn find(&self, packet: &Packet<'_>, identifier: usize, most: u32) -> Option<u32> {
        let Profile::Counter(_, tag) = self.profile else {
            return (0..most).find(|n| self.open(packet, identifier, *n).is_some());
        };
        let end = packet.bytes.len().checked_sub(tag + identifier).filter(|e| *e >= packet.payload_at)?;
        let mut context = hmac::Context::with_key(self.media.mac.as_ref()?);
        context.update(packet.bytes.get(..end)?);
        let right = |rollover: &u32| {
            let mut context = context.clone();
            context.update(&rollover.to_be_bytes());
            packet.bytes.ends_with(context.sign().as_ref().get(..tag).unwrap_or_default())
        };
        (0..most).find(right)
    }

    /// The payload, if the packet's tag is right (RFC 3711 section 3.3, RFC 7714 section 8). `rollover` is how
    /// often the sequence number has wrapped, `identifier` the length of the key identifier.
    pub(super) fn open(&self, packet: &Packet<'_>, identifier: usize, rollover: u32) -> Option<Vec<u8>> {
        let [s0, s1, s2, s3] = packet.source.to_be_bytes();
        let [r0, r1, r2, r3] = rollover.to_be_bytes();
        let [n0, n1] = packet.number.to_be_bytes();
        match self.profile {
            Profile::Counter(_, tag) => {
                let end = packet.bytes.len().checked_sub(tag + identifier)?;
                let (before, payload) = packet.bytes.get(..end)?.split_at_checked(packet.payload_at)?;
                self.media.authentic(&[before, payload, &[r0, r1, r2, r3]], packet.bytes, tag)?;
                let counter = [0, 0, 0, 0, s0, s1, s2, s3, r0, r1, r2, r3, n0, n1];
                self.media.decrypt(counter, payload)
            }
            Profile::Gcm(_) => {
                let end = packet.bytes.len().checked_sub(identifier)?;
                let (head, sealed) = packet.bytes.get(..end)?.split_at_checked(packet.payload_at)?;
                let counter = [0, 0, s0, s1, s2, s3, r0, r1, r2, r3, n0, n1];
                self.media.decrypt_authentic(counter, head, sealed)
            }
        }
    }
}

impl Keys {
    /// `first` is the label of the cipher's key (RFC 3711 section 4.3.1): 0 for media, 3 for control packets.
    fn new(profile: Profile, key: &[u8], salt: &[u8], first: u8) -> Option<Self> {
        let derive = |label: u8, len: usize| derive(key, salt, first + label, len);
        let cipher = derive(0, key.len())?;
        let (mut mac, mut sealer) = (None, None);
        match profile {
            Profile::Counter(..) => {
                mac = Some(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &derive(1, 20)?));
            }
            Profile::Gcm(len) => {
                let algorithm = if len == 16 { &aead::AES_128_GCM } else { &aead::AES_256_GCM };
                sealer = Some(aead::LessSafeKey::new(aead::UnboundKey::new(algorithm, &cipher).ok()?));
            }
        }
        Some(Self { cipher, mac, aead: sealer, salt: derive(2, salt.len())? })
    }

    /// Whether `bytes` end with the first `tag` bytes of the parts' HMAC.
    pub(super) fn authentic(&self, parts: &[&[u8]], bytes: &[u8], tag: usize) -> Option<()> {
        let mut context = hmac::Context::with_key(self.mac.as_ref()?);
        parts.iter().for_each(|p| context.update(p));
        bytes.ends_with(context.sign().as_ref().get(..tag)?).then_some(())
    }

    /// AES in counter mode (RFC 3711 section 4.1.1).
    pub(super) fn decrypt(&self, counter: [u8; 14], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut start = [0u8; 16];
        start.iter_mut().zip(counter.iter().zip(&self.salt)).for_each(|(b, (c, s))| *b = c ^ s);
        let stream = encrypted_counters(&self.cipher, start, sealed.len())?;
        Some(sealed.iter().zip(stream).map(|(b, k)| b ^ k).collect())
    }

    /// AES-GCM (RFC 7714 sections 8.1 and 9.1).
    pub(super) fn decrypt_authentic(&self, counter: [u8; 12], head: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0u8; 12];
        nonce.iter_mut().zip(counter.iter().zip(&self.salt)).for_each(|(n, (c, s))| *n = c ^ s);
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let mut text = sealed.to_vec();
        let len = self.aead.as_ref()?.open_in_place(nonce, aead::Aad::from(head), &mut text).ok()?.len();
        text.truncate(len);
        Some(text)
    }
}

/// AES-CM as a pseudo-random function (RFC 3711 section 4.3.3). The salt of GCM is shorter and is filled
/// up with zeros (RFC 7714 section 11).
fn derive(key: &[u8], salt: &[u8], label: u8, len: usize) -> Option<Vec<u8>> {
    let mut block = [0u8; 16];
    block.get_mut(..salt.len())?.copy_from_slice(salt);
    block[7] ^= label;
    encrypted_counters(key, block, len)
}

/// The key stream of AES in counter mode, whose counter is the last two bytes.
fn encrypted_counters(key: &[u8], start: [u8; 16], len: usize) -> Option<Vec<u8>> {
    match key.len() {
        16 => Some(stream(&aes::Aes128::new_from_slice(key).ok()?, start, len)),
        24 => Some(stream(&aes::Aes192::new_from_slice(key).ok()?, start, len)),
        _ => Some(stream(&aes::Aes256::new_from_slice(key).ok()?, start, len)),
    }
}

fn stream<C: BlockCipherEncrypt>(cipher: &C, start: [u8; 16], len: usize) -> Vec<u8> {
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
pub(super) mod tests {
    use super::*;
    use crate::bytes::unhex as try_unhex;

    pub fn unhex(text: &str) -> Vec<u8> {
        try_unhex(text).unwrap()
    }

    /// Session keys and salt as the vectors of RFC 7714 give them: the derivation is passed by.
    pub fn session_of(key: &str, salt: &str) -> Session {
        let keys = || {
            let cipher = unhex(key);
            let algorithm = if cipher.len() == 16 { &aead::AES_128_GCM } else { &aead::AES_256_GCM };
            let aead = Some(aead::LessSafeKey::new(aead::UnboundKey::new(algorithm, &cipher).unwrap()));
            Keys { cipher, mac: None, aead, salt: unhex(salt) }
        };
        Session { profile: Profile::Gcm(key.len() / 2), media: keys(), control: keys() }
    }

    /// RFC 3711 appendix B.3.
    #[test]
    fn derives_the_keys_of_rfc_3711() {
        let (key, salt) = (unhex("E1F97A0D3E018BE0D64FA32C06DE4139"), unhex("0EC675AD498AFEEBB6960B3AABE6"));
        assert_eq!(derive(&key, &salt, 0, 16), Some(unhex("C61E7A93744F39EE10734AFE3FF7A087")));
        assert_eq!(derive(&key, &salt, 2, 14), Some(unhex("30CBBC08863D8C85D49DB34A9AE1")));
        assert_eq!(derive(&key, &salt, 1, 20), Some(unhex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")));
    }

    /// RFC 3711 appendix B.2.
    #[test]
    fn the_key_stream_is_that_of_rfc_3711() {
        let (key, salt) = (unhex("2B7E151628AED2A6ABF7158809CF4F3C"), unhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"));
        let keys = Keys { cipher: key, mac: None, aead: None, salt };
        let stream = keys.decrypt([0; 14], &[0; 48]).unwrap();
        assert_eq!(
            stream,
            unhex(
                "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0"
            )
        );
    }

    /// RFC 7714 sections 16.1.1 and 16.2.1.
    #[test]
    fn packets_of_rfc_7714_open() {
        let salt = "517569642070726f2071756f";
        for (key, sealed) in [
            (
                "000102030405060708090a0b0c0d0e0f",
                "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
            ),
            (
                "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
            ),
        ] {
            let (session, mut sealed) = (session_of(key, salt), unhex(sealed));
            let packet = Packet::read(&sealed).unwrap();
            let text = session.open(&packet, 0, 0).unwrap();
            assert_eq!(text, b"Gallia est omnis divisa in partes tres");
            assert!(session.fits(&packet));
            sealed[20] ^= 1;
            assert!(!session.fits(&Packet::read(&sealed).unwrap()));
        }
    }
}
