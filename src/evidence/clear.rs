//! Fields that anybody reads who gets so far: what is said in them, and what is not known to be said.

use super::aside::{self, Near};
use super::collector::Collector;
use super::copies::SIDE_SLOTS;
use super::message::{is_message_slot, may_be_said};
use super::randomness::{self, Cipher};
use super::sink::join_fields;
use super::told::is_pictures;
use super::{Content, Evidence, Kind, Polarity, Strength};
use crate::layers::envelope::grammar::notice::is_fallback;
use crate::model::{Arrival, Side, Trust, digest16};
use crate::peel::{Family, Form, Leaf, NodeRef, Spec};
use crate::ruleset::language;

/// Such sentences that are kept of one message.
const SENTENCES: usize = 8;

impl Collector {
    pub(super) fn clear_leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<(String, String)>) {
        self.result.coverage.explained += leaf.total;
        if leaf.form == Form::Text && node.scope() != 0 {
            let kind = slot.as_ref().map(|(s, _)| s.clone());
            self.keep_for_trial(node, leaf, kind.as_deref());
        } else if leaf.form == Form::Plain && node.scope() != 0 {
            self.keep_rounds(node, leaf);
        }
        self.answered(node, leaf);
        self.file_named(node, leaf, slot.as_ref().map(|(s, _)| s.as_str()));
        self.told_purpose(node, leaf);
        self.told_speech(node, leaf);
        self.hashed(node, leaf);
        self.told_by_name(node, leaf);
        self.told(node, leaf, slot.as_ref().map(|(s, _)| s.as_str()));
        let says = |s: &str| may_be_said(s) && !is_truth(leaf) && !is_state(node, leaf);
        let Some((slot, rule)) = slot.as_ref().filter(|(s, _)| says(s)).cloned() else {
            self.beside(node, leaf, slot.as_ref().map(|(s, _)| s.as_str()));
            return self.seen(node, leaf, slot.as_ref().map(|(s, _)| s.as_str()));
        };
        let Ok(text) = std::str::from_utf8(leaf.bytes) else { return };
        self.turned_text(node, leaf);
        // A message may be one picture for a feeling.
        let natural = if is_pictures(text) { 0.6 } else { language::natural(text) };
        if natural < 0.35 || node.trust() == Trust::Guessed && natural < 0.7 {
            return;
        }
        if is_message_slot(Some(&slot)) {
            self.said(node, leaf, text);
        }
        let kind = Kind::Readable { slot, rule, language_percent: (natural * 100.0) as u8 };
        let e = self.evidence(node, leaf, kind, Strength::Strong, Polarity::Against);
        self.message(node, leaf.at).readable.push(e);
        if self.shared.vantage {
            self.message_field(node, leaf, Content::Text);
        }
    }

    /// What a service's answer to a request of HTTP says of itself.
    fn answered(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        if leaf.side != Side::Server || node.scope() == 0 {
            return;
        }
        let mut apps = node.layers().filter(|s| s.family == Family::App).map(|s| s.name);
        let carrier = apps.find(|name| !matches!(*name, "lines" | "grpc")).unwrap_or_default();
        // A line of a document, a member of an object, a number of protobuf.
        let named = node.field() == "line"
            || node.field().is_empty() && leaf.field.starts_with(|c: char| c == '$' || c.is_ascii_digit());
        if matches!(carrier, "http1" | "http2" | "http3") && (named || leaf.field == "line") {
            let asked = ["path", "host", "sni"].map(|name| node.label(name));
            self.message(node, leaf.at).answer.take(asked, leaf.field, leaf.bytes);
        }
    }

    /// A message in a turned alphabet (Caesar, ROT13) reads like words and is none.
    fn turned_text(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let solved = randomness::solve_xor(leaf.bytes).filter(|s| s.cipher == Cipher::Rotation);
        let Some(solution) = solved.filter(|_| node.trust() > Trust::Guessed) else { return };
        let places = solution.key.first().copied().unwrap_or(0);
        let detail = format!("letters moved {places} places along the alphabet, solved");
        let kind = Kind::Weak { finding: "weak-obfuscation".into(), detail };
        let e = self.evidence(node, leaf, kind, Strength::Proof, Polarity::Against);
        self.message(node, leaf.at).other.push(e);
    }

    /// What stands in a field that no rule knows. Beside ciphertext nobody can say that a sentence is no part of
    /// what was sealed, nor that words are none which differ from message to message.
    fn beside(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<&str>) {
        let notice =
            |slot: &str| SIDE_SLOTS.contains(&slot) && leaf.side == Side::Client && node.scope() != 0;
        if slot.is_some_and(notice) && leaf.form == Form::Text {
            return self.noticed(node, leaf);
        }
        // Of a message rather than of a room or a person if it changes with each of them.
        let changes = |slot: &str| {
            let layer = node.layers().next().map_or("", |s| s.name);
            let carried = !matches!(layer, "xmpp" | "mime") && !leaf.field.contains("header.");
            slot == TOPIC_SLOT && layer == "json"
                || leaf.side == Side::Client && carried && ABOUT.contains(&slot)
        };
        if !slot.is_none_or(changes) || leaf.form == Form::Plain || node.scope() == 0 || !may_say(node, leaf)
        {
            return;
        }
        let Some(text) = std::str::from_utf8(leaf.bytes).ok().filter(|t| !is_fallback(t)) else { return };
        let sentence = aside::sentence(text);
        // A name or a state of few words is one.
        if sentence.is_none() && slot.is_some_and(|s| s != TOPIC_SLOT) {
            return;
        }
        let sentence = sentence.filter(|_| slot.is_none());
        if sentence.is_none() && !aside::may_be_said(text) {
            return self.listed(node, leaf, text);
        }
        let kind = aside::kind(sentence.unwrap_or(0.0));
        let strength = if sentence.is_some() { Strength::Strong } else { Strength::Weak };
        let e = self.evidence(node, leaf, kind, strength, Polarity::Neutral);
        if sentence.is_some() {
            self.said_aside(node, leaf, e.clone());
        }
        let message = self.message(node, leaf.at);
        match sentence {
            Some(_) if message.beside.len() < SENTENCES => message.beside.push(e),
            Some(_) => message.words.full = true,
            None => message.words.few(e),
        }
    }

    /// A sentence for a notification or a count: the same one each time says nothing.
    fn noticed(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let text = std::str::from_utf8(leaf.bytes).unwrap_or_default();
        if let Some(natural) = aside::sentence(text) {
            let record = self.evidence(node, leaf, aside::kind(natural), Strength::Strong, Polarity::Neutral);
            self.said_aside(node, leaf, record);
        }
    }

    /// A word that may be one of several, each in a place of its own.
    fn listed(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, word: &str) {
        if !aside::has_position(leaf.field) || !aside::is_word(word) {
            return;
        }
        let place = aside::without_positions(&join_fields(node.field(), leaf.field));
        if self.message(node, leaf.at).words.is_first(&place, word) {
            let e = self.evidence(node, leaf, aside::kind(0.0), Strength::Weak, Polarity::Neutral);
            self.message(node, leaf.at).words.begin(place, e, word);
        }
    }

    /// A sentence at a service that may have sealed messages elsewhere.
    fn said_aside(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, record: Evidence) {
        let field = &record.origin.field;
        let last = field.rsplit(['.', '>']).next().unwrap_or("").to_ascii_lowercase();
        let remark = leaf.side == Side::Server && REMARKS.iter().any(|r| last.starts_with(r));
        // What is asked and answered about a server (XMPP) are its forms.
        if remark || ["iq.", "presence."].iter().any(|stanza| field.starts_with(stanza)) {
            return;
        }
        let endpoint = self.endpoint(node);
        if leaf.side == Side::Client && is_aid(node, &endpoint) {
            self.result.asides.add(&endpoint, Near::Aid, record.clone());
        }
        let record = if leaf.side == Side::Server { template(record, leaf) } else { record };
        self.result.asides.add(&endpoint, Near::Service(leaf.side), record);
    }

    /// A link that carries its file's key gives the file away to whoever reads it (XEP-0454).
    pub(super) fn open_link(&mut self, e: &Evidence, node: &NodeRef<'_>, at: Arrival) {
        let kind = Kind::Readable {
            slot: "message-other".to_owned(),
            rule: "key-in-link".to_owned(),
            language_percent: 0,
        };
        let read = Evidence { kind, strength: Strength::Strong, polarity: Polarity::Against, ..e.clone() };
        self.message(node, at).readable.push(read);
    }
}

