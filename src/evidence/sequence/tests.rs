//! Dialogues that behave, and those that do not.

use super::*;
use crate::evidence::ConversationKey;
use crate::peel::Guard;

fn seal(n: u64, side: Side, chain: Chain, counter: u64) -> Seal {
    Seal {
        time: Timestamp(n as i64),
        frame: FrameRef { input: 0, frame: n },
        side,
        format: "signal-message".into(),
        chain,
        counter: Some(counter),
        nonce: None,
        partner: Some(1),
        digest: format!("{n:016x}"),
    }
}

fn draft(seals: Vec<Seal>) -> Draft {
    let key = ConversationKey {
        endpoint: "a:1".into(),
        path: "tls".into(),
        content: Content::Envelope("P".into()),
    };
    let mut draft = Draft::new(key, Timestamp(0));
    draft.evidence.push(Evidence {
        kind: Kind::Envelope {
            format: "signal-message".into(),
            protocol: "P".into(),
            class: "e2ee-message".into(),
            tier: 1,
            why: None,
        },
        strength: Strength::Strong,
        polarity: Polarity::For,
        guard: Guard::Confidential,
        origin: Origin::at(Timestamp(0)),
        count: 1,
        shown: None,
    });
    draft.add_seals(seals);
    draft
}

/// Findings, or `+` for a sequence that holds.
fn said(seals: Vec<Seal>) -> Vec<String> {
    let all = evidence(&draft(seals));
    all.iter()
        .map(|e| match &e.kind {
            Kind::Weak { finding, .. } => {
                assert_eq!((e.polarity, e.strength), (Polarity::Against, Strength::Strong));
                finding.clone()
            }
            Kind::Sequence { .. } => {
                assert_eq!((e.polarity, e.strength), (Polarity::For, Strength::Weak));
                "+".to_owned()
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

fn dialogue(messages: u64, key: impl Fn(u64) -> u64) -> Vec<Seal> {
    let side = |n: u64| if n.is_multiple_of(2) { Side::Client } else { Side::Server };
    (0..messages).map(|n| seal(n, side(n), Chain::Ratchet(key(n)), n)).collect()
}

#[test]
fn a_ratchet_that_moves_is_a_hint_and_one_that_stands_still_a_finding() {
    assert_eq!(said(dialogue(20, |n| n)), ["+"]);
    assert_eq!(said(dialogue(20, |n| n % 2)), ["static-ratchet"]);
    // Too few to say, one side silent, and no change of side.
    assert_eq!(said(dialogue(12, |n| n % 2)), ["+"]);
    let silent = (0..20).map(|n| seal(n, Side::Client, Chain::Ratchet(1), n)).collect();
    assert_eq!(said(silent), ["+"]);
    let apart = (0..20)
        .map(|n| seal(n, if n < 10 { Side::Client } else { Side::Server }, Chain::Ratchet(n / 10), n))
        .collect();
    assert_eq!(said(apart), ["+"]);
    // A session of one sender has no ratchet to move.
    let sessions = |n: u64| if n.is_multiple_of(2) { Side::Client } else { Side::Server };
    assert_eq!(said((0..20).map(|n| seal(n, sessions(n), Chain::Session(n % 2), n)).collect()), ["+"]);
}

#[test]
fn what_no_two_messages_may_share() {
    let twice =
        vec![seal(1, Side::Client, Chain::Ratchet(1), 4), seal(2, Side::Client, Chain::Ratchet(1), 4)];
    assert_eq!(said(twice), ["repeated-message-key"]);
    let nonces = |a: u64, b: u64| {
        let with = |n: u64, nonce| Seal {
            nonce: Some(nonce),
            counter: None,
            ..seal(n, Side::Client, Chain::Unknown, 0)
        };
        said(vec![with(1, a), with(2, b)])
    };
    assert_eq!(nonces(7, 7), ["static-nonce"]);
    assert_eq!(nonces(7, 8), ["+"]);
    // The same message seen twice is one message, and another format is another key.
    let mut echo =
        vec![seal(1, Side::Client, Chain::Ratchet(1), 4), seal(9, Side::Server, Chain::Ratchet(1), 4)];
    echo[1].digest = echo[0].digest.clone();
    assert_eq!(said(echo), Vec::<String>::new());
    let mut other =
        vec![seal(1, Side::Client, Chain::Ratchet(1), 4), seal(2, Side::Client, Chain::Ratchet(1), 4)];
    other[1].format = "olm-message".into();
    assert_eq!(said(other), Vec::<String>::new());
}

#[test]
fn seals_are_bounded_and_their_order_of_joining_does_not_matter() {
    let all = dialogue(600, |n| n);
    let forwards = draft(all.clone());
    let mut backwards = draft(Vec::new());
    for s in all.into_iter().rev() {
        backwards.add_seals(vec![s]);
    }
    assert_eq!((forwards.seals.len(), &forwards.seals), (SEALS, &backwards.seals));
}

/// One writes to somebody who never answers while another, never answered, writes here.
#[test]
fn two_unanswered_chats_are_no_dialogue() {
    let turns = |n: u64, partner: fn(&Seal) -> Option<u64>| {
        let mut all = dialogue(n, |n| n % 2);
        all.iter_mut().for_each(|s| s.partner = partner(s));
        said(all)
    };
    let two = |s: &Seal| Some(if s.side == Side::Client { 1 } else { 2 });
    assert_eq!(turns(60, two), ["+"]);
    assert_eq!(turns(20, |_| None), ["+"]);
    assert_eq!(turns(60, |_| None), ["static-ratchet"]);
    assert_eq!(turns(20, |_| Some(7)), ["static-ratchet"]);
}
