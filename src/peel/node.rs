//! One layer instance in the tree of a flow, and the view of it that observers get.

use super::hashing::Hashing;
use super::{Family, Form, Guard, Handle, Hint, Peeler, Spec, Unit};
use crate::model::{Arrival, Bucket, Ledger, PerSide, Side, Trust};
use std::collections::VecDeque;
use std::sync::Arc;

/// What becomes of a node's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// No layer chosen yet; bytes are held.
    Undecided,
    /// A peeler is at work.
    Peeling,
    /// Nobody can take it apart.
    Leaf,
    /// The peeler gave up.
    Dead,
}

/// Buffer and counters of one side of a node.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// Unconsumed bytes; the held sample once the node is a leaf.
    pub held: Vec<u8>,
    /// Position of the first held byte in this side's input.
    pub position: u64,
    /// Bytes wanted before the peeler is called again.
    pub need: usize,
    /// Bytes still to pass over, and where they are counted.
    pub skip: Option<(u64, Bucket)>,
    /// The rest of the side goes uncounted into this bucket.
    pub rest: Option<Bucket>,
    /// Bytes of the leaf, beyond the held sample too.
    pub leaf_total: u64,
    /// Hashes of the leaf, where the sink wants them.
    pub hashing: Option<Box<Hashing>>,
    /// No more bytes will come.
    pub ended: bool,
    /// The end was told to the peeler and what was left is booked.
    pub closed: bool,
    pub at: Arrival,
}

/// A layer instance.
pub(super) struct Node {
    pub parent: Option<u32>,
    pub generation: u32,
    pub depth: usize,
    pub unit: Unit,
    pub form: Form,
    pub state: State,
    pub spec: Option<&'static Spec>,
    pub peeler: Option<Box<dyn Peeler>>,
    /// The child that has all that follows.
    pub heir: Option<Handle>,
    /// Hints not used yet, outermost first.
    pub hints: VecDeque<Hint>,
    pub labels: Vec<(&'static str, Arc<str>)>,
    /// Layer path including this node.
    pub path: Arc<str>,
    /// Field path of the item this node was opened for, joined with the ancestors' by `>`.
    pub field: Arc<str>,
    pub trust: Trust,
    pub guard: Guard,
    /// Identifies the message this node belongs to within its flow; 0 outside any message.
    pub scope: u64,
    pub sides: PerSide<Inbox>,
    /// Arrival order of held bytes while undecided.
    pub order: Vec<(Side, usize)>,
    /// Chosen layers of a datagram node.
    pub switch: Vec<u32>,
    /// The beginnings of the latest datagrams.
    pub before: Vec<super::Before>,
    /// Datagrams in a row that no layer claimed.
    pub unclaimed: u32,
    /// Bytes of the current input that the peeler declared sealed.
    pub declared: u64,
    /// Fields handed on so far.
    pub fields: usize,
    pub ledger: Ledger,
}

/// A node as observers see it.
#[derive(Clone, Copy)]
pub struct NodeRef<'a> {
    pub(super) nodes: &'a [Option<Box<Node>>],
    pub(super) id: u32,
    pub(super) node: &'a Node,
}

impl<'a> NodeRef<'a> {
    /// Number of the node in its flow; reused after the node is done.
    pub fn id(&self) -> u32 {
        self.id
    }
    /// Layers from the outside in, joined by `/`; empty where no layer is known.
    pub fn path(&self) -> &'a str {
        &self.node.path
    }
    /// A shared handle to the path.
    pub fn path_shared(&self) -> Arc<str> {
        self.node.path.clone()
    }
    /// Field path that led here through one-shot items, joined by `>`.
    pub fn field(&self) -> &'a str {
        &self.node.field
    }
    /// The chosen layer.
    pub fn spec(&self) -> Option<&'static Spec> {
        self.node.spec
    }
    /// The layer's family.
    pub fn family(&self) -> Option<Family> {
        self.node.spec.map(|s| s.family)
    }
    /// Weakest trust along the path.
    pub fn trust(&self) -> Trust {
        self.node.trust
    }
    /// Whether this node's bytes were confidential on the wire.
    pub fn guard(&self) -> Guard {
        self.node.guard
    }
    /// Identifies the message this node belongs to within its flow; 0 outside any message.
    pub fn scope(&self) -> u64 {
        self.node.scope
    }
    /// The nearest label of that name, from this node outwards.
    pub fn label(&self, name: &str) -> Option<&'a str> {
        let mut at = Some(*self);
        while let Some(n) = at {
            if let Some((_, v)) = n.node.labels.iter().rev().find(|(k, _)| *k == name) {
                return Some(v);
            }
            at = n.parent();
        }
        None
    }
    /// The node around this one.
    pub fn parent(&self) -> Option<NodeRef<'a>> {
        let id = self.node.parent?;
        let node = self.nodes.get(id as usize)?.as_deref()?;
        Some(NodeRef { nodes: self.nodes, id, node })
    }
    /// The layer names from the inside out.
    pub fn layers(&self) -> impl Iterator<Item = &'static Spec> + use<'a> {
        std::iter::successors(Some(*self), |n| n.parent()).filter_map(|n| n.node.spec)
    }
}
