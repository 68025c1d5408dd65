//! The table of flows: looks a packet's flow up, opens, ages, evicts and closes.

use super::list::{Link, List, NONE};
use super::pair::{Pair, direct, transport_of};
use super::segment::{Segment, TcpFlags};
use super::sink::Sink;
use super::slots::{Entry, Kind, Slots};
use super::tcp::{Fit, Tcp};
use super::{Close, Handler, Info, Known, LINGER, Opening};
use crate::model::{Arrival, Endpoint, Limits, Notes, PerSide, Timestamp};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Capture time between two sweeps for idle flows, in nanoseconds.
const SWEEP: i64 = 1_000_000_000;

/// All flows of one shard.
pub struct Table<H: Handler> {
    slots: Slots<H::State>,
    index: FxHashMap<Pair, u32>,
    /// By recency, one list for each idle time.
    lists: [List; 3],
    bounds: Bounds,
    next_id: u64,
    packets: u64,
    previous: Timestamp,
    swept: Timestamp,
    /// Bytes allocated for waiting segments of all flows, and the flows that may hold some, the
    /// longest holder first.
    held: usize,
    holders: VecDeque<(u32, u64)>,
    notes: Notes,
}

/// The limits in the units used here.
struct Bounds {
    flows: usize,
    reorder_flow: usize,
    reorder_total: usize,
    /// Nanoseconds, by [`Kind`].
    idle: [i64; 3],
}

/// The arguments of [`Table::packet`].
#[derive(Clone, Copy)]
struct Packet<'a> {
    source: Endpoint,
    target: Endpoint,
    segment: Segment<'a>,
    known: Known<'a>,
    at: Arrival,
}

impl<H: Handler> Table<H> {
    /// An empty table.
    pub fn new(limits: &Limits) -> Self {
        let nanos = |seconds: f64| (seconds.max(0.0) * 1e9) as i64;
        let idle = [nanos(limits.tcp_idle), nanos(limits.udp_idle), nanos(LINGER.min(limits.tcp_idle))];
        Self {
            slots: Slots::default(),
            index: FxHashMap::default(),
            lists: [List::EMPTY; 3],
            bounds: Bounds {
                flows: limits.flows.clamp(1, NONE as usize - 1),
                reorder_flow: limits.reorder_flow,
                reorder_total: limits.reorder_total,
                idle,
            },
            next_id: 0,
            packets: 0,
            previous: Timestamp(i64::MIN),
            swept: Timestamp(i64::MIN),
            held: 0,
            holders: VecDeque::new(),
            notes: Notes::default(),
        }
    }

    /// Takes the next packet in capture order.
    #[allow(clippy::too_many_arguments)] // one packet's facts, none of which belong together
    pub fn packet(
        &mut self,
        handler: &mut H,
        source: Endpoint,
        target: Endpoint,
        segment: Segment<'_>,
        known: Known<'_>,
        at: Arrival,
    ) {
        let packet = Packet { source, target, segment, known, at };
        self.packets += 1;
        self.sweep(handler, at.time);
        let pair = Pair::new(source, target, transport_of(&segment));
        let known = match self.index.get(&pair).copied() {
            Some(slot) => match self.fit(slot, &packet) {
                Ok(Fit::Belongs) => Some(slot),
                Ok(Fit::Late) => return,
                Ok(Fit::Anew) => self.end(handler, slot, Close::Reused),
                Err(Idle) => self.end(handler, slot, Close::Idle),
            },
            None => None,
        };
        let slot = match known {
            Some(slot) => slot,
            None => match self.open(handler, pair, &packet) {
                Some(slot) => slot,
                None => return,
            },
        };
        self.deliver(handler, slot, &packet);
    }

    /// Shows every flow that is open.
    pub fn each_open(&self, mut look: impl FnMut(&Info, &H::State)) {
        let open = self.slots.iter().filter_map(|(_, entry)| Some((&entry.info, entry.state.as_ref()?)));
        open.for_each(|(info, state)| look(info, state));
    }

    /// Closes all flows in the order of their ids.
    pub fn finish(&mut self, handler: &mut H) {
        let mut rest: Vec<(u64, u32)> =
            self.slots.iter().map(|(slot, entry)| (entry.info.id, slot)).collect();
        rest.sort_unstable();
        for (_, slot) in rest {
            self.end(handler, slot, Close::EndOfCapture);
        }
    }

    /// What was odd since the last call.
    pub fn notes(&mut self) -> Notes {
        std::mem::take(&mut self.notes)
    }

