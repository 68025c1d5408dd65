//! What a flow is looked up by, and which end of it is the client.

use super::segment::{Segment, TcpFlags};
use crate::model::{Endpoint, FlowKey, Transport};
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

/// Both endpoints in an order that does not depend on the direction, and the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    low: (u128, u16),
    high: (u128, u16),
    /// Transport and address families.
    kind: u8,
}

impl Pair {
    pub(super) fn new(source: Endpoint, target: Endpoint, transport: Transport) -> Self {
        let (a, a_v6) = number(source.ip);
        let (b, b_v6) = number(target.ip);
        let (a, b) = ((a, source.port, a_v6), (b, target.port, b_v6));
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        let kind = u8::from(low.2) | u8::from(high.2) << 1 | (transport as u8) << 2;
        Self { low: (low.0, low.1), high: (high.0, high.1), kind }
    }
}

impl Hash for Pair {
    /// One word for the ports and, for IPv4, one for both addresses: hashing is on the hot path.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ports = u64::from(self.low.1) << 24 | u64::from(self.high.1) << 8 | u64::from(self.kind);
        state.write_u64(ports);
        if self.kind & 3 == 0 {
            state.write_u64((self.low.0 as u64) << 32 | self.high.0 as u64);
        } else {
            self.low.0.hash(state);
            self.high.0.hash(state);
        }
    }
}

fn number(ip: IpAddr) -> (u128, bool) {
    match ip {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()), false),
        IpAddr::V6(ip) => (ip.to_bits(), true),
    }
}

/// Ports above 1023 on which servers of messaging and of its neighbourhood classically listen.
const SERVER_PORTS: [u16; 30] = [
    1080, 1194, 1883, 1900, 1935, 3128, 3478, 3479, 4433, 4500, 5060, 5061, 5222, 5223, 5228, 5269, 5280,
    5349, 5350, 5353, 6667, 6697, 8000, 8008, 8080, 8443, 8448, 8883, 9001, 51820,
];

fn serves(port: u16) -> bool {
    port < 1024 || SERVER_PORTS.contains(&port)
}

/// Where the type of an SCTP packet's first chunk stands, and the two that open an association, which stand alone
/// (RFC 9260 section 3.2, 6.10).
const CHUNK: usize = 12;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;

/// The flow's key, judged from its first packet: the client is the sender of a SYN or INIT or the receiver
/// of their acknowledgement; else the end that is not on a server's port; else, for TCP, the higher port; else
/// the sender.
pub(super) fn direct(source: Endpoint, target: Endpoint, segment: &Segment<'_>) -> FlowKey {
    let transport = transport_of(segment);
    let sender_serves = match segment {
        Segment::Tcp(s) if s.flags.has(TcpFlags::SYN) => s.flags.has(TcpFlags::ACK),
        Segment::Sctp { payload, .. } if matches!(payload.get(CHUNK), Some(&(INIT | INIT_ACK))) => {
            payload.get(CHUNK) == Some(&INIT_ACK)
        }
        _ => match (serves(source.port), serves(target.port)) {
            (true, false) => true,
            (false, true) => false,
            _ => transport == Transport::Tcp && source.port < target.port,
        },
    };
    match sender_serves {
        true => FlowKey { transport, client: target, server: source },
        false => FlowKey { transport, client: source, server: target },
    }
}

pub(super) fn transport_of(segment: &Segment<'_>) -> Transport {
    match segment {
        Segment::Tcp(_) => Transport::Tcp,
        Segment::Udp { .. } => Transport::Udp,
        Segment::Sctp { .. } => Transport::Sctp,
    }
}
