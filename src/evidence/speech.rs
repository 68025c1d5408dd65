//! Who speaks in a message, as its other fields say: a person, to somebody, or the service itself.

use super::aside::Near;
use super::called::Called;
use super::collector::Collector;
use super::message::Message;
use super::purpose::KINDS;
use super::{Evidence, Kind, Polarity, Strength, aside};
use crate::model::{Memo, Side};
use crate::peel::{Family, Form, Leaf, NodeRef};
use std::cell::RefCell;

/// What the fields of one message say of who speaks.
#[derive(Debug, Clone, Default)]
pub(super) struct Speech {
    /// A field says that something is said: the name of an event, of a method, of a place for messages.
    said: bool,
    /// A field says who says it.
    speaker: bool,
    /// Objects that the service says are its own.
    system: Vec<String>,
    /// It asks for a connection on which messages go to and fro: what it says is said with each of them.
    pub connects: bool,
    /// Sentences of its target, its query and its head.
    asked: Vec<Evidence>,
}

/// Such sentences that are kept.
const ASKED: usize = 8;

impl Speech {
    /// Remembers a sentence of a request, if it is one.
    pub fn ask(&mut self, record: &Evidence) {
        let field = record.origin.field.as_str();
        let asks = ["query", "target", "header."].iter().any(|p| field.starts_with(p));
        let asks = asks && !field.starts_with("header.sec-");
        if asks && record.origin.side == Side::Client && self.asked.len() < ASKED {
            self.asked.push(record.clone());
        }
    }
}

/// The rule that stands for a sentence in a message that says that it is one.
pub const SAID: &str = "said-in-message";
/// The rule that stands for a sentence in a request for a WebSocket.
const CONNECTING: &str = "said-on-connecting";

impl Collector {
    /// Takes what a short field says of the message that it is part of.
    pub(super) fn told_speech(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, field: &str, called: &Called) {
        let structured = matches!(node.family(), Some(Family::Codec | Family::App));
        // A form of XMPP (XEP-0004) has fields of the type `text-single`, and nobody says what stands in it.
        let request = node.spec().is_some_and(|s| s.name == "xmpp") && !field.starts_with("message.");
        if node.scope() == 0 || !structured || request || leaf.bytes.len() > 1024 {
            return;
        }
        let Some(value) = leaf.text() else { return };
        let last = called.last.as_str();
        let is = |list: &[&str]| called.speech && list.contains(&last);
        let path = || node.label("path").and_then(|p| p.split('?').next()).unwrap_or_default();
        let place = || leaf.side == Side::Client && is_for_messages(path());
        let query = last == "query" && value.trim_start().starts_with("mutation");
        // What is done stands before what is to be told of it (GraphQL, section 2.3).
        let done = || value.match_indices('{').nth(1).map_or(value, |(at, _)| &value[..at]);
        let named = (is(&KINDS) || is(&NAMES) || field.starts_with("$["))
            && value.len() <= 96
            && !value.contains(' ');
        let said = query && speaks(done())
            || named && speaks(value)
            || value.contains('/') && value.contains("/messages/") && !value.contains(' ')
            || place();
        let speaker = is(&SPEAKERS) && !value.trim().is_empty() && value.len() <= 64;
        let system = called.speech && leaf.side == Side::Server && is_system(last, value, leaf.form);
        if !(said || speaker || system) {
            return;
        }
        let speech = &mut self.message(node, leaf.at).speech;
        speech.said |= said;
        speech.speaker |= speaker && !system;
        if system {
            let around = field.rfind(['.', '>']).and_then(|at| field.get(..=at)).unwrap_or_default();
            speech.system.push(around.to_owned());
        }
    }

    /// What a service says of itself is remembered: several different texts may be more than that.
    pub(super) fn remark(&mut self, endpoint: &str, remark: Evidence) {
        let connecting = matches!(&remark.kind, Kind::Readable { rule, .. } if rule == CONNECTING);
        let near = if connecting { Near::Said } else { Near::Service(remark.origin.side) };
        self.result.asides.add(endpoint, near, remark);
    }
}

