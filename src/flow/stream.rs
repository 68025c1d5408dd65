//! One direction of a TCP connection: from segments in capture order to bytes in stream order.

use super::segment::{TcpFlags, TcpSegment};
use super::sink::Sink;
use super::tail::Tail;
use super::waiting::{Body, Copies, Piece, Waiting};
use super::{Handler, PATIENCE, SETTLE};
use crate::model::{Arrival, Side};

/// Position of the first byte of every stream; not zero, so that bytes before it have a position.
pub(super) const ORIGIN: u64 = 1 << 32;

/// How far a segment may lie before the first one seen and still belong to the start.
const NEAR: u64 = 1 << 16;

/// Largest window TCP can have (RFC 7323 section 2.3): nothing valid is further away.
const WINDOW: u64 = 1 << 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing sets the position yet.
    Unknown,
    /// Mid-stream: the first payload waits for swapped neighbours, this many more packets.
    Settling(u8),
    /// Bytes flow.
    Running,
    /// The FIN was reached.
    Ended,
}

/// The state of one direction.
#[derive(Debug)]
pub(super) struct Stream {
    side: Side,
    pub(super) phase: Phase,
    /// Position of the next byte to hand on, and its sequence number.
    next: u64,
    seq: u32,
    /// Position of the first byte ever.
    base: u64,
    pub(super) isn: Option<u32>,
    /// First and highest acknowledgement by the peer.
    acks: Option<(u32, u32)>,
    /// Position behind the last byte, once a FIN said so.
    fin: Option<u64>,
    waiting: Option<Box<Waiting>>,
    /// Packets that passed since the hole at `next` was acknowledged.
    stalled: u8,
    tail: Tail,
}

impl Stream {
    pub(super) fn new(side: Side) -> Self {
        Self {
            side,
            phase: Phase::Unknown,
            next: ORIGIN,
            seq: 0,
            base: ORIGIN,
            isn: None,
            acks: None,
            fin: None,
            waiting: None,
            stalled: 0,
            tail: Tail::default(),
        }
    }

    /// Takes one segment of this side.
    pub(super) fn accept<H: Handler>(&mut self, segment: &TcpSegment<'_>, sink: &mut Sink<'_, H>) {
        if segment.flags.has(TcpFlags::SYN) {
            self.start(segment.seq, sink);
        }
        if !segment.says_something() {
            return;
        }
        if self.phase == Phase::Unknown {
            self.seq = segment.payload_seq();
            self.phase = Phase::Settling(SETTLE + 1);
        }
        let Some(at) = self.position(segment.payload_seq()) else {
            return sink.note("tcp-out-of-window");
        };
        let plain = segment.missing == 0 && !segment.flags.has(TcpFlags::FIN);
        if plain && at == self.next && !self.is_pending() && self.phase == Phase::Running {
            return self.hand_on(segment.payload, sink.at, sink);
        }
        self.place(at, segment, sink);
    }

    /// Remembers what the peer acknowledged.
    pub(super) fn acknowledge(&mut self, ack: u32) {
        match &mut self.acks {
            None => self.acks = Some((ack, ack)),
            Some((_, high)) if (ack.wrapping_sub(*high) as i32) > 0 => *high = ack,
            Some(_) => {}
        }
    }

    /// The peer's SYN-ACK says where this side begins, if its SYN was not seen.
    pub(super) fn expect(&mut self, ack: u32) {
        if self.phase == Phase::Unknown {
            self.seq = ack;
            self.phase = Phase::Running;
        }
    }

    /// True if something waits: bytes beyond a hole, or a FIN that is not reached.
    pub(super) fn is_pending(&self) -> bool {
        self.waiting.is_some() || (self.fin.is_some() && self.phase != Phase::Ended)
    }

    /// Called once for each packet of the flow: gives up an acknowledged hole after a while.
    pub(super) fn wait<H: Handler>(&mut self, sink: &mut Sink<'_, H>) {
        if !self.is_pending() || matches!(self.phase, Phase::Settling(_)) {
            return;
        }
        self.drain(sink);
        let Some(target) = self.waiting.as_ref().and_then(|w| w.first()).or(self.fin) else { return };
        if target <= self.next || !self.is_acked(target) {
            return;
        }
        self.stalled = self.stalled.saturating_add(1);
        if self.stalled > PATIENCE {
            self.give_up_hole(sink);
        }
    }

    /// Bytes allocated for waiting pieces.
    pub(super) fn held(&self) -> usize {
        self.waiting.as_ref().map_or(0, |w| w.held())
    }

    /// Declares the first hole a gap and hands on what waited behind it.
    pub(super) fn give_up_hole<H: Handler>(&mut self, sink: &mut Sink<'_, H>) {
        self.settle(sink);
        let first = self.waiting.as_ref().and_then(|w| w.first());
        if let Some(target) = first.or(self.fin)
            && target > self.next
        {
            self.gap(target - self.next, sink);
        }
        if let Some((start, piece)) = self.waiting.as_mut().and_then(|w| w.pop()) {
            self.emit(start, piece, sink);
        }
        self.drain(sink);
    }