/// What a service says again with other numbers is said once.
fn template(mut record: Evidence, leaf: &Leaf<'_>) -> Evidence {
    if leaf.bytes.iter().any(u8::is_ascii_digit) {
        let fixed: Vec<u8> = leaf.bytes.iter().copied().filter(|b| !b.is_ascii_digit()).collect();
        record.origin.digest = digest16(&fixed);
    }
    record
}

/// Whether what is sent there is to be translated, checked or spoken.
fn is_aid(node: &NodeRef<'_>, endpoint: &str) -> bool {
    let way = node.label("path").and_then(|p| p.split('?').next()).unwrap_or_default().to_ascii_lowercase();
    AIDS.iter().any(|w| way.contains(w) || endpoint.contains(w))
}

/// Words in the names of such services and of their requests.
const AIDS: [&str; 14] = [
    "translat",
    "moderat",
    "spellcheck",
    "grammar",
    "languagetool",
    "deepl",
    "toxicity",
    "sentiment",
    ":analyze",
    "text-to-speech",
    "texttospeech",
    "synthesize",
    "summariz",
    "completions",
];

/// Whether a value says whether something holds (`"encrypted": true`): it is about a message, and
/// nobody said it to anybody, whatever its field is called.
fn is_truth(leaf: &Leaf<'_>) -> bool {
    leaf.form == Form::Plain && matches!(leaf.bytes, b"true" | b"false" | b"null")
}

