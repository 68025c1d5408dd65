//! What envelopes show over several messages: nonces and message keys never come again, ratchets move when
//! messages go both ways, counters rise. What holds is a hint; what does not speaks against the claim.

use super::collector::Collector;
use super::{Content, Draft, Evidence, Kind, Polarity, Strength};
use crate::model::{FrameRef, Origin, Side, Timestamp, Value};
use crate::peel::NodeRef;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What counters count within.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Chain {
    /// Not shown.
    #[default]
    Unknown,
    /// A ratchet key, which moves with the dialogue; its digest.
    Ratchet(u64),
    /// A session of one sender; the digest of its name.
    Session(u64),
}

/// What one envelope shows of the sequence it belongs to. Keys and nonces are digests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seal {
    /// Capture time.
    pub time: Timestamp,
    /// The frame that completed it.
    pub frame: FrameRef,
    /// Who sent it.
    pub side: Side,
    /// The format: only what is alike is compared.
    pub format: String,
    /// What its counter counts in.
    pub chain: Chain,
    /// Number of the message in its chain.
    pub counter: Option<u64>,
    /// The nonce, of eight bytes or more.
    pub nonce: Option<u64>,
    /// Digest of the account at the other end of the dialogue, where the stanza around it names it.
    #[serde(default)]
    pub partner: Option<u64>,
    /// The ciphertext.
    pub digest: String,
}

/// Seals kept of one conversation: the earliest.
pub const SEALS: usize = 256;
/// Messages of each side, and changes of side, from which a ratchet must have moved in a dialogue with one
/// partner.
const DIALOGUE: (usize, usize) = (8, 6);
/// The same where nobody can say whether they are of one dialogue: messages to one who never answers and from
/// another who is never answered share one key each way as well, but do not alternate for long.
const UNNAMED: (usize, usize) = (16, 24);

/// What an envelope's facts say of its place in a sequence.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    pub chain: Chain,
    pub counter: Option<u64>,
    pub nonce: Option<u64>,
}

impl Marks {
    fn show(&mut self, name: &str, value: &Value) {
        match (name, value) {
            ("ratchet_key", Value::Text(t)) => self.chain = Chain::Ratchet(number(t)),
            ("session_id", Value::Text(t)) if self.chain == Chain::Unknown => {
                self.chain = Chain::Session(number(&crate::model::digest16(t.as_bytes())));
            }
            ("counter" | "message_index", Value::Number(n)) => self.counter = Some(*n),
            ("nonce", Value::Text(t)) => self.nonce = Some(number(t)),
            _ => {}
        }
    }
}

/// A digest in hexadecimal as a number.
fn number(digest: &str) -> u64 {
    u64::from_str_radix(digest, 16).unwrap_or_default()
}

impl Collector {
    /// Said by the envelope itself. Nobody reads it for that alone, so it takes no claim away.
    fn weak_transport_of_keys(&mut self, node: &NodeRef<'_>, how: &str) {
        let Some(last) = self.messages.last_mut().and_then(|m| m.envelopes.last().cloned().zip(Some(m)))
        else {
            return;
        };
        let (envelope, message) = last;
        if envelope.origin.layers == node.path() {
            let detail = format!("the message key is wrapped with {how}");
            let kind = Kind::Weak { finding: "weak-key-transport".to_owned(), detail };
            message.other.push(Evidence { kind, polarity: Polarity::Neutral, ..envelope });
        }
    }

    /// A text in the head of an envelope stands beside what is sealed in it.
    fn words_in_envelope(&mut self, node: &NodeRef<'_>) {
        let Some(message) = self.messages.last_mut() else { return };
        let Some(envelope) = message.envelopes.last().filter(|e| e.origin.layers == node.path()) else {
            return;
        };
        let kind = super::aside::kind(0.0);
        let beside =
            Evidence { kind, strength: Strength::Strong, polarity: Polarity::Neutral, ..envelope.clone() };
        message.beside.push(beside);
    }

    /// What an envelope leaves readable, and what is weak about it by its own word.
    pub(super) fn envelope_shows(&mut self, node: &NodeRef<'_>, value: &Value) {
        let Value::List(parts) = value else { return };
        let [Value::Text(name), value] = parts.as_slice() else { return };
        if let Some(marks) = self.parcels.marks_of(node) {
            marks.show(name, value);
        }
        match (name.as_str(), value) {
            ("key_transport", Value::Text(how)) => self.weak_transport_of_keys(node, how),
            ("clear_text", _) => self.words_in_envelope(node),
            ("recipient_devices", devices) => self.sealed_for(node, devices),
            _ => {}
        }
    }
}

