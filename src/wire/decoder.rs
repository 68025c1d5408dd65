//! The decoder: takes headers off a frame until a TCP segment, a UDP datagram or an SCTP packet is left.

use super::app::Apps;
use super::fragment::Assembly;
use super::link::{self, Next, Other, Step};
use super::view::View;
use super::{App, Packet};
use crate::capture::LinkType;
use crate::model::{Arrival, Limits, Notes};

/// How many frames were what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames given to the decoder.
    pub frames: u64,
    /// TCP segments delivered.
    pub tcp: u64,
    /// UDP datagrams delivered.
    pub udp: u64,
    /// SCTP packets straight over IP delivered.
    pub sctp: u64,
    /// ARP and RARP, also inside tunnels.
    pub arp: u64,
    /// ICMP and ICMPv6.
    pub icmp: u64,
    /// Frames that carry something else than IP.
    pub not_ip: u64,
    /// IP packets of other protocols.
    pub other_ip: u64,
    /// IPsec ESP packets, whose content nobody here can read.
    pub esp: u64,
    /// Frames of a link type that is not understood.
    pub link_unsupported: u64,
    /// Frames with a header that is cut or contradicts itself.
    pub undecodable: u64,
    /// Frames that were left out for a noted reason (protected radio frames and the like).
    pub left_out: u64,
    /// IP fragments.
    pub fragments: u64,
    /// Datagrams put together from fragments.
    pub reassembled: u64,
    /// Tunnel headers taken off.
    pub tunnels: u64,
}

/// Decodes frames. It owns the fragments that wait for the rest of their datagram.
pub struct Decoder {
    pub(super) assembly: Assembly,
    pub(super) counters: Counters,
    apps: Apps,
    notes: Notes,
    deepest: u32,
}

/// What is the same for all headers of a frame.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub at: Arrival,
    /// Bytes of the frame that were not captured.
    pub cut: usize,
    /// The bytes were put together from several frames.
    pub owned: bool,
    /// Headers taken off so far.
    pub depth: u32,
}

impl Decoder {
    /// A decoder bounded by `limits`.
    pub fn new(limits: &Limits) -> Self {
        Self {
            assembly: Assembly::new(limits),
            counters: Counters::default(),
            apps: Apps::default(),
            notes: Notes::default(),
            // The decoder calls itself for tunnels; the stack sets the upper bound.
            deepest: limits.encapsulations.clamp(2, 64) as u32,
        }
    }

    /// Decodes one frame of which `original` bytes were on the wire. `None` is no error: the
    /// counters and notes say what the frame was.
    pub fn decode(&mut self, link: LinkType, data: &[u8], original: u32, at: Arrival) -> Option<Packet> {
        self.counters.frames += 1;
        let cut = (original as usize).saturating_sub(data.len());
        let frame = Frame { at, cut, owned: false, depth: 0 };
        let Some(next) = link::first(link) else {
            self.unsupported(link, &frame);
            return None;
        };
        let mut packet = self.walk(next, View::whole(data), frame)?;
        packet.app = self.app(link, data);
        packet.opened = link == LinkType::OPENED;
        Some(packet)
    }

    /// Takes the notes counted since the last call.
    pub fn notes(&mut self) -> Notes {
        std::mem::take(&mut self.notes)
    }

    /// Figures since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Fragmented datagrams that still wait for a part.
    pub fn incomplete(&self) -> u64 {
        self.assembly.incomplete()
    }

    #[inline]
    fn app(&mut self, link: LinkType, data: &[u8]) -> Option<App> {
        match link {
            LinkType::ETHERNET => self.apps.trailer(data),
            LinkType::PKTAP | LinkType::USER2 => self.apps.process(data),
            _ => None,
        }
    }

    /// Takes headers off until a transport packet is left.
    #[inline]
    pub(super) fn walk(&mut self, mut next: Next, mut view: View<'_>, mut frame: Frame) -> Option<Packet> {
        loop {
            frame.depth += 1;
            if frame.depth > self.deepest {
                return self.leave_out("encapsulations-limit", &frame);
            }
            if next == Next::Ip {
                return self.ip(view, frame);
            }
            match link::step(next, view) {
                Some(Step::Go(inner, rest)) => (next, view) = (inner, rest),
                Some(Step::Link(link, rest)) => match link::first(link) {
                    Some(inner) => (next, view) = (inner, rest),
                    None => {
                        self.unsupported(link, &frame);
                        return None;
                    }
                },
                Some(Step::Other(Other::Arp)) => {
                    self.counters.arp += 1;
                    return None;
                }
                Some(Step::Other(Other::NotIp)) => {
                    self.counters.not_ip += 1;
                    return None;
                }
                Some(Step::Note(code)) => return self.leave_out(code, &frame),
                None => return self.undecodable("link-header-malformed", &frame),
            }
        }
    }

    pub(super) fn note(&mut self, code: &str, count: u64, frame: &Frame) {
        self.notes.add_many(code, count, Some(frame.at.frame));
    }

    pub(super) fn undecodable(&mut self, code: &str, frame: &Frame) -> Option<Packet> {
        self.counters.undecodable += 1;
        self.note(code, 1, frame);
        None
    }

    pub(super) fn leave_out(&mut self, code: &str, frame: &Frame) -> Option<Packet> {
        self.counters.left_out += 1;
        self.note(code, 1, frame);
        None
    }

    fn unsupported(&mut self, link: LinkType, frame: &Frame) {
        self.counters.link_unsupported += 1;
        self.note(&format!("link-type-unsupported-{}", link.0), 1, frame);
    }
}
