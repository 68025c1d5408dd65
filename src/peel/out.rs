//! What a peeler can do while it is called: state facts, hand bytes on, declare them sealed.

use super::tree::Env;
use super::{Eats, End, Family, Form, Guard, Guess, Hint, Leaf, Probe, Spec, Tree, Unit};
use crate::keys::KeyStore;
use crate::model::{Arrival, Limits, Side, Value};
use std::collections::VecDeque;
use std::sync::Arc;

/// What a peeler says about a child that it opens.
#[derive(Debug, Clone)]
pub struct Child {
    pub(super) unit: Unit,
    pub(super) form: Form,
    pub(super) guard: Guard,
    pub(super) hints: VecDeque<Hint>,
    pub(super) inherit: bool,
    pub(super) labels: Vec<(&'static str, Arc<str>)>,
    pub(super) field: String,
}

impl Child {
    /// A two-sided stream of octets.
    pub fn stream() -> Self {
        Self::new(Unit::Stream)
    }
    /// A series of datagrams.
    pub fn datagrams() -> Self {
        Self::new(Unit::Datagram)
    }
    /// One message of one side.
    pub fn message() -> Self {
        Self::new(Unit::Message)
    }
    fn new(unit: Unit) -> Self {
        Self {
            unit,
            form: Form::Binary,
            guard: Guard::Open,
            hints: VecDeque::new(),
            inherit: false,
            labels: Vec::new(),
            field: String::new(),
        }
    }
    /// What it is, as this layer states it. Several hints name layers from the outside in.
    pub fn hint(mut self, hint: Hint) -> Self {
        self.hints.push_back(hint);
        self
    }
    /// Passes on the hints that were given to this layer and not used by it (a codec's choice).
    pub fn inherit(mut self) -> Self {
        self.inherit = true;
        self
    }
    /// How this layer sees the bytes (default: binary).
    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }
    /// The bytes were confidential on the wire and were opened with a secret.
    pub fn confidential(mut self) -> Self {
        self.guard = Guard::Confidential;
        self
    }
    /// Context for everything below (`host`, `path`, `topic`, `from`, `to`).
    pub fn label(mut self, name: &'static str, value: &str) -> Self {
        self.labels.push((name, value.into()));
        self
    }
    /// Field path of the bytes inside this layer.
    pub fn field(mut self, field: &str) -> Self {
        self.field = field.to_owned();
        self
    }
}

/// Names an open child. Feeding a child that is gone or was refused by a limit is harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle {
    pub(super) id: u32,
    pub(super) generation: u32,
}

impl Handle {
    /// A handle to nothing.
    pub const NONE: Handle = Handle { id: u32::MAX, generation: 0 };
}

/// The engine as seen by the peeler that is being called.
pub struct Out<'a, 'e> {
    pub(super) tree: &'a mut Tree,
    pub(super) env: &'a mut Env<'e>,
    pub(super) id: u32,
}