/// What the envelopes of a conversation show together. Nothing here raises a grade.
pub fn evidence(draft: &Draft) -> Vec<Evidence> {
    if !matches!(draft.key.content, Content::Envelope(_)) {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    // A message is met on its way in and on its way out, and in each of its forms; once is enough.
    let seals: Vec<&Seal> = draft.seals.iter().filter(|s| seen.insert((&s.format, &s.digest))).collect();
    let mut formats: BTreeMap<&str, Vec<&Seal>> = BTreeMap::new();
    for seal in seals {
        formats.entry(&seal.format).or_default().push(seal);
    }
    let mut all = Vec::new();
    for list in formats.values().filter(|l| l.len() > 1) {
        let before = all.len();
        let found =
            [again(list, |s| s.nonce, "static-nonce"), again(list, message_key, "repeated-message-key")];
        all.extend(
            found
                .into_iter()
                .flatten()
                .chain(stands_still(list))
                .filter_map(|(seal, kind)| made(draft, seal, kind, Strength::Strong, Polarity::Against)),
        );
        if all.len() == before {
            all.extend(moves(list).and_then(|(s, k)| made(draft, s, k, Strength::Weak, Polarity::For)));
        }
    }
    all
}

/// One message of one chain has one key.
fn message_key(seal: &Seal) -> Option<(Chain, u64)> {
    seal.counter.filter(|_| seal.chain != Chain::Unknown).map(|n| (seal.chain, n))
}

/// The first message that uses again what no two messages may share.
fn again<'a, T: Ord>(
    list: &[&'a Seal],
    what: impl Fn(&Seal) -> Option<T>,
    finding: &str,
) -> Option<(&'a Seal, Kind)> {
    let mut seen = BTreeMap::new();
    for seal in list {
        let Some(key) = what(seal) else { continue };
        if let Some(first) = seen.insert(key, *seal) {
            let detail = format!(
                "frames {} and {} hold different ciphertexts under the same {}",
                first.frame.frame,
                seal.frame.frame,
                if finding == "static-nonce" { "nonce" } else { "ratchet key and counter" }
            );
            return Some((seal, Kind::Weak { finding: finding.to_owned(), detail }));
        }
    }
    None
}

fn turns(list: &[&Seal]) -> usize {
    list.windows(2).filter(|w| matches!(w, [a, b] if a.side != b.side)).count()
}

/// Whoever answers a new ratchet key makes a new one: over a dialogue neither side's stays.
fn stands_still<'a>(list: &[&'a Seal]) -> Option<(&'a Seal, Kind)> {
    let mut dialogues: BTreeMap<Option<u64>, Vec<&'a Seal>> = BTreeMap::new();
    for seal in list {
        dialogues.entry(seal.partner).or_default().push(seal);
    }
    dialogues.iter().find_map(|(partner, list)| {
        stands_still_within(list, if partner.is_some() { DIALOGUE } else { UNNAMED })
    })
}

fn stands_still_within<'a>(list: &[&'a Seal], least: (usize, usize)) -> Option<(&'a Seal, Kind)> {
    let keys = |side: Side| {
        let of_side = || list.iter().filter(move |s| s.side == side);
        let keys: BTreeSet<Chain> = of_side().map(|s| s.chain).collect();
        let one = keys.len() == 1 && keys.iter().all(|k| matches!(k, Chain::Ratchet(_)));
        (of_side().count(), one)
    };
    let ((out, same), (back, same_back)) = (keys(Side::Client), keys(Side::Server));
    let (messages, changes) = least;
    if !(same && same_back) || out.min(back) < messages || turns(list) < changes {
        return None;
    }
    let detail = format!(
        "{out} messages one way share one ratchet key and {back} the other way another, though they alternate"
    );
    list.last().map(|s| (*s, Kind::Weak { finding: "static-ratchet".to_owned(), detail }))
}

/// Counters that rise within their chains, in the order of the recording.
fn moves<'a>(list: &[&'a Seal]) -> Option<(&'a Seal, Kind)> {
    let mut last: BTreeMap<Chain, u64> = BTreeMap::new();
    let (mut rises, mut falls) = (0u32, 0u32);
    for seal in list {
        let Some((chain, n)) = message_key(seal) else { continue };
        match last.insert(chain, n) {
            Some(before) if n > before => rises += 1,
            Some(_) => falls += 1,
            None => {}
        }
    }
    let ratchets = last.keys().filter(|c| matches!(c, Chain::Ratchet(_))).count() as u32;
    let nonces = list.iter().filter(|s| s.nonce.is_some()).count() as u32;
    let says = rises > 0 || ratchets > 1 || nonces > 1;
    let kind =
        Kind::Sequence { messages: list.len() as u32, chains: last.len() as u32, rises, falls, nonces };
    list.first().filter(|_| says).map(|s| (*s, kind))
}

fn made(draft: &Draft, seal: &Seal, kind: Kind, strength: Strength, polarity: Polarity) -> Option<Evidence> {
    let of_it = |e: &&Evidence| matches!(&e.kind, Kind::Envelope { format, .. } if *format == seal.format);
    let envelope = draft.evidence.iter().find(of_it)?;
    let origin = Origin {
        time: seal.time,
        frame: seal.frame,
        side: seal.side,
        digest: seal.digest.clone(),
        ..envelope.origin.clone()
    };
    Some(Evidence { kind, strength, polarity, guard: envelope.guard, origin, count: 1, shown: None })
}

#[cfg(test)]
mod tests;
