//! Copies without planted texts: what a message says, a link in it or a hash of it, met again at another
//! place. Contents are remembered by digest only. Joining is commutative and associative: which digests are
//! kept depends on the digests alone, so that a message and its copy are kept or given up together.

use super::collector::Collector;
use super::message::is_message_slot;
use super::{Canary, Content, ConversationKey, Evidence, Kind, Polarity, Strength, same_service};
use crate::bytes::unhex;
use crate::model::{Memo, Origin, Timestamp, Trust};
use crate::peel::{Guard, Leaf, NodeRef};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Digest of a content.
type Digest = [u8; 16];

/// What of a message was met again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Text,
    Link,
}

impl What {
    fn words(self) -> &'static str {
        match self {
            What::Text => "text",
            What::Link => "link",
        }
    }
}

/// What a content is where it stands. What messages said is kept before what was only seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Said(What),
    /// In a field of this kind, if a rule knows it.
    Seen(Option<String>),
}

/// Where a content stands: equal places are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    role: Role,
    conversation: ConversationKey,
    guard: Guard,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Sighting {
    first: Origin,
    count: u64,
    /// What the usual hashes of a text look like, where a message said it.
    hashes: Option<Box<[Digest; 3]>>,
}

/// The places of one content, in order. Mostly there is one: a list takes no more room than it.
type Places = Vec<(Place, Sighting)>;

/// Contents of messages and of readable fields, by digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copies {
    contents: BTreeMap<Digest, Places>,
    /// Sightings beyond the bound.
    given_up: u64,
}

/// Places remembered of one content.
const PLACES: usize = 8;
/// What messages at more services than this say in the same words is a set phrase.
const SERVICES: usize = 3;
/// Shortest and longest text in bytes; below it chance and habit say the same.
const TEXT: std::ops::RangeInclusive<usize> = 16..=4096;
/// Kinds of field that lie beside the way of a message, whoever runs them.
const SIDE_SLOTS: [&str; 2] = ["notification", "telemetry"];

impl Copies {
    /// Joins another flow's or shard's; `limit` counts digests.
    pub fn merge(&mut self, other: Copies, limit: usize) {
        self.given_up += other.given_up;
        for (digest, places) in other.contents {
            for (place, s) in places {
                self.add(digest, place, s, limit);
            }
        }
    }

    /// Sightings that were not kept.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }

    fn has_room(&self, digest: &Digest, limit: usize) -> bool {
        self.contents.len() < limit || self.contents.last_key_value().is_some_and(|(last, _)| digest <= last)
    }

    /// Counts a content where it is known at this place from before; false where it is not.
    fn again(&mut self, digest: &Digest, place: &Place, time: Timestamp) -> bool {
        let known = self.contents.get_mut(digest).and_then(|places| {
            let at = places.binary_search_by(|(p, _)| p.cmp(place)).ok()?;
            places.get_mut(at).map(|(_, sighting)| sighting).filter(|s| s.first.time < time)
        });
        known.map(|sighting| sighting.count += 1).is_some()
    }

    fn add(&mut self, digest: Digest, place: Place, sighting: Sighting, limit: usize) {
        if !self.has_room(&digest, limit) {
            self.given_up += sighting.count;
            return;
        }
        let places = self.contents.entry(digest).or_default();
        match places.binary_search_by(|(p, _)| p.cmp(&place)) {
            Ok(at) => {
                if let Some((_, known)) = places.get_mut(at) {
                    let count = known.count + sighting.count;
                    if (sighting.first.time, &sighting.first) < (known.first.time, &known.first) {
                        *known = sighting;
                    }
                    known.count = count;
                }
            }
            Err(at) => {
                places.reserve_exact(1);
                places.insert(at, (place, sighting));
            }
        }
        if places.len() > PLACES {
            self.given_up += places.pop().map_or(0, |(_, s)| s.count);
        }
        if self.contents.len() > limit
            && let Some((_, gone)) = self.contents.pop_last()
        {
            self.given_up += gone.iter().map(|(_, s)| s.count).sum::<u64>();
        }
    }

