//! Bodies: what frames them (RFC 9112 sections 6 and 7), and losses in them.

use super::http::{Asked, Head};
use super::{HEAD_LIMIT, Http1, line_end};
use crate::model::Side;
use crate::peel::{Form, Input, Out, Step};

/// What is left of the current body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Length(u64),
    Chunk(u64),
    /// The line that ends a chunk's data.
    ChunkEnd,
    Trailer,
    UntilClose,
}

impl Body {
    /// The body behind a head; `without` is what it is where the head does not say.
    pub(super) fn announced(head: &Head<'_>, without: Option<Body>) -> Option<Body> {
        let coding = head.value("transfer-encoding");
        if coding.is_some_and(|v| v.to_ascii_lowercase().contains("chunked")) {
            return Some(Body::Chunk(0));
        }
        match head.value("content-length").and_then(|v| v.trim().parse().ok()) {
            Some(n) => Some(Body::Length(n)),
            None => without,
        }
    }
}

impl Http1 {
    pub(super) fn open_body(
        &mut self,
        side: Side,
        body: Option<Body>,
        head: &Head<'_>,
        asked: &Asked,
        out: &mut Out<'_, '_>,
    ) {
        let half = &mut self.halves[side];
        half.body = body.filter(|b| *b != Body::Length(0));
        if half.body.is_some() {
            half.child = Some(out.open(asked.labelled(head.body())));
        }
    }

    pub(super) fn body(&mut self, side: Side, body: Body, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let bytes = input.bytes;
        match body {
            Body::UntilClose => {
                self.give(side, bytes, out);
                Step::again(bytes.len())
            }
            Body::Length(left) => {
                let n = left.min(bytes.len() as u64) as usize;
                self.give(side, &bytes[..n], out);
                let left = left - n as u64;
                self.halves[side].body = Some(Body::Length(left));
                if left == 0 {
                    self.finish_body(side, out);
                }
                Step::again(n)
            }
            Body::Chunk(0) => self.chunk_head(side, bytes, out),
            Body::Chunk(left) => {
                let n = left.min(bytes.len() as u64) as usize;
                self.give(side, &bytes[..n], out);
                let left = left - n as u64;
                self.halves[side].body = Some(if left == 0 { Body::ChunkEnd } else { Body::Chunk(left) });
                Step::again(n)
            }
            Body::ChunkEnd => match line_end(bytes) {
                Some(n) => {
                    self.halves[side].body = Some(Body::Chunk(0));
                    Step::again(n)
                }
                None => Step::more(0, bytes.len() + 1),
            },
            Body::Trailer => match line_end(bytes.get(..=HEAD_LIMIT).unwrap_or(bytes)) {
                Some(n) => {
                    if bytes[..n].iter().all(|b| matches!(b, b'\r' | b'\n')) {
                        self.finish_body(side, out);
                    } else {
                        trailer(bytes[..n].trim_ascii(), side, out);
                    }
                    Step::again(n)
                }
                None if bytes.len() > HEAD_LIMIT => Step::die("http-head-too-long"),
                None => Step::more(0, bytes.len() + 1),
            },
        }
    }

    fn chunk_head(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) -> Step {
        let Some(n) = line_end(bytes) else {
            return if bytes.len() > 4096 {
                Step::die("http-chunk-malformed")
            } else {
                Step::more(0, bytes.len() + 1)
            };
        };
        let digits: String =
            bytes[..n].iter().take_while(|b| b.is_ascii_hexdigit()).map(|b| *b as char).collect();
        match u64::from_str_radix(&digits, 16) {
            Ok(len) => {
                self.halves[side].body = Some(if len == 0 { Body::Trailer } else { Body::Chunk(len) });
                let extension = bytes[digits.len()..n].trim_ascii();
                if !extension.is_empty() {
                    out.item("chunk-extension", Form::Text, side, extension);
                }
            }
            Err(_) => {
                out.note("http-chunk-malformed");
                self.finish_body(side, out);
                self.halves[side].lost = true;
                return Step::again(n);
            }
        }
        Step::again(n)
    }

    /// Bytes of the body are missing, or so many that its end was among them.
    pub(super) fn body_gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) {
        let half = &mut self.halves[side];
        if let Some(child) = half.child {
            out.gap(child, side, len);
        }
        match &mut half.body {
            Some(Body::Length(left) | Body::Chunk(left)) if *left >= len => {
                out.note("http-body-cut-by-gap");
                *left -= len;
                match half.body {
                    Some(Body::Length(0)) => self.finish_body(side, out),
                    Some(Body::Chunk(0)) => half.body = Some(Body::ChunkEnd),
                    _ => {}
                }
            }
            Some(Body::UntilClose) => {}
            _ => {
                self.finish_body(side, out);
                self.halves[side].lost = true;
            }
        }
    }

    fn give(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) {
        if let Some(child) = self.halves[side].child {
            out.feed(child, side, bytes);
        }
    }

    pub(super) fn finish_body(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let half = &mut self.halves[side];
        half.body = None;
        if let Some(child) = half.child.take() {
            out.close(child, side);
        }
    }
}

/// A field behind the body (RFC 9112 section 7.1.2), under the name that it would have before it.
fn trailer(line: &[u8], side: Side, out: &mut Out<'_, '_>) {
    let (name, value) = match memchr::memchr(b':', line) {
        Some(at) => (&line[..at], line[at + 1..].trim_ascii()),
        None => (&b"trailer"[..], line),
    };
    if !value.is_empty() {
        let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
        out.item(&format!("header.{name}"), Form::Text, side, value);
    }
}
