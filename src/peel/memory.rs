//! What one flow leaves to another between the same two hosts: a session's secret for its resumption,
//! the keys of a media stream for the stream itself. It is kept by pair of hosts, so that the number of
//! threads changes nothing.

use super::Spec;
use crate::model::{Limits, Memo, Trust};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// What a message was taken for.
pub(super) type Taken = Option<(&'static Spec, Trust)>;

type Hosts = (IpAddr, IpAddr);
type Name = (&'static str, Box<[u8]>);

/// Everything that flows of a shard left for later ones.
#[derive(Debug)]
pub struct Memory {
    hosts: Hosts,
    pairs: FxHashMap<Hosts, Pair>,
    /// Pairs in order of their first entry; the oldest is forgotten whole.
    order: VecDeque<Hosts>,
    /// Short messages of any flow, and which layer took them.
    pub(super) recent: Memo<Taken>,
}

#[derive(Debug, Default)]
struct Pair {
    known: FxHashMap<Name, Arc<[u8]>>,
    order: VecDeque<Name>,
    expected: VecDeque<Expected>,
}

/// What datagrams of later flows will carry, and whose they are.
#[derive(Debug)]
struct Expected {
    layer: &'static str,
    at: usize,
    id: Box<[u8]>,
    state: Arc<[u8]>,
}

/// Identifiers shorter than this are no proof of anything.
const IDENTIFIES: usize = 4;

impl Default for Memory {
    fn default() -> Self {
        let none = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self {
            hosts: (none, none),
            pairs: FxHashMap::default(),
            order: VecDeque::new(),
            recent: Memo::default(),
        }
    }
}

/// A layer, the bytes that it said would come, and what it left for them.
type Announced<'a> = (&'static str, &'a [u8], Arc<[u8]>);

impl Memory {
    /// Keys came: what messages were taken for without them may be wrong now.
    pub fn forget_choices(&mut self) {
        self.recent = Memo::default();
    }

    /// Turns to what is known between these two hosts.
    pub fn between(&mut self, a: IpAddr, b: IpAddr) {
        self.hosts = (a.min(b), a.max(b));
    }

    /// Keeps `value` under `topic` and `name`, in place of an earlier one.
    pub(super) fn remember(&mut self, limits: &Limits, topic: &'static str, name: &[u8], value: Arc<[u8]>) {
        let pair = self.pair(limits);
        let name: Name = (topic, name.into());
        if pair.known.insert(name.clone(), value).is_some() {
            return;
        }
        pair.order.push_back(name);
        if pair.order.len() > limits.remembered
            && let Some(oldest) = pair.order.pop_front()
        {
            pair.known.remove(&oldest);
        }
    }

    /// Gives datagrams of later flows between these hosts that carry `id` at `at` to `layer`, with what it
    /// needs to go on.
    pub(super) fn expect(
        &mut self,
        limits: &Limits,
        layer: &'static str,
        at: usize,
        id: &[u8],
        state: Arc<[u8]>,
    ) {
        if id.len() < IDENTIFIES {
            return;
        }
        let expected = &mut self.pair(limits).expected;
        expected.retain(|e| (e.layer, e.at, &*e.id) != (layer, at, id));
        if expected.len() >= limits.remembered {
            expected.pop_front();
        }
        expected.push_back(Expected { layer, at, id: id.into(), state });
    }

    /// The layer that expects this datagram, the identifier that gave it away, and what was left with it.
    pub(super) fn expected(&self, datagram: &[u8]) -> Option<Announced<'_>> {
        let fits = |e: &&Expected| datagram.get(e.at..).is_some_and(|rest| rest.starts_with(&e.id));
        let found = self.pairs.get(&self.hosts)?.expected.iter().rev().find(fits)?;
        Some((found.layer, &found.id, found.state.clone()))
    }

    /// What is known between these hosts; the oldest pair makes room.
    fn pair(&mut self, limits: &Limits) -> &mut Pair {
        if !self.pairs.contains_key(&self.hosts) {
            if self.order.len() >= limits.remembered_pairs
                && let Some(oldest) = self.order.pop_front()
            {
                self.pairs.remove(&oldest);
            }
            self.order.push_back(self.hosts);
        }
        self.pairs.entry(self.hosts).or_default()
    }

    /// What an earlier flow between the same hosts left under this name.
    pub(super) fn recall(&self, topic: &'static str, name: &[u8]) -> Option<Arc<[u8]>> {
        self.pairs.get(&self.hosts)?.known.get(&(topic, Box::from(name))).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_stays_between_its_hosts_and_is_bounded() {
        let limits = Limits { remembered: 2, remembered_pairs: 2, ..Limits::default() };
        let host = |n: u8| IpAddr::from([10, 0, 0, n]);
        let mut memory = Memory::default();
        memory.between(host(1), host(2));
        for n in 0..3u8 {
            memory.remember(&limits, "t", &[n], Arc::from([n]));
        }
        assert_eq!(memory.recall("t", &[0]), None, "the oldest is forgotten");
        memory.between(host(2), host(1));
        assert_eq!(memory.recall("t", &[2]).as_deref(), Some(&[2u8][..]));
        assert_eq!(memory.recall("u", &[2]), None, "topics are apart");
        for n in 3..5 {
            memory.between(host(1), host(n));
            assert_eq!(memory.recall("t", &[2]), None, "hosts are apart");
            memory.remember(&limits, "t", b"x", Arc::from([n]));
        }
        memory.between(host(1), host(2));
        assert_eq!(memory.recall("t", &[2]), None, "the oldest pair is forgotten");
    }

    #[test]
    fn datagrams_are_expected_by_what_they_carry_and_where() {
        let limits = Limits { remembered: 2, ..Limits::default() };
        let mut memory = Memory::default();
        for n in 0..3u8 {
            memory.expect(&limits, "l", 1, &[n, 7, 7, 7, 7], Arc::from([n]));
        }
        memory.expect(&limits, "l", 1, &[9, 9], Arc::from([9]));
        let layer = |bytes: &[u8]| memory.expected(bytes).map(|(l, id, state)| (l, id.len(), state[0]));
        assert_eq!(layer(b"\x40\x02\x07\x07\x07\x07rest"), Some(("l", 5, 2)));
        assert_eq!(layer(b"\x02\x07\x07\x07\x07rest"), None, "elsewhere");
        assert_eq!(layer(b"\x40\x00\x07\x07\x07\x07rest"), None, "the oldest is forgotten");
        assert_eq!(layer(b"\x40\x09\x09"), None, "too short to be proof");
    }
}