    /// A text that a message said: itself with its usual hashes, and its links. `first` is asked for where
    /// there is room.
    pub fn said(
        &mut self,
        text: &str,
        (conversation, guard): (&ConversationKey, Guard),
        first: impl Fn() -> Origin,
        limit: usize,
    ) {
        let whole = tells(text).then(|| (of_text(text), What::Text));
        let links = text.split_whitespace().filter_map(link).take(4).map(|l| (of_link(l), What::Link));
        for (digest, what) in whole.into_iter().chain(links) {
            if !self.has_room(&digest, limit) {
                self.given_up += 1;
                continue;
            }
            let hashes = (what == What::Text).then(|| Box::new(hashes(text).map(|(_, raw)| of_hash(&raw))));
            let place = Place { role: Role::Said(what), conversation: conversation.clone(), guard };
            self.add(digest, place, Sighting { first: first(), count: 1, hashes }, limit);
        }
    }

    /// What was met again, each with the conversations it concerns, in a fixed order. `name` gives the name
    /// of a service that is known by its address.
    pub fn evidence(&self, canaries: &[Canary], name: impl Fn(&str) -> String) -> Vec<Copied> {
        let mut all = Vec::new();
        for places in self.contents.values() {
            let Some(source) = source(places) else { continue };
            let Role::Said(what) = source.0.role else { continue };
            all.extend(copied(what.words(), source, (places, places), &name));
            for (hash, digest) in HASHES.into_iter().zip(source.1.hashes.iter().flat_map(|h| h.iter())) {
                let Some(there) = self.contents.get(digest) else { continue };
                all.extend(copied(&format!("{hash} of the text"), source, (places, there), &name));
            }
        }
        for canary in canaries.iter().filter(|c| !c.control && c.is_searched()) {
            for (hash, raw) in hashes(&canary.text) {
                let places = self.contents.get(&of_hash(&raw)).into_iter().flatten();
                for (place, sighting) in places.filter(|(p, _)| matches!(p.role, Role::Seen(_))) {
                    all.push(Copied {
                        said: None,
                        seen: place.conversation.clone(),
                        evidence: record(&format!("{hash} of a planted text"), None, (place, sighting)),
                    });
                }
            }
        }
        all
    }
}

/// One content at two places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The conversation that said it, unless it was planted.
    pub said: Option<ConversationKey>,
    /// Where the copy lies. Its content is not known: any conversation of that service and path.
    pub seen: ConversationKey,
    /// The record for both.
    pub evidence: Evidence,
}

fn said(places: &Places) -> impl Iterator<Item = (&Place, &Sighting)> {
    places.iter().filter(|(p, _)| matches!(p.role, Role::Said(_))).map(|(p, s)| (p, s))
}

/// The message that said it first, unless it is a set phrase.
fn source(places: &Places) -> Option<(&Place, &Sighting)> {
    let services: BTreeSet<&str> = said(places).map(|(p, _)| p.conversation.endpoint.as_str()).collect();
    let first = said(places).min_by_key(|(p, s)| (s.first.time, &s.first, *p));
    first.filter(|_| services.len() <= SERVICES)
}

/// The places among `there` that are elsewhere than all that said it.
fn copied(
    of: &str,
    source: (&Place, &Sighting),
    (home, there): (&Places, &Places),
    name: &impl Fn(&str) -> String,
) -> Vec<Copied> {
    let elsewhere = |place: &Place, s: &Sighting| match &place.role {
        Role::Seen(Some(slot)) if SIDE_SLOTS.contains(&slot.as_str()) => true,
        Role::Said(_) => !together((place, s), source, name),
        Role::Seen(_) => said(home).all(|known| !together((place, s), known, name)),
    };
    let others = there.iter().filter(|(p, s)| p != source.0 && elsewhere(p, s));
    let copy = |(place, s): &(Place, Sighting)| Copied {
        said: Some(source.0.conversation.clone()),
        seen: place.conversation.clone(),
        evidence: record(of, Some(source), (place, s)),
    };
    others.map(copy).collect()
}

