//! WebSocket (RFC 6455) with per-message deflate (RFC 7692), and with one stream of zlib through the messages of a
//! side, flushed after each, as gateways of chats have it that compress by themselves.

use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
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

/// Opcodes of control frames are this one and those above it.
const CLOSE: u8 = 8;
const PING: u8 = 9;

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

/// A frame whose payload is coming in.
struct Current {
    frame: Frame,
    left: u64,
    /// Position in the mask.
    at: usize,
}

#[derive(Default)]
struct Half {
    current: Option<Current>,
    overlong: bool,
    message: Vec<u8>,
    /// Payload of a control frame, which may stand between the frames of a message.
    control: Vec<u8>,
    opcode: u8,
    compressed: bool,
    inflate: Option<Decompress>,
    /// A stream of zlib that runs through the messages.
    zlib: Option<Decompress>,
}

#[derive(Default)]
struct WebSocket {
    halves: PerSide<Half>,
    begun: bool,
    deflate: bool,
    fresh: PerSide<bool>,
    stream: Option<Handle>,
    /// Every message is a line of that stream.
    lines: bool,
    /// A whole message was seen.
    spoken: bool,
}

impl Peeler for WebSocket {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if !self.begun {
            self.begin(out);
        }
        let side = input.side;
        if let Some(mut current) = self.halves[side].current.take() {
            let n = current.left.min(input.bytes.len() as u64) as usize;
            self.payload(side, &mut current, &input.bytes[..n], out);
            current.left -= n as u64;
            match current.left {
                0 => self.finish(side, &current.frame, out),
                _ => self.halves[side].current = Some(current),
            }
            return Step::again(n);
        }
        let Some(f) = frame(input.bytes) else { return Step::more(0, input.bytes.len() + 1) };
        if f.opcode >= 0xb || matches!(f.opcode, 3..=7) || f.len > 1 << 40 {
            return Step::die("websocket-frame-malformed");
        }
        self.start(side, &f);
        let head = f.head;
        match f.len {
            0 => self.finish(side, &f, out),
            left => self.halves[side].current = Some(Current { frame: f, left, at: 0 }),
        }
        Step::again(head)
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
            let protocol = protocol.to_ascii_lowercase();
            self.lines = super::IRC_SUBPROTOCOLS.contains(&protocol.as_str());
            let hint = Hint::Upgrade(protocol);
            if out.knows(&hint) {
                self.stream = Some(out.open(Child::stream().hint(hint)));
            }
        }
    }

    /// A frame's head was read.
    fn start(&mut self, side: Side, f: &Frame) {
        let half = &mut self.halves[side];
        if f.opcode != 0 && f.opcode < 8 {
            half.message.clear();
            half.opcode = f.opcode;
            half.compressed = f.compressed;
            half.overlong = false;
        }
    }

    /// Some bytes of a frame's payload.
    fn payload(&mut self, side: Side, current: &mut Current, bytes: &[u8], out: &mut Out<'_, '_>) {
        let half = &mut self.halves[side];
        let control = current.frame.opcode >= CLOSE;
        if half.overlong && !control {
            return;
        }
        let into = if control { &mut half.control } else { &mut half.message };
        if into.len() + bytes.len() > out.limits().message {
            into.clear();
            half.overlong |= !control;
            return out.note("websocket-message-too-long");
        }
        let mask = current.frame.mask.unwrap_or_default();
        let at = current.at;
        into.extend(bytes.iter().enumerate().map(|(i, b)| b ^ mask[(at + i) % 4]));
        current.at = (at + bytes.len()) % 4;
    }

    /// A control frame is whole (RFC 6455 section 5.5). Most have no payload, and then there is nothing to show.
    fn control(&mut self, side: Side, opcode: u8, out: &mut Out<'_, '_>) {
        let payload = std::mem::take(&mut self.halves[side].control);
        let (field, said) = match opcode {
            // A status code stands before the reason.
            CLOSE => ("close", payload.get(2..).unwrap_or_default()),
            PING => ("ping", payload.as_slice()),
            _ => ("pong", payload.as_slice()),
        };
        if !said.is_empty() {
            let form = if std::str::from_utf8(said).is_ok() { Form::Text } else { Form::Binary };
            out.message(Child::message().form(form).field(field), side, said);
        }
    }

    /// A frame is whole; with its last one the message is.
    fn finish(&mut self, side: Side, f: &Frame, out: &mut Out<'_, '_>) {
        if f.opcode >= CLOSE {
            return self.control(side, f.opcode, out);
        }
        if !f.fin {
            return;
        }
        let limit = out.limits().message;
        let half = &mut self.halves[side];
        if half.overlong {
            // What was skipped would have been part of the compression window.
            half.inflate = None;
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
        if self.lines && !message.ends_with(b"\n") {
            message.push(b'\n');
        }
        if let Some(stream) = self.stream {
            return out.feed(stream, side, &message);
        }
        let mut form = if self.halves[side].opcode == 1 { Form::Text } else { Form::Binary };
        if form == Form::Binary
            && let Some(plain) = flushed(&mut self.halves[side], &message, limit)
        {
            out.fact("websocket.deflate", true);
            form = if std::str::from_utf8(&plain).is_ok() { Form::Text } else { Form::Binary };
            message = plain;
        }
        if !std::mem::replace(&mut self.spoken, true)
            && form == Form::Binary
            && out.begins_protection(side, &message)
        {
            let stream = out.open(Child::stream());
            self.stream = Some(stream);
            return out.feed(stream, side, &message);
        }
        out.message(Child::message().form(form), side, &message);
    }
}

