//! Tests of the flow table, one file per concern, and the recorder they share.

mod life;
mod loss;
mod model;
mod order;
mod sides;

use super::{Close, Handler, Info, Known, Segment, Table, TcpFlags, TcpSegment};
use crate::model::{Arrival, Endpoint, FrameRef, Limits, Notes, Side, Timestamp};
use std::net::{IpAddr, Ipv4Addr};

pub(super) const SYN: TcpFlags = TcpFlags::SYN;
pub(super) const ACK: TcpFlags = TcpFlags::ACK;
pub(super) const FIN: TcpFlags = TcpFlags::FIN;
pub(super) const RST: TcpFlags = TcpFlags::RST;

/// What the handler was told, without the calls' arrivals except for bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    Open(u64),
    Data(Side, Vec<u8>, u64),
    Gap(Side, u64),
    Datagram(Side, Vec<u8>, u32),
    End(Side),
    Close(u64, Close),
}

#[derive(Default)]
pub(super) struct Recorder {
    pub(super) events: Vec<Event>,
    pub(super) closed: Vec<Info>,
}

impl Handler for Recorder {
    type State = u64;

    fn open(&mut self, info: &Info) -> u64 {
        self.events.push(Event::Open(info.id));
        info.id
    }

    fn data(&mut self, state: &mut u64, info: &Info, side: Side, bytes: &[u8], at: Arrival) {
        assert_eq!(*state, info.id);
        assert!(!bytes.is_empty());
        self.events.push(Event::Data(side, bytes.to_vec(), at.frame.frame));
    }

    fn gap(&mut self, _: &mut u64, _: &Info, side: Side, len: u64, _: Arrival) {
        assert!(len > 0);
        self.events.push(Event::Gap(side, len));
    }

    fn datagram(&mut self, _: &mut u64, _: &Info, side: Side, bytes: &[u8], missing: u32, _: Arrival) {
        self.events.push(Event::Datagram(side, bytes.to_vec(), missing));
    }

    fn end_side(&mut self, _: &mut u64, _: &Info, side: Side, _: Arrival) {
        self.events.push(Event::End(side));
    }

    fn close(&mut self, state: u64, info: &Info, why: Close) {
        assert_eq!(info.closed, Some(why));
        self.events.push(Event::Close(state, why));
        self.closed.push(info.clone());
    }
}

pub(super) fn end(host: u8, port: u16) -> Endpoint {
    Endpoint { ip: IpAddr::V4(Ipv4Addr::new(10, 0, 0, host)), port }
}

/// A table with its recorder, a clock that moves one millisecond a packet, and one pair of ends.
pub(super) struct Wire {
    pub(super) table: Table<Recorder>,
    pub(super) seen: Recorder,
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    pub(super) now: i64,
    pub(super) frame: u64,
}

impl Wire {
    pub(super) fn new() -> Self {
        Self::with(&Limits::default())
    }

    pub(super) fn with(limits: &Limits) -> Self {
        Self {
            table: Table::new(limits),
            seen: Recorder::default(),
            client: end(1, 50_000),
            server: end(2, 443),
            now: 1_700_000_000_000_000_000,
            frame: 0,
        }
    }

    /// After the handshake: the client's first byte has number 101, the server's 501.
    pub(super) fn opened() -> Self {
        let mut wire = Self::new();
        wire.handshake(100, 500);
        wire
    }

    pub(super) fn handshake(&mut self, client_isn: u32, server_isn: u32) {
        self.tcp(Side::Client, client_isn, 0, SYN, b"");
        self.tcp(Side::Server, server_isn, client_isn.wrapping_add(1), SYN | ACK, b"");
        self.tcp(Side::Client, client_isn.wrapping_add(1), server_isn.wrapping_add(1), ACK, b"");
    }

    pub(super) fn tcp(&mut self, side: Side, seq: u32, ack: u32, flags: TcpFlags, payload: &[u8]) {
        self.cut(side, seq, ack, flags, payload, 0);
    }

    pub(super) fn cut(
        &mut self,
        side: Side,
        seq: u32,
        ack: u32,
        flags: TcpFlags,
        payload: &[u8],
        missing: u32,
    ) {
        self.send(side, Segment::Tcp(TcpSegment { seq, ack, flags, payload, missing }));
    }

    pub(super) fn udp(&mut self, side: Side, payload: &[u8]) {
        self.send(side, Segment::Udp { payload, missing: 0 });
    }

    pub(super) fn send(&mut self, side: Side, segment: Segment<'_>) {
        self.now += 1_000_000;
        self.frame += 1;
        let at = Arrival { time: Timestamp(self.now), frame: FrameRef { input: 0, frame: self.frame } };
        let (source, target) = match side {
            Side::Client => (self.client, self.server),
            Side::Server => (self.server, self.client),
        };
        self.table.packet(&mut self.seen, source, target, segment, Known::default(), at);
    }

    /// Client bytes after [`Wire::opened`], from offset `from` of the stream.
    pub(super) fn says(&mut self, from: u32, payload: &[u8]) {
        self.tcp(Side::Client, 101 + from, 501, ACK, payload);
    }

    /// A bare acknowledgement by the server of `upto` client bytes.
    pub(super) fn acks(&mut self, upto: u32) {
        self.tcp(Side::Server, 501, 101 + upto, ACK, b"");
    }

    pub(super) fn finish(&mut self) -> Notes {
        self.table.finish(&mut self.seen);
        assert_eq!((self.table.flows(), self.table.held()), (0, 0));
        for info in &self.seen.closed {
            self.ledger(info);
        }
        self.table.notes()
    }

    /// Events that concern one side's stream, data joined to one string with `?` for lost bytes.
    pub(super) fn text(&self, side: Side) -> String {
        let mut text = String::new();
        for event in &self.seen.events {
            match event {
                Event::Data(s, bytes, _) if *s == side => text.push_str(&String::from_utf8_lossy(bytes)),
                Event::Gap(s, len) if *s == side => text.extend(std::iter::repeat_n('?', *len as usize)),
                Event::End(s) if *s == side => text.push('.'),
                _ => {}
            }
        }
        text
    }

    pub(super) fn opens(&self) -> usize {
        self.seen.events.iter().filter(|e| matches!(e, Event::Open(_))).count()
    }

    pub(super) fn closes(&self) -> Vec<Close> {
        self.seen.closed.iter().filter_map(|info| info.closed).collect()
    }

    /// What the calls delivered is what the flow's own figures say, when there is one flow.
    fn ledger(&self, info: &Info) {
        if self.opens() != 1 {
            return;
        }
        for side in Side::BOTH {
            let (mut data, mut gap) = (0, 0);
            for event in &self.seen.events {
                match event {
                    Event::Data(s, bytes, _) if *s == side => data += bytes.len() as u64,
                    Event::Datagram(s, bytes, _) if *s == side => data += bytes.len() as u64,
                    Event::Gap(s, len) if *s == side => gap += len,
                    _ => {}
                }
            }
            assert_eq!((info.delivered[side], info.lost[side]), (data, gap));
        }
    }
}

pub(super) fn count(notes: &Notes, code: &str) -> u64 {
    notes.0.get(code).map_or(0, |note| note.count)
}
