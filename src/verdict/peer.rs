//! Judges messages in data channels over DTLS (RFC 8831): the keys were agreed on between two addresses, and
//! neither the handshake nor the messages say whether a person's device or a server stands at the other one.

use super::call::vouching;
use super::judge::{Judgement, reads, select};
use super::lattice::{Grade, Network, Provider, headline};
use crate::evidence::{Draft, Evidence};
use crate::peel::Guard;

/// Whether what was opened came from between two ends of which either may be a person's.
pub(super) fn between_ends(draft: &Draft, e: &Evidence) -> bool {
    let mut layers = draft.key.path.split('/');
    e.guard == Guard::Confidential && layers.any(|l| l == "dtls") && layers.any(|l| l == "sctp")
}

/// Readable messages that stood in nothing but such a channel.
pub(super) fn judge(draft: &Draft) -> Option<Judgement> {
    let reasons = select(draft, reads);
    let inside = draft.evidence.iter().filter(|e| reads(e)).all(|e| between_ends(draft, e));
    if reasons.is_empty() || !inside {
        return None;
    }
    Some(Judgement {
        verdict: headline(Network::Protected, Provider::Unknown, Grade::G0),
        grade: Grade::G0,
        network: Network::Protected,
        provider: Provider::Unknown,
        reasons,
        reason: format!(
            "messages in a data channel over DTLS read as text with the keys of an end: packets alone do not tell whether the other end of the keys is the person written to or a server{}",
            vouching(draft)
        ),
        not_ruled_out: vec![
            "the other end is a server that reads and forwards the messages".into(),
            "whoever carries the signalling may have put its own fingerprints there and read along".into(),
        ],
        next_step: "check that the fingerprints in both ends' signalling are those of the certificates in use, and whether the other address is the peer's or a server's".into(),
        weighs: Some("a known message field with readable text".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Content, ConversationKey, Kind, Polarity, Strength};
    use crate::model::{Origin, Timestamp};
    use crate::verdict::{Experiment, Verdict};

    fn judged(path: &str, guards: &[Guard]) -> (Verdict, Vec<String>) {
        let key =
            ConversationKey { endpoint: "192.0.2.1:1".into(), path: path.into(), content: Content::Text };
        let mut draft = Draft::new(key, Timestamp(0));
        draft.evidence = guards.iter().map(|guard| readable(*guard)).collect();
        let judgement = crate::verdict::judge(&draft, &Experiment::default());
        let verdict = judgement.verdict;
        let found = crate::verdict::findings(&[draft], &[judgement]);
        (verdict, found.into_iter().map(|f| f.id).collect())
    }

    fn readable(guard: Guard) -> Evidence {
        let origin = Origin { length: 64, ..Origin::at(Timestamp(0)) };
        let kind = Kind::Readable { slot: "message-text".into(), rule: String::new(), language_percent: 90 };
        let (strength, polarity) = (Strength::Strong, Polarity::Against);
        Evidence { kind, strength, polarity, guard, origin, count: 1, shown: None }
    }

    #[test]
    fn only_what_stood_in_dtls_may_be_between_persons() {
        use Guard::{Confidential, Open};
        let (verdict, found) = judged("dtls/sctp", &[Confidential]);
        assert_eq!((verdict, found.len()), (Verdict::Undetermined, 0), "{found:?}");
        assert_eq!(judged("stun/dtls/sctp", &[Confidential]).0, Verdict::Undetermined);
        assert_eq!(judged("dtls/sctp", &[Confidential, Open]).0, Verdict::Plaintext);
        assert_eq!(judged("sctp", &[Open]).0, Verdict::Plaintext);
        assert_eq!(judged("dtls/lines", &[Confidential]).0, Verdict::TransportOnly);
        assert_eq!(judged("wireguard/sctp", &[Confidential]).0, Verdict::TransportOnly);
    }
}
