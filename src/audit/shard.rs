//! One shard: its flow table, the trees of its flows, and their evidence.

use super::dispatch::{BUCKETS, Work};
use super::merge::Totals;
use crate::evidence::{Collector, Shared};
use crate::flow::{Close, Handler, Info, Known, Segment, Table, TcpFlags, TcpSegment};
use crate::keys::KeyStore;
use crate::layers::REGISTRY;
use crate::model::{Arrival, Limits, Side, Transport};
use crate::peel::{Env, Hint, Memory, Tree, Unit};
use crate::wire::{Packet, Proto};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

/// What the flow table calls back.
struct Peeling {
    shared: Arc<Shared>,
    /// One bucket's part of the bounds.
    part: Limits,
    keys: Arc<KeyStore>,
    /// What flows left for others, by bucket, and the bucket being worked on.
    memories: [Memory; BUCKETS],
    bucket: usize,
    /// Fields of no known kind that may still be measured, by bucket.
    unmeasured: [Arc<AtomicU32>; BUCKETS],
    totals: Totals,
}

/// What is kept for one flow that said something.
struct FlowState {
    tree: Tree,
    collector: Collector,
}

/// Most flows of a scan never say anything, and a box is cheap to move.
type Lazy = Option<Box<FlowState>>;

/// A shard.
pub(super) struct Shard {
    tables: [Table<Peeling>; BUCKETS],
    peeling: Peeling,
}

impl Shard {
    pub fn new(shared: Arc<Shared>, keys: Arc<KeyStore>) -> Self {
        // Every bucket has its part of the bounds, whether another shard has the others or not.
        let limits = &shared.limits;
        let part = Limits {
            flows: (limits.flows / BUCKETS).max(1),
            reorder_total: limits.reorder_total / BUCKETS,
            measured: limits.measured / BUCKETS as u32,
            remembered_pairs: (limits.remembered_pairs / BUCKETS).max(1),
            ..limits.clone()
        };
        let tables = std::array::from_fn(|_| Table::new(&part));
        let memories = std::array::from_fn(|_| Memory::default());
        let unmeasured = std::array::from_fn(|_| Arc::new(AtomicU32::new(part.measured)));
        let totals = Totals::default();
        Self { tables, peeling: Peeling { shared, part, keys, memories, bucket: 0, unmeasured, totals } }
    }

    pub fn take(&mut self, work: &Work) {
        if let Some(keys) = &work.keys {
            self.peeling.keys = keys.clone();
            self.peeling.memories.iter_mut().for_each(Memory::forget_choices);
        }
        if let Some(answer) = &work.glance {
            // Nobody waits for it any more if this fails.
            let _ = answer.send(self.so_far());
        }
        for item in &work.items {
            let frame = work.batch.data.get(item.start..).unwrap_or_default();
            let segment = segment(&item.packet, frame);
            let known = known(&item.packet);
            let bucket = usize::from(item.bucket);
            let Some(table) = self.tables.get_mut(bucket) else { continue };
            self.peeling.bucket = bucket;
            table.packet(&mut self.peeling, item.packet.source, item.packet.target, segment, known, item.at);
        }
    }

    /// What was found so far, with the open flows as they stand.
    fn so_far(&self) -> Totals {
        let mut totals = self.peeling.totals.clone();
        let limits = &self.peeling.shared.limits;
        for table in &self.tables {
            table.each_open(|info, state| {
                let Some(state) = state else { return };
                totals.add_flow(state.collector.so_far(info.app.as_deref(), info.delivered), limits);
            });
        }
        totals
    }

    pub fn finish(mut self) -> Totals {
        for (bucket, table) in self.tables.iter_mut().enumerate() {
            self.peeling.bucket = bucket;
            table.finish(&mut self.peeling);
            self.peeling.totals.notes.merge(table.notes());
        }
        self.peeling.totals
    }
}

