//! Fields that anybody reads who gets so far: what is said in them, and what is not known to be said.

use super::aside::{self, Near};
use super::called::{Called, Header, called};
use super::collector::Collector;
use super::copies::SIDE_SLOTS;
use super::message::{is_message_slot, may_be_said};
use super::observed::{is_observed, is_state};
use super::randomness::{self, Cipher};
use super::sink::join_fields;
use super::told::{self, is_pictures};
use super::{Content, Evidence, Kind, Polarity, Strength};
use crate::layers::envelope::grammar::notice::is_fallback;
use crate::model::{Arrival, Side, Trust, digest16};
use crate::peel::{Family, Form, Leaf, NodeRef};
use crate::ruleset::language;

/// Such sentences that are kept of one message.
const SENTENCES: usize = 8;

impl Collector {
    pub(super) fn clear_leaf(
        &mut self,
        node: &NodeRef<'_>,
        leaf: &Leaf<'_>,
        field: &str,
        slot: Option<(String, String)>,
    ) {
        self.result.coverage.explained += leaf.total;
        let called = called(node.field(), leaf.field, field);
        if leaf.form == Form::Text && node.scope() != 0 {
            let kind = slot.as_ref().map(|(s, _)| s.clone());
            self.keep_for_trial(node, leaf, || called.key, kind.as_deref());
        } else if leaf.form == Form::Plain && node.scope() != 0 && called.rounds {
            self.keep_rounds(node, leaf);
        }
        self.answered(node, leaf);
        self.file_named(node, leaf, slot.as_ref().map(|(s, _)| s.as_str()));
        if called.typed || called.graded {
            self.told_purpose(node, leaf, &called);
        }
        self.told_speech(node, leaf, field, &called);
        self.hashed(node, leaf, called.hash);
        if called.words {
            self.told_by_name(node, leaf);
        }
        if called.told || leaf.text().is_some_and(told::may_tell) {
            self.told(node, leaf, slot.as_ref().map(|(s, _)| s.as_str()));
        }
        // A report's texts are a program's, whatever their fields are called, and so are states.
        let own = |rule: &str| is_observed(node, leaf, rule) || is_state(node, leaf);
        let slot = slot.filter(|(s, rule)| !may_be_said(s) || !own(rule));
        let says = |s: &str| may_be_said(s) && !is_truth(leaf);
        let Some((slot, rule)) = slot.as_ref().filter(|(s, _)| says(s)).cloned() else {
            self.beside(node, leaf, &called, slot.as_ref().map(|(s, _)| s.as_str()));
            return self.seen(node, leaf, slot.as_ref().map(|(s, _)| s.as_str()));
        };
        let Some(text) = leaf.text() else { return };
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
    fn beside(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, called: &Called, slot: Option<&str>) {
        // What a service calls an event is no observation of a program.
        let slot = slot.filter(|s| leaf.side == Side::Client || *s != TELEMETRY_SLOT);
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
        if !slot.is_none_or(changes)
            || leaf.form == Form::Plain
            || node.scope() == 0
            || !may_say(node, leaf, called)
        {
            return self.in_head(node, leaf);
        }
        let Some(text) = leaf.text().filter(|t| !is_fallback(t)) else { return };
        let sentence = aside::sentence(text);
        if sentence.is_none() {
            self.spelled_out(node, leaf, text);
        }
        // A name or a state of few words is one.
        if sentence.is_none() && slot.is_some_and(|s| s != TOPIC_SLOT) {
            return;
        }
        // What a file is called says what was sent, wherever it is told.
        if let Some(natural) = sentence.filter(|_| slot == Some(FILE_SLOT)) {
            let record = self.evidence(node, leaf, aside::kind(natural), Strength::Strong, Polarity::Neutral);
            self.said_aside(node, leaf, record);
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
        if sentence.is_some() && aside::may_be_said(text) {
            message.speech.ask(&e);
        }
        match sentence {
            Some(_) if message.beside.len() < SENTENCES => message.beside.push(e),
            Some(_) => message.words.full = true,
            None => message.words.few(e),
        }
    }

    /// A sentence for a notification or a count: the same one each time says nothing.
    fn noticed(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let text = leaf.text().unwrap_or_default();
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
    pub(super) fn said_aside(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, record: Evidence) {
        let field = &record.origin.field;
        let last = field.rsplit(['.', '>']).next().unwrap_or("").to_ascii_lowercase();
        let remark = leaf.side == Side::Server && REMARKS.iter().any(|r| last.starts_with(r));
        if remark || is_form(field, leaf.side) {
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

/// Whether a field of XMPP is of what is asked and answered about a server or a person, or of a state: forms, lists of
/// contacts and rooms, cards, moods.
fn is_form(field: &str, side: Side) -> bool {
    let Some((stanza @ ("iq" | "presence"), rest)) = field.split_once('.') else { return false };
    // What a server answers is of its own.
    let own = stanza == "iq" && side == Side::Server && rest.starts_with("query");
    own || rest.split('.').any(|name| FORMS.contains(&name.trim_start_matches('@')))
}

/// Elements of such requests and answers (XEP-0004, XEP-0048, XEP-0054, XEP-0092, XEP-0107, XEP-0108, XEP-0118, XEP-0145,
/// XEP-0172, XEP-0292 and others), and attributes.
const FORMS: [&str; 20] = [
    "x",
    "error",
    "status",
    "show",
    "vCard",
    "vcard",
    "mood",
    "activity",
    "tune",
    "nick",
    "conference",
    "storage",
    "identity",
    "instructions",
    "command",
    "bind",
    "reason",
    "item",
    "name",
    "version",
];

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

/// The kind of field that says what a group, or a mail, is about.
const TOPIC_SLOT: &str = "topic";
/// The kind of field that holds what a program observes.
const TELEMETRY_SLOT: &str = "telemetry";
/// Kinds of field that are about somebody or something, and stay the same from message to message.
const ABOUT: [&str; 6] = [TOPIC_SLOT, "profile", "status", "device-name", "identifier", FILE_SLOT];
/// The kind of field that holds the name of a file.
const FILE_SLOT: &str = "file-name";
/// Fields of a service's answers that hold remarks.
const REMARKS: [&str; 8] = ["error", "reason", "detail", "desc", "hint", "help", "title", "label"];
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
fn may_say(node: &NodeRef<'_>, leaf: &Leaf<'_>, called: &Called) -> bool {
    let carrier = || node.layers().find(|s| s.family != Family::Codec).map_or("", |s| s.name);
    let made_up = |header: Header| {
        let own =
            || leaf.side == Side::Client && carrier().starts_with("http") || MADE_UP.contains(&carrier());
        header == Header::MadeUp || header == Header::Named && is_long(leaf.bytes) && own()
    };
    let free = |field: &str| FREE.contains(&field) || field.starts_with("option.");
    let [inner, _] = called.headers;
    let stanza = || node.layers().next().is_some_and(|s| s.name == "xmpp");
    // What is kept in a store.
    let kept = || leaf.field == "value" && carrier() == "resp";
    match node.family() {
        Some(Family::Codec) => called.headers.iter().all(|h| *h == Header::No || made_up(*h)),
        // The channel of a message broker is an address, and what an event is called a name: neither has spaces.
        Some(Family::App) => {
            made_up(inner)
                || stanza()
                || kept()
                || NAMED_APART.contains(&leaf.field) && leaf.bytes.contains(&b' ')
                || free(leaf.field) && is_long(leaf.bytes)
        }
        Some(Family::Secure | Family::Envelope) => false,
        None => leaf.side == Side::Client && !node.path().is_empty(),
    }
}
