//! The sink of one flow: runs the observers over what the engine tells and sums it up per conversation.

use super::message::{Message, is_content_slot, is_message_slot, may_be_said};
use super::trial::{self, Candidate, Field};
use super::uniform::Measure;
use super::{Canaries, Content, ConversationKey, Coverage, Draft, Evidence, Kind, Polarity, Strength};
use crate::model::{
    Arrival, Bucket, FlowKey, FrameRef, Ledger, Limits, Notes, Origin, Side, Timestamp, Trust, Value,
    digest16,
};
use crate::peel::{By, End, Family, Form, Guard, Leaf, NodeRef, Sink, Why};
use crate::ruleset::{Hit, Ruleset, Subject, language};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

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
}

/// What one flow showed.
#[derive(Debug, Default)]
pub struct FlowEvidence {
    /// Conversations it carries.
    pub drafts: Vec<Draft>,
    /// Names of addresses, from name look-ups.
    pub names: Vec<(IpAddr, String)>,
    /// Something odd, by code.
    pub notes: Notes,
    /// Bytes.
    pub coverage: Coverage,
    /// Transport facts by name.
    pub facts: BTreeMap<String, BTreeSet<Value>>,
    /// Possible keys in sight.
    pub candidates: Vec<Candidate>,
    /// Opaque fields of messages, for trials with those keys.
    pub fields: Vec<Field>,
}

/// Messages held open at once; an older one is settled when a newer one needs its place.
const OPEN: usize = 128;
/// Random-looking fields that are measured per flow.
const MEASURED: u32 = 256;
/// Candidate keys and opaque fields kept per flow.
const TRIED: usize = 64;
/// Values kept of one fact.
const VALUES: usize = 16;
/// Bits of the scope that tell a message from a flow's own stream.
const OWN: u64 = 1 << 63;

/// The sink of one flow.
pub struct Collector {
    shared: Arc<Shared>,
    flow: FlowKey,
    flow_text: Arc<str>,
    app: Option<Arc<str>>,
    first: Timestamp,
    messages: Vec<Message>,
    drafts: BTreeMap<ConversationKey, Draft>,
    result: FlowEvidence,
    bytes: crate::model::PerSide<u64>,
    sealed: crate::model::PerSide<u64>,
    sealed_why: Option<(Why, Evidence)>,
    secure_path: String,
    service: Option<String>,
    measured: u32,
    hits: Vec<Hit>,
    /// Canaries seen below a field, and those seen in raw layer bytes with the first place.
    inner: BTreeSet<u32>,
    outer: BTreeMap<u32, Evidence>,
    carry: HashMap<(u32, Side), Vec<u8>>,
    /// Message that each kept field belongs to.
    field_scopes: Vec<u64>,
    unknown: crate::model::PerSide<u64>,
    call: crate::model::PerSide<u64>,
}

impl Collector {
    /// For a flow that begins.
    pub fn new(shared: Arc<Shared>, flow: FlowKey, app: Option<Arc<str>>, first: Timestamp) -> Self {
        Self {
            shared,
            flow_text: flow.to_string().into(),
            flow,
            app,
            first,
            messages: Vec::new(),
            drafts: BTreeMap::new(),
            result: FlowEvidence::default(),
            bytes: Default::default(),
            sealed: Default::default(),
            sealed_why: None,
            secure_path: String::new(),
            service: None,
            measured: 0,
            hits: Vec::new(),
            inner: BTreeSet::new(),
            outer: BTreeMap::new(),
            carry: HashMap::new(),
            field_scopes: Vec::new(),
            unknown: Default::default(),
            call: Default::default(),
        }
    }

    /// Counts transport payload.
    pub fn count(&mut self, side: Side, bytes: u64) {
        self.bytes[side] += bytes;
    }

