//! The report as data, `plainsight.report/1`: what a run found, ready to be saved, read back and
//! rendered. It holds no content of messages unless the user asked for it: a digest and a length
//! stand in its place.
//!
//! Fields may be added within version 1; readers ignore those they do not know and fill in those
//! that are missing. Everything is kept in a stated order, so equal runs give equal bytes.

mod basis;
mod parts;
mod vantages;
mod words;

pub use basis::Basis;
pub use parts::{
    App, AppRef, Canary, Certificate, Claim, Evidence, Exposure, Finding, Frame, Hit, Note, Origin,
    Randomness, Transport,
};
pub use vantages::{Check, Clock, Identity, LengthLaw, Passage, Vantages};
pub use words::{
    CanaryKind, ClaimState, Confidence, EvidenceKind, Grade, Learns, Network, Party, Polarity, Provider,
    Severity, Strength, Verdict,
};

use crate::model::Limits;
use crate::peel::Guard;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The schema this version writes and reads.
pub const SCHEMA: &str = "plainsight.report/1";

/// One run over one or several inputs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What wrote it.
    pub tool: Tool,
    /// The rules it judged by.
    pub rules: Rules,
    /// Recordings, in the order given.
    pub inputs: Vec<InputFile>,
    /// Key files, in the order given.
    pub keys: Vec<KeyFile>,
    /// The judgement over all conversations that weigh.
    pub summary: Summary,
    /// Weakest verdict first among those that weigh, then the background.
    pub conversations: Vec<Conversation>,
    /// In order of id.
    pub evidence: Vec<Evidence>,
    /// Worst first.
    pub findings: Vec<Finding>,
    /// In the order given.
    pub canaries: Vec<Canary>,
    /// Cells of the matrix of who learns what; absent cells are unknown.
    pub exposure: Vec<Exposure>,
    /// Facts on transport protection, per endpoint.
    pub transport: Vec<Transport>,
    /// Applications recognised.
    pub apps: Vec<App>,
    /// Vendors' claims beside the observation.
    pub claims: Vec<Claim>,
    /// Measured randomness of opaque fields.
    pub randomness: Vec<Randomness>,
    /// How sizes follow the length of the text, per conversation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<LengthLaw>,
    /// Two ends compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vantages: Option<Vantages>,
    /// Counted remarks about the input, by code.
    pub notes: Vec<Note>,
    /// The bounds the run kept, by name.
    pub limits: BTreeMap<String, Value>,
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tool {
    /// `plainsight`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The rules in force.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Digest over all rules.
    pub digest: String,
    /// How many.
    pub count: u64,
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InputFile {
    /// As the user named it.
    pub path: String,
    /// Hex SHA-256 of the file.
    pub sha256: String,
    /// Size of the file.
    pub bytes: u64,
    /// Frames read.
    pub packets: u64,
    /// `pcap`, `pcapng`, `har`, ...
    pub format: String,
    /// Link types met.
    pub links: Vec<String>,
    /// Capture time of the first frame, RFC 3339.
    pub first: Option<String>,
    /// Capture time of the last frame.
    pub last: Option<String>,
    /// Frames the capturing side dropped, where the file says so.
    pub dropped: Option<u64>,
}

/// A key log or another file of secrets. Never the secrets themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyFile {
    /// As the user named it, or where it was embedded.
    pub path: String,
    /// Secrets read from it.
    pub secrets: u64,
    /// Secrets that opened something, where that was counted.
    pub used: Option<u64>,
}

/// The judgement over all conversations that weigh.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// The weakest verdict of those that weigh.
    pub verdict: Verdict,
    /// How far its evidence goes.
    pub grade: Grade,
    /// Who on the path can read.
    pub network: Network,
    /// Whether the operator can read.
    pub provider: Provider,
    /// How many conversations stand in the report.
    pub conversations: u64,
    /// Bytes of all conversations.
    pub coverage: Coverage,
    /// One plain sentence.
    pub reason: String,
    /// How many weigh.
    pub counted: Counted,
}

/// How many conversations weigh in the summary and how many do not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counted {
    /// Those that carry messages.
    pub weigh: u64,
    /// Listed only.
    pub background: u64,
}

/// Bytes by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Coverage {
    /// Payload bytes in the recording.
    pub seen: u64,
    /// Of these, bytes opened with keys.
    pub decrypted: u64,
    /// Of these, bytes that a known layer understood.
    pub parsed: u64,
    /// Of these, bytes that are framing, clear values or recognised envelopes.
    pub explained: u64,
    /// Of these, bytes that nobody could explain.
    pub opaque: u64,
    /// Of these, ciphertext of known protection that could not be opened.
    pub sealed: u64,
    /// Of these, bytes given up: a dead parser's rest, a limit, an unfinished unit.
    pub cut: u64,
    /// Bytes that the recording lost; not part of `seen`.
    pub lost: u64,
}

