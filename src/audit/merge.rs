//! What flows and shards add up to. Joining is commutative and associative.

use super::crowd::Crowd;
use crate::evidence::trial::{self, Candidate, Concerned, Field, Lock, Sort, Store};
use crate::evidence::{
    ADDRESSES, Asides, Canaries, Content, ConversationKey, Copies, Coverage, Devices, Draft, FlowEvidence,
    Identity, Lookups, Media, Parcel, Uploads,
};
use crate::evidence::{Evidence, Kind, Polarity, Strength, pooled, same_service, weak};
use crate::model::{Limits, Notes, Value};
use crate::verdict::COVERAGE_FLOOR;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Sums over flows.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Frames read.
    pub frames: u64,
    /// Frames that held a TCP segment or UDP datagram.
    pub packets: u64,
    /// Flows.
    pub flows: u64,
    /// Bytes of all flows.
    pub coverage: Coverage,
    /// Something odd, by code.
    pub notes: Notes,
    drafts: Crowd,
    kept: Store,
    copies: Copies,
    devices: Devices,
    asides: Asides,
    uploads: Uploads,
    media: Media,
    names: Lookups,
    parcels: Vec<Parcel>,
    identities: Vec<Identity>,
    /// Transport facts by endpoint.
    pub transport: BTreeMap<String, BTreeMap<String, BTreeSet<Value>>>,
}

/// Messages kept to be found at another vantage, and identity keys.
const PARCELS: usize = 50_000;
const IDENTITIES: usize = 10_000;
/// Private keys in sight that are told of envelopes.
const PRIVATE_KEYS: usize = 64;
/// Copies that are written to conversations.
const COPIED: usize = 1000;

impl Totals {
    /// Adds what one flow showed.
    pub fn add_flow(&mut self, flow: FlowEvidence, limits: &Limits) {
        self.coverage.merge(&flow.coverage);
        self.notes.merge(flow.notes);
        self.names.merge(flow.names, ADDRESSES);
        for draft in flow.drafts {
            self.drafts.add(draft, limits);
        }
        self.kept.add(flow.candidates, flow.fields, flow.given_up);
        self.copies.merge(flow.copies, limits.copies);
        self.devices.merge(flow.devices);
        self.asides.merge(flow.asides);
        self.uploads.merge(flow.uploads);
        self.media.merge(flow.media);
        self.keep_passages(flow.parcels, flow.identities);
    }

    /// Keeps the earliest messages, whatever the order in which flows end.
    fn keep_passages(&mut self, parcels: Vec<Parcel>, identities: Vec<Identity>) {
        self.parcels.extend(parcels);
        if self.parcels.len() > 2 * PARCELS {
            self.parcels.sort_by(|a, b| (a.origin.time, a).cmp(&(b.origin.time, b)));
            self.parcels.truncate(PARCELS);
        }
        self.identities.extend(identities);
        if self.identities.len() > 2 * IDENTITIES {
            self.identities.sort();
            self.identities.truncate(IDENTITIES);
        }
    }

    /// Takes out the messages and identity keys, earliest first, their services named like conversations.
    pub fn passages(&mut self) -> (Vec<Parcel>, Vec<Identity>) {
        let (mut parcels, mut identities) =
            (std::mem::take(&mut self.parcels), std::mem::take(&mut self.identities));
        for p in &mut parcels {
            if let Some(name) = self.named(&p.conversation.endpoint) {
                p.conversation.endpoint = name;
            }
        }
        parcels.sort_by(|a, b| (a.origin.time, a).cmp(&(b.origin.time, b)));
        parcels.truncate(PARCELS);
        identities.sort();
        identities.truncate(IDENTITIES);
        (parcels, identities)
    }

    /// Counts the inputs of these sums from `by` on.
    pub fn shift_inputs(&mut self, by: u32) {
        let examples = self.notes.0.values_mut().flat_map(|n| &mut n.examples);
        examples.for_each(|f| f.input += by);
        let parcels = self.parcels.iter_mut().map(|p| &mut p.origin);
        parcels.chain(self.identities.iter_mut().map(|i| &mut i.origin)).for_each(|o| o.frame.input += by);
    }

