//! What two vantages and checks outside the recording add to a judgement. They can take a claim away; they
//! raise a grade only where both ends already carry the claim.

use super::{Grade, Judgement, Provider, Verdict, headline};
use crate::evidence::planting::SAFETY_NUMBER;
use crate::evidence::relay::{Outcome, Relayed, Way};
use crate::evidence::{Draft, Evidence, Kind, Polarity};

/// Messages with the same bytes at both ends, below which nothing is concluded.
const FEWEST: u32 = 2;

/// Judgements with what the other vantage adds. `drafts` and `judgements` belong together.
pub fn weigh(drafts: &[Draft], judgements: Vec<Judgement>) -> Vec<Judgement> {
    let each = |(i, draft): (usize, &Draft)| -> Option<Judgement> {
        let base = judgements.get(i)?;
        let against = refuted(draft, base);
        if against.is_some() || base.verdict != Verdict::E2ee {
            return against;
        }
        let peer = peers(draft).into_iter().find_map(|key| {
            let at = drafts.iter().position(|d| d.vantage != draft.vantage && d.key == key)?;
            drafts.get(at).zip(judgements.get(at))
        });
        peer.and_then(|(other, theirs)| raised(draft, base, other, theirs))
    };
    let changed: Vec<Option<Judgement>> = drafts.iter().enumerate().map(each).collect();
    judgements.into_iter().zip(changed).map(|(old, new)| new.unwrap_or(old)).collect()
}

fn relayed(draft: &Draft) -> impl Iterator<Item = (usize, &Relayed)> {
    draft.evidence.iter().enumerate().filter_map(|(i, e)| match &e.kind {
        Kind::Relay(r) => Some((i, &**r)),
        _ => None,
    })
}

fn peers(draft: &Draft) -> Vec<crate::evidence::ConversationKey> {
    relayed(draft).filter_map(|(_, r)| r.peer.clone()).collect()
}

fn which(draft: &Draft, keep: impl Fn(&Evidence) -> bool) -> Vec<usize> {
    (0..draft.evidence.len()).filter(|i| draft.evidence.get(*i).is_some_and(&keep)).collect()
}

/// What takes the claim away: bytes changed on the way, another key than published, a failed check.
fn refuted(draft: &Draft, base: &Judgement) -> Option<Judgement> {
    if base.verdict < Verdict::Undetermined || base.grade == Grade::G0 {
        return None;
    }
    let swapped = |e: &Evidence| matches!(&e.kind, Kind::IdentityKey { different, .. } if *different > 0);
    let changed = |e: &Evidence| matches!(&e.kind, Kind::Relay(_)) && e.polarity == Polarity::Against;
    let failed = |e: &Evidence| matches!(&e.kind, Kind::Check { passed: false, .. });
    let (reasons, reason, next) = [
        (
            which(draft, changed),
            changed_words(draft),
            "find out which service opens the messages on the way: it holds keys of its own",
        ),
        (
            which(draft, swapped),
            "the identity key that one end fetched is not the one that the other end published: somebody between them can open the messages".to_owned(),
            "compare the safety numbers on both phones",
        ),
        (
            which(draft, failed),
            format!("a check outside the recording failed: it should hold that {}", failed_words(draft)),
            "repeat the check, and find out who else holds the keys",
        ),
    ]
    .into_iter()
    .find(|(found, ..)| !found.is_empty())?;
    let grade = base.grade.min(Grade::G1);
    Some(Judgement {
        verdict: headline(base.network, Provider::Unknown, grade),
        grade,
        network: base.network,
        provider: Provider::Unknown,
        reasons,
        reason,
        not_ruled_out: vec!["the service reads the messages between the ends".into()],
        next_step: next.into(),
        weighs: base.weighs.clone(),
    })
}

fn changed_words(draft: &Draft) -> String {
    let readable = relayed(draft).any(|(_, r)| r.outcome == Outcome::Readable);
    match readable {
        true => "sealed bytes of this conversation never reach the other end, while readable messages of like sizes stand there at the same times".into(),
        false => "sealed bytes of this conversation never reach the other end, while other sealed bytes of like sizes arrive at the same times, as they do where messages are opened and sealed again on the way".into(),
    }
}

