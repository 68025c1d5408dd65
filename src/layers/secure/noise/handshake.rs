//! Handshakes of the Noise Protocol Framework (revision 34, section 7) on Curve25519, followed with the
//! private keys of one of their ends. Every part that is encrypted has to open.

use super::state::{SUITES, Suite, Symmetric, TAG};
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
    Psk,
}

/// A handshake pattern.
#[derive(Debug)]
pub struct Pattern {
    /// Its name without modifiers.
    name: &'static str,
    /// Whose long-term key the other end knows before: the initiator's, the responder's.
    known: [bool; 2],
    messages: &'static [&'static [Token]],
}

const fn pattern(name: &'static str, known: [bool; 2], messages: &'static [&'static [Token]]) -> Pattern {
    Pattern { name, known, messages }
}

use Token::{E, Ee, Es, Psk, S, Se, Ss};

/// The interactive patterns (section 7.5), those that messengers use first.
static PATTERNS: [Pattern; 12] = [
    pattern("XX", [false, false], &[&[E], &[E, Ee, S, Es], &[S, Se]]),
    pattern("IK", [false, true], &[&[E, Es, S, Ss], &[E, Ee, Se]]),
    pattern("XK", [false, true], &[&[E, Es], &[E, Ee], &[S, Se]]),
    pattern("NN", [false, false], &[&[E], &[E, Ee]]),
    pattern("NK", [false, true], &[&[E, Es], &[E, Ee]]),
    pattern("NX", [false, false], &[&[E], &[E, Ee, S, Es]]),
    pattern("XN", [false, false], &[&[E], &[E, Ee], &[S, Se]]),
    pattern("KN", [true, false], &[&[E], &[E, Ee, Se]]),
    pattern("KK", [true, true], &[&[E, Es, Ss], &[E, Ee, Se]]),
    pattern("KX", [true, false], &[&[E], &[E, Ee, Se, S, Es]]),
    pattern("IN", [false, false], &[&[E, S], &[E, Ee, Se]]),
    pattern("IX", [false, false], &[&[E, S], &[E, Ee, Se, S, Es]]),
];

impl Pattern {
    /// The tokens of a message with the modifier `pskN` (section 9.4): at the beginning of the first message,
    /// or at the end of the Nth.
    fn tokens(&self, message: usize, psk: Option<usize>) -> impl Iterator<Item = Token> {
        let before = (psk == Some(0) && message == 0).then_some(Psk);
        let after = (psk == Some(message + 1)).then_some(Psk);
        let own = self.messages.get(message).copied().unwrap_or_default();
        before.into_iter().chain(own.iter().copied()).chain(after)
    }
}

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
    /// The pattern's name with its modifier.
    pub pattern: String,
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
    psk: Option<[u8; 32]>,
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
        let fixed = |own: Option<NoisePrivate>, other: Option<NoisePrivate>| {
            own.and_then(|k| k.fixed).map(|k| public(&k)).or(other.and_then(|k| k.peer))
        };
        let fixed = [fixed(initiator, responder), fixed(responder, initiator)];
        let psk = keys.noise_psk(ephemeral).copied();
        Some(Self { initiator, responder, psk, ephemerals: [None; 2], fixed })
    }

    /// The secret of two keys, from the private one of either end.
    fn secret(&self, token: Token) -> Option<[u8; KEY]> {
        let [ours, theirs] = match token {
            Ee => [(&self.ephemerals, false), (&self.ephemerals, false)],
            Es => [(&self.ephemerals, false), (&self.fixed, true)],
            Se => [(&self.fixed, true), (&self.ephemerals, false)],
            Ss => [(&self.fixed, true), (&self.fixed, true)],
            E | S | Psk => return None,
        };
        let private = |keys: &NoisePrivate, fixed| if fixed { keys.fixed } else { Some(keys.ephemeral) };
        let from = |end: &Option<NoisePrivate>, fixed, peer: Option<[u8; KEY]>| {
            Some(agree(private(end.as_ref()?, fixed)?, peer?))
        };
        from(&self.initiator, ours.1, theirs.0[1]).or_else(|| from(&self.responder, theirs.1, ours.0[0]))
    }
}

/// Follows the messages of a handshake under every pattern and suite, with the pre-shared key in every place
/// where there is one. `None` while it is not complete or if no key opens it.
pub fn follow(messages: &[Vec<u8>], prologues: &[&[u8]], keys: &Messengers) -> Option<Done> {
    let ephemeral: [u8; KEY] = messages.first()?.first_chunk().copied()?;
    let psk = Ends::of(keys, &ephemeral)?.psk;
    let places: Vec<Option<usize>> =
        std::iter::once(None).chain((0..=messages.len()).filter(|_| psk.is_some()).map(Some)).collect();
    for pattern in PATTERNS.iter().filter(|p| p.messages.len() == messages.len()) {
        for psk in &places {
            for suite in SUITES {
                for prologue in prologues {
                    for empty in [Empty::Mixed, Empty::LeftOut] {
                        let with = With { pattern, psk: *psk, suite, prologue, empty };
                        if let Some(done) = run(&with, messages, Ends::of(keys, &ephemeral)?) {
                            return Some(done);
                        }
                    }
                }
            }
        }
    }
    None
}

/// What a handshake is followed as.
struct With<'a> {
    pattern: &'static Pattern,
    psk: Option<usize>,
    suite: Suite,
    prologue: &'a [u8],
    empty: Empty,
}

fn run(with: &With<'_>, messages: &[Vec<u8>], mut ends: Ends) -> Option<Done> {
    let With { pattern, psk, suite, prologue, empty } = with;
    let modifier = psk.map(|n| format!("psk{n}")).unwrap_or_default();
    let full = format!("{}{modifier}", pattern.name);
    let mut state = Symmetric::new(*suite, &format!("Noise_{full}_25519_{}", suite.name()), prologue);
    for (key, known) in ends.fixed.iter().zip(pattern.known) {
        if known {
            state.mix_hash(key.as_ref()?);
        }
    }
    let mut payloads = Vec::new();
    for (i, message) in messages.iter().enumerate() {
        let mut rest = message.as_slice();
        let sender = i % 2;
        for token in pattern.tokens(i, *psk) {
            match token {
                E => {
                    let (key, after) = rest.split_first_chunk::<KEY>()?;
                    state.mix_hash(key);
                    if psk.is_some() {
                        // Section 9.2: it makes the keys differ where the pre-shared one is used again.
                        state.mix_key(key);
                    }
                    *ends.ephemerals.get_mut(sender)? = Some(*key);
                    rest = after;
                }
                S => {
                    let len = if state.keyed() { KEY + TAG } else { KEY };
                    let (sealed, after) = rest.split_at_checked(len)?;
                    *ends.fixed.get_mut(sender)? = Some(state.open(sealed)?.try_into().ok()?);
                    rest = after;
                }
                Psk => state.mix_key_and_hash(&ends.psk?),
                dh => state.mix_key(&ends.secret(dh)?),
            }
        }
        let left_out = rest.is_empty() && !state.keyed() && *empty == Empty::LeftOut;
        payloads.push(if left_out { Vec::new() } else { state.open(rest)? });
    }
    let (client, server) = state.split();
    Some(Done { pattern: full, suite: *suite, client, server, payloads })
}
