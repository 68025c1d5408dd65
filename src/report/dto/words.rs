//! The closed sets of words a report may use. Their JSON spelling is part of schema version 1.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Declares a closed set of words with one spelling for JSON, printing and parsing.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? } default $default:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every word of the set, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The spelling used in JSON and on screens.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The member with that spelling.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|w| w.word() == word)
            }
        }

        impl Default for $name {
            fn default() -> Self { Self::$default }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.word()) }
        }
    };
}

words! {
    /// The headline judgement, weakest first.
    Verdict {
        /// Somebody on the path can read the content.
        Plaintext = "plaintext",
        /// Only the operator of the service can read it, and does not need any other key.
        TransportOnly = "transport-only",
        /// The recording cannot tell.
        Undetermined = "undetermined",
        /// The provider carries sealed content.
        E2ee = "e2ee",
    } default Undetermined
}

words! {
    /// How far the evidence goes.
    Grade {
        /// Nothing decrypted or parsed, or coverage under the floor.
        G0 = "G0",
        /// Statistics only.
        G1 = "G1",
        /// Structure: a strict parse of a known envelope.
        G2 = "G2",
        /// A canary experiment with a positive control.
        G3 = "G3",
        /// Two vantages agree.
        G4 = "G4",
        /// The user's out-of-band checks are recorded as well.
        G5 = "G5",
    } default G0
}

words! {
    /// Can somebody on the path read the content?
    Network {
        /// Yes.
        Readable = "readable",
        /// No.
        Protected = "protected",
        /// The recording cannot tell.
        Unknown = "unknown",
    } default Unknown
}

words! {
    /// Can the operator of the service read the content?
    Provider {
        /// Yes.
        Readable = "readable",
        /// No, as far as the grade goes.
        Sealed = "sealed",
        /// The recording cannot tell.
        Unknown = "unknown",
    } default Unknown
}

words! {
    /// What sort of observation a piece of evidence is.
    EvidenceKind {
        /// A planted text, found or not.
        Canary = "canary",
        /// A message-bearing field that reads as language or chat.
        ReadableContent = "readable-content",
        /// A strict parse of a known end-to-end format.
        Envelope = "envelope",
        /// Size-corrected randomness tests.
        Randomness = "randomness",
        /// Protection that does not protect.
        WeakProtection = "weak-protection",
        /// A key visible to a party that should not have it.
        KeyExposure = "key-exposure",
        /// The same text on a side path.
        ContentCopy = "content-copy",
        /// The same opaque bytes at two vantages.
        RelayIdentity = "relay-identity",
        /// How sizes follow the length of the text.
        LengthLaw = "length-law",
        /// A data item and the party that learns it.
        Metadata = "metadata",
        /// Facts about transport protection.
        Transport = "transport",
        /// What share of the bytes was understood.
        Coverage = "coverage",
        /// What the vendor says.
        Claim = "claim",
        /// A kind that this version does not know.
        Other = "other",
    } default Other
}

words! {
    /// How much one piece of evidence carries.
    Strength {
        /// Suggests.
        Weak = "weak",
        /// Convinces together with others.
        Strong = "strong",
        /// Settles the question it speaks to.
        Proof = "proof",
    } default Weak
}

words! {
    /// Which way a piece of evidence points.
    Polarity {
        /// Somebody beside the two ends can read the content.
        Readable = "readable",
        /// The content is sealed against that party.
        Sealed = "sealed",
        /// Neither: context, metadata, coverage.
        Neutral = "neutral",
    } default Neutral
}

words! {
    /// How bad a finding is.
    Severity {
        /// Worth knowing.
        Info = "info",
        /// A small leak.
        Low = "low",
        /// A real weakness.
        Medium = "medium",
        /// Content or keys are exposed to somebody.
        High = "high",
        /// Content is exposed to everybody on the path.
        Critical = "critical",
    } default Info
}

words! {
    /// How sure a statement is.
    Confidence {
        /// One weak sign.
        Low = "low",
        /// Several signs, or one strong.
        Medium = "medium",
        /// Proven in the recording.
        High = "high",
    } default Low
}

words! {
    /// What a planted text is for.
    CanaryKind {
        /// Must not be found where the content is sealed.
        Canary = "canary",
        /// Must be found, or the search proves nothing.
        Control = "control",
    } default Canary
}

words! {
    /// Who sees a place in the traffic.
    Party {
        /// Everybody on the path.
        Network = "network",
        /// The operator of the service.
        Provider = "provider",
        /// Another company.
        ThirdParty = "third-party",
    } default Network
}

words! {
    /// Whether a party learns a data item.
    Learns {
        /// It does.
        Learns = "learns",
        /// It does not, as far as the recording shows.
        DoesNot = "does-not",
        /// The recording cannot tell.
        Unknown = "unknown",
    } default Unknown
}

words! {
    /// How a vendor's claim stands against the observation.
    ClaimState {
        /// Observed as claimed.
        Confirmed = "confirmed",
        /// Observed otherwise.
        Contradicted = "contradicted",
        /// This recording does not speak to it.
        Untested = "untested",
        /// Withdrawn or out of date.
        Expired = "expired",
    } default Untested
}
