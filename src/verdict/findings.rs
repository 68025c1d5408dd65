//! Findings: what is wrong, by an id that accuses, with severity and confidence apart.

use super::peer::between_ends;
use super::{Judgement, Verdict};
use crate::evidence::relay::Outcome;
use crate::evidence::trial::OPENED;
use crate::evidence::{CONTENT_HASH, Content, Draft, Evidence, GHOST, Kind, Polarity, SIDE_SLOTS, Strength};
use crate::model::Value;
use crate::peel::Guard;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A small leak.
    Low,
    /// A weakness.
    Medium,
    /// Content or keys at risk.
    High,
    /// Content or keys lost.
    Critical,
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Could be something else.
    Low,
    /// Structure says so.
    Medium,
    /// Proven.
    High,
}

/// One finding of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// Stable id.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// Index of the conversation.
    pub conversation: usize,
    /// Indices into its evidence.
    pub evidence: Vec<usize>,
}

/// Encodings that hide a text from the eye and from nobody else.
const ENCODINGS: [&str; 21] = [
    "base64",
    "base64url",
    "hex",
    "percent",
    "rot13",
    "reversed",
    "utf-16le",
    "utf-16be",
    "quoted-printable",
    "base32",
    "base85",
    "utf7",
    "utf16",
    "utf32",
    "gsm7",
    "gsm-7bit",
    "uuencode",
    "entities",
    "escapes",
    "data-url",
    "pem",
];

/// Operations that are meant to hide a text and need no secret to be undone.
const OBFUSCATIONS: [&str; 8] =
    ["xor", "xor-text", "complement", "nibble-swap", "bit-reversal", "caesar", "reversed", "rot13"];

/// All findings, most severe first, in a fixed order.
pub fn findings(drafts: &[Draft], judgements: &[Judgement]) -> Vec<Finding> {
    let mut found = Found::default();
    let enveloped: BTreeSet<&str> = drafts
        .iter()
        .filter(|d| matches!(d.key.content, Content::Envelope(_)))
        .map(|d| d.key.endpoint.as_str())
        .collect();
    for (c, (draft, judgement)) in drafts.iter().zip(judgements).enumerate() {
        for (i, e) in draft.evidence.iter().enumerate() {
            // Whoever is written to reads what is written.
            if reads(e) && between_ends(draft, e) {
                continue;
            }
            of_evidence(&mut found, c, i, e, judgement.verdict);
            let elsewhere = || enveloped.iter().any(|host| *host != draft.key.endpoint);
            if reads(e) && (elsewhere() || !enveloped.is_empty() && lies_aside(e)) {
                found.add("content-copy", Severity::High, confidence(e), c, i);
            }
        }
        transport(&mut found, c, draft);
    }
    copies(&mut found, drafts);
    found.sorted()
}

/// What the handshakes of a conversation's connections show.
fn transport(found: &mut Found, c: usize, draft: &Draft) {
    let stated = |name: &str, value: &Value| {
        ["tls", "dtls", "quic"].iter().any(|p| draft.facts.get(&format!("{p}.{name}")).any(|v| v == value))
    };
    let weak = |reason: &str| stated("weak", &Value::from(reason));
    if ["tls.weak", "dtls.weak"].iter().any(|n| draft.facts.get(n).next().is_some()) {
        found.put("weak-transport", Severity::Medium, Confidence::High, c);
    }
    let shown = [
        (weak("no encryption"), "null-cipher", Severity::Critical),
        (weak("anonymous key exchange"), "anonymous-key-exchange", Severity::High),
        (weak("export cipher"), "export-cipher", Severity::High),
        (weak("certificate outside its dates"), "expired-certificate", Severity::Medium),
        (stated("forward_secrecy", &Value::from(false)), "no-forward-secrecy", Severity::Low),
        (stated("certificate.self_signed", &Value::from(true)), "self-signed-certificate", Severity::Low),
    ];
    for (_, id, severity) in shown.into_iter().filter(|(holds, ..)| *holds) {
        found.put(id, severity, Confidence::High, c);
    }
}

fn reads(e: &Evidence) -> bool {
    matches!(e.kind, Kind::Canary { control: false, .. } | Kind::Readable { .. })
        && e.polarity == Polarity::Against
}

fn confidence(e: &Evidence) -> Confidence {
    match e.strength {
        Strength::Proof => Confidence::High,
        Strength::Strong => Confidence::Medium,
        Strength::Weak => Confidence::Low,
    }
}

