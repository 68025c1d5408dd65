//! Answers of services: an object that says how a request went, with a sentence for whoever reads logs. Its
//! `message` is no message between people.

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

/// What the members of an answer's outermost object say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answer {
    status: bool,
    speaks: bool,
    sentence: bool,
}

impl Answer {
    /// Takes a field by its path.
    pub fn take(&mut self, field: &str, value: &[u8]) {
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
    pub fn explains(self, field: &str) -> bool {
        is_sentence(field) && self.sentence && self.status && !self.speaks
    }
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
        fields.iter().for_each(|f| answer.take(f, said.as_bytes()));
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
        ["$.ok", "$.message"].iter().for_each(|f| answer.take(f, said.as_bytes()));
        assert!(
            !answer.explains("$.result.message") && !answer.explains("$.text") && !answer.explains("message")
        );
    }
}
