//! What flows and shards add up to. Joining is commutative and associative.

use super::crowd::Crowd;
use crate::evidence::trial::{self, Candidate, Field};
use crate::evidence::weak;
use crate::evidence::{Canaries, Content, ConversationKey, Coverage, Draft, FlowEvidence, Media};
use crate::model::{Limits, Notes, Value};
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
    candidates: Vec<Candidate>,
    fields: Vec<Field>,
    media: Media,
    names: BTreeMap<IpAddr, String>,
    /// Transport facts by endpoint.
    pub transport: BTreeMap<String, BTreeMap<String, BTreeSet<Value>>>,
}

/// Candidate keys tried.
const CANDIDATES: usize = 256;
/// Opaque fields tried.
const FIELDS: usize = 512;
/// Addresses with names that are kept.
const NAMES: usize = 50_000;

impl Totals {
    /// Adds what one flow showed.
    pub fn add_flow(&mut self, flow: FlowEvidence, limits: &Limits) {
        self.coverage.merge(&flow.coverage);
        self.notes.merge(flow.notes);
        for (ip, name) in flow.names {
            self.name(ip, name);
        }
        for draft in flow.drafts {
            self.drafts.add(draft, limits);
        }
        self.keep(flow.candidates, flow.fields);
        self.media.merge(flow.media);
    }

    /// Keeps the earliest candidates and fields, whatever the order in which flows end.
    fn keep(&mut self, candidates: Vec<Candidate>, fields: Vec<Field>) {
        self.candidates.extend(candidates);
        if self.candidates.len() > 2 * CANDIDATES {
            self.candidates.sort_by(|a, b| (a.origin.time, a).cmp(&(b.origin.time, b)));
            self.candidates.truncate(CANDIDATES);
        }
        self.fields.extend(fields);
        if self.fields.len() > 2 * FIELDS {
            self.fields.sort_by(|a, b| (a.origin.time, a).cmp(&(b.origin.time, b)));
            self.fields.truncate(FIELDS);
        }
    }

    /// Tries the keys in sight on the opaque fields and adds what that shows to the conversations.
    pub fn trials(&mut self, canaries: &Canaries, limits: &Limits) {
        let (mut candidates, mut fields) =
            (std::mem::take(&mut self.candidates), std::mem::take(&mut self.fields));
        candidates.sort_by(|a, b| (a.origin.time, a).cmp(&(b.origin.time, b)));
        candidates.truncate(CANDIDATES);
        fields.sort_by(|a, b| (a.origin.time, a).cmp(&(b.origin.time, b)));
        fields.truncate(FIELDS);
        let mut found = weak::evidence(&fields, canaries);
        for opened in trial::try_all(&candidates, &fields) {
            found.extend(trial::evidence(&opened, &candidates, &fields, canaries));
        }
        found.extend(self.media.trials());
        for (key, evidence) in found {
            // Only message fields count: a conversation that carries none gets no verdict from a trial
            // unless a planted text came out.
            let Some(draft) = self.drafts.find(&key) else { continue };
            draft.add(evidence, limits.evidence);
        }
    }

    /// Keeps a name of an address: the first in alphabetical order, so that order does not matter.
    pub fn name(&mut self, ip: IpAddr, name: String) {
        if let Some(known) = self.names.get_mut(&ip) {
            if name < *known {
                *known = name;
            }
            return;
        }
        self.names.insert(ip, name);
        if self.names.len() > NAMES {
            // Which are given up must not depend on which came first.
            self.names.pop_last();
        }
    }

    /// Joins another shard's sums.
    pub fn merge(&mut self, other: Totals, limits: &Limits) {
        self.frames += other.frames;
        self.packets += other.packets;
        self.flows += other.flows;
        self.coverage.merge(&other.coverage);
        self.notes.merge(other.notes);
        for (ip, name) in other.names {
            self.name(ip, name);
        }
        for draft in other.drafts.into_drafts() {
            self.drafts.add(draft, limits);
        }
        self.keep(other.candidates, other.fields);
        self.media.merge(other.media);
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
        for draft in named.values_mut() {
            draft.evidence.sort();
            let key = (draft.key.endpoint.clone(), draft.key.content.clone());
            draft.kin = kin.get(&key).copied().unwrap_or(0);
        }
        named.into_values().collect()
    }
}