    /// The flow ended: everything is settled.
    pub fn finish(mut self) -> FlowEvidence {
        self.settle_outer();
        for message in std::mem::take(&mut self.messages) {
            self.settle(message);
        }
        self.settle_flow();
        let (flow, app) = (self.flow, self.app.clone());
        for (_, mut draft) in std::mem::take(&mut self.drafts) {
            draft.flows = 1;
            draft.server = flow.server.to_string();
            draft.app = app.as_deref().map(str::to_owned);
            draft.coverage = self.result.coverage;
            draft.bytes = self.bytes;
            for (name, values) in &self.result.facts {
                draft.facts.insert(name.clone(), values.clone());
            }
            self.result.drafts.push(draft);
        }
        self.result
    }

    fn endpoint(&self, node: &NodeRef<'_>) -> String {
        let name = node.label("sni").or_else(|| node.label("host")).or(self.service.as_deref());
        match name {
            Some(name) if name.contains(':') && !name.contains('[') => name.to_owned(),
            Some(name) => format!("{name}:{}", self.flow.server.port),
            None => self.flow.server.to_string(),
        }
    }

    fn message(&mut self, node: &NodeRef<'_>, at: Arrival) -> &mut Message {
        let scope = match node.scope() {
            0 => OWN | u64::from(node.id()),
            scope => scope,
        };
        if let Some(i) = self.messages.iter().rposition(|m| m.scope == scope) {
            self.messages[i].last = at.time;
            return &mut self.messages[i];
        }
        if self.messages.len() == OPEN {
            let oldest = self.messages.remove(0);
            self.settle(oldest);
        }
        let message = Message {
            scope,
            endpoint: self.endpoint(node),
            path: protocol_path(node),
            first: at.time,
            last: at.time,
            envelopes: Vec::new(),
            readable: Vec::new(),
            opaque: Vec::new(),
            other: Vec::new(),
            small: Vec::new(),
        };
        self.messages.push(message);
        self.messages.last_mut().expect("just pushed")
    }

    fn settle(&mut self, mut message: Message) {
        for (field, scope) in self.result.fields.iter_mut().zip(&self.field_scopes) {
            if *scope == message.scope {
                field.nearby.clone_from(&message.small);
            }
        }
        for (content, evidence) in message.contents() {
            let key =
                ConversationKey { endpoint: message.endpoint.clone(), path: message.path.clone(), content };
            let limit = self.shared.limits.evidence;
            let draft = self.drafts.entry(key).or_insert_with_key(|k| Draft::new(k.clone(), message.first));
            draft.messages += 1;
            draft.first = draft.first.min(message.first);
            draft.last = draft.last.max(message.last);
            for e in evidence {
                draft.add(e, limit);
            }
        }
    }

    /// A planted text that was seen in a layer's bytes but in none of its fields was missed by the
    /// layers, not by us.
    fn settle_outer(&mut self) {
        for (canary, evidence) in std::mem::take(&mut self.outer) {
            if self.inner.contains(&canary) {
                continue;
            }
            let key = ConversationKey {
                endpoint: self.service_endpoint(),
                path: evidence.origin.layers.clone(),
                content: Content::Text,
            };
            let limit = self.shared.limits.evidence;
            let at = evidence.origin.time;
            let draft = self.drafts.entry(key).or_insert_with_key(|k| Draft::new(k.clone(), at));
            draft.messages += 1;
            draft.add(evidence, limit);
        }
    }

    fn service_endpoint(&self) -> String {
        match &self.service {
            Some(name) => format!("{name}:{}", self.flow.server.port),
            None => self.flow.server.to_string(),
        }
    }

    /// What the flow is as a whole: traffic that stayed sealed, or that no layer knows.
    fn settle_flow(&mut self) {
        let sealed = self.sealed.client + self.sealed.server;
        let all = self.result.coverage.seen.max(1);
        let carried = self.drafts.keys().any(|k| k.content != Content::Background);
        if sealed > 0 && (!carried && sealed * 50 > all || sealed * 4 > all) {
            self.whole_flow(Content::Sealed, self.secure_path.clone());
        }
        if self.call.client + self.call.server > 0 {
            self.whole_flow(Content::Call, self.secure_path.clone());
        } else if self.drafts.is_empty() && self.unknown.client + self.unknown.server > 0 {
            self.whole_flow(Content::Unknown, String::new());
        }
        if self.drafts.is_empty() {
            self.whole_flow(Content::Background, self.secure_path.clone());
        }
    }

