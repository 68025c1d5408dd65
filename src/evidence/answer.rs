//! Answers of services. An object that says how a request went has a sentence for whoever reads logs: its
//! `message` is no message between people. Nor is a text of which the answer says neither who spoke, nor when, nor
//! where, or that it is for everybody: pages, offers and weather reports have texts and contents, too.

use super::published::{Says, is_collection, says};
use std::collections::BTreeSet;

/// Members by which an answer says how a request went.
const STATUS: [&str; 12] = [
    "ok",
    "success",
    "succeeded",
    "status",
    "code",
    "error",
    "errcode",
    "errno",
    "statuscode",
    "status_code",
    "error_code",
    "result",
];
/// Members that say what went wrong, where they say something.
const FAILED: [&str; 5] = ["error", "errcode", "exception", "error_code", "errorcode"];
/// Members by which an object says who speaks to whom.
const SPEAKS: [&str; 20] = [
    "from",
    "to",
    "sender",
    "recipient",
    "author",
    "user",
    "username",
    "nick",
    "chat",
    "room",
    "channel",
    "conversation",
    "thread",
    "sender_id",
    "user_id",
    "chat_id",
    "room_id",
    "channel_id",
    "thread_id",
    "messages",
];
/// Members that hold the sentence.
const SENTENCE: [&str; 2] = ["message", "msg"];

/// Stems of which such a sentence has one: a person's words in such a place would be rare, and rarer with these.
const WORDS: [&str; 22] = [
    "accept",
    "success",
    "deliver",
    "queued",
    "created",
    "updated",
    "deleted",
    "saved",
    "stored",
    "processed",
    "received",
    "sent",
    "error",
    "fail",
    "invalid",
    "required",
    "missing",
    "unauthori",
    "forbidden",
    "not found",
    "rate limit",
    "expired",
];

/// Parts of names of what holds messages.
const CHATS: [&str; 12] = [
    "messag",
    "msg",
    "chat",
    "inbox",
    "conversation",
    "thread",
    "comment",
    "mail",
    "dialog",
    "repl",
    "talk",
    "sms",
];

/// Objects of one answer that are remembered.
const OBJECTS: usize = 512;

/// What the members of an answer say of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    status: bool,
    speaks: bool,
    sentence: bool,
    /// It is one: it was taken from a service's answer.
    known: bool,
    /// The request, or whom it went to, is called after messages.
    chat: bool,
    /// The request asks for what is written for everybody.
    collection: bool,
    /// It says that the request failed.
    failed: bool,
    /// Objects of which something says who spoke and when, to whom, or that they are for everybody.
    written: BTreeSet<String>,
    addressed: BTreeSet<String>,
    published: BTreeSet<String>,
}

impl Answer {
    /// Takes a field by its path; `asked` is what was asked for, and names of the service. What was lost may have asked
    /// for messages.
    pub fn take(&mut self, asked: [Option<&str>; 3], field: &str, value: &[u8]) {
        if !self.known {
            self.known = true;
            self.chat = asked[0].is_none() || asked.into_iter().flatten().any(is_chat);
            self.collection = asked[0].is_some_and(is_collection);
        }
        for (at, _) in field.match_indices('.') {
            let (object, rest) = (&field[..at], &field[at + 1..]);
            let of = match says(rest.split(['.', '[', '>']).next().unwrap_or_default()) {
                Says::Nothing => continue,
                Says::Written => &mut self.written,
                Says::Addressed => &mut self.addressed,
                Says::Published => &mut self.published,
            };
            if of.len() < OBJECTS && !of.contains(object) {
                of.insert(object.to_owned());
            }
        }
        let Some(name) = member(field) else { return };
        if is_sentence(field) {
            let text = String::from_utf8_lossy(value).to_lowercase();
            self.sentence |= WORDS.iter().any(|w| text.contains(w));
        }
        let is = |names: &[&str]| names.iter().any(|n| name.eq_ignore_ascii_case(n));
        self.status |= is(&STATUS);
        self.speaks |= is(&SPEAKS);
        self.failed |= is(&FAILED) && !matches!(value, b"" | b"0" | b"null" | b"false");
    }

    /// Whether the text of a field only says how a request went.
    pub fn explains(&self, field: &str) -> bool {
        is_sentence(field) && (self.sentence || self.failed) && self.status && !self.speaks
    }

