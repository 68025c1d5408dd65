//! Secrets of protections that messengers use beside TLS: MTProto authorization keys, MTProxy secrets, and
//! keys of Noise handshakes. They stand as lines of their own in the same key log; `docs/keys.md` says how
//! they look and where an auditor gets them.

use crate::bytes::unhex;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of an MTProto authorization key.
pub const AUTH_KEY: usize = 256;

/// Secrets of each kind that are kept at most.
const MOST: usize = 100_000;
/// Longest prologue of a Noise handshake that is kept.
const LONGEST_PROLOGUE: usize = 1024;

/// The two keys behind a Noise handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoiseTransport {
    /// What the client seals with.
    pub client: [u8; 32],
    /// What the server seals with.
    pub server: [u8; 32],
}

/// Private keys of one end of a Noise handshake on Curve25519.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoisePrivate {
    /// The ephemeral key of this handshake.
    pub ephemeral: [u8; 32],
    /// The end's long-term key, where it has one.
    pub fixed: Option<[u8; 32]>,
    /// Public long-term key of the other end, where it is known before the handshake.
    pub peer: Option<[u8; 32]>,
}

/// Secrets for MTProto and Noise.
#[derive(Debug, Clone, Default)]
pub struct Messengers {
    auth_keys: HashMap<[u8; 8], Arc<[u8; AUTH_KEY]>>,
    proxies: Vec<[u8; 16]>,
    transports: HashMap<[u8; 32], NoiseTransport>,
    initiators: HashMap<[u8; 32], NoisePrivate>,
    responders: HashMap<[u8; 32], NoisePrivate>,
    prologues: HashMap<[u8; 32], Arc<[u8]>>,
    noise_psks: HashMap<[u8; 32], [u8; 32]>,
}

/// What became of a line of the key log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// Not one of these labels.
    Other,
    /// A secret was taken.
    Taken,
    /// The label is known and the rest does not fit it.
    Malformed,
}

impl Messengers {
    /// Takes a line, split into words, if its label is one of these.
    pub(super) fn take(&mut self, words: &[&str]) -> Line {
        let Some((label, rest)) = words.split_first() else { return Line::Other };
        let taken = match label.to_ascii_uppercase().as_str() {
            "MTPROTO_AUTH_KEY" => self.auth_key(rest),
            "MTPROXY_SECRET" => self.proxy(rest),
            "NOISE_TRANSPORT" => self.transport(rest),
            "NOISE_PRIVATE" => private(rest).map(|(name, keys)| {
                self.initiators.insert(name, keys);
            }),
            "NOISE_RESPONDER_PRIVATE" => private(rest).map(|(name, keys)| {
                self.responders.insert(name, keys);
            }),
            "NOISE_PSK" => self.noise_pre_shared(rest),
            "NOISE_PROLOGUE" => self.prologue(rest),
            _ => return Line::Other,
        };
        match taken {
            Some(()) => Line::Taken,
            None => Line::Malformed,
        }
    }

    fn auth_key(&mut self, words: &[&str]) -> Option<()> {
        let [id, key, ..] = words else { return None };
        let key: [u8; AUTH_KEY] = array(key)?;
        let known = auth_key_id(&key);
        let given: [u8; 8] = array(id)?;
        let mut reversed = given;
        // Programs that hold the id as a number print it with its highest byte first.
        reversed.reverse();
        (self.auth_keys.len() < MOST && (given == known || reversed == known)).then(|| {
            self.auth_keys.insert(known, Arc::new(key));
        })
    }

    /// 16 bytes; a first byte of `dd` or `ee` asks for padding or for a TLS look and is no part of the key.
    fn proxy(&mut self, words: &[&str]) -> Option<()> {
        let [secret, ..] = words else { return None };
        let bytes = unhex(secret)?;
        let key = match bytes.as_slice() {
            [0xdd | 0xee, key @ ..] if key.len() >= 16 => key.first_chunk::<16>()?,
            key => <&[u8; 16]>::try_from(key).ok()?,
        };
        if !self.proxies.contains(key) && self.proxies.len() < 256 {
            self.proxies.push(*key);
        }
        Some(())
    }

    fn transport(&mut self, words: &[&str]) -> Option<()> {
        let [name, client, server, ..] = words else { return None };
        let keys = NoiseTransport { client: array(client)?, server: array(server)? };
        if self.transports.len() < MOST {
            self.transports.insert(array(name)?, keys);
        }
        Some(())
    }

    fn noise_pre_shared(&mut self, words: &[&str]) -> Option<()> {
        let [name, psk, ..] = words else { return None };
        let psk = array(psk)?;
        if self.noise_psks.len() < MOST {
            self.noise_psks.insert(array(name)?, psk);
        }
        Some(())
    }

    fn prologue(&mut self, words: &[&str]) -> Option<()> {
        let [name, prologue, ..] = words else { return None };
        let bytes = unhex(prologue).filter(|b| b.len() <= LONGEST_PROLOGUE)?;
        if self.prologues.len() < MOST {
            self.prologues.insert(array(name)?, bytes.into());
        }
        Some(())
    }