fn failed_words(draft: &Draft) -> String {
    let failed = draft.evidence.iter().filter_map(|e| match &e.kind {
        Kind::Check { what, passed: false } => Some(what.as_str()),
        _ => None,
    });
    failed.collect::<Vec<_>>().join("; ")
}

/// The grade that equal bytes at both ends earn: they exclude that somebody seals anew on the way. Only with
/// keys that were compared, which excludes a swap, is it more than the ends have by themselves.
fn raised(draft: &Draft, base: &Judgement, peer: &Draft, theirs: &Judgement) -> Option<Judgement> {
    let both = theirs.verdict == Verdict::E2ee && base.grade >= Grade::G2 && theirs.grade >= Grade::G2;
    if !both || !is_whole(draft) || !is_whole(peer) {
        return None;
    }
    let arrived: u32 = relayed(draft).map(|(_, r)| r.arrived()).sum();
    if arrived < FEWEST {
        return None;
    }
    let compared = which(draft, |e| matches!(&e.kind, Kind::IdentityKey { equal, .. } if *equal > 0));
    let checks = which(draft, |e| matches!(&e.kind, Kind::Check { passed: true, .. }));
    // G4 excludes a swap of keys too. Equal safety numbers compare the same keys outside the recording.
    let numbers =
        which(draft, |e| matches!(&e.kind, Kind::Check { passed: true, what } if what == SAFETY_NUMBER));
    let theirs_compared =
        !which(peer, |e| matches!(&e.kind, Kind::IdentityKey { equal, .. } if *equal > 0)).is_empty();
    let same_keys = theirs_compared || !compared.is_empty() || !numbers.is_empty();
    let grade = match (same_keys, checks.len()) {
        (false, _) => base.grade,
        (true, 3..) => Grade::G5,
        (true, _) => Grade::G4,
    };
    let mut reasons: Vec<usize> = relayed(draft).filter(|(_, r)| r.arrived() > 0).map(|(i, _)| i).collect();
    reasons.extend(compared);
    if grade == Grade::G5 {
        reasons.extend(checks);
    }
    reasons.extend(base.reasons.iter().copied());
    reasons.truncate(8);
    let checked = if grade == Grade::G5 { ", and the checks outside the recording passed" } else { "" };
    Some(Judgement {
        verdict: headline(base.network, Provider::Sealed, grade),
        grade,
        network: base.network,
        provider: Provider::Sealed,
        reasons,
        reason: format!(
            "the same sealed bytes leave one end and reach the other ({arrived} messages), so they were not sealed anew on the way{checked}; {}",
            base.reason
        ),
        not_ruled_out: doubts(draft, base, same_keys),
        next_step: match grade {
            Grade::G5 => "none: nothing beyond this can be reached from outside".into(),
            _ if !same_keys => "compare the safety numbers and record the result in the plan, or record both ends from before they fetch each other's keys".into(),
            _ => "compare safety numbers, restore on a fresh phone, plant a bait link, and record the results in the plan".into(),
        },
        weighs: base.weighs.clone(),
    })
}

fn doubts(draft: &Draft, base: &Judgement, same_keys: bool) -> Vec<String> {
    let mut doubts = vec![
        "the app itself, its backups or its notifications may disclose text on the device".to_owned(),
        "a further recipient, such as a device that nobody added, may be among those that the sender encrypts for"
            .to_owned(),
    ];
    if base.grade < Grade::G3 {
        doubts.push("the same text may travel in a form or place that was not searched".into());
    }
    if !same_keys {
        doubts.push("keys handed out by the provider may not be the peer's: no identity key was fetched at one end and published at the other while both recorded, so none could be compared".into());
    }
    let lost: u32 = relayed(draft).filter(|(_, r)| r.way == Way::Sent).map(|(_, r)| r.missing()).sum();
    if lost > 0 {
        doubts.push(format!(
            "{lost} messages that were sent here did not reach the other end while it recorded"
        ));
    }
    doubts
}

/// Whether every message that arrived here was found in what the other end sent: one that was not may have
/// been sealed anew.
fn is_whole(draft: &Draft) -> bool {
    relayed(draft).all(|(_, r)| match r.way {
        Way::Received => r.missing() == 0 && r.outcome != Outcome::Changed && r.outcome != Outcome::Readable,
        Way::Sent => r.messages == 0 || r.arrived() * 2 >= r.messages,
    })
}