/// Whether a single word is published where states of people and devices are.
fn is_state(node: &NodeRef<'_>, leaf: &Leaf<'_>) -> bool {
    let topic = node.label("topic").unwrap_or_default().to_ascii_lowercase();
    let states = ["presence", "status", "typing", "online", "lastseen", "last_seen", "receipt", "lwt"];
    states.iter().any(|s| topic.contains(s))
        && leaf.bytes.len() <= 24
        && leaf.bytes.is_ascii()
        && !leaf.bytes.contains(&b' ')
}

/// The kind of field that says what a group, or a mail, is about.
const TOPIC_SLOT: &str = "topic";
/// Kinds of field that are about somebody or something, and stay the same from message to message.
const ABOUT: [&str; 5] = [TOPIC_SLOT, "profile", "status", "device-name", "identifier"];
/// Fields of a service's answers that hold remarks.
const REMARKS: [&str; 8] = ["error", "reason", "detail", "desc", "hint", "help", "title", "label"];
/// Headers that hold what an application made up, or where its user was.
const HEADERS: [&str; 3] = ["header.x-", "header.cookie", "header.referer"];

/// Beginnings of the names of headers that hold lists of words and names of programs.
const KNOWN: [&str; 18] = [
    "accept",
    "connection",
    "keep-alive",
    "te",
    "cache-control",
    "pragma",
    "upgrade",
    "sec-",
    "access-control",
    "content-",
    "if-modified",
    "if-unmodified",
    "user-agent",
    "date",
    "via",
    "dnt",
    "server",
    "authorization",
];
/// Fields of protocols, not of what they carry.
const NAMED_APART: [&str; 3] = ["channel", "event", "id"];
/// Places of protocols that whoever speaks them fills as they like, though nothing has to stand there.
const FREE: [&str; 14] = [
    "ping",
    "pong",
    "close",
    "chunk-extension",
    "comment",
    "header",
    "unread",
    "correlation-id",
    "message-id",
    "reply-to",
    "type",
    "user-id",
    "app-id",
    "cluster-id",
];
/// Layers whose headers an application makes up as it likes.
const MADE_UP: [&str; 7] = ["amqp", "amqp1", "cpim", "mqtt", "msrp", "nats", "stomp"];

/// Whether there may be a sentence.
fn is_long(bytes: &[u8]) -> bool {
    bytes.iter().filter(|b| **b == b' ').nth(2).is_some()
}

/// Whether a field of this layer may hold what a person wrote, though no rule knows it: in structured data, in a
/// stanza, in a header that an application made up, and the text that is all of a request.
fn may_say(node: &NodeRef<'_>, leaf: &Leaf<'_>) -> bool {
    let made_up = |field: &str| {
        let named =
            field.split("header.").nth(1).is_some_and(|name| !KNOWN.iter().any(|k| name.starts_with(k)));
        let free = |s: &Spec| s.name.starts_with("http") || MADE_UP.contains(&s.name);
        HEADERS.iter().any(|h| field.contains(h))
            || named
                && node.layers().next().is_some_and(free)
                && leaf.side == Side::Client
                && is_long(leaf.bytes)
    };
    let free = |field: &str| FREE.contains(&field) || field.starts_with("option.");
    let header = |field: &str| field.contains("header.");
    let stanza = || node.layers().next().is_some_and(|s| s.name == "xmpp");
    match node.family() {
        Some(Family::Codec) => [node.field(), leaf.field].iter().all(|f| !header(f) || made_up(f)),
        // The channel of a message broker is an address, and what an event is called a name: neither has spaces.
        Some(Family::App) => {
            made_up(leaf.field)
                || stanza()
                || NAMED_APART.contains(&leaf.field) && leaf.bytes.contains(&b' ')
                || free(leaf.field) && is_long(leaf.bytes)
        }
        Some(Family::Secure | Family::Envelope) => false,
        None => leaf.side == Side::Client && !node.path().is_empty(),
    }
}
