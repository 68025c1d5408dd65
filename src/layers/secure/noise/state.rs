//! The cipher state and the symmetric state of the Noise Protocol Framework (revision 34, sections 5.1 and
//! 5.2), for somebody who only reads.

use blake2::{Blake2s256, Digest};
use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::{digest, hmac};

/// Bytes of a tag.
pub const TAG: usize = 16;

/// A cipher function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// AES-256-GCM, nonces with the most significant byte first.
    AesGcm,
    /// ChaCha20-Poly1305, nonces with the least significant byte first.
    ChaChaPoly,
}

/// A hash function. Only those of 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// BLAKE2s.
    Blake2s,
}

/// Cipher and hash of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suite {
    /// Cipher.
    pub cipher: Cipher,
    /// Hash.
    pub hash: Hash,
}

/// All suites that are tried, the most usual first.
pub static SUITES: [Suite; 4] = [
    Suite { cipher: Cipher::AesGcm, hash: Hash::Sha256 },
    Suite { cipher: Cipher::ChaChaPoly, hash: Hash::Blake2s },
    Suite { cipher: Cipher::ChaChaPoly, hash: Hash::Sha256 },
    Suite { cipher: Cipher::AesGcm, hash: Hash::Blake2s },
];

impl Suite {
    /// Its part of a protocol's name.
    pub fn name(self) -> String {
        let hash = match self.hash {
            Hash::Sha256 => "SHA256",
            Hash::Blake2s => "BLAKE2s",
        };
        format!("{}_{hash}", self.cipher.name())
    }
}

impl Cipher {
    /// As in a protocol's name.
    pub fn name(self) -> &'static str {
        match self {
            Cipher::AesGcm => "AESGCM",
            Cipher::ChaChaPoly => "ChaChaPoly",
        }
    }

    /// Opens one message; `None` if the tag refuses it.
    pub fn open(self, key: &[u8; 32], n: u64, associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (algorithm, counter) = match self {
            Cipher::AesGcm => (&aead::AES_256_GCM, n.to_be_bytes()),
            Cipher::ChaChaPoly => (&aead::CHACHA20_POLY1305, n.to_le_bytes()),
        };
        let mut nonce = [0; 12];
        nonce.iter_mut().skip(4).zip(counter).for_each(|(to, b)| *to = b);
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
        let mut plain = sealed.to_vec();
        let len = key
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(associated), &mut plain)
            .ok()?
            .len();
        plain.truncate(len);
        Some(plain)
    }
}

impl Hash {
    fn of(self, parts: &[&[u8]]) -> [u8; 32] {
        match self {
            Hash::Sha256 => {
                let mut context = digest::Context::new(&digest::SHA256);
                parts.iter().for_each(|p| context.update(p));
                context.finish().as_ref().try_into().unwrap_or_default()
            }
            Hash::Blake2s => {
                let mut hash = Blake2s256::new();
                parts.iter().for_each(|p| hash.update(p));
                hash.finalize().into()
            }
        }
    }

    fn mac(self, key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
        if self == Hash::Sha256 {
            let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
            parts.iter().for_each(|p| context.update(p));
            return context.sign().as_ref().try_into().unwrap_or_default();
        }
        // RFC 2104 over BLAKE2s, whose block has 64 bytes.
        let pad = |with: u8| -> [u8; 64] { std::array::from_fn(|i| key.get(i).copied().unwrap_or(0) ^ with) };
        let (inner, outer) = (pad(0x36), pad(0x5c));
        let mut all: Vec<&[u8]> = vec![&inner];
        all.extend_from_slice(parts);
        let inside = self.of(&all);
        self.of(&[&outer, &inside])
    }

    /// HKDF with N outputs (section 4.3), of which there are two or three.
    fn hkdf<const N: usize>(self, chaining: &[u8; 32], input: &[u8]) -> [[u8; 32]; N] {
        let temporary = self.mac(chaining, &[input]);
        let (mut number, mut previous) = (0, None::<[u8; 32]>);
        [(); N].map(|()| {
            number += 1;
            let before = previous.as_ref().map_or(&[][..], |p| p);
            let next = self.mac(&temporary, &[before, &[number]]);
            previous = Some(next);
            next
        })
    }
}

/// The state that a handshake mixes everything into.
#[derive(Clone)]
pub struct Symmetric {
    suite: Suite,
    chaining: [u8; 32],
    hash: [u8; 32],
    key: Option<[u8; 32]>,
    n: u64,
}

impl Symmetric {
    /// Starts with the protocol's name and a prologue.
    pub fn new(suite: Suite, name: &str, prologue: &[u8]) -> Self {
        let mut hash = [0; 32];
        match name.len() <= 32 {
            true => hash.iter_mut().zip(name.bytes()).for_each(|(to, b)| *to = b),
            false => hash = suite.hash.of(&[name.as_bytes()]),
        }
        let mut state = Self { suite, chaining: hash, hash, key: None, n: 0 };
        state.mix_hash(prologue);
        state
    }

    /// Mixes bytes that everybody saw.
    pub fn mix_hash(&mut self, data: &[u8]) {
        self.hash = self.suite.hash.of(&[&self.hash, data]);
    }

    /// Mixes a secret.
    pub fn mix_key(&mut self, secret: &[u8; 32]) {
        let [chaining, key] = self.suite.hash.hkdf(&self.chaining, secret);
        (self.chaining, self.key, self.n) = (chaining, Some(key), 0);
    }

    /// Mixes a pre-shared key (section 5.2).
    pub fn mix_key_and_hash(&mut self, secret: &[u8; 32]) {
        let [chaining, hash, key] = self.suite.hash.hkdf(&self.chaining, secret);
        self.mix_hash(&hash);
        (self.chaining, self.key, self.n) = (chaining, Some(key), 0);
    }

    /// Whether what is sent now is encrypted.
    pub fn keyed(&self) -> bool {
        self.key.is_some()
    }

    /// Opens a part of a message and mixes its ciphertext.
    pub fn open(&mut self, sealed: &[u8]) -> Option<Vec<u8>> {
        let plain = match &self.key {
            Some(key) => self.suite.cipher.open(key, self.n, &self.hash, sealed)?,
            None => sealed.to_vec(),
        };
        if self.key.is_some() {
            self.n += 1;
        }
        self.mix_hash(sealed);
        Some(plain)
    }

    /// The keys of the initiator and of the responder.
    pub fn split(&self) -> ([u8; 32], [u8; 32]) {
        let [initiator, responder] = self.suite.hash.hkdf(&self.chaining, &[]);
        (initiator, responder)
    }
}
