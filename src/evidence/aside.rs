//! Texts in fields of no known kind, over all messages. One may be a label or a remark of the program; when several
//! different ones stand in one place, somebody says them, and beside sealed messages nobody can tell that they
//! are no part of what was sealed. Contents are remembered by digest only. Joining is commutative and
//! associative.

mod joined;
mod words;

use super::kept::{Join, Kept};
use super::purpose::SENT_FILE;
use super::{ConversationKey, Draft, Evidence, Kind, Strength, same_service};
use crate::model::Side;
use crate::ruleset::language;
pub use joined::JOINED;
pub(super) use joined::{joined_kind, spelled};
use std::borrow::Cow;
use std::collections::BTreeSet;
pub(super) use words::Words;

/// The kind of field that they stand in.
pub const BESIDE_SLOT: &str = "unknown";
/// The kind of field that a few words stand in which are the same beside every sealed message.
pub const LABEL_SLOT: &str = "label";

/// Places that are remembered; the first in order.
const PLACES: usize = 8192;
/// Places of one flow.
pub(super) const OF_A_FLOW: usize = 256;
/// Different texts that are enough to know a place by, and equal ones that make a label.
const MOST: usize = 3;

/// Words that make a sentence.
const SENTENCE: usize = 4;
/// Characters of a script without spaces that make one.
const UNSPACED: usize = 8;

/// How a text stands to sealed messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Near {
    /// Words in the same item as an envelope of this conversation.
    Item(ConversationKey),
    /// A sentence at the same service, from this side.
    Service(Side),
    /// What tells by itself that somebody said it, at the same service.
    Said,
    /// A sentence that was sent to be translated, checked or spoken, at whatever service.
    Aid,
    /// A file at the same service that nobody can say of that it was no attachment.
    File,
}

/// Where texts stand: the service, what they are near to, and the field without positions in lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    endpoint: String,
    near: Near,
    layers: String,
    field: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Texts {
    seen: u64,
    digests: BTreeSet<String>,
    first: Evidence,
}

/// All that was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asides(Kept<Place, Texts>);

impl Near {
    /// Whether these texts may be said by somebody. In the item of an envelope only what stays the same from
    /// message to message is a label. What an app says at the service may be a remark of the program, and what a
    /// service says mostly is one.
    fn tells(&self, texts: &Texts) -> bool {
        let different = texts.digests.len();
        match self {
            Near::Item(_) if joined::is_joined(&texts.first) => different > 1,
            Near::Item(_) if texts.first.is_beside() => different > 1 || texts.seen < MOST as u64,
            Near::Item(_) => different > 1,
            Near::Service(Side::Client) | Near::Aid => different > 1,
            Near::Said | Near::File => true,
            Near::Service(Side::Server) => different >= MOST,
        }
    }
}

impl Asides {
    /// Adds a text by its record.
    pub(super) fn add(&mut self, endpoint: &str, near: Near, text: Evidence) {
        let field = without_positions(&text.origin.field);
        let place = Place { endpoint: endpoint.to_owned(), near, layers: text.origin.layers.clone(), field };
        let digests = BTreeSet::from([text.origin.digest.clone()]);
        self.0.add(place, Texts { seen: 1, digests, first: text }, OF_A_FLOW);
    }

    /// Joins what another flow or shard has.
    pub fn merge(&mut self, other: Asides) {
        self.0.merge(other.0, PLACES);
    }

    /// Whether something was left out.
    pub fn is_cut(&self) -> bool {
        self.0.is_cut()
    }

    /// Records of the places where somebody said something, and of labels beside envelopes.
    pub fn evidence(self) -> impl Iterator<Item = Beside> {
        // A name of several words that stays the same is a name.
        let labels = |near: &Near, e: &Evidence| matches!(near, Near::Item(_)) && !joined::is_joined(e);
        let telling = move |(place, texts): &(Place, Texts)| {
            place.near.tells(texts) || labels(&place.near, &texts.first)
        };
        self.0.into_iter().filter(telling).map(|(place, texts)| {
            let count = texts.digests.len() as u64;
            let label = !place.near.tells(&texts);
            let mut evidence = Evidence { count, ..texts.first };
            if label {
                evidence.kind = label_kind();
                evidence.strength = Strength::Weak;
                evidence.count = texts.seen;
            }
            Beside { service: place.endpoint, near: place.near, evidence }
        })
    }
}

/// What stands beside sealed messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    service: String,
    near: Near,
    /// The record for the conversations that it concerns.
    pub evidence: Evidence,
}

/// Time around a conversation in which what is sent to be translated or checked may be of it, in nanoseconds.
const AROUND: i64 = 300_000_000_000;

impl Beside {
    /// A file that went to this service by a way that does not say what for.
    pub(super) fn file(service: String, evidence: Evidence) -> Self {
        Self { service, near: Near::File, evidence }
    }

    /// Whether it is a file.
    pub fn is_file(&self) -> bool {
        self.near == Near::File
    }

    /// The same where messages in clear pass the service, too: the file may be one of theirs and takes no claim away.
    /// But the service has it, and nobody can say that none of the sealed messages came with it.
    pub fn learned(mut self) -> Self {
        self.evidence.kind = Kind::Metadata { item: SENT_FILE.to_owned(), rule: SENT_FILE.to_owned() };
        self
    }

    /// Whether it takes the claim of these sealed messages away, or is a label beside them.
    pub fn concerns(&self, draft: &Draft) -> bool {
        match &self.near {
            Near::Item(key) => draft.key == *key,
            Near::Service(_) | Near::Said | Near::File => same_service(&draft.key.endpoint, &self.service),
            Near::Aid => {
                let time = self.evidence.origin.time.0;
                !same_service(&draft.key.endpoint, &self.service)
                    && (draft.first.0.saturating_sub(AROUND)..=draft.last.0.saturating_add(AROUND))
                        .contains(&time)
            }
        }
    }
}

