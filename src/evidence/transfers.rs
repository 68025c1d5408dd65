//! Lines that one side sends to another that never says anything: a file, a listing, a log, a page for a printer. Of a
//! conversation there would be two sides, or a protocol that greets.

use super::collector::Collector;
use super::{Content, ConversationKey, Evidence, Kind, Polarity};
use crate::model::PerSide;

/// The rule that knows lines by their language alone.
const LINE: &str = "message-line";

impl Collector {
    /// `bytes` is what the transport carried, `unseen` counts what was not recorded of it: without that nobody knows
    /// who was silent.
    pub(super) fn set_transfers_aside(&mut self, bytes: PerSide<u64>, unseen: u64) {
        if unseen > 0 || bytes.client > 0 && bytes.server > 0 || self.result.coverage.lost > 0 {
            return;
        }
        let bare = |key: &&ConversationKey| key.content == Content::Text && key.path == "lines";
        let Some(key) = self.drafts.keys().find(bare).cloned() else { return };
        let line = |e: &Evidence| match &e.kind {
            Kind::Readable { rule, .. } => rule == LINE,
            _ => e.polarity != Polarity::Against,
        };
        let Some(said) = self.drafts.find(&key).filter(|d| d.evidence.iter().all(line)) else { return };
        let said = said.clone();
        self.drafts.remove(&key);
        let limit = self.shared.limits.evidence;
        let draft = self.drafts.of(&key.endpoint, &key.path, Content::Background, said.first);
        draft.messages += said.messages;
        draft.first = draft.first.min(said.first);
        draft.last = draft.last.max(said.last);
        draft.limited |= said.limited;
        for e in said.evidence {
            draft.add(Evidence { polarity: Polarity::Neutral, ..e }, limit);
        }
    }
}
