//! IPv4, IPv6 and what stands behind them: extension headers, fragments, tunnels, TCP and UDP.

use super::decoder::{Decoder, Frame};
use super::fragment::{Key, Piece};
use super::link::Next;
use super::tunnel;
use super::view::View;
use super::{Packet, Payload, Proto, TcpFlags};
use crate::model::Endpoint;
use etherparse::{
    IpAuthHeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice, LaxIpv4Slice,
    TcpSlice, UdpSlice,
};
use std::net::IpAddr;

/// Between whom, and how much of the payload was not captured.
#[derive(Clone, Copy)]
struct Ends {
    source: IpAddr,
    target: IpAddr,
    missing: usize,
}

impl Decoder {
    #[inline]
    pub(super) fn ip(&mut self, view: View<'_>, frame: Frame) -> Option<Packet> {
        match view.byte(0).map(|b| b >> 4) {
            Some(4) => self.ipv4(view, frame),
            Some(6) => self.ipv6(view, frame),
            _ => self.undecodable("ip-version-unknown", &frame),
        }
    }

    #[inline]
    fn ipv4(&mut self, view: View<'_>, frame: Frame) -> Option<Packet> {
        let Ok((ip, None)) = LaxIpv4Slice::from_slice(view.bytes) else {
            return self.undecodable("ip-header-malformed", &frame);
        };
        let header = ip.header();
        let payload = ip.payload();
        let Some(body) = view.part(payload.payload) else {
            return self.undecodable("ip-header-malformed", &frame);
        };
        let total = usize::from(header.total_len());
        let missing = match total {
            // Left to the network card (TSO): the frame's length is all there is.
            n if n < header.slice().len() => frame.cut,
            n => n.saturating_sub(view.bytes.len()).min(frame.cut),
        };
        let ends =
            Ends { source: header.source_addr().into(), target: header.destination_addr().into(), missing };
        let proto = payload.ip_number.0;
        if !payload.fragmented {
            return self.upper(proto, body, ends, frame);
        }
        let key = Key { source: ends.source, target: ends.target, id: header.identification().into(), proto };
        let offset = usize::from(header.fragments_offset().byte_offset());
        let piece = Piece { offset, last: !header.more_fragments(), proto, bytes: body.bytes };
        self.fragment(key, piece, ends, frame)
    }

    #[inline]
    fn ipv6(&mut self, view: View<'_>, frame: Frame) -> Option<Packet> {
        let Ok(header) = Ipv6HeaderSlice::from_slice(view.bytes) else {
            return self.undecodable("ip-header-malformed", &frame);
        };
        let rest = view.skip(40)?;
        let length = usize::from(header.payload_length());
        let (body, missing) = match length {
            // A jumbogram (RFC 2675), or left to the network card.
            0 => (rest, frame.cut),
            n => (rest.first(n), n.saturating_sub(rest.bytes.len()).min(frame.cut)),
        };
        let ends =
            Ends { source: header.source_addr().into(), target: header.destination_addr().into(), missing };
        self.upper(header.next_header().0, body, ends, frame)
    }

    /// Extension headers (RFC 8200 section 4), then the transport.
    #[inline]
    fn upper(&mut self, proto: u8, view: View<'_>, ends: Ends, frame: Frame) -> Option<Packet> {
        match proto {
            6 => self.tcp(view, ends, frame),
            17 => self.udp(view, ends, frame),
            132 => self.sctp(view, ends, frame),
            0 | 43 | 44 | 51 | 60 | 135 | 139 | 140 => self.extensions(proto, view, ends, frame),
            _ => self.inner(proto, view, ends, frame),
        }
    }

    fn extensions(&mut self, proto: u8, view: View<'_>, ends: Ends, mut frame: Frame) -> Option<Packet> {
        let (mut proto, mut view) = (proto, view);
        loop {
            frame.depth += 1;
            let (next, size) = match proto {
                0 | 43 | 60 | 135 | 139 | 140 => match Ipv6RawExtHeaderSlice::from_slice(view.bytes) {
                    Ok(h) => (h.next_header().0, h.slice().len()),
                    Err(_) => return self.undecodable("ip-header-malformed", &frame),
                },
                51 => match IpAuthHeaderSlice::from_slice(view.bytes) {
                    Ok(h) => (h.next_header().0, h.slice().len()),
                    Err(_) => return self.undecodable("ip-header-malformed", &frame),
                },
                44 => match Ipv6FragmentHeaderSlice::from_slice(view.bytes) {
                    Ok(h) if h.is_fragmenting_payload() => {
                        return self.fragment_v6(&h, view, ends, frame);
                    }
                    Ok(h) => (h.next_header().0, h.slice().len()),
                    Err(_) => return self.undecodable("ip-header-malformed", &frame),
                },
                6 => return self.tcp(view, ends, frame),
                17 => return self.udp(view, ends, frame),
                132 => return self.sctp(view, ends, frame),
                _ => return self.inner(proto, view, ends, frame),
            };
            proto = next;
            view = view.skip(size)?;
            if size == 0 {
                return self.undecodable("ip-header-malformed", &frame);
            }
        }
    }

    /// Tunnels straight over IP, and what is no transport of ours.
    fn inner(&mut self, proto: u8, view: View<'_>, ends: Ends, mut frame: Frame) -> Option<Packet> {
        frame.cut = ends.missing;
        let (next, rest) = match proto {
            4 | 41 => (Next::Ip, view),
            47 => match tunnel::gre(view) {
                Some(inner) => inner,
                None => return self.undecodable("gre-malformed", &frame),
            },
            // EtherIP (RFC 3378).
            97 => match view.skip(2) {
                Some(rest) => (Next::Ethernet, rest),
                None => return self.undecodable("etherip-malformed", &frame),
            },
            137 => (Next::Mpls, view),
            1 | 58 => {
                self.counters.icmp += 1;
                return None;
            }
            50 => {
                self.counters.esp += 1;
                self.note("esp-packets", 1, &frame);
                return None;
            }
            _ => {
                self.counters.other_ip += 1;
                return None;
            }
        };
        self.counters.tunnels += 1;
        self.walk(next, rest, frame)
    }

