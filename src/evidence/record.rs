//! The evidence record: what was seen, how strong it is, which way it points and where it was.

use crate::model::Origin;
use crate::peel::{Guard, Why};
use serde::{Deserialize, Serialize};

/// How far a piece of evidence goes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// A hint; never decides anything.
    Weak,
    /// Strict structure or a known message field.
    Strong,
    /// A planted text, an authenticated decryption: re-checkable and not explainable otherwise.
    Proof,
}

/// Which way it points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Polarity {
    /// Somebody besides the ends can read.
    Against,
    /// Speaks for confidentiality.
    For,
    /// Context.
    Neutral,
}

/// What was seen. Numbers carry their unit in the name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// A planted text was found. `slot` says what kind of field held it, if a rule knows.
    Canary {
        /// Index into the audit's canaries.
        canary: u32,
        /// True for a text that must be visible.
        control: bool,
        /// Encodings undone on the way, outermost first.
        chain: Vec<String>,
        /// Kind of field.
        slot: Option<String>,
    },
    /// A message-bearing field holds readable text.
    Readable {
        /// Kind of field.
        slot: String,
        /// The rule that knows the field.
        rule: String,
        /// How much it reads like human language, in percent.
        language_percent: u8,
    },
    /// A strict parse of a known end-to-end envelope.
    Envelope {
        /// Format id.
        format: String,
        /// Family for people.
        protocol: String,
        /// What a match means (`e2ee-message`, `broken`, ...).
        class: String,
        /// How far the parse goes alone (1 to 3).
        tier: u8,
        /// The sign that makes it broken or not encrypted.
        why: Option<String>,
    },
    /// A field that nobody could explain.
    Opaque {
        /// Kind of field.
        slot: Option<String>,
        /// What the statistics call it.
        class: String,
        /// Plug-in Shannon entropy, in thousandths of a bit per byte.
        millibits: u32,
        /// What uniform bytes of this length show on average, likewise.
        expected_millibits: u32,
    },
    /// Ciphertext of a transport that stayed closed.
    Sealed {
        /// Why.
        why: Why,
    },
    /// A weakness, by finding id.
    Weak {
        /// Finding id.
        finding: String,
        /// What exactly, in a few words.
        detail: String,
    },
    /// A key that somebody in the middle could see opens this field.
    KeyInSight {
        /// Algorithm and layout.
        how: String,
        /// `network` or `provider`: who saw the key.
        party: String,
        /// Where the key stood.
        key_at: String,
    },
    /// A stream of a call's media.
    Media {
        /// `none`, `srtp`, `opened` (SRTP whose keys are at hand) or `unknown`.
        protection: String,
        /// Who agreed on the keys.
        keyed: String,
        /// The codec.
        codec: String,
    },
    /// A data item that whoever reads this layer learns.
    Metadata {
        /// Row of the who-learns-what matrix.
        item: String,
        /// The rule that knows it.
        rule: String,
    },
    /// A rule's finding.
    Rule {
        /// Finding id.
        finding: String,
        /// The rule.
        rule: String,
    },
}

/// One record. Equal observations of the same field are one record with a count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// What was seen.
    pub kind: Kind,
    /// How far it goes.
    pub strength: Strength,
    /// Which way it points.
    pub polarity: Polarity,
    /// Whether the bytes were confidential on the wire.
    pub guard: Guard,
    /// Where it was first seen.
    pub origin: Origin,
    /// How often the same was seen.
    pub count: u64,
    /// The text itself, kept only when the user asked to reveal content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
}

impl Evidence {
    /// Whether the two records say the same of the same field.
    pub fn same(&self, other: &Evidence) -> bool {
        self.kind == other.kind
            && self.strength == other.strength
            && self.guard == other.guard
            && self.origin.layers == other.origin.layers
            && self.origin.field == other.origin.field
    }
}
