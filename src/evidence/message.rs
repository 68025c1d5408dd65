//! One message while its flow is being read: what its fields showed, and what that makes of it.

use super::{Content, Evidence, Kind, Strength};
use crate::model::Timestamp;

/// Kinds of field that hold what somebody says to somebody.
pub(super) const MESSAGE_SLOTS: [&str; 2] = ["message-text", "message-other"];

/// Kinds of field whose text is about people and things, not a message between people. A planted text
/// found there is a metadata matter.
const ABOUT_SLOTS: [&str; 8] =
    ["profile", "topic", "credential", "identifier", "status", "device-name", "fallback-body", "file-name"];

/// Collected evidence of one message.
#[derive(Debug)]
pub(super) struct Message {
    pub scope: u64,
    pub endpoint: String,
    pub path: String,
    pub first: Timestamp,
    pub last: Timestamp,
    pub envelopes: Vec<Evidence>,
    pub readable: Vec<Evidence>,
    pub opaque: Vec<Evidence>,
    pub other: Vec<Evidence>,
    /// Short opaque fields: nonces and tags, perhaps.
    pub small: Vec<Vec<u8>>,
}

/// Whether a slot holds messages.
pub(super) fn is_message_slot(slot: Option<&str>) -> bool {
    slot.is_some_and(|s| MESSAGE_SLOTS.contains(&s))
}

/// Whether a planted text found in this slot is message content. An unknown slot counts as content:
/// somebody can read there what was typed as a message.
pub(super) fn is_content_slot(slot: Option<&str>) -> bool {
    slot.is_none_or(|s| !ABOUT_SLOTS.contains(&s))
}

impl Message {
    /// What conversations the message belongs to, each with its evidence. A message with an envelope
    /// and readable text belongs to two.
    pub(super) fn contents(&mut self) -> Vec<(Content, Vec<Evidence>)> {
        let mut found = Vec::new();
        for envelope in std::mem::take(&mut self.envelopes) {
            let content = match &envelope.kind {
                Kind::Envelope { protocol, class, .. } if class == "e2ee-message" => {
                    Content::Envelope(protocol.clone())
                }
                Kind::Envelope { class, .. } if class == "broken" || class == "symmetric" => Content::Opaque,
                _ => Content::Background,
            };
            match found.iter_mut().find(|(c, _): &&mut (Content, Vec<Evidence>)| *c == content) {
                Some((_, list)) => list.push(envelope),
                None => found.push((content, vec![envelope])),
            }
        }
        let sealed = found.iter().any(|(c, _)| matches!(c, Content::Envelope(_)));
        if !self.readable.is_empty() {
            found.push((Content::Text, std::mem::take(&mut self.readable)));
        }
        let slotted = self.opaque.iter().any(|e| e.strength >= Strength::Strong);
        let text = found.iter().any(|(c, _)| *c == Content::Text);
        if slotted && !sealed && !text {
            found.push((Content::Opaque, std::mem::take(&mut self.opaque)));
        }
        self.other.append(&mut self.opaque);
        if found.is_empty() {
            found.push((Content::Background, Vec::new()));
        }
        if let Some((_, list)) = found.first_mut() {
            list.append(&mut self.other);
        }
        found
    }
}
