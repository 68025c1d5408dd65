//! What a field is to the observers: its rules, the planted texts in it, what may be a key, how random it is.

use super::collector::{Collector, MEASURED, TRIED};
use super::masked;
use super::message::{is_content_slot, is_message_slot, may_be_said};
use super::sink::{chain_of, join_fields, protocol_path};
use super::trial::{self, Candidate, Field};
use super::uniform::Measure;
use super::{Content, ConversationKey, Evidence, Kind, Polarity, Strength};
use crate::model::{Origin, Trust, digest16};
use crate::peel::{End, Form, Leaf, NodeRef, Why};
use crate::ruleset::{Subject, language};
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

impl Collector {
    pub(super) fn origin(&self, node: &NodeRef<'_>, leaf: &Leaf<'_>) -> Origin {
        Origin {
            frame: leaf.at.frame,
            time: leaf.at.time,
            flow: self.flow_text.get_or_init(|| self.flow.to_string()).clone(),
            side: leaf.side,
            layers: node.path().to_owned(),
            field: join_fields(node.field(), leaf.field),
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
        let place = place_of(node.path(), field);
        for (hit, rule) in hits.iter().filter_map(|h| Some((h, shared.ruleset.rules().get(h.rule)?))) {
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
            let content = is_content_slot(slot);
            let polarity = if content { Polarity::Against } else { Polarity::Neutral };
            let e = self.evidence(node, leaf, kind, Strength::Proof, polarity);
            let message = self.message(node, leaf.at);
            if content { message.readable.push(e) } else { message.other.push(e) }
        }
    }

    pub(super) fn clear_leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<(String, String)>) {
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

    pub(super) fn opaque_leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<&str>) {
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
    pub(super) fn keep_for_trial(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
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
    pub(super) fn keep_symmetric(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
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
