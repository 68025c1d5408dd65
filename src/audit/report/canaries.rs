//! Planted texts: where each was found, and who sees that place.

use super::{Ids, origin};
use crate::audit::Audit;
use crate::evidence::{Content, Draft, Evidence, Kind, is_message_slot, same_service};
use crate::model::digest16;
use crate::peel::Guard;
use crate::report::dto;

/// One entry for each text that was searched for, in the order given.
pub fn canaries(audit: &Audit) -> Vec<dto::Canary> {
    let blank = audit.canaries.iter().map(|c| dto::Canary {
        text_digest: digest16(c.text.as_bytes()),
        label: c.label.clone(),
        kind: if c.control { dto::CanaryKind::Control } else { dto::CanaryKind::Canary },
        length: c.text.len() as u64,
        shown: None,
        unsearched: !c.is_searched(),
        hits: Vec::new(),
    });
    let mut table: Vec<dto::Canary> = blank.collect();
    let services = messengers(&audit.drafts);
    for (c, draft) in audit.drafts.iter().enumerate() {
        for e in &draft.evidence {
            let Kind::Canary { canary, chain, slot, .. } = &e.kind else { continue };
            let Some(found) = table.get_mut(*canary as usize) else { continue };
            found.hits.push(dto::Hit {
                layer: e.origin.layers.clone(),
                chain: chain.clone(),
                party: party(e, slot.as_deref(), &draft.key.endpoint, &services),
                conversation: Some(Ids::conversation(c)),
                origin: Some(origin(e)),
            });
        }
    }
    table
}

/// The services whose messages are known as such.
fn messengers(drafts: &[Draft]) -> Vec<&str> {
    let said = |e: &Evidence| match &e.kind {
        Kind::Readable { slot, .. } => is_message_slot(Some(slot)),
        Kind::Canary { slot, .. } => is_message_slot(slot.as_deref()),
        _ => false,
    };
    let carries = |d: &&Draft| matches!(d.key.content, Content::Envelope(_)) || d.evidence.iter().any(said);
    drafts.iter().filter(carries).map(|d| d.key.endpoint.as_str()).collect()
}

/// Who sees a planted text: somebody else than the provider where it stood outside the messages, at a service
/// of another operator than all that carry messages.
fn party(e: &Evidence, slot: Option<&str>, endpoint: &str, services: &[&str]) -> dto::Party {
    let elsewhere = !services.is_empty() && services.iter().all(|s| !same_service(s, endpoint));
    match e.guard {
        Guard::Open => dto::Party::Network,
        Guard::Confidential if elsewhere && !is_message_slot(slot) => dto::Party::ThirdParty,
        Guard::Confidential => dto::Party::Provider,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{ConversationKey, Polarity, Strength};
    use crate::model::{Origin, Timestamp};

    fn draft(endpoint: &str, content: Content) -> Draft {
        let key = ConversationKey { endpoint: endpoint.into(), path: "tls/http1".into(), content };
        Draft::new(key, Timestamp(0))
    }

    #[test]
    fn a_copy_at_another_operators_is_a_third_partys() {
        let sealed = draft("chat.example:443", Content::Envelope("Signal".into()));
        let services = messengers(std::slice::from_ref(&sealed));
        let seen = |guard, slot: Option<&str>, endpoint| {
            let kind =
                Kind::Canary { canary: 0, control: false, chain: vec![], slot: slot.map(str::to_owned) };
            let (strength, polarity) = (Strength::Proof, Polarity::Against);
            let origin = Origin::at(Timestamp(0));
            let e = Evidence { kind, strength, polarity, guard, origin, count: 1, shown: None };
            party(&e, slot, endpoint, &services)
        };
        use Guard::{Confidential, Open};
        assert_eq!(seen(Confidential, None, "metrics.other.test:443"), dto::Party::ThirdParty);
        assert_eq!(seen(Confidential, None, "files.chat.example:443"), dto::Party::Provider);
        assert_eq!(seen(Confidential, Some("message-text"), "im.other.test:443"), dto::Party::Provider);
        assert_eq!(seen(Open, None, "metrics.other.test:443"), dto::Party::Network);
        assert!(messengers(&[draft("a.test:443", Content::Background)]).is_empty());
    }
}
