//! The evidence record: what was seen, how strong it is, which way it points and where it was.

use super::aside::BESIDE_SLOT;
use super::length::Law;
use super::relay::Relayed;
use crate::layers::envelope::PRIVATE_JWK;
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
        /// Distance from that in hundredths of a standard deviation.
        #[serde(default)]
        z_hundredths: i32,
        /// Evidence against uniform bytes in tenths of a bit: `b` bits or more happen to uniform bytes
        /// with a chance of at most 2^-b.
        #[serde(default)]
        decibits: i32,
        /// How likely the class is under the mix of the training data, in percent.
        #[serde(default)]
        percent: u8,
        /// Chance to notice redundancy like that of text at this length, in percent.
        #[serde(default)]
        power_percent: u8,
    },
    /// The same field over several messages, measured together.
    Pooled {
        /// Different messages.
        messages: u32,
        /// Bytes of them.
        bytes: u64,
        /// Evidence against independent uniform messages in tenths of a bit.
        decibits: i32,
        /// Whether that is within what chance gives.
        uniform: bool,
        /// The test that spoke loudest.
        strongest: String,
        /// What has a name: prefixes, counters, repeats.
        found: Vec<String>,
        /// Chance to notice redundancy like that of text in so many bytes, in percent.
        power_percent: u8,
    },
    /// What envelopes of one format show over several messages.
    Sequence {
        /// Different messages.
        messages: u32,
        /// Ratchet keys or sessions that their counters count in.
        chains: u32,
        /// Counters that rose within their chain.
        rises: u32,
        /// Counters that fell: late messages.
        falls: u32,
        /// Nonces, all of them different.
        nonces: u32,
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
    /// What a message says was met at another place.
    Copy {
        /// What of it: `text`, `link`, or which hash.
        of: String,
        /// Where the message said it, or `planted`.
        said_at: String,
        /// Where it was met again.
        seen_at: String,
        /// The service that it was met at.
        service: String,
    },
    /// A key that somebody in the middle could see opens this field.
    KeyInSight {
        /// Algorithm and layout.
        how: String,
        /// `network` or `provider`: who saw the key.
        party: String,
        /// Where the key stood.
        key_at: String,
        /// The service that the key passed.
        #[serde(default)]
        service: String,
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
    /// What became of a conversation's messages between two vantages.
    Relay(Box<Relayed>),
    /// Identity keys that one end fetched, against those that the other published.
    IdentityKey {
        /// The kind of key.
        key: String,
        /// Fetched as published.
        equal: u32,
        /// Another key under the same owner's name.
        different: u32,
    },
    /// How sizes follow the length of the text.
    Length(Box<Law>),
    /// What the user checked outside the recording.
    Check {
        /// What should hold.
        what: String,
        /// Whether it does.
        passed: bool,
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

/// Formats of secrets that open messages: a private key, the ratchet of a group's session.
const SECRETS: [&str; 4] =
    ["openpgp-secret-key", "megolm-session-share", "megolm-session-export", "signal-sender-key-distribution"];

impl Evidence {
    /// Whether the two records say the same of the same field.
    pub fn same(&self, other: &Evidence) -> bool {
        self.kind == other.kind
            && self.strength == other.strength
            && self.polarity == other.polarity
            && self.guard == other.guard
            && self.origin.layers == other.origin.layers
            && self.origin.field == other.origin.field
    }

    /// Whether it is a sentence in a field of no known kind, beside something sealed.
    pub fn is_beside(&self) -> bool {
        matches!(&self.kind, Kind::Readable { slot, .. } if slot == BESIDE_SLOT)
    }

    /// Whether it is a whole private key or a session's key, in a format that says so, which no password protects.
    pub fn is_private_key(&self) -> bool {
        match &self.kind {
            Kind::Envelope { format, why, .. } => {
                SECRETS.contains(&format.as_str())
                    || format == "jwk-secret" && why.as_deref() == Some(PRIVATE_JWK)
            }
            Kind::Rule { rule, .. } => {
                rule == "private-key-pem" || rule == "private-key-field" && self.is_bare_key()
            }
            _ => false,
        }
    }

    /// Whether what is called a private key is as long as one or a pair of them, and not called wrapped.
    fn is_bare_key(&self) -> bool {
        // Octets, hexadecimal digits or base64 of a scalar, with a type before it, of a pair, of a pair's message.
        let length = matches!(self.origin.length, 32 | 33 | 43 | 44 | 64..=72 | 86..=96 | 128);
        let name = self.origin.field.rsplit('.').next().unwrap_or("").to_ascii_lowercase();
        length && !["enc", "wrap", "seal", "cipher", "protected"].iter().any(|w| name.contains(w))
    }
}
