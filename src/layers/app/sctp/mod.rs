//! SCTP (RFC 9260) in datagrams: over DTLS as WebRTC's data channels use it (RFC 8261), or over UDP (RFC 6951).
//! A passive reader: acknowledgements only tell which lost pieces will not come again.

mod channel;
mod order;
mod packet;
mod pieces;
#[cfg(test)]
mod tests;

use crate::model::{PerSide, Side};
use crate::peel::{Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use channel::Channels;
use order::{Next, Order};
use packet::{Checksum, Chunk, Data, Packet};
use pieces::Pieces;

/// The row.
pub static SPEC: Spec = Spec {
    name: "sctp",
    title: "SCTP and data channels (RFC 9260, RFC 8261, RFC 8831)",
    family: Family::App,
    eats: Eats::Datagram,
    forms: &[Form::Binary],
    // RFC 8833.
    answers: |h| matches!(h, Hint::Alpn(a) if a == "webrtc" || a == "c-webrtc"),
    shapes: &[],
    probe: Some(probe),
    facts: &[
        "sctp.ports",
        "sctp.checksum",
        "sctp.channel",
        "sctp.channel_type",
        "sctp.protocol",
        "sctp.payload",
        "sctp.ended",
    ],
    notes: &[
        "sctp-malformed",
        "sctp-checksum-wrong",
        "sctp-gap",
        "sctp-abandoned",
        "sctp-message-incomplete",
        "sctp-message-limit",
        "sctp-channel-malformed",
        "sctp-channel-limit",
        "sctp-association-limit",
    ],
    open: || Box::new(Sctp::default()),
};

/// Associations of one flow that are told apart. Over DTLS there is one.
const ASSOCIATIONS: usize = 8;
/// Senders of one association: two, and two more each time that it is begun anew.
const SENDERS: usize = 8;
/// A first number that lies further behind than this belongs to an earlier association.
const NEAR: u32 = 1 << 16;

/// An INIT always has its checksum (RFC 9653 section 5.2), so that an association begins with one that is right;
/// those after it may do without.
fn probe(p: &Probe<'_>) -> Guess {
    let Some(packet) = Packet::read(p.bytes) else { return Guess::No };
    match packet.checksum() {
        Checksum::Right => Guess::Sure,
        Checksum::Zero if p.known || p.stated => Guess::Sure,
        Checksum::Wrong if p.known || p.stated => Guess::Maybe,
        _ => Guess::No,
    }
}

/// What one end sends under one verification tag.
struct Sender {
    side: Side,
    tag: u32,
    order: Order,
    pieces: Pieces,
}

/// The ports of the client and the server, and what they say.
struct Association {
    ports: (u16, u16),
    /// Where each end's numbers begin, from its INIT or INIT ACK.
    initial: PerSide<Option<u32>>,
    senders: Vec<Sender>,
    channels: Channels,
    ended: bool,
}

#[derive(Default)]
struct Sctp {
    associations: Vec<Association>,
    unchecked: bool,
}

impl Peeler for Sctp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(packet) = Packet::read(input.bytes) else {
            out.note("sctp-malformed");
            return Step::again(0);
        };
        match packet.checksum() {
            Checksum::Right => {}
            Checksum::Wrong => out.note("sctp-checksum-wrong"),
            Checksum::Zero => {
                if !std::mem::replace(&mut self.unchecked, true) {
                    out.fact("sctp.checksum", "none");
                }
            }
        }
        let Some(association) = self.association(input.side, &packet, out) else { return Step::again(0) };
        for chunk in packet.chunks() {
            if association.chunk(input.side, packet.tag, &chunk, out).is_none() {
                out.note("sctp-malformed");
            }
        }
        Step::again(input.bytes.len())
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        for association in &mut self.associations {
            association.end(side, out);
        }
    }
}

impl Sctp {
    fn association(
        &mut self,
        side: Side,
        packet: &Packet<'_>,
        out: &mut Out<'_, '_>,
    ) -> Option<&mut Association> {
        let ports = match side {
            Side::Client => (packet.source, packet.target),
            Side::Server => (packet.target, packet.source),
        };
        if let Some(at) = self.associations.iter().position(|a| a.ports == ports) {
            return self.associations.get_mut(at);
        }
        if self.associations.len() >= ASSOCIATIONS {
            out.note("sctp-association-limit");
            return None;
        }
        out.fact("sctp.ports", format!("{}, {}", ports.0, ports.1));
        self.associations.push(Association {
            ports,
            initial: PerSide::default(),
            senders: Vec::new(),
            channels: Channels::default(),
            ended: false,
        });
        self.associations.last_mut()
    }
}

