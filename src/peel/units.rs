//! Whole messages and datagrams: how the engine feeds layers that do not eat streams.

use super::choose;
use super::feeding::{Last, bucket_of, plain_end, reads_as_text};
use super::node::State;
use super::tree::Env;
use super::{
    Before, Child, CutWhy, Eats, End, Family, Form, Guess, Hashes, Input, Leaf, Probe, Spec, Then, Tree, Unit,
};
use crate::model::{Bucket, Side, Trust};

/// Datagrams in a row that no layer claims before the engine stops asking for every one.
const ASK: u32 = 32;
/// Unclaimed datagrams that are still shown as leaves, per flow.
const SHOWN: u32 = 256;
/// Different layers that may share one datagram flow (STUN, DTLS, RTP and RTCP do).
const SHARING: usize = 6;
/// Shorter datagrams of characters are not taken for text.
const TEXT: usize = 8;
/// Datagrams whose beginnings probes may look back at.
const BEFORE: usize = 16;

impl Tree {
    /// Hands one whole message from `parent` on: to a layer, or as a leaf of the parent.
    pub(super) fn whole(
        &mut self,
        env: &mut Env<'_>,
        parent: u32,
        mut child: Child,
        side: Side,
        bytes: &[u8],
    ) {
        if !self.looks_at(env, parent, &child, side, bytes) {
            return;
        }
        let tiny = bytes.len() < 4 && child.hints.is_empty() && !child.inherit;
        let top = self.node(parent).is_some_and(|n| n.scope == 0);
        if bytes.is_empty() || (!top && (child.form == Form::Plain || tiny)) {
            return self.item_leaf(env, parent, &child, side, bytes);
        }
        let mut hints = child.hints.clone();
        if child.inherit
            && let Some(p) = self.node(parent)
        {
            hints.extend(p.hints.iter().cloned());
        }
        let stated = choose::stated(env.registry, Unit::Message, &mut hints);
        let choice = match stated {
            Some(spec) if !choose::contradicted(spec, env, child.form, side, bytes) => {
                Some((spec, Trust::Stated))
            }
            _ => choose::seen(env, &mut child.form, side, bytes),
        };
        // A message that stands alone gets a node even as a leaf, so that it has a scope of its own.
        if choice.is_none() && !top {
            return self.item_leaf(env, parent, &child, side, bytes);
        }
        if !self.may_open(env, parent) {
            return self.item_leaf(env, parent, &child, side, bytes);
        }
        if matches!(choice, Some((_, Trust::Guessed))) && child.form == Form::Text && !top {
            // A wrong guess must not hide the text that it was made on.
            self.item_leaf(env, parent, &child, side, bytes);
        }
        let id = self.insert_child(parent, Child { hints, inherit: false, ..child });
        if let Some(node) = self.node_mut(id) {
            node.ledger.fed = bytes.len() as u64;
            node.sides[side].at = env.at;
        }
        match choice {
            Some((spec, trust)) => {
                self.decide(env, id, spec, trust);
                self.feed_whole(env, id, side, bytes);
            }
            None => {
                self.become_leaf(env, id, State::Leaf);
                self.route(env, id, side, bytes);
            }
        }
        self.close_node(env, id);
    }

    fn item_leaf(&mut self, env: &mut Env<'_>, parent: u32, child: &Child, side: Side, bytes: &[u8]) {
        let Some(node) = self.node_ref(parent) else {
            return;
        };
        let kept = &bytes[..bytes.len().min(env.limits.sample)];
        let cut = kept.len() < bytes.len();
        let hashes = (cut && env.sink.wants_hashes(&node, side, kept)).then(|| Hashes::of(bytes));
        let leaf = Leaf {
            field: &child.field,
            form: child.form,
            side,
            bytes: kept,
            total: bytes.len() as u64,
            end: plain_end(child.form, kept),
            at: env.at,
            hashes: hashes.as_ref(),
            known: Default::default(),
        };
        env.sink.leaf(&node, &leaf);
    }

