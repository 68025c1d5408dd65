//! One message while its flow is being read: what its fields showed, and what that makes of it.

use super::answer::Answer;
use super::aside::{self, Words};
use super::collector::OWN;
use super::devices::Stanza;
use super::hashed::Hashed;
use super::purpose::is_private;
use super::sequence::Seal;
use super::speech::Speech;
use super::uploads::File;
use super::{Content, Evidence, Kind, Polarity, Size, Strength};
use crate::model::{Side, Timestamp};

/// Kinds of field that hold what somebody says to somebody.
pub(super) const MESSAGE_SLOTS: [&str; 2] = ["message-text", "message-other"];

/// Kinds of field whose text is about people and things, not a message between people. A planted text
/// found there is a metadata matter.
const ABOUT_SLOTS: [&str; 7] =
    ["profile", "topic", "credential", "identifier", "status", "device-name", "file-name"];

/// Kinds of field that a backup seals.
pub(super) const BACKUP_SLOT: &str = "backup";

/// Text that tells clients without the key that a message is encrypted. A planted text inside it is
/// content like any other.
const FALLBACK_SLOT: &str = "fallback-body";

/// Rules that know a message by the name of its field, or by its language, alone.
const NAMED: [&str; 4] = ["message-body", "message-ciphertext-field", "message-line", "protobuf-text"];

/// Whether a rule knows messages by no more than that.
pub(super) fn is_named(rule: &str) -> bool {
    NAMED.contains(&rule)
}

/// Collected evidence of one message.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub scope: u64,
    pub endpoint: String,
    pub path: String,
    /// Something else goes by that path already.
    pub named: bool,
    pub first: Timestamp,
    pub last: Timestamp,
    pub envelopes: Vec<Evidence>,
    pub readable: Vec<Evidence>,
    /// What the service's answer says of itself.
    pub answer: Answer,
    /// Sentences in fields of no known kind.
    pub beside: Vec<Evidence>,
    /// A few words in such fields, and those of lists.
    pub words: Words,
    /// Words in the same item as an envelope, and the conversation that the envelope makes.
    pub asides: Vec<(Content, Evidence)>,
    pub opaque: Vec<Evidence>,
    pub other: Vec<Evidence>,
    /// Short opaque fields: nonces and tags, perhaps.
    pub small: Vec<Vec<u8>>,
    /// Those of them that are called nonces.
    pub nonces: Vec<Vec<u8>>,
    /// Rounds of a key derivation, if the message states them.
    pub rounds: Option<u32>,
    /// Sizes of ciphertexts, by what they are part of.
    pub sizes: Vec<(Content, Size)>,
    /// What envelopes show of their sequence, likewise.
    pub seals: Vec<(Content, Seal)>,
    /// Whether it is a backup: sealed for its owner's devices, and no message to anybody.
    pub backup: bool,
    /// Whether a field says that it is for the service: a login, telemetry.
    pub serves: bool,
    /// Where objects stand that call themselves an error, a log or the like.
    pub housekeeping: Vec<String>,
    /// What an app says in such objects: of itself, or of what was written; what a service's answers say.
    pub remarks: Vec<Evidence>,
    /// Something in it is called encrypted and is meant to be, though nobody here knows its format.
    pub encrypted: bool,
    /// Who speaks, as other fields say.
    pub speech: Speech,
    /// Hashes in it.
    pub hashed: Hashed,
    /// Files that were sent by a way that does not say what for.
    pub uploads: Vec<File>,
    /// The message that answers them.
    pub answered: Option<u64>,
    /// Addresses of an XMPP stanza, and devices in it.
    pub stanza: Stanza,
}

/// Whether a slot holds messages.
pub fn is_message_slot(slot: Option<&str>) -> bool {
    slot.is_some_and(|s| MESSAGE_SLOTS.contains(&s))
}

/// Whether text in this slot is a message, or would be one if nothing beside it were encrypted.
pub(super) fn may_be_said(slot: &str) -> bool {
    is_message_slot(Some(slot)) || slot == FALLBACK_SLOT
}