/// RFC 7692 section 7.2.2: the sender cut the empty block that ends a flush.
fn inflate(half: &mut Half, message: &[u8], limit: usize, fresh: bool) -> Option<Vec<u8>> {
    if fresh {
        half.inflate = None;
    }
    let z = half.inflate.get_or_insert_with(|| Decompress::new(false));
    let (plain, ended) = run(z, &[message, &FLUSH].concat(), limit)?;
    if ended {
        half.inflate = None;
    }
    Some(plain)
}

/// The empty block at the end of a flush (RFC 1951 section 3.2.4).
const FLUSH: [u8; 4] = [0, 0, 0xff, 0xff];

/// What a message adds to the stream of zlib through a side's messages. The first one begins with the header
/// (RFC 1950 section 2.2), and each ends with a flush; a message that does not fit ends the stream.
fn flushed(half: &mut Half, message: &[u8], limit: usize) -> Option<Vec<u8>> {
    let begins = matches!(message, [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..]);
    if !message.ends_with(&FLUSH) || half.zlib.is_none() && !begins {
        return None;
    }
    let z = half.zlib.get_or_insert_with(|| Decompress::new(true));
    match run(z, message, limit) {
        Some((plain, false)) if !plain.is_empty() => Some(plain),
        _ => {
            half.zlib = None;
            None
        }
    }
}

/// Undoes one message of a stream; also whether the stream ended with it.
fn run(z: &mut Decompress, input: &[u8], limit: usize) -> Option<(Vec<u8>, bool)> {
    let (start, mut plain) = (z.total_in(), Vec::with_capacity(input.len() * 4 + 64));
    loop {
        let used = usize::try_from(z.total_in() - start).ok()?;
        if used >= input.len() && plain.len() < plain.capacity() {
            return Some((plain, false));
        }
        if plain.len() > limit {
            return None;
        }
        plain.reserve(4096);
        match z.decompress_vec(input.get(used..)?, &mut plain, FlushDecompress::Sync) {
            Ok(Status::StreamEnd) => return Some((plain, true)),
            Ok(_)
                if usize::try_from(z.total_in() - start).ok()? == used && plain.len() < plain.capacity() =>
            {
                return Some((plain, false));
            }
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compress, Compression, FlushCompress};

    fn written(z: &mut Compress, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        z.compress_vec(text, &mut out, FlushCompress::Sync).unwrap();
        out
    }

    #[test]
    fn one_stream_through_several_messages_is_followed() {
        let (mut z, mut half) = (Compress::new(Compression::default(), true), Half::default());
        for text in [&b"see you at noon"[..], b"see you at noon, at noon", b"at noon, see you"] {
            assert_eq!(flushed(&mut half, &written(&mut z, text), 4096).as_deref(), Some(text));
        }
        assert_eq!(flushed(&mut half, b"\x07\x00\x00\xff\xff", 4096), None);
        assert_eq!(flushed(&mut half, &written(&mut z, b"see you"), 4096), None, "the stream has ended");
    }

    #[test]
    fn what_begins_in_the_middle_or_is_not_flushed_is_left_alone() {
        let (mut z, mut half) = (Compress::new(Compression::default(), true), Half::default());
        let first = written(&mut z, b"see you at noon");
        assert_eq!(flushed(&mut half, &first[..first.len() - 1], 4096), None);
        assert_eq!(flushed(&mut half, &written(&mut z, b"at noon"), 4096), None);
    }
}