    fn fragment_v6(
        &mut self,
        h: &Ipv6FragmentHeaderSlice<'_>,
        view: View<'_>,
        ends: Ends,
        frame: Frame,
    ) -> Option<Packet> {
        let body = view.skip(h.slice().len())?;
        let key = Key { source: ends.source, target: ends.target, id: h.identification(), proto: 0 };
        let offset = usize::from(h.fragment_offset().byte_offset());
        let piece = Piece { offset, last: !h.more_fragments(), proto: h.next_header().0, bytes: body.bytes };
        self.fragment(key, piece, ends, frame)
    }

    fn fragment(&mut self, key: Key, piece: Piece<'_>, ends: Ends, frame: Frame) -> Option<Packet> {
        self.counters.fragments += 1;
        if ends.missing > 0 {
            // A hole in the middle cannot be told to the layers above; the flow sees a gap.
            return self.leave_out("ip-fragment-cut", &frame);
        }
        let outcome = self.assembly.add(key, piece, frame.at.time);
        for (code, count) in outcome.notes {
            self.note(code, count, &frame);
        }
        let (bytes, proto) = outcome.whole?;
        self.counters.reassembled += 1;
        let frame = Frame { owned: true, cut: 0, ..frame };
        self.upper(proto, View::whole(&bytes), ends, frame)
    }

    #[inline]
    fn tcp(&mut self, view: View<'_>, ends: Ends, frame: Frame) -> Option<Packet> {
        let Ok(tcp) = TcpSlice::from_slice(view.bytes) else {
            return self.tcp_cut(view, ends, frame);
        };
        let Some(body) = view.part(tcp.payload()) else {
            return self.undecodable("tcp-malformed", &frame);
        };
        let proto = Proto::Tcp {
            seq: tcp.sequence_number(),
            ack: tcp.acknowledgment_number(),
            flags: TcpFlags(tcp.header_slice().get(13).copied().unwrap_or(0)),
            window: tcp.window_size(),
        };
        self.counters.tcp += 1;
        Some(packet(ends, (tcp.source_port(), tcp.destination_port()), proto, body, ends.missing, frame))
    }

    /// A segment whose options were not captured: the fixed header is enough to know the gap.
    fn tcp_cut(&mut self, view: View<'_>, ends: Ends, frame: Frame) -> Option<Packet> {
        let parsed = (|| {
            let mut c = view.cursor();
            let ports = (c.u16()?, c.u16()?);
            let (seq, ack) = (c.u32()?, c.u32()?);
            let [offset, flags] = c.array()?;
            let window = c.u16()?;
            c.u32()?;
            let uncaptured = (usize::from(offset >> 4) * 4).checked_sub(view.bytes.len())?;
            let missing = ends.missing.checked_sub(uncaptured)?;
            Some((ports, Proto::Tcp { seq, ack, flags: TcpFlags(flags), window }, missing))
        })();
        let Some((ports, proto, missing)) = parsed else {
            return self.undecodable("tcp-malformed", &frame);
        };
        self.counters.tcp += 1;
        Some(packet(ends, ports, proto, view.skip(view.bytes.len())?, missing, frame))
    }

    #[inline]
    fn udp(&mut self, view: View<'_>, ends: Ends, frame: Frame) -> Option<Packet> {
        let Ok(udp) = UdpSlice::from_slice_lax(view.bytes) else {
            return self.undecodable("udp-malformed", &frame);
        };
        let Some(body) = view.part(udp.payload()) else {
            return self.undecodable("udp-malformed", &frame);
        };
        let missing = match usize::from(udp.length()).checked_sub(8) {
            Some(declared) => declared.saturating_sub(body.bytes.len()).min(ends.missing),
            None => ends.missing,
        };
        let ports = (udp.source_port(), udp.destination_port());
        if let Some((next, inner)) = tunnel::in_udp(ports, body, missing) {
            let before = self.counters.undecodable;
            let inside = self.walk(next, inner, Frame { cut: missing, ..frame });
            if inside.is_some() || self.counters.undecodable == before {
                self.counters.tunnels += 1;
                return inside;
            }
        }
        self.counters.udp += 1;
        Some(packet(ends, ports, Proto::Udp, body, missing, frame))
    }

    /// Chunks and their order are the layer's business: here only the ports are read.
    fn sctp(&mut self, view: View<'_>, ends: Ends, frame: Frame) -> Option<Packet> {
        let mut c = view.cursor();
        let (Some(source), Some(target)) = (c.u16(), c.u16()) else {
            return self.undecodable("sctp-cut", &frame);
        };
        self.counters.sctp += 1;
        Some(packet(ends, (source, target), Proto::Sctp, view, ends.missing, frame))
    }
}

#[inline]
fn packet(
    ends: Ends,
    ports: (u16, u16),
    proto: Proto,
    body: View<'_>,
    missing: usize,
    frame: Frame,
) -> Packet {
    let payload = match frame.owned {
        true => Payload::Owned(body.bytes.into()),
        false => Payload::Frame { start: body.at as u32, len: body.bytes.len() as u32 },
    };
    Packet {
        source: Endpoint { ip: ends.source, port: ports.0 },
        target: Endpoint { ip: ends.target, port: ports.1 },
        proto,
        payload,
        missing: u32::try_from(missing).unwrap_or(u32::MAX),
        app: None,
        opened: false,
    }
}