/// Whether a planted text found in this slot is message content. An unknown slot counts as content:
/// somebody can read there what was typed as a message.
pub(super) fn is_content_slot(slot: Option<&str>) -> bool {
    slot.is_none_or(|s| !ABOUT_SLOTS.contains(&s))
}

/// The item of a list that a field is part of: its path up to the innermost position. The parts of one body are
/// no items.
fn item_of(field: &str) -> &str {
    let item = field.rfind(']').and_then(|end| field.get(..=end)).unwrap_or("");
    let part = item.rfind('[').and_then(|at| item.get(..at)).is_some_and(|list| list.ends_with("part"));
    if part { "" } else { item }
}

/// Whether a field lies inside another.
fn is_inside(field: &str, outer: &str) -> bool {
    !outer.is_empty() && field.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']))
}

impl Message {
    /// What conversations the message belongs to, each with its evidence. A message with an envelope
    /// and readable text belongs to two.
    pub(super) fn contents(&mut self) -> Vec<(Content, Vec<Evidence>)> {
        self.readable.retain(|e| e.origin.side != Side::Server || !self.answer.explains(&e.origin.field));
        self.take_what_connects();
        self.set_what_nobody_says_aside();
        self.weaken_what_serves();
        self.set_private_aside();
        self.set_housekeeping_aside();
        self.set_system_aside();
        self.set_notices_aside();
        self.set_sealed_keys_aside();
        let mut found = Vec::new();
        for envelope in std::mem::take(&mut self.envelopes) {
            let content = match &envelope.kind {
                Kind::Envelope { protocol, class, .. } if class == "e2ee-message" => {
                    Content::Envelope(protocol.clone())
                }
                Kind::Envelope { class, .. } if class == "symmetric" && self.backup => Content::Background,
                Kind::Envelope { format, class, .. } if class == "symmetric" && is_private(format) => {
                    Content::Background
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
        self.beside.extend(self.words.sentences());
        self.lay_copies_beside(&mut found);
        let closed = |c: &Content| matches!(c, Content::Envelope(_) | Content::Opaque);
        let opaque = self.opaque.iter().any(|e| e.strength >= Strength::Strong);
        if !opaque && !found.iter().any(|(c, _)| closed(c)) {
            self.take_what_is_said();
        }
        if !self.readable.is_empty() {
            found.push((Content::Text, std::mem::take(&mut self.readable)));
        }
        let slotted = self.opaque.iter().any(|e| e.strength >= Strength::Strong);
        let text = found.iter().any(|(c, _)| *c == Content::Text);
        if slotted && !sealed && !text {
            found.push((Content::Opaque, std::mem::take(&mut self.opaque)));
        }
        self.other.append(&mut self.opaque);
        let is_media_key = |e: &Evidence| matches!(&e.kind, Kind::Rule { rule, .. } if rule == "sdes-key");
        let keys: Vec<Evidence> = self.other.iter().filter(|e| is_media_key(e)).cloned().collect();
        if !keys.is_empty() {
            found.push((Content::Call, keys));
        }
        if found.is_empty() {
            found.push((Content::Background, Vec::new()));
        }
        if let Some((_, list)) = found.first_mut() {
            list.append(&mut self.other);
        }
        found
    }

    /// A readable text in the same item as an envelope speaks against it: what was sealed may stand there
    /// once more. Other items of a list are other messages, and so is the rest of a bare stream.
    fn lay_copies_beside(&mut self, found: &mut [(Content, Vec<Evidence>)]) {
        if self.scope & OWN != 0 {
            return;
        }
        let words = self.words.all();
        for (content, list) in found.iter_mut().filter(|(c, _)| matches!(c, Content::Envelope(_))) {
            let sealed =
                |e: &Evidence| matches!(&e.kind, Kind::Envelope { class, .. } if class == "e2ee-message");
            let beside = |text: &&Evidence| {
                let item = item_of(&text.origin.field);
                let near = |field: &str| field.starts_with(item) || is_inside(&text.origin.field, field);
                list.iter().filter(|e| sealed(e)).any(|e| near(&e.origin.field))
            };
            let texts = self.readable.iter().chain(&self.beside);
            let copies: Vec<Evidence> = texts.filter(&beside).cloned().collect();
            self.asides.extend(words.iter().filter(|e| beside(e)).map(|e| (content.clone(), e.clone())));
            let hashes = self.hashed.foreign().filter(|e| beside(e));
            self.asides.extend(hashes.map(|e| (content.clone(), e.clone())));
            list.extend(copies);
        }
    }

    /// Ciphertext inside an envelope that carries keys is no message, whatever its fields are called.
    fn set_sealed_keys_aside(&mut self) {
        let is = |e: &Evidence, name: &str| matches!(&e.kind, Kind::Envelope { class, .. } if class == name);
        let keys =
            self.envelopes.iter().filter(|e| is(e, "e2ee-handshake") && e.strength >= Strength::Strong);
        let places: Vec<String> = keys.map(|e| e.origin.field.clone()).filter(|f| !f.is_empty()).collect();
        if places.is_empty() {
            return;
        }
        let inside = |e: &Evidence| {
            let behind = |place: &String| e.origin.field.strip_prefix(place.as_str());
            places.iter().filter_map(behind).any(|rest| rest.starts_with(['.', '[']))
        };
        self.envelopes.retain(|e| !(is(e, "symmetric") && inside(e)));
        let (explained, opaque) = std::mem::take(&mut self.opaque).into_iter().partition(inside);
        self.opaque = opaque;
        let explained: Vec<Evidence> = explained;
        self.other.extend(explained);
    }

    /// Texts of a service's answer that nothing calls messages but the name of their field.
    fn set_what_nobody_says_aside(&mut self) {
        let named = |e: &Evidence| matches!(&e.kind, Kind::Readable { rule, .. } if is_named(rule));
        let silent = |e: &Evidence| {
            e.origin.side == Side::Server && named(e) && self.answer.is_silent_about(&e.origin.field)
        };
        let (unsaid, said) = std::mem::take(&mut self.readable).into_iter().partition(silent);
        self.readable = said;
        let unsaid: Vec<Evidence> = unsaid;
        let aside = |e: Evidence| {
            let natural = match e.kind {
                Kind::Readable { language_percent, .. } => f32::from(language_percent) / 100.0,
                _ => 0.0,
            };
            Evidence { kind: aside::kind(natural), polarity: Polarity::Neutral, ..e }
        };
        for e in unsaid.into_iter().map(aside) {
            let sentence = matches!(e.kind, Kind::Readable { language_percent: 80.., .. });
            self.remarks.extend(sentence.then(|| e.clone()));
            self.beside.push(e);
        }
    }

    /// Beside ciphertext, a text that says that the message is encrypted is a notice for clients without
    /// the key. Where nothing is encrypted the same words are what somebody wrote.
    fn set_notices_aside(&mut self) {
        let claims = |e: &Evidence| match &e.kind {
            Kind::Envelope { class, .. } => {
                matches!(class.as_str(), "e2ee-message" | "e2ee-handshake" | "symmetric" | "broken")
            }
            Kind::Opaque { class, .. } => {
                matches!(class.as_str(), "random" | "too-short") && e.strength >= Strength::Strong
            }
            _ => false,
        };
        if !self.encrypted && !self.envelopes.iter().chain(&self.opaque).any(claims) {
            return;
        }
        let notice = |e: &Evidence| matches!(&e.kind, Kind::Readable { slot, .. } if slot == FALLBACK_SLOT);
        let (notices, readable) = std::mem::take(&mut self.readable).into_iter().partition(notice);
        self.readable = readable;
        let notices: Vec<Evidence> = notices;
        self.other.extend(notices.into_iter().map(|e| Evidence { polarity: Polarity::Neutral, ..e }));
    }
}
