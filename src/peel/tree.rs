//! The engine: the tree of layers of one flow, its buffers and budgets.

use super::choose::{self, Choice};
use super::node::{Inbox, Node, State};
use super::{
    AfterGap, By, Child, CutWhy, End, Form, Guard, Handle, Hint, Input, Leaf, NodeRef, Out, Probe, Registry,
    Sink,
};
use super::{Peeler, Spec, Then, Unit, Why};
use crate::keys::KeyStore;
use crate::model::{Arrival, Bucket, Limits, PerSide, Side, Trust};
use std::collections::VecDeque;
use std::sync::Arc;

/// What surrounds a tree while it works.
pub struct Env<'e> {
    /// The layers.
    pub registry: &'e Registry,
    /// The bounds.
    pub limits: &'e Limits,
    /// The secrets.
    pub keys: &'e KeyStore,
    /// Where everything that is learned goes.
    pub sink: &'e mut dyn Sink,
    /// Transport port of the flow's server.
    pub server_port: u16,
    /// Arrival of the bytes being fed.
    pub at: Arrival,
}

/// The tree of layers of one flow.
pub struct Tree {
    pub(super) nodes: Vec<Option<Node>>,
    free: Vec<u32>,
    generation: u32,
    next_scope: u64,
    /// Bytes fed to the root, and bytes fed to all other nodes: the work budget.
    fed: u64,
    work: u64,
}

const ROOT: u32 = 0;

impl Tree {
    /// A tree for a flow that brings `unit` (a stream or datagrams).
    pub fn new(unit: Unit) -> Self {
        let mut tree =
            Self { nodes: Vec::new(), free: Vec::new(), generation: 0, next_scope: 0, fed: 0, work: 0 };
        tree.insert(None, unit, Form::Binary, Guard::Open, VecDeque::new());
        tree
    }

    /// Feeds bytes of the flow: the next ones of a stream, or one datagram.
    pub fn feed(&mut self, env: &mut Env<'_>, side: Side, bytes: &[u8]) {
        self.fed += bytes.len() as u64;
        self.take_in(env, ROOT, side, bytes);
    }

    /// Tells that `len` bytes of the flow will never come.
    pub fn gap(&mut self, env: &mut Env<'_>, side: Side, len: u64) {
        self.lose(env, ROOT, side, len);
    }

    /// Tells that nothing follows on `side`.
    pub fn end(&mut self, env: &mut Env<'_>, side: Side) {
        self.finish_side(env, ROOT, side);
    }

    /// Ends both sides and everything below. Afterwards every fed byte stands in a ledger.
    pub fn finish(&mut self, env: &mut Env<'_>) {
        for side in Side::BOTH {
            self.finish_side(env, ROOT, side);
        }
        while let Some(id) = (0..self.nodes.len() as u32).find(|id| self.node(*id).is_some()) {
            self.close_below(env, id);
            self.settle(env, id);
        }
    }

