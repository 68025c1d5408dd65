//! Pictures, recordings and documents that a device sends in clear to a service with sealed messages, by a way that does
//! not say what for. A portrait of somebody, or of a room, goes that way as well: what becomes one afterwards is known
//! by the name that the service gave it. Of the rest nobody can say that it was no attachment. Joining is commutative
//! and associative.

use super::aside::Beside;
use super::collector::Collector;
use super::kept::Kept;
use super::message::is_message_slot;
use super::purpose::SENT_FILE;
use super::sink::join_fields;
use super::speech::words;
use super::{Evidence, Kind, Polarity, Strength, aside, same_service};
use crate::model::{Side, digest16};
use crate::peel::{Family, Leaf, NodeRef};
use std::collections::{BTreeMap, BTreeSet};

/// Files of an audit and of a flow, names that the service gave to one, and portraits.
const FILES: usize = 1024;
const OF_A_FLOW: usize = 64;
const NAMES: usize = 24;
const PORTRAITS: usize = 8192;
/// Shortest and longest name that is told from a word.
const NAME: std::ops::RangeInclusive<usize> = 6..=512;

/// A file that was sent, and by which names the service knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct File {
    pub evidence: Evidence,
    pub names: BTreeSet<String>,
}

/// Files that were sent, and names of portraits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uploads {
    /// With their service.
    files: Kept<(String, File)>,
    /// Digests of the names, with the service. One that is forgotten only leaves its file unexplained.
    portraits: Kept<(String, String)>,
}

impl Uploads {
    pub(super) fn file(&mut self, service: &str, file: File) {
        self.files.add((service.to_owned(), file), (), OF_A_FLOW);
    }

    /// Joins what another flow or shard has.
    pub fn merge(&mut self, other: Uploads) {
        self.files.merge(other.files, FILES);
        self.portraits.merge(other.portraits, PORTRAITS);
    }

    /// Whether a file was left out.
    pub fn is_cut(&self) -> bool {
        self.files.is_cut()
    }

    /// Files that did not become a portrait, each with a record for the sealed messages of its service.
    pub fn unexplained(self) -> impl Iterator<Item = Beside> {
        let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for ((service, name), ()) in self.portraits.into_iter() {
            by_name.entry(name).or_default().push(service);
        }
        let portrait = move |(service, file): &(String, File)| {
            let known = file.names.iter().filter_map(|n| by_name.get(n));
            known.flatten().any(|there| same_service(there, service))
        };
        let files = self.files.into_iter().map(|(file, ())| file);
        files.filter(move |file| !portrait(file)).map(|(service, file)| Beside::file(service, file.evidence))
    }
}

impl Collector {
    /// A file that went a way that does not say what for.
    pub(super) fn uploaded(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let kind = Kind::Readable {
            slot: aside::BESIDE_SLOT.to_owned(),
            rule: SENT_FILE.to_owned(),
            language_percent: 0,
        };
        let evidence = self.evidence(node, leaf, kind, Strength::Strong, Polarity::Neutral);
        let path = node.label("path").unwrap_or_default();
        let names = names_in(path.split('?').next().unwrap_or_default()).collect();
        self.message(node, leaf.at).uploads.push(File { evidence, names });
    }

    /// A file inside of a field, in an encoding that was guessed at.
    pub(super) fn uploaded_inside(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let path = node.label("path").unwrap_or_default();
        if !is_portrait(node.field()) && !is_portrait(path) {
            self.uploaded(node, leaf);
        }
    }

    /// What a service calls a file that it got, and what an app makes a portrait.
    pub(super) fn file_named(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<&str>) {
        let place = leaf.field.ends_with("header.location");
        let stanza = node.spec().is_some_and(|s| s.name == "xmpp");
        let inside = (node.family() == Some(Family::Codec) || stanza) && !leaf.field.contains("header.");
        if node.scope() == 0 || !(inside || place) || !NAME.contains(&leaf.bytes.len()) {
            return;
        }
        let Some(value) = leaf.text() else { return };
        match leaf.side {
            Side::Server => {
                // The answer to what was sent last.
                let Some(sent) = self.messages.iter_mut().rfind(|m| !m.uploads.is_empty()) else { return };
                if *sent.answered.get_or_insert(node.scope()) == node.scope() {
                    for file in sent.uploads.iter_mut().filter(|f| f.names.len() < NAMES) {
                        file.names.extend(names_in(value));
                    }
                }
            }
            Side::Client if value.contains(' ') => {}
            Side::Client => {
                let field = join_fields(node.field(), leaf.field);
                let path = node.label("path").unwrap_or_default();
                let last = field.rsplit(['.', '>']).next().unwrap_or_default().to_ascii_lowercase();
                let picture = PICTURES.iter().any(|w| last.contains(w));
                let way = path.split('?').next().unwrap_or_default();
                // What a message in clear names is part of that message, and of no sealed one.
                let named = is_message_slot(slot) || stanza && field.ends_with(".x.url");
                if named || is_portrait(&field) || picture && is_portrait(way) {
                    let service = self.endpoint(node);
                    let names: Vec<String> = names_in(value).collect();
                    let portraits = &mut self.result.uploads.portraits;
                    for name in names {
                        portraits.add((service.clone(), name), (), OF_A_FLOW * 4);
                    }
                }
            }
        }
    }
}

