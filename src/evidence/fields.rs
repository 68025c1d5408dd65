//! What a field is to the observers: its rules, the planted texts in it, what may be a key, how random it is.

use super::collector::{Collector, MEASURED, MEASURED_BYTES};
use super::masked;
use super::message::{BACKUP_SLOT, is_content_slot, is_message_slot};
use super::randomness;
use super::sink::{chain_of, join_fields, protocol_path};
use super::trial::candidates::{Read, Reading};
use super::trial::{self, Candidate, Field, Lock, Named, Secret, Sort, Stood, Taken, candidates};
use super::{Content, ConversationKey, Evidence, Kind, Polarity, Strength};
use crate::model::{Memo, Origin, Trust, digest16};
use crate::peel::{End, Form, Leaf, NodeRef, Why};
use crate::ruleset::Subject;
use rustc_hash::FxHasher;
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

impl Collector {
    pub(super) fn origin(&self, node: &NodeRef<'_>, leaf: &Leaf<'_>) -> Origin {
        Origin {
            frame: leaf.at.frame,
            time: leaf.at.time,
            flow: self.flow_text.get_or_init(|| self.flow.to_string()).clone(),
            side: leaf.side,
            layers: node.path().to_owned(),
            field: join_fields(node.field(), leaf.field).into_owned(),
            trust: node.trust(),
            length: leaf.total,
            digest: digest16(leaf.bytes),
        }
    }

    pub(super) fn evidence(
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

    pub(super) fn sealed_leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, why: Why) {
        self.sealed[leaf.side] += leaf.total;
        if self.sealed_why.is_none() {
            // What stayed closed may lie inside a protection that was opened.
            self.secure_path = protocol_path(node);
            let e = self.evidence(node, leaf, Kind::Sealed { why }, Strength::Strong, Polarity::Neutral);
            self.sealed_why = Some((why, e));
        }
    }

