//! The engine: the tree of layers of one flow, its buffers and budgets.

use super::node::{Node, State};
use super::{Child, Form, Guard, Handle, Hint, Memory, NodeRef, Registry, Sink, Spec, Unit};
use crate::keys::KeyStore;
use crate::model::{Arrival, Limits, PerSide, Side, Trust};
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
    /// What earlier flows between the same hosts left.
    pub memory: &'e mut Memory,
    /// Where everything that is learned goes.
    pub sink: &'e mut dyn Sink,
    /// Transport port of the flow's server.
    pub server_port: u16,
    /// Arrival of the bytes being fed.
    pub at: Arrival,
}

/// The tree of layers of one flow.
pub struct Tree {
    pub(super) nodes: Vec<Option<Box<Node>>>,
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
        Self::rooted(unit, VecDeque::new())
    }

    /// A tree for a flow of which something outside it states the layer.
    pub fn stated(unit: Unit, hint: Hint) -> Self {
        Self::rooted(unit, VecDeque::from([hint]))
    }

    fn rooted(unit: Unit, hints: VecDeque<Hint>) -> Self {
        let mut tree =
            Self { nodes: Vec::new(), free: Vec::new(), generation: 0, next_scope: 0, fed: 0, work: 0 };
        tree.insert(None, unit, Form::Binary, Guard::Open, hints);
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
        self.nodes.get(id as usize)?.as_deref()
    }
    pub(super) fn node_mut(&mut self, id: u32) -> Option<&mut Node> {
        self.nodes.get_mut(id as usize)?.as_deref_mut()
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
        let node = Box::new(Node {
            parent,
            generation: self.generation,
            depth,
            unit,
            form,
            state: State::Undecided,
            spec: None,
            peeler: None,
            heir: None,
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
            before: Vec::new(),
            unclaimed: 0,
            declared: 0,
            fields: 0,
            ledger: Default::default(),
        });
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

    pub(super) fn alive(&self, child: Handle) -> bool {
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
    pub(super) fn close_below(&mut self, env: &mut Env<'_>, id: u32) {
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
}
