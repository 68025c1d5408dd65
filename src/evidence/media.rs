//! Calls: what their media shows, and the keys of media that stand in the signalling (RFC 4568). Every such
//! key is tried on a few packets of every call; a packet whose tag fits is proof.

use super::collector::Collector;
use super::sink::protocol_path;
use super::{Content, ConversationKey, Evidence, Kind, Polarity, Strength};
use crate::keys::srtp::{Packet, Profile, Session};
use crate::model::{Arrival, Origin, Side, Timestamp, Value};
use crate::peel::{End, Form, Guard, Leaf, NodeRef};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

/// A key of media, where somebody could see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MediaKey {
    /// Where it stood.
    pub origin: Origin,
    /// Whether the place was confidential on the wire: then the server that relays it saw it, else everybody.
    pub guard: Guard,
    /// Name of the protection profile.
    pub profile: String,
    /// Master key and salt.
    pub key: Vec<u8>,
}

/// Packets of one source, kept for trials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MediaSample {
    /// Where they were.
    pub origin: Origin,
    /// The call they belong to.
    pub conversation: ConversationKey,
    /// Whether they were confidential on the wire.
    pub guard: Guard,
    /// Whole packets.
    pub packets: Vec<Vec<u8>>,
}

/// Keys and samples of one flow, or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Media {
    keys: Vec<MediaKey>,
    samples: Vec<MediaSample>,
}

/// Keys and samples kept of one flow.
const FLOW: usize = 32;
/// Keys and samples kept of an audit.
const ALL: usize = 512;

impl Media {
    /// Adds another flow's or shard's, keeping the earliest, whatever their order.
    pub fn merge(&mut self, other: Media) {
        self.keys.extend(other.keys);
        self.samples.extend(other.samples);
        if self.keys.len() > 2 * ALL || self.samples.len() > 2 * ALL {
            self.cut();
        }
    }

    fn cut(&mut self) {
        bounded(&mut self.keys, ALL, |k| k.origin.time);
        bounded(&mut self.samples, ALL, |s| s.origin.time);
    }

    /// Tries every key on every sample, within bounds.
    pub fn trials(&mut self) -> Vec<(ConversationKey, Evidence)> {
        self.cut();
        let mut found = Vec::new();
        for key in &self.keys {
            let Some((profile, session)) = key.session() else { continue };
            let opened = self.samples.iter().filter(|s| s.opens(profile, &session));
            found.extend(opened.map(|s| (s.conversation.clone(), key.opened(s, profile))));
        }
        found
    }
}

/// Keeps the earliest of a list, whatever order it came in.
fn bounded<T: Ord>(list: &mut Vec<T>, most: usize, time: impl Fn(&T) -> Timestamp) {
    list.sort_by(|a, b| (time(a), a).cmp(&(time(b), b)));
    list.truncate(most);
}

impl MediaKey {
    fn session(&self) -> Option<(Profile, Session)> {
        let profile = Profile::of_name(&self.profile)?;
        let (key, salt) = self.key.split_at_checked(profile.sizes().0)?;
        Some((profile, Session::new(profile, key, salt)?))
    }

    /// Whoever sees both the key and the packets hears the call: the network only where both are open.
    fn opened(&self, sample: &MediaSample, profile: Profile) -> Evidence {
        let party = if self.guard == Guard::Open { "network" } else { "provider" };
        let at = &self.origin;
        let kind = Kind::KeyInSight {
            how: format!("SRTP {}", profile.name()),
            party: party.to_owned(),
            key_at: format!("{} {}, frame {}", at.layers, at.field, at.frame.frame),
            // A call's media need not pass the service that passed its key.
            service: String::new(),
        };
        Evidence {
            kind,
            strength: Strength::Proof,
            polarity: Polarity::Against,
            guard: self.guard.max(sample.guard),
            origin: sample.origin.clone(),
            count: sample.packets.len() as u64,
            shown: None,
        }
    }
}

impl MediaSample {
    /// A short tag may fit by chance, so that one packet is not enough.
    fn opens(&self, profile: Profile, session: &Session) -> bool {
        let mut packets = self.packets.iter().filter_map(|p| Packet::read(p));
        let least = if profile.tag() > 4 { 1 } else { 2 };
        self.packets.len() >= least
            && packets.by_ref().take(least).filter(|p| session.fits(p)).count() == least
    }
}

