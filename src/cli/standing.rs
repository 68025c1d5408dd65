//! Where a running capture stands: one line on standard error for every conversation whose provisional
//! verdict is new or has changed.

use plainsight::audit::Audit;
use plainsight::evidence::ConversationKey;
use plainsight::verdict::{Grade, Verdict};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Conversations that are followed; more get no lines, only their place in the final report.
const FOLLOWED: usize = 1000;

/// What was told last of each conversation.
#[derive(Default)]
pub struct Standing(Mutex<BTreeMap<ConversationKey, (Verdict, Grade)>>);

impl Standing {
    /// The lines that an audit of what was seen so far gives rise to.
    pub fn news(&self, audit: &Audit) -> Vec<String> {
        let Ok(mut told) = self.0.lock() else { return Vec::new() };
        let mut lines = Vec::new();
        for (draft, judgement) in audit.drafts.iter().zip(&audit.judgements) {
            let now = (judgement.verdict, judgement.grade);
            let before = told.get(&draft.key).copied();
            let quiet = judgement.weighs.is_none() && before.is_none();
            if quiet || before == Some(now) || before.is_none() && told.len() >= FOLLOWED {
                continue;
            }
            told.insert(draft.key.clone(), now);
            let was = before.map(|(v, g)| format!(", was {} {}", v.word(), g.word())).unwrap_or_default();
            let path = if draft.key.path.is_empty() { "unknown protocol" } else { &draft.key.path };
            let (verdict, grade) = (now.0.word(), now.1.word());
            lines.push(format!(
                "{}  so far {verdict} {grade}{was}: {} ({path}), {}",
                draft.last,
                draft.key.endpoint,
                counted(draft.messages)
            ));
        }
        lines
    }
}

fn counted(messages: u64) -> String {
    match messages {
        0 => "no messages told apart".to_owned(),
        1 => "1 message".to_owned(),
        n => format!("{n} messages"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plainsight::audit::Plan;
    use plainsight::keys::KeyStore;

    use std::sync::Arc;

    fn audit(with_keys: bool) -> Audit {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/tls13-aes128gcm");
        let mut keys = KeyStore::default();
        if with_keys {
            keys.add_keylog(&std::fs::read(folder.join("keys.log")).expect("a key log"), "keys.log");
        }
        let plan =
            Plan { captures: vec![folder.join("capture.pcap")], keys: Arc::new(keys), ..Plan::default() };
        plainsight::audit::run(&plan, &|_| {}).expect("audited")
    }

    #[test]
    fn a_verdict_is_told_once_and_again_when_it_changes() {
        let (closed, open) = (audit(false), audit(true));
        let standing = Standing::default();
        let first = standing.news(&closed);
        assert!(first.len() == 1 && first[0].contains("so far undetermined G0"), "{first:?}");
        assert!(standing.news(&closed).is_empty(), "nothing changed");
        let second = standing.news(&open);
        assert!(second.iter().any(|l| l.contains("so far transport-only")), "{second:?}");
        assert!(standing.news(&open).is_empty(), "nothing changed");
    }
}