/// The names that a value gives: itself, the path of a link, and the last part of either; by digest.
fn names_in(value: &str) -> impl Iterator<Item = String> {
    let last = value.rsplit('/').next().filter(|l| l.len() < value.len() && NAME.contains(&l.len()));
    let whole = Some(value).filter(|v| NAME.contains(&v.len()));
    let path = value.split_once("://").and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)));
    let path = path.filter(|p| NAME.contains(&p.len()));
    whole.into_iter().chain(path).chain(last).map(|v| digest16(v.as_bytes())).collect::<Vec<_>>().into_iter()
}

/// Whether a path or a field is about a picture that stands for somebody or something.
pub(super) fn is_portrait(place: &str) -> bool {
    let lower = place.to_ascii_lowercase();
    let word = |w: String| SHORT.contains(&w.strip_suffix('s').unwrap_or(&w));
    WORDS.iter().any(|w| lower.contains(w)) || words(place).any(word)
}

/// Words for pictures that are about somebody or something and no message; the short ones are parts of others, too.
const WORDS: [&str; 7] = ["avatar", "profile", "sticker", "emoji", "banner", "wallpaper", "favicon"];
const SHORT: [&str; 3] = ["icon", "emote", "logo"];

/// Words in the names of fields with the name of a picture, where the request is about a portrait.
const PICTURES: [&str; 9] = ["photo", "picture", "image", "url", "uri", "media", "file", "key", "id"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Origin, Timestamp};
    use crate::peel::Guard;

    fn file(at: i64, names: &[&str]) -> File {
        let evidence = Evidence {
            kind: Kind::Readable {
                slot: aside::BESIDE_SLOT.into(),
                rule: SENT_FILE.into(),
                language_percent: 0,
            },
            strength: Strength::Strong,
            polarity: Polarity::Neutral,
            guard: Guard::Open,
            origin: Origin::at(Timestamp(at)),
            count: 1,
            shown: None,
        };
        File { evidence, names: names.iter().flat_map(|n| names_in(n)).collect() }
    }

    #[test]
    fn what_became_a_portrait_is_explained_in_any_order_and_the_rest_is_not() {
        let mut sent = Uploads::default();
        sent.file("a.chat.test:1", file(1, &["mxc://hs/AbCdEf"]));
        sent.file("a.chat.test:1", file(2, &["mxc://hs/Other1"]));
        let mut told = Uploads::default();
        for name in names_in("https://cdn.chat.test/AbCdEf") {
            told.portraits.add(("b.chat.test:2".into(), name), (), PORTRAITS);
        }
        let join = |mut a: Uploads, b: Uploads| {
            a.merge(b);
            a
        };
        let one = join(sent.clone(), told.clone());
        assert_eq!(one, join(told, sent));
        let left: Vec<i64> = one.unexplained().map(|u| u.evidence.origin.time.0).collect();
        assert_eq!(left, [2]);
    }

    #[test]
    fn short_words_for_portraits_are_words_of_their_own() {
        for place in
            ["/v1/me/avatar", "$.profilePhoto", "/rooms/7/icons", "$.roomIcon", "/emote/1", "userLogo"]
        {
            assert!(is_portrait(place), "{place}");
        }
        for place in ["/remote/upload", "/silicon/1", "/logout", "/media", "$.iconic_photo"] {
            assert!(!is_portrait(place), "{place}");
        }
    }

    #[test]
    fn files_beyond_the_bound_are_said_to_be_left_out() {
        let mut sent = Uploads::default();
        for n in 0..=OF_A_FLOW {
            assert!(!sent.is_cut(), "{n}");
            sent.file("a:1", file(n as i64, &[]));
        }
        assert!(sent.is_cut());
    }
}