    /// The name of an endpoint that is a bare address, if a look-up named it.
    fn named(&self, endpoint: &str) -> Option<String> {
        let address: std::net::SocketAddr = endpoint.parse().ok()?;
        Some(format!("{}:{}", self.names.get(&address.ip())?, address.port()))
    }

    /// Tries the keys in sight on the opaque fields and adds what that shows to the conversations.
    pub fn trials(&mut self, canaries: &Canaries, limits: &Limits) {
        let (candidates, fields, concerned) = self.kept.take(&mut self.notes);
        let bare: Vec<Field> = fields.iter().filter(|f| f.format.is_none()).cloned().collect();
        let mut found = weak::evidence(&bare, canaries);
        found.extend(pooled::evidence(&fields));
        found.extend(self.media.trials());
        for (key, evidence) in found {
            if let Some(draft) = self.drafts.find(&key) {
                draft.add(evidence, limits.evidence);
            }
        }
        // Fields of conversations have a claim to lose; of the others one may turn out to hold a message.
        let (messages, others): (Vec<Field>, Vec<Field>) =
            fields.iter().cloned().partition(|f| self.drafts.find(&f.conversation).is_some());
        for (fields, work) in [(&messages, trial::WORK), (&others, trial::WORK / 4)] {
            let (all, untried) = trial::try_all(&candidates, fields, work);
            for opened in all {
                self.add_opened(trial::evidence(&opened, &candidates, fields, canaries), limits);
                trial::said(&opened, &candidates, fields, &mut self.copies, limits.copies);
            }
            self.leave_untried(&untried, &candidates);
        }
        for (service, evidence) in trial::private_keys(&candidates, &fields) {
            let sealed = |d: &&mut Draft| matches!(d.key.content, Content::Envelope(_));
            for draft in self.drafts.apart_mut().filter(sealed).filter(|d| d.key.endpoint == service) {
                draft.add(evidence.clone(), limits.evidence);
            }
        }
        self.add_private_keys(limits);
        self.add_asides(limits);
        self.limit(&concerned);
        self.add_copies(canaries, limits);
        self.add_ghosts(limits);
    }

    /// A whole private key in sight speaks against every envelope of the same service: it may open them.
    fn add_private_keys(&mut self, limits: &Limits) {
        let of = |d: &Draft| {
            let found =
                d.evidence.iter().filter(|e| e.is_private_key()).map(|e| (d.key.endpoint.clone(), e.clone()));
            found.collect::<Vec<_>>()
        };
        let mut keys: Vec<(String, Evidence)> = self.drafts.apart().flat_map(of).collect();
        keys.sort_by(|a, b| (&a.0, &a.1.origin).cmp(&(&b.0, &b.1.origin)));
        keys.truncate(PRIVATE_KEYS);
        for (service, evidence) in keys {
            let sealed = |d: &&mut Draft| {
                matches!(d.key.content, Content::Envelope(_)) && same_service(&d.key.endpoint, &service)
            };
            for draft in self.drafts.apart_mut().filter(sealed) {
                draft.evidence.retain(|e| (&e.kind, &e.origin) != (&evidence.kind, &evidence.origin));
                draft.add(Evidence { polarity: Polarity::Against, ..evidence.clone() }, limits.evidence);
            }
        }
    }

    /// Texts in fields of no known kind that differ from message to message, and files in clear that may have been
    /// attachments, stand beside the sealed messages of their service.
    fn add_asides(&mut self, limits: &Limits) {
        let (asides, uploads) = (std::mem::take(&mut self.asides), std::mem::take(&mut self.uploads));
        let sealed = |d: &&mut Draft| matches!(d.key.content, Content::Envelope(_));
        for (cut, note) in [(asides.is_cut(), "aside-limit"), (uploads.is_cut(), "upload-limit")] {
            if cut {
                self.notes.add(note, None);
                self.drafts.apart_mut().filter(sealed).for_each(|d| d.limited = true);
            }
        }
        for beside in asides.evidence().chain(uploads.unexplained()) {
            let clear = |d: &Draft| d.key.content == Content::Text && beside.concerns(d);
            let shared = beside.is_file() && self.drafts.apart().any(clear);
            let beside = if shared { beside.learned() } else { beside };
            for draft in self.drafts.apart_mut().filter(sealed).filter(|d| beside.concerns(d)) {
                draft.add(beside.evidence.clone(), limits.evidence);
            }
        }
    }

