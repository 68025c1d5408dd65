//! The sink of one flow: runs the observers over what the engine tells and sums it up per conversation.

use super::answer::Answer;
use super::aside::{Asides, Near, Words};
use super::devices::{Devices, Seen};
use super::drafts::Drafts;
use super::media::Media;
use super::message::Message;
use super::parcel::{Identity, Parcel, Parcels};
use super::sink::protocol_path;
use super::trial::{Candidate, Field, GivenUp, Room};
use super::uploads::Uploads;
use super::{Canaries, Content, ConversationKey, Copies, Coverage, Draft, Evidence, Kind, Lookups};
use crate::model::{Arrival, Facts, FlowKey, Limits, Notes, Origin, PerSide, Side, Timestamp, Transport};
use crate::peel::{NodeRef, Why};
use crate::ruleset::{Hit, Ruleset};
use rustc_hash::FxHashMap;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

/// What all flows share.
#[derive(Debug)]
pub struct Shared {
    /// The rules.
    pub ruleset: Arc<Ruleset>,
    /// The planted texts.
    pub canaries: Canaries,
    /// The bounds.
    pub limits: Limits,
    /// Whether content may be kept for the report.
    pub reveal: bool,
    /// Whether messages are kept to be found again at another vantage.
    pub vantage: bool,
}

/// What one flow showed.
#[derive(Debug, Clone, Default)]
pub struct FlowEvidence {
    /// Conversations it carries.
    pub drafts: Vec<Draft>,
    /// Names of addresses, from name look-ups.
    pub names: Lookups,
    /// Something odd, by code.
    pub notes: Notes,
    /// Bytes.
    pub coverage: Coverage,
    /// Transport facts by name.
    pub facts: Facts,
    /// Possible keys in sight.
    pub candidates: Vec<Candidate>,
    /// Opaque fields of messages, for trials with those keys.
    pub fields: Vec<Field>,
    /// Keys and fields beyond the bounds of one flow.
    pub given_up: GivenUp,
    /// What messages said and what other fields hold, by digest.
    pub copies: Copies,
    /// Keys and packets of calls.
    pub media: Media,
    /// Messages, to be found again at another vantage.
    pub parcels: Vec<Parcel>,
    /// Keys of people's identities, to be compared with another vantage.
    pub identities: Vec<Identity>,
    /// Lists of people's devices, and devices that messages are sealed for.
    pub devices: Devices,
    /// Texts in fields of no known kind.
    pub asides: Asides,
    /// Files that were sent by a way that does not say what for.
    pub uploads: Uploads,
}

/// Messages held open at once; an older one is settled when a newer one needs its place.
const OPEN: usize = 24;
/// Random-looking fields that are measured per flow, and those of no known kind among them.
pub(super) const MEASURED: u32 = 96;
pub(super) const MEASURED_OTHER: u32 = 24;
/// Bytes of a field of no known kind that are measured, from its beginning: it decides nothing.
pub(super) const MEASURED_BYTES: usize = 4 << 10;
/// Bits of the scope that tell a message from a flow's own stream.
pub(super) const OWN: u64 = 1 << 63;

/// The sink of one flow.
#[derive(Clone)]
pub struct Collector {
    pub(super) shared: Arc<Shared>,
    pub(super) flow: FlowKey,
    pub(super) flow_text: OnceCell<String>,
    /// The server's address and port as text.
    pub(super) server_text: OnceCell<String>,
    /// The layer path seen last and the protocols on it: messages of a flow mostly have the same.
    pub(super) protocols: Option<(Arc<str>, String)>,
    pub(super) first: Timestamp,
    pub(super) messages: Vec<Message>,
    pub(super) drafts: Drafts,
    pub(super) result: FlowEvidence,
    pub(super) sealed: PerSide<u64>,
    pub(super) sealed_why: Option<(Why, Evidence)>,
    pub(super) secure_path: String,
    pub(super) service: Option<String>,
    pub(super) measured: u32,
    /// Fields of no known kind that this flow and all flows of its share may still measure, and those that
    /// were not measured.
    pub(super) spare: u32,
    pub(super) left: Arc<AtomicU32>,
    pub(super) unmeasured: u64,
    /// Rules that have spoken, by place.
    pub(super) told: rustc_hash::FxHashSet<(u32, u64)>,
    pub(super) hits: Vec<Hit>,
    /// Canaries seen below a field, and those seen in raw layer bytes with the first place.
    pub(super) inner: BTreeSet<u32>,
    pub(super) outer: BTreeMap<u32, Evidence>,
    pub(super) carry: FxHashMap<(u32, Side), Vec<u8>>,
    /// Message that each kept field belongs to.
    pub(super) field_scopes: Vec<u64>,
    /// What is kept for trials of what may be kept.
    pub(super) room: Room,
    pub(super) unknown: PerSide<u64>,
    /// A limit was reached: something in this flow was not looked at.
    pub(super) limited: bool,
    pub(super) parcels: Parcels,
    pub(super) seen: Seen,
}

