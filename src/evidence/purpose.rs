//! What a sealed object is for: formats that serve between devices and services as well as between people count
//! as messages only where messages stand.

use super::aside;
use super::called::Called;
use super::collector::Collector;
use super::message::{Message, is_message_slot};
use super::sink::join_fields;
use super::uploads::is_portrait;
use super::{Evidence, Kind, Polarity, Strength};
use crate::model::Side;
use crate::peel::{Family, Form, Leaf, NodeRef, Spec};
use crate::ruleset::Subject;

/// Whether a format is used for logins, tokens and telemetry, for backups and other files as much as for messages.
pub(super) fn serves(format: &str) -> bool {
    ["jwe", "cose", "age", "openpgp", "cms", "saltpack"].iter().any(|f| format.starts_with(f))
}

/// Whether a format says itself that it is sealed for its owner or for a service: no message, and no conversation.
pub(super) fn is_private(format: &str) -> bool {
    format == "nostr-encrypted-event"
}

impl Collector {
    /// Whether an envelope that serves between devices and services too stands where messages do. In an exchange
    /// of HTTP, a WebSocket or CoAP its field has to be called so; nowhere may the request, the topic or the field
    /// be about something else.
    pub(super) fn carries_messages(&self, node: &NodeRef<'_>) -> bool {
        let is = |word: &str, list: &[&str]| list.iter().any(|l| word.eq_ignore_ascii_case(l));
        if words_of(node.field()).any(|w| is(w, &LOGINS)) {
            return false;
        }
        let places = [node.label("path"), node.label("topic")].into_iter().flatten();
        let words: Vec<&str> = places.flat_map(words_of).collect();
        let about = |list: &[&str]| words.iter().any(|w| is(w, list));
        if about(&SERVICES) || about(&CHATS) {
            return !about(&SERVICES);
        }
        let speaks = |s: &&Spec| s.family == Family::App && !matches!(s.name, "lines" | "framed");
        let app = node.layers().find(speaks).map_or("", |s| s.name);
        if !matches!(app, "http1" | "http2" | "http3" | "websocket" | "grpc" | "sse" | "coap") {
            return true;
        }
        let subject = Subject {
            layers: node.path(),
            field: node.field(),
            context: node,
            side: Side::Client,
            guard: node.guard(),
            form: Form::Text,
            bytes: &[],
        };
        let mut hits = Vec::new();
        self.shared.ruleset.matches(&subject, &mut hits);
        let rules = self.shared.ruleset.rules();
        hits.iter().filter_map(|h| rules.get(h.rule)).any(|r| is_message_slot(r.means.slot.as_deref()))
    }

    /// A field that says what its message is: a login, telemetry.
    pub(super) fn told_purpose(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, called: &Called) {
        let Called { typed, graded, .. } = *called;
        if node.scope() == 0 || leaf.bytes.len() > 48 {
            return;
        }
        let Some(text) = leaf.text() else { return };
        let said_by_a_program =
            typed && is_housekeeping(text, leaf.side) || graded && is_one(text.trim(), &SEVERITIES);
        // What a protocol calls an error may bring a message back to its sender.
        if node.family() == Some(Family::Codec) && said_by_a_program {
            let field = join_fields(node.field(), leaf.field);
            let around = field.rfind(['.', '>']).and_then(|at| field.get(..=at)).unwrap_or_default();
            // `log.level` is of the object around it (Elastic Common Schema).
            let around = around.strip_suffix("log.").unwrap_or(around);
            self.message(node, leaf.at).housekeeping.push(around.to_owned());
        }
        if typed && words_of(text).any(|w| SERVICES.iter().any(|s| w.eq_ignore_ascii_case(s))) {
            self.message(node, leaf.at).serves = true;
        }
    }
}

