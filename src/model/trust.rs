//! How sure we are that bytes are what a layer says they are.

use serde::{Deserialize, Serialize};

/// The strength of a layer's identification, weakest first. The trust of a path is that of its
/// weakest link; a finding never rests on a guess alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// The bytes would also fit something else.
    Guessed,
    /// A tag, a checksum or an exact parse of distinctive structure says so.
    Proven,
    /// The layer around it says so (ALPN, content type, upgrade token).
    Stated,
}
