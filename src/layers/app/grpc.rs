//! The message framing of gRPC, gRPC-Web and Connect streams: a flag octet and a length before each
//! message (gRPC over HTTP2, gRPC-Web and Connect protocol descriptions).

use crate::model::{Bucket, Side};
use crate::peel::{AfterGap, Child, Eats, Family, Form, Handle, Hint, Input, Out, Peeler, Spec, Step, Then};

/// The row.
pub static SPEC: Spec = Spec {
    name: "grpc",
    title: "gRPC message framing",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::ContentType(t) if framed(t)),
    shapes: &[],
    probe: None,
    facts: &["grpc.encoding"],
    notes: &[
        "grpc-frame-malformed",
        "grpc-encoding-unknown",
        "grpc-message-unfinished",
        "grpc-message-cut-by-gap",
        "grpc-text-malformed",
    ],
    open: || Box::new(Grpc::default()),
};

/// Octets before a message.
const HEAD: usize = 5;
const COMPRESSED: u8 = 0x01;
/// Ends a Connect stream; the message is JSON.
const CONNECT_END: u8 = 0x02;
/// Trailers of gRPC-Web, as lines.
const TRAILERS: u8 = 0x80;

fn framed(media: &str) -> bool {
    let named = |name: &str| media.strip_prefix(name).is_some_and(|r| r.is_empty() || r.starts_with('+'));
    named("application/grpc") || named("application/grpc-web") || named("application/grpc-web-text") || {
        media.starts_with("application/connect+")
    }
}

#[derive(Debug, Default)]
struct Grpc {
    begun: bool,
    /// Media type of the messages.
    media: &'static str,
    /// Base64 around everything (gRPC-Web text), with characters that wait for the rest of a group.
    text: Option<Vec<u8>>,
    encoding: Option<String>,
    /// Octets out of base64 that are no whole head yet.
    plain: Vec<u8>,
    /// The message being read and what is to come of it.
    message: Option<(Handle, u64)>,
    messages: u64,
}

impl Peeler for Grpc {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if !self.begun {
            self.begin(out);
        }
        if self.text.is_some() {
            return self.peel_text(input, out);
        }
        match self.push(input.side, input.bytes, out) {
            Ok(taken) if self.message.is_some() => Step::again(taken),
            Ok(taken) => Step::more(taken, HEAD),
            Err(taken) => Step { consumed: taken, then: Then::Die("grpc-frame-malformed") },
        }
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        match &mut self.message {
            Some((child, left)) if *left >= len && self.text.is_none() => {
                *left -= len;
                out.note("grpc-message-cut-by-gap");
                out.gap(*child, side, len);
                self.finish(side, out);
                AfterGap::Continue
            }
            _ => AfterGap::Die,
        }
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if !self.plain.is_empty() || self.message.is_some() {
            out.note("grpc-message-unfinished");
        }
        if let Some((child, _)) = self.message.take() {
            out.close(child, side);
        }
    }
}

impl Grpc {
    fn begin(&mut self, out: &mut Out<'_, '_>) {
        self.begun = true;
        let media = out.context("content_type").unwrap_or_default().to_ascii_lowercase();
        let bare = media.split(';').next().unwrap_or("").trim();
        self.media = if bare.ends_with("+json") { "application/json" } else { "application/x-protobuf" };
        self.text = bare.starts_with("application/grpc-web-text").then(Vec::new);
        self.encoding = out.context("grpc_encoding").map(|e| e.trim().to_ascii_lowercase());
        if let Some(encoding) = self.encoding.clone().filter(|e| e != "identity") {
            out.fact("grpc.encoding", encoding);
        }
    }

    fn peel_text(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(plain) = self.decode(input.bytes) else {
            out.note("grpc-text-malformed");
            return Step { consumed: input.bytes.len(), then: Then::Rest(Bucket::Cut) };
        };
        let mut held = std::mem::take(&mut self.plain);
        held.extend(plain);
        match self.push(input.side, &held, out) {
            Ok(taken) => {
                held.drain(..taken);
                self.plain = held;
                Step::again(input.bytes.len())
            }
            Err(_) => {
                out.note("grpc-frame-malformed");
                Step { consumed: input.bytes.len(), then: Then::Rest(Bucket::Cut) }
            }
        }
    }

    /// Whole groups of base64 among what is held and new. Padding may stand inside: every chunk that a
    /// server sends is encoded by itself.
    fn decode(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        use base64::Engine;
        let held = self.text.as_mut()?;
        held.extend(bytes.iter().filter(|b| !b.is_ascii_whitespace()));
        let whole = held.len() / 4 * 4;
        let mut plain = Vec::with_capacity(whole / 4 * 3);
        for group in held[..whole].chunks_exact(4) {
            let mut three = [0; 3];
            let n = base64::engine::general_purpose::STANDARD.decode_slice(group, &mut three).ok()?;
            plain.extend_from_slice(&three[..n]);
        }
        held.drain(..whole);
        Some(plain)
    }

    /// Takes frames off `bytes`, all but a head that is not whole yet: how many octets it took, as an error
    /// if what follows them is no frame.
    fn push(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) -> Result<usize, usize> {
        let mut taken = 0;
        loop {
            let rest = &bytes[taken..];
            if let Some((child, left)) = &mut self.message {
                let n = (*left).min(rest.len() as u64) as usize;
                out.feed(*child, side, &rest[..n]);
                *left -= n as u64;
                taken += n;
                self.finish(side, out);
                if self.message.is_some() {
                    return Ok(taken);
                }
                continue;
            }
            let Some([flags, len @ ..]) = rest.first_chunk::<HEAD>() else { return Ok(taken) };
            if flags & !(COMPRESSED | CONNECT_END | TRAILERS) != 0 {
                return Err(taken);
            }
            taken += HEAD;
            self.open(*flags, u32::from_be_bytes(*len), out);
        }
    }

    /// Closes the message if all of it was seen.
    fn finish(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some((child, _)) = self.message.take_if(|(_, left)| *left == 0) {
            out.close(child, side);
        }
    }

    fn open(&mut self, flags: u8, len: u32, out: &mut Out<'_, '_>) {
        if len == 0 {
            return;
        }
        // The first message belongs to the head that it follows.
        self.messages += 1;
        if self.messages > 1 {
            out.begin_message();
        }
        let mut child = Child::message();
        let mut media = self.media;
        if flags & TRAILERS != 0 {
            media = "text/plain";
            child = child.field("trailers");
        } else if flags & CONNECT_END != 0 {
            media = "application/json";
            child = child.field("end");
        }
        let mut known = true;
        if flags & COMPRESSED != 0 {
            let hint = self.encoding.clone().map(Hint::Encoding);
            known = hint.as_ref().is_some_and(|h| out.knows(h));
            match hint.filter(|_| known) {
                Some(hint) => child = child.hint(hint),
                None => out.note("grpc-encoding-unknown"),
            }
        } else if media != "application/x-protobuf" {
            child = child.form(Form::Text);
        }
        if known {
            child = child.hint(Hint::ContentType(media.to_owned()));
        }
        self.message = Some((out.open(child), u64::from(len)));
    }
}
