//! Datagrams: which layer of a node each belongs to, and what becomes of those that none claims.

use super::choose;
use super::feeding::{bucket_of, plain_end, reads_as_text};
use super::tree::Env;
use super::{Before, Child, Family, Form, Guess, Leaf, Probe, Spec, Tree, Unit};
use crate::model::{Bucket, Side, Trust};

/// Datagrams in a row that no layer claims before the engine stops asking for every one.
const ASK: u32 = 32;
/// The same for encodings, which are many and slow to ask; then every eighth datagram is enough to find the first,
/// and from there on all are asked about again.
const ASK_CODECS: u32 = 8;
/// Unclaimed datagrams that are still shown as leaves, per flow.
const SHOWN: u32 = 256;
/// Different layers that may share one datagram flow (STUN, DTLS, RTP and RTCP do).
const SHARING: usize = 6;
/// Shorter datagrams of characters are not taken for text.
const TEXT: usize = 8;
/// Datagrams whose beginnings probes may look back at.
const BEFORE: usize = 16;

impl Tree {
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
        let Some(node) = self.node(id).filter(|n| asks(n.unclaimed)) else { return false };
        // Lines would be a guess at any text; what text stands for is asked first.
        let text = bytes.len() >= TEXT && reads_as_text(bytes) && !bytes.contains(&0);
        if !text && !asks_codecs(node.unclaimed) {
            return false;
        }
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
        if !asks(node.unclaimed) {
            return Claim::Nobody;
        }
        let (form, codecs) = (node.form, asks_codecs(node.unclaimed));
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
            .or_else(|| choose::datagram(env.registry, &mut env.memory.recent, &probe(false), codecs));
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

/// Whether layers are asked about a datagram behind so many that nobody claimed.
fn asks(unclaimed: u32) -> bool {
    unclaimed <= ASK || unclaimed.is_multiple_of(64)
}

/// The same for encodings.
fn asks_codecs(unclaimed: u32) -> bool {
    unclaimed <= ASK_CODECS || unclaimed.is_multiple_of(8)
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
