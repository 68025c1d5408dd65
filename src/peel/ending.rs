//! Gaps and ends: what a node is told when bytes are lost or nothing follows.

use super::feeding::{Last, bucket_of, plain_end};
use super::node::State;
use super::tree::Env;
use super::{AfterGap, CutWhy, End, Leaf, Out, Tree, Unit};
use crate::model::{Bucket, Side};

impl Tree {
    pub(super) fn lose(&mut self, env: &mut Env<'_>, id: u32, side: Side, len: u64) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        node.ledger.lost += len;
        let inbox = &mut node.sides[side];
        let mut len = len;
        if inbox.rest.is_some() {
            return;
        }
        if let Some((skip, bucket)) = inbox.skip {
            let n = skip.min(len);
            inbox.skip = (skip > n).then_some((skip - n, bucket));
            inbox.position += n;
            len -= n;
        }
        if len == 0 || inbox.ended {
            return;
        }
        if node.state == State::Undecided && !node.sides[side].held.is_empty() {
            self.choose(env, id, side, Last::Yes);
        }
        let Some(node) = self.node_mut(id) else {
            return;
        };
        if node.state != State::Peeling {
            node.sides[side].position += len;
            node.sides[side].hashing = None;
            return;
        }
        let dropped = std::mem::take(&mut node.sides[side].held).len() as u64;
        node.sides[side].position += dropped + len;
        node.sides[side].need = 0;
        node.ledger.count(Bucket::Cut, dropped);
        if let Some(heir) = node.heir {
            return self.gap_child(env, heir, side, len);
        }
        let Some(mut peeler) = node.peeler.take() else {
            return;
        };
        let after = peeler.gap(side, len, &mut Out { tree: self, env, id });
        if let Some(node) = self.node_mut(id) {
            node.peeler = Some(peeler);
        }
        if after == AfterGap::Die {
            self.die(env, id, "layer-lost-by-gap");
        }
    }

    /// Ends one side of a node: last choice, last bytes, last words.
    pub(super) fn finish_side(&mut self, env: &mut Env<'_>, id: u32, side: Side) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        if node.sides[side].ended {
            return;
        }
        node.sides[side].ended = true;
        if node.state == State::Undecided && node.unit != Unit::Datagram {
            self.last_choice(env, id, side);
        }
        for side in Side::BOTH {
            let Some(node) = self.node_mut(id) else {
                return;
            };
            let inbox = &mut node.sides[side];
            if !inbox.ended || inbox.closed || node.state == State::Undecided {
                continue;
            }
            inbox.closed = true;
            if node.state == State::Peeling && node.unit != Unit::Datagram {
                self.peel(env, id, side, &[], Last::Yes);
            }
            if self.node(id).is_some_and(|n| n.state == State::Peeling) {
                self.last_words(env, id, side);
            }
            self.book_rest(env, id, side);
        }
    }

    pub(super) fn last_choice(&mut self, env: &mut Env<'_>, id: u32, side: Side) {
        let Some(node) = self.node(id) else { return };
        let ask = match node.sides[side].held.is_empty() {
            false => side,
            true => side.other(),
        };
        let inbox = &node.sides[ask];
        if inbox.held.is_empty() {
            return;
        }
        match (node.unit, inbox.ended) {
            (Unit::Message, _) => self.choose_whole(env, id, ask),
            (_, true) => self.choose(env, id, ask, Last::Yes),
            (_, false) => self.choose(env, id, ask, Last::No),
        }
    }

    pub(super) fn last_words(&mut self, env: &mut Env<'_>, id: u32, side: Side) {
        if let Some(heir) = self.heir(id) {
            self.close_child(env, heir, side);
        }
        let Some(mut peeler) = self.node_mut(id).and_then(|n| n.peeler.take()) else {
            return;
        };
        peeler.end(side, &mut Out { tree: self, env, id });
        if let Some(node) = self.node_mut(id) {
            node.peeler = Some(peeler);
        }
    }

    /// Books what is still held when a side ends, and emits it as a leaf.
    pub(super) fn book_rest(&mut self, env: &mut Env<'_>, id: u32, side: Side) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        if node.state == State::Undecided {
            return;
        }
        let held = std::mem::take(&mut node.sides[side].held);
        let form = node.form;
        let leaf_total = std::mem::take(&mut node.sides[side].leaf_total);
        let hashes = node.sides[side].hashing.take().map(|h| h.finish());
        let (total, end) = match node.state {
            State::Dead => (leaf_total, End::Cut(CutWhy::Dead)),
            State::Leaf => (leaf_total, plain_end(form, &held)),
            _ => (held.len() as u64, End::Cut(CutWhy::Unfinished)),
        };
        match node.state {
            State::Dead => {}
            State::Leaf => node.ledger.count(bucket_of(end), total),
            _ => node.ledger.count(Bucket::Cut, total),
        }
        let at = node.sides[side].at;
        if total > 0
            && let Some(node) = self.node_ref(id)
        {
            let hashes = hashes.as_ref();
            env.sink.leaf(
                &node,
                &Leaf {
                    field: "",
                    form,
                    side,
                    bytes: &held,
                    total,
                    end,
                    at,
                    hashes,
                    known: Default::default(),
                },
            );
        }
    }
}