impl Peeling {
    fn with(
        &mut self,
        state: &mut Lazy,
        info: &Info,
        at: Arrival,
        act: impl FnOnce(&mut Tree, &mut Env<'_>),
    ) {
        let left = &self.unmeasured[self.bucket];
        let state = state.get_or_insert_with(|| Box::new(FlowState::new(&self.shared, info, left)));
        let memory = &mut self.memories[self.bucket];
        memory.between(info.key.client.ip, info.key.server.ip);
        let mut env = Env {
            registry: &REGISTRY,
            limits: &self.part,
            keys: &self.keys,
            memory,
            sink: &mut state.collector,
            server_port: info.key.server.port,
            at,
        };
        act(&mut state.tree, &mut env);
    }
}

impl Handler for Peeling {
    type State = Lazy;

    fn open(&mut self, _info: &Info) -> Lazy {
        self.totals.flows += 1;
        None
    }

    fn data(&mut self, state: &mut Lazy, info: &Info, side: Side, bytes: &[u8], at: Arrival) {
        self.with(state, info, at, |tree, env| tree.feed(env, side, bytes));
    }

    fn gap(&mut self, state: &mut Lazy, info: &Info, side: Side, len: u64, at: Arrival) {
        self.with(state, info, at, |tree, env| tree.gap(env, side, len));
    }

    fn datagram(
        &mut self,
        state: &mut Lazy,
        info: &Info,
        side: Side,
        bytes: &[u8],
        missing: u32,
        at: Arrival,
    ) {
        self.with(state, info, at, |tree, env| {
            tree.feed(env, side, bytes);
            if missing > 0 {
                tree.gap(env, side, u64::from(missing));
            }
        });
    }

    fn end_side(&mut self, state: &mut Lazy, info: &Info, side: Side, at: Arrival) {
        self.with(state, info, at, |tree, env| tree.end(env, side));
    }

    fn close(&mut self, mut state: Lazy, info: &Info, _why: Close) {
        if state.is_some() {
            self.with(&mut state, info, info.last, |tree, env| tree.finish(env));
        }
        let mut state = state
            .unwrap_or_else(|| Box::new(FlowState::new(&self.shared, info, &self.unmeasured[self.bucket])));
        let unseen = unseen(info);
        let evidence = state.collector.finish(info.app.as_deref(), info.delivered, unseen);
        self.totals.add_flow(evidence, &self.shared.limits);
    }
}

impl FlowState {
    fn new(shared: &Arc<Shared>, info: &Info, left: &Arc<AtomicU32>) -> Self {
        let collector = Collector::new(shared.clone(), info.key, info.first.time, left.clone());
        Self { tree: tree(info), collector }
    }
}

/// The tree of a new flow.
pub(super) fn tree(info: &Info) -> Tree {
    match info.key.transport {
        Transport::Tcp if info.opened => Tree::stated(Unit::Stream, Hint::Layer("opened")),
        Transport::Tcp => Tree::new(Unit::Stream),
        Transport::Udp => Tree::new(Unit::Datagram),
        Transport::Sctp => Tree::stated(Unit::Datagram, Hint::Layer("sctp")),
    }
}

/// What the recorder knew of a packet.
pub(super) fn known(packet: &Packet) -> Known<'_> {
    Known { app: packet.app.as_ref().map(|a| &a.name), opened: packet.opened }
}

/// A packet as the flow table takes it; `frame` is what the payload's range counts in.
pub(super) fn segment<'a>(packet: &'a Packet, frame: &'a [u8]) -> Segment<'a> {
    let (payload, missing) = (packet.payload.bytes(frame), packet.missing);
    match packet.proto {
        Proto::Udp => Segment::Udp { payload, missing },
        Proto::Sctp => Segment::Sctp { payload, missing },
        Proto::Tcp { seq, ack, flags, .. } => {
            Segment::Tcp(TcpSegment { seq, ack, flags: TcpFlags::from_byte(flags.0), payload, missing })
        }
    }
}

/// Bytes of a connection that nobody recorded. A side of which there is no packet may have said as much as the other.
fn unseen(info: &Info) -> u64 {
    let of = |side: Side| {
        let silent = info.key.transport == Transport::Tcp && info.packets[side] == 0;
        info.unseen[side].max(if silent { info.delivered[side.other()] } else { 0 })
    };
    of(Side::Client) + of(Side::Server)
}
