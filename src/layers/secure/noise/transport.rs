//! Transport messages behind a Noise handshake: one key and one counter for each direction.

use super::handshake::Done;
use super::state::{Cipher, TAG};
use crate::keys::NoiseTransport;
use crate::model::{PerSide, Side};

/// Opens transport messages.
pub struct Opener {
    keys: PerSide<[u8; 32]>,
    counters: PerSide<u64>,
    /// Known from the handshake, or from the first message that opens.
    cipher: Option<Cipher>,
}

impl Opener {
    /// With keys that were logged; which cipher they are for shows when a tag fits.
    pub fn logged(keys: &NoiseTransport) -> Self {
        let keys = PerSide { client: keys.client, server: keys.server };
        Self { keys, counters: PerSide::default(), cipher: None }
    }

    /// With the keys that a handshake came to.
    pub fn derived(done: &Done) -> Self {
        let keys = PerSide { client: done.client, server: done.server };
        Self { keys, counters: PerSide::default(), cipher: Some(done.suite.cipher) }
    }

    /// The cipher, once it is known.
    pub fn cipher(&self) -> Option<Cipher> {
        self.cipher
    }

    /// Whether the message that was opened last was this side's first and the other side had none.
    pub fn first(&self, side: Side) -> bool {
        self.counters[side] == 1 && self.counters[side.other()] == 0
    }

    /// Opens the next message of a side.
    pub fn open(&mut self, side: Side, sealed: &[u8]) -> Option<Vec<u8>> {
        if sealed.len() < TAG {
            return None;
        }
        let ciphers = match self.cipher {
            Some(cipher) => vec![cipher],
            None => vec![Cipher::AesGcm, Cipher::ChaChaPoly],
        };
        let (key, n) = (&self.keys[side], self.counters[side]);
        let (cipher, plain) = ciphers.into_iter().find_map(|c| Some((c, c.open(key, n, &[], sealed)?)))?;
        self.cipher = Some(cipher);
        self.counters[side] = n + 1;
        Some(plain)
    }
}