/// Whether the leaf is a whole packet of media that a layer of calls could not open.
pub(super) fn is_media(node: &NodeRef<'_>, leaf: &Leaf<'_>) -> bool {
    leaf.field == "media" && node.spec().is_some_and(|s| s.facts.contains(&"call.media"))
}

impl Collector {
    /// A key in a crypto attribute: the profile's name and the inline key with its salt.
    pub(super) fn media_key(&mut self, node: &NodeRef<'_>, value: &Value, at: Arrival) {
        let Value::List(parts) = value else { return };
        let [Value::Text(profile), Value::Text(inline)] = parts.as_slice() else { return };
        let Ok(key) = STANDARD_NO_PAD.decode(inline.trim_end_matches('=')) else { return };
        let known = self.result.media.keys.iter().any(|k| k.key == key && k.guard <= node.guard());
        if self.result.media.keys.len() >= FLOW || known {
            return;
        }
        let origin = self.origin(node, &nothing("a.crypto", at));
        let key = MediaKey { origin, guard: node.guard(), profile: profile.clone(), key };
        self.result.media.keys.push(key);
    }

    /// A packet of media that stayed closed.
    pub(super) fn media_leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let source = leaf.bytes.get(8..12);
        let same = |s: &&mut MediaSample| {
            s.origin.side == leaf.side && s.packets.first().and_then(|p| p.get(8..12)) == source
        };
        if let Some(sample) = self.result.media.samples.iter_mut().find(same) {
            if sample.packets.len() < 4 {
                sample.packets.push(leaf.bytes.to_vec());
            }
            return;
        }
        if self.result.media.samples.len() < FLOW {
            let (origin, conversation) = (self.origin(node, leaf), self.call_key(node));
            let packets = vec![leaf.bytes.to_vec()];
            self.result.media.samples.push(MediaSample {
                origin,
                conversation,
                guard: node.guard(),
                packets,
            });
        }
    }

    /// A stream of media: how it is protected, who agreed on its keys, its codec.
    pub(super) fn call_media(&mut self, node: &NodeRef<'_>, value: &Value, at: Arrival) {
        let Value::List(parts) = value else { return };
        let [Value::Text(protection), Value::Text(keyed), Value::Text(codec)] = parts.as_slice() else {
            return;
        };
        let open = protection == "none";
        let kind = Kind::Media { protection: protection.clone(), keyed: keyed.clone(), codec: codec.clone() };
        let polarity = if open { Polarity::Against } else { Polarity::Neutral };
        let e = self.evidence(node, &nothing("", at), kind, Strength::Strong, polarity);
        let (endpoint, path, limit) = (self.endpoint(node), protocol_path(node), self.shared.limits.evidence);
        let draft = self.drafts.of(&endpoint, &path, Content::Call, self.first);
        draft.messages += 1;
        draft.last = draft.last.max(at.time);
        draft.add(e, limit);
    }

    /// What else was seen of the streams of a call belongs to the call.
    pub(super) fn fold_calls(&mut self) {
        let limit = self.shared.limits.evidence;
        let calls: Vec<_> = self.drafts.keys().filter(|k| k.content == Content::Call).cloned().collect();
        for call in calls {
            let beside = ConversationKey { content: Content::Background, ..call.clone() };
            let Some(other) = self.drafts.remove(&beside) else { continue };
            let Some(draft) = self.drafts.find(&call) else { continue };
            other.evidence.into_iter().for_each(|e| draft.add(e, limit));
        }
    }

    fn call_key(&self, node: &NodeRef<'_>) -> ConversationKey {
        let (endpoint, path) = (self.endpoint(node), protocol_path(node));
        ConversationKey { endpoint, path, content: Content::Call }
    }
}

/// A place without bytes of its own.
fn nothing(field: &str, at: Arrival) -> Leaf<'_> {
    let (form, side, end) = (Form::Binary, Side::Client, End::Clear);
    Leaf { field, form, side, bytes: &[], total: 0, end, at, hashes: None, known: Default::default() }
}
