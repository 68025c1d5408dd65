//! The handshake messages of a session as both ends hash them, where secrets must be derived from them.

use super::hkdf::Hash;
use super::{LONGEST_MESSAGE, message_head};
use crate::model::{PerSide, Side};

/// Raw handshake messages by side. What either end hashes is in a fixed order across the sides, so the
/// order in which a capture holds the two directions does not matter.
#[derive(Default)]
pub(super) struct Transcript {
    messages: PerSide<Vec<u8>>,
    /// Sides of which nothing more is kept.
    closed: PerSide<bool>,
}

impl Transcript {
    /// Keeps one message with its header.
    pub fn push(&mut self, side: Side, message: &[u8]) {
        let held = &mut self.messages[side];
        if self.closed[side] {
            return;
        }
        if held.len() + message.len() > LONGEST_MESSAGE {
            self.closed[side] = true;
            return held.clear();
        }
        held.extend_from_slice(message);
    }

    /// The side's part ends here.
    pub fn close(&mut self, side: Side) {
        self.closed[side] = true;
    }

    /// TLS 1.2 and older: everything from the ClientHello to the ClientKeyExchange, for the session hash
    /// of RFC 7627 section 3.
    pub fn session(&self) -> Option<Vec<u8>> {
        let (hello, rest) = first(&self.messages.client)?;
        Some([hello, &self.messages.server, rest].concat())
    }

    /// TLS 1.3: hash of everything up to and with the last ClientHello, less its last `cut` bytes
    /// (RFC 8446 section 4.4.1).
    pub fn hello(&self, hash: Hash, retried: bool, cut: usize) -> Option<Vec<u8>> {
        let (hello, rest) = first(&self.messages.client)?;
        let mut text = Vec::new();
        match retried {
            true => {
                let (second, _) = first(rest)?;
                text.extend(instead_of(hello, hash));
                text.extend_from_slice(first(&self.messages.server)?.0);
                text.extend_from_slice(second.get(..second.len().checked_sub(cut)?)?);
            }
            false => text.extend_from_slice(hello.get(..hello.len().checked_sub(cut)?)?),
        }
        Some(hash.digest(&text))
    }

    /// TLS 1.3: hash of everything up to and with the newest message of the server.
    pub fn server(&self, hash: Hash, retried: bool) -> Option<Vec<u8>> {
        let (hello, rest) = first(&self.messages.client)?;
        if !retried {
            return Some(hash.digest(&[hello, &self.messages.server].concat()));
        }
        let (retry, server) = first(&self.messages.server)?;
        let hello = instead_of(hello, hash);
        Some(hash.digest(&[&hello, retry, first(rest)?.0, server].concat()))
    }
}

/// The message that stands for the first ClientHello once the server asked for another.
fn instead_of(hello: &[u8], hash: Hash) -> Vec<u8> {
    let hashed = hash.digest(hello);
    [&[254, 0, 0, hashed.len() as u8], &hashed[..]].concat()
}

/// The first message and what follows it.
fn first(messages: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, len) = message_head(messages)?;
    messages.split_at_checked(len)
}