impl Collector {
    /// For a flow that begins.
    /// `left` counts what a share of flows may still measure of fields of no known kind.
    pub fn new(shared: Arc<Shared>, flow: FlowKey, first: Timestamp, left: Arc<AtomicU32>) -> Self {
        Self {
            shared,
            flow_text: OnceCell::new(),
            server_text: OnceCell::new(),
            protocols: None,
            flow,
            first,
            messages: Vec::new(),
            drafts: Drafts::default(),
            result: FlowEvidence::default(),
            sealed: Default::default(),
            sealed_why: None,
            secure_path: String::new(),
            service: None,
            measured: 0,
            spare: MEASURED_OTHER,
            left,
            unmeasured: 0,
            told: Default::default(),
            hits: Vec::new(),
            inner: BTreeSet::new(),
            outer: BTreeMap::new(),
            carry: FxHashMap::default(),
            field_scopes: Vec::new(),
            room: Room::default(),
            unknown: Default::default(),
            limited: false,
            parcels: Parcels::default(),
            seen: Seen::default(),
        }
    }

    /// What the flow showed so far, as if it ended here.
    pub fn so_far(&self, app: Option<&str>, bytes: PerSide<u64>) -> FlowEvidence {
        self.clone().finish(app, bytes, 0)
    }

    /// The flow ended: everything is settled. `app` is whose it was, `bytes` what its transport carried, `unseen`
    /// counts bytes that arrived, as their receiver said, and were not recorded.
    pub fn finish(&mut self, app: Option<&str>, bytes: PerSide<u64>, unseen: u64) -> FlowEvidence {
        self.result.coverage.lost += unseen;
        self.settle_outer();
        for message in std::mem::take(&mut self.messages) {
            self.settle(message);
        }
        self.fold_calls();
        self.settle_flow();
        self.set_transfers_aside(bytes, unseen);
        self.result.notes.add_many("fields-unmeasured", self.unmeasured, None);
        self.result.parcels = std::mem::take(&mut self.parcels.parcels);
        self.result.identities = std::mem::take(&mut self.parcels.identities);
        self.result.devices = self.settle_devices();
        if self.parcels.full {
            self.result.notes.add("vantage-limit", None);
        }
        let mut result = std::mem::take(&mut self.result);
        result.drafts = std::mem::take(&mut self.drafts).into_list();
        for draft in &mut result.drafts {
            draft.flows = 1;
            draft.server.clone_from(self.server());
            draft.app = app.map(str::to_owned);
            draft.coverage = result.coverage;
            draft.bytes = bytes;
            draft.limited |= self.limited;
        }
        if let Some((last, others)) = result.drafts.split_last_mut() {
            others.iter_mut().for_each(|d| d.facts.clone_from(&result.facts));
            last.facts = std::mem::take(&mut result.facts);
        }
        result
    }

    fn server(&self) -> &String {
        self.server_text.get_or_init(|| self.flow.server.to_string())
    }

    pub(super) fn endpoint(&self, node: &NodeRef<'_>) -> String {
        let label = |name| node.label(name).filter(|v| !v.is_empty());
        let name = label("sni").or_else(|| label("host")).or(self.service.as_deref());
        match name {
            Some(name) if name.contains(':') && !name.contains('[') => name.to_owned(),
            Some(name) => format!("{name}:{}", self.flow.server.port),
            None => self.server().clone(),
        }
    }

    /// Protection and application layers from the outside in.
    pub(super) fn protocols(&mut self, node: &NodeRef<'_>) -> String {
        let path = node.path_shared();
        match &self.protocols {
            Some((known, protocols)) if *known == path => protocols.clone(),
            _ => {
                let protocols = protocol_path(node);
                self.protocols = Some((path, protocols.clone()));
                protocols
            }
        }
    }

    pub(super) fn message(&mut self, node: &NodeRef<'_>, at: Arrival) -> &mut Message {
        let scope = match node.scope() {
            0 => OWN | u64::from(node.id()),
            scope => scope,
        };
        if let Some(i) = self.messages.iter().rposition(|m| m.scope == scope) {
            self.messages[i].last = at.time;
            return &mut self.messages[i];
        }
        // Datagrams are whole; only streams have several messages under way.
        let plain = self.flow.transport != Transport::Tcp && self.secure_path.is_empty();
        let open = if plain { 2 } else { OPEN };
        if self.messages.len() >= open {
            let oldest = self.messages.remove(0);
            self.settle(oldest);
        }
        // A list makes room for four when it first needs any; most flows never have so many at once.
        if self.messages.is_empty() {
            self.messages.reserve_exact(2);
        }
        let message = Message {
            scope,
            endpoint: self.endpoint(node),
            path: self.protocols(node),
            named: false,
            first: at.time,
            last: at.time,
            envelopes: Vec::new(),
            readable: Vec::new(),
            answer: Answer::default(),
            beside: Vec::new(),
            words: Words::default(),
            asides: Vec::new(),
            opaque: Vec::new(),
            other: Vec::new(),
            small: Vec::new(),
            nonces: Vec::new(),
            rounds: None,
            sizes: Vec::new(),
            seals: Vec::new(),
            backup: false,
            serves: false,
            housekeeping: Vec::new(),
            remarks: Vec::new(),
            encrypted: false,
            uploads: Vec::new(),
            answered: None,
            speech: Default::default(),
            hashed: Default::default(),
            stanza: Default::default(),
        };
        self.messages.push(message);
        self.messages.last_mut().expect("just pushed")
    }

