//! Evidence in words: what sort of observation it is, the sentence for it, and the figures of measured
//! randomness.

use super::{Ids, vantages};
use crate::evidence::purpose::SENT_FILE;
use crate::evidence::randomness::{normal_tail, null_mean_sd};
use crate::evidence::trial::{OPENED, PRIVATE_HALF};
use crate::evidence::{BESIDE_SLOT, JOINED, LABEL_SLOT};
use crate::evidence::{Draft, Evidence, Kind};
use crate::peel::{Guard, Why};
use crate::report::dto;
use crate::report::explain;

/// What sort of evidence, and the sentence for it.
pub(super) fn told(e: &Evidence) -> (dto::EvidenceKind, String) {
    use dto::EvidenceKind as K;
    let seen = match e.guard {
        Guard::Open => "in clear on the path",
        Guard::Confidential => "inside opened transport encryption",
    };
    match &e.kind {
        Kind::Canary { canary, control, chain, .. } => {
            let what = if *control { "control" } else { "planted text" };
            let how =
                if chain.is_empty() { String::new() } else { format!(", encoded as {}", chain.join(" > ")) };
            (K::Canary, format!("{what} {} found {seen}{how}", canary + 1))
        }
        Kind::Readable { rule, slot, language_percent, .. } => {
            (K::ReadableContent, readable(rule, slot, *language_percent, seen))
        }
        Kind::Envelope { format, protocol, why, .. } => match why {
            Some(why) => (K::Envelope, format!("{protocol} structure ({format}) that does not seal: {why}")),
            None => (K::Envelope, format!("{protocol} envelope ({format}) {seen}")),
        },
        Kind::Opaque { .. } | Kind::Pooled { .. } => (K::Randomness, measured(&e.kind)),
        Kind::Sequence { messages, chains, rises, falls, nonces } => {
            let late = if *falls > 0 { format!(", {falls} out of order") } else { String::new() };
            let nonces = if *nonces > 1 { format!("; {nonces} nonces, none twice") } else { String::new() };
            let told =
                format!("{messages} envelopes: {rises} counters rise in {chains} chains{late}{nonces}");
            (K::Envelope, told)
        }
        Kind::Sealed { why } => {
            let why = match why {
                Why::NoKey => "no key for it was given",
                Why::BadTag => "the key given does not open it",
                Why::Unsupported => "this version cannot open its algorithm",
            };
            (K::Transport, format!("transport encryption stayed closed: {why}"))
        }
        Kind::Weak { finding, detail } => {
            (K::WeakProtection, format!("{}: {detail}", explain::title(finding)))
        }
        Kind::Copy { of, said_at, seen_at, .. } => {
            (K::ContentCopy, format!("{}, at {said_at}, stands also at {seen_at}", copied(of)))
        }
        Kind::KeyInSight { how, party, key_at, .. } => (K::KeyExposure, key_in_sight(how, party, key_at)),
        Kind::Media { protection, keyed, codec } => {
            (K::Transport, format!("media ({codec}) {}", carried(protection, keyed)))
        }
        Kind::Metadata { item, rule } => {
            (K::Metadata, format!("{} {seen} (rule {rule})", item.replace('-', " ")))
        }
        Kind::Relay(r) => (K::RelayIdentity, vantages::relayed(r)),
        Kind::IdentityKey { key, equal, different } => (
            K::RelayIdentity,
            format!(
                "identity keys ({key}) fetched here: {equal} as the other end published them, {different} others"
            ),
        ),
        Kind::Length(law) => (K::LengthLaw, vantages::law(law)),
        Kind::Check { what, passed } => {
            let result = if *passed { "passed" } else { "failed" };
            (K::Other, format!("a check outside the recording {result}: {what}"))
        }
        Kind::Rule { finding, rule } => (K::Other, format!("{} (rule {rule})", explain::title(finding))),
    }
}

