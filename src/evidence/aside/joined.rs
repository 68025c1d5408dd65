//! Sentences that are written like a name (`meet-me-at-the-station`, `MeetMeAtTheStation`), and those in places where
//! nobody would look for one: the path, the names and the values of a request's head. Programs have names of many words
//! too, so they tell only where they differ from message to message.

use super::super::collector::Collector;
use super::super::{Evidence, Kind, Polarity, Strength};
use super::{BESIDE_SLOT, Near, sentence};
use crate::model::{Side, digest16};
use crate::peel::{Family, Leaf, NodeRef};

/// The rule that stands for them.
pub const JOINED: &str = "joined-words";

/// Words that make such a sentence, and those that are needed where programs name what they do (`SendMessageToGroup`).
const WORDS: usize = 4;
const WORDS_OF_A_PATH: usize = 5;
/// Shortest and longest.
const LENGTH: std::ops::RangeInclusive<usize> = 12..=512;

/// What parts words of a name.
fn is_joint(b: u8) -> bool {
    matches!(b, b'-' | b'_' | b'.' | b'+' | b'~' | b'/')
}

/// Whether there may be so many words: a glance, for most texts have none.
fn may_join(text: &[u8]) -> bool {
    let joints = |text: &[u8]| {
        let parted = text.iter().filter(|b| is_joint(**b)).count();
        parted.max(text.windows(2).filter(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase()).count())
    };
    LENGTH.contains(&text.len()) && joints(text) >= WORDS - 1
}

/// The sentence that a name spells out, in words.
pub(in super::super) fn spelled(name: &str) -> Option<String> {
    // A look for a space is the fastest.
    if name.contains(' ') || !may_join(name.as_bytes()) || name.contains(char::is_whitespace) {
        return None;
    }
    let parted = name.bytes().filter(|b| is_joint(*b)).count() >= WORDS - 1;
    if !parted && !is_camel(name) {
        return None;
    }
    let mut text = String::with_capacity(name.len() + 16);
    let mut small = false;
    for c in name.chars() {
        match c {
            c if c.is_ascii() && is_joint(c as u8) => text.push(' '),
            c if !parted && small && c.is_uppercase() => text.extend([' ', c]),
            c => text.push(c),
        }
        small = c.is_lowercase();
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let letters: usize = words.iter().map(|w| w.chars().count()).sum();
    // Random letters have humps, too, and seldom a vowel in each word.
    let voiced = words.iter().filter(|w| w.chars().any(is_vowel)).count();
    let spoken = voiced * 4 >= words.len() * 3 && (parted || voiced == words.len());
    let joins = words.iter().any(|w| joins(w));
    let said = words.len() >= WORDS && letters >= words.len() * 5 / 2 && spoken && joins;
    (said && sentence(&text).is_some()).then_some(text)
}

/// Whether capitals begin words and nothing else, one of them being a word by itself, and all is letters.
fn is_camel(name: &str) -> bool {
    let capitals = name.as_bytes().windows(2).all(|w| match w {
        [b'I' | b'A', b'A'..=b'Z'] => true,
        [a, b] => !(a.is_ascii_uppercase() && b.is_ascii_uppercase()),
        _ => true,
    });
    capitals && !name.bytes().any(|b| b.is_ascii_digit())
}

fn is_vowel(c: char) -> bool {
    !c.is_ascii() && c.is_alphabetic() || "aeiouy".contains(c.to_ascii_lowercase())
}

/// Whether a word is one that joins others: of two letters, or among the most frequent ones of three.
fn joins(word: &str) -> bool {
    let word = word.to_lowercase();
    match word.chars().count() {
        2 => {
            word.chars().all(char::is_alphabetic)
                && word.chars().any(is_vowel)
                && !PARTS.contains(&word.as_str())
        }
        3 => JOINING.contains(&word.as_str()),
        _ => false,
    }
}

/// Short words of programs' names.
const PARTS: [&str; 8] = ["id", "ui", "ip", "os", "io", "db", "js", "ws"];
/// Words of three letters that people cannot do without.
const JOINING: [&str; 36] = [
    "the", "and", "you", "for", "not", "can", "her", "his", "she", "who", "why", "how", "are", "but", "our",
    "was", "der", "die", "das", "und", "ich", "wir", "ist", "mit", "los", "las", "les", "des", "une", "per",
    "con", "por", "que", "pas", "het", "een",
];

/// What stands between signs in the value of a header, and may be a sentence.
fn pieces(value: &str) -> impl Iterator<Item = &str> {
    value.split([';', ',', '"', '(', ')', '=', '\'', '<', '>'])
}

impl Collector {
    /// A name that spells a sentence out as the value of a field.
    pub(in super::super) fn spelled_out(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, text: &str) {
        // The ending of a file's name is no word.
        let stem = text.rsplit_once('.').filter(|(_, end)| end.len() <= 4).map_or(text, |(stem, _)| stem);
        if spelled(stem).is_some() {
            self.hidden(node, leaf, stem);
        }
    }

    /// The head of a request or of a message, in fields that no text belongs in.
    pub(in super::super) fn in_head(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        if node.scope() == 0 || !matches!(node.family(), Some(Family::App | Family::Codec)) {
            return;
        }
        let field = if leaf.field.is_empty() { node.field() } else { leaf.field };
        let of = match field {
            "target" if leaf.side == Side::Client => Head::Target,
            "channel" | "event" | "id" => Head::Name,
            _ if field.starts_with("header.") => Head::Header,
            _ => return,
        };
        if of != Head::Name && !node.layers().any(|s| s.name.starts_with("http")) {
            return;
        }
        if field.starts_with("header.sec-websocket-") {
            self.message(node, leaf.at).speech.connects = true;
        }
        let long = leaf.bytes.iter().filter(|b| **b == b' ').count() >= WORDS - 1;
        if !(long || may_join(leaf.bytes)) {
            return;
        }
        let Some(value) = leaf.text() else { return };
        let many = |part: &&str| spelled(part).is_some_and(|t| t.split(' ').count() >= WORDS_OF_A_PATH);
        let found = match of {
            Head::Target => value.split(['/', '?', '&', '=', '#']).find(many),
            Head::Name => value.split(['/', '.']).find(many),
            Head::Header => {
                pieces(value).find(|part| long && sentence(part).is_some() || spelled(part).is_some())
            }
        };
        let Some(text) = found else { return };
        self.hidden(node, leaf, text);
        // Files are sent by themselves.
        if field == "header.content-disposition" || of == Head::Target && is_for_files(value) {
            let record = self.hidden_record(node, leaf, text);
            let endpoint = self.endpoint(node);
            self.result.asides.add(&endpoint, Near::Service(leaf.side), record);
        }
    }

    /// The name of a header that spells a sentence out.
    pub(in super::super) fn spelled_header(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let field = if leaf.field.is_empty() { node.field() } else { leaf.field };
        let Some(name) = field.strip_prefix("header.").filter(|n| spelled(n).is_some()) else { return };
        if leaf.side == Side::Client && node.scope() != 0 {
            let record = self.evidence(node, leaf, joined_kind(), Strength::Weak, Polarity::Neutral);
            let mut record = Evidence { shown: self.shared.reveal.then(|| name.to_owned()), ..record };
            record.origin.field = "header".to_owned();
            self.message(node, leaf.at).words.named("header".to_owned(), record, name);
        }
    }

    /// Remembers a part of a field for the sealed messages beside it.
    fn hidden(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, text: &str) {
        let record = self.hidden_record(node, leaf, text);
        let message = self.message(node, leaf.at);
        message.speech.ask(&record);
        message.words.few(record);
    }

    fn hidden_record(&self, node: &NodeRef<'_>, leaf: &Leaf<'_>, text: &str) -> Evidence {
        let mut record = self.evidence(node, leaf, joined_kind(), Strength::Weak, Polarity::Neutral);
        record.origin.digest = digest16(text.as_bytes());
        record
    }
}

/// Where in a head a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    Target,
    Header,
    /// The channel of a broker, what an event is called.
    Name,
}

