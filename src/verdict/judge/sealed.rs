//! Judges what may be sealed for the ends: envelopes, and message fields that nobody opened.

use super::{Experiment, Judgement, select};
use crate::evidence::purpose::SENT_FILE;
use crate::evidence::{
    CONTENT_HASH, Draft, Evidence, GHOST, JOINED, Kind, LABEL_SLOT, LINK, POSITION, Polarity, REACTION,
    Strength,
};
use crate::peel::Guard;
use crate::verdict::lattice::{Grade, Network, Provider, headline};
use crate::verdict::sight;
use std::collections::BTreeSet;

/// Share of a conversation's bytes that must have been looked at before absence counts.
pub const COVERAGE_FLOOR: f64 = 0.90;

/// Doubts that no recording can remove, for every claim of end-to-end encryption.
fn standing_doubts(grade: Grade) -> Vec<String> {
    let mut doubts = Vec::new();
    if grade < Grade::G3 {
        doubts.push("the same text may travel in a form or place that was not searched".into());
    }
    if grade < Grade::G4 {
        doubts.push(
            "a further recipient, such as a device that nobody added, may be among those that the sender encrypts for"
                .into(),
        );
        doubts.push("keys handed out by the provider may not be the peer's".into());
        doubts.push("the service may decrypt and encrypt again between the ends".into());
    }
    doubts.push(
        "the app itself, its backups or its notifications may disclose text or keys, also at a time that was not recorded"
            .into(),
    );
    doubts
}

fn coverage_doubt(draft: &Draft, doubts: &mut Vec<String>) {
    let coverage = &draft.coverage;
    if draft.drops.dropped > 0 {
        doubts.push(format!(
            "{} frames were lost before they were recorded ({:.1} %), and nobody knows what they held",
            draft.drops.dropped,
            draft.drops.share() * 100.0
        ));
    }
    if coverage.looked_at() < COVERAGE_FLOOR {
        doubts.push(format!(
            "{:.0} % of this conversation's bytes were lost or stayed sealed and could hold anything",
            (1.0 - coverage.looked_at()) * 100.0
        ));
    }
}

/// Whether enough was looked at for the absence of readable text to mean anything.
fn covered(draft: &Draft) -> bool {
    let recorded = 1.0 - draft.drops.share();
    draft.coverage.looked_at() * recorded >= COVERAGE_FLOOR && !draft.limited
}

pub(super) fn envelope(draft: &Draft, protocol: &str, experiment: &Experiment) -> Judgement {
    if let Some(judgement) = sight::judge(draft) {
        return judgement;
    }
    let strict = |e: &Evidence| {
        matches!(&e.kind, Kind::Envelope { tier, class, .. }
            if class == "e2ee-message" && (*tier == 1 || *tier == 2 && (e.count >= 2 || draft.messages.max(draft.kin) >= 2)))
    };
    let reasons = select(draft, |e| strict(e) && e.strength >= Strength::Strong);
    let spoiled =
        draft.evidence.iter().any(|e| e.polarity == Polarity::Against && e.strength >= Strength::Strong);
    let beside = draft.evidence.iter().any(Evidence::is_beside);
    let covered = covered(draft);
    let sound = !reasons.is_empty() && !spoiled && !beside && covered;
    let experiment_holds = experiment.speaks() && experiment.found == 0;
    let grade = match (sound, experiment_holds) {
        (true, true) => Grade::G3,
        (true, false) => Grade::G2,
        (false, _) if !covered => Grade::G0,
        (false, _) => Grade::G1,
    };
    let provider = if sound { Provider::Sealed } else { Provider::Unknown };
    let not_ruled_out = envelope_doubts(draft, grade, &reasons);
    let reason = match (sound, experiment_holds) {
        (true, true) => format!(
            "messages are strict {protocol} envelopes, and the planted texts were not found in anything that could be opened, while the control was"
        ),
        (true, false) => format!(
            "E2EE-shaped: messages parse strictly as {protocol} envelopes and no message field beside them is readable"
        ),
        (false, _) if !covered => format!(
            "{protocol} envelopes are there, but too much of their connections was lost, stayed sealed or went beyond a limit to say that nothing else is readable"
        ),
        (false, _) if draft.evidence.iter().any(Evidence::is_private_key) => format!(
            "{protocol} envelopes are there, but a private key or a session's key passed where the provider could see it: it may open them"
        ),
        (false, _) if spoiled => {
            format!("{protocol} envelopes are there, but something in the same messages speaks against them")
        }
        (false, _) if beside => {
            format!("{protocol} envelopes are there, and with them {}", stands_beside(draft))
        }
        (false, _) => format!("too few or too loosely structured {protocol} envelopes to rely on"),
    };
    Judgement {
        verdict: headline(Network::Protected, provider, grade),
        grade,
        network: Network::Protected,
        provider,
        reasons,
        reason,
        not_ruled_out,
        next_step: match grade {
            Grade::G3 => "record both ends and compare them to exclude re-encryption on the way".into(),
            _ => "send planted texts with a control that must be visible and audit again with --canary and --control".into(),
        },
        weighs: Some("end-to-end envelopes".into()),
    }
}

/// What stands in clear beside sealed messages.
fn stands_beside(draft: &Draft) -> String {
    let rules: BTreeSet<&str> = draft
        .evidence
        .iter()
        .filter(|e| e.is_beside())
        .filter_map(|e| match &e.kind {
            Kind::Readable { rule, .. } => Some(rule.as_str()),
            _ => None,
        })
        .collect();
    let words = |rule: &&str| match *rule {
        REACTION => "a reaction in clear",
        LINK => "a link in clear",
        POSITION => "a position in clear",
        SENT_FILE => "a file in clear that may have been sent with a message",
        JOINED => "a sentence written like a name, or in the head of a request",
        "amount" => "an amount in clear",
        _ => "in fields of no known kind, readable text that may be part of what was sealed",
    };
    let told: Vec<&str> = rules.iter().map(words).collect();
    told.join("; ")
}

