//! What a comparison of two ends adds, and how sizes follow texts.

use serde::{Deserialize, Serialize};

/// Two ends of the same conversations.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Vantages {
    /// Indices of the first end's inputs.
    pub sender: Vec<u32>,
    /// Indices of the other end's inputs.
    pub receiver: Vec<u32>,
    /// How the clocks of the two recordings stand against each other.
    pub clock: Option<Clock>,
    /// What became of messages on their way, one row for each conversation and direction.
    pub ways: Vec<Passage>,
    /// Identity keys that one end fetched against those that the other published.
    pub identities: Vec<Identity>,
    /// What the user checked outside the recording; absent: not made.
    pub checks: Vec<Check>,
}

/// Two clocks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Clock {
    /// Milliseconds that the receiver's clock is ahead of the sender's.
    pub ahead_ms: i64,
    /// Pairs it was fitted by.
    pub pairs: u64,
    /// `both-ways`, `one-way` (holds the fastest delay as well) or `events`.
    pub by: String,
}

/// Messages of one conversation and one direction, looked for at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Passage {
    /// The conversation.
    pub conversation: String,
    /// The end it was recorded at.
    pub vantage: String,
    /// `sent` there or `received` there.
    pub way: String,
    /// The conversation at the other end that most was found in.
    pub peer: Option<String>,
    /// `unchanged`, `changed`, `readable` or `unclear`.
    pub outcome: String,
    /// Messages looked for.
    pub messages: u64,
    /// Found with every byte.
    pub same: u64,
    /// Found as a part of a larger whole.
    pub recut: u64,
    /// Paired by time and size with other bytes.
    pub changed: u64,
    /// Of which nothing is known.
    pub missing: u64,
    /// Sent in several ciphertexts, one for each device.
    pub fanned: u64,
    /// Copies of what this end sent itself.
    pub echoes: u64,
    /// Median delay, after the clocks were fitted.
    pub delay_ms: Option<i64>,
    /// Bytes that most messages grew by on the way.
    pub growth: Option<i64>,
    /// The evidence.
    pub evidence: String,
}

/// Keys of one kind, compared in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// The end that fetched them.
    pub fetched_by: String,
    /// The kind of key.
    pub kind: String,
    /// Keys that the other end published.
    pub published: u64,
    /// Fetched as published.
    pub equal: u64,
    /// Another key under the same owner's name.
    pub different: u64,
}

/// A check outside the recording.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Check {
    /// What should hold.
    pub check: String,
    /// Whether it does.
    pub passed: Option<bool>,
}

/// How sizes follow the length of the text in one conversation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LengthLaw {
    /// The conversation.
    pub conversation: String,
    /// Format of the ciphertexts.
    pub format: String,
    /// Messages measured.
    pub messages: u64,
    /// Different sizes.
    pub distinct: u64,
    /// Smallest size in bytes.
    pub least: u64,
    /// Largest size in bytes.
    pub most: u64,
    /// Bytes that sizes go up by; absent where too few sizes differ to say.
    pub step: Option<u64>,
    /// Bits that a size tells at most about one of these messages: the entropy of the sizes.
    pub bits: f64,
    /// Bytes that each byte of text adds, where planted texts were recognised.
    pub slope: Option<f64>,
    /// Bytes beside the text.
    pub overhead: Option<i64>,
    /// Whether text is compressed before it is sealed.
    pub compressed: bool,
    /// Sizes with how often each came.
    pub sizes: Vec<(u64, u64)>,
    /// Bytes of planted texts with the size each got.
    pub texts: Vec<(u64, u64)>,
}
