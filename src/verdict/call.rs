//! Judges a call: what its media and the keys in its signalling tell about who can hear it.

use super::judge::{Judgement, reach, reader, select, two_way};
use super::lattice::{Grade, Network, Provider, headline};
use crate::evidence::{Draft, Evidence, Kind};

/// Judges a call from its media and the keys that were in sight.
pub(super) fn judge(draft: &Draft) -> Judgement {
    if let Some(judgement) = heard_call(draft).or_else(|| keyed_call(draft)) {
        return judgement;
    }
    let reasons = select(draft, |e| matches!(e.kind, Kind::Media { .. }));
    let told = reasons.iter().find_map(|i| match &draft.evidence[*i].kind {
        Kind::Media { protection, keyed, .. } if protection != "unknown" => Some(keyed.as_str()),
        _ => None,
    });
    let (doubt, next_step) = call_doubts(told.unwrap_or(""));
    let vouching = vouching(draft);
    let all_sealed = told.is_some()
        && draft
            .evidence
            .iter()
            .all(|e| !matches!(&e.kind, Kind::Media { protection, .. } if protection == "unknown"));
    let network = if all_sealed { Network::Protected } else { Network::Unknown };
    Judgement {
        verdict: headline(network, Provider::Unknown, Grade::G0),
        grade: Grade::G0,
        network,
        provider: Provider::Unknown,
        reasons,
        reason: match told {
            Some(keyed) => format!(
                "a call in SRTP keyed by {keyed}: packets alone do not tell whether the other end of the keys is the person called or a server{vouching}"
            ),
            None => {
                "a call's media: packets alone do not tell how it is protected and who holds the keys".into()
            }
        },
        not_ruled_out: vec![doubt.into()],
        next_step: next_step.into(),
        weighs: two_way(draft),
    }
}

/// What the signalling of the same hosts says of the certificates, as the end of a sentence.
pub(super) fn vouching(draft: &Draft) -> &'static str {
    let vouched = |how: &str| draft.facts.get("dtls.fingerprint").any(|v| v.as_text() == Some(how));
    match (vouched("other than signalled"), vouched("as signalled")) {
        (true, _) => {
            "; a certificate is not one that the signalling vouches for, so somebody may stand between"
        }
        (false, true) => {
            "; the certificates are those that the signalling vouches for, which helps as far as its carrier is trusted"
        }
        (false, false) => "",
    }
}

/// A call whose media key stands in its signalling (RFC 4568): whoever reads that hears the call.
fn keyed_call(draft: &Draft) -> Option<Judgement> {
    let key = |e: &Evidence| matches!(e.kind, Kind::Rule { .. } | Kind::KeyInSight { .. });
    let reasons = select(draft, key);
    if reasons.is_empty() {
        return None;
    }
    let tried = |i: &usize| matches!(draft.evidence[*i].kind, Kind::KeyInSight { .. });
    let opened = reasons.iter().any(tried);
    let grade = if opened { Grade::G3 } else { Grade::G2 };
    let network = reach(draft, key);
    let who = reader(network, "the server that relays the signalling");
    Some(Judgement {
        verdict: headline(network, Provider::Readable, grade),
        grade,
        network,
        provider: Provider::Readable,
        reasons,
        reason: match opened {
            true => {
                format!("the key that opens the call's media stood in its signalling, where {who} reads it")
            }
            false => format!("the key of the call's media stands in its signalling, where {who} reads it"),
        },
        not_ruled_out: match opened {
            true => vec!["other calls of the same app may be keyed differently".into()],
            false => vec!["the call may have been keyed anew inside the media".into()],
        },
        next_step: match opened {
            true => "none needed: the key fits the packets that were tried".into(),
            false => "record the media too, so that the key can be tried on it".into(),
        },
        weighs: Some("a call with its key".into()),
    })
}

/// A call whose media is not encrypted, or in encryption of the way only.
fn heard_call(draft: &Draft) -> Option<Judgement> {
    let clear = |e: &Evidence| matches!(&e.kind, Kind::Media { protection, .. } if protection == "none");
    let reasons = select(draft, clear);
    if reasons.is_empty() {
        return None;
    }
    let network = reach(draft, clear);
    let who = match network {
        Network::Readable => "anybody on the path can hear it",
        _ => "only the connection around it is encrypted, up to the relay",
    };
    Some(Judgement {
        verdict: headline(network, Provider::Readable, Grade::G2),
        grade: Grade::G2,
        network,
        provider: Provider::Readable,
        reasons,
        reason: format!("the media of a call is not encrypted: {who}"),
        not_ruled_out: vec!["other streams of the same call may be encrypted".into()],
        next_step: "none needed: play the stream to hear it".into(),
        weighs: Some("a call that can be heard".into()),
    })
}

