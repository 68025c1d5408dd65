//! The peeler at work: called with what it has not consumed, booked for what it has.

use super::feeding::Last;
use super::node::State;
use super::tree::Env;
use super::{Handle, Input, Out, Peeler, Step, Then, Tree};
use crate::model::{Bucket, Side};

/// Bytes for which room is made before they are there: a TLS record's.
const RECORD: usize = 17 << 10;

impl Tree {
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
            // Room for what is waited for at once, once enough of it is there to believe in the rest.
            let (wanted, there) = (inbox.need.min(RECORD), inbox.held.len() + bytes.len());
            if there <= wanted && there * 4 >= wanted {
                inbox.held.reserve_exact(wanted - inbox.held.len());
            }
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
    pub(super) fn drive(
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
            let step = self.step(env, id, input, peeler);
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

    /// One call of the peeler. What it leaves once it has handed over is its heir's.
    pub(super) fn step(
        &mut self,
        env: &mut Env<'_>,
        id: u32,
        input: Input<'_>,
        peeler: &mut dyn Peeler,
    ) -> Step {
        let mut step = Step::again(0);
        if self.heir(id).is_none() {
            step = peeler.peel(input, &mut Out { tree: self, env, id });
        }
        let Some(heir) = self.heir(id) else { return step };
        self.feed_child(env, heir, input.side, input.bytes.get(step.consumed..).unwrap_or_default());
        Step::again(input.bytes.len())
    }

    /// The child that a node was handed over to.
    pub(super) fn heir(&self, id: u32) -> Option<Handle> {
        self.node(id).and_then(|n| n.heir)
    }

    /// Books bytes that a peeler asked not to see. `None` when nothing is left to show.
    pub(super) fn pass_over<'b>(&mut self, id: u32, side: Side, bytes: &'b [u8]) -> Option<&'b [u8]> {
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
}
