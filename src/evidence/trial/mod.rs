//! Keys in the wrong hands: every candidate key that a party can see is tried on the opaque fields of
//! the same recording. An authenticated success is proof; without a tag only readable text convinces.

mod budget;
pub mod candidates;
mod ciphers;
mod groups;
pub mod names;
mod openpgp;
mod pieces;
mod room;
mod store;
mod tokens;
mod turns;

use budget::Budget;
pub use names::Named;
pub use room::{Room, Taken};
pub use store::{Concerned, GivenUp, Lock, Sort, Store};

use super::uniform::Measure;
use super::{Canaries, ConversationKey, Copies, Evidence, Kind, Polarity, Strength};
use crate::model::Origin;
use crate::peel::Guard;
use crate::ruleset::language;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A secret that somebody could see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Secret {
    /// 16 to 64 bytes that could be a symmetric key, perhaps with a nonce before it.
    Key(Vec<u8>),
    /// What a message or field calls a password.
    Password(String),
    /// Key material of a known format, such as a group session's export.
    Material {
        /// The format's id.
        format: String,
        /// The bytes as they stood.
        bytes: Vec<u8>,
    },
}

/// How a secret stood there, likeliest first: the order in which secrets are kept and tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stood {
    /// Its field or the words before it call it a key, a secret or a password.
    Called,
    /// The field's whole value.
    Alone,
    /// A word of a longer text.
    InText,
    /// Its field, the words before it or its form say that it is something else: a public key, a signature,
    /// a digest, an identifier. Tried after all others.
    Misnamed,
}

impl Stood {
    /// Every way.
    pub const ALL: [Stood; 4] = [Stood::Called, Stood::Alone, Stood::InText, Stood::Misnamed];

    /// Of what a field and the words before a value call it.
    pub fn of(field: Named, called: Named, alone: bool) -> Stood {
        match (called, field) {
            (Named::Secret, _) | (Named::Nothing, Named::Secret) => Stood::Called,
            (Named::Other, _) | (_, Named::Other) => Stood::Misnamed,
            _ if alone => Stood::Alone,
            _ => Stood::InText,
        }
    }

    /// How many secrets of this kind one flow keeps.
    pub fn room(self) -> usize {
        match self {
            Stood::Called => 128,
            Stood::Alone => 256,
            Stood::InText => 64,
            Stood::Misnamed => 32,
        }
    }
}

/// A secret and where somebody could see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Candidate {
    /// Where it stood.
    pub origin: Origin,
    /// The service that it passed.
    pub endpoint: String,
    /// How it stood there: the likeliest are tried first.
    pub stood: Stood,
    /// Whether the place was confidential on the wire: then the provider saw it, else everybody.
    pub guard: Guard,
    /// The secret.
    pub secret: Secret,
}

/// An opaque field, kept for trials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Field {
    /// Where it stood.
    pub origin: Origin,
    /// The conversation it belongs to.
    pub conversation: ConversationKey,
    /// Whether it was confidential on the wire.
    pub guard: Guard,
    /// The format, where the bytes are a whole envelope and not a bare ciphertext.
    pub format: Option<String>,
    /// What it is called: a public key or a signature is hardly a ciphertext.
    #[serde(default)]
    pub named: Named,
    /// Its bytes, whole.
    pub bytes: Vec<u8>,
    /// Short fields of the same message that may be its nonce, tag or salt.
    pub nearby: Vec<Vec<u8>>,
    /// The one of them that is called a nonce, where there is just one.
    #[serde(default)]
    pub nonce: Option<Vec<u8>>,
    /// Rounds of a key derivation that stand beside it.
    pub rounds: Option<u32>,
}

/// What came out of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// Algorithm and layout, for people.
    pub how: &'static str,
    /// The text.
    pub bytes: Vec<u8>,
    /// Whether a tag, a MAC or a digest agreed.
    pub authentic: bool,
}

/// A field that a visible key opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Index of the field.
    pub field: usize,
    /// Index of the candidate.
    pub candidate: usize,
    /// What came out.
    pub plain: Plain,
}

/// Longest field that is kept and tried.
pub const LONGEST: usize = 8 << 10;

