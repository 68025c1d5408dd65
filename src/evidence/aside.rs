//! Texts in fields of no known kind, over all messages. One may be a label or a remark of the program; when several
//! different ones stand in one place, somebody says them, and beside sealed messages nobody can tell that they
//! are no part of what was sealed. Contents are remembered by digest only. Joining is commutative and
//! associative.

use super::{ConversationKey, Evidence, Kind, Strength};
use crate::model::{Origin, Side, digest16};
use crate::ruleset::language;
use std::collections::{BTreeMap, BTreeSet};

/// The kind of field that they stand in.
pub const BESIDE_SLOT: &str = "unknown";

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
pub struct Asides {
    places: BTreeMap<Place, Texts>,
    /// Places that had to give way.
    cut: bool,
}

impl Near {
    /// Whether these texts may be said by somebody. In the item of an envelope only what stays the same from
    /// message to message is a label. What an app says at the service may be a remark of the program, and what a
    /// service says mostly is one.
    fn tells(&self, texts: &Texts) -> bool {
        let different = texts.digests.len();
        match self {
            Near::Item(_) => different > 1 || texts.seen < MOST as u64,
            Near::Service(Side::Client) => different > 1,
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
        self.join(place, Texts { seen: 1, digests, first: text }, OF_A_FLOW);
    }

    fn join(&mut self, place: Place, texts: Texts, most: usize) {
        match self.places.get_mut(&place) {
            Some(known) => known.merge(texts),
            None => {
                self.places.insert(place, texts);
            }
        }
        if self.places.len() > most {
            self.cut = true;
            self.places.pop_last();
        }
    }

    /// Joins what another flow or shard has.
    pub fn merge(&mut self, other: Asides) {
        self.cut |= other.cut;
        for (place, texts) in other.places {
            self.join(place, texts, PLACES);
        }
    }

    /// Whether something was left out.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Records of the places where several texts stood, each with its service and, where they stood in the item of
    /// an envelope, its conversation.
    pub fn evidence(self) -> impl Iterator<Item = (String, Option<ConversationKey>, Evidence)> {
        let telling = |(place, texts): &(Place, Texts)| place.near.tells(texts);
        self.places.into_iter().filter(telling).map(|(place, texts)| {
            let conversation = match place.near {
                Near::Item(key) => Some(key),
                Near::Service(_) => None,
            };
            let count = texts.digests.len() as u64;
            (place.endpoint, conversation, Evidence { count, ..texts.first })
        })
    }
}

impl Texts {
    fn merge(&mut self, other: Texts) {
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

/// Words in fields of no known kind of one message.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    few: Vec<Evidence>,
    /// Words that stand each in a place of its own of a list, or of fields with numbers.
    lists: Vec<(String, Evidence, Vec<String>)>,
    /// Something was not kept: an envelope in the same message claims nothing.
    pub full: bool,
}

/// Records of a few words, lists, and words of a list that are kept of one message.
const KEPT: usize = 16;
const LISTED: usize = 64;

impl Words {
    /// A few words in one field.
    pub fn few(&mut self, record: Evidence) {
        if self.few.len() < KEPT {
            self.few.push(record);
        } else {
            self.full = true;
        }
    }

    /// One word of several at places that differ by their number. True if it is the first, whose record is wanted.
    pub fn is_first(&mut self, place: &str, word: &str) -> bool {
        let begun = self.lists.len();
        match self.lists.iter_mut().find(|(known, ..)| known == place) {
            Some((_, _, words)) if words.len() < LISTED => words.push(word.to_owned()),
            None if begun < KEPT => return true,
            _ => self.full = true,
        }
        false
    }

    /// Begins a list.
    pub fn begin(&mut self, place: String, mut record: Evidence, word: &str) {
        // The list is part of its item, and no item itself.
        if record.origin.field.ends_with(']')
            && let Some(at) = record.origin.field.rfind('[')
        {
            record.origin.field.truncate(at);
        }
        self.lists.push((place, record, vec![word.to_owned()]));
    }

    /// Lists that make a sentence.
    pub fn sentences(&self) -> impl Iterator<Item = Evidence> {
        // Words without those that join them are no sentence.
        let said = |(_, record, words): &(String, Evidence, Vec<String>)| {
            let text = words.join(" ");
            let joined = words.iter().any(|w| w.chars().count() <= 2);
            let natural = sentence(&text).filter(|_| joined)?;
            let origin = Origin { digest: digest16(text.as_bytes()), ..record.origin.clone() };
            Some(Evidence { kind: kind(natural), strength: Strength::Strong, origin, ..record.clone() })
        };
        self.lists.iter().filter_map(said).collect::<Vec<_>>().into_iter()
    }

