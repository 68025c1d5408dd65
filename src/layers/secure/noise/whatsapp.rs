//! Noise as WhatsApp and Messenger frame it: perhaps a routing hint, "WA" with versions, then frames with a
//! length of three bytes. The handshake is XX in three protobuf messages.

use super::handshake::{self, KEY};
use super::transport::Opener;
use crate::bytes::{Cursor, hex};
use crate::layers::protobuf;
use crate::model::{Bucket, PerSide, Side};
use crate::peel::{AfterGap, By, Child, End, Form, Guess, Hint, Input, Out, Peeler, Probe, Step, Why};

/// "WA" and two versions; also the prologue of the handshake.
const HEADER: usize = 4;
/// The routing hint's head: "ED", 0, 1 and a length.
const ROUTING: usize = 7;

/// Bytes of the routing hint, if there is one; `None` while that cannot be told.
fn routing(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(b"ED") {
        return (!bytes.is_empty() && bytes != b"E").then_some(0);
    }
    let mut c = Cursor::new(bytes);
    c.take(HEADER)?;
    Some(ROUTING + c.u24()? as usize)
}

/// The header, if these bytes are one: "WA" with small versions.
fn header(bytes: &[u8]) -> Option<[u8; HEADER]> {
    bytes.first_chunk::<HEADER>().copied().filter(|h| h.starts_with(b"WA") && h[2] < 16 && h[3] < 16)
}

/// The probe of the row.
pub fn probe(p: &Probe<'_>) -> Guess {
    let client = match p.side {
        Side::Client => p.bytes,
        Side::Server => p.other,
    };
    let patience = if p.end { Guess::No } else { Guess::More };
    if !(client.starts_with(b"WA") || client.starts_with(b"ED\0\x01")) {
        let begun = !client.is_empty() && (b"WA".starts_with(client) || b"ED\0\x01".starts_with(client));
        return if begun { patience } else { Guess::No };
    }
    let Some(start) = routing(client) else { return patience };
    if start > p.bytes.len().max(1024) {
        return Guess::No;
    }
    let rest = client.get(start..).unwrap_or_default();
    if rest.len() < HEADER + 3 + 4 {
        let fits = rest.len() < HEADER || header(rest).is_some();
        return if fits { patience } else { Guess::No };
    }
    let mut c = Cursor::new(rest.get(HEADER..).unwrap_or_default());
    let length = c.u24().unwrap_or_default() as usize;
    // A HandshakeMessage with a ClientHello that begins with an ephemeral key.
    let hello = matches!(c.rest(), [0x12, _, 0x0a, 0x20, ..] | [0x12, _, _, 0x0a, ..]);
    if header(rest).is_some() && hello && length >= KEY + 4 { Guess::Sure } else { Guess::No }
}

/// State of one connection.
#[derive(Default)]
pub struct WhatsApp {
    header: Option<[u8; HEADER]>,
    /// Handshake messages, their parts put together as Noise has them.
    messages: Vec<Vec<u8>>,
    opener: Option<Opener>,
    named: bool,
    over: bool,
    sealed: PerSide<u64>,
    refused: PerSide<bool>,
}

impl Peeler for WhatsApp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if self.header.is_none() {
            return self.begin(&input, out);
        }
        let Some([a, b, c]) = input.bytes.first_chunk::<3>() else {
            return match input.end {
                true => Step::skip(0, input.bytes.len() as u64, Bucket::Cut),
                false => Step::more(0, 3),
            };
        };
        let total = 3 + u32::from_be_bytes([0, *a, *b, *c]) as usize;
        if self.over && self.opener.is_none() {
            self.sealed[input.side] += total as u64;
            return Step::skip(0, total as u64, Bucket::Sealed);
        }
        let Some(body) = input.bytes.get(3..total) else {
            return match (input.end, total <= out.limits().buffer) {
                (true, _) => Step::skip(0, input.bytes.len() as u64, Bucket::Cut),
                (false, true) => Step::more(0, total),
                (false, false) => Step::die("noise-frame-limit"),
            };
        };
        self.take(input.side, body, out);
        Step::again(total)
    }

    fn gap(&mut self, _: Side, _: u64, _: &mut Out<'_, '_>) -> AfterGap {
        AfterGap::Die
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let total = std::mem::take(&mut self.sealed[side]);
        if total > 0 {
            let why = if self.refused[side] { Why::BadTag } else { Why::NoKey };
            out.leaf("", Form::Binary, side, total, End::Sealed(By::Transport, why), &[]);
        }
    }
}