impl Association {
    /// `None` if the chunk is too short for what it is.
    fn chunk(&mut self, side: Side, tag: u32, chunk: &Chunk<'_>, out: &mut Out<'_, '_>) -> Option<()> {
        match chunk.kind {
            packet::INIT | packet::INIT_ACK => self.initial[side] = Some(packet::initial(chunk.body)?),
            packet::DATA | packet::I_DATA => self.data(side, tag, &Data::read(chunk)?, out),
            packet::SACK => self.acknowledged(side, packet::cumulative(chunk.body)?),
            packet::FORWARD_TSN | packet::I_FORWARD_TSN => {
                self.forward(side, tag, packet::cumulative(chunk.body)?, out);
            }
            packet::ABORT => self.ended("abort", out),
            packet::SHUTDOWN => {
                self.acknowledged(side, packet::cumulative(chunk.body)?);
                self.ended("shutdown", out);
            }
            // Heartbeats, cookies, errors, changes of addresses and streams say nothing of messages.
            _ => {}
        }
        Some(())
    }

    fn ended(&mut self, how: &'static str, out: &mut Out<'_, '_>) {
        if !std::mem::replace(&mut self.ended, true) {
            out.fact("sctp.ended", how);
        }
    }

    fn data(&mut self, side: Side, tag: u32, data: &Data<'_>, out: &mut Out<'_, '_>) {
        let mut told = Vec::new();
        let at = self.sender(side, tag, data.tsn, out);
        if let Some(sender) = self.senders.get_mut(at) {
            sender.order.add(data, out.limits().buffer, |next| told.push(next));
        }
        self.tell(at, told, "sctp-gap", out);
    }

    /// An acknowledgement concerns what the other end sends; of several tags the newest.
    fn acknowledged(&mut self, side: Side, tsn: u32) {
        if let Some(sender) = self.senders.iter_mut().rfind(|s| s.side == side.other()) {
            sender.order.acknowledge(tsn);
        }
    }

    fn forward(&mut self, side: Side, tag: u32, tsn: u32, out: &mut Out<'_, '_>) {
        let mut told = Vec::new();
        let Some(at) = self.senders.iter().position(|s| (s.side, s.tag) == (side, tag)) else { return };
        if let Some(sender) = self.senders.get_mut(at) {
            sender.order.forward(tsn, |next| told.push(next));
        }
        self.tell(at, told, "sctp-abandoned", out);
    }

    /// The place of who sends under that tag, which changes when an association is begun anew.
    fn sender(&mut self, side: Side, tag: u32, tsn: u32, out: &mut Out<'_, '_>) -> usize {
        if let Some(at) = self.senders.iter().position(|s| (s.side, s.tag) == (side, tag)) {
            return at;
        }
        if self.senders.len() >= SENDERS {
            self.finish(0, out);
            self.senders.remove(0);
        }
        let first = self.initial[side].filter(|first| tsn.wrapping_sub(*first) < NEAR).unwrap_or(tsn);
        self.senders.push(Sender { side, tag, order: Order::new(first), pieces: Pieces::default() });
        self.senders.len() - 1
    }

    /// Puts what came in order together and hands messages on.
    fn tell(&mut self, at: usize, told: Vec<Next>, missing: &'static str, out: &mut Out<'_, '_>) {
        let bound = out.limits().message;
        let Some(sender) = self.senders.get_mut(at) else { return };
        for next in told {
            match next {
                Next::Gap => {
                    out.note(missing);
                    sender.pieces.gap();
                }
                Next::Piece(piece) => {
                    if let Some(message) = sender.pieces.add(piece, bound) {
                        self.channels.message(sender.side, message, out);
                    }
                }
            }
            sender.pieces.lost().into_iter().for_each(|lost| Channels::cut(sender.side, lost, out));
        }
    }

    /// Nothing follows from that sender.
    fn finish(&mut self, at: usize, out: &mut Out<'_, '_>) {
        let mut told = Vec::new();
        if let Some(sender) = self.senders.get_mut(at) {
            sender.order.end(|next| told.push(next));
        }
        self.tell(at, told, "sctp-gap", out);
        if let Some(sender) = self.senders.get_mut(at) {
            sender.pieces.end();
            sender.pieces.lost().into_iter().for_each(|lost| Channels::cut(sender.side, lost, out));
        }
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        for at in 0..self.senders.len() {
            if self.senders.get(at).is_some_and(|s| s.side == side) {
                self.finish(at, out);
            }
        }
        self.channels.end(side, out);
    }
}
