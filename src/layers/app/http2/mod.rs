//! HTTP/2 (RFC 9113): frames, header blocks and the streams they belong to.

mod frame;
mod head;
mod hpack;
mod statics;
mod streams;
#[cfg(test)]
mod tests;

use super::http::{self, Asked};
use super::huffman;
use crate::bytes::Cursor;
use crate::model::{Bucket, PerSide, Side};
use crate::peel::{AfterGap, Eats, Family, Form, Hint, Input, Out, Peeler, Spec, Step};
use frame::{HEAD, Head, PREFACE};
use hpack::Decoder;
use streams::Streams;

/// The row.
pub static SPEC: Spec = Spec {
    name: "http2",
    title: "HTTP/2 (RFC 9113)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| match h {
        Hint::Alpn(a) => a == "h2" || a == "h2c",
        Hint::Upgrade(t) => t.eq_ignore_ascii_case("h2c"),
        _ => false,
    },
    shapes: &[],
    probe: Some(frame::probe),
    facts: &["http.method", "http.status"],
    notes: &[
        "http2-joined-late",
        "http2-frame-malformed",
        "http2-frame-too-long",
        "http2-headers-malformed",
        "http2-headers-too-long",
        "http2-headers-cut-by-gap",
        "http2-header-unknown",
        "http2-header-list-too-long",
        "http2-data-without-head",
        "http2-tunnel-unanswered",
        "http2-stream-limit",
        "http2-lost-by-gap",
        "http2-resynchronised",
        "http-body-cut-by-gap",
    ],
    open: || Box::new(Http2::default()),
};

/// Octets of one header block with all its CONTINUATION frames, and of any other frame that is kept.
const BLOCK: usize = 256 << 10;
/// CONTINUATION frames of one header block.
const PARTS: usize = 1024;

/// The frame being read.
#[derive(Debug)]
struct Current {
    head: Head,
    /// Payload octets to come, padding included.
    left: u64,
    /// Padding at the end of a DATA frame, once known.
    pad: Option<u64>,
    /// Payload so far of a frame that is read whole.
    payload: Vec<u8>,
    /// Part of the payload is missing.
    broken: bool,
}

/// A header block and what it is for.
#[derive(Debug)]
struct Block {
    stream: u32,
    /// Stream that a PUSH_PROMISE announces.
    promised: Option<u32>,
    last: bool,
    bytes: Vec<u8>,
    parts: usize,
    broken: bool,
}

#[derive(Debug, Default)]
struct Half {
    begun: bool,
    /// Whether frames were seen already.
    framed: bool,
    lost: bool,
    table: Decoder,
    current: Option<Current>,
    block: Option<Block>,
}

#[derive(Debug, Default)]
struct Http2 {
    halves: PerSide<Half>,
    streams: Streams,
    begun: bool,
}

impl Peeler for Http2 {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let side = input.side;
        if !self.begun {
            self.begin(out);
        }
        if !self.halves[side].begun {
            return self.preface(&input, out);
        }
        if self.halves[side].lost {
            return self.find_frame(&input, out);
        }
        match self.halves[side].current.is_some() {
            true => self.payload(side, input.bytes, out),
            false => self.frame(side, &input, out),
        }
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        let half = &mut self.halves[side];
        half.begun = true;
        match &mut half.current {
            _ if half.lost => {}
            Some(current) if current.left >= len => {
                current.left -= len;
                let id = current.head.stream;
                if current.head.kind == frame::DATA {
                    let pad = *current.pad.get_or_insert(0);
                    let data = len.min((current.left + len).saturating_sub(pad));
                    out.note("http-body-cut-by-gap");
                    self.streams.gap(id, side, data, out);
                } else {
                    current.broken = true;
                }
                self.complete(side, out);
            }
            _ => {
                out.note("http2-lost-by-gap");
                self.lose(side, len, out);
            }
        }
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        self.streams.end(side, out);
    }
}