/// Whether a request's target is about files that are sent.
fn is_for_files(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default().to_ascii_lowercase();
    ["attachment", "upload", "media", "file"].iter().any(|w| path.contains(w))
}

/// What kind of record they make.
pub(in super::super) fn joined_kind() -> Kind {
    Kind::Readable { slot: BESIDE_SLOT.to_owned(), rule: JOINED.to_owned(), language_percent: 0 }
}

/// Whether a record is one of these.
pub(super) fn is_joined(e: &Evidence) -> bool {
    matches!(&e.kind, Kind::Readable { rule, .. } if rule == JOINED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_written_like_names_are_told_from_names() {
        for said in [
            "meet-me-at-the-station",
            "Meet_me_at_the_station_at_five",
            "MeetMeAtTheStationAtFive",
            "the.doctor.said.it.is.nothing.serious",
            "bring+the+blue+folder+tomorrow",
            "wir-treffen-uns-morgen-um-fünf",
            "Не-говори-ему-о-вечеринке",
        ] {
            assert!(spelled(said).is_some(), "{said}");
        }
        for name in [
            "c21680ac-9c63-4ad9-9a58-be7f99861247",
            "com.example.app.ui.MainActivity",
            "destinationDeviceRegistrationId",
            "application/vnd.chat.v2+json",
            "dQw4w9WgXcQaBcDeFgHiJkLm",
            "aGVsbG8gd29ybGQgdGhpcyBpcyBhIHRlc3Q",
            "iTOeMaBuVeINIteLoWAr",
            "en-GB-oxendict-x-private",
            "cool-blue-elephant-42",
            "2026-11-28T02-30-00-000Z",
            "end-to-end",
            "SHA-256-RSA-PSS",
            "!room_alias:server.example.org",
        ] {
            assert!(spelled(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_sentence_in_a_header_stands_between_signs() {
        let found = |value: &str| pieces(value).any(|p| sentence(p).is_some());
        assert!(found("application/json; note=\"Meet me at the station at five\""));
        assert!(found("\"Meet me at the station at five\""));
        for usual in [
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
            "text/html, application/xhtml+xml, image/webp, */*;q=0.8",
            "Tue, 15 Nov 1994 08:12:31 GMT",
            "gzip, deflate, br, zstd",
        ] {
            assert!(!found(usual), "{usual}");
        }
    }
}