fn envelope_doubts(draft: &Draft, grade: Grade, reasons: &[usize]) -> Vec<String> {
    let mut not_ruled_out = standing_doubts(grade);
    if draft.evidence.iter().any(|e| matches!(&e.kind, Kind::Weak { finding, .. } if finding == GHOST)) {
        not_ruled_out
            .insert(0, "a recipient that no device list in the recording names may be somebody else".into());
    }
    let label = |e: &&Evidence| matches!(&e.kind, Kind::Readable { slot, .. } if slot == LABEL_SLOT);
    if let Some(e) = draft.evidence.iter().find(label) {
        not_ruled_out.insert(
            0,
            format!("the same few words beside every message ({}) may be more than a label", e.origin.field),
        );
    }
    let file = |e: &Evidence| matches!(&e.kind, Kind::Metadata { item, .. } if item == SENT_FILE);
    if draft.evidence.iter().any(file) {
        not_ruled_out.insert(
            0,
            "a file that the service got in clear may have been sent with one of these messages, or with one of those in clear".into(),
        );
    }
    let hash = |e: &Evidence| matches!(&e.kind, Kind::Weak { finding, .. } if finding == CONTENT_HASH);
    if draft.evidence.iter().any(hash) {
        not_ruled_out.insert(
            0,
            "the hash beside every message may be of its text: whoever gets it can tell whether a text that he suspects was sent".into(),
        );
    }
    let shared = |i: &usize| matches!(draft.evidence[*i].kind, Kind::Envelope { tier: 2, .. });
    if reasons.iter().any(shared) {
        not_ruled_out.insert(
            0,
            "the recipient may be a server: the format serves between devices and services too, and its bytes do not say whose keys these are"
                .into(),
        );
    }
    coverage_doubt(draft, &mut not_ruled_out);
    not_ruled_out
}

pub(super) fn opaque(draft: &Draft, experiment: &Experiment) -> Judgement {
    if let Some(judgement) = sight::judge(draft) {
        return judgement;
    }
    let reasons =
        select(draft, |e| matches!(e.kind, Kind::Opaque { .. } | Kind::Envelope { .. } | Kind::Weak { .. }));
    let confidential = reasons.iter().all(|i| draft.evidence[*i].guard == Guard::Confidential);
    let slotted = |e: &&Evidence| matches!(e.kind, Kind::Opaque { .. }) && e.strength >= Strength::Strong;
    let is = |e: &Evidence, name: &str| matches!(&e.kind, Kind::Opaque { class, .. } if class == name);
    let measured: Vec<&Evidence> = draft.evidence.iter().filter(slotted).collect();
    // Every message field must pass for random, alone and pooled, and one be long enough to say so.
    let random = measured.iter().any(|e| is(e, "random"))
        && measured.iter().all(|e| is(e, "random") || is(e, "too-short"))
        && !draft.evidence.iter().any(|e| match &e.kind {
            Kind::Pooled { uniform, found, .. } => !uniform && found.is_empty(),
            _ => false,
        });
    // A broken envelope, a weakness or a key in sight: the field is opaque to us, not to everybody.
    let weak = draft.evidence.iter().any(|e| {
        matches!(e.kind, Kind::Weak { .. } | Kind::Rule { .. })
            || e.polarity == Polarity::Against && e.strength >= Strength::Strong
    });
    let experiment_holds = experiment.speaks() && experiment.found == 0 && random && !weak && covered(draft);
    let network = if confidential { Network::Protected } else { Network::Unknown };
    let (provider, grade) = match experiment_holds {
        true => (Provider::Sealed, Grade::G3),
        false => (Provider::Unknown, Grade::G1),
    };
    let mut not_ruled_out = vec![
        "an encoding or compression that is not implemented".to_owned(),
        "a key that the provider holds".to_owned(),
    ];
    not_ruled_out.extend(standing_doubts(grade));
    coverage_doubt(draft, &mut not_ruled_out);
    Judgement {
        verdict: headline(network, provider, grade),
        grade,
        network,
        provider,
        reasons,
        reason: match experiment_holds {
            true => "message fields are opaque, and the planted texts were not found in anything that could be opened, while the control was".into(),
            false => closed(draft),
        },
        not_ruled_out,
        next_step: "send planted texts with a control that must be visible and audit again with --canary and --control; find out which library encrypts and who holds the key".into(),
        weighs: Some("a known message field".into()),
    }
}

/// Why message fields that nobody opened decide nothing.
fn closed(draft: &Draft) -> String {
    let symmetric = draft.evidence.iter().find_map(|e| match &e.kind {
        Kind::Envelope { protocol, class, .. } if class == "symmetric" => Some(protocol.as_str()),
        _ => None,
    });
    let weak: BTreeSet<&str> = draft
        .evidence
        .iter()
        .filter(|e| e.polarity == Polarity::Against && e.strength >= Strength::Strong)
        .filter_map(|e| match &e.kind {
            Kind::Weak { finding, .. } => Some(finding.as_str()),
            _ => None,
        })
        .collect();
    let mut reason = match symmetric {
        Some(protocol) => format!(
            "message fields are {protocol} under a shared key, and their bytes do not tell who holds it"
        ),
        None => "message fields are opaque: their bytes fit no known envelope and no known encoding, which proves nothing".to_owned(),
    };
    if !weak.is_empty() {
        let names: Vec<&str> = weak.into_iter().collect();
        reason += &format!(
            "; their protection shows a weakness ({}), so somebody who has no key may read or alter some of them",
            names.join(", ")
        );
    }
    reason
}
