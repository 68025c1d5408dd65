//! What a report lists beside its conversations: evidence, findings, canaries, exposure, facts.

use super::words::{
    CanaryKind, ClaimState, Confidence, EvidenceKind, Learns, Party, Polarity, Severity, Strength,
};
use crate::model::{FrameRef, Side, Timestamp, Trust};
use crate::peel::Guard;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One frame of one input.
pub type Frame = FrameRef;

/// Which application a conversation belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AppRef {
    /// Short name used by rules (`telegram`).
    pub id: String,
    /// Name as people know it.
    pub name: String,
    /// How sure.
    pub confidence: Confidence,
    /// What else uses the host, where that is why it is not surer.
    pub ambiguous: Option<String>,
}

/// One observation that a judgement may rest on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// `e1`, `e2`, ...
    pub id: String,
    /// What sort of observation.
    pub kind: EvidenceKind,
    /// How much it carries.
    pub strength: Strength,
    /// Which way it points.
    pub polarity: Polarity,
    /// The conversation it was seen in.
    pub conversation: Option<String>,
    /// One plain sentence.
    pub statement: String,
    /// Where it was seen.
    pub origin: Option<Origin>,
    /// Display filter that shows the same frames in Wireshark.
    pub tshark: Option<String>,
    /// How often the same was seen.
    pub count: u64,
    /// Whether the bytes were confidential on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// The observation as data, as the judges saw it; its `kind` is finer than the one above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fact: Option<Value>,
}

/// The place of a piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// Index into `inputs`.
    pub input: u32,
    /// Frame numbers in that input, from 1.
    pub frames: Vec<u64>,
    /// Capture time, RFC 3339.
    pub time: Option<String>,
    /// The same in nanoseconds since 1970-01-01T00:00:00Z.
    pub ns: Timestamp,
    /// The flow, printed.
    pub flow: String,
    /// Who sent the bytes.
    pub side: Option<Side>,
    /// Layers from the outside in.
    pub layers: String,
    /// Field inside the innermost layer.
    pub field: String,
    /// Weakest trust along the layer path.
    pub trust: Option<Trust>,
    /// Bytes in the field.
    pub length: u64,
    /// Short SHA-256 of the bytes.
    pub digest: String,
    /// The content itself, only where the user asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
}

/// A weakness, named by a noun that accuses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Finding {
    /// `plaintext-message`, `weak-obfuscation`, ...
    pub id: String,
    /// The same in words.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// The conversation it concerns.
    pub conversation: Option<String>,
    /// Evidence ids.
    pub evidence: Vec<String>,
    /// Display filter that shows the frames in Wireshark.
    pub tshark: Option<String>,
    /// What was seen here, in one sentence; empty where the title says it all.
    pub detail: String,
}

/// A planted text and where it turned up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Canary {
    /// Short SHA-256 of the text.
    pub text_digest: String,
    /// The user's name for it.
    pub label: Option<String>,
    /// What it is for.
    pub kind: CanaryKind,
    /// Bytes of the text in UTF-8.
    pub length: u64,
    /// The text itself, only where the user asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// Too short to be searched for: of it nothing is known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unsearched: bool,
    /// Where it was found; empty: nowhere.
    pub hits: Vec<Hit>,
}

/// One place where a planted text was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hit {
    /// Layer path.
    pub layer: String,
    /// Encodings undone on the way, from the outside in.
    pub chain: Vec<String>,
    /// Who sees that place.
    pub party: Party,
    /// The conversation.
    pub conversation: Option<String>,
    /// The exact place.
    pub origin: Option<Origin>,
}

/// One cell of the matrix of who learns what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Exposure {
    /// Data item (`message text`, `phone number`, ...).
    pub item: String,
    /// Who (`local network and ISP`, `provider`, a third party's host, ...).
    pub party: String,
    /// Whether it learns the item.
    pub state: Learns,
    /// Evidence ids.
    pub evidence: Vec<String>,
}

/// Transport protection of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Transport {
    /// Host name or address with port.
    pub endpoint: String,
    /// Conversations that use it.
    pub conversations: Vec<String>,
    /// `tls`, `quic`, `dtls`, `noise`, `none`, ...
    pub protocol: String,
    /// Protocol version (`TLS 1.3`).
    pub version: Option<String>,
    /// Server name sent in clear.
    pub sni: Option<String>,
    /// Application protocol chosen.
    pub alpn: Option<String>,
    /// Cipher suite.
    pub suite: Option<String>,
    /// Key exchange group.
    pub group: Option<String>,
    /// Whether the key exchange resists a quantum computer.
    pub post_quantum: Option<bool>,
    /// Whether a stolen long-term key leaves old sessions closed.
    pub forward_secrecy: Option<bool>,
    /// The server's certificate, where it was seen.
    pub certificate: Option<Certificate>,
    /// Sessions seen.
    pub sessions: u64,
    /// Sessions opened with keys.
    pub opened: u64,
    /// What is weak about it, one phrase each.
    pub weak: Vec<String>,
    /// Further facts by name.
    pub facts: BTreeMap<String, String>,
}

/// A server's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Certificate {
    /// Distinguished or common name.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Start of validity, RFC 3339.
    pub not_before: Option<String>,
    /// End of validity.
    pub not_after: Option<String>,
    /// What is wrong with it at capture time, one phrase each; empty: nothing seen.
    pub problems: Vec<String>,
}

/// An application recognised in the traffic.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct App {
    /// Short name used by rules.
    pub id: String,
    /// Name as people know it.
    pub name: String,
    /// How sure.
    pub confidence: Confidence,
    /// Conversations that are its.
    pub conversations: Vec<String>,
    /// Why it was recognised, one phrase each.
    pub signs: Vec<String>,
}

/// What a vendor says, beside the observation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// Application id.
    pub app: String,
    /// The claim in our words.
    pub statement: String,
    /// Where the vendor makes it.
    pub source: String,
    /// When it was read.
    pub date: String,
    /// How it stands.
    pub state: ClaimState,
    /// Why, in one sentence.
    pub why: String,
    /// Evidence ids.
    pub evidence: Vec<String>,
}

/// Measured randomness of one opaque field or of several pooled.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Randomness {
    /// The conversation.
    pub conversation: String,
    /// Layer and field path.
    pub field: String,
    /// Bytes measured.
    pub length: u64,
    /// Shannon entropy of the byte histogram.
    pub bits_per_byte: f64,
    /// What uniformly random bytes of that length give on average.
    pub expected: f64,
    /// Standard deviation of that.
    pub sd: f64,
    /// Distance of the measured figure from the expected one in standard deviations.
    pub z: f64,
    /// Chance that uniform bytes show as little or less.
    pub p: f64,
    /// What it looks like: `random`, `too-short`, `compressed`, ...
    pub class: String,
    /// How likely that is under the mix that the measure was fitted on, 0 to 1.
    pub probability: f64,
    /// Evidence against uniform bytes: `b` bits or more come by chance with 2^-b at most.
    pub bits_against_random: f64,
    /// Chance to notice redundancy like that of text at this length.
    pub power: f64,
}

/// A counted remark about the input.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Note {
    /// `tcp-overlap-differs`, ...
    pub code: String,
    /// Occurrences.
    pub count: u64,
    /// The first few places.
    pub examples: Vec<Frame>,
    /// What it means for the result.
    pub meaning: String,
}