    /// Adds recipients that no device list names to the conversation that their messages are in.
    fn add_ghosts(&mut self, limits: &Limits) {
        for (place, evidence) in std::mem::take(&mut self.devices).evidence() {
            let sealed = |d: &&mut Draft| matches!(d.key.content, Content::Envelope(_)) && place.holds(d);
            let draft = self.drafts.apart_mut().filter(sealed).min_by(|a, b| a.key.cmp(&b.key));
            if let Some(draft) = draft {
                draft.add(evidence, limits.evidence);
            }
        }
    }

    /// Adds what messages said and what was met at another place to both conversations.
    fn add_copies(&mut self, canaries: &Canaries, limits: &Limits) {
        let copies = std::mem::take(&mut self.copies);
        self.notes.add_many("copy-limit", copies.given_up(), None);
        let name = |endpoint: &str| self.named(endpoint).unwrap_or_else(|| endpoint.to_owned());
        let all = copies.evidence(&canaries.list, name);
        self.notes.add_many("copy-limit", all.len().saturating_sub(COPIED) as u64, None);
        for copied in all.into_iter().take(COPIED) {
            if copied.is_attachment() && !copied.said.as_ref().is_some_and(|key| self.carries_messages(key)) {
                continue;
            }
            if let Some(draft) = copied.said.as_ref().and_then(|key| self.drafts.find(key)) {
                draft.add(copied.evidence.clone(), limits.evidence);
            }
            // Of several conversations on that way, one with envelopes has most to lose.
            let there = |d: &&mut Draft| {
                d.key.endpoint == copied.seen.endpoint
                    && d.key.path == copied.seen.path
                    && copied.said.as_ref() != Some(&d.key)
            };
            let draft = self.drafts.apart_mut().filter(there).min_by(|a, b| a.key.cmp(&b.key));
            if let Some(draft) = draft {
                draft.add(copied.evidence, limits.evidence);
            }
        }
    }

    /// Whether messages pass the service of a conversation: a file that was sent to it may belong to one.
    fn carries_messages(&self, key: &ConversationKey) -> bool {
        self.drafts.apart().any(|d| {
            matches!(d.key.content, Content::Text | Content::Envelope(_) | Content::Opaque)
                && same_service(&d.key.endpoint, &key.endpoint)
        })
    }

    /// Conversations with ciphertexts that were given up, or that a given up key may have opened.
    fn limit(&mut self, concerned: &Concerned) {
        match concerned {
            Concerned::These(these) => {
                for key in these {
                    if let Some(draft) = self.drafts.find(key) {
                        draft.limited = true;
                    }
                }
            }
            Concerned::All => {
                let has = |d: &&mut Draft| matches!(d.key.content, Content::Envelope(_) | Content::Opaque);
                self.drafts.apart_mut().filter(has).for_each(|d| d.limited = true);
            }
        }
    }

    /// Ciphertexts that not every key in sight was tried on: a limit may take a claim away and never make one.
    fn leave_untried(&mut self, fields: &[&Field], candidates: &[Candidate]) {
        let sorts: BTreeSet<Sort> = candidates.iter().map(|c| Sort::of(&c.secret)).collect();
        let opens =
            |f: &&Field| Lock::of(f.format.as_deref()).is_some_and(|l| sorts.iter().any(|s| l.takes(*s)));
        let fields: Vec<&Field> = fields.iter().copied().filter(opens).collect();
        if fields.is_empty() {
            return;
        }
        self.notes.add("trial-limit", None);
        for field in fields {
            if let Some(draft) = self.drafts.find(&field.conversation) {
                draft.limited = true;
            }
        }
    }