    /// Feeds a decided node its one message.
    fn feed_whole(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8]) {
        if self.node(id).and_then(|n| n.spec).is_some_and(|s| s.eats == Eats::Stream) {
            return self.peel(env, id, side, bytes, Last::No);
        }
        self.one_message(env, id, side, bytes);
    }

    /// Shows a whole message or datagram to the peeler once and books every byte of it.
    fn one_message(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8]) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        let Some(mut peeler) = node.peeler.take() else {
            return;
        };
        node.declared = 0;
        let offset = node.sides[side].position;
        node.sides[side].position += bytes.len() as u64;
        let input = Input { side, bytes, offset, end: true, at: env.at };
        let step = self.step(env, id, input, &mut *peeler);
        let Some(node) = self.node_mut(id) else {
            return;
        };
        node.peeler = Some(peeler);
        let took = step.consumed.min(bytes.len());
        let sealed = node.declared.min(took as u64);
        node.ledger.count(Bucket::Sealed, sealed);
        node.ledger.count(Bucket::Parsed, took as u64 - sealed);
        let left = &bytes[took..];
        node.ledger.count(Bucket::Cut, left.len() as u64);
        let form = node.form;
        if let Then::Die(code) = step.then {
            self.note(env, id, code);
        }
        if !left.is_empty()
            && let Some(node) = self.node_ref(id)
        {
            let kept = &left[..left.len().min(env.limits.sample)];
            let end = End::Cut(CutWhy::Dead);
            env.sink.leaf(
                &node,
                &Leaf {
                    field: "",
                    form,
                    side,
                    bytes: kept,
                    total: left.len() as u64,
                    end,
                    at: env.at,
                    hashes: None,
                    known: Default::default(),
                },
            );
        }
    }

    /// Chooses the layer of a message that was fed in pieces and is complete now.
    pub(super) fn choose_whole(&mut self, env: &mut Env<'_>, id: u32, side: Side) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        let bytes = std::mem::take(&mut node.sides[side].held);
        let mut form = node.form;
        node.order.clear();
        let stated = choose::stated(env.registry, Unit::Message, &mut node.hints);
        let choice = match stated {
            Some(spec) if !choose::contradicted(spec, env, form, side, &bytes) => Some((spec, Trust::Stated)),
            _ => choose::seen(env, &mut form, side, &bytes),
        };
        if let Some(node) = self.node_mut(id) {
            node.form = form;
        }
        match choice {
            Some((spec, trust)) => {
                self.decide(env, id, spec, trust);
                self.feed_whole(env, id, side, &bytes);
            }
            None => {
                self.become_leaf(env, id, State::Leaf);
                self.route(env, id, side, &bytes);
            }
        }
    }

    fn close_node(&mut self, env: &mut Env<'_>, id: u32) {
        let Some(handle) = self.node(id).map(|n| super::Handle { id, generation: n.generation }) else {
            return;
        };
        for side in Side::BOTH {
            self.close_child(env, handle, side);
        }
    }

    /// Offers a structured object to layers that know it by its keys.
    pub(super) fn shape(
        &mut self,
        env: &mut Env<'_>,
        parent: u32,
        field: &str,
        keys: &[&str],
        side: Side,
        raw: &[u8],
    ) -> bool {
        let fits = |s: &&'static Spec| s.shapes.iter().any(|shape| shape.iter().all(|k| keys.contains(k)));
        for spec in env.registry.specs().filter(fits) {
            if choose::contradicted(spec, env, Form::Text, side, raw) || !self.may_open(env, parent) {
                continue;
            }
            let id = self.insert_child(parent, Child::message().form(Form::Text).field(field));
            if let Some(node) = self.node_mut(id) {
                node.ledger.fed = raw.len() as u64;
            }
            self.decide(env, id, spec, Trust::Proven);
            self.feed_whole(env, id, side, raw);
            self.close_node(env, id);
            return true;
        }
        false
    }

    /// One datagram of a node that may hold several layers side by side.
    pub(super) fn datagram(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8]) {
        let len = bytes.len() as u64;
        let mut before = self.node_mut(id).map(|n| std::mem::take(&mut n.before)).unwrap_or_default();
        let claimant = self.claimant(env, id, side, bytes, &before);
        if before.len() >= BEFORE {
            before.remove(0);
        }
        before.push(Before::of(side, bytes));
        if let Some(node) = self.node_mut(id) {
            node.before = before;
        }
        if let Claim::By(child) = claimant {
            if let Some(node) = self.node_mut(id) {
                node.unclaimed = 0;
                node.ledger.count(Bucket::Parsed, len);
            }
            let Some(node) = self.node_mut(child) else {
                return;
            };
            node.ledger.fed += len;
            node.sides[side].at = env.at;
            if env.sink.wants_bytes()
                && let Some(node) = self.node_ref(child)
            {
                env.sink.bytes(&node, "", side, 0, bytes, env.at);
            }
            return self.one_datagram(env, child, side, bytes);
        }
        if self.encoded_datagram(env, id, side, bytes, claimant) {
            return;
        }
        let Some(node) = self.node_mut(id) else {
            return;
        };
        node.unclaimed = node.unclaimed.saturating_add(1);
        let show = node.unclaimed <= SHOWN;
        let form = node.form;
        let kept = &bytes[..bytes.len().min(env.limits.sample)];
        let end = plain_end(form, kept);
        node.ledger.count(bucket_of(end), len);
        if show && let Some(node) = self.node_ref(id) {
            if env.sink.wants_bytes() {
                env.sink.bytes(&node, "", side, 0, bytes, env.at);
            }
            let at = env.at;
            let leaf = Leaf {
                field: "",
                form,
                side,
                bytes: kept,
                total: len,
                end,
                at,
                hashes: None,
                known: Default::default(),
            };
            env.sink.leaf(&node, &leaf);
        }
    }

    /// A datagram of no protocol that is a whole message: text, or something in an encoding. True if it was one.
    fn encoded_datagram(
        &mut self,
        env: &mut Env<'_>,
        id: u32,
        side: Side,
        bytes: &[u8],
        claim: Claim,
    ) -> bool {
        if self.node(id).is_none_or(|n| n.unclaimed > ASK && !n.unclaimed.is_multiple_of(64)) {
            return false;
        }
        // Lines would be a guess at any text; what text stands for is asked first.
        let text = bytes.len() >= TEXT && reads_as_text(bytes) && !bytes.contains(&0);
        let mut form = if text { Form::Text } else { Form::Binary };
        let chosen = match claim {
            Claim::Nobody if !text => choose::after_datagram(env, &mut form, side, bytes),
            _ => choose::seen(env, &mut form, side, bytes),
        };
        let codec = chosen.is_some_and(|(s, _)| s.family == Family::Codec);
        if !(codec || text) || !self.may_open(env, id) {
            return false;
        }
        if let Some(node) = self.node_mut(id) {
            node.unclaimed = 0;
            node.ledger.count(Bucket::Parsed, bytes.len() as u64);
        }
        self.whole(env, id, Child::message().form(form), side, bytes);
        true
    }

    /// A datagram for a decided node: every one is a message with a scope of its own.
    pub(super) fn one_datagram(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8]) {
        self.begin_message(id);
        self.one_message(env, id, side, bytes);
    }

    /// The layer of this node that the datagram belongs to, opened if need be.
    fn claimant(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8], before: &[Before]) -> Claim {
        let Some(node) = self.node_mut(id) else { return Claim::Nobody };
        if node.unclaimed > ASK && !node.unclaimed.is_multiple_of(64) {
            return Claim::Nobody;
        }
        let form = node.form;
        let probe = |known| Probe {
            bytes,
            side,
            other: &[],
            end: true,
            form,
            server_port: env.server_port,
            stated: false,
            known,
            before,
            keys: env.keys,
        };
        let known: Vec<u32> = node.switch.clone();
        let ask = |t: &Self, child: &u32, wanted: Guess| {
            let ask = t.node(*child).and_then(|n| n.spec)?.probe;
            (ask.is_none_or(|p| p(&probe(true)) >= wanted)).then_some(*child)
        };
        if let Some(child) = known.iter().find_map(|c| ask(self, c, Guess::Sure)) {
            return Claim::By(child);
        }
        let Some(node) = self.node_mut(id) else { return Claim::Nobody };
        let stated =
            choose::stated(env.registry, Unit::Datagram, &mut node.hints).map(|s| (s, Trust::Stated));
        // A layer of an earlier flow may have told what will come from another port.
        let expected = || {
            let (layer, ..) = env.memory.expected(bytes).filter(|_| known.is_empty())?;
            Some((env.registry.find(layer)?, Trust::Proven))
        };
        let choice = stated
            .or_else(expected)
            .or_else(|| choose::datagram(env.registry, &mut env.memory.recent, &probe(false)));
        match choice {
            Some((spec, trust)) if trust > Trust::Guessed || known.is_empty() => {
                self.share(env, id, &known, spec, trust)
            }
            _ => match (known.iter().find_map(|c| ask(self, c, Guess::Maybe)), choice) {
                (Some(child), _) => Claim::By(child),
                (None, Some(_)) => Claim::Unsure,
                (None, None) => Claim::Nobody,
            },
        }
    }

    /// The layer of that row among those that share a node's datagrams, opened if need be.
    fn share(
        &mut self,
        env: &mut Env<'_>,
        id: u32,
        known: &[u32],
        spec: &'static Spec,
        trust: Trust,
    ) -> Claim {
        let holds = |c: &u32| self.node(*c).is_some_and(|n| n.spec == Some(spec));
        if let Some(child) = known.iter().copied().find(holds) {
            return Claim::By(child);
        }
        if known.len() >= SHARING || !self.may_open(env, id) {
            return Claim::Unsure;
        }
        let hints = self.node(id).map(|n| n.hints.clone()).unwrap_or_default();
        let child = self.insert_child(id, Child { hints, ..Child::datagrams() });
        self.decide(env, child, spec, trust);
        if let Some(node) = self.node_mut(id) {
            node.switch.push(child);
        }
        Claim::By(child)
    }
}

/// Whose a datagram is.
#[derive(Clone, Copy)]
enum Claim {
    /// This layer's.
    By(u32),
    /// Some layer may know it and does not get it.
    Unsure,
    /// No layer's that was asked.
    Nobody,
}