fn of_evidence(found: &mut Found, c: usize, i: usize, e: &Evidence, verdict: Verdict) {
    let sure = confidence(e);
    match &e.kind {
        _ if reads(e) => {
            let (id, severity) = match e.guard {
                Guard::Open => ("plaintext-message", Severity::Critical),
                Guard::Confidential => ("provider-readable-message", Severity::High),
            };
            found.add(id, severity, sure, c, i);
            if undone(e, &ENCODINGS) {
                found.add("encoded-not-encrypted", Severity::High, sure, c, i);
            }
            if undone(e, &OBFUSCATIONS) {
                found.add("weak-obfuscation", Severity::High, sure, c, i);
            }
        }
        Kind::Media { protection, .. } if protection == "none" => {
            let (id, severity) = match e.guard {
                Guard::Open => ("plaintext-call", Severity::Critical),
                Guard::Confidential => ("provider-readable-call", Severity::High),
            };
            found.add(id, severity, sure, c, i);
        }
        Kind::Copy { of, .. } => {
            let severity = if of == "text" { Severity::High } else { Severity::Medium };
            found.add("content-copy", severity, sure, c, i);
        }
        Kind::KeyInSight { party, how, .. } => {
            let id = if party == "network" { "key-visible-to-network" } else { "key-visible-to-provider" };
            found.add(id, Severity::Critical, sure, c, i);
            // What was opened in these modes had no tag that was checked.
            if matches!(how.as_str(), "AES-CBC" | "AES-CTR") {
                found.add("unauthenticated-encryption", Severity::Medium, sure, c, i);
            }
        }
        Kind::Weak { finding, .. } => {
            let severity = match finding.as_str() {
                CONTENT_HASH => Severity::Low,
                "weak-key-transport" | GHOST => Severity::Medium,
                _ => Severity::High,
            };
            found.add(finding, severity, sure, c, i);
        }
        Kind::Rule { finding, .. } if finding == "key-visible" => {
            found.add(key_visible(e.guard), Severity::Critical, sure, c, i);
        }
        Kind::Rule { finding, .. } => found.add(finding, Severity::Medium, sure, c, i),
        Kind::Envelope { format, class, .. } => of_envelope(found, c, i, e, (format, class)),
        Kind::Relay(r) if matches!(r.outcome, Outcome::Changed | Outcome::Readable) => {
            found.add("hop-reencryption", Severity::High, sure, c, i);
        }
        Kind::IdentityKey { different, .. } if *different > 0 => {
            found.add("identity-key-mismatch", Severity::Critical, Confidence::Medium, c, i);
        }
        Kind::Check { passed: false, .. } => {
            found.add("failed-check", Severity::High, Confidence::Medium, c, i);
        }
        Kind::Length(law) if law.leaks() => {
            let severity = if law.step.is_none_or(|s| s <= 16) { Severity::Low } else { Severity::Info };
            found.add("length-leak", severity, Confidence::High, c, i);
        }
        Kind::Metadata { .. } if e.guard == Guard::Open => {
            let severity = if verdict == Verdict::E2ee { Severity::Medium } else { Severity::Low };
            found.add("metadata-in-clear", severity, Confidence::Medium, c, i);
        }
        _ => {}
    }
}

fn of_envelope(found: &mut Found, c: usize, i: usize, e: &Evidence, (format, class): (&str, &str)) {
    let sure = confidence(e);
    if class == "secret-key" {
        found.add(key_visible(e.guard), Severity::Critical, sure, c, i);
    } else if format.starts_with("fish") {
        found.add("weak-cipher", Severity::High, sure, c, i);
        found.add("unauthenticated-encryption", Severity::Medium, sure, c, i);
    } else if class == "broken" {
        found.add("broken-envelope", Severity::High, sure, c, i);
    }
}

/// Who sees a key depends on where it stood.
fn key_visible(guard: Guard) -> &'static str {
    match guard {
        Guard::Open => "key-visible-to-network",
        Guard::Confidential => "key-visible-to-provider",
    }
}

/// Whether it stands in a field for notifications or telemetry, whoever runs them.
fn lies_aside(e: &Evidence) -> bool {
    matches!(&e.kind, Kind::Readable { slot, .. } | Kind::Canary { slot: Some(slot), .. }
        if SIDE_SLOTS.contains(&slot.as_str()))
}

/// Whether one of these was undone to reach the text.
fn undone(e: &Evidence, names: &[&str]) -> bool {
    let named = |name: &str| names.contains(&name);
    match &e.kind {
        Kind::Canary { chain, .. } => chain.iter().any(|c| named(c)),
        // What a key opened was encrypted, whatever stood around it.
        Kind::Readable { rule, .. } => rule != OPENED && e.origin.layers.split('/').any(named),
        _ => false,
    }
}

/// The same planted text at two services: one of them is a side path.
fn copies(found: &mut Found, drafts: &[Draft]) {
    let mut seen: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    let canary = |e: &Evidence| match e.kind {
        Kind::Canary { canary, control: false, .. } if e.polarity == Polarity::Against => Some(canary),
        _ => None,
    };
    for draft in drafts {
        for c in draft.evidence.iter().filter_map(canary) {
            seen.entry(c).or_default().insert(&draft.key.endpoint);
        }
    }
    for (c, draft) in drafts.iter().enumerate() {
        for (i, e) in draft.evidence.iter().enumerate() {
            if canary(e).and_then(|n| seen.get(&n)).is_some_and(|hosts| hosts.len() > 1) {
                found.add("content-copy", Severity::High, Confidence::High, c, i);
            }
        }
    }
}

#[derive(Default)]
struct Found(BTreeMap<(String, usize), Finding>);

impl Found {
    fn put(
        &mut self,
        id: &str,
        severity: Severity,
        confidence: Confidence,
        conversation: usize,
    ) -> &mut Finding {
        let f = self.0.entry((id.to_owned(), conversation)).or_insert_with(|| Finding {
            id: id.to_owned(),
            severity,
            confidence,
            conversation,
            evidence: Vec::new(),
        });
        f.severity = f.severity.max(severity);
        f.confidence = f.confidence.max(confidence);
        f
    }

    fn add(
        &mut self,
        id: &str,
        severity: Severity,
        confidence: Confidence,
        conversation: usize,
        evidence: usize,
    ) {
        let f = self.put(id, severity, confidence, conversation);
        if !f.evidence.contains(&evidence) {
            f.evidence.push(evidence);
        }
    }

    fn sorted(self) -> Vec<Finding> {
        let mut all: Vec<Finding> = self.0.into_values().collect();
        all.sort_by(|a, b| {
            (b.severity, b.confidence, &a.id, a.conversation).cmp(&(
                a.severity,
                a.confidence,
                &b.id,
                b.conversation,
            ))
        });
        all
    }
}
