//! RTP and RTCP (RFC 3550): the media of calls, in clear or as SRTP. What protects a stream is decided by
//! tags where keys are known, by the look of the payloads, and by what the ends signalled.

mod codec;
mod keyring;
mod rtcp;
mod stream;
#[cfg(test)]
mod tests;
mod text;

use crate::keys::srtp::{Packet, Session};
use crate::model::Side;
use crate::peel::{Eats, Family, Form, Guard, Guess, Input, Out, Peeler, Probe, Spec, Step};
use keyring::{Candidate, candidates};
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
    facts: &["rtcp.bye", "rtcp.sealed", "rtcp.opened"],
    notes: &[],
    open: || Box::new(Rtcp::default()),
};

/// Streams of one flow that are followed.
const STREAMS: usize = 64;
/// Packets of the same stream that must have come before one is taken for media.
const TELLING: usize = 2;

/// One packet is like noise; three of the same source whose numbers lie close together are not. A network
/// swaps packets, and a recording at two places holds each of them twice.
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
        if first >> 6 != 2 || !(-16..=16).contains(&step.cast_signed()) || (200..=207).contains(second) {
            return Guess::No;
        }
        number = number.wrapping_sub(step);
        alike += usize::from(step != 0);
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

/// Trials of keys at hand on control packets.
const TRIED: u32 = 256;

/// Control packets of one flow.
#[derive(Default)]
struct Rtcp {
    told: bool,
    tried: u32,
    /// Keys that opened a packet, and how the signalling that shows them was guarded.
    opened: Vec<(Session, Option<Guard>)>,
}

impl Peeler for Rtcp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if rtcp::is_compound(input.bytes) {
            rtcp::read(input.side, input.bytes, Guard::Open, out);
        } else if let Some((plain, shown)) = self.open(input.bytes, out) {
            if let Some(guard) = shown {
                rtcp::read(input.side, &plain, guard, out);
            }
        } else {
            if !self.told {
                self.told = true;
                out.fact("rtcp.sealed", true);
            }
            // The first report's header is readable.
            let len = input.bytes.len().saturating_sub(8) as u64;
            out.declare_sealed(len);
        }
        Step::again(input.bytes.len())
    }
}

impl Rtcp {
    /// A compound packet in clear, if a key at hand opens it; the tag decides.
    fn open(&mut self, bytes: &[u8], out: &mut Out<'_, '_>) -> Option<(Vec<u8>, Option<Guard>)> {
        let again = |(s, shown): &(Session, Option<Guard>)| Some((s.open_control(bytes)?, *shown));
        if let Some(found) = self.opened.iter().find_map(again) {
            return Some(found);
        }
        // Each end has a key of its own.
        if self.tried >= TRIED || self.opened.len() >= 2 * STREAMS {
            return None;
        }
        for Candidate { session, shown, agreed } in candidates(out) {
            self.tried += 1;
            if let Some(plain) = session.open_control(bytes) {
                out.fact("rtcp.opened", agreed);
                self.opened.push((session, shown));
                return Some((plain, shown));
            }
        }
        None
    }
}
