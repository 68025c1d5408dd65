//! Fields that anybody reads who gets so far: what is said in them, and what is not known to be said.

use super::collector::Collector;
use super::message::{BESIDE_SLOT, is_message_slot, may_be_said};
use super::randomness::{self, Cipher};
use super::{Content, Evidence, Kind, Polarity, Strength};
use crate::layers::envelope::grammar::notice::is_fallback;
use crate::model::{Arrival, Side, Trust};
use crate::peel::{Family, Form, Leaf, NodeRef};
use crate::ruleset::language;

/// Words that make a sentence in a field of unknown kind.
const SENTENCE: usize = 4;
/// Characters of a script without spaces that make one.
const UNSPACED: usize = 8;
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
        self.told_purpose(node, leaf);
        let Some((slot, rule)) = slot.as_ref().filter(|(s, _)| may_be_said(s)).cloned() else {
            self.beside(node, leaf, slot.as_ref().map(|(s, _)| s.as_str()));
            return self.seen(node, leaf, slot.as_ref().map(|(s, _)| s.as_str()));
        };
        let Ok(text) = std::str::from_utf8(leaf.bytes) else { return };
        self.turned_text(node, leaf);
        let natural = language::natural(text);
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
        if leaf.side != Side::Server || node.scope() == 0 || !leaf.field.starts_with("$.") {
            return;
        }
        let carrier = node.layers().find(|s| s.family == Family::App).map_or("", |s| s.name);
        if matches!(carrier, "http1" | "http2" | "http3") && node.field().is_empty() {
            self.message(node, leaf.at).answer.take(leaf.field, leaf.bytes);
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

    /// A sentence in a field that no rule knows. Beside ciphertext nobody can say that it is no part of what was
    /// sealed.
    fn beside(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<&str>) {
        if slot.is_some() || leaf.form != Form::Text || node.scope() == 0 || !may_say(node, leaf.field) {
            return;
        }
        let Some(text) = std::str::from_utf8(leaf.bytes).ok().filter(|t| is_long(t)) else { return };
        let natural = language::natural(text);
        if natural < 0.8 || node.trust() == Trust::Guessed || is_fallback(text) {
            return;
        }
        let kind = Kind::Readable {
            slot: BESIDE_SLOT.to_owned(),
            rule: String::new(),
            language_percent: (natural * 100.0) as u8,
        };
        let e = self.evidence(node, leaf, kind, Strength::Strong, Polarity::Neutral);
        let message = self.message(node, leaf.at);
        if message.beside.len() < SENTENCES {
            message.beside.push(e);
        }
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

/// Whether a field of this layer may hold what a person wrote, though no rule knows it: in structured data, in a
/// stanza, and in a header that an application made up.
fn may_say(node: &NodeRef<'_>, field: &str) -> bool {
    let stanza = || node.layers().next().is_some_and(|s| s.name == "xmpp");
    match node.family() {
        Some(Family::Codec) => ![node.field(), field].iter().any(|f| f.contains("header.")),
        Some(Family::App) => field.starts_with("header.x-") || stanza(),
        _ => false,
    }
}

/// Whether a text is long enough to be a sentence.
fn is_long(text: &str) -> bool {
    text.split_ascii_whitespace().nth(SENTENCE - 1).is_some()
        || text.chars().filter(|c| *c >= '\u{3000}').nth(UNSPACED - 1).is_some()
}