    /// The MTProto key of that identifier, as the wire shows it.
    pub fn mtproto(&self, id: &[u8; 8]) -> Option<&[u8; AUTH_KEY]> {
        self.auth_keys.get(id).map(|k| &**k)
    }

    /// Secrets of MTProxy servers.
    pub fn mtproxies(&self) -> &[[u8; 16]] {
        &self.proxies
    }

    /// The transport keys of the handshake with that ephemeral public key of the client.
    pub fn noise_transport(&self, ephemeral: &[u8; 32]) -> Option<&NoiseTransport> {
        self.transports.get(ephemeral)
    }

    /// Private keys of the client in that handshake.
    pub fn noise_initiator(&self, ephemeral: &[u8; 32]) -> Option<&NoisePrivate> {
        self.initiators.get(ephemeral)
    }

    /// Private keys of the server in that handshake.
    pub fn noise_responder(&self, ephemeral: &[u8; 32]) -> Option<&NoisePrivate> {
        self.responders.get(ephemeral)
    }

    /// The prologue of that handshake, where the protocol around it does not say.
    pub fn noise_prologue(&self, ephemeral: &[u8; 32]) -> Option<&[u8]> {
        self.prologues.get(ephemeral).map(|p| &**p)
    }

    /// The pre-shared key of that handshake, which opens nothing by itself.
    pub fn noise_psk(&self, ephemeral: &[u8; 32]) -> Option<&[u8; 32]> {
        self.noise_psks.get(ephemeral)
    }

    /// Whether any secret names the handshake with that ephemeral public key.
    pub fn noise_knows(&self, ephemeral: &[u8; 32]) -> bool {
        self.transports.contains_key(ephemeral)
            || self.initiators.contains_key(ephemeral)
            || self.responders.contains_key(ephemeral)
    }

    /// Number of secrets.
    pub fn len(&self) -> usize {
        self.auth_keys.len()
            + self.proxies.len()
            + self.transports.len()
            + self.initiators.len()
            + self.responders.len()
            + self.noise_psks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The identifier of an authorization key: the last 8 bytes of its SHA-1.
pub fn auth_key_id(key: &[u8; AUTH_KEY]) -> [u8; 8] {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, key);
    hash.as_ref().last_chunk().copied().unwrap_or_default()
}

fn private(words: &[&str]) -> Option<([u8; 32], NoisePrivate)> {
    let [name, ephemeral, rest @ ..] = words else { return None };
    let key = |at: usize| match rest.get(at) {
        None | Some(&"-") => Some(None),
        Some(word) => array(word).map(Some),
    };
    let (fixed, peer) = (key(0)?, key(1)?);
    Some((array(name)?, NoisePrivate { ephemeral: array(ephemeral)?, fixed, peer }))
}

fn array<const N: usize>(text: &str) -> Option<[u8; N]> {
    unhex(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyStore;

    #[test]
    fn lines_of_messengers_stand_in_the_same_log() {
        let key = [7u8; AUTH_KEY];
        let id = auth_key_id(&key);
        let hex = |b: &[u8]| b.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let reversed: Vec<u8> = id.iter().rev().copied().collect();
        let text = format!(
            "MTPROTO_AUTH_KEY {} {}\nmtproto_auth_key {} {}\nMTPROTO_AUTH_KEY 0011223344556677 {}\n\
             MTPROXY_SECRET dd{}\nMTPROXY_SECRET 0011\nNOISE_TRANSPORT {} {} {}\nNOISE_PRIVATE {} {} {}\n\
             NOISE_RESPONDER_PRIVATE {} {} {} {}\nNOISE_PROLOGUE {} 57410603\nNOISE_PRIVATE {} 00 00\n",
            hex(&id),
            hex(&key),
            hex(&reversed),
            hex(&key),
            hex(&key),
            "ab".repeat(16),
            "01".repeat(32),
            "02".repeat(32),
            "03".repeat(32),
            "04".repeat(32),
            "05".repeat(32),
            "06".repeat(32),
            "07".repeat(32),
            "08".repeat(32),
            "09".repeat(32),
            "0a".repeat(32),
            "01".repeat(32),
            "01".repeat(32),
        );
        let mut store = KeyStore::default();
        let report = store.add_keylog(text.as_bytes(), "test");
        assert_eq!((report.secrets, report.unknown), (7, 0));
        assert_eq!(report.malformed, vec![3, 5, 10], "a foreign id, a short secret, short keys");
        let own = store.messengers();
        assert_eq!(own.mtproto(&id), Some(&key));
        assert_eq!(own.mtproto(&[0; 8]), None);
        assert_eq!(own.mtproxies(), [[0xab; 16]]);
        assert_eq!(own.noise_transport(&[1; 32]).map(|k| k.server), Some([3; 32]));
        assert_eq!(own.noise_initiator(&[4; 32]).map(|k| (k.fixed, k.peer)), Some((Some([6; 32]), None)));
        assert_eq!(own.noise_responder(&[7; 32]).and_then(|k| k.peer), Some([10; 32]));
        assert_eq!(own.noise_prologue(&[1; 32]), Some(&b"WA\x06\x03"[..]));
        assert_eq!(store.len(), 5);
    }
}
