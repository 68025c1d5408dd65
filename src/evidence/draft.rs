//! What is known of a conversation before it is judged. Drafts of shards and flows merge as a
//! commutative monoid.

use super::parcel::SIZES;
use super::sequence::{SEALS, Seal};
use super::{Evidence, Size};
use crate::model::{Facts, PerSide, Timestamp};
use serde::{Deserialize, Serialize};

/// What a conversation carries, as far as evidence tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// Messages in end-to-end envelopes of this protocol family.
    Envelope(String),
    /// Messages whose text is readable at the layer they were found in.
    Text,
    /// Message fields that nobody could explain.
    Opaque,
    /// Traffic that stayed inside its transport encryption.
    Sealed,
    /// A two-way exchange of a protocol that no layer knows.
    Unknown,
    /// A voice or video call's media.
    Call,
    /// Everything else: name look-ups, pages, pictures, control traffic.
    Background,
}

/// Name of the service that stands for all that are not kept apart.
pub const OTHERS: &str = "others";

/// What makes two messages part of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConversationKey {
    /// Name (or address) and port of the service.
    pub endpoint: String,
    /// Protection and application layers from the outside in (`tls/http1/websocket`).
    pub path: String,
    /// What is carried.
    pub content: Content,
}

/// Bytes of the flows that carry a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// Payload bytes of the transport that were captured.
    pub seen: u64,
    /// Bytes that came out of opened encryption.
    pub decrypted: u64,
    /// Bytes of `seen` that a layer understood.
    pub parsed: u64,
    /// Bytes of leaves that read as text or values.
    pub explained: u64,
    /// Bytes of leaves that nobody could explain.
    pub opaque: u64,
    /// Bytes of `seen` that stayed inside transport encryption.
    pub sealed: u64,
    /// Bytes that the capture lost.
    pub lost: u64,
}

impl Coverage {
    /// Adds another flow's.
    pub fn merge(&mut self, o: &Coverage) {
        self.seen += o.seen;
        self.decrypted += o.decrypted;
        self.parsed += o.parsed;
        self.explained += o.explained;
        self.opaque += o.opaque;
        self.sealed += o.sealed;
        self.lost += o.lost;
    }

    /// Share of the bytes on the wire that was both captured and not left sealed, 0 to 1.
    pub fn looked_at(&self) -> f64 {
        let all = self.seen + self.lost;
        match all {
            0 => 0.0,
            _ => self.seen.saturating_sub(self.sealed) as f64 / all as f64,
        }
    }
}

/// Frames that never reached the recording, as the capturing system counts them. Nobody knows to which
/// conversation they belonged, so they stand beside every one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Drops {
    /// Frames that were lost.
    pub dropped: u64,
    /// Frames that were recorded.
    pub recorded: u64,
}

impl Drops {
    /// Share of the frames that was lost, 0 to 1.
    pub fn share(&self) -> f64 {
        match self.dropped {
            0 => 0.0,
            lost => lost as f64 / (lost as f64 + self.recorded as f64),
        }
    }
}

/// Which end a recording was made at, where there are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vantage {
    /// The first end named.
    Sender,
    /// The other end.
    Receiver,
}

impl Vantage {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Vantage::Sender => "sender",
            Vantage::Receiver => "receiver",
        }
    }
}

/// A conversation with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// What names it.
    pub key: ConversationKey,
    /// Messages counted.
    pub messages: u64,
    /// Whether a limit kept something in its flows from being looked at.
    #[serde(default)]
    pub limited: bool,
    /// Frames that the recording misses; set when conversations are complete.
    #[serde(default)]
    pub drops: Drops,
    /// Messages of the same content at the same service, over all paths; set when conversations are
    /// complete.
    #[serde(default)]
    pub kin: u64,
    /// Flows that carry it.
    pub flows: u64,
    /// Address and port of the server of the first flow.
    pub server: String,
    /// Name that the capturing device gave to the app, if it did.
    pub app: Option<String>,
    /// Capture time of the first and the last message.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
    /// Bytes of its flows.
    pub coverage: Coverage,
    /// Transport payload bytes per side.
    pub bytes: PerSide<u64>,
    /// What was seen, in a canonical order.
    pub evidence: Vec<Evidence>,
    /// Whether there were records beyond the limit.
    pub more: bool,
    /// Facts of the layers along the path.
    pub facts: Facts,
    /// Sizes of its ciphertexts, earliest first.
    #[serde(default)]
    pub sizes: Vec<Size>,
    /// What its envelopes show of their sequence, earliest first.
    #[serde(default)]
    pub seals: Vec<Seal>,
    /// The end it was recorded at, where two are compared.
    #[serde(default)]
    pub vantage: Option<Vantage>,
}

