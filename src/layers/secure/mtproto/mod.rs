//! MTProto 2.0 (core.telegram.org/mtproto), the protection between Telegram's clients and its servers: a
//! transport with or without obfuscation, packets under a long-lived key whose identifier everybody sees,
//! and TL inside. The server holds the same key, so what it opens is what the provider reads.

mod crypto;
mod fake_tls;
mod framing;
mod obfuscated;
mod packet;
mod probe;
#[cfg(test)]
mod tests;

use super::hello;
use crate::model::{Bucket, Side};
use crate::peel::{AfterGap, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use framing::{Frame, Transport, frame};
use packet::Packets;

/// Packets on a stream.
pub static STREAM: Spec = Spec {
    name: "mtproto",
    title: "MTProto 2.0 (core.telegram.org/mtproto)",
    family: Family::Secure,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_: &Hint| false,
    shapes: &[],
    probe: Some(probe::stream),
    facts: FACTS,
    notes: NOTES,
    open: || Box::new(Mtproto::default()),
};

/// One packet in a message: the HTTP transport.
pub static PACKET: Spec = Spec {
    name: "mtproto-http",
    title: "MTProto 2.0 packets in HTTP bodies",
    family: Family::Secure,
    eats: Eats::Message,
    forms: &[Form::Binary],
    answers: |_: &Hint| false,
    shapes: &[],
    probe: Some(probe::packet),
    facts: FACTS,
    notes: NOTES,
    open: || Box::new(Single::default()),
};

pub use fake_tls::SPEC as FAKE_TLS;

/// The obfuscation around a stream.
pub static OBFUSCATED: Spec = Spec {
    name: "mtproto-obfuscated",
    title: "MTProto transport obfuscation",
    family: Family::Secure,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_: &Hint| false,
    shapes: &[],
    probe: Some(begins),
    facts: &["mtproto.obfuscation", "mtproto.data_centre"],
    notes: &["mtproto-obfuscation-lost"],
    open: || Box::new(obfuscated::Obfuscated::default()),
};

const FACTS: &[&str] =
    &["mtproto.transport", "mtproto.auth_key_id", "mtproto.exchange", "mtproto.opened", "mtproto.error"];
const NOTES: &[&str] = &[
    "mtproto-packet-malformed",
    "mtproto-message-key-wrong",
    "mtproto-packet-limit",
    "mtproto-frame-malformed",
    "mtproto-checksum-wrong",
];

fn begins(p: &Probe<'_>) -> Guess {
    obfuscated::probe(p)
}

/// State of one connection.
#[derive(Default)]
struct Mtproto {
    transport: Option<Transport>,
    packets: Packets,
}

impl Peeler for Mtproto {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(transport) = self.transport else { return self.begin(&input, out) };
        let side = input.side;
        let (head, len, tail) = match frame(transport, side, input.bytes) {
            Frame::Short if input.end => return Step::skip(0, input.bytes.len() as u64, Bucket::Cut),
            Frame::Short => return Step::more(0, input.bytes.len() + 1),
            Frame::Wrong => return Step::die("mtproto-frame-malformed"),
            Frame::QuickAck if input.bytes.len() < 4 && !input.end => return Step::more(0, 4),
            Frame::QuickAck => return Step::again(4),
            Frame::Packet { head, len, tail } => (head, len, tail),
        };
        let total = head + len + tail;
        if let Some(step) = self.passed_over(&input, head, len, total, out) {
            return step;
        }
        let Some(whole) = input.bytes.get(..total) else {
            return match (input.end, total <= out.limits().buffer) {
                (true, _) => Step::skip(0, input.bytes.len() as u64, Bucket::Cut),
                (false, true) => Step::more(0, total),
                (false, false) => {
                    out.note("mtproto-packet-limit");
                    Step::skip(0, total as u64, Bucket::Cut)
                }
            };
        };
        if transport == Transport::Full && !framing::full_checks(whole) {
            out.note("mtproto-checksum-wrong");
        }
        let packet = whole.get(head..head + len).unwrap_or_default();
        self.packets.take(side, packet, padding(transport), out);
        Step::again(total)
    }

    fn gap(&mut self, _: Side, _: u64, _: &mut Out<'_, '_>) -> AfterGap {
        // Frames bear nothing by which the next one could be found.
        AfterGap::Die
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        self.packets.end(side, out);
    }
}

impl Mtproto {
    fn begin(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if input.side == Side::Server {
            return Step::die("mtproto-frame-malformed");
        }
        let magics = [Transport::Abridged, Transport::Intermediate, Transport::Padded];
        let named = magics.into_iter().find(|t| input.bytes.starts_with(t.magic()));
        let begun = magics.iter().any(|t| t.magic().starts_with(input.bytes));
        if named.is_none() && begun && !input.end {
            return Step::more(0, 4);
        }
        let transport = named.unwrap_or(Transport::Full);
        self.transport = Some(transport);
        out.fact("mtproto.transport", transport.name());
        match transport.magic().len() {
            // Nothing is consumed, so the first frame is read at once.
            0 => self.peel(*input, out),
            n => Step::again(n),
        }
    }

    /// A packet that nobody here can open is never shown, whatever its size.
    fn passed_over(
        &mut self,
        input: &Input<'_>,
        head: usize,
        len: usize,
        total: usize,
        out: &mut Out<'_, '_>,
    ) -> Option<Step> {
        let padding = self.transport.map_or(0, padding);
        if !packet::may_be_sealed(len, padding) {
            return None;
        }
        let Some(id) = input.bytes.get(head..head + 8) else {
            return (!input.end).then(|| Step::more(0, head + 8));
        };
        let id = <[u8; 8]>::try_from(id).ok().filter(|id| *id != [0; 8])?;
        if out.keys().messengers().mtproto(&id).is_some() {
            return None;
        }
        self.packets.unseen(input.side, id, total as u64, out);
        Some(Step::skip(0, total as u64, Bucket::Sealed))
    }
}

fn padding(transport: Transport) -> usize {
    if transport == Transport::Padded { 15 } else { 0 }
}

/// One packet and nothing else.
#[derive(Default)]
struct Single(Packets);

impl Peeler for Single {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        out.fact("mtproto.transport", "HTTP");
        self.0.take(input.side, input.bytes, 0, out);
        self.0.end(input.side, out);
        Step::again(input.bytes.len())
    }
}