    pub(super) fn node(&self, id: u32) -> Option<&Node> {
        self.nodes.get(id as usize)?.as_ref()
    }
    pub(super) fn node_mut(&mut self, id: u32) -> Option<&mut Node> {
        self.nodes.get_mut(id as usize)?.as_mut()
    }
    pub(super) fn node_ref(&self, id: u32) -> Option<NodeRef<'_>> {
        Some(NodeRef { nodes: &self.nodes, id, node: self.node(id)? })
    }
    pub(super) fn note(&self, env: &mut Env<'_>, id: u32, code: &'static str) {
        if let Some(node) = self.node_ref(id) {
            env.sink.note(&node, code, env.at);
        }
    }
    pub(super) fn set_label(&mut self, id: u32, name: &'static str, value: &str) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        node.labels.retain(|(k, _)| *k != name);
        node.labels.push((name, value.into()));
    }
    pub(super) fn begin_message(&mut self, id: u32) {
        self.next_scope += 1;
        let scope = self.next_scope;
        if let Some(node) = self.node_mut(id) {
            node.scope = scope;
            node.fields = 0;
        }
    }
    pub(super) fn declare(&mut self, id: u32, len: u64) {
        if let Some(node) = self.node_mut(id) {
            node.declared += len;
        }
    }

    pub(super) fn insert(
        &mut self,
        parent: Option<u32>,
        unit: Unit,
        form: Form,
        guard: Guard,
        hints: VecDeque<Hint>,
    ) -> u32 {
        let from = parent.and_then(|p| self.node(p));
        let (depth, path, field, trust, outer, mut scope) = match from {
            Some(p) => (p.depth + 1, p.path.clone(), p.field.clone(), p.trust, p.guard, p.scope),
            None => (0, Arc::from(""), Arc::from(""), Trust::Stated, Guard::Open, 0),
        };
        if unit == Unit::Stream {
            // What runs inside a stream is framed anew.
            scope = 0;
        } else if scope == 0 && parent.is_some() {
            self.next_scope += 1;
            scope = self.next_scope;
        }
        self.generation += 1;
        let node = Node {
            parent,
            generation: self.generation,
            depth,
            unit,
            form,
            state: State::Undecided,
            spec: None,
            peeler: None,
            hints,
            labels: Vec::new(),
            path,
            field,
            trust,
            guard: guard.max(outer),
            scope,
            sides: PerSide::default(),
            order: Vec::new(),
            switch: Vec::new(),
            unclaimed: 0,
            declared: 0,
            fields: 0,
            ledger: Default::default(),
        };
        match self.free.pop() {
            Some(id) => {
                self.nodes[id as usize] = Some(node);
                id
            }
            None => {
                self.nodes.push(Some(node));
                (self.nodes.len() - 1) as u32
            }
        }
    }

    /// Gives a node its layer.
    pub(super) fn decide(&mut self, env: &mut Env<'_>, id: u32, spec: &'static Spec, trust: Trust) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        node.state = State::Peeling;
        node.spec = Some(spec);
        node.peeler = Some((spec.open)());
        node.trust = node.trust.min(trust);
        node.path = match node.path.is_empty() {
            true => Arc::from(spec.name),
            false => format!("{}/{}", node.path, spec.name).into(),
        };
        if let Some(node) = self.node_ref(id) {
            env.sink.layer(&node, env.at);
        }
    }

    /// True while the budget for depth, nodes and decoding work allows another child of `parent`.
    pub(super) fn may_open(&self, env: &mut Env<'_>, parent: u32) -> bool {
        let depth = self.node(parent).map_or(0, |n| n.depth);
        let alive = self.nodes.len() - self.free.len();
        let code = if depth + 1 >= env.limits.depth {
            "depth-limit"
        } else if alive >= env.limits.nodes {
            "node-limit"
        } else if self.work
            > env.limits.work.saturating_mul(self.fed).saturating_add(env.limits.message as u64)
        {
            "work-limit"
        } else {
            return true;
        };
        self.note(env, parent, code);
        false
    }

    pub(super) fn open_child(&mut self, env: &mut Env<'_>, parent: u32, child: Child) -> Handle {
        if !self.may_open(env, parent) {
            return Handle::NONE;
        }
        let id = self.insert_child(parent, child);
        self.node(id).map_or(Handle::NONE, |n| Handle { id, generation: n.generation })
    }

    pub(super) fn insert_child(&mut self, parent: u32, child: Child) -> u32 {
        let (mut hints, mut form) = (child.hints, child.form);
        if child.inherit
            && let Some(p) = self.node(parent)
        {
            hints.extend(p.hints.iter().cloned());
            form = if form == Form::Binary { p.form } else { form };
        }
        let id = self.insert(Some(parent), child.unit, form, child.guard, hints);
        if let Some(node) = self.node_mut(id) {
            node.labels = child.labels;
            if !child.field.is_empty() {
                node.field = match node.field.is_empty() {
                    true => child.field.into(),
                    false => format!("{}>{}", node.field, child.field).into(),
                };
            }
        }
        id
    }

    fn alive(&self, child: Handle) -> bool {
        self.node(child.id).is_some_and(|n| n.generation == child.generation)
    }
    pub(super) fn feed_child(&mut self, env: &mut Env<'_>, child: Handle, side: Side, bytes: &[u8]) {
        if self.alive(child) && !bytes.is_empty() {
            self.work += bytes.len() as u64;
            self.take_in(env, child.id, side, bytes);
        }
    }
    pub(super) fn gap_child(&mut self, env: &mut Env<'_>, child: Handle, side: Side, len: u64) {
        if self.alive(child) && len > 0 {
            self.lose(env, child.id, side, len);
        }
    }
    pub(super) fn close_child(&mut self, env: &mut Env<'_>, child: Handle, side: Side) {
        if !self.alive(child) {
            return;
        }
        self.finish_side(env, child.id, side);
        let done = self.node(child.id).is_some_and(|n| match n.unit {
            Unit::Message => true,
            _ => Side::BOTH.iter().all(|s| n.sides[*s].ended),
        });
        if done {
            self.close_below(env, child.id);
            self.settle(env, child.id);
        }
    }

    /// Ends whatever a node left open below it.
    fn close_below(&mut self, env: &mut Env<'_>, id: u32) {
        for side in Side::BOTH {
            self.finish_side(env, id, side);
        }
        let below =
            |t: &Self| (0..t.nodes.len() as u32).find(|c| t.node(*c).is_some_and(|n| n.parent == Some(id)));
        while let Some(child) = below(self) {
            self.close_below(env, child);
            self.settle(env, child);
        }
    }

    /// Books a node and frees its place.
    pub(super) fn settle(&mut self, env: &mut Env<'_>, id: u32) {
        if let Some(node) = self.node_ref(id) {
            debug_assert!(node.node.ledger.balances(), "{} {:?}", node.path(), node.node.ledger);
            env.sink.done(&node, &node.node.ledger);
        }
        if let Some(place) = self.nodes.get_mut(id as usize)
            && place.take().is_some()
        {
            self.free.push(id);
        }
    }

    // ---- bytes in ----

    pub(super) fn take_in(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8]) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        node.ledger.fed += bytes.len() as u64;
        node.sides[side].at = env.at;
        if node.sides[side].ended {
            return node.ledger.count(Bucket::Cut, bytes.len() as u64);
        }
        if env.sink.wants_bytes() && node.unit != Unit::Datagram {
            let offset = node.sides[side].position + node.sides[side].held.len() as u64;
            if let Some(node) = self.node_ref(id) {
                env.sink.bytes(&node, "", side, offset, bytes, env.at);
            }
        }
        self.route(env, id, side, bytes);
    }

    /// Sends counted bytes where the node's state wants them.
    pub(super) fn route(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8]) {
        let Some(node) = self.node(id) else { return };
        match (node.state, node.unit) {
            (State::Undecided, Unit::Datagram) => self.datagram(env, id, side, bytes),
            (State::Peeling, Unit::Datagram) => self.one_datagram(env, id, side, bytes),
            (State::Undecided, _) => self.hold(env, id, side, bytes),
            (State::Peeling, _) => self.peel(env, id, side, bytes, Last::No),
            (State::Leaf | State::Dead, _) => self.keep(env.limits, id, side, bytes),
        }
    }

    /// Holds bytes of an undecided node and tries to choose its layer.
    fn hold(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8]) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        node.sides[side].held.extend_from_slice(bytes);
        match node.order.last_mut() {
            Some((s, n)) if *s == side => *n += bytes.len(),
            _ => node.order.push((side, bytes.len())),
        }
        self.choose(env, id, side, Last::No);
    }

    /// Tries to choose the layer of a stream or message from what is held.
    fn choose(&mut self, env: &mut Env<'_>, id: u32, side: Side, last: Last) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        let unit = node.unit;
        if let Some(spec) = choose::stated(env.registry, unit, &mut node.hints) {
            if spec.eats == super::Eats::Stream {
                return self.start(env, id, spec, Trust::Stated);
            }
            node.hints.push_front(Hint::Layer(spec.name));
        }
        let whole_hinted = !node.hints.is_empty();
        let held = node.sides[side].held.len();
        let full = match unit {
            Unit::Message => held > env.limits.message,
            _ => held >= env.limits.probe,
        };
        if held == 0 && last == Last::No || whole_hinted && last == Last::No && !full {
            return;
        }
        let node = &self.nodes[id as usize];
        let Some(node) = node else { return };
        let window = match (unit, last) {
            (Unit::Message, Last::Yes) => held,
            _ => held.min(env.limits.probe),
        };
        let probe = Probe {
            bytes: &node.sides[side].held[..window],
            side,
            other: &node.sides[side.other()].held,
            end: last == Last::Yes,
            form: node.form,
            server_port: env.server_port,
            stated: false,
            known: false,
        };
        match choose::probed(env.registry, unit, &probe) {
            Choice::Layer(spec, trust) => self.start(env, id, spec, trust),
            Choice::Wait if !full && last == Last::No => {}
            Choice::Wait if unit == Unit::Stream && last == Last::No => {
                self.choose(env, id, side, Last::Yes);
            }
            _ if unit == Unit::Message && !full && last == Last::No => {}
            _ if unit == Unit::Stream && self.other_side_may_tell(env, id, side, last) => {}
            _ => {
                if unit == Unit::Message && full {
                    self.note(env, id, "message-limit");
                }
                self.become_leaf(env, id, State::Leaf);
            }
        }
    }

    /// A stream whose one side fits nothing waits for the other side's first bytes while cheap.
    fn other_side_may_tell(&self, env: &Env<'_>, id: u32, side: Side, last: Last) -> bool {
        let Some(node) = self.node(id) else {
            return false;
        };
        let other = &node.sides[side.other()];
        let cheap = node.sides[side].held.len() < env.limits.probe;
        other.held.is_empty() && !other.ended && (cheap || last == Last::Yes && node.sides[side].ended)
    }

    /// Opens the chosen layer and replays what is held in order of arrival.
    fn start(&mut self, env: &mut Env<'_>, id: u32, spec: &'static Spec, trust: Trust) {
        self.decide(env, id, spec, trust);
        let Some(node) = self.node_mut(id) else {
            return;
        };
        let order = std::mem::take(&mut node.order);
        let held = PerSide {
            client: std::mem::take(&mut node.sides.client.held),
            server: std::mem::take(&mut node.sides.server.held),
        };
        let mut at = PerSide { client: 0usize, server: 0usize };
        for (side, n) in order {
            let from = at[side];
            at[side] = from + n;
            if let Some(bytes) = held[side].get(from..from + n) {
                self.route(env, id, side, bytes);
            }
        }
    }

    /// Keeps a sample of a leaf's bytes and counts the rest.
    fn keep(&mut self, limits: &Limits, id: u32, side: Side, bytes: &[u8]) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        let dead = node.state == State::Dead;
        let inbox = &mut node.sides[side];
        inbox.leaf_total += bytes.len() as u64;
        // A stream that nobody knows is kept for a look at its beginning only; a message is a field.
        let most = if node.unit == Unit::Stream { limits.sample.min(limits.probe) } else { limits.sample };
        let room = most.saturating_sub(inbox.held.len()).min(bytes.len());
        inbox.held.extend_from_slice(&bytes[..room]);
        if dead {
            node.ledger.count(Bucket::Cut, bytes.len() as u64);
        }
    }

    pub(super) fn become_leaf(&mut self, env: &mut Env<'_>, id: u32, state: State) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        node.state = state;
        node.peeler = None;
        node.order.clear();
        for side in Side::BOTH {
            let held = std::mem::take(&mut self.inbox(id, side).held);
            if !held.is_empty() {
                self.keep(env.limits, id, side, &held);
            }
        }
    }

    pub(super) fn inbox(&mut self, id: u32, side: Side) -> &mut Inbox {
        // Called only for nodes that the caller just looked up.
        &mut self.nodes[id as usize].as_mut().expect("node was looked up").sides[side]
    }

    // ---- the peeler at work ----

    /// Calls the peeler with held and new bytes until it wants more than there is.
    pub(super) fn peel(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8], last: Last) {
        let Some(mut bytes) = self.pass_over(id, side, bytes) else {
            return;
        };
        let Some(node) = self.node_mut(id) else {
            return;
        };
        let inbox = &mut node.sides[side];
        if inbox.held.len() + bytes.len() < inbox.need && last == Last::No {
            return inbox.held.extend_from_slice(bytes);
        }
        let Some(mut peeler) = node.peeler.take() else {
            return;
        };
        let mut held = std::mem::take(&mut inbox.held);
        if !held.is_empty() {
            held.extend_from_slice(bytes);
            bytes = &held;
        }
        let (pos, died) = self.drive(env, id, side, bytes, last, &mut *peeler);
        let rest = bytes.len() - pos;
        let Some(node) = self.node_mut(id) else {
            return;
        };
        node.peeler = Some(peeler);
        let inbox = &mut node.sides[side];
        if held.is_empty() {
            inbox.held.extend_from_slice(&bytes[pos..]);
        } else {
            held.drain(..held.len() - rest);
            inbox.held = held;
        }
        if let Some(code) = died {
            self.die(env, id, code);
        }
    }

    /// The loop around a peeler. Returns how far it came, and why it died if it did.
    fn drive(
        &mut self,
        env: &mut Env<'_>,
        id: u32,
        side: Side,
        bytes: &[u8],
        last: Last,
        peeler: &mut dyn Peeler,
    ) -> (usize, Option<&'static str>) {
        let mut pos = 0;
        let mut idle = 0;
        loop {
            let left = &bytes[pos..];
            if left.is_empty() {
                return (pos, None);
            }
            let Some(node) = self.node_mut(id) else {
                return (bytes.len(), None);
            };
            node.declared = 0;
            let input = Input {
                side,
                bytes: left,
                offset: node.sides[side].position,
                end: last == Last::Yes,
                at: env.at,
            };
            let step = peeler.peel(input, &mut Out { tree: self, env, id });
            let took = step.consumed.min(left.len());
            pos += took;
            let Some(node) = self.node_mut(id) else {
                return (bytes.len(), None);
            };
            let sealed = node.declared.min(took as u64);
            node.ledger.count(Bucket::Sealed, sealed);
            node.ledger.count(Bucket::Parsed, took as u64 - sealed);
            let inbox = &mut node.sides[side];
            inbox.position += took as u64;
            inbox.need = 0;
            idle = if took == 0 { idle + 1 } else { 0 };
            match step.then {
                Then::Again if idle < 2 => {}
                Then::Again => return (pos, Some("peeler-stuck")),
                Then::More { need } => {
                    let need = need.max(bytes.len() - pos + 1);
                    if need > env.limits.buffer {
                        return (pos, Some("buffer-limit"));
                    }
                    inbox.need = need;
                    return (pos, None);
                }
                Then::Skip { len, bucket } => {
                    inbox.skip = (len > 0).then_some((len, bucket));
                    pos = bytes.len() - self.pass_over(id, side, &bytes[pos..]).map_or(0, <[u8]>::len);
                }
                Then::Rest(bucket) => {
                    inbox.rest = Some(bucket);
                    self.pass_over(id, side, &bytes[pos..]);
                    return (bytes.len(), None);
                }
                Then::Die(code) => return (pos, Some(code)),
            }
        }
    }

    /// Books bytes that a peeler asked not to see. `None` when nothing is left to show.
    fn pass_over<'b>(&mut self, id: u32, side: Side, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let node = self.node_mut(id)?;
        let inbox = &mut node.sides[side];
        if let Some(bucket) = inbox.rest {
            inbox.position += bytes.len() as u64;
            node.ledger.count(bucket, bytes.len() as u64);
            return None;
        }
        let Some((len, bucket)) = inbox.skip else {
            return Some(bytes);
        };
        let n = len.min(bytes.len() as u64);
        inbox.position += n;
        inbox.skip = (len > n).then_some((len - n, bucket));
        node.ledger.count(bucket, n);
        Some(&bytes[n as usize..])
    }

    /// The peeler gave up: the rest of both sides is kept as an unexplained leaf.
    pub(super) fn die(&mut self, env: &mut Env<'_>, id: u32, code: &'static str) {
        self.note(env, id, code);
        self.become_leaf(env, id, State::Dead);
    }

    // ---- gaps and ends ----

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
            return;
        }
        let Some(mut peeler) = node.peeler.take() else {
            return;
        };
        let dropped = std::mem::take(&mut node.sides[side].held).len() as u64;
        node.sides[side].position += dropped + len;
        node.sides[side].need = 0;
        node.ledger.count(Bucket::Cut, dropped);
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

    fn last_choice(&mut self, env: &mut Env<'_>, id: u32, side: Side) {
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
            env.sink.leaf(&node, &Leaf { field: "", form, side, bytes: &held, total, end, at });
        }
    }
}

/// Whether the bytes in hand are the last of their side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Yes,
    No,
}

/// Clear if the bytes read as text, else opaque.
pub(super) fn plain_end(form: Form, bytes: &[u8]) -> End {
    match form {
        Form::Plain => End::Clear,
        _ if reads_as_text(bytes) => End::Clear,
        _ => End::Opaque,
    }
}

/// The bucket that a leaf's bytes belong to.
pub(super) fn bucket_of(end: End) -> Bucket {
    match end {
        End::Clear => Bucket::Clear,
        End::Opaque => Bucket::Opaque,
        End::Sealed(By::Transport | By::App, Why::NoKey | Why::BadTag | Why::Unsupported) => Bucket::Sealed,
        End::Cut(_) => Bucket::Cut,
    }
}

/// UTF-8 (a character cut at the end is forgiven) without control characters other than white space.
fn reads_as_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(t) => t,
        Err(e) if e.error_len().is_none() => std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or(""),
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\0'))
}
