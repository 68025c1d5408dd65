//! Handshakes of the Noise Protocol Framework (revision 34, section 7) on Curve25519, followed with the
//! private keys of one of their ends. Every part that is encrypted has to open.

use super::state::{Hash, SUITES, Suite, Symmetric, TAG};
use crate::keys::{Messengers, NoisePrivate};
use x25519_dalek::{PublicKey, StaticSecret};

/// Bytes of a public key.
pub const KEY: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    E,
    S,
    Ee,
    Es,
    Se,
    Ss,
}

/// A handshake pattern.
#[derive(Debug)]
pub struct Pattern {
    /// Its name.
    pub name: &'static str,
    /// The initiator knows the responder's long-term key.
    known: bool,
    messages: &'static [&'static [Token]],
}

use Token::{E, Ee, Es, S, Se, Ss};

/// The patterns that are followed.
pub static PATTERNS: [Pattern; 3] = [
    Pattern { name: "XX", known: false, messages: &[&[E], &[E, Ee, S, Es], &[S, Se]] },
    Pattern { name: "IK", known: true, messages: &[&[E, Es, S, Ss], &[E, Ee, Se]] },
    Pattern { name: "XK", known: true, messages: &[&[E, Es], &[E, Ee], &[S, Se]] },
];

/// How an implementation treats a first message without payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Empty {
    /// Mixed into the hash, as the specification says.
    Mixed,
    /// Left out, as WhatsApp does.
    LeftOut,
}

/// A handshake that was followed to its end.
pub struct Done {
    /// The pattern's name.
    pub pattern: &'static str,
    /// Cipher and hash.
    pub suite: Suite,
    /// What the initiator seals with.
    pub client: [u8; 32],
    /// What the responder seals with.
    pub server: [u8; 32],
    /// What each message carried beside keys.
    pub payloads: Vec<Vec<u8>>,
}

/// What is known of both ends.
struct Ends {
    initiator: Option<NoisePrivate>,
    responder: Option<NoisePrivate>,
    ephemerals: [Option<[u8; KEY]>; 2],
    fixed: [Option<[u8; KEY]>; 2],
}

fn public(private: &[u8; KEY]) -> [u8; KEY] {
    PublicKey::from(&StaticSecret::from(*private)).to_bytes()
}

fn agree(private: [u8; KEY], public: [u8; KEY]) -> [u8; KEY] {
    StaticSecret::from(private).diffie_hellman(&PublicKey::from(public)).to_bytes()
}

impl Ends {
    fn of(keys: &Messengers, ephemeral: &[u8; KEY]) -> Option<Self> {
        let (initiator, responder) =
            (keys.noise_initiator(ephemeral).copied(), keys.noise_responder(ephemeral).copied());
        if initiator.is_none() && responder.is_none() {
            return None;
        }
        let fixed = responder.map(|r| public(&r.fixed)).or(initiator.and_then(|i| i.peer));
        Some(Self { initiator, responder, ephemerals: [None; 2], fixed: [None, fixed] })
    }

    /// The secret of two keys, from the private one of either end.
    fn secret(&self, token: Token) -> Option<[u8; KEY]> {
        let [ours, theirs] = match token {
            Ee => [(&self.ephemerals, false), (&self.ephemerals, false)],
            Es => [(&self.ephemerals, false), (&self.fixed, true)],
            Se => [(&self.fixed, true), (&self.ephemerals, false)],
            Ss => [(&self.fixed, true), (&self.fixed, true)],
            E | S => return None,
        };
        let private = |keys: &NoisePrivate, fixed| if fixed { keys.fixed } else { keys.ephemeral };
        let from = |end: &Option<NoisePrivate>, fixed, peer: Option<[u8; KEY]>| {
            Some(agree(private(end.as_ref()?, fixed), peer?))
        };
        from(&self.initiator, ours.1, theirs.0[1]).or_else(|| from(&self.responder, theirs.1, ours.0[0]))
    }
}

/// Follows the messages of a handshake under every pattern and suite. `None` while it is not complete or if
/// no key opens it.
pub fn follow(messages: &[Vec<u8>], prologues: &[&[u8]], keys: &Messengers) -> Option<Done> {
    let ephemeral: [u8; KEY] = messages.first()?.first_chunk().copied()?;
    Ends::of(keys, &ephemeral)?;
    let patterns = PATTERNS.iter().filter(|p| p.messages.len() == messages.len());
    for pattern in patterns {
        for suite in SUITES {
            for prologue in prologues {
                for empty in [Empty::Mixed, Empty::LeftOut] {
                    let ends = Ends::of(keys, &ephemeral)?;
                    if let Some(done) = run(pattern, suite, prologue, empty, messages, ends) {
                        return Some(done);
                    }
                }
            }
        }
    }
    None
}

fn run(
    pattern: &'static Pattern,
    suite: Suite,
    prologue: &[u8],
    empty: Empty,
    messages: &[Vec<u8>],
    mut ends: Ends,
) -> Option<Done> {
    let name = format!("Noise_{}_25519_{}", pattern.name, suite.name());
    debug_assert!(name.len() <= 40 && matches!(suite.hash, Hash::Sha256 | Hash::Blake2s));
    let mut state = Symmetric::new(suite, &name, prologue);
    if pattern.known {
        state.mix_hash(&ends.fixed[1]?);
    }
    let mut payloads = Vec::new();
    for (i, (message, tokens)) in messages.iter().zip(pattern.messages).enumerate() {
        let mut rest = message.as_slice();
        let sender = i % 2;
        for token in *tokens {
            match token {
                E => {
                    let (key, after) = rest.split_first_chunk::<KEY>()?;
                    state.mix_hash(key);
                    *ends.ephemerals.get_mut(sender)? = Some(*key);
                    rest = after;
                }
                S => {
                    let len = if state.keyed() { KEY + TAG } else { KEY };
                    let (sealed, after) = rest.split_at_checked(len)?;
                    *ends.fixed.get_mut(sender)? = Some(state.open(sealed)?.try_into().ok()?);
                    rest = after;
                }
                dh => state.mix_key(&ends.secret(*dh)?),
            }
        }
        let left_out = rest.is_empty() && !state.keyed() && empty == Empty::LeftOut;
        payloads.push(if left_out { Vec::new() } else { state.open(rest)? });
    }
    let (client, server) = state.split();
    Some(Done { pattern: pattern.name, suite, client, server, payloads })
}