/// What the way in which the keys of a call were agreed on leaves open.
fn call_doubts(keyed: &str) -> (&'static str, &'static str) {
    match keyed {
        "DTLS" => (
            "whoever carries the signalling may have put its own fingerprints there, and a relay may end the encryption and begin it anew",
            "check that the fingerprints in both ends' signalling are those of the certificates in use, and whether the address of the media is the peer's or a server's",
        ),
        "ZRTP" => (
            "somebody in the middle agreed on keys with both ends, if the short authentication strings were not compared",
            "have both ends read the short authentication string to each other",
        ),
        "SDES" => (
            "the servers that carried the signalling read the keys in it",
            "record the signalling with its keys, so that the keys in it can be tried on the media",
        ),
        _ => (
            "the server that set up the call knows its keys",
            "record the signalling with its keys, and compare the security codes on both phones",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Content, ConversationKey, Polarity, Strength};
    use crate::model::{Origin, PerSide, Timestamp};
    use crate::peel::Guard;
    use crate::verdict::Verdict;

    fn evidence(kind: Kind, guard: Guard) -> Evidence {
        let origin = Origin { layers: "rtp".into(), ..Origin::at(Timestamp(0)) };
        let (strength, polarity) = (Strength::Strong, Polarity::Neutral);
        Evidence { kind, strength, polarity, guard, origin, count: 1, shown: None }
    }

    fn media(protection: &str, keyed: &str, guard: Guard) -> Evidence {
        let (protection, keyed) = (protection.to_owned(), keyed.to_owned());
        evidence(Kind::Media { protection, keyed, codec: "opus/48000/2".into() }, guard)
    }

    fn sighted(guard: Guard) -> Evidence {
        let kind = Kind::KeyInSight {
            how: "SRTP".into(),
            party: "network".into(),
            key_at: "sdp".into(),
            service: String::new(),
        };
        evidence(kind, guard)
    }

    fn verdict(evidence: Vec<Evidence>) -> (Verdict, Network) {
        let key = ConversationKey { endpoint: "a:1".into(), path: "rtp".into(), content: Content::Call };
        let mut draft = Draft::new(key, Timestamp(0));
        draft.evidence = evidence;
        draft.bytes = PerSide { client: 9000, server: 9000 };
        let judgement = judge(&draft);
        assert!(judgement.weighs.is_some());
        (judgement.verdict, judgement.network)
    }

    #[test]
    fn media_in_clear_is_heard_by_whoever_carries_it() {
        use Guard::{Confidential, Open};
        assert_eq!(verdict(vec![media("none", "", Open)]), (Verdict::Plaintext, Network::Readable));
        let relayed = vec![media("none", "", Confidential)];
        assert_eq!(verdict(relayed), (Verdict::TransportOnly, Network::Protected));
        let mixed = vec![media("opened", "DTLS", Open), media("none", "", Open)];
        assert_eq!(verdict(mixed).0, Verdict::Plaintext);
    }

    #[test]
    fn a_key_in_sight_opens_the_call_for_who_saw_it() {
        let sealed = || media("srtp", "SDES", Guard::Open);
        assert_eq!(verdict(vec![sealed(), sighted(Guard::Open)]).0, Verdict::Plaintext);
        assert_eq!(verdict(vec![sealed(), sighted(Guard::Confidential)]).0, Verdict::TransportOnly);
    }

    #[test]
    fn keys_that_the_ends_agreed_on_never_make_a_call_end_to_end_by_themselves() {
        for keyed in ["DTLS", "ZRTP", "SDES"] {
            for protection in ["srtp", "opened"] {
                let judged = verdict(vec![media(protection, keyed, Guard::Open)]);
                assert_eq!(judged, (Verdict::Undetermined, Network::Protected));
            }
        }
        let unknown = verdict(vec![media("unknown", "", Guard::Open)]);
        assert_eq!(unknown, (Verdict::Undetermined, Network::Unknown));
        let half = vec![media("srtp", "DTLS", Guard::Open), media("unknown", "", Guard::Open)];
        assert_eq!(verdict(half).1, Network::Unknown, "one stream may be in clear");
    }
}
