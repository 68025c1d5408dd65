//! One shard: its flow table, the trees of its flows, and their evidence.

use super::dispatch::Work;
use super::merge::Totals;
use crate::evidence::{Collector, Shared};
use crate::flow::{Close, Handler, Info, Segment, Table, TcpFlags, TcpSegment};
use crate::keys::KeyStore;
use crate::layers::REGISTRY;
use crate::model::{Arrival, Side, Transport};
use crate::peel::{Env, Memory, Tree, Unit};
use crate::wire::{Packet, Proto};
use std::sync::Arc;

/// What the flow table calls back.
struct Peeling {
    shared: Arc<Shared>,
    keys: Arc<KeyStore>,
    memory: Memory,
    totals: Totals,
}

/// What is kept for one flow.
struct FlowState {
    tree: Tree,
    collector: Collector,
}

/// A shard.
pub(super) struct Shard {
    table: Table<Peeling>,
    peeling: Peeling,
}

impl Shard {
    pub fn new(shared: Arc<Shared>, keys: Arc<KeyStore>) -> Self {
        let table = Table::new(&shared.limits);
        Self {
            table,
            peeling: Peeling { shared, keys, memory: Memory::default(), totals: Totals::default() },
        }
    }

    pub fn take(&mut self, work: &Work) {
        if let Some(keys) = &work.keys {
            self.peeling.keys = keys.clone();
        }
        if let Some(answer) = &work.glance {
            // Nobody waits for it any more if this fails.
            let _ = answer.send(self.so_far());
        }
        for item in &work.items {
            let frame = work.batch.data.get(item.start..).unwrap_or_default();
            let segment = segment(&item.packet, frame);
            let app = item.packet.app.as_ref().map(|a| &a.name);
            self.table.packet(
                &mut self.peeling,
                item.packet.source,
                item.packet.target,
                segment,
                app,
                item.at,
            );
        }
    }

    /// What was found so far, with the open flows as they stand.
    fn so_far(&self) -> Totals {
        let mut totals = self.peeling.totals.clone();
        let limits = &self.peeling.shared.limits;
        self.table.each_open(|state| totals.add_flow(state.collector.so_far(), limits));
        totals
    }

    pub fn finish(mut self) -> Totals {
        self.table.finish(&mut self.peeling);
        self.peeling.totals.notes.merge(self.table.notes());
        self.peeling.totals
    }
}

impl Peeling {
    fn with(
        &mut self,
        state: &mut FlowState,
        info: &Info,
        at: Arrival,
        act: impl FnOnce(&mut Tree, &mut Env<'_>),
    ) {
        self.memory.between(info.key.client.ip, info.key.server.ip);
        let mut env = Env {
            registry: &REGISTRY,
            limits: &self.shared.limits,
            keys: &self.keys,
            memory: &mut self.memory,
            sink: &mut state.collector,
            server_port: info.key.server.port,
            at,
        };
        act(&mut state.tree, &mut env);
    }
}

impl Handler for Peeling {
    type State = FlowState;

    fn open(&mut self, info: &Info) -> FlowState {
        let unit = match info.key.transport {
            Transport::Tcp => Unit::Stream,
            Transport::Udp => Unit::Datagram,
        };
        let collector = Collector::new(self.shared.clone(), info.key, info.app.clone(), info.first.time);
        self.totals.flows += 1;
        FlowState { tree: Tree::new(unit), collector }
    }

    fn data(&mut self, state: &mut FlowState, info: &Info, side: Side, bytes: &[u8], at: Arrival) {
        state.collector.count(side, bytes.len() as u64);
        self.with(state, info, at, |tree, env| tree.feed(env, side, bytes));
    }

    fn gap(&mut self, state: &mut FlowState, info: &Info, side: Side, len: u64, at: Arrival) {
        self.with(state, info, at, |tree, env| tree.gap(env, side, len));
    }

    fn datagram(
        &mut self,
        state: &mut FlowState,
        info: &Info,
        side: Side,
        bytes: &[u8],
        missing: u32,
        at: Arrival,
    ) {
        state.collector.count(side, bytes.len() as u64);
        self.with(state, info, at, |tree, env| {
            tree.feed(env, side, bytes);
            if missing > 0 {
                tree.gap(env, side, u64::from(missing));
            }
        });
    }

    fn end_side(&mut self, state: &mut FlowState, info: &Info, side: Side, at: Arrival) {
        self.with(state, info, at, |tree, env| tree.end(env, side));
    }

    fn close(&mut self, mut state: FlowState, info: &Info, _why: Close) {
        self.with(&mut state, info, info.last, |tree, env| tree.finish(env));
        let evidence = state.collector.finish();
        self.totals.add_flow(evidence, &self.shared.limits);
    }
}

/// A packet as the flow table takes it; `frame` is what the payload's range counts in.
pub(super) fn segment<'a>(packet: &'a Packet, frame: &'a [u8]) -> Segment<'a> {
    let (payload, missing) = (packet.payload.bytes(frame), packet.missing);
    match packet.proto {
        Proto::Udp => Segment::Udp { payload, missing },
        Proto::Tcp { seq, ack, flags, .. } => {
            Segment::Tcp(TcpSegment { seq, ack, flags: TcpFlags::from_byte(flags.0), payload, missing })
        }
    }
}