    /// Whether nothing in the answer says that the text of a field was said by somebody to somebody.
    pub fn is_silent_about(&self, field: &str) -> bool {
        let full = self.written.len().max(self.addressed.len()) >= OBJECTS;
        if !self.known || self.chat || full {
            return false;
        }
        if field.contains('>') {
            // What lies in a value was not looked at.
            return !is_chat(field) && is_collection(field);
        }
        // Lines of a document that was asked for, or a number of protobuf.
        let Some((object, _)) = field.rsplit_once('.') else { return true };
        if is_chat(object) {
            return false;
        }
        // What is said of the whole answer (its own time) is said of what stands right in it alone.
        let around = std::iter::successors(Some(object), |o| o.rsplit_once('.').map(|(outer, _)| outer));
        let near: Vec<&str> =
            around.take(3).enumerate().filter(|(i, o)| *i == 0 || *o != "$").map(|(_, o)| o).collect();
        let any = |of: &BTreeSet<String>| near.iter().any(|o| of.contains(*o));
        let published = || self.collection || any(&self.published) || is_collection(object);
        !any(&self.addressed) && (!any(&self.written) || published())
    }
}

/// What a program says is often kept in a file that is called after messages.
fn is_chat(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !name.ends_with(".json") && CHATS.iter().any(|c| name.contains(c))
}

fn is_sentence(field: &str) -> bool {
    field.strip_prefix("$.").is_some_and(|name| SENTENCE.contains(&name))
}

/// The member of the outermost object that a path leads through.
fn member(field: &str) -> Option<&str> {
    field.strip_prefix("$.")?.split(['.', '[', '>']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(fields: &[&str], said: &str) -> bool {
        let mut answer = Answer::default();
        fields.iter().for_each(|f| answer.take([None; 3], f, said.as_bytes()));
        answer.explains("$.message")
    }

    #[test]
    fn a_sentence_beside_a_status_is_no_message_unless_somebody_speaks() {
        let said = "Message accepted for delivery to 2 devices";
        assert!(explained(&["$.ok", "$.message"], said));
        assert!(explained(&["$.status", "$.message", "$.data.id"], said));
        assert!(!explained(&["$.message"], said));
        assert!(!explained(&["$.ok", "$.message"], "see you at the old bridge at noon"));
        for speaker in ["$.from", "$.sender.name", "$.messages[0].text"] {
            assert!(!explained(&["$.ok", speaker, "$.message"], said), "{speaker}");
        }
        let mut answer = Answer::default();
        ["$.ok", "$.message"].iter().for_each(|f| answer.take([None; 3], f, said.as_bytes()));
        assert!(
            !answer.explains("$.result.message") && !answer.explains("$.text") && !answer.explains("message")
        );
    }

    #[test]
    fn a_text_without_speaker_time_and_place_is_said_by_nobody() {
        let silent = |fields: &[&str], text: &str| {
            let mut answer = Answer::default();
            fields
                .iter()
                .chain([&text])
                .for_each(|f| answer.take([Some("/updates"), None, None], f, b"see you at noon"));
            answer.is_silent_about(text)
        };
        assert!(silent(&["$.time"], "$.promos[0].part[1].text"));
        assert!(silent(&["$.id"], "$.text"));
        for (field, text) in [
            ("$.items[0].from", "$.items[0].text"),
            ("$.items[0].sender.name", "$.items[0].content.body"),
            ("$.items[0].createdAt", "$.items[0].text"),
            ("$.ts", "$.text"),
            ("$.id", "$.messages[0].text"),
            ("$.id", "$.chatHistory[0].text"),
        ] {
            assert!(!silent(&[field], text), "{text}");
        }
        assert!(!Answer::default().is_silent_about("$.text"));
        let mut answer = Answer::default();
        answer.take([Some("/v1/messages"), Some("example.org"), None], "$.text", b"x");
        assert!(!answer.is_silent_about("$.text"));
    }

    #[test]
    fn what_is_for_everybody_is_no_message_though_somebody_wrote_it_at_some_time() {
        let silent = |path: &str, fields: &[&str], text: &str| {
            let mut answer = Answer::default();
            let all = fields.iter().chain([&text]);
            all.for_each(|f| answer.take([Some(path), None, None], f, b"see you at noon"));
            answer.is_silent_about(text)
        };
        let dated = ["$.items[0].author", "$.items[0].createdAt"];
        assert!(!silent("/feed", &dated, "$.items[0].text"));
        assert!(silent("/feed", &[dated[0], dated[1], "$.items[0].headline"], "$.items[0].text"));
        assert!(silent("/lyrics/7", &["$.lines[0].time"], "$.lines[0].text"));
        assert!(silent("/x", &["$.reviews[0].date"], "$.reviews[0].comment"));
        assert!(!silent("/news", &["$.items[0].from", "$.items[0].title"], "$.items[0].text"));
        assert!(!silent("/x", &["$.thread.title", "$.thread.messages[0].date"], "$.thread.messages[0].text"));
        assert!(silent("/x", &[], "$.seatbid[0].adm>$.title.text"));
        assert!(!silent("/x", &[], "$.data>$.text"));
    }

    /// A gap where the request was must not make less of what the service says.
    #[test]
    fn an_answer_to_what_was_not_recorded_is_not_silent() {
        let mut answer = Answer::default();
        answer.take([None, Some("example.org"), None], "$.text", b"see you at noon");
        assert!(!answer.is_silent_about("$.text"));
    }
}