    fn whole_flow(&mut self, content: Content, path: String) {
        let key = ConversationKey { endpoint: self.service_endpoint(), path, content };
        let mut draft = Draft::new(key.clone(), self.first);
        if key.content == Content::Sealed
            && let Some((_, evidence)) = self.sealed_why.take()
        {
            draft.add(evidence, self.shared.limits.evidence);
        }
        self.drafts.insert(key, draft);
    }

    fn origin(&self, node: &NodeRef<'_>, leaf: &Leaf<'_>) -> Origin {
        Origin {
            frame: leaf.at.frame,
            time: leaf.at.time,
            flow: self.flow_text.to_string(),
            side: leaf.side,
            layers: node.path().to_owned(),
            field: join_fields(node.field(), leaf.field),
            trust: node.trust(),
            length: leaf.total,
            digest: digest16(leaf.bytes),
        }
    }

    fn evidence(
        &self,
        node: &NodeRef<'_>,
        leaf: &Leaf<'_>,
        kind: Kind,
        strength: Strength,
        polarity: Polarity,
    ) -> Evidence {
        let shown = (self.shared.reveal && leaf.form != Form::Binary)
            .then(|| String::from_utf8_lossy(&leaf.bytes[..leaf.bytes.len().min(400)]).into_owned());
        Evidence {
            kind,
            strength,
            polarity,
            guard: node.guard(),
            origin: self.origin(node, leaf),
            count: 1,
            shown,
        }
    }