/// Whether two places are of one service: by name, or by the server's address where one has no name, as
/// after a handshake that was not recorded.
fn together(
    (a, at): (&Place, &Sighting),
    (b, there): (&Place, &Sighting),
    name: &impl Fn(&str) -> String,
) -> bool {
    let (one, other) = (name(&a.conversation.endpoint), name(&b.conversation.endpoint));
    let bare = |endpoint: &str| endpoint.parse::<std::net::SocketAddr>().is_ok();
    let server = |s: &Sighting| s.first.flow.rsplit("> ").next().map(str::to_owned);
    same_service(&one, &other) || (bare(&one) || bare(&other)) && server(at) == server(there)
}

/// That two messages say the same may be their writer's doing, and who opens a link tells others of it:
/// both are hints only.
fn record(of: &str, source: Option<(&Place, &Sighting)>, (place, s): (&Place, &Sighting)) -> Evidence {
    let hint = matches!(place.role, Role::Said(_)) || of == "link";
    let kind = Kind::Copy {
        of: of.to_owned(),
        said_at: source.map_or_else(|| "planted".to_owned(), |(p, s)| spot(p, s)),
        seen_at: spot(place, s),
        service: place.conversation.endpoint.clone(),
    };
    Evidence {
        kind,
        strength: if hint { Strength::Weak } else { Strength::Strong },
        polarity: Polarity::Against,
        guard: place.guard,
        origin: s.first.clone(),
        count: s.count,
        shown: None,
    }
}

fn spot(place: &Place, s: &Sighting) -> String {
    let o = &s.first;
    format!("{} {} {}, frame {}", place.conversation.endpoint, o.layers, o.field, o.frame.frame)
}

impl Collector {
    /// What a message said is remembered.
    pub(super) fn said(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, text: &str) {
        let (endpoint, path) = (self.endpoint(node), self.protocols(node));
        let conversation = ConversationKey { endpoint, path, content: Content::Text };
        let (limit, mut copies) = (self.copies_limit(), std::mem::take(&mut self.result.copies));
        copies.said(text, (&conversation, node.guard()), || self.origin(node, leaf), limit);
        self.result.copies = copies;
    }

    /// A readable field may hold what a message said.
    pub(super) fn seen(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<&str>) {
        // The place where a link was found is told to whoever is visited next: that is no copy.
        let known = node.scope() != 0 && node.trust() > Trust::Guessed;
        if !known || leaf.total != leaf.bytes.len() as u64 || leaf.field.ends_with("referer") {
            return;
        }
        let limit = self.copies_limit();
        let digests =
            DIGESTS.with_borrow_mut(|known| known.answer(0, leaf.bytes, || seen_digests(leaf.bytes).into()));
        if digests.is_empty() {
            return;
        }
        let (endpoint, path) = (self.endpoint(node), self.protocols(node));
        let place = Place {
            role: Role::Seen(slot.filter(|s| !is_message_slot(Some(s))).map(str::to_owned)),
            conversation: ConversationKey { endpoint, path, content: Content::Background },
            guard: node.guard(),
        };
        for digest in digests.iter().copied() {
            if !self.result.copies.has_room(&digest, limit) {
                self.result.copies.given_up += 1;
                continue;
            }
            if self.result.copies.again(&digest, &place, leaf.at.time) {
                continue;
            }
            let place = place.clone();
            let sighting = Sighting { first: self.origin(node, leaf), count: 1, hashes: None };
            self.result.copies.add(digest, place, sighting, limit);
        }
    }

    /// A flow's part of the bound.
    fn copies_limit(&self) -> usize {
        (self.shared.limits.copies / 128).max(1)
    }
}