impl Draft {
    /// An empty one.
    pub fn new(key: ConversationKey, at: Timestamp) -> Self {
        Self {
            key,
            messages: 0,
            limited: false,
            drops: Drops::default(),
            kin: 0,
            flows: 0,
            server: String::new(),
            app: None,
            first: at,
            last: at,
            coverage: Coverage::default(),
            bytes: PerSide::default(),
            evidence: Vec::new(),
            more: false,
            facts: Facts::default(),
            sizes: Vec::new(),
            seals: Vec::new(),
            vantage: None,
        }
    }

    /// Adds a record, or counts it where the same is known already.
    pub fn add(&mut self, evidence: Evidence, limit: usize) {
        if let Some(known) = self.evidence.iter_mut().find(|e| e.same(&evidence)) {
            known.count += evidence.count;
            if (evidence.origin.time, &evidence.origin) < (known.origin.time, &known.origin) {
                known.origin = evidence.origin;
                known.shown = evidence.shown;
            }
            return;
        }
        if self.evidence.len() < limit {
            // Most have one record, and records are large.
            self.evidence.reserve_exact(usize::from(self.evidence.is_empty()));
            return self.evidence.push(evidence);
        }
        self.shed(evidence);
    }

    /// Drops the least telling record, the new one or one that is kept. The order depends only on what a
    /// record says, never on when it came, so that what is kept, with its counts, does not depend on the
    /// order of joining.
    fn shed(&mut self, evidence: Evidence) {
        fn what(e: &Evidence) -> impl Ord + '_ {
            let place = (&e.origin.layers, &e.origin.field);
            // What takes a claim away by standing beside it is kept before what makes the claim.
            (!e.is_beside(), std::cmp::Reverse(e.strength), e.polarity, &e.kind, e.guard, place)
        }
        self.more = true;
        let last = self.evidence.iter_mut().max_by(|a, b| what(a).cmp(&what(b)));
        if let Some(last) = last.filter(|last| what(&evidence) < what(last)) {
            *last = evidence;
        }
    }

    /// Adds sizes and keeps the earliest, so that the order of joining does not matter.
    pub fn add_sizes(&mut self, sizes: Vec<Size>) {
        if sizes.is_empty() {
            return;
        }
        self.sizes.extend(sizes);
        self.sizes.sort();
        self.sizes.truncate(SIZES);
    }

    /// Adds seals and keeps the earliest, so that the order of joining does not matter.
    pub fn add_seals(&mut self, seals: Vec<Seal>) {
        if seals.is_empty() {
            return;
        }
        self.seals.extend(seals);
        self.seals.sort();
        self.seals.truncate(SEALS);
    }

    /// Joins another draft of the same conversation.
    pub fn merge(&mut self, other: Draft, limit: usize) {
        if (other.first, &other.server) < (self.first, &self.server) {
            self.server = other.server;
        }
        self.messages += other.messages;
        self.flows += other.flows;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.app = self.app.take().min_some(other.app);
        self.coverage.merge(&other.coverage);
        self.bytes.client += other.bytes.client;
        self.bytes.server += other.bytes.server;
        self.more |= other.more;
        self.limited |= other.limited;
        for e in other.evidence {
            self.add(e, limit);
        }
        self.add_sizes(other.sizes);
        self.facts.merge(other.facts);
        self.add_seals(other.seals);
    }
}

/// The smaller of two optional names, so that merging does not depend on order.
trait MinSome {
    fn min_some(self, other: Self) -> Self;
}

impl MinSome for Option<String> {
    fn min_some(self, other: Self) -> Self {
        match (self, other) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