/// The last name on the way to a field, in small letters.
pub(super) fn last_name(field: &str) -> String {
    let last = field.rsplit(['.', '>', '@']).find(|n| !n.is_empty()).unwrap_or_default();
    last.split('[').next().unwrap_or_default().to_ascii_lowercase()
}

/// Whether a field is called so that it may say who speaks, or that something is said; `last` is its last name.
pub(super) fn is_name(last: &str, field: &str) -> bool {
    let lists = [&KINDS[..], &NAMES, &SPEAKERS, &OWN, &SYSTEM];
    lists.iter().any(|list| list.contains(&last)) || last == "query" || field.starts_with("$[")
}

/// Whether a field says that the service itself speaks.
fn is_system(name: &str, value: &str, form: Form) -> bool {
    let own = ["system", "server"].iter().any(|s| value.eq_ignore_ascii_case(s));
    match name {
        _ if SYSTEM.contains(&name) => value == "true" && form == Form::Plain,
        _ => own && OWN.contains(&name),
    }
}

/// Whether a name is one of something that is said, and not of what happened to it.
fn speaks(name: &str) -> bool {
    let all: Vec<String> = words(name).collect();
    let is = |list: &[&str]| all.iter().any(|w| list.contains(&w.as_str()));
    is(&SPEECH) && !is(&ABOUT)
}

thread_local! {
    /// Paths of requests met lately: all fields of a request ask for the same one.
    static WAYS: RefCell<Memo<bool>> = RefCell::new(Memo::sized(256, 256));
}

/// Whether a request brings a message, by the words of its path.
fn is_for_messages(path: &str) -> bool {
    WAYS.with_borrow_mut(|known| known.answer(0, path.as_bytes(), || leads_to_messages(path)))
}

fn leads_to_messages(path: &str) -> bool {
    let all: Vec<String> = words(path).collect();
    let is = |list: &[&str]| all.iter().any(|w| list.contains(&w.as_str()));
    is(&PLACES) && !is(&ABOUT)
}

/// The words of a name in any spelling, in small letters.
pub(super) fn words(name: &str) -> impl Iterator<Item = String> + '_ {
    let mut found = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        if !c.is_ascii_alphabetic() || small && c.is_ascii_uppercase() {
            found.push(String::new());
        }
        if c.is_ascii_alphabetic()
            && let Some(word) = found.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
        small = c.is_ascii_lowercase();
    }
    found.into_iter().filter(|w| !w.is_empty())
}

impl Message {
    /// A sentence in a field of no known name is what is said where the message says that something is.
    pub(super) fn take_what_is_said(&mut self) {
        if !self.speech.said || !self.readable.is_empty() || self.serves {
            return;
        }
        let speaker = self.speech.speaker;
        let said = |e: &Evidence| {
            let by = e.origin.side == Side::Client || speaker;
            by && e.strength == Strength::Strong
                && !e.origin.field.contains("header.")
                && !is_remark(&e.origin.field)
        };
        let found: Vec<Evidence> = self.beside.iter().filter(|e| said(e)).cloned().collect();
        let read = |e: Evidence| {
            let language_percent = match e.kind {
                Kind::Readable { language_percent, .. } => language_percent,
                _ => 0,
            };
            let kind = Kind::Readable { slot: "message-text".into(), rule: SAID.into(), language_percent };
            Evidence { kind, polarity: Polarity::Against, ..e }
        };
        self.readable.extend(found.into_iter().map(read));
    }

    /// A sentence in a request for a WebSocket is said once, and beside all that follows.
    pub(super) fn take_what_connects(&mut self) {
        let asked = std::mem::take(&mut self.speech.asked);
        if self.speech.connects {
            let kind = Kind::Readable {
                slot: aside::BESIDE_SLOT.to_owned(),
                rule: CONNECTING.to_owned(),
                language_percent: 0,
            };
            self.remarks.extend(asked.into_iter().map(|e| Evidence { kind: kind.clone(), ..e }));
        }
    }

    /// What the service says in its own name is no message between people.
    pub(super) fn set_system_aside(&mut self) {
        let places = std::mem::take(&mut self.speech.system);
        let speaker = self.speech.speaker;
        self.set_aside(|e| {
            let field = e.origin.field.as_str();
            e.origin.side == Side::Server
                && matches!(e.kind, Kind::Readable { .. })
                && (places.iter().any(|p| field.starts_with(p.as_str())) || !speaker && is_page(e))
        });
    }