    /// Flows in memory, those closed but still remembered included.
    pub fn flows(&self) -> usize {
        self.index.len()
    }

    /// Bytes allocated for TCP segments that wait.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Whether the packet is part of the flow in `slot`.
    fn fit(&mut self, slot: u32, packet: &Packet<'_>) -> Result<Fit, Idle> {
        let Packet { source, segment, at, .. } = *packet;
        let Some(entry) = self.slots.at(slot) else { return Ok(Fit::Anew) };
        let quiet = at.time.0.saturating_sub(entry.info.last.time.0);
        if quiet > self.bounds.idle[entry.kind as usize] && !entry.goes_on(source, &segment) {
            return Err(Idle);
        }
        let (Some(tcp), Segment::Tcp(segment)) = (&entry.tcp, segment) else { return Ok(Fit::Belongs) };
        let side = entry.side(source);
        if entry.kind != Kind::Closed {
            return Ok(tcp.fit(side, &segment));
        }
        let fit = tcp.fit_closed(side, &segment);
        if fit == Fit::Late && tcp.is_news(side, &segment) {
            self.notes.add("tcp-data-after-close", Some(at.frame));
        }
        Ok(fit)
    }

    fn open(&mut self, handler: &mut H, pair: Pair, packet: &Packet<'_>) -> Option<u32> {
        let Packet { source, target, segment, known, at } = *packet;
        let opening = match segment {
            Segment::Tcp(s) if s.flags.has(TcpFlags::RST) => {
                self.notes.add("tcp-stray-reset", Some(at.frame));
                return None;
            }
            Segment::Tcp(s) if !s.flags.has(TcpFlags::SYN) => Opening::MidStream,
            _ => Opening::Seen,
        };
        if self.index.len() >= self.bounds.flows {
            self.evict(handler, at);
        }
        let info = Info {
            id: self.next_id,
            key: direct(source, target, &segment),
            first: at,
            last: at,
            packets: PerSide::default(),
            bytes: PerSide::default(),
            delivered: PerSide::default(),
            lost: PerSide::default(),
            unseen: PerSide::default(),
            opening,
            app: known.app.cloned(),
            opened: known.opened,
            closed: None,
        };
        self.next_id += 1;
        let (kind, tcp) = match segment {
            Segment::Tcp(_) => (Kind::Tcp, Some(Box::new(Tcp::new()))),
            Segment::Udp { .. } | Segment::Sctp { .. } => (Kind::Udp, None),
        };
        let state = Some(handler.open(&info));
        let touched = self.packets;
        let entry = Entry { pair, link: Link::LOOSE, kind, touched, info, state, tcp, held: 0, holds: false };
        let slot = self.slots.put(entry);
        self.index.insert(pair, slot);
        self.lists[kind as usize].push(&mut self.slots, slot);
        Some(slot)
    }

    fn deliver(&mut self, handler: &mut H, slot: u32, packet: &Packet<'_>) {
        let Packet { source, segment, known, at, .. } = *packet;
        let Some(entry) = self.slots.at_mut(slot) else { return };
        let side = entry.side(source);
        let list = entry.kind as usize;
        entry.touched = self.packets;
        entry.info.last = at;
        entry.info.packets[side] += 1;
        entry.info.bytes[side] += segment.payload_len() as u64;
        if entry.info.app.is_none() {
            entry.info.app = known.app.cloned();
        }
        let Entry { info, state: Some(state), tcp, .. } = entry else { return };
        let mut over = None;
        match (tcp, segment) {
            (Some(tcp), Segment::Tcp(segment)) => {
                if segment.flags.has(TcpFlags::SYN) {
                    info.opening = Opening::Seen;
                }
                let mut sink = Sink { handler, state, info, notes: &mut self.notes, at };
                over = tcp.accept(side, &segment, &mut sink);
            }
            (_, Segment::Udp { payload, missing } | Segment::Sctp { payload, missing }) => {
                info.delivered[side] += payload.len() as u64;
                info.lost[side] += u64::from(missing);
                handler.datagram(state, info, side, payload, missing, at);
            }
            (None, Segment::Tcp(_)) => {}
        }
        self.lists[list].touch(&mut self.slots, slot);
        self.account(handler, slot, at);
        if let Some(why) = over {
            self.end(handler, slot, why);
        }
    }