impl Http2 {
    fn begin(&mut self, out: &mut Out<'_, '_>) {
        self.begun = true;
        let asked = |name: &str| out.context(name).unwrap_or_default();
        let asked =
            Asked { method: asked("method"), host: asked("host"), path: asked("path"), protocol: None };
        if !asked.path.is_empty() {
            self.streams.upgraded = Some(asked);
        }
    }

    /// The start of a side: the client's preface, or the first frame.
    fn preface(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let half = &mut self.halves[input.side];
        let n = input.bytes.len().min(PREFACE.len());
        if input.bytes[..n] == PREFACE[..n] && (n == PREFACE.len() || !input.end) {
            if n < PREFACE.len() {
                // The first byte that differs tells, however much comes with it.
                return Step::more(0, n + 1);
            }
            half.begun = true;
            half.framed = true;
            return Step::again(n);
        }
        if input.bytes.len() < HEAD && !input.end {
            return Step::more(0, HEAD);
        }
        let begins = match frame::begins(input.bytes) {
            None if !input.end => return Step::more(0, input.bytes.len() + 1),
            told => told == Some(true),
        };
        half.begun = true;
        if !begins {
            out.note("http2-joined-late");
            self.lose(input.side, 0, out);
        }
        Step::again(0)
    }

    /// A frame head.
    fn frame(&mut self, side: Side, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(head) = Head::read(input.bytes) else { return Step::more(0, HEAD) };
        let half = &mut self.halves[side];
        let goes_on = |b: &Block| head.kind == frame::CONTINUATION && head.stream == b.stream;
        if !head.valid() || !half.block.as_ref().is_none_or(goes_on) {
            out.note("http2-frame-malformed");
            self.lose(side, 0, out);
            return Step::again(0);
        }
        if !half.framed {
            half.framed = true;
            // A connection begins with SETTINGS that acknowledge nothing.
            if head.kind != frame::SETTINGS || head.has(1) {
                out.note("http2-joined-late");
                half.table.forget();
            }
        }
        let pad = if head.has(frame::PADDED) { None } else { Some(0) };
        let left = u64::from(head.len);
        half.current = Some(Current { head, left, pad, payload: Vec::new(), broken: false });
        self.complete(side, out);
        Step::again(HEAD)
    }

    /// Payload of the current frame, as much as is there.
    fn payload(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) -> Step {
        let Some(current) = &mut self.halves[side].current else { return Step::again(0) };
        let n = current.left.min(bytes.len() as u64) as usize;
        let id = current.head.stream;
        if current.head.kind != frame::DATA {
            if current.payload.len() + n <= BLOCK {
                current.payload.extend_from_slice(&bytes[..n]);
            } else if !current.broken {
                current.broken = true;
                out.note("http2-frame-too-long");
            }
            current.left -= n as u64;
            self.complete(side, out);
            return Step::again(n);
        }
        let Some(pad) = current.pad else {
            current.left -= 1;
            let pad = u64::from(bytes[0]);
            if pad > current.left {
                out.note("http2-frame-malformed");
            }
            current.pad = Some(pad);
            self.complete(side, out);
            return Step::again(1);
        };
        let data = current.left.saturating_sub(pad).min(n as u64) as usize;
        current.left -= n as u64;
        self.streams.data(id, side, &bytes[..data], out);
        self.complete(side, out);
        Step::again(n)
    }

    /// Acts on the current frame once all of it was seen.
    fn complete(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let Some(current) = self.halves[side].current.take_if(|c| c.left == 0) else { return };
        let head = current.head;
        match head.kind {
            frame::DATA if head.has(frame::END_STREAM) => self.streams.finish(head.stream, side, out),
            frame::HEADERS | frame::PUSH_PROMISE | frame::CONTINUATION => self.block(side, current, out),
            frame::RST_STREAM => self.streams.finish(head.stream, side, out),
            frame::GOAWAY => self.goaway(side, &current, out),
            _ => {}
        }
    }