impl Collector {
    /// A picture, a recording or a document that goes the way of messages is one, and whoever serves them sees it.
    pub(super) fn sent_file(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let path = node.label("path").unwrap_or_default();
        let about = |list: &[&str]| words_of(path).any(|w| list.iter().any(|l| w.eq_ignore_ascii_case(l)));
        let field = join_fields(node.field(), leaf.field);
        if [path, &field, node.label("name").unwrap_or_default()].into_iter().any(is_portrait) {
            return;
        }
        if !(about(&ATTACHMENTS) || about(&CHATS)) {
            if !about(&SERVICES) && !about(&REPORTS) {
                self.uploaded(node, leaf);
            }
            return;
        }
        let kind = Kind::Readable {
            slot: "message-other".to_owned(),
            rule: SENT_FILE.to_owned(),
            language_percent: 0,
        };
        let e = self.evidence(node, leaf, kind, Strength::Strong, Polarity::Against);
        self.message(node, leaf.at).readable.push(e);
    }
}

/// Whether a field is called after what a message is.
pub(super) fn is_type(path: &str) -> bool {
    let last = last_name(path);
    is_one(last, &KINDS) || is_one(last, &EVENTS)
}

/// Whether a field is called after how bad it is what a program logs.
pub(super) fn is_level(path: &str) -> bool {
    is_one(last_name(path), &LEVELS)
}

fn last_name(path: &str) -> &str {
    path.rsplit(['.', '>']).find(|n| !n.is_empty()).unwrap_or_default()
}

fn is_one(word: &str, list: &[&str]) -> bool {
    list.iter().any(|l| word.eq_ignore_ascii_case(l))
}

/// Whether what a message calls itself is about the connection, the program or the room: an error, a log, a room
/// that is entered. What is said to be speech is speech.
fn is_housekeeping(text: &str, side: Side) -> bool {
    let mut words: Vec<String> = Vec::new();
    let mut small = false;
    for c in text.chars() {
        if !c.is_ascii_alphanumeric() {
            words.push(String::new());
        } else if small && c.is_ascii_uppercase() || words.is_empty() {
            words.push(c.to_ascii_lowercase().to_string());
        } else if let Some(word) = words.last_mut() {
            word.push(c.to_ascii_lowercase());
        }
        small = c.is_ascii_lowercase();
    }
    words.retain(|w| !w.is_empty());
    let is = |word: &String, list: &[&str]| list.contains(&word.as_str());
    let first =
        words.first().is_some_and(|w| is(w, &HOUSEKEEPING) || side == Side::Server && is(w, &GREETINGS));
    // The name of a class of errors ends so.
    let class = words.last().is_some_and(|w| is(w, &["exception", "error"]));
    // What a program of another program is told to log.
    let logs = words.windows(2).any(|w| w[0] == "log" && w[1] == "message");
    logs || (first || class) && words.len() <= 4 && !words.iter().any(|w| is(w, &SPEECH))
}

impl Message {
    /// What lies inside of an envelope that is no message is none either.
    pub(super) fn set_private_aside(&mut self) {
        let private = |e: &&Evidence| matches!(&e.kind, Kind::Envelope { format, .. } if is_private(format));
        let places: Vec<String> =
            self.envelopes.iter().filter(private).map(|e| e.origin.field.clone()).collect();
        self.envelopes.retain(|e| {
            !places.iter().any(|p| e.origin.field.len() > p.len() && e.origin.field.starts_with(p.as_str()))
        });
    }

    /// Texts of an object that calls itself an error, a log or the like are said by a program.
    pub(super) fn set_housekeeping_aside(&mut self) {
        let places = std::mem::take(&mut self.housekeeping);
        if places.is_empty() {
            return;
        }
        // A planted text proves what it was, whatever is said around it.
        let about = |e: &Evidence| {
            matches!(e.kind, Kind::Readable { .. })
                && places.iter().any(|p| e.origin.field.starts_with(p.as_str()))
        };
        let (said, kept) = std::mem::take(&mut self.readable).into_iter().partition(about);
        self.readable = kept;
        let said: Vec<Evidence> = said;
        let by_the_app = said.iter().filter(|e| e.origin.side == Side::Client);
        self.remarks.extend(by_the_app.map(|e| Evidence {
            kind: aside::kind(0.0),
            polarity: Polarity::Neutral,
            ..e.clone()
        }));
        self.other.extend(said.into_iter().map(|e| Evidence { polarity: Polarity::Neutral, ..e }));
    }