    /// Everything that is too little to tell alone.
    pub fn all(&self) -> Vec<Evidence> {
        let lists = self.lists.iter().filter(|(_, _, words)| words.len() >= 2).map(|(_, record, words)| {
            let origin = Origin { digest: digest16(words.join(" ").as_bytes()), ..record.origin.clone() };
            Evidence { origin, ..record.clone() }
        });
        self.few.iter().cloned().chain(lists).collect()
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

/// How much a text reads like a sentence, if it is long enough for one. Markup is passed over.
pub(super) fn sentence(text: &str) -> Option<f32> {
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

/// A text without its tags.
fn without_markup(text: &str) -> String {
    if !text.contains('<') || !text.contains('>') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                plain.push(' ');
            }
            _ if !inside => plain.push(c),
            _ => {}
        }
    }
    plain
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
mod tests {
    use super::*;
    use crate::evidence::{Content, Polarity};

    #[test]
    fn markup_is_no_part_of_a_sentence_and_labels_are_none() {
        assert!(sentence("<p>Meet me at the <b>station</b> at five</p>").is_some());
        assert!(sentence("我们明天五点在车站见面").is_some());
        assert!(sentence("Meet me").is_none() && sentence("a < b").is_none());
    }

    #[test]
    fn a_few_words_may_be_said_and_names_and_identifiers_are_not() {
        for said in ["meet me", "The doctor", "ok see u tmrw at 5", "call 555-0199 now", "明天见面"] {
            assert!(may_be_said(said), "{said}");
        }
        for other in [
            "Henrik Olsen",
            "Eva van der Vries",
            "4711",
            "c0ffee00-1111",
            "text/html; charset",
            "Pixel 8",
            "en-GB",
            "sent",
        ] {
            assert!(!may_be_said(other), "{other}");
        }
    }

    fn record(field: &str, text: &str, at: i64) -> Evidence {
        let origin = Origin {
            field: field.into(),
            digest: digest16(text.as_bytes()),
            ..Origin::at(crate::model::Timestamp(at))
        };
        Evidence {
            kind: kind(0.9),
            strength: Strength::Strong,
            polarity: Polarity::Neutral,
            guard: crate::peel::Guard::Open,
            origin,
            count: 1,
            shown: None,
        }
    }

    #[test]
    fn one_text_tells_nothing_and_several_in_one_place_do_in_any_order() {
        let telling = |texts: &[&str], side: Side| {
            let each = |(at, text): (usize, &&str)| {
                let mut one = Asides::default();
                one.add("a:1", Near::Service(side), record(&format!("$.list[{at}].x"), text, at as i64));
                one
            };
            let all: Vec<Asides> = texts.iter().enumerate().map(each).collect();
            let join = |parts: Vec<Asides>| {
                parts.into_iter().fold(Asides::default(), |mut sum, part| {
                    sum.merge(part);
                    sum
                })
            };
            let forwards = join(all.clone());
            assert_eq!(forwards, join(all.into_iter().rev().collect()));
            forwards.evidence().map(|(service, _, e)| (service, e.count, e.origin.time.0)).collect::<Vec<_>>()
        };
        assert_eq!(telling(&["one", "one", "one"], Side::Client), []);
        assert_eq!(telling(&["one", "two", "one"], Side::Client), [("a:1".to_owned(), 2, 0)]);
        assert_eq!(telling(&["one", "two", "one"], Side::Server), []);
        assert_eq!(telling(&["one", "two", "six", "ten"], Side::Server), [("a:1".to_owned(), 3, 0)]);
    }

    #[test]
    fn in_the_item_of_an_envelope_only_what_stays_the_same_is_a_label() {
        let tells = |texts: &[&str]| {
            let content = Content::Envelope("P".into());
            let key = ConversationKey { endpoint: "a:1".into(), path: "http1".into(), content };
            let mut asides = Asides::default();
            texts.iter().for_each(|t| asides.add("a:1", Near::Item(key.clone()), record("$.x", t, 0)));
            asides.evidence().count() == 1
        };
        assert!(tells(&["meet me"]) && tells(&["one", "one"]) && tells(&["one", "one", "one", "two"]));
        assert!(!tells(&["one", "one", "one"]));
    }

    #[test]
    fn places_beyond_the_bound_are_said_to_be_left_out() {
        let mut asides = Asides::default();
        for n in 0..OF_A_FLOW + 1 {
            assert!(!asides.is_cut(), "{n}");
            asides.add(&format!("{n}:1"), Near::Service(Side::Client), record("x", "one", 0));
        }
        assert!(asides.is_cut());
    }

    #[test]
    fn places_are_the_same_at_any_position() {
        assert_eq!(without_positions("$.a[12].words[3]"), "$.a[].words[]");
        assert_eq!(without_positions("$.p17"), "$.p");
        assert_eq!(without_positions("header.x-preview>"), "header.x-preview>");
    }
}