    /// Runs the rules over a field. Returns the kind of field and the rule that knows it.
    pub(super) fn apply_rules(
        &mut self,
        node: &NodeRef<'_>,
        leaf: &Leaf<'_>,
        field: &str,
    ) -> Option<(String, String)> {
        // Bytes of no known layer are of no known kind.
        if node.path().is_empty() {
            return None;
        }
        let mut hits = std::mem::take(&mut self.hits);
        hits.clear();
        let subject = Subject {
            layers: node.path(),
            field,
            context: node,
            side: leaf.side,
            guard: node.guard(),
            form: leaf.form,
            bytes: leaf.bytes,
        };
        self.shared.ruleset.matches(&subject, &mut hits);
        if hits.is_empty() {
            self.hits = hits;
            return None;
        }
        let ruleset = self.shared.ruleset.clone();
        let mut slot: Option<(String, String)> = None;
        let mut found = Vec::new();
        let place = place_of(node.path(), field);
        for (hit, rule) in hits.iter().filter_map(|h| Some((h, ruleset.rules().get(h.rule)?))) {
            // The same rule over the same field again says nothing new within a flow.
            let told = (rule.means.metadata.is_some() || rule.means.finding.is_some())
                && self.told.len() < TOLD
                && !self.told.insert((hit.rule as u32, place));
            if let Some(item) = rule.means.metadata.as_ref().filter(|_| !told) {
                let kind = Kind::Metadata { item: item.clone(), rule: rule.id.clone() };
                found.push(self.evidence(node, leaf, kind, Strength::Strong, Polarity::Neutral));
            }
            if let Some(finding) = rule.means.finding.as_ref().filter(|_| !told) {
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

    pub(super) fn search_leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<&str>) {
        if self.shared.canaries.is_empty() || leaf.form == Form::Plain {
            return;
        }
        let shared = self.shared.clone();
        let mut hits = shared.canaries.find(leaf.bytes);
        if hits.is_empty() {
            // Text under a key of one small octet may still be text; more is not worth looking for there.
            let (longest, most) =
                if leaf.end == End::Opaque { (masked::PERIODS, usize::MAX) } else { (1, 4096) };
            if leaf.bytes.len() <= most {
                hits = shared.canaries.find_masked(leaf.bytes, longest);
            }
        }
        for hit in hits {
            let control = shared.canaries.list[hit.canary as usize].control;
            let kind = Kind::Canary {
                canary: hit.canary,
                control,
                chain: chain_of(node, hit.encoding),
                slot: slot.map(str::to_owned),
            };
            self.inner.insert(hit.canary);
            // A control is where its user put it, to be seen: it speaks of the search, not of messages.
            let content = !control && is_content_slot(slot);
            let polarity = if content { Polarity::Against } else { Polarity::Neutral };
            let e = self.evidence(node, leaf, kind, Strength::Proof, polarity);
            let message = self.message(node, leaf.at);
            if content { message.readable.push(e) } else { message.other.push(e) }
        }
    }

    pub(super) fn opaque_leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<&str>) {
        self.result.coverage.opaque += leaf.total;
        if node.scope() == 0 {
            return;
        }
        self.keep_for_trial(node, leaf, || Named::of(&join_fields(node.field(), leaf.field)), slot);
        self.seen(node, leaf, slot);
        self.sentences_inside(node, leaf);
        if slot == Some(BACKUP_SLOT) {
            self.message(node, leaf.at).backup = true;
        }
        self.attachment(node, leaf);
        let called = |field: &str| field.split(['.', '>']).any(|name| name == "encrypted");
        if called(node.field()) || called(leaf.field) {
            self.message(node, leaf.at).encrypted = true;
        }
        let known = is_message_slot(slot);
        if leaf.total < 16 || !self.may_measure(known) {
            return;
        }
        let most = if known { leaf.bytes.len() } else { MEASURED_BYTES.min(leaf.bytes.len()) };
        let measure = randomness::measure(&leaf.bytes[..most]);
        let (class, probability) = measure.verdict();
        let kind = Kind::Opaque {
            slot: slot.map(str::to_owned),
            class: class.into(),
            millibits: (measure.bits_per_byte * 1000.0) as u32,
            expected_millibits: (measure.expected * 1000.0) as u32,
            z_hundredths: (measure.z * 100.0).clamp(-1e6, 1e6) as i32,
            decibits: (measure.evidence_bits * 10.0).clamp(-1e6, 1e6) as i32,
            percent: (probability * 100.0) as u8,
            power_percent: (measure.power * 100.0) as u8,
        };
        if known {
            self.message_field(node, leaf, Content::Opaque);
        }
        let strength = if known { Strength::Strong } else { Strength::Weak };
        let e = self.evidence(node, leaf, kind, strength, Polarity::Neutral);
        self.message(node, leaf.at).opaque.push(e);
    }

    /// Whether one more field may be measured. Those of no known kind decide nothing, so they have the less.
    fn may_measure(&mut self, slotted: bool) -> bool {
        if slotted {
            self.measured += 1;
            return self.measured <= MEASURED;
        }
        let left = self.left.load(Relaxed);
        if self.spare == 0 || left == 0 {
            self.unmeasured += 1;
            return false;
        }
        // The flows of a share are read by one thread.
        self.left.store(left - 1, Relaxed);
        self.spare -= 1;
        true
    }

    /// Remembers what may be a key and what a key may open. `named` tells what its name says of keys.
    pub(super) fn keep_for_trial(
        &mut self,
        node: &NodeRef<'_>,
        leaf: &Leaf<'_>,
        named: impl Fn() -> Named,
        slot: Option<&str>,
    ) {
        if leaf.total != leaf.bytes.len() as u64 {
            return;
        }
        let text = (leaf.form != Form::Binary || leaf.end == End::Clear).then(|| leaf.text()).flatten();
        // A field for passwords, and a message of one word, may be one.
        let is_word =
            |t: &&str| slot == Some("credential") || is_message_slot(slot) && !t.trim().contains(' ');
        if let Some(word) = text.filter(is_word).and_then(candidates::of_credential) {
            let stood = if slot == Some("credential") { Stood::Called } else { Stood::Alone };
            self.keep_secret(node, leaf, word, stood);
        }
        let secrets = text.map_or_else(|| candidates::of_bytes(leaf.bytes).into(), secrets_of);
        if !secrets.is_empty() {
            let named = named();
            let alone = leaf.bytes.len() <= 96 && !leaf.bytes.contains(&b' ');
            for read in secrets.iter() {
                let stood = Stood::of(named, read.called, alone);
                if stood == Stood::Called || read.reading == Reading::Usual {
                    self.keep_secret(node, leaf, read.secret.clone(), stood);
                }
            }
        }
        if leaf.end != End::Opaque || leaf.bytes.len() > trial::LONGEST {
            return;
        }
        if leaf.bytes.len() <= 24 {
            let last =
                |path: &str| path.rsplit(['.', '>']).find(|n| !n.is_empty()).map(str::to_ascii_lowercase);
            let names = [last(leaf.field), last(node.field())];
            let is_nonce = names.iter().flatten().any(|name| NONCES.contains(&name.as_str()));
            let message = self.message(node, leaf.at);
            if is_nonce && leaf.bytes.len() >= 8 {
                message.nonces.push(leaf.bytes.to_vec());
            }
            if message.small.len() < 8 {
                message.small.push(leaf.bytes.to_vec());
            }
        } else {
            self.keep_field(node, leaf, None);
        }
    }

    /// Keeps a secret, if there is room for one that stood like this. Of several sightings the likeliest
    /// counts.
    pub(super) fn keep_secret(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, secret: Secret, stood: Stood) {
        match self.room.takes_secret(&mut self.result.candidates, &secret, node.guard(), stood) {
            Taken::Known => {}
            Taken::Full => self.result.given_up.secret(stood, Sort::of(&secret), 1),
            Taken::New => {
                let (origin, endpoint, guard) = (self.origin(node, leaf), self.endpoint(node), node.guard());
                self.result.candidates.push(Candidate { origin, endpoint, stood, guard, secret });
            }
        }
    }

    /// Keeps a field for trials, if there is room; with a format it is an envelope, whole.
    pub(super) fn keep_field(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, format: Option<&str>) {
        let (origin, scope, guard) = (self.origin(node, leaf), node.scope(), node.guard());
        let message = self.message(node, leaf.at);
        let (endpoint, path) = (message.endpoint.clone(), message.path.clone());
        // The conversation that the message's envelope makes, if it is one.
        let envelope = format.and(message.envelopes.last()).and_then(|e| match &e.kind {
            Kind::Envelope { protocol, class, .. } if class == "e2ee-message" => Some(protocol.clone()),
            _ => None,
        });
        let content = envelope.map_or(Content::Opaque, Content::Envelope);
        let conversation = ConversationKey { endpoint, path, content };
        let named = match format {
            Some(_) => Named::Nothing,
            None => Named::of(&origin.field),
        };
        if !self.room.takes(format, named, leaf.bytes.len()) {
            if let Some(lock) = Lock::of(format) {
                self.message(node, leaf.at).named = true;
                self.result.given_up.field(conversation, lock, 1);
            }
            return;
        }
        let field = Field {
            origin,
            conversation,
            guard,
            format: format.map(str::to_owned),
            named,
            bytes: leaf.bytes.to_vec(),
            nearby: Vec::new(),
            nonce: None,
            rounds: None,
        };
        self.result.fields.push(field);
        self.field_scopes.push(scope);
    }

    /// Ciphertext under a shared secret counts as opaque, and is compared with other messages like any
    /// opaque field.
    pub(super) fn keep_symmetric(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let whole = leaf.total == leaf.bytes.len() as u64;
        if !whole || !(25..=trial::LONGEST).contains(&leaf.bytes.len()) {
            return;
        }
        let envelope = self.message(node, leaf.at).envelopes.last();
        let symmetric =
            |e: &Evidence| matches!(&e.kind, Kind::Envelope { class, .. } if class == "symmetric");
        if envelope.is_some_and(symmetric) {
            self.keep_field(node, leaf, None);
        }
    }

    /// A number that says how often a key derivation runs.
    pub(super) fn keep_rounds(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        if let Some(rounds) = leaf.text().and_then(|t| t.parse::<u32>().ok()) {
            self.message(node, leaf.at).rounds = Some(rounds);
        }
    }
}

/// Whether a field is called after the rounds of a key derivation.
pub(super) fn is_rounds(field: &str) -> bool {
    let name = field.rsplit(['.', '>']).next().unwrap_or("");
    ROUNDS.iter().any(|r| name.eq_ignore_ascii_case(r))
}

thread_local! {
    /// What texts met lately hold of secrets: mostly nothing.
    static SECRETS: RefCell<Memo<Rc<[Read]>>> = RefCell::default();
}

fn secrets_of(text: &str) -> Rc<[Read]> {
    SECRETS.with_borrow_mut(|known| known.answer(0, text.as_bytes(), || candidates::of_text(text).into()))
}

/// Names of fields that hold a nonce.
const NONCES: [&str; 6] = ["iv", "nonce", "n", "initvector", "init_vector", "initialization_vector"];
/// Names of fields that hold the rounds of a key derivation.
const ROUNDS: [&str; 7] =
    ["iter", "iterations", "rounds", "kdf_iterations", "pbkdf2_iterations", "c", "count"];

/// Places remembered per flow.
const TOLD: usize = 4096;

/// A number for a place: layer path and field without list positions.
fn place_of(layers: &str, field: &str) -> u64 {
    let mut hasher = FxHasher::default();
    layers.hash(&mut hasher);
    let mut inside = false;
    for b in field.bytes() {
        match b {
            b'[' => inside = true,
            b']' => inside = false,
            _ if inside => {}
            _ => hasher.write_u8(b),
        }
    }
    hasher.finish()
}