    /// Books what a flow holds and enforces both bounds on waiting segments.
    fn account(&mut self, handler: &mut H, slot: u32, at: Arrival) {
        let Some(entry) = self.slots.at_mut(slot) else { return };
        let Some(held) = entry.tcp.as_ref().map(|tcp| tcp.held()) else { return };
        if held == entry.held {
            return;
        }
        self.held = self.held - entry.held + held;
        entry.held = held;
        let id = entry.info.id;
        if held > 0 && !std::mem::replace(&mut entry.holds, true) {
            self.holders.push_back((slot, id));
        }
        self.relieve(handler, slot, at, self.bounds.reorder_flow);
        while self.held > self.bounds.reorder_total
            && let Some((slot, id)) = self.holders.pop_front()
        {
            let Some(entry) = self.slots.at_mut(slot).filter(|entry| entry.info.id == id) else { continue };
            entry.holds = false;
            self.relieve(handler, slot, at, 0);
        }
        // Flows that are gone or hold nothing more leave stale places behind.
        if self.holders.len() > 2 * self.index.len() + 64 {
            let slots = &self.slots;
            self.holders.retain(|(slot, id)| slots.at(*slot).is_some_and(|entry| entry.info.id == *id));
        }
    }

    /// Gives up holes of a flow until it holds no more than `bound` bytes.
    fn relieve(&mut self, handler: &mut H, slot: u32, at: Arrival, bound: usize) {
        let Some(entry) = self.slots.at_mut(slot) else { return };
        let Entry { info, state: Some(state), tcp: Some(tcp), held, .. } = entry else { return };
        if *held <= bound {
            return;
        }
        let mut sink = Sink { handler, state, info, notes: &mut self.notes, at };
        sink.note("tcp-reorder-limit");
        while tcp.held() > bound {
            tcp.relieve(&mut sink);
        }
        self.held = self.held - *held + tcp.held();
        *held = tcp.held();
    }

    /// Closes flows that have been idle for too long.
    fn sweep(&mut self, handler: &mut H, time: Timestamp) {
        // One time far ahead of its neighbours must not close everything.
        let now = time.min(self.previous);
        self.previous = time;
        if now.0 >= self.swept.0 && now.0.saturating_sub(self.swept.0) < SWEEP {
            return;
        }
        self.swept = now;
        for kind in [Kind::Tcp, Kind::Udp, Kind::Closed] {
            let idle = self.bounds.idle[kind as usize];
            while let Some(entry) = self.slots.at(self.lists[kind as usize].oldest)
                && now.0.saturating_sub(entry.info.last.time.0) > idle
            {
                self.end(handler, self.lists[kind as usize].oldest, Close::Idle);
            }
        }
    }

    /// Makes room for one flow: a closed one if there is any, else the least recently used.
    fn evict(&mut self, handler: &mut H, at: Arrival) {
        let oldest = |kind: Kind| self.lists[kind as usize].oldest;
        let touched = |slot: u32| self.slots.at(slot).map_or(u64::MAX, |entry| entry.touched);
        let (tcp, udp, closed) = (oldest(Kind::Tcp), oldest(Kind::Udp), oldest(Kind::Closed));
        let slot = match closed {
            NONE if touched(tcp) <= touched(udp) => tcp,
            NONE => udp,
            slot => slot,
        };
        if closed == NONE {
            self.notes.add("flow-evicted", Some(at.frame));
        }
        self.end(handler, slot, Close::Evicted);
    }

    /// Closes a flow, unless it is closed, and forgets it, unless late segments are to be expected.
    /// Answers `None`: the slot is not to be used.
    fn end(&mut self, handler: &mut H, slot: u32, why: Close) -> Option<u32> {
        let entry = self.slots.at_mut(slot)?;
        let Entry { info, state, tcp, .. } = entry;
        if let Some(mut state) = state.take() {
            if let Some(tcp) = tcp {
                let at = info.last;
                tcp.flush(&mut Sink { handler, state: &mut state, info, notes: &mut self.notes, at });
            }
            info.closed = Some(why);
            handler.close(state, info, why);
        }
        self.held -= std::mem::take(&mut entry.held);
        let (pair, list) = (entry.pair, entry.kind as usize);
        if matches!(why, Close::Fin | Close::Reset) {
            entry.kind = Kind::Closed;
            self.lists[list].remove(&mut self.slots, slot);
            self.lists[Kind::Closed as usize].push(&mut self.slots, slot);
            return None;
        }
        self.lists[list].remove(&mut self.slots, slot);
        self.index.remove(&pair);
        self.slots.clear(slot);
        None
    }
}

/// The flow was idle for too long before this packet.
struct Idle;