impl WhatsApp {
    fn begin(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if input.side == Side::Server {
            return Step::die("noise-frame-malformed");
        }
        let patience =
            |need| if input.end { Step::die("noise-frame-malformed") } else { Step::more(0, need) };
        let Some(start) = routing(input.bytes) else { return patience(ROUTING) };
        if input.bytes.len() < start + HEADER {
            return patience(start + HEADER);
        }
        let Some(header) = input.bytes.get(start..).and_then(header) else {
            return Step::die("noise-frame-malformed");
        };
        self.header = Some(header);
        out.fact("noise.framing", format!("WA {}.{}", header[2], header[3]).as_str());
        Step::again(start + HEADER)
    }

    fn take(&mut self, side: Side, body: &[u8], out: &mut Out<'_, '_>) {
        if !self.over
            && let Some(message) = self.handshake_message(side, body)
        {
            return self.handshake(message, out);
        }
        self.over = true;
        if let Some(opener) = &mut self.opener
            && let Some(plain) = opener.open(side, body)
        {
            super::state_opened(opener, side, out);
            out.begin_message();
            let child = Child::message().confidential().hint(Hint::Layer("whatsapp-xml"));
            return out.message(child, side, &plain);
        }
        self.sealed[side] += body.len() as u64;
        if self.named {
            self.refused[side] = true;
            out.note("noise-tag-wrong");
        }
        out.declare_sealed(body.len() as u64);
    }

    /// The message of the handshake that is due, if this frame is it.
    fn handshake_message(&self, side: Side, body: &[u8]) -> Option<Vec<u8>> {
        let (from, number) = match self.messages.len() {
            0 => (Side::Client, 2),
            1 => (Side::Server, 3),
            2 => (Side::Client, 4),
            _ => return None,
        };
        if side != from {
            return None;
        }
        // Keys and payload in the order of their fields: ephemeral, long-term, payload.
        let inner = protobuf::delimited(body)?.into_iter().find(|(n, _)| *n == number)?.1;
        let parts = protobuf::delimited(inner)?;
        let part = |n: u64| parts.iter().find(|(k, _)| *k == n).map_or(&[][..], |(_, v)| v);
        Some([part(1), part(2), part(3)].concat()).filter(|m| m.len() >= KEY || number == 4)
    }

    fn handshake(&mut self, message: Vec<u8>, out: &mut Out<'_, '_>) {
        if self.messages.is_empty()
            && let Some(key) = message.first_chunk::<KEY>()
        {
            self.named = out.keys().messengers().noise_knows(key);
            self.opener = out.keys().messengers().noise_transport(key).map(Opener::logged);
            out.fact("noise.ephemeral", hex(key).as_str());
            out.fact("noise.pattern", if message.len() > KEY { "IK" } else { "XX" });
        }
        self.messages.push(message);
        let header = self.header.unwrap_or_default();
        let done = handshake::follow(&self.messages, &[&header, &[]], out.keys().messengers());
        let Some(done) = done else {
            self.over = self.messages.len() == 3;
            return;
        };
        super::followed(&done, out);
        self.over = true;
        for (i, payload) in done.payloads.iter().enumerate().filter(|(_, p)| !p.is_empty()) {
            let side = if i % 2 == 0 { Side::Client } else { Side::Server };
            let field = if side == Side::Client { "client_payload" } else { "certificate" };
            let hint = Hint::ContentType("application/x-protobuf".into());
            out.begin_message();
            out.message(Child::message().confidential().hint(hint).field(field), side, payload);
        }
        self.opener.get_or_insert_with(|| Opener::derived(&done));
    }
}