thread_local! {
    /// The digests of fields met lately.
    static DIGESTS: RefCell<Memo<Rc<[Digest]>>> = RefCell::default();
}

/// The contents that a field may repeat: a text, also behind the name of who said it; a link; a hash.
fn seen_digests(bytes: &[u8]) -> Vec<Digest> {
    let mut all = Vec::new();
    match std::str::from_utf8(bytes) {
        Ok(text) if tells(text) => {
            all.push(of_text(text));
            all.extend(text.split_once(": ").filter(|(_, t)| tells(t)).map(|(_, t)| of_text(t)));
        }
        Ok(text) if text.len() <= 64 && hash_in(text).is_some() => {
            all.extend(hash_in(text).map(|h| of_hash(&h)))
        }
        Ok(text) if TEXT.contains(&text.len()) => all.extend(link(text.trim()).map(of_link)),
        Err(_) if matches!(bytes.len(), 16 | 20 | 32) => all.push(of_hash(bytes)),
        _ => {}
    }
    all
}

/// Whether a text is long and varied enough that chance does not say it twice: three words, or as much in a
/// script without spaces.
fn tells(text: &str) -> bool {
    let text = text.trim();
    if !TEXT.contains(&text.len()) {
        return false;
    }
    let wide = text.bytes().filter(|b| *b >= 0x80).count();
    if text.split_whitespace().take(3).count() < 3 && wide < 24 {
        return false;
    }
    let mut seen = [false; 256];
    text.bytes().filter(|b| !std::mem::replace(&mut seen[usize::from(*b)], true)).nth(7).is_some()
}

/// A link that names more than a host.
fn link(token: &str) -> Option<&str> {
    let token = token.trim_matches(|c: char| "\"'<>()[].,;!?".contains(c));
    let rest = token.strip_prefix("https://").or_else(|| token.strip_prefix("http://"))?;
    let (_, path) = rest.split_once('/')?;
    (path.len() >= 4 && TEXT.contains(&token.len()) && !token.contains(char::is_whitespace)).then_some(token)
}

/// A hash of 16, 20 or 32 bytes in hexadecimal or base64.
fn hash_in(text: &str) -> Option<Vec<u8>> {
    let core = text.trim().trim_end_matches('=');
    match core.len() {
        32 | 40 | 64 => unhex(core),
        22 | 27 | 43 => STANDARD_NO_PAD.decode(core).or_else(|_| URL_SAFE_NO_PAD.decode(core)).ok(),
        _ => None,
    }
}

/// Hashes that services are known to use as names of contents.
const HASHES: [&str; 3] = ["SHA-256", "SHA-1", "MD5"];

fn hashes(text: &str) -> [(&'static str, Vec<u8>); 3] {
    let sha1 = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let md5 = <md5::Md5 as md5::Digest>::digest(text.as_bytes());
    let [a, b, c] = HASHES;
    [(a, Sha256::digest(text.as_bytes()).to_vec()), (b, sha1.as_ref().to_vec()), (c, md5.to_vec())]
}

/// Case and spaces are no difference.
fn of_text(text: &str) -> Digest {
    let lower: Cow<'_, str> = match text.is_ascii() {
        true => text.into(),
        false => text.to_lowercase().into(),
    };
    let mut plain = Vec::with_capacity(lower.len() + 5);
    plain.extend_from_slice(b"text");
    for word in lower.split_whitespace() {
        plain.push(b' ');
        plain.extend_from_slice(word.as_bytes());
    }
    plain.make_ascii_lowercase();
    short(Sha256::new().chain_update(&plain))
}

fn of_link(link: &str) -> Digest {
    short(Sha256::new().chain_update(b"link").chain_update(link.as_bytes()))
}

fn of_hash(raw: &[u8]) -> Digest {
    short(Sha256::new().chain_update(b"hash").chain_update(raw))
}

fn short(hasher: Sha256) -> Digest {
    let whole = hasher.finalize();
    std::array::from_fn(|i| whole.get(i).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests;