    fn sealed_leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, why: Why) {
        self.sealed[leaf.side] += leaf.total;
        if self.secure_path.is_empty() {
            self.secure_path = protocol_path(node);
        }
        if self.sealed_why.is_none() {
            let e = self.evidence(node, leaf, Kind::Sealed { why }, Strength::Strong, Polarity::Neutral);
            self.sealed_why = Some((why, e));
        }
    }

    /// Runs the rules over a field. Returns the kind of field and the rule that knows it.
    fn apply_rules(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, field: &str) -> Option<(String, String)> {
        let mut hits = std::mem::take(&mut self.hits);
        hits.clear();
        let subject = Subject {
            layers: node.path(),
            field,
            host: node.label("host").or_else(|| node.label("sni")),
            path: node.label("path"),
            content_type: node.label("content_type"),
            side: leaf.side,
            guard: node.guard(),
            form: leaf.form,
            bytes: leaf.bytes,
        };
        let shared = self.shared.clone();
        shared.ruleset.matches(&subject, &mut hits);
        let mut slot: Option<(String, String)> = None;
        let mut found = Vec::new();
        for rule in hits.iter().filter_map(|h| shared.ruleset.rules().get(h.rule)) {
            if let Some(item) = &rule.means.metadata {
                let kind = Kind::Metadata { item: item.clone(), rule: rule.id.clone() };
                found.push(self.evidence(node, leaf, kind, Strength::Strong, Polarity::Neutral));
            }
            if let Some(finding) = &rule.means.finding {
                let kind = Kind::Rule { finding: finding.clone(), rule: rule.id.clone() };
                found.push(self.evidence(node, leaf, kind, Strength::Strong, Polarity::Neutral));
            }
            if let Some(s) = &rule.means.slot
                && slot
                    .as_ref()
                    .is_none_or(|(known, _)| is_message_slot(Some(known)) && !is_message_slot(Some(s)))
            {
                slot = Some((s.clone(), rule.id.clone()));
            }
        }
        self.hits = hits;
        if !found.is_empty() && node.trust() > Trust::Guessed {
            self.message(node, leaf.at).other.append(&mut found);
        }
        slot
    }

    fn search_leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<&str>) {
        if self.shared.canaries.is_empty() || leaf.form == Form::Plain {
            return;
        }
        let shared = self.shared.clone();
        for hit in shared.canaries.find(leaf.bytes) {
            let control = shared.canaries.list[hit.canary as usize].control;
            let kind = Kind::Canary {
                canary: hit.canary,
                control,
                chain: chain_of(node, hit.encoding),
                slot: slot.map(str::to_owned),
            };
            self.inner.insert(hit.canary);
            let content = is_content_slot(slot);
            let polarity = if content { Polarity::Against } else { Polarity::Neutral };
            let e = self.evidence(node, leaf, kind, Strength::Proof, polarity);
            let message = self.message(node, leaf.at);
            if content { message.readable.push(e) } else { message.other.push(e) }
        }
    }

    fn clear_leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<(String, String)>) {
        self.result.coverage.explained += leaf.total;
        if leaf.form == Form::Text && node.scope() != 0 {
            self.keep_for_trial(node, leaf);
        }
        let Some((slot, rule)) = slot.filter(|(s, _)| may_be_said(s)) else { return };
        let Ok(text) = std::str::from_utf8(leaf.bytes) else { return };
        let natural = language::natural(text);
        if natural < 0.35 || node.trust() == Trust::Guessed && natural < 0.7 {
            return;
        }
        let kind = Kind::Readable { slot, rule, language_percent: (natural * 100.0) as u8 };
        let e = self.evidence(node, leaf, kind, Strength::Strong, Polarity::Against);
        self.message(node, leaf.at).readable.push(e);
    }

    fn opaque_leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<&str>) {
        self.result.coverage.opaque += leaf.total;
        if node.scope() == 0 {
            return;
        }
        self.keep_for_trial(node, leaf);
        if leaf.total < 16 || self.measured >= MEASURED {
            return;
        }
        self.measured += 1;
        let measure = Measure::of(leaf.bytes);
        let class = if measure.passes_for_uniform() { "random" } else { "structured" };
        let kind = Kind::Opaque {
            slot: slot.map(str::to_owned),
            class: class.into(),
            millibits: (measure.bits * 1000.0) as u32,
            expected_millibits: (measure.expected * 1000.0) as u32,
        };
        let strength = if is_message_slot(slot) { Strength::Strong } else { Strength::Weak };
        let e = self.evidence(node, leaf, kind, strength, Polarity::Neutral);
        self.message(node, leaf.at).opaque.push(e);
    }

    /// Remembers what may be a key and what a key may open.
    fn keep_for_trial(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let whole = leaf.total == leaf.bytes.len() as u64;
        if whole
            && leaf.bytes.len() <= 64
            && self.result.candidates.len() < TRIED
            && let Some(key) = trial::candidate(leaf.bytes)
            && !self.result.candidates.iter().any(|c| c.key == key)
        {
            let origin = self.origin(node, leaf);
            self.result.candidates.push(Candidate { origin, guard: node.guard(), key });
        }
        if leaf.end != End::Opaque || !whole || leaf.bytes.len() > trial::LONGEST {
            return;
        }
        if leaf.bytes.len() <= 24 {
            let message = self.message(node, leaf.at);
            if message.small.len() < 8 {
                message.small.push(leaf.bytes.to_vec());
            }
        } else if self.result.fields.len() < TRIED {
            self.keep_field(node, leaf);
        }
    }

    fn keep_field(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let (origin, scope, guard) = (self.origin(node, leaf), node.scope(), node.guard());
        let message = self.message(node, leaf.at);
        let (endpoint, path) = (message.endpoint.clone(), message.path.clone());
        let conversation = ConversationKey { endpoint, path, content: Content::Opaque };
        let field = Field { origin, conversation, guard, bytes: leaf.bytes.to_vec(), nearby: Vec::new() };
        self.result.fields.push(field);
        self.field_scopes.push(scope);
    }

    /// Ciphertext under a shared secret counts as opaque, and is compared with other messages like any
    /// opaque field.
    fn keep_symmetric(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let whole = leaf.total == leaf.bytes.len() as u64;
        if !whole || !(25..=trial::LONGEST).contains(&leaf.bytes.len()) || self.result.fields.len() >= TRIED {
            return;
        }
        let envelope = self.message(node, leaf.at).envelopes.last();
        let symmetric =
            |e: &Evidence| matches!(&e.kind, Kind::Envelope { class, .. } if class == "symmetric");
        if envelope.is_some_and(symmetric) {
            self.keep_field(node, leaf);
        }
    }
}