    fn settle(&mut self, mut message: Message) {
        for (field, scope) in self.result.fields.iter_mut().zip(&self.field_scopes) {
            if *scope == message.scope {
                field.conversation.path.clone_from(&message.path);
                field.nearby.clone_from(&message.small);
                field.rounds = message.rounds;
                // With several of each nobody can say which belongs to which.
                field.nonce = message.nonces.first().filter(|_| message.nonces.len() == 1).cloned();
            }
        }
        let stanza = std::mem::take(&mut message.stanza);
        let stanza_is_own = stanza.is_of_the_server();
        let partner = stanza.partner();
        self.settle_stanza(&message.endpoint, &message.path, stanza);
        let sizes = std::mem::take(&mut message.sizes);
        let mut seals = std::mem::take(&mut message.seals);
        seals.iter_mut().for_each(|(_, seal)| seal.partner = partner[seal.side]);
        if stanza_is_own {
            message.set_announcement_aside();
        }
        for list in message.words.sentences().filter(|e| e.origin.side == Side::Client) {
            self.result.asides.add(&message.endpoint, Near::Service(Side::Client), list);
        }
        for (content, evidence) in message.contents() {
            let limit = self.shared.limits.evidence;
            let sealed = matches!(content, Content::Envelope(_));
            let draft = self.drafts.of(&message.endpoint, &message.path, content, message.first);
            draft.limited |= sealed && message.words.full;
            draft.messages += 1;
            draft.first = draft.first.min(message.first);
            draft.last = draft.last.max(message.last);
            for e in evidence {
                draft.add(e, limit);
            }
            let of_it = sizes.iter().filter(|(c, _)| *c == draft.key.content);
            draft.add_sizes(of_it.map(|(_, size)| size.clone()).collect());
            let of_it = seals.iter().filter(|(c, _)| *c == draft.key.content);
            draft.add_seals(of_it.map(|(_, seal)| seal.clone()).collect());
        }
        for file in std::mem::take(&mut message.uploads) {
            self.result.uploads.file(&message.endpoint, file);
        }
        for remark in message.remarks {
            self.remark(&message.endpoint, remark);
        }
        for (content, words) in message.asides {
            let (endpoint, path) = (message.endpoint.clone(), message.path.clone());
            let near = Near::Item(ConversationKey { endpoint, path, content });
            self.result.asides.add(&message.endpoint, near, words);
        }
    }

    /// A planted text that was seen in a layer's bytes but in none of its fields was missed by the
    /// layers, not by us.
    fn settle_outer(&mut self) {
        for (canary, evidence) in std::mem::take(&mut self.outer) {
            if self.inner.contains(&canary) {
                continue;
            }
            let content = match evidence.kind {
                Kind::Canary { control: true, .. } => Content::Background,
                _ => Content::Text,
            };
            let endpoint = self.service_endpoint();
            let limit = self.shared.limits.evidence;
            let Origin { layers, time, .. } = &evidence.origin;
            let draft = self.drafts.of(&endpoint, layers, content, *time);
            draft.messages += 1;
            draft.add(evidence, limit);
        }
    }

    fn service_endpoint(&self) -> String {
        match &self.service {
            Some(name) => format!("{name}:{}", self.flow.server.port),
            None => self.server().clone(),
        }
    }

    /// What the flow is as a whole: traffic that stayed sealed, or that no layer knows.
    fn settle_flow(&mut self) {
        let sealed = self.sealed.client + self.sealed.server;
        let all = self.result.coverage.seen.max(1);
        let carried = self.drafts.keys().any(|k| k.content != Content::Background);
        if sealed > 0 && (!carried && sealed * 50 > all || sealed * 4 > all) {
            self.whole_flow(Content::Sealed);
        }
        if self.drafts.is_empty() && self.unknown.client + self.unknown.server > 0 {
            self.whole_flow(Content::Unknown);
        }
        if self.drafts.is_empty() {
            self.whole_flow(Content::Background);
        }
    }

    fn whole_flow(&mut self, content: Content) {
        let why = self.sealed_why.take_if(|_| content == Content::Sealed);
        let endpoint = self.service_endpoint();
        let draft = self.drafts.of(&endpoint, &self.secure_path, content, self.first);
        if let Some((_, evidence)) = why {
            draft.add(evidence, self.shared.limits.evidence);
        }
    }
}
