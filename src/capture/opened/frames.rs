//! Frames that carry a session: TCP or UDP over IP, as if it had been recorded where it was read.

use super::{Made, Said, Session};
use crate::capture::LinkType;
use crate::model::{Endpoint, PerSide, Side, Timestamp};
use std::net::IpAddr;

/// Payload of one frame. An IP datagram may hold little more.
const PIECE: usize = 60_000;

/// The largest hole that sequence numbers can tell from bytes of the past.
const HOLE: u64 = 1 << 29;

const FIN: u8 = 1;
const SYN: u8 = 2;
const ACK: u8 = 16;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// The frames of a session, with the number of its entry.
pub(super) fn of(entry: u64, session: Session) -> Vec<Made> {
    let Some(first) = session.said.first() else { return Vec::new() };
    let mut line = Line {
        entry,
        now: first.time,
        link: if session.opened.is_some() { LinkType::OPENED } else { LinkType::RAW },
        ends: PerSide { client: session.client, server: session.server },
        next: PerSide::default(),
        made: Vec::new(),
    };
    if session.datagrams {
        session.said.iter().for_each(|said| line.datagram(said));
        return line.made;
    }
    line.segment(Side::Client, SYN, &[]);
    line.segment(Side::Server, SYN | ACK, &[]);
    if let Some(opened) = &session.opened {
        let mut head = serde_json::to_vec(opened).unwrap_or_default();
        head.push(b'\n');
        line.segment(Side::Client, ACK, &head);
    }
    session.said.iter().for_each(|said| line.say(said));
    line.segment(Side::Client, FIN | ACK, &[]);
    line.segment(Side::Server, FIN | ACK, &[]);
    line.segment(Side::Client, ACK, &[]);
    line.made
}

struct Line {
    entry: u64,
    /// Time of the frame being made. It never goes back, whatever the entry says, so that the order stays.
    now: Timestamp,
    link: LinkType,
    ends: PerSide<Endpoint>,
    /// The next sequence number of each side.
    next: PerSide<u32>,
    made: Vec<Made>,
}

impl Line {
    fn say(&mut self, said: &Said) {
        self.now = self.now.max(said.time);
        for piece in said.bytes.chunks(PIECE) {
            self.segment(said.side, ACK, piece);
        }
        if said.lost > 0 {
            // What was not kept is a hole that the other side acknowledges.
            self.next[said.side] = self.next[said.side].wrapping_add(said.lost.min(HOLE) as u32);
            self.segment(said.side.other(), ACK, &[]);
        }
    }

    fn segment(&mut self, side: Side, flags: u8, payload: &[u8]) {
        let (seq, ack) = (self.next[side], self.next[side.other()]);
        let control = u32::from(flags & (SYN | FIN) != 0);
        self.next[side] = seq.wrapping_add(payload.len() as u32 + control);
        let head = header(self.ends, side, seq, ack, flags);
        self.push(side, TCP, &[head.as_slice(), payload].concat());
    }

    fn datagram(&mut self, said: &Said) {
        self.now = self.now.max(said.time);
        let payload = said.bytes.get(..PIECE.min(said.bytes.len())).unwrap_or_default();
        let (from, to) = (self.ends[said.side], self.ends[said.side.other()]);
        let mut bytes = [from.port.to_be_bytes(), to.port.to_be_bytes()].concat();
        bytes.extend((payload.len() as u16 + 8).to_be_bytes());
        bytes.extend([0; 2]);
        bytes.extend(payload);
        self.push(said.side, UDP, &bytes);
    }

    /// Puts an IP header before `bytes`.
    fn push(&mut self, side: Side, protocol: u8, bytes: &[u8]) {
        let (from, to) = (self.ends[side].ip, self.ends[side.other()].ip);
        let mut frame = match (from, to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let mut head = vec![0x45, 0];
                head.extend((bytes.len() as u16 + 20).to_be_bytes());
                head.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
                head.extend([from.octets(), to.octets()].concat());
                head
            }
            _ => {
                let wide = |ip: IpAddr| match ip {
                    IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                    IpAddr::V6(ip) => ip.octets(),
                };
                let mut head = vec![0x60, 0, 0, 0];
                head.extend((bytes.len() as u16).to_be_bytes());
                head.extend([protocol, 64]);
                head.extend([wide(from), wide(to)].concat());
                head
            }
        };
        frame.extend_from_slice(bytes);
        self.made.push(Made { time: self.now, entry: self.entry, link: self.link, bytes: frame });
    }
}

/// A TCP header without options (RFC 9293 section 3.1); nobody checks its checksum.
fn header(ends: PerSide<Endpoint>, side: Side, seq: u32, ack: u32, flags: u8) -> Vec<u8> {
    let mut head = [ends[side].port.to_be_bytes(), ends[side.other()].port.to_be_bytes()].concat();
    head.extend([seq.to_be_bytes(), ack.to_be_bytes()].concat());
    head.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    head
}