/// A text or file that somebody besides the ends reads.
fn readable(rule: &str, slot: &str, language_percent: u8, seen: &str) -> String {
    if slot == BESIDE_SLOT && rule == JOINED {
        return format!(
            "a sentence written like a name, or where none belongs, readable {seen}, beside sealed messages"
        );
    }
    if slot == BESIDE_SLOT && !rule.is_empty() {
        return format!("{rule} readable {seen}, beside sealed messages");
    }
    match rule {
        _ if slot == LABEL_SLOT => format!("the same few words readable {seen}, beside every sealed message"),
        OPENED => format!(
            "text that came out when this field was opened with a key in sight; reads {language_percent} % like human language"
        ),
        SENT_FILE => format!("a file sent along with messages, readable {seen}"),
        _ => format!("{slot} readable {seen}; reads {language_percent} % like human language"),
    }
}

/// What the tests of randomness came to, over one field or the same field of several messages.
fn measured(kind: &Kind) -> String {
    match kind {
        Kind::Opaque {
            class,
            millibits,
            expected_millibits,
            z_hundredths,
            decibits,
            percent,
            power_percent,
            ..
        } => {
            let bits = |m: &u32| f64::from(*m) / 1000.0;
            format!(
                "opaque field: {} ({percent} %), {:.2} bits per byte where {:.2} is expected of random bytes (z {:.1}); {:.1} bits against random, power {power_percent} %",
                class.replace('-', " "),
                bits(millibits),
                bits(expected_millibits),
                f64::from(*z_hundredths) / 100.0,
                f64::from(*decibits) / 10.0,
            )
        }
        Kind::Pooled { messages, bytes, decibits, uniform, strongest, found, power_percent } => {
            let said = match (uniform, found.is_empty()) {
                (true, true) => "no more than chance".to_owned(),
                (_, false) => found.join("; "),
                (false, true) => format!("not random by {strongest}"),
            };
            let bits = f64::from(*decibits) / 10.0;
            format!(
                "the same field of {messages} messages ({bytes} bytes) together: {said}; {bits:.1} bits against random, power {power_percent} %"
            )
        }
        // Nothing else is measured.
        _ => String::new(),
    }
}

/// What of a message stands at another place too.
fn copied(of: &str) -> String {
    match of {
        "text" | "link" => format!("a message's {of}"),
        "beginning" => "the beginning of a message".to_owned(),
        "attachment" => "a file that was sent".to_owned(),
        hash => format!("the {}", hash.replace("the attachment", "a file that was sent")),
    }
}

/// Who sees a key, and what it does.
fn key_in_sight(how: &str, party: &str, key_at: &str) -> String {
    match how {
        PRIVATE_HALF => format!(
            "the private half (X25519) of the public key in this field stood at {key_at}, where the {party} sees it; nothing was opened with it here"
        ),
        _ => format!("a key that the {party} sees at {key_at} opens this field ({how})"),
    }
}

/// How a call's media went.
fn carried(protection: &str, keyed: &str) -> String {
    match protection {
        "none" => "in clear: its payloads are no ciphertext, or the ends agreed on no protection".to_owned(),
        "opened" => format!("as SRTP keyed by {keyed}; the session keys of one end open it"),
        "srtp" => format!("as SRTP keyed by {keyed}"),
        _ => "with a protection that the recording does not tell".to_owned(),
    }
}

/// Measured randomness of the fields that nobody could explain.
pub(super) fn randomness(c: usize, d: &Draft) -> Vec<dto::Randomness> {
    let bits = |m: u32| f64::from(m) / 1000.0;
    let measured = d.evidence.iter().filter_map(|e| {
        let Kind::Opaque {
            class,
            millibits,
            expected_millibits,
            z_hundredths,
            decibits,
            percent,
            power_percent,
            ..
        } = &e.kind
        else {
            return None;
        };
        let (_, sd) = null_mean_sd(usize::try_from(e.origin.length).unwrap_or(usize::MAX));
        Some(dto::Randomness {
            class: class.clone(),
            probability: f64::from(*percent) / 100.0,
            z: f64::from(*z_hundredths) / 100.0,
            p: normal_tail(f64::from(*z_hundredths) / 100.0),
            bits_against_random: f64::from(*decibits) / 10.0,
            power: f64::from(*power_percent) / 100.0,
            conversation: Ids::conversation(c),
            field: [e.origin.layers.as_str(), e.origin.field.as_str()].join(" ").trim().to_owned(),
            length: e.origin.length,
            bits_per_byte: bits(*millibits),
            expected: bits(*expected_millibits),
            sd,
        })
    });
    measured.collect()
}