impl Sink for Collector {
    fn fact(&mut self, node: &NodeRef<'_>, name: &'static str, value: &Value, at: Arrival) {
        if let ("dns.address", Value::List(parts)) = (name, value) {
            if let [Value::Text(host), Value::Text(ip)] = parts.as_slice()
                && let Ok(ip) = ip.parse()
            {
                self.result.names.push((ip, host.clone()));
            }
            return;
        }
        if node.family() == Some(Family::Envelope) {
            return self.envelope_fact(node, name, value, at);
        }
        if name.ends_with(".sni")
            && let Value::Text(host) = value
        {
            self.service = Some(host.clone());
        }
        let known = self.result.facts.len() < 256 || self.result.facts.contains_key(name);
        if node.family() == Some(Family::Secure) && known {
            let values = self.result.facts.entry(name.to_owned()).or_default();
            if values.len() < VALUES {
                values.insert(value.clone());
            }
        }
    }

    fn leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        if let End::Sealed(By::Transport, why) = leaf.end {
            return self.sealed_leaf(node, leaf, why);
        }
        if let End::Sealed(By::App, _) = leaf.end {
            return self.keep_symmetric(node, leaf);
        }
        if node.scope() == 0 && node.path().is_empty() && leaf.end != End::Clear {
            self.unknown[leaf.side] += leaf.total;
        }
        let field = join_fields(node.field(), leaf.field);
        let slot = self.apply_rules(node, leaf, &field);
        self.search_leaf(node, leaf, slot.as_ref().map(|(s, _)| s.as_str()));
        match leaf.end {
            End::Clear => self.clear_leaf(node, leaf, slot),
            End::Opaque => self.opaque_leaf(node, leaf, slot.as_ref().map(|(s, _)| s.as_str())),
            End::Sealed(..) | End::Cut(_) => {}
        }
    }

    fn wants_bytes(&self) -> bool {
        !self.shared.canaries.is_empty()
    }

    fn bytes(&mut self, node: &NodeRef<'_>, field: &str, side: Side, offset: u64, bytes: &[u8], at: Arrival) {
        if node.family() == Some(Family::Secure) || node.family() == Some(Family::Envelope) {
            return;
        }
        let keep = self.shared.canaries.longest().saturating_sub(1);
        let carry = self.carry.entry((node.id(), side)).or_default();
        if offset == 0 || !field.is_empty() {
            carry.clear();
        }
        carry.extend_from_slice(bytes);
        let hits = self.shared.canaries.find(carry);
        let cut = carry.len().saturating_sub(keep);
        carry.drain(..cut);
        for hit in hits {
            if self.outer.contains_key(&hit.canary) {
                continue;
            }
            let control = self.shared.canaries.list[hit.canary as usize].control;
            let chain = chain_of(node, hit.encoding);
            let kind = Kind::Canary { canary: hit.canary, control, chain, slot: None };
            let leaf = Leaf {
                field,
                form: Form::Binary,
                side,
                bytes,
                total: bytes.len() as u64,
                end: End::Clear,
                at,
            };
            let e = self.evidence(node, &leaf, kind, Strength::Proof, Polarity::Against);
            self.outer.insert(hit.canary, e);
        }
    }

    fn layer(&mut self, node: &NodeRef<'_>, at: Arrival) {
        if node.family() == Some(Family::Secure) && self.secure_path.is_empty() {
            self.secure_path = protocol_path(node);
        }
        if matches!(node.family(), Some(Family::App)) && node.scope() != 0 {
            self.message(node, at);
        }
    }

    fn done(&mut self, node: &NodeRef<'_>, ledger: &Ledger) {
        let coverage = &mut self.result.coverage;
        if node.parent().is_none() {
            coverage.seen += ledger.fed;
            coverage.parsed += ledger.parsed;
            coverage.lost += ledger.lost;
        }
        if node.family() == Some(Family::Secure) {
            coverage.sealed += ledger.sealed;
        }
        let opened = node.parent().is_some_and(|p| p.family() == Some(Family::Secure));
        if opened && node.guard() == Guard::Confidential {
            coverage.decrypted += ledger.fed;
        }
        for side in Side::BOTH {
            self.carry.remove(&(node.id(), side));
        }
        let _ = Bucket::Parsed;
    }

    fn note(&mut self, _node: &NodeRef<'_>, code: &'static str, at: Arrival) {
        let frame = (at.frame != FrameRef::default()).then_some(at.frame);
        self.result.notes.add(code, frame);
    }
}