    /// Hands on everything that waits, with gaps for the holes.
    pub(super) fn flush<H: Handler>(&mut self, sink: &mut Sink<'_, H>) {
        self.settle(sink);
        while self.is_pending() {
            self.give_up_hole(sink);
        }
    }

    /// Ends the hold-back of a mid-stream start: the stream begins at the first byte seen.
    pub(super) fn settle<H: Handler>(&mut self, sink: &mut Sink<'_, H>) {
        if matches!(self.phase, Phase::Settling(_)) {
            let first = self.waiting.as_ref().and_then(|w| w.first());
            self.begin(first.unwrap_or(self.next), sink);
        }
    }

    /// Bytes the peer acknowledged beyond what is known of this side.
    pub(super) fn unseen(&self) -> u64 {
        let Some((first, high)) = self.acks else { return 0 };
        let ahead = match self.phase {
            Phase::Unknown => high.wrapping_sub(first),
            Phase::Ended => high.wrapping_sub(self.seq).wrapping_sub(1),
            _ => high.wrapping_sub(self.seq),
        };
        u64::try_from(ahead as i32).unwrap_or(0)
    }

    /// Position of a sequence number, unless no window reaches it.
    pub(super) fn position(&self, seq: u32) -> Option<u64> {
        let delta = i64::from(seq.wrapping_sub(self.seq) as i32);
        if delta.unsigned_abs() >= WINDOW {
            return None;
        }
        self.next.checked_add_signed(delta)
    }

    /// True if a SYN with this number is, or may be, the one that began this stream.
    pub(super) fn began_with(&self, isn: u32) -> bool {
        let first = self.position(isn.wrapping_add(1));
        match (self.isn, self.phase) {
            (Some(known), _) => known == isn,
            (None, Phase::Unknown) => true,
            (None, Phase::Settling(_)) => first.is_some_and(|p| p <= self.next && self.next - p <= NEAR),
            (None, _) => first == Some(self.base),
        }
    }

    /// Position from which a segment can still matter, and the furthest one heard of.
    pub(super) fn span(&self) -> (u64, u64) {
        let acked = self.acks.and_then(|(_, high)| self.position(high)).unwrap_or(self.next);
        let waiting = self.waiting.as_ref().and_then(|w| w.end()).unwrap_or(0);
        let end = self.next.max(waiting).max(self.fin.unwrap_or(0)).max(acked);
        (self.next.min(acked), end)
    }

    /// The highest acknowledgement by the peer.
    pub(super) fn acked(&self) -> Option<u32> {
        self.acks.map(|(_, high)| high)
    }

    /// A SYN: the stream begins behind it.
    fn start<H: Handler>(&mut self, isn: u32, sink: &mut Sink<'_, H>) {
        self.isn = Some(isn);
        match self.phase {
            Phase::Unknown => {
                self.seq = isn.wrapping_add(1);
                self.phase = Phase::Running;
            }
            Phase::Settling(_) => {
                let first = self.position(isn.wrapping_add(1)).unwrap_or(self.next);
                self.begin(first, sink);
            }
            Phase::Running | Phase::Ended => {}
        }
    }

    fn begin<H: Handler>(&mut self, first: u64, sink: &mut Sink<'_, H>) {
        self.phase = Phase::Running;
        self.seq = self.seq.wrapping_add(first.wrapping_sub(self.next) as u32);
        self.next = first;
        self.base = first;
        self.drain(sink);
    }

    /// The careful path: anything but plain in-order bytes.
    fn place<H: Handler>(&mut self, mut at: u64, segment: &TcpSegment<'_>, sink: &mut Sink<'_, H>) {
        let mut payload = segment.payload;
        let mut missing = u64::from(segment.missing);
        let end = at + payload.len() as u64 + missing;
        if let Some(fin) = self.fin
            && end > fin
        {
            sink.note("tcp-data-after-fin");
            payload = front(payload, fin.saturating_sub(at));
            missing = missing.min(fin.saturating_sub(at + payload.len() as u64));
        } else if segment.flags.has(TcpFlags::FIN) {
            self.finish_at(end, sink);
        }
        if let Phase::Settling(left) = self.phase {
            if at.abs_diff(self.next) <= NEAR {
                self.keep(at, payload, missing, sink);
                self.phase = Phase::Settling(left.saturating_sub(1));
                return if left <= 1 {
                    self.settle(sink)
                };
            }
            self.settle(sink);
        }
        if at < self.next {
            let old = (self.next - at).min(payload.len() as u64);
            let until = at + payload.len() as u64 + missing;
            self.repeat(at, front(payload, old), payload.len(), sink);
            payload = payload.get(old as usize..).unwrap_or(&[]);
            if payload.is_empty() {
                missing = until.saturating_sub(self.next);
            }
            at = self.next;
        }
        self.pass_cuts(at, sink);
        let first = self.waiting.as_ref().and_then(|w| w.first());
        if at == self.next && first.is_none_or(|first| first >= at + payload.len() as u64) {
            self.hand_on(payload, sink.at, sink);
            at = self.next;
            payload = &[];
        }
        self.keep(at, payload, missing, sink);
        self.drain(sink);
    }