impl Out<'_, '_> {
    /// The secrets at hand.
    pub fn keys(&self) -> &KeyStore {
        self.env.keys
    }
    /// Leaves `value` to later flows between the same two hosts (and to later layers of this flow), under
    /// a topic of this layer's and a name.
    pub fn remember(&mut self, topic: &'static str, name: &[u8], value: impl Into<Arc<[u8]>>) {
        self.env.memory.remember(self.env.limits, topic, name, value.into());
    }
    /// What this or an earlier flow between the same two hosts left under that name.
    pub fn recall(&self, topic: &'static str, name: &[u8]) -> Option<Arc<[u8]>> {
        self.env.memory.recall(topic, name)
    }
    /// Gives datagrams of later flows between the same two hosts that carry `id` (4 bytes or more) at `at` to
    /// the layer of that name, with the state that it needs to go on there.
    pub fn expect(&mut self, layer: &'static str, at: usize, id: &[u8], state: impl Into<Arc<[u8]>>) {
        self.env.memory.expect(self.env.limits, layer, at, id, state.into());
    }
    /// What was left to this layer for a datagram like this one, and the identifier in it.
    pub fn expected(&self, datagram: &[u8]) -> Option<(Vec<u8>, Arc<[u8]>)> {
        let spec = self.tree.node_ref(self.id).and_then(|n| n.spec())?;
        let (layer, id, state) = self.env.memory.expected(datagram)?;
        (layer == spec.name).then(|| (id.to_vec(), state))
    }
    /// The bounds to keep.
    pub fn limits(&self) -> &Limits {
        self.env.limits
    }
    /// Capture time and frame of the newest byte.
    pub fn at(&self) -> Arrival {
        self.env.at
    }
    /// Whether any layer answers to `hint`.
    pub fn knows(&self, hint: &Hint) -> bool {
        self.env.registry.answering(hint).is_some()
    }
    /// Whether a protection that runs in a stream certainly begins with these bytes: messages of a framing
    /// protocol then carry one stream, and none of them stands alone.
    pub fn begins_protection(&self, side: Side, bytes: &[u8]) -> bool {
        let probe = Probe {
            bytes,
            side,
            other: &[],
            end: false,
            form: Form::Binary,
            server_port: self.env.server_port,
            stated: false,
            known: false,
            before: &[],
            keys: self.env.keys,
        };
        let sure = |s: &&'static Spec| {
            s.family == Family::Secure
                && s.eats == Eats::Stream
                && s.probe.is_some_and(|ask| ask(&probe) == Guess::Sure)
        };
        self.env.registry.specs().any(|s| sure(&s))
    }
    /// Whether the bytes of this layer were confidential on the wire.
    pub fn guard(&self) -> Guard {
        self.tree.node_ref(self.id).map_or(Guard::Open, |n| n.guard())
    }
    /// Nearest label of that name, from this layer outwards.
    pub fn context(&self, name: &str) -> Option<String> {
        self.tree.node_ref(self.id).and_then(|n| n.label(name).map(str::to_owned))
    }

    /// States a fact about this layer. The name must be declared in the layer's row.
    pub fn fact(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(node) = self.tree.node_ref(self.id) {
            debug_assert!(node.spec().is_none_or(|s| s.facts.contains(&name)), "undeclared fact {name}");
            if self.env.sink.wants_fact(&node, name) {
                self.env.sink.fact(&node, name, value.into(), self.env.at);
            }
        }
    }
    /// Counts something odd. The code must be declared in the layer's row.
    pub fn note(&mut self, code: &'static str) {
        if let Some(node) = self.tree.node_ref(self.id) {
            debug_assert!(node.spec().is_none_or(|s| s.notes.contains(&code)), "undeclared note {code}");
            self.env.sink.note(&node, code, self.env.at);
        }
    }
    /// Sets context on this layer for everything below (`sni`, `host`), replacing an earlier value.
    pub fn label(&mut self, name: &'static str, value: &str) {
        self.tree.set_label(self.id, name, value);
    }

    /// Starts a new message of a protocol that frames messages itself (an HTTP head, an XMPP stanza,
    /// an IRC line): what is handed on from here belongs together, until the next call. Not needed
    /// where every message is one [`Out::message`] or one datagram.
    pub fn begin_message(&mut self) {
        self.tree.begin_message(self.id);
    }

    /// Opens a child. It lives until it is closed on all its sides.
    pub fn open(&mut self, child: Child) -> Handle {
        self.tree.open_child(self.env, self.id, child)
    }
    /// Opens a child that has whatever follows on both sides, lost bytes and ends too: the protocol began
    /// another one inside itself (STARTTLS, CONNECT, an upgrade).
    pub fn hand_over(&mut self, child: Child) {
        let heir = self.open(child);
        if let Some(node) = self.tree.node_mut(self.id) {
            node.heir = Some(heir);
        }
    }
    /// Feeds a child.
    pub fn feed(&mut self, child: Handle, side: Side, bytes: &[u8]) {
        self.tree.feed_child(self.env, child, side, bytes);
    }
    /// Tells a child that bytes are missing.
    pub fn gap(&mut self, child: Handle, side: Side, len: u64) {
        self.tree.gap_child(self.env, child, side, len);
    }
    /// Tells a child that nothing follows on `side`. A message child is done then.
    pub fn close(&mut self, child: Handle, side: Side) {
        self.tree.close_child(self.env, child, side);
    }
    /// Hands on one whole message: open, feed and close.
    pub fn message(&mut self, child: Child, side: Side, bytes: &[u8]) {
        self.tree.whole(self.env, self.id, child, side, bytes);
    }
    /// Hands on one field of the message being peeled. The engine tries to peel text and binary
    /// fields further; what it cannot is a leaf.
    pub fn item(&mut self, field: &str, form: Form, side: Side, bytes: &[u8]) {
        let child = Child::message().form(form).field(field);
        self.tree.whole(self.env, self.id, child, side, bytes);
    }
    /// Whether a layer knows objects with these keys by their shape.
    pub fn knows_shape(&self, keys: &[&str]) -> bool {
        let fits = |shape: &&[&str]| shape.iter().all(|k| keys.contains(k));
        self.env.registry.specs().any(|s| s.shapes.iter().any(&fits))
    }
    /// Offers a structured object whole (raw JSON text with its keys, an XML element with its child
    /// names) to layers that know it by its shape. True if one took it.
    pub fn shape(&mut self, field: &str, keys: &[&str], side: Side, raw: &[u8]) -> bool {
        self.tree.shape(self.env, self.id, field, keys, side, raw)
    }
    /// Declares `len` bytes of the input being consumed, or of what it held, ciphertext that stays
    /// closed. `sample` is what may be looked at for statistics.
    pub fn sealed(&mut self, field: &str, side: Side, len: u64, end: End, sample: &[u8]) {
        self.tree.declare(self.id, len);
        self.leaf(field, Form::Binary, side, len, end, sample);
    }
    /// Declares `len` bytes of the input being consumed ciphertext that stays closed, without showing a
    /// leaf: the layer shows one for all of them when the side ends.
    pub fn declare_sealed(&mut self, len: u64) {
        self.tree.declare(self.id, len);
    }
    /// Shows an observer bytes whole, beside what is stated of them. They are not counted again.
    pub fn exhibit(&mut self, name: &'static str, side: Side, bytes: &[u8]) {
        if let Some(node) = self.tree.node_ref(self.id) {
            self.env.sink.exhibit(&node, name, side, bytes, self.env.at);
        }
    }
    /// A leaf that this layer knows to be one.
    pub fn leaf(&mut self, field: &str, form: Form, side: Side, total: u64, end: End, bytes: &[u8]) {
        let Some(node) = self.tree.node_ref(self.id) else {
            return;
        };
        let leaf = Leaf {
            field,
            form,
            side,
            bytes,
            total,
            end,
            at: self.env.at,
            hashes: None,
            known: Default::default(),
        };
        self.env.sink.leaf(&node, &leaf);
    }
}
