//! What one flow leaves to another between the same two hosts: a session's secret for its resumption,
//! the keys of a media stream for the stream itself. It is kept by pair of hosts, so that the number of
//! threads changes nothing.

use super::recent::Recent;
use crate::model::Limits;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

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
    pub(super) recent: Recent,
}

#[derive(Debug, Default)]
struct Pair {
    known: FxHashMap<Name, Arc<[u8]>>,
    order: VecDeque<Name>,
}

impl Default for Memory {
    fn default() -> Self {
        let none = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self {
            hosts: (none, none),
            pairs: FxHashMap::default(),
            order: VecDeque::new(),
            recent: Recent::default(),
        }
    }
}

impl Memory {
    /// Turns to what is known between these two hosts.
    pub fn between(&mut self, a: IpAddr, b: IpAddr) {
        self.hosts = (a.min(b), a.max(b));
    }

    /// Keeps `value` under `topic` and `name`, in place of an earlier one.
    pub(super) fn remember(&mut self, limits: &Limits, topic: &'static str, name: &[u8], value: Arc<[u8]>) {
        if !self.pairs.contains_key(&self.hosts) {
            if self.order.len() >= limits.remembered_pairs
                && let Some(oldest) = self.order.pop_front()
            {
                self.pairs.remove(&oldest);
            }
            self.order.push_back(self.hosts);
        }
        let pair = self.pairs.entry(self.hosts).or_default();
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
}
