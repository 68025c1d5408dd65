//! What a conversation was judged by, beside its evidence: with it a saved report can be judged again.

use crate::evidence::{Content, Drops, Vantage};
use crate::model::{Facts, PerSide, Timestamp};
use serde::{Deserialize, Serialize};

/// The figures and facts of a conversation that its judges look at, as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// What it carries, as the judges know it.
    pub content: Content,
    /// Messages of the same content at the same service, over all paths.
    pub kin: u64,
    /// Whether a limit kept something in its flows from being looked at.
    pub limited: bool,
    /// Frames that the recording misses.
    pub drops: Drops,
    /// Transport payload bytes per side.
    pub bytes: PerSide<u64>,
    /// Address and port of the server of the first flow.
    pub server: String,
    /// Name that the capturing device gave to the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Capture time of the first and the last message, nanoseconds since 1970-01-01T00:00:00Z.
    pub first_ns: Timestamp,
    /// See `first_ns`.
    pub last_ns: Timestamp,
    /// Facts of the layers along its path.
    pub facts: Facts,
    /// The end it was recorded at, where two are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vantage: Option<Vantage>,
}
