//! Bytes on their way into a node: held until a layer is chosen, then routed to it or kept as a leaf.

use super::choose::{self, Choice};
use super::hashing::Hashing;
use super::node::{Inbox, State};
use super::tree::Env;
use super::{By, Child, End, Form, Hint, Probe, Spec, Tree, Unit, Why};
use crate::model::{Bucket, PerSide, Side, Trust, media_head};

impl Tree {
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
            let inbox = &node.sides[side];
            // Of a leaf only the beginning is held.
            let offset = inbox.position + inbox.leaf_total.max(inbox.held.len() as u64);
            if let Some(node) = self.node_ref(id) {
                env.sink.bytes(&node, "", side, offset, bytes, env.at);
            }
        }
        self.route(env, id, side, bytes);
    }

    /// Whether one field more of `parent` is looked at; if so, a sink that wants its bytes has them.
    pub(super) fn looks_at(
        &mut self,
        env: &mut Env<'_>,
        parent: u32,
        child: &Child,
        side: Side,
        bytes: &[u8],
    ) -> bool {
        let Some(node) = self.node_mut(parent) else {
            return false;
        };
        node.fields += 1;
        if node.fields > env.limits.fields {
            if node.fields == env.limits.fields + 1 {
                self.note(env, parent, "field-limit");
            }
            return false;
        }
        if env.sink.wants_bytes()
            && child.form != Form::Plain
            && let Some(node) = self.node_ref(parent)
        {
            env.sink.bytes(&node, &child.field, side, 0, bytes, env.at);
        }
        true
    }

    /// Sends counted bytes where the node's state wants them.
    pub(super) fn route(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8]) {
        let Some(node) = self.node(id) else { return };
        match (node.state, node.unit) {
            (State::Undecided, Unit::Datagram) => self.datagram(env, id, side, bytes),
            (State::Peeling, Unit::Datagram) => self.one_datagram(env, id, side, bytes),
            (State::Undecided, _) => self.hold(env, id, side, bytes),
            (State::Peeling, _) => self.peel(env, id, side, bytes, Last::No),
            (State::Leaf | State::Dead, _) => self.keep(env, id, side, bytes),
        }
    }

    /// Holds bytes of an undecided node and tries to choose its layer.
    pub(super) fn hold(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8]) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        let before = node.sides[side].held.len();
        node.sides[side].held.extend_from_slice(bytes);
        match node.order.last_mut() {
            Some((s, n)) if *s == side => *n += bytes.len(),
            _ => node.order.push((side, bytes.len())),
        }
        // Probes saw all of a message that they see before its end.
        let asked = node.unit == Unit::Message && before >= env.limits.probe;
        if !asked || before + bytes.len() > env.limits.message {
            self.choose(env, id, side, Last::No);
        }
    }

    /// Tries to choose the layer of a stream or message from what is held.
    pub(super) fn choose(&mut self, env: &mut Env<'_>, id: u32, side: Side, last: Last) {
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
        if unit == Unit::Message && last == Last::No && !whole_hinted && is_media(&node.sides[side].held) {
            return self.become_leaf(env, id, State::Leaf);
        }
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
            before: &[],
            keys: env.keys,
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
    pub(super) fn other_side_may_tell(&self, env: &Env<'_>, id: u32, side: Side, last: Last) -> bool {
        let Some(node) = self.node(id) else {
            return false;
        };
        let other = &node.sides[side.other()];
        let cheap = node.sides[side].held.len() < env.limits.probe;
        other.held.is_empty() && !other.ended && (cheap || last == Last::Yes && node.sides[side].ended)
    }

    /// Opens the chosen layer and replays what is held in order of arrival.
    pub(super) fn start(&mut self, env: &mut Env<'_>, id: u32, spec: &'static Spec, trust: Trust) {
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
    pub(super) fn keep(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8]) {
        self.hash(env, id, side, bytes);
        let limits = env.limits;
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

    /// Hashes a message that outgrows what is kept of it, if the sink wants that and nothing of it is lost.
    fn hash(&mut self, env: &mut Env<'_>, id: u32, side: Side, bytes: &[u8]) {
        let Some(node) = self.node_mut(id) else { return };
        let (lost, inbox) = (node.ledger.lost > 0, &mut node.sides[side]);
        if let Some(hashing) = &mut inbox.hashing {
            return hashing.add(bytes);
        }
        let (held, most) = (inbox.held.len(), env.limits.sample);
        let outgrows = inbox.leaf_total as usize == held && held <= most && held + bytes.len() > most;
        if !outgrows || lost || node.unit != Unit::Message || node.state == State::Dead {
            return;
        }
        let begun = std::mem::take(&mut node.sides[side].held);
        let head = if begun.is_empty() { bytes } else { &begun };
        if self.node_ref(id).is_some_and(|node| env.sink.wants_hashes(&node, side, head)) {
            let mut hashing = Box::<Hashing>::default();
            hashing.add(&begun);
            hashing.add(bytes);
            self.inbox(id, side).hashing = Some(hashing);
        }
        self.inbox(id, side).held = begun;
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
                self.keep(env, id, side, &held);
            }
        }
    }

    pub(super) fn inbox(&mut self, id: u32, side: Side) -> &mut Inbox {
        // Called only for nodes that the caller just looked up.
        &mut self.nodes[id as usize].as_mut().expect("node was looked up").sides[side]
    }
}

/// Whether the bytes in hand are the last of their side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Yes,
    No,
}

/// Bytes of a file that are enough to know it by.
const HEAD: usize = 32;

/// Whether a file begins that holds a picture, a sound or a film. No layer takes these apart, so nothing is
/// held back until they are whole.
fn is_media(bytes: &[u8]) -> bool {
    let Some(head) = bytes.first_chunk::<HEAD>() else { return false };
    let known = matches!(
        media_head(head),
        Some(("jpeg" | "png" | "gif" | "mp4" | "ogg" | "flac" | "id3" | "matroska" | "woff2" | "riff", _))
    );
    known && !reads_as_text(head)
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
pub(super) fn reads_as_text(bytes: &[u8]) -> bool {
    if bytes.is_ascii() {
        let control = |b: &u8| (*b < b' ' || *b == 0x7f) && !matches!(b, b'\n' | b'\r' | b'\t' | 0);
        return !bytes.is_empty() && !bytes.iter().any(control);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(t) => t,
        Err(e) if e.error_len().is_none() => std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or(""),
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\0'))
}
