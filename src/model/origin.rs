//! Where evidence comes from, precise enough to be checked with a second instrument.

use super::{Side, Timestamp, Trust};
use serde::{Deserialize, Serialize};

/// One frame of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct FrameRef {
    /// Index into the report's `inputs`.
    pub input: u32,
    /// Frame number within that input, from 1, as Wireshark counts.
    pub frame: u64,
}

/// When and in which frame bytes arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrival {
    /// Capture time of the frame that completed the bytes.
    pub time: Timestamp,
    /// That frame.
    pub frame: FrameRef,
}

/// The place of a piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// The frame that completed the bytes.
    pub frame: FrameRef,
    /// Capture time of that frame.
    pub time: Timestamp,
    /// The flow, printed (`tcp 10.0.0.1:50000 > 10.0.0.2:443`).
    pub flow: String,
    /// Who sent the bytes.
    pub side: Side,
    /// Layers from the outside in, joined by `/` (`tls/http1/json`).
    pub layers: String,
    /// Field inside the innermost layer (`$.messages[0].body`), or empty for the whole.
    pub field: String,
    /// Weakest trust along the layer path.
    pub trust: Trust,
    /// Bytes in the field.
    pub length: u64,
    /// First 16 hex digits of the SHA-256 of the bytes (of the kept sample where it is longer).
    pub digest: String,
}

impl Origin {
    /// A place of which the time alone is known: what a user says, or what follows from many messages. No
    /// frame (number 0), flow, layer or field, no bytes, stated by the client's side.
    pub fn at(time: Timestamp) -> Self {
        Self {
            frame: FrameRef::default(),
            time,
            flow: String::new(),
            side: Side::Client,
            layers: String::new(),
            field: String::new(),
            trust: Trust::Stated,
            length: 0,
            digest: String::new(),
        }
    }
}

/// First 16 hex digits of the SHA-256 of `bytes`: short enough to print, long enough to compare.
pub fn digest16(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = Sha256::digest(bytes).into();
    format!("{:016x}", u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}