    /// Adds what an opened field showed to its conversation. Fields that no rule knows make no conversation
    /// of their own, unless a message came out of them: then they carried messages.
    fn add_opened(&mut self, found: Vec<(ConversationKey, Evidence)>, limits: &Limits) {
        let Some((key, _)) = found.first() else { return };
        if self.drafts.find(key).is_none() {
            let said = found.iter().any(|(_, e)| match e.kind {
                Kind::Canary { control, .. } => !control,
                Kind::Readable { .. } => true,
                _ => false,
            });
            let proven = found.iter().any(|(_, e)| e.strength == Strength::Proof);
            let beside = |d: &&Draft| d.key.endpoint == key.endpoint && d.key.path == key.path;
            let Some(beside) = self.drafts.apart().find(beside).filter(|_| said && proven) else { return };
            let empty = Draft { key: key.clone(), evidence: Vec::new(), messages: 1, ..beside.clone() };
            self.drafts.add(empty, limits);
        }
        for (key, evidence) in found {
            if let Some(draft) = self.drafts.find(&key) {
                draft.add(evidence, limits.evidence);
            }
        }
    }

    /// Keeps a name of an address.
    pub fn name(&mut self, ip: IpAddr, name: String) {
        self.names.add(ip, name, ADDRESSES);
    }

    /// Joins another shard's sums.
    pub fn merge(&mut self, other: Totals, limits: &Limits) {
        self.frames += other.frames;
        self.packets += other.packets;
        self.flows += other.flows;
        self.coverage.merge(&other.coverage);
        self.notes.merge(other.notes);
        self.names.merge(other.names, ADDRESSES);
        for draft in other.drafts.into_drafts() {
            self.drafts.add(draft, limits);
        }
        self.kept.merge(other.kept);
        self.copies.merge(other.copies, limits.copies);
        self.devices.merge(other.devices);
        self.asides.merge(other.asides);
        self.uploads.merge(other.uploads);
        self.media.merge(other.media);
        self.keep_passages(other.parcels, other.identities);
    }

    /// Takes the conversations out, with addresses named where a look-up named them.
    pub fn conversations(&mut self) -> Vec<Draft> {
        let mut named: BTreeMap<ConversationKey, Draft> = BTreeMap::new();
        let crowd = std::mem::take(&mut self.drafts);
        self.notes.add_many("conversation-limit", crowd.joined(), None);
        for mut draft in crowd.into_drafts() {
            if draft.key.endpoint == draft.server
                && let Ok(address) = draft.server.parse::<std::net::SocketAddr>()
                && let Some(name) = self.names.get(&address.ip())
            {
                draft.key.endpoint = format!("{name}:{}", address.port());
            }
            match named.get_mut(&draft.key) {
                Some(known) => known.merge(draft, usize::MAX),
                None => {
                    named.insert(draft.key.clone(), draft);
                }
            }
        }
        let mut kin: BTreeMap<(String, Content), u64> = BTreeMap::new();
        for key in named.keys() {
            let own = named[key].messages;
            *kin.entry((key.endpoint.clone(), key.content.clone())).or_default() += own;
        }
        // What was lost beside a claim, at the same service, may hold messages as well.
        let mut gone: BTreeMap<String, u64> = BTreeMap::new();
        for (key, draft) in named.iter().filter(|(k, _)| k.content == Content::Background) {
            *gone.entry(key.endpoint.clone()).or_default() += draft.coverage.lost;
        }
        for draft in named.values_mut() {
            if matches!(draft.key.content, Content::Envelope(_) | Content::Opaque)
                && let Some(lost) = gone.get(&draft.key.endpoint)
            {
                let coverage = Coverage { lost: draft.coverage.lost.max(*lost), ..draft.coverage };
                draft.limited |= coverage.looked_at() < COVERAGE_FLOOR;
            }
            draft.evidence.sort();
            let key = (draft.key.endpoint.clone(), draft.key.content.clone());
            draft.kin = kin.get(&key).copied().unwrap_or(0);
        }
        named.into_values().collect()
    }
}

#[cfg(test)]
mod tests;