    /// In a message that says that it is for the service nothing is sealed to a person.
    pub(super) fn weaken_what_serves(&mut self) {
        if !self.serves {
            return;
        }
        // What speaks against a claim (a key in sight) does so wherever it stands.
        for e in self.envelopes.iter_mut().filter(|e| e.polarity == Polarity::For) {
            if matches!(&e.kind, Kind::Envelope { format, .. } if serves(format) || format.starts_with("didcomm"))
            {
                e.strength = Strength::Weak;
            }
        }
    }
}

pub(super) fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty())
}

/// The rule that stands for files that were sent.
pub const SENT_FILE: &str = "sent-file";

/// Words in the paths of requests that send files along with messages.
const ATTACHMENTS: [&str; 2] = ["attachment", "attachments"];

/// Words in the paths of requests that bring a program's reports.
const REPORTS: [&str; 6] = ["logs", "debuglogs", "debuglog", "crashes", "report", "reports"];

/// Names of fields that say what a message is.
pub(super) const KINDS: [&str; 10] =
    ["type", "event", "op", "action", "kind", "cmd", "command", "method", "t", "target"];
const EVENTS: [&str; 2] = ["event_type", "eventType"];

/// Names of fields that say how bad it is what a program logs, and their values (RFC 5424 section 6.2.1, and the
/// names that logging libraries use).
const LEVELS: [&str; 5] = ["level", "severity", "loglevel", "log_level", "levelname"];
const SEVERITIES: [&str; 12] = [
    "trace",
    "debug",
    "info",
    "information",
    "notice",
    "warn",
    "warning",
    "error",
    "critical",
    "alert",
    "fatal",
    "emergency",
];

/// First words of what programs say to one another.
const HOUSEKEEPING: [&str; 30] = [
    "error",
    "err",
    "fail",
    "failed",
    "failure",
    "warning",
    "warn",
    "ack",
    "ping",
    "pong",
    "heartbeat",
    "log",
    "debug",
    "crash",
    "feedback",
    "join",
    "leave",
    "subscribe",
    "unsubscribe",
    "login",
    "register",
    "auth",
    "search",
    "telemetry",
    "track",
    "identify",
    "state",
    "logbook",
    "persistent",
    "tooltip",
];

/// The same where a service says it.
const GREETINGS: [&str; 11] = [
    "welcome",
    "hello",
    "motd",
    "system",
    "connected",
    "disconnected",
    "ready",
    "status",
    "notice",
    "info",
    "maintenance",
];

/// Words for what people say.
const SPEECH: [&str; 11] =
    ["message", "messages", "msg", "chat", "say", "send", "text", "post", "reply", "comment", "dm"];

/// Words for what is between a device and a service.
const SERVICES: [&str; 41] = [
    "login",
    "signin",
    "auth",
    "authenticate",
    "credentials",
    "oauth",
    "oauth2",
    "token",
    "session",
    "sessions",
    "register",
    "signup",
    "verify",
    "telemetry",
    "analytics",
    "collect",
    "metrics",
    "events",
    "payment",
    "payments",
    "pay",
    "attest",
    "config",
    "log",
    "sensor",
    "sensors",
    "devices",
    "things",
    "shadow",
    "ingest",
    "provision",
    "enroll",
    "heartbeat",
    "firmware",
    "identify",
    "diagnostics",
    "backup",
    "backups",
    "crash",
    "secrets",
    "restore",
];

/// Names of fields that hold what a service is to let somebody in by.
const LOGINS: [&str; 5] = ["login", "auth", "credentials", "session", "password"];

/// Words for what brings or fetches messages.
pub(super) const CHATS: [&str; 18] = [
    "message",
    "messages",
    "msg",
    "msgs",
    "chat",
    "chats",
    "inbox",
    "outbox",
    "conversation",
    "conversations",
    "room",
    "rooms",
    "mail",
    "mails",
    "email",
    "jmap",
    "dm",
    "didcomm",
];