    /// A frame that carries a header block or a part of it.
    fn block(&mut self, side: Side, current: Current, out: &mut Out<'_, '_>) {
        let head = current.head;
        let half = &mut self.halves[side];
        let opened = open_block(&current);
        let (promised, part) = opened.unwrap_or((None, &[]));
        let block = half.block.get_or_insert(Block {
            stream: head.stream,
            promised,
            last: head.kind == frame::HEADERS && head.has(frame::END_STREAM),
            bytes: Vec::new(),
            parts: 0,
            // A continuation of something unseen.
            broken: head.kind == frame::CONTINUATION,
        });
        block.parts += 1;
        if current.broken {
            out.note("http2-headers-cut-by-gap");
        }
        block.broken |= current.broken || opened.is_none();
        if !block.broken && (block.bytes.len() + part.len() > BLOCK || block.parts > PARTS) {
            out.note("http2-headers-too-long");
            block.broken = true;
        }
        match block.broken {
            true => block.bytes = Vec::new(),
            false => block.bytes.extend_from_slice(part),
        }
        if head.has(frame::END_HEADERS)
            && let Some(block) = half.block.take()
        {
            self.decode(side, &block, out);
        }
    }

    /// Debug data of a GOAWAY frame (RFC 9113 section 6.8) is often text.
    fn goaway(&mut self, side: Side, current: &Current, out: &mut Out<'_, '_>) {
        if let Some(debug) = current.payload.get(8..).filter(|d| !d.is_empty()) {
            self.streams.interrupt(out);
            out.begin_message();
            out.item("goaway", Form::Binary, side, debug);
        }
    }

    fn decode(&mut self, side: Side, block: &Block, out: &mut Out<'_, '_>) {
        let table = &mut self.halves[side].table;
        let mut list = table.decode(&block.bytes);
        if block.broken {
            table.forget();
            list.broken = true;
        }
        for (code, odd) in [
            ("http2-headers-malformed", list.broken),
            ("http2-header-unknown", list.unknown > 0),
            ("http2-header-list-too-long", list.cut),
        ] {
            if odd {
                out.note(code);
            }
        }
        match block.promised {
            Some(id) => self.streams.promise(id, side, &list, out),
            None => self.streams.headers(block.stream, side, &list, out),
        }
        if block.last {
            self.streams.finish(block.stream, side, out);
        }
    }

    /// The place in the frames is lost on `side`, and with it the header table.
    fn lose(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) {
        let half = &mut self.halves[side];
        half.lost = true;
        half.framed = true;
        half.current = None;
        half.block = None;
        half.table.forget();
        self.streams.lose(side, len, out);
    }

    /// After a loss: the first place where plausible frames go on. What is passed over is counted as cut.
    fn find_frame(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let bytes = input.bytes;
        // A head that is not whole cannot be refused yet.
        let seen = bytes.len().saturating_sub(HEAD - 1);
        for at in 0..seen {
            match frame::resumes(&bytes[at..]) {
                Some(false) => continue,
                Some(true) => {
                    self.halves[input.side].lost = false;
                    out.note("http2-resynchronised");
                }
                None if input.end => continue,
                None if at == 0 => return Step::more(0, bytes.len() + 1),
                None => {}
            }
            return Step::skip(0, at as u64, Bucket::Cut);
        }
        let given_up = if input.end { bytes.len() } else { seen };
        match given_up {
            0 => Step::more(0, HEAD),
            _ => Step::skip(0, given_up as u64, Bucket::Cut),
        }
    }
}

/// The part of a header block in a frame, without padding and priority, and the promised stream.
fn open_block(current: &Current) -> Option<(Option<u32>, &[u8])> {
    let head = current.head;
    let mut c = Cursor::new(&current.payload);
    if head.kind == frame::CONTINUATION {
        return Some((None, c.rest()));
    }
    let pad = if head.has(frame::PADDED) { usize::from(c.u8()?) } else { 0 };
    let mut promised = None;
    match head.kind {
        frame::PUSH_PROMISE => promised = Some(c.u32()? & 0x7fff_ffff),
        _ if head.has(frame::WITH_PRIORITY) => drop(c.take(5)?),
        _ => {}
    }
    let len = c.left().checked_sub(pad)?;
    Some((promised, c.take(len)?))
}