fn label_kind() -> Kind {
    Kind::Readable { slot: LABEL_SLOT.to_owned(), rule: String::new(), language_percent: 0 }
}

impl Join for Texts {
    fn join(&mut self, other: Texts) {
        self.seen += other.seen;
        self.digests.extend(other.digests);
        while self.digests.len() > MOST {
            self.digests.pop_last();
        }
        let order = |e: &Evidence| (e.origin.time, e.origin.clone());
        if order(&other.first) < order(&self.first) {
            self.first = other.first;
        }
    }
}

/// What kind of record a text in a field of no known kind makes.
pub(super) fn kind(natural: f32) -> Kind {
    Kind::Readable {
        slot: BESIDE_SLOT.to_owned(),
        rule: String::new(),
        language_percent: (natural * 100.0) as u8,
    }
}

/// How much a text reads like a sentence, if it is long enough for one: the whole, or a cell of a table's row.
pub(super) fn sentence(text: &str) -> Option<f32> {
    if !may_be_sentence(text) {
        return None;
    }
    let parted = |text: &str| text.contains(['"', '\t', '|', ',', ';']);
    one_sentence(text).or_else(|| parted(text).then(|| cells(text).find_map(one_sentence)).flatten())
}

/// A glance, for most texts are none: gaps between words, tags, or characters of a script without spaces.
fn may_be_sentence(text: &str) -> bool {
    let gap = |b: &u8| b.is_ascii_whitespace() || *b == b'<';
    text.bytes().filter(gap).nth(SENTENCE - 2).is_some() || text.bytes().any(|b| b >= UNSPACED_LEAD)
}

/// The first octet in UTF-8 of U+3000 and what follows it.
const UNSPACED_LEAD: u8 = 0xe3;

/// Parts of a row: between quotes, tabs and bars, and commas and semicolons that no space follows.
fn cells(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(['"', '\t', '|']);
    parts.flat_map(|part| {
        let marks = part.match_indices([',', ';']).filter(|(at, _)| !part[at + 1..].starts_with(' '));
        let mut ends: Vec<usize> = marks.map(|(at, _)| at).collect();
        ends.push(part.len());
        let starts = std::iter::once(0).chain(ends.clone().into_iter().map(|end| end + 1));
        starts.zip(ends).map(|(from, to)| part.get(from..to).unwrap_or_default())
    })
}

/// Markup is passed over.
fn one_sentence(text: &str) -> Option<f32> {
    let plain = without_markup(text);
    let long = plain.split_ascii_whitespace().nth(SENTENCE - 1).is_some()
        || plain.chars().filter(|c| *c >= '\u{3000}').nth(UNSPACED - 1).is_some();
    let natural = if long { language::natural(&plain) } else { 0.0 };
    (natural >= 0.8).then_some(natural)
}

/// Whether a text is one word in small letters or with its first one large.
pub(super) fn is_word(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(char::is_alphabetic)
        && letters.all(|c| {
            c.is_alphabetic() && !c.is_uppercase() || matches!(c, '\'' | '’' | '-' | ',' | '.' | '!' | '?')
        })
}

/// Whether a text is of words that somebody may have said: two and more, not all of them written like names.
pub(super) fn may_be_said(text: &str) -> bool {
    let is_word =
        |w: &&str| w.chars().any(char::is_alphabetic) && !w.contains(['/', '=', '_', '@', '{', '<']);
    let words: Vec<&str> = text.split_whitespace().filter(is_word).collect();
    let unspaced = text.chars().filter(|c| *c >= '\u{3000}').count() >= UNSPACED / 2;
    let plain = |w: &&str| {
        let word = w.trim_end_matches(|c: char| c.is_ascii_punctuation());
        word.chars().all(|c| c.is_alphabetic() && !c.is_uppercase() || matches!(c, '\'' | '’' | '-'))
    };
    let large = |w: Option<&&str>| w.is_some_and(|w| w.starts_with(char::is_uppercase));
    // Names have small words inside: de, van der, bin.
    let particle = |w: &&str| !plain(w) || w.chars().count() <= 3;
    let name = words.len() > 2 && large(words.first()) && large(words.last()) && words.iter().all(particle);
    unspaced || words.len() >= 2 && words.iter().any(plain) && !name
}

/// Whether a character takes no room: joiners, marks of direction, soft hyphens.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// A text without its tags, and without what nobody sees.
fn without_markup(text: &str) -> Cow<'_, str> {
    let tagged = text.contains('<') && text.contains('>');
    if !tagged && (text.is_ascii() || !text.contains(is_unseen)) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match c {
            _ if is_unseen(c) => {}
            _ if !tagged => plain.push(c),
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                plain.push(' ');
            }
            _ if !inside => plain.push(c),
            _ => {}
        }
    }
    plain.into()
}

/// Whether a field is one of several that differ by their number.
pub(super) fn has_position(field: &str) -> bool {
    field.ends_with(']') || field.ends_with(|c: char| c.is_ascii_digit())
}

/// The path of a field without positions in lists and numbers behind names.
pub(super) fn without_positions(field: &str) -> String {
    let mut path = String::with_capacity(field.len());
    let mut letters = field.chars().peekable();
    while let Some(c) = letters.next() {
        path.push(c);
        let behind_name = c.is_ascii_alphabetic() || c == '[' || c == '_';
        while behind_name && letters.next_if(char::is_ascii_digit).is_some() {}
    }
    path
}

#[cfg(test)]
mod tests;
