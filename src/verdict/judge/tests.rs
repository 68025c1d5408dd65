//! Judgements of drafts made here.

use super::*;
use crate::evidence::{ConversationKey, Coverage, Drops};
use crate::model::{Origin, Timestamp};

fn evidence(kind: Kind, polarity: Polarity) -> Evidence {
    let origin = Origin { length: 64, ..Origin::at(Timestamp(0)) };
    let guard = Guard::Confidential;
    Evidence { kind, strength: Strength::Strong, polarity, guard, origin, count: 4, shown: None }
}

fn envelope_of(class: &str, polarity: Polarity) -> Evidence {
    let kind =
        Kind::Envelope { format: "f".into(), protocol: "P".into(), class: class.into(), tier: 1, why: None };
    evidence(kind, polarity)
}

fn random() -> Evidence {
    let kind = Kind::Opaque {
        slot: Some("message-text".into()),
        class: "random".into(),
        millibits: 7000,
        expected_millibits: 7000,
        z_hundredths: 0,
        decibits: 0,
        percent: 70,
        power_percent: 99,
    };
    evidence(kind, Polarity::Neutral)
}

fn draft(content: Content, evidence: Vec<Evidence>) -> Draft {
    let key = ConversationKey { endpoint: "a:1".into(), path: "tls".into(), content };
    let mut draft = Draft::new(key, Timestamp(0));
    draft.messages = 4;
    draft.coverage = Coverage { seen: 1000, parsed: 1000, ..Coverage::default() };
    draft.evidence = evidence;
    draft
}

const PASSED: Experiment = Experiment { planted: 2, found: 0, controls: 1, controls_found: 1 };

fn sealed_draft() -> Draft {
    draft(Content::Envelope("P".into()), vec![envelope_of("e2ee-message", Polarity::For)])
}

#[test]
fn strict_envelopes_that_were_fully_seen_are_e2ee() {
    assert_eq!(judge(&sealed_draft(), &Experiment::default()).verdict, Verdict::E2ee);
    assert_eq!(judge(&sealed_draft(), &PASSED).grade, Grade::G3);
}

#[test]
fn a_key_in_sight_of_the_same_service_refutes_and_of_another_takes_the_claim_away() {
    let sight = |service: &str| {
        let kind = Kind::KeyInSight {
            how: "AES-GCM".into(),
            party: "provider".into(),
            key_at: String::new(),
            service: service.into(),
        };
        let mut draft = sealed_draft();
        draft.key.endpoint = "chat.a.example:443".into();
        draft.evidence.push(evidence(kind, Polarity::Against));
        judge(&draft, &PASSED).verdict
    };
    assert_eq!(sight("chat.a.example:443"), Verdict::TransportOnly);
    assert_eq!(sight("files.a.example:8443"), Verdict::TransportOnly);
    assert_eq!(sight("b.example:443"), Verdict::Undetermined);
}

#[test]
fn a_gap_a_missing_key_or_a_limit_takes_the_claim_away() {
    let lossy = Draft { coverage: Coverage { lost: 500, ..sealed_draft().coverage }, ..sealed_draft() };
    let closed = Draft { coverage: Coverage { sealed: 500, ..sealed_draft().coverage }, ..sealed_draft() };
    let limited = Draft { limited: true, ..sealed_draft() };
    let dropped = Draft { drops: Drops { dropped: 200, recorded: 1000 }, ..sealed_draft() };
    for draft in [lossy, closed, limited, dropped] {
        for experiment in [Experiment::default(), PASSED] {
            let judgement = judge(&draft, &experiment);
            assert_eq!((judgement.verdict, judgement.grade), (Verdict::Undetermined, Grade::G0));
        }
    }
}

#[test]
fn opaque_fields_are_e2ee_only_by_a_passed_experiment_and_with_nothing_against_them() {
    let opaque = |more: Vec<Evidence>| draft(Content::Opaque, [vec![random()], more].concat());
    assert_eq!(judge(&opaque(vec![]), &PASSED).verdict, Verdict::E2ee);
    let failed = [
        Experiment::default(),
        Experiment { controls: 0, controls_found: 0, ..PASSED },
        Experiment { controls_found: 0, ..PASSED },
        Experiment { planted: 0, ..PASSED },
        Experiment { found: 1, ..PASSED },
    ];
    for experiment in failed {
        assert_eq!(judge(&opaque(vec![]), &experiment).verdict, Verdict::Undetermined);
    }
    let against = vec![envelope_of("broken", Polarity::Against)];
    assert_eq!(judge(&opaque(against), &PASSED).verdict, Verdict::Undetermined);
    let limited = Draft { limited: true, ..opaque(vec![]) };
    assert_eq!(judge(&limited, &PASSED).verdict, Verdict::Undetermined);
}

#[test]
fn the_matrix_says_who_does_not_learn_a_text_only_where_an_experiment_passed() {
    use crate::verdict::exposure::{Knows, exposures};
    let learns = |party: &str, guard: Guard, experiment: &Experiment| {
        let mut drafts = [sealed_draft()];
        drafts[0].evidence.iter_mut().for_each(|e| e.guard = guard);
        let judgements = [judge(&drafts[0], experiment)];
        let cells = exposures(&drafts, &judgements);
        cells.into_iter().find(|c| c.item == "message-text" && c.party == party).map(|c| c.state)
    };
    let none = Experiment::default();
    for guard in [Guard::Open, Guard::Confidential] {
        assert_eq!(learns("a:1", guard, &none), Some(Knows::Unknown));
        assert_eq!(learns("a:1", guard, &PASSED), Some(Knows::DoesNot));
        assert_eq!(learns("network", guard, &PASSED), Some(Knows::DoesNot));
    }
    assert_eq!(learns("network", Guard::Confidential, &none), Some(Knows::DoesNot));
    // On an open path it sees what the provider sees.
    assert_eq!(learns("network", Guard::Open, &none), Some(Knows::Unknown));
}

/// Their keys may stand in clear signalling, of which a draft of control packets knows nothing.
#[test]
fn sealed_media_in_the_background_are_not_called_protected() {
    let network = |path: &str| {
        let mut draft = draft(Content::Background, vec![]);
        draft.key.path = path.into();
        draft.coverage.sealed = 900;
        judge(&draft, &Experiment::default()).network
    };
    assert_eq!((network("rtcp"), network("dtls")), (Network::Unknown, Network::Protected));
}

#[test]
fn one_text_in_the_open_counts_however_many_were_protected() {
    let readable = |guard: Guard, at: i64| {
        let kind = Kind::Readable { slot: "message-text".into(), rule: "r".into(), language_percent: 90 };
        Evidence { guard, origin: Origin::at(Timestamp(at)), ..evidence(kind, Polarity::Against) }
    };
    let mut all: Vec<Evidence> = (0..9).map(|at| readable(Guard::Confidential, at)).collect();
    let judged = |all: &[Evidence]| judge(&draft(Content::Text, all.to_vec()), &Experiment::default());
    assert_eq!(judged(&all).verdict, Verdict::TransportOnly);
    all.push(readable(Guard::Open, 9));
    assert_eq!(judged(&all).verdict, Verdict::Plaintext);
}
