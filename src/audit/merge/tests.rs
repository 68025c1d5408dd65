//! Untried ciphertexts limit the conversations they belong to.

use super::*;
use crate::evidence::trial::{GivenUp, Secret, Stood};
use crate::model::{Origin, Timestamp};
use crate::peel::Guard;

fn key(endpoint: &str) -> ConversationKey {
    let content = Content::Envelope("P".into());
    ConversationKey { endpoint: endpoint.into(), path: "tls".into(), content }
}

fn field(endpoint: &str) -> Field {
    Field {
        origin: Origin::at(Timestamp(0)),
        conversation: key(endpoint),
        guard: Guard::Confidential,
        format: None,
        named: trial::Named::Nothing,
        bytes: vec![0x5a; 64],
        nearby: Vec::new(),
        nonce: None,
        rounds: None,
    }
}

fn candidate(secret: Secret) -> Candidate {
    let guard = Guard::Confidential;
    Candidate { origin: Origin::at(Timestamp(0)), endpoint: "c:1".into(), stood: Stood::Alone, guard, secret }
}

fn flow(endpoint: &str, given_up: GivenUp) -> FlowEvidence {
    let drafts = vec![Draft::new(key(endpoint), Timestamp(0))];
    FlowEvidence { drafts, given_up, fields: vec![field(endpoint)], ..FlowEvidence::default() }
}

fn limited(totals: &Totals) -> Vec<&str> {
    totals.drafts.apart().filter(|d| d.limited).map(|d| d.key.endpoint.as_str()).collect()
}

#[test]
fn a_conversation_with_untried_ciphertexts_is_limited_and_no_other() {
    let mut totals = Totals::default();
    for endpoint in ["a:1", "b:1"] {
        totals.drafts.add(Draft::new(key(endpoint), Timestamp(0)), &Limits::default());
    }
    let group = Field { format: Some("megolm-message".into()), ..field("b:1") };
    totals.leave_untried(&[&field("a:1"), &group], &[candidate(Secret::Key((0..32).collect()))]);
    // No key of that sort opens a message of a group.
    assert_eq!(limited(&totals), ["a:1"]);
}

#[test]
fn what_a_flow_had_no_room_for_limits_its_conversation() {
    let limits = Limits::default();
    let trials = |secret: Option<Secret>| {
        let mut up = GivenUp::default();
        up.field(key("a:1"), Lock::Bare, 1);
        let mut totals = Totals::default();
        for mut flow in [flow("a:1", up), flow("b:1", GivenUp::default())] {
            flow.candidates.extend(secret.clone().map(candidate));
            totals.add_flow(flow, &limits);
        }
        totals.trials(&Canaries::default(), &limits);
        totals
    };
    let with = trials(Some(Secret::Key((0..32).collect())));
    assert_eq!(limited(&with), ["a:1"]);
    assert_eq!(with.notes.0["trial-field-limit"].count, 1);
    // Without any secret there was nothing to try.
    let without = trials(None);
    assert_eq!((limited(&without), without.notes.0.len()), (vec![], 0));
}
