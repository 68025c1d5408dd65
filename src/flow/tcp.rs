//! Both directions of a TCP connection: what belongs to it, and when it is over.

use super::segment::{TcpFlags, TcpSegment};
use super::sink::Sink;
use super::stream::{Phase, Stream};
use super::{Close, Handler};
use crate::model::{PerSide, Side};

/// How far beyond what is known of a stream a RST is believed, and how far from the end of a closed
/// one a segment still counts as late.
const REACH: u64 = 1 << 20;

/// Whether a segment is part of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is.
    Belongs,
    /// It comes after the close and says nothing new that could be handed on.
    Late,
    /// It begins another connection between the same endpoints.
    Anew,
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Tcp {
    streams: PerSide<Stream>,
}

impl Tcp {
    pub(super) fn new() -> Self {
        Self { streams: PerSide { client: Stream::new(Side::Client), server: Stream::new(Side::Server) } }
    }

    /// Takes one segment that belongs; answers why the connection is over, if it is.
    pub(super) fn accept<H: Handler>(
        &mut self,
        side: Side,
        segment: &TcpSegment<'_>,
        sink: &mut Sink<'_, H>,
    ) -> Option<Close> {
        if segment.flags.has(TcpFlags::RST) {
            return self.reset(side, segment, sink);
        }
        let peer = &mut self.streams[side.other()];
        peer.settle(sink);
        if segment.flags.has(TcpFlags::ACK) {
            peer.acknowledge(segment.ack);
        }
        if segment.flags.has(TcpFlags::SYN | TcpFlags::ACK) {
            peer.expect(segment.ack);
        }
        peer.wait(sink);
        let ours = &mut self.streams[side];
        ours.accept(segment, sink);
        ours.wait(sink);
        let over = Side::BOTH.iter().all(|side| self.streams[*side].phase == Phase::Ended);
        over.then_some(Close::Fin)
    }

    /// Whether a segment belongs to this connection while it lives.
    pub(super) fn fit(&self, side: Side, segment: &TcpSegment<'_>) -> Fit {
        if !segment.flags.has(TcpFlags::SYN) || segment.flags.has(TcpFlags::RST) {
            return Fit::Belongs;
        }
        let (ours, peer) = (&self.streams[side], &self.streams[side.other()]);
        let answers = match segment.flags.has(TcpFlags::ACK) {
            true => Self::follows(peer, segment.ack),
            // Without an acknowledgement it opens: nothing of the other side can be older, except
            // its own SYN (both opened at once, or the two SYNs swapped in the file).
            false => ours.phase != Phase::Unknown || peer.phase == Phase::Unknown || peer.isn.is_some(),
        };
        if answers && ours.began_with(segment.seq) { Fit::Belongs } else { Fit::Anew }
    }

    /// Whether a segment goes on where its side is: a clock that was set, or a long pause, ends no connection.
    pub(super) fn goes_on(&self, side: Side, segment: &TcpSegment<'_>) -> bool {
        let ours = &self.streams[side];
        if segment.flags.has(TcpFlags::SYN) || ours.phase == Phase::Unknown {
            return false;
        }
        let (low, high) = ours.span();
        ours.position(segment.seq).is_some_and(|p| p + 1 >= low && p <= high + REACH)
    }

    /// Whether a segment that comes after the close is a late one.
    pub(super) fn fit_closed(&self, side: Side, segment: &TcpSegment<'_>) -> Fit {
        let ours = &self.streams[side];
        if segment.flags.has(TcpFlags::RST) {
            return Fit::Late;
        }
        if segment.flags.has(TcpFlags::SYN) {
            return if ours.isn == Some(segment.seq) { Fit::Late } else { Fit::Anew };
        }
        if !segment.says_something() || ours.phase == Phase::Unknown {
            return Fit::Late;
        }
        let (_, end) = ours.span();
        let near = ours.position(segment.seq).is_some_and(|p| p.abs_diff(end) <= REACH);
        if near { Fit::Late } else { Fit::Anew }
    }

    /// True if a late segment carries bytes that were never handed on.
    pub(super) fn is_news(&self, side: Side, segment: &TcpSegment<'_>) -> bool {
        let ours = &self.streams[side];
        let end = segment.payload_seq().wrapping_add(segment.payload.len() as u32);
        let beyond = ours.phase == Phase::Unknown || ours.position(end).is_some_and(|p| p > ours.span().1);
        !segment.payload.is_empty() && beyond
    }

    /// Bytes allocated for segments that wait.
    pub(super) fn held(&self) -> usize {
        self.streams.client.held() + self.streams.server.held()
    }

    /// Gives up the first hole of the side that holds more.
    pub(super) fn relieve<H: Handler>(&mut self, sink: &mut Sink<'_, H>) {
        let side = if self.streams.client.held() >= self.streams.server.held() {
            Side::Client
        } else {
            Side::Server
        };
        self.streams[side].give_up_hole(sink);
    }

    /// Hands on all that waits.
    pub(super) fn flush<H: Handler>(&mut self, sink: &mut Sink<'_, H>) {
        for side in Side::BOTH {
            self.streams[side].flush(sink);
        }
        sink.info.unseen =
            PerSide { client: self.streams.client.unseen(), server: self.streams.server.unseen() };
    }

    /// A SYN-ACK follows the peer's SYN, or data in it (RFC 7413); without the SYN, the first bytes.
    fn follows(peer: &Stream, ack: u32) -> bool {
        match (peer.isn, peer.phase) {
            (Some(isn), _) => (1..=1 << 16).contains(&ack.wrapping_sub(isn)),
            (None, Phase::Unknown) => true,
            (None, _) => peer.began_with(ack.wrapping_sub(1)),
        }
    }

    fn reset<H: Handler>(
        &mut self,
        side: Side,
        segment: &TcpSegment<'_>,
        sink: &mut Sink<'_, H>,
    ) -> Option<Close> {
        if !self.reset_fits(side, segment) {
            sink.note("tcp-reset-ignored");
            return None;
        }
        Some(Close::Reset)
    }

    /// RFC 9293 section 3.5.3: a RST must lie in the receiver's window, or, in answer to a SYN,
    /// acknowledge it. The window is not tracked; what is known of the stream stands for it.
    fn reset_fits(&self, side: Side, segment: &TcpSegment<'_>) -> bool {
        let (ours, peer) = (&self.streams[side], &self.streams[side.other()]);
        if ours.phase != Phase::Unknown {
            let (low, high) = ours.span();
            return ours.position(segment.seq).is_some_and(|p| p >= low && p <= high + REACH);
        }
        if let Some(expected) = ours.acked() {
            return segment.seq == expected;
        }
        let (low, high) = peer.span();
        segment.flags.has(TcpFlags::ACK)
            && peer.phase != Phase::Unknown
            && peer.position(segment.ack).is_some_and(|p| p >= low && p <= high + 1)
    }
}
