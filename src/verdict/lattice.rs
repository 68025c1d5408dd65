//! The two axes, and the one function that turns them into a headline.

use serde::{Deserialize, Serialize};

/// Can somebody on the path read the content?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Yes, without any secret.
    Readable,
    /// No: it travels in encryption.
    Protected,
    /// The recording cannot tell.
    Unknown,
}

/// Can the operator of the service read it?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Yes.
    Readable,
    /// What reaches it is sealed for the ends.
    Sealed,
    /// The recording cannot tell.
    Unknown,
}

/// The headline. The order is that of the summary: the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Anybody on the path reads it.
    Plaintext,
    /// The provider reads it.
    TransportOnly,
    /// The recording cannot tell.
    Undetermined,
    /// Sealed for the ends.
    E2ee,
}

/// How far the evidence goes (DESIGN section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// Nothing decrypted or parsed.
    G0,
    /// Statistics only.
    G1,
    /// Structure.
    G2,
    /// Structure or opaque content and a canary experiment with its control.
    G3,
    /// Two vantages.
    G4,
    /// Two vantages and recorded out-of-band checks.
    G5,
}

/// The headline verdict; nothing else may produce one. Below G2 nothing is called end-to-end encrypted.
pub fn headline(network: Network, provider: Provider, grade: Grade) -> Verdict {
    match (network, provider) {
        (_, Provider::Sealed) if grade >= Grade::G2 => Verdict::E2ee,
        (_, Provider::Sealed) => Verdict::Undetermined,
        (Network::Readable, _) => Verdict::Plaintext,
        (Network::Protected, Provider::Readable) => Verdict::TransportOnly,
        _ => Verdict::Undetermined,
    }
}

impl Verdict {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Plaintext => "plaintext",
            Verdict::TransportOnly => "transport-only",
            Verdict::Undetermined => "undetermined",
            Verdict::E2ee => "e2ee",
        }
    }
}

impl Network {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Network::Readable => "readable",
            Network::Protected => "protected",
            Network::Unknown => "unknown",
        }
    }
}

impl Provider {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Provider::Readable => "readable",
            Provider::Sealed => "sealed",
            Provider::Unknown => "unknown",
        }
    }
}

impl Grade {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        ["G0", "G1", "G2", "G3", "G4", "G5"][self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table of DESIGN section 1: what the axes come to below G2, and from there on.
    #[test]
    fn the_headline_follows_the_axes_and_the_grade() {
        use Verdict::{E2ee, Plaintext, TransportOnly, Undetermined};
        let table = [
            (Network::Readable, Provider::Readable, Plaintext, Plaintext),
            (Network::Readable, Provider::Sealed, Undetermined, E2ee),
            (Network::Readable, Provider::Unknown, Plaintext, Plaintext),
            (Network::Protected, Provider::Readable, TransportOnly, TransportOnly),
            (Network::Protected, Provider::Sealed, Undetermined, E2ee),
            (Network::Protected, Provider::Unknown, Undetermined, Undetermined),
            (Network::Unknown, Provider::Readable, Undetermined, Undetermined),
            (Network::Unknown, Provider::Sealed, Undetermined, E2ee),
            (Network::Unknown, Provider::Unknown, Undetermined, Undetermined),
        ];
        for (network, provider, statistics, structure) in table {
            for grade in [Grade::G0, Grade::G1] {
                assert_eq!(headline(network, provider, grade), statistics, "{network:?} {provider:?}");
            }
            for grade in [Grade::G2, Grade::G3, Grade::G4, Grade::G5] {
                assert_eq!(headline(network, provider, grade), structure, "{network:?} {provider:?}");
            }
        }
    }
}
