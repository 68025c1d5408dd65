//! Copies without planted texts: what a message says, a link in it or a hash of it, met again at another
//! place. Contents are remembered by digest only. Joining is commutative and associative: which digests are
//! kept depends on the digests alone, so that a message and its copy are kept or given up together.

mod content;

use super::collector::Collector;
use super::message::is_message_slot;
use super::{Canary, Content, ConversationKey, Evidence, Kind, Polarity, Strength, same_service};
use crate::model::{Origin, Side, Timestamp, Trust};
use crate::peel::{Guard, Hashes, Leaf, NodeRef};
pub(super) use content::is_file;
use content::{cuts, link, of_file, of_hash, of_link, of_text, seen_digests, tells};
use std::collections::{BTreeMap, BTreeSet};

/// Digest of a content.
type Digest = [u8; 16];

/// What of a message was met again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Text,
    Link,
    Attachment,
}

impl What {
    fn words(self) -> &'static str {
        match self {
            What::Text => "text",
            What::Link => "link",
            What::Attachment => "attachment",
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
    /// How else it may stand elsewhere, where a message said it.
    forms: Option<Box<Forms>>,
}

/// What stands for a content in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Forms {
    /// The usual hashes of it.
    hashes: [Digest; 3],
    /// Its beginnings, of texts.
    cuts: Vec<Digest>,
}

impl Forms {
    fn by(hashes: &Hashes) -> [Digest; 3] {
        hashes.named().map(|(_, raw)| of_hash(raw))
    }

    fn of(bytes: &[u8], text: Option<&str>) -> Box<Self> {
        Box::new(Self { hashes: Self::by(&Hashes::of(bytes)), cuts: text.map(cuts).unwrap_or_default() })
    }
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
/// Kinds of field that lie beside the way of a message, whoever runs them.
pub const SIDE_SLOTS: [&str; 2] = ["notification", "telemetry"];

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
            let forms = (what == What::Text).then(|| Forms::of(text.as_bytes(), Some(text)));
            let place = Place { role: Role::Said(what), conversation: conversation.clone(), guard };
            self.add(digest, place, Sighting { first: first(), count: 1, forms }, limit);
        }
    }

    /// What was met again, each with the conversations it concerns, in a fixed order. `name` gives the name
    /// of a service that is known by its address.
    pub fn evidence(&self, canaries: &[Canary], name: impl Fn(&str) -> String) -> Vec<Copied> {
        let mut all = Vec::new();
        let shared = self.shared_beginnings();
        for places in self.contents.values() {
            let Some(source) = source(places) else { continue };
            let Role::Said(what) = source.0.role else { continue };
            all.extend(copied(what.words(), source, (places, places), &name));
            let Some(forms) = source.1.forms.as_deref() else { continue };
            let hashes = Hashes::NAMES.into_iter().zip(&forms.hashes);
            let hashes = hashes.map(|(hash, digest)| (format!("{hash} of the {}", what.words()), digest));
            let cuts = forms.cuts.iter().filter(|c| !shared.contains(c));
            for (of, digest) in hashes.chain(cuts.map(|c| ("beginning".to_owned(), c))) {
                let Some(there) = self.contents.get(digest) else { continue };
                all.extend(copied(&of, source, (places, there), &name));
            }
        }
        for canary in canaries.iter().filter(|c| !c.control && c.is_searched()) {
            for (hash, raw) in Hashes::of(canary.text.as_bytes()).named() {
                let places = self.contents.get(&of_hash(raw)).into_iter().flatten();
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

impl Copies {
    /// Beginnings that several texts share: a form letter's, not a message's.
    fn shared_beginnings(&self) -> BTreeSet<&Digest> {
        let mut seen = BTreeSet::new();
        let texts = self.contents.values().filter_map(|places| said(places).next());
        let all = texts.filter_map(|(_, s)| s.forms.as_deref()).flat_map(|f| &f.cuts);
        all.filter(|cut| !seen.insert(*cut)).collect()
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

impl Copied {
    /// Whether it is of a file and not of what a message says.
    pub fn is_attachment(&self) -> bool {
        matches!(&self.evidence.kind, Kind::Copy { of, .. } if of.ends_with("attachment"))
    }
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
    let in_message = match &place.role {
        Role::Said(_) => true,
        Role::Seen(slot) => is_message_slot(slot.as_deref()),
    };
    let hint = in_message || of == "link";
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

/// Whether what is at this place may be a file that was sent along with a message.
pub(super) fn is_attachment(node: &NodeRef<'_>, side: Side) -> bool {
    side == Side::Client && node.scope() != 0 && node.trust() > Trust::Guessed
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
        let digests = seen_digests(leaf.bytes);
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
            let sighting = Sighting { first: self.origin(node, leaf), count: 1, forms: None };
            self.result.copies.add(digest, place, sighting, limit);
        }
    }

    /// A file that was sent is remembered. That it belongs to a message is for its service to show.
    pub(super) fn attachment(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let sent = leaf.side == Side::Client && node.scope() != 0;
        let Some(digest) = of_file(leaf.total, leaf.bytes).filter(|_| sent) else { return };
        if !is_attachment(node, leaf.side) {
            // In base64 or the like: the file itself is none the less one.
            return self.uploaded_inside(node, leaf);
        }
        self.sent_file(node, leaf);
        let (limit, is_whole) = (self.copies_limit(), leaf.total == leaf.bytes.len() as u64);
        let conversation = ConversationKey {
            endpoint: self.endpoint(node),
            path: self.protocols(node),
            content: Content::Background,
        };
        let place = Place { role: Role::Said(What::Attachment), conversation, guard: node.guard() };
        let forms = match leaf.hashes {
            Some(hashes) => Some(Box::new(Forms { hashes: Forms::by(hashes), cuts: Vec::new() })),
            None => is_whole.then(|| Forms::of(leaf.bytes, None)),
        };
        let sighting = Sighting { first: self.origin(node, leaf), count: 1, forms };
        self.result.copies.add(digest, place, sighting, limit);
    }

    /// A flow's part of the bound.
    fn copies_limit(&self) -> usize {
        (self.shared.limits.copies / 128).max(1)
    }
}

#[cfg(test)]
mod tests;
