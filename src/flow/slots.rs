//! Storage of the flows: what the table keeps for one, by slot number.

use super::Info;
use super::list::{Link, Links};
use super::pair::Pair;
use super::segment::Segment;
use super::tcp::Tcp;
use crate::model::{Endpoint, Side};

/// Which recency list a flow is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tcp,
    Udp,
    Closed,
}

/// One flow.
pub(super) struct Entry<S> {
    pub(super) pair: Pair,
    pub(super) link: Link,
    pub(super) kind: Kind,
    /// Ordinal of the latest packet.
    pub(super) touched: u64,
    pub(super) info: Info,
    /// None once closed.
    pub(super) state: Option<S>,
    /// None for UDP.
    pub(super) tcp: Option<Box<Tcp>>,
    pub(super) held: usize,
    /// True while it stands in `holders`.
    pub(super) holds: bool,
}

/// Flows by slot number; freed numbers are used again.
pub(super) struct Slots<S> {
    entries: Vec<Option<Entry<S>>>,
    free: Vec<u32>,
}

impl<S> Default for Slots<S> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }
}

impl<S> Slots<S> {
    pub(super) fn at(&self, slot: u32) -> Option<&Entry<S>> {
        self.entries.get(slot as usize)?.as_ref()
    }

    pub(super) fn at_mut(&mut self, slot: u32) -> Option<&mut Entry<S>> {
        self.entries.get_mut(slot as usize)?.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Entry<S>)> {
        (0..).zip(&self.entries).filter_map(|(slot, entry)| entry.as_ref().map(|entry| (slot, entry)))
    }

    pub(super) fn put(&mut self, entry: Entry<S>) -> u32 {
        if let Some(slot) = self.free.pop()
            && let Some(place) = self.entries.get_mut(slot as usize)
        {
            *place = Some(entry);
            return slot;
        }
        self.entries.push(Some(entry));
        (self.entries.len() - 1) as u32
    }

    pub(super) fn clear(&mut self, slot: u32) {
        if let Some(place) = self.entries.get_mut(slot as usize)
            && place.take().is_some()
        {
            self.free.push(slot);
        }
    }
}

impl<S> Links for Slots<S> {
    fn link(&mut self, slot: u32) -> Option<&mut Link> {
        self.at_mut(slot).map(|entry| &mut entry.link)
    }
}

impl<S> Entry<S> {
    /// The side that sends from `source`.
    pub(super) fn side(&self, source: Endpoint) -> Side {
        if source == self.info.key.client { Side::Client } else { Side::Server }
    }

    /// Whether a segment goes on in a TCP connection that is open.
    pub(super) fn goes_on(&self, source: Endpoint, segment: &Segment<'_>) -> bool {
        match (&self.tcp, segment, self.kind) {
            (Some(tcp), Segment::Tcp(segment), Kind::Tcp) => tcp.goes_on(self.side(source), segment),
            _ => false,
        }
    }
}
