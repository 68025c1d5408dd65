//! RTP and RTCP (RFC 3550): the media of calls, in clear or as SRTP. What protects a stream is decided by
//! tags where keys are known, by the look of the payloads, and by what the ends signalled.

mod codec;
mod rtcp;
mod stream;
#[cfg(test)]
mod tests;

use crate::keys::srtp::Packet;
use crate::model::Side;
use crate::peel::{Eats, Family, Form, Guess, Input, Out, Peeler, Probe, Spec, Step};
use stream::Stream;

/// The row of media.
pub static MEDIA: Spec = Spec {
    name: "rtp",
    title: "RTP and SRTP (RFC 3550, RFC 3711)",
    family: Family::App,
    eats: Eats::Datagram,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &["rtp.codec", "rtp.source", "rtp.protection", "rtp.packets", "call.media"],
    notes: &["rtp-stream-limit", "srtp-bad-tag"],
    open: || Box::new(Rtp::default()),
};

/// The row of control packets.
pub static CONTROL: Spec = Spec {
    name: "rtcp",
    title: "RTCP and SRTCP (RFC 3550, RFC 3711)",
    family: Family::App,
    eats: Eats::Datagram,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(control_probe),
    facts: &["rtcp.bye", "rtcp.sealed"],
    notes: &[],
    open: || Box::new(Rtcp { told: false }),
};

/// Streams of one flow that are followed.
const STREAMS: usize = 64;
/// Packets of the same stream that must have come before one is taken for media.
const TELLING: usize = 2;

/// One packet is like noise; three of the same source whose numbers rise by little are not.
fn probe(p: &Probe<'_>) -> Guess {
    let Some(packet) = Packet::read(p.bytes).filter(|q| !q.payload().is_empty()) else { return Guess::No };
    if p.known {
        return Guess::Sure;
    }
    let mut number = packet.number;
    let mut alike = 0;
    for before in p.before.iter().rev().filter(|b| b.side == p.side) {
        let Some(head) = before.head.get(..before.len.min(16)).filter(|h| h.len() >= 12) else { continue };
        let source = head.get(8..12).map(|s| s == packet.source.to_be_bytes());
        let (Some(true), [first, second, high, low, ..]) = (source, head) else { continue };
        let step = number.wrapping_sub(u16::from_be_bytes([*high, *low]));
        if first >> 6 != 2 || !(1..=16).contains(&step) || (200..=207).contains(second) {
            return Guess::No;
        }
        number = number.wrapping_sub(step);
        alike += 1;
    }
    if alike >= TELLING { Guess::Sure } else { Guess::No }
}

fn control_probe(p: &Probe<'_>) -> Guess {
    let begins = matches!(p.bytes, [0x80..=0xbf, 200..=207, ..]);
    let fits = rtcp::is_compound(p.bytes) || rtcp::is_sealed(p.bytes) || p.known && begins;
    if fits { Guess::Sure } else { Guess::No }
}

/// The streams of one flow.
#[derive(Default)]
struct Rtp {
    streams: Vec<Stream>,
}

impl Peeler for Rtp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if let Some(packet) = Packet::read(input.bytes) {
            let known = self.streams.iter().position(|s| s.side == input.side && s.source == packet.source);
            let at = match known {
                Some(at) => at,
                None if self.streams.len() >= STREAMS => {
                    out.note("rtp-stream-limit");
                    return Step::again(input.bytes.len());
                }
                None => {
                    self.streams.push(Stream::new(input.side, &packet));
                    self.streams.len() - 1
                }
            };
            if let Some(stream) = self.streams.get_mut(at) {
                stream.packet(&packet, out);
            }
        }
        Step::again(input.bytes.len())
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        for stream in self.streams.iter_mut().filter(|s| s.side == side) {
            stream.end(out);
        }
    }
}

struct Rtcp {
    told: bool,
}

impl Peeler for Rtcp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if rtcp::is_compound(input.bytes) {
            rtcp::read(input.side, input.bytes, out);
        } else if !self.told {
            self.told = true;
            out.fact("rtcp.sealed", true);
        }
        Step::again(input.bytes.len())
    }
}
