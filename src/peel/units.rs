//! Whole messages: how the engine feeds layers that do not eat streams.

use super::choose;
use super::feeding::{Last, plain_end};
use super::node::State;
use super::tree::Env;
use super::{Child, CutWhy, Eats, End, Form, Hashes, Input, Leaf, Spec, Then, Tree, Unit};
use crate::model::{Bucket, Side, Trust};

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
    pub(super) fn one_message(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8]) {
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
}