/// Work of one audit, about a nanosecond a unit on a present machine.
pub const WORK: u64 = 500_000_000;

/// Formats whose envelopes are kept whole because some secret may open them.
pub fn opens(format: &str) -> bool {
    Lock::of(Some(format)).is_some()
}

/// Formats that are key material, tried on the envelopes above.
pub fn is_material(format: &str) -> bool {
    groups::is_material(format)
}

/// Tries every candidate on every field, within so much work: at most one opening per field. Beside what was
/// opened stand the fields that the bound left untried: nothing may be concluded from their silence.
pub fn try_all<'f>(
    candidates: &[Candidate],
    fields: &'f [Field],
    work: u64,
) -> (Vec<Opened>, Vec<&'f Field>) {
    turns::try_within(candidates, fields, Budget::new(work))
}

/// Ciphertext passes for uniform. The bound is far below what uniform bytes ever show, and short fields are
/// always tried.
fn is_ciphertext(field: &Field) -> bool {
    field.format.is_some() || field.bytes.len() < 64 || Measure::of(&field.bytes).z > -8.0
}

fn open(secret: &Secret, field: &Field, budget: &mut Budget) -> Option<Plain> {
    let format = field.format.as_deref();
    match (secret, format) {
        (Secret::Material { format, bytes }, Some(_)) => groups::open(format, bytes, field, budget),
        (Secret::Key(key), Some(f)) if f.starts_with("jwe") => tokens::open(key, &field.bytes, budget),
        (Secret::Password(word), Some(f)) if f.starts_with("openpgp") => {
            openpgp::open(word.as_bytes(), &field.bytes, budget)
        }
        (Secret::Key(key), None) => ciphers::open(key, field, budget),
        (Secret::Password(word), None) => {
            let keys = ciphers::derived(word.as_bytes(), field, budget);
            keys.iter().find_map(|key| ciphers::open(key, field, budget))
        }
        _ => None,
    }
}

/// Stands for a rule where a text came out of a field that a key in sight opened.
pub const OPENED: &str = "opened-field";

/// How a private key in sight is named: nothing is opened with it here.
pub const PRIVATE_HALF: &str = "the private half of a public key in use (X25519)";

/// Secrets that are taken for private keys, likeliest first: each costs a multiplication on the curve.
const MULTIPLIED: usize = 256;

/// Private keys of X25519 in sight whose public keys are in use: told by computing the one from the other,
/// which chance does not do. Each comes with the service that uses the public key. Nothing was opened with
/// it here, so it is strong and not proof.
pub fn private_keys(candidates: &[Candidate], fields: &[Field]) -> Vec<(String, Evidence)> {
    let mut found: Vec<(String, Evidence)> = Vec::new();
    let mut known = BTreeSet::new();
    let private = |c: &&Candidate| matches!(&c.secret, Secret::Key(key) if key.len() == 32);
    let distinct =
        candidates.iter().filter(private).filter(|c| known.insert((&c.secret, c.guard, &c.endpoint)));
    for candidate in distinct.take(MULTIPLIED).filter(|_| !fields.is_empty()) {
        let Secret::Key(key) = &candidate.secret else { continue };
        let Ok(scalar) = <[u8; 32]>::try_from(key.as_slice()) else { continue };
        let public = x25519_dalek::x25519(scalar, x25519_dalek::X25519_BASEPOINT_BYTES);
        for field in fields.iter().filter(|f| memchr::memmem::find(&f.bytes, &public).is_some()) {
            let service = &field.conversation.endpoint;
            let kind = Kind::KeyInSight {
                how: PRIVATE_HALF.to_owned(),
                party: party(candidate).to_owned(),
                key_at: place(candidate),
                service: candidate.endpoint.clone(),
            };
            if found.iter().any(|(s, e)| s == service && e.kind == kind) {
                continue;
            }
            let evidence = Evidence {
                kind,
                strength: Strength::Strong,
                polarity: Polarity::Against,
                guard: candidate.guard.max(field.guard),
                origin: field.origin.clone(),
                count: 1,
                shown: None,
            };
            found.push((service.clone(), evidence));
        }
    }
    found
}