    /// What a server of XMPP says to its users is an announcement.
    pub(super) fn set_announcement_aside(&mut self) {
        self.set_aside(|e| e.origin.side == Side::Server && matches!(e.kind, Kind::Readable { .. }));
    }

    fn set_aside(&mut self, own: impl Fn(&Evidence) -> bool) {
        let (own, kept) = std::mem::take(&mut self.readable).into_iter().partition(own);
        self.readable = kept;
        let own: Vec<Evidence> = own;
        let remark =
            |e: &Evidence| Evidence { kind: aside::kind(0.0), polarity: Polarity::Neutral, ..e.clone() };
        self.remarks.extend(own.iter().map(remark));
        self.other.extend(own.into_iter().map(|e| Evidence { polarity: Polarity::Neutral, ..e }));
    }
}

/// Whether a text stands in a document of XML that says nothing of messages: a notice, a screen, a setting.
fn is_page(e: &Evidence) -> bool {
    let outer = e.origin.field.rsplit_once('.').map_or("", |(outer, _)| outer).to_ascii_lowercase();
    let called = ["message", "chat", "conversation", "comment", "reply", "mail", "sms", "post", "dm"];
    e.origin.layers.ends_with("/xml") && !called.iter().any(|w| outer.contains(w))
}

/// Whether a field holds what a program says of a message.
fn is_remark(field: &str) -> bool {
    let last = field.rsplit(['.', '>']).next().unwrap_or_default().to_ascii_lowercase();
    [
        "error",
        "reason",
        "detail",
        "desc",
        "hint",
        "help",
        "title",
        "label",
        "query",
        "useragent",
        "user_agent",
    ]
    .iter()
    .any(|r| last.starts_with(r))
}

/// Names of fields that say where a message belongs, beside those that say what it is.
const NAMES: [&str; 6] = ["topic", "channel", "operationname", "path", "p", "identifier"];

/// Words for what people do with one another.
const SPEECH: [&str; 15] = [
    "message", "messages", "msg", "msgs", "chat", "say", "speak", "shout", "send", "text", "post", "reply",
    "comment", "dm", "whisper",
];

/// Words for what happened to a message, or was done with many.
const ABOUT: [&str; 25] = [
    "register",
    "sent",
    "opened",
    "read",
    "seen",
    "viewed",
    "view",
    "delivered",
    "received",
    "deleted",
    "delete",
    "typing",
    "error",
    "failed",
    "screen",
    "list",
    "history",
    "search",
    "count",
    "status",
    "clicked",
    "feedback",
    "settings",
    "config",
    "report",
];

/// Words in the path of a request that brings a message.
const PLACES: [&str; 5] = ["message", "messages", "msg", "msgs", "sendmessage"];

/// Names of fields that say that the service speaks, and that may say so.
const SYSTEM: [&str; 5] = ["system", "is_system", "issystem", "system_message", "issystemmessage"];
const OWN: [&str; 6] = ["from", "sender", "author", "role", "sender_type", "sendertype"];

/// Names of fields that say who speaks.
const SPEAKERS: [&str; 14] = [
    "from",
    "sender",
    "author",
    "user",
    "username",
    "nick",
    "nickname",
    "sender_id",
    "user_id",
    "uid",
    "u",
    "by",
    "senderid",
    "userid",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_what_is_said_are_told_from_names_of_what_happened_to_it() {
        for name in ["sendMessage", "client-message", "new_msg", "com.chat.room7", "SendMessage", "shout"] {
            assert!(speaks(name), "{name}");
        }
        for name in ["message_sent", "chat-opened", "messageRead", "searchMessages", "notes.add", "context"] {
            assert!(!speaks(name), "{name}");
        }
    }

    #[test]
    fn a_service_says_that_it_speaks_itself_in_so_many_words() {
        assert!(is_system("system", "true", Form::Plain) && is_system("from", "System", Form::Text));
        assert!(!is_system("system", "false", Form::Plain) && !is_system("from", "systemfan", Form::Text));
    }
}