/// App or endpoint x protocol path x kind of content.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Conversation {
    /// `c1`, `c2`, ...
    pub id: String,
    /// Which application, where that is known.
    pub app: Option<AppRef>,
    /// Host name or address with port.
    pub endpoint: String,
    /// Layers from the outside in.
    pub protocol: String,
    /// `text`, `media`, `call`, ...
    pub content: String,
    /// The judgement.
    pub verdict: Verdict,
    /// How far the evidence goes.
    pub grade: Grade,
    /// Who on the path can read.
    pub network: Network,
    /// Whether the operator can read.
    pub provider: Provider,
    /// Evidence ids that carried the judgement.
    pub reasons: Vec<String>,
    /// One plain sentence.
    pub reason: String,
    /// What the evidence leaves open.
    pub not_ruled_out: Vec<String>,
    /// The test that would say more.
    pub next_step: String,
    /// Messages counted.
    pub messages: u64,
    /// What became of the bytes.
    pub coverage: Coverage,
    /// Whether it weighs in the summary.
    pub weighs: bool,
    /// Why it does or does not.
    pub why_weighs: String,
    /// Capture time of its first byte, RFC 3339.
    pub first: Option<String>,
    /// Capture time of its last byte.
    pub last: Option<String>,
    /// The end-to-end format recognised.
    pub envelope: Option<String>,
    /// Flows that belong to it.
    pub flows: u64,
    /// Addresses on the other end.
    pub peers: Vec<String>,
    /// The end it was recorded at (`sender`, `receiver`), where two are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vantage: Option<String>,
    /// What it was judged by beside its evidence; absent from joined and from older reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
}

/// Why a saved report could not be read.
#[derive(Debug, PartialEq, Eq)]
pub enum ReadError {
    /// Not JSON, or not of this shape; with the parser's words (line and column).
    Shape(String),
    /// JSON of another schema; with the one it names.
    Schema(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(why) => write!(f, "not a plainsight report: {why}"),
            Self::Schema(s) if s.is_empty() => write!(f, "not a plainsight report: no `schema` field"),
            Self::Schema(s) => write!(f, "schema {s:?}, but this version reads {SCHEMA:?}"),
        }
    }
}

impl std::error::Error for ReadError {}

impl Report {
    /// Reads a saved report.
    pub fn read(json: &[u8]) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Head {
            #[serde(default)]
            schema: String,
        }
        let shape = |e: serde_json::Error| ReadError::Shape(e.to_string());
        let head: Head = serde_json::from_slice(json).map_err(shape)?;
        if head.schema != SCHEMA {
            return Err(ReadError::Schema(head.schema));
        }
        serde_json::from_slice(json).map_err(shape)
    }

    /// The conversations that weigh in the summary.
    pub fn weighing(&self) -> impl Iterator<Item = &Conversation> {
        self.conversations.iter().filter(|c| c.weighs)
    }

    /// The conversations that are only listed.
    pub fn background(&self) -> impl Iterator<Item = &Conversation> {
        self.conversations.iter().filter(|c| !c.weighs)
    }

    /// Whether messages that seem sealed for the ends go an open way, so that whoever listens there gets what
    /// the service gets.
    pub fn is_open_way(&self, c: &Conversation) -> bool {
        let mut reasons = c.reasons.iter().filter_map(|id| self.evidence(id));
        c.provider == Provider::Sealed && reasons.any(|e| e.guard == Some(Guard::Open))
    }

    /// The conversations with messages at the service of one that is only listed. Their connections are the
    /// same, so that its bytes are counted there.
    pub fn beside<'a>(&'a self, listed: &'a Conversation) -> impl Iterator<Item = &'a Conversation> {
        self.conversations.iter().filter(move |c| {
            c.weighs && c.endpoint == listed.endpoint && c.peers.iter().any(|p| listed.peers.contains(p))
        })
    }

    /// A piece of evidence by its id.
    pub fn evidence(&self, id: &str) -> Option<&Evidence> {
        numbered(&self.evidence, id, |e| &e.id)
    }

    /// A conversation by its id.
    pub fn conversation(&self, id: &str) -> Option<&Conversation> {
        numbered(&self.conversations, id, |c| &c.id)
    }
}

/// An item by its id, a letter and a number that counts from one: reports have tens of thousands of them. Who
/// wrote a report by hand may have numbered otherwise.
fn numbered<'a, T>(all: &'a [T], id: &str, id_of: fn(&T) -> &String) -> Option<&'a T> {
    let place = id.get(1..).and_then(|n| n.parse::<usize>().ok()).and_then(|n| n.checked_sub(1));
    let there = place.and_then(|at| all.get(at)).filter(|item| id_of(item) == id);
    there.or_else(|| all.iter().find(|item| id_of(item) == id))
}

/// The bounds of a run by name, as a report keeps them.
pub fn limits(limits: &Limits) -> BTreeMap<String, Value> {
    match serde_json::to_value(limits) {
        Ok(Value::Object(map)) => map.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_by_their_number_and_also_where_somebody_numbered_otherwise() {
        let named = |id: &str| Evidence { id: id.into(), ..Default::default() };
        let report = Report { evidence: ["e1", "e3", "x"].map(named).into(), ..Default::default() };
        for id in ["e1", "e3", "x"] {
            assert_eq!(report.evidence(id).map(|e| e.id.as_str()), Some(id));
        }
        assert!(
            ["e2", "e0", "", "é", "e99999999999999999999"].iter().all(|id| report.evidence(id).is_none())
        );
    }
}