fn party(candidate: &Candidate) -> &'static str {
    match candidate.guard {
        Guard::Open => "network",
        Guard::Confidential => "provider",
    }
}

fn place(candidate: &Candidate) -> String {
    let o = &candidate.origin;
    format!("{} {}, frame {}", o.layers, o.field, o.frame.frame)
}

/// What an opening shows: the key in sight, any planted text that came out, and readable text.
pub fn evidence(
    opened: &Opened,
    candidates: &[Candidate],
    fields: &[Field],
    canaries: &Canaries,
) -> Vec<(ConversationKey, Evidence)> {
    let (Some(field), Some(candidate)) = (fields.get(opened.field), candidates.get(opened.candidate)) else {
        return Vec::new();
    };
    let hits = canaries.find(&opened.plain.bytes);
    let planted = |c: u32| canaries.list.get(c as usize);
    let convinced = opened.plain.authentic || hits.iter().any(|h| planted(h.canary).is_some());
    let strength = if convinced { Strength::Proof } else { Strength::Strong };
    let record = |kind, guard, strength| Evidence {
        kind,
        strength,
        polarity: Polarity::Against,
        guard,
        origin: field.origin.clone(),
        count: 1,
        shown: None,
    };
    let how = opened.plain.how;
    let sight = Kind::KeyInSight {
        how: how.to_owned(),
        party: party(candidate).to_owned(),
        key_at: place(candidate),
        service: candidate.endpoint.clone(),
    };
    // Whoever sees both the key and the ciphertext reads the text: the network only where both are open.
    let guard = candidate.guard.max(field.guard);
    let mut all = vec![(field.conversation.clone(), record(sight, guard, strength))];
    for hit in hits {
        let control = planted(hit.canary).is_some_and(|c| c.control);
        let mut chain = vec![how.to_owned()];
        chain.extend(hit.encoding.map(str::to_owned));
        let kind = Kind::Canary { canary: hit.canary, control, chain, slot: None };
        all.push((field.conversation.clone(), record(kind, guard, Strength::Proof)));
    }
    if let Some(percent) = reads(&opened.plain.bytes) {
        let kind = Kind::Readable {
            slot: "message-text".to_owned(),
            rule: OPENED.to_owned(),
            language_percent: percent,
        };
        all.push((field.conversation.clone(), record(kind, guard, Strength::Strong)));
    }
    all
}

/// What came out of a field was said in its conversation: a copy of it elsewhere counts.
pub fn said(opened: &Opened, candidates: &[Candidate], fields: &[Field], copies: &mut Copies, limit: usize) {
    let (Some(field), Some(candidate)) = (fields.get(opened.field), candidates.get(opened.candidate)) else {
        return;
    };
    let guard = candidate.guard.max(field.guard);
    for text in texts(&opened.plain.bytes).iter().filter(|t| language::natural(t) >= 0.35) {
        copies.said(text, (&field.conversation, guard), || field.origin.clone(), limit);
    }
}

/// How much the most readable part of some bytes is like language, in percent, if it is at all.
fn reads(bytes: &[u8]) -> Option<u8> {
    let best = texts(bytes).iter().map(|t| language::natural(t)).fold(0.0, f32::max);
    (best >= 0.35).then_some((best * 100.0) as u8)
}

/// The texts in some bytes: the strings of a JSON document, or runs of printable characters.
fn texts(bytes: &[u8]) -> Vec<String> {
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) {
        let mut found = Vec::new();
        let mut todo = vec![value];
        while let Some(value) = todo.pop() {
            match value {
                serde_json::Value::String(text) => found.push(text),
                serde_json::Value::Array(list) => todo.extend(list),
                serde_json::Value::Object(map) => todo.extend(map.into_iter().map(|(_, v)| v)),
                _ => {}
            }
            if found.len() >= 256 {
                break;
            }
        }
        return found;
    }
    let printable = |b: &u8| matches!(b, b' '..=b'~' | b'\n' | b'\t' | 0x80..=0xff);
    bytes
        .split(|b| !printable(b))
        .filter(|run| run.len() >= 6)
        .take(64)
        .map(|run| String::from_utf8_lossy(run).into_owned())
        .collect()
}

#[cfg(test)]
mod tests;
