//! Judges ciphertext that somebody without the ends' secrets can undo: its key was in sight, or it is
//! obfuscation.

use super::judge::{Judgement, reach, reader, reads, select};
use super::lattice::{Grade, Provider, headline};
use crate::evidence::trial::PRIVATE_HALF;
use crate::evidence::{Draft, Evidence, Kind, Strength, same_service};

/// Ciphertext whose key was in sight is readable for whoever saw the key.
pub(super) fn judge(draft: &Draft) -> Option<Judgement> {
    let undone = |e: &Evidence| match &e.kind {
        // A key that passed another service lets nobody read alone, as far as the recording tells.
        Kind::KeyInSight { service, .. } => same_service(service, &draft.key.endpoint),
        Kind::Weak { finding, .. } => finding == "weak-obfuscation" && e.strength == Strength::Proof,
        _ => false,
    };
    let sights = || draft.evidence.iter().filter(|e| undone(e));
    sights().next()?;
    let reasons = select(draft, |e| undone(e) || reads(e));
    let obfuscated = sights().any(|e| matches!(e.kind, Kind::Weak { .. }));
    // With a private key in sight nothing was opened here.
    let private = !obfuscated && sights().all(is_private);
    // Without a tag what came out only reads like a message.
    let proven = reasons.iter().any(|i| draft.evidence[*i].strength == Strength::Proof);
    let grade = if proven { Grade::G3 } else { Grade::G2 };
    let network = reach(draft, undone);
    let who = reader(network, "the provider");
    Some(Judgement {
        verdict: headline(network, Provider::Readable, grade),
        grade,
        network,
        provider: Provider::Readable,
        reasons,
        reason: match (obfuscated, private) {
            (true, _) => format!(
                "messages are only obfuscated: {who} can undo it without any secret, as was done here"
            ),
            (_, true) => format!(
                "messages are encrypted, but private keys of the ends, whose public halves are in use, passed where {who} could see them"
            ),
            (_, false) => {
                format!("messages are encrypted, but the key that opens them passed where {who} could see it")
            }
        },
        not_ruled_out: match private {
            true => vec!["which messages these keys open: none was opened with them here".into()],
            false => vec!["other messages may use keys that were not in sight".into()],
        },
        next_step: match private {
            true => "find out why private keys leave the device; open a message with them for a proof".into(),
            false => "none needed: the text was recovered".into(),
        },
        weighs: Some(match private {
            true => "end-to-end envelopes and private keys in sight".into(),
            false => "message fields that were opened without the ends' secrets".to_owned(),
        }),
    })
}

/// Whether a key in sight is a private one, known by its public half.
fn is_private(e: &Evidence) -> bool {
    matches!(&e.kind, Kind::KeyInSight { how, .. } if how == PRIVATE_HALF)
}