    /// A FIN whose data end at `end`.
    fn finish_at<H: Handler>(&mut self, end: u64, sink: &mut Sink<'_, H>) {
        let waiting = self.waiting.as_ref().and_then(|w| w.end()).unwrap_or(0);
        let settling = matches!(self.phase, Phase::Settling(_));
        if waiting > end || (end < self.next && !settling) {
            return sink.note("tcp-fin-inside");
        }
        self.fin.get_or_insert(end);
    }

    /// Puts bytes, and the cut behind them, among those that wait.
    fn keep<H: Handler>(&mut self, at: u64, payload: &[u8], missing: u64, sink: &mut Sink<'_, H>) {
        if payload.is_empty() && missing == 0 {
            return;
        }
        let waiting = self.waiting.get_or_insert_default();
        if waiting.insert(at, payload, sink.at) == Copies::Differ {
            sink.note("tcp-overlap-differs");
        }
        waiting.insert_cut(at + payload.len() as u64, missing, sink.at);
    }

    /// Bytes that were handed on before, or that lie before the start; `whole` is the length of the
    /// segment they come from.
    fn repeat<H: Handler>(&mut self, at: u64, old: &[u8], whole: usize, sink: &mut Sink<'_, H>) {
        // A keep-alive probe repeats the last sequence number with any byte (RFC 1122 section 4.2.3.6).
        if whole <= 1 && at + 1 == self.next {
            return;
        }
        if at < self.base && !old.is_empty() {
            sink.note("tcp-before-start");
        }
        if self.tail.differs((self.next - at) as usize, old) {
            sink.note("tcp-overlap-differs");
        }
    }

    /// Gives up cuts at the head that a segment at `at` lies beyond.
    fn pass_cuts<H: Handler>(&mut self, at: u64, sink: &mut Sink<'_, H>) {
        while let Some((start, end)) = self.waiting.as_ref().and_then(|w| w.first_cut())
            && start <= self.next
            && end <= at
        {
            let Some((start, piece)) = self.waiting.as_mut().and_then(|w| w.pop()) else { return };
            self.emit(start, piece, sink);
        }
        self.drop_empty();
    }

    /// Hands on what is no longer behind a hole, and ends the stream at its FIN.
    fn drain<H: Handler>(&mut self, sink: &mut Sink<'_, H>) {
        while let Some(waiting) = &mut self.waiting {
            if waiting.first().is_none_or(|first| first > self.next) {
                break;
            }
            let alone = waiting.len() == 1 && self.fin.is_none();
            if let Some((_, end)) = waiting.first_cut()
                && alone
                && !self.is_acked(end)
            {
                break;
            }
            let Some((start, piece)) = self.waiting.as_mut().and_then(|w| w.pop()) else { break };
            self.emit(start, piece, sink);
        }
        self.drop_empty();
        if self.phase == Phase::Running && self.fin.is_some_and(|fin| fin <= self.next) {
            self.phase = Phase::Ended;
            self.waiting = None;
            sink.end(self.side);
        }
    }

    fn drop_empty(&mut self) {
        if self.waiting.as_ref().is_some_and(|w| w.is_empty()) {
            self.waiting = None;
        }
    }

    fn emit<H: Handler>(&mut self, start: u64, piece: Piece, sink: &mut Sink<'_, H>) {
        let old = self.next.saturating_sub(start);
        match piece.body {
            Body::Data(bytes) => self.hand_on(bytes.get(old as usize..).unwrap_or(&[]), piece.at, sink),
            Body::Cut(len) => self.gap(len.saturating_sub(old), sink),
        }
    }

    fn hand_on<H: Handler>(&mut self, bytes: &[u8], at: Arrival, sink: &mut Sink<'_, H>) {
        if bytes.is_empty() {
            return;
        }
        self.advance(bytes.len() as u64);
        self.tail.push(bytes);
        sink.data(self.side, bytes, at);
    }

    fn gap<H: Handler>(&mut self, len: u64, sink: &mut Sink<'_, H>) {
        if len == 0 {
            return;
        }
        self.advance(len);
        self.tail = Tail::default();
        sink.gap(self.side, len);
    }

    fn advance(&mut self, len: u64) {
        self.next += len;
        self.seq = self.seq.wrapping_add(len as u32);
        self.stalled = 0;
    }

    fn is_acked(&self, position: u64) -> bool {
        let Some((_, high)) = self.acks else { return false };
        let ahead = i64::from(high.wrapping_sub(self.seq) as i32);
        u64::try_from(ahead).is_ok_and(|ahead| self.next + ahead >= position)
    }
}

/// The first `len` bytes, or all if there are fewer.
fn front(bytes: &[u8], len: u64) -> &[u8] {
    bytes.get(..len.min(bytes.len() as u64) as usize).unwrap_or(bytes)
}
