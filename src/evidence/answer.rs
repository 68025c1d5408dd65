//! Answers of services. An object that says how a request went has a sentence for whoever reads logs: its
//! `message` is no message between people. Nor is a text of which the answer says neither who spoke, nor when, nor
//! where: pages, offers and weather reports have texts and contents, too.

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

/// Members that say of the object around them who spoke, when, or where; in small letters, without what parts words.
const TELLING: [&str; 58] = [
    "from",
    "fromid",
    "fromme",
    "isfromme",
    "to",
    "toid",
    "sender",
    "senderid",
    "recipient",
    "recipients",
    "recipientid",
    "receiver",
    "author",
    "authorid",
    "user",
    "userid",
    "username",
    "uid",
    "nick",
    "nickname",
    "handle",
    "owner",
    "by",
    "peer",
    "peerid",
    "role",
    "direction",
    "outgoing",
    "incoming",
    "participant",
    "member",
    "room",
    "roomid",
    "channel",
    "channelid",
    "group",
    "groupid",
    "dialog",
    "dialogid",
    "messageid",
    "msgid",
    "mid",
    "eventid",
    "seq",
    "ts",
    "time",
    "timestamp",
    "date",
    "datetime",
    "sent",
    "sentat",
    "created",
    "createdat",
    "originserverts",
    "receivedat",
    "deliveredat",
    "readat",
    "edited",
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
    /// Objects of which something says who spoke, when, or where.
    told: BTreeSet<String>,
}

impl Answer {
    /// Takes a field by its path; `asked` is what was asked for, and names of the service. What was lost may have asked
    /// for messages.
    pub fn take(&mut self, asked: [Option<&str>; 3], field: &str, value: &[u8]) {
        if !self.known {
            self.known = true;
            self.chat = asked[0].is_none() || asked.into_iter().flatten().any(is_chat);
        }
        for (at, _) in field.match_indices('.') {
            let (object, rest) = (&field[..at], &field[at + 1..]);
            if self.told.len() < OBJECTS && tells(rest.split(['.', '[', '>']).next().unwrap_or_default()) {
                self.told.insert(object.to_owned());
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
    }

    /// Whether the text of a field only says how a request went.
    pub fn explains(&self, field: &str) -> bool {
        is_sentence(field) && self.sentence && self.status && !self.speaks
    }

    /// Whether nothing in the answer says that the text of a field was said by somebody to somebody.
    pub fn is_silent_about(&self, field: &str) -> bool {
        if !self.known || self.chat || self.told.len() >= OBJECTS || field.contains('>') {
            return false;
        }
        // Lines of a document that was asked for, or a number of protobuf.
        let Some((object, _)) = field.rsplit_once('.') else { return true };
        // What is said of the whole answer (its own time) is said of what stands right in it alone.
        let around = std::iter::successors(Some(object), |o| o.rsplit_once('.').map(|(outer, _)| outer));
        let mut near = around.take(3).enumerate().filter(|(i, o)| *i == 0 || *o != "$");
        !is_chat(object) && !near.any(|(_, o)| self.told.contains(o))
    }
}

/// What a program says is often kept in a file that is called after messages.
fn is_chat(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !name.ends_with(".json") && CHATS.iter().any(|c| name.contains(c))
}

fn tells(name: &str) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    TELLING.contains(&plain.as_str())
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
                .for_each(|f| answer.take([Some("/offers"), None, None], f, b"see you at noon"));
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

    /// A gap where the request was must not make less of what the service says.
    #[test]
    fn an_answer_to_what_was_not_recorded_is_not_silent() {
        let mut answer = Answer::default();
        answer.take([None, Some("example.org"), None], "$.text", b"see you at noon");
        assert!(!answer.is_silent_about("$.text"));
    }
}