impl Collector {
    /// Envelope layers state what they are in facts of their own namespace.
    fn envelope_fact(&mut self, node: &NodeRef<'_>, name: &'static str, value: &Value, at: Arrival) {
        if name != "envelope.is" {
            return;
        }
        let Value::List(parts) = value else { return };
        let [
            Value::Text(format),
            Value::Text(protocol),
            Value::Text(class),
            Value::Number(tier),
            Value::Text(why),
        ] = parts.as_slice()
        else {
            return;
        };
        let kind = Kind::Envelope {
            format: format.clone(),
            protocol: protocol.clone(),
            class: class.clone(),
            tier: (*tier).min(3) as u8,
            why: (!why.is_empty()).then(|| why.clone()),
        };
        let polarity = match class.as_str() {
            "e2ee-message" | "e2ee-handshake" => Polarity::For,
            "broken" | "secret-key" | "not-encrypted" => Polarity::Against,
            _ => Polarity::Neutral,
        };
        // A token in a header, a cookie or a link is sealed to a server, not to a person.
        let first = node.field().split('>').next().unwrap_or("");
        let token = first.starts_with("header.") || first == "target" || first == "query";
        let strength = if *tier <= 2 && !token { Strength::Strong } else { Strength::Weak };
        let leaf = Leaf {
            field: "",
            form: Form::Binary,
            side: Side::Client,
            bytes: &[],
            total: 0,
            end: End::Opaque,
            at,
        };
        let e = self.evidence(node, &leaf, kind, strength, polarity);
        let message = self.message(node, at);
        if token { message.other.push(e) } else { message.envelopes.push(e) }
    }
}

/// Protection and application layers from the outside in.
fn protocol_path(node: &NodeRef<'_>) -> String {
    let mut names: Vec<&str> =
        node.layers().filter(|s| matches!(s.family, Family::Secure | Family::App)).map(|s| s.name).collect();
    names.reverse();
    names.join("/")
}

/// Encodings undone on the way, outermost first.
fn chain_of(node: &NodeRef<'_>, encoding: Option<&'static str>) -> Vec<String> {
    let mut names: Vec<String> =
        node.layers().filter(|s| s.family == Family::Codec).map(|s| s.name.to_owned()).collect();
    names.reverse();
    names.extend(encoding.map(str::to_owned));
    names
}

fn join_fields(outer: &str, inner: &str) -> String {
    match (outer.is_empty(), inner.is_empty()) {
        (true, _) => inner.to_owned(),
        (_, true) => outer.to_owned(),
        _ => format!("{outer}>{inner}"),
    }
}
