//! WebSocket (RFC 6455) with per-message deflate (RFC 7692).

use crate::bytes::Cursor;
use crate::model::{Bucket, PerSide, Side};
use crate::peel::{Child, Eats, Family, Form, Guess, Handle, Hint, Input, Out, Peeler, Probe, Spec, Step};
use flate2::{Decompress, FlushDecompress, Status};

/// The row.
pub static SPEC: Spec = Spec {
    name: "websocket",
    title: "WebSocket (RFC 6455)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Upgrade(t) if t.eq_ignore_ascii_case("websocket")),
    shapes: &[],
    probe: Some(probe),
    facts: &["websocket.protocol", "websocket.deflate"],
    notes: &["websocket-frame-malformed", "websocket-message-too-long", "websocket-deflate-broken"],
    open: || Box::new(WebSocket::default()),
};

struct Frame {
    fin: bool,
    compressed: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    head: usize,
    len: u64,
}

fn frame(bytes: &[u8]) -> Option<Frame> {
    let mut c = Cursor::new(bytes);
    let (a, b) = (c.u8()?, c.u8()?);
    let len = match b & 0x7f {
        126 => u64::from(c.u16()?),
        127 => c.u64()?,
        n => u64::from(n),
    };
    let mask = if b & 0x80 != 0 { Some(c.array()?) } else { None };
    Some(Frame {
        fin: a & 0x80 != 0,
        compressed: a & 0x40 != 0,
        opcode: a & 0x0f,
        mask,
        head: c.consumed(),
        len,
    })
}

/// A mid-stream guess: a masked client frame of a known opcode that reaches exactly to the end, or to
/// another one.
fn probe(p: &Probe<'_>) -> Guess {
    if p.side != Side::Client || p.bytes.len() < 8 {
        return Guess::No;
    }
    let mut at = 0usize;
    let mut frames = 0;
    while let Some(f) = p.bytes.get(at..).and_then(frame) {
        let plain = p.bytes[at] & 0x30 == 0 && matches!(f.opcode, 1 | 2 | 8 | 9 | 10);
        if !plain || f.mask.is_none() || f.len > 1 << 20 {
            return Guess::No;
        }
        frames += 1;
        at = at.saturating_add(f.head).saturating_add(f.len as usize);
        if at == p.bytes.len() {
            return Guess::Maybe;
        }
        if at > p.bytes.len() {
            return if frames > 1 { Guess::Maybe } else { Guess::No };
        }
    }
    Guess::No
}

#[derive(Default)]
struct Half {
    message: Vec<u8>,
    opcode: u8,
    compressed: bool,
    inflate: Option<Decompress>,
}

#[derive(Default)]
struct WebSocket {
    halves: PerSide<Half>,
    begun: bool,
    deflate: bool,
    fresh: PerSide<bool>,
    stream: Option<Handle>,
}

impl Peeler for WebSocket {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if !self.begun {
            self.begin(out);
        }
        let Some(f) = frame(input.bytes) else { return Step::more(0, input.bytes.len() + 1) };
        if f.opcode >= 0xb || matches!(f.opcode, 3..=7) || f.len > 1 << 40 {
            return Step::die("websocket-frame-malformed");
        }
        if f.len > out.limits().buffer as u64 / 2 {
            out.note("websocket-message-too-long");
            self.halves[input.side].message.clear();
            return Step::skip(f.head, f.len, Bucket::Cut);
        }
        let end = f.head + f.len as usize;
        let Some(payload) = input.bytes.get(f.head..end) else { return Step::more(0, end) };
        let mut data = payload.to_vec();
        if let Some(mask) = f.mask {
            data.iter_mut().enumerate().for_each(|(i, b)| *b ^= mask[i % 4]);
        }
        if f.opcode < 8 {
            self.data(input.side, &f, data, out);
        }
        Step::again(end)
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some(stream) = self.stream {
            out.close(stream, side);
        }
    }
}

impl WebSocket {
    fn begin(&mut self, out: &mut Out<'_, '_>) {
        self.begun = true;
        let extensions = out.context("ws_extensions").unwrap_or_default();
        self.deflate = extensions.contains("permessage-deflate");
        self.fresh.client = extensions.contains("client_no_context_takeover");
        self.fresh.server = extensions.contains("server_no_context_takeover");
        if self.deflate {
            out.fact("websocket.deflate", true);
        }
        if let Some(protocol) = out.context("ws_protocol") {
            out.fact("websocket.protocol", protocol.as_str());
            let hint = Hint::Upgrade(protocol.to_ascii_lowercase());
            if out.knows(&hint) {
                self.stream = Some(out.open(Child::stream().hint(hint)));
            }
        }
    }

    fn data(&mut self, side: Side, f: &Frame, data: Vec<u8>, out: &mut Out<'_, '_>) {
        let limit = out.limits().message;
        let half = &mut self.halves[side];
        if f.opcode != 0 {
            half.message.clear();
            half.opcode = f.opcode;
            half.compressed = f.compressed;
        }
        if half.message.len() + data.len() > limit {
            out.note("websocket-message-too-long");
            half.message.clear();
            return;
        }
        half.message.extend_from_slice(&data);
        if !f.fin {
            return;
        }
        let mut message = std::mem::take(&mut half.message);
        if half.compressed && self.deflate {
            let fresh = self.fresh[side];
            match inflate(half, &message, limit, fresh) {
                Some(plain) => message = plain,
                None => return out.note("websocket-deflate-broken"),
            }
        }
        if let Some(stream) = self.stream {
            return out.feed(stream, side, &message);
        }
        let form = if self.halves[side].opcode == 1 { Form::Text } else { Form::Binary };
        out.message(Child::message().form(form), side, &message);
    }
}

/// RFC 7692 section 7.2.2: the sender cut the empty block that ends a flush.
fn inflate(half: &mut Half, message: &[u8], limit: usize, fresh: bool) -> Option<Vec<u8>> {
    if fresh {
        half.inflate = None;
    }
    let z = half.inflate.get_or_insert_with(|| Decompress::new(false));
    let mut input = message.to_vec();
    input.extend_from_slice(&[0, 0, 0xff, 0xff]);
    let (start, mut plain) = (z.total_in(), Vec::with_capacity(message.len() * 4 + 64));
    loop {
        let used = usize::try_from(z.total_in() - start).ok()?;
        if used >= input.len() && plain.len() < plain.capacity() {
            return Some(plain);
        }
        if plain.len() > limit {
            return None;
        }
        plain.reserve(4096);
        match z.decompress_vec(input.get(used..)?, &mut plain, FlushDecompress::Sync) {
            Ok(Status::StreamEnd) => {
                half.inflate = None;
                return Some(plain);
            }
            Ok(_)
                if usize::try_from(z.total_in() - start).ok()? == used && plain.len() < plain.capacity() =>
            {
                return Some(plain);
            }
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}
