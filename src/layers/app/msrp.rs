//! MSRP (RFC 4975): messages of a session that SIP set up, in chunks, each with a MIME type.

use crate::model::Side;
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use std::collections::VecDeque;

/// The row.
pub static SPEC: Spec = Spec {
    name: "msrp",
    title: "MSRP (RFC 4975)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary, Form::Text],
    answers: |h| matches!(h, Hint::Upgrade(u) if u.eq_ignore_ascii_case("msrp")),
    shapes: &[],
    probe: Some(probe),
    facts: &["msrp.method", "msrp.status"],
    notes: &["msrp-head-malformed", "msrp-head-too-long", "msrp-chunk-too-long", "msrp-message-limit"],
    open: || Box::new(Msrp::default()),
};

const HEAD_LIMIT: usize = 16 << 10;
/// Messages under way at once.
const UNDER_WAY: usize = 16;

fn probe(p: &Probe<'_>) -> Guess {
    let named = p.bytes.get(..5).unwrap_or(p.bytes);
    if !b"MSRP ".starts_with(named) {
        return Guess::No;
    }
    let line = p.bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    if line.len() == p.bytes.len() {
        let begun = b"MSRP ".starts_with(p.bytes) || p.bytes.starts_with(b"MSRP ");
        return if begun && !p.bytes.is_empty() && !p.end && line.len() < 512 {
            Guess::More
        } else {
            Guess::No
        };
    }
    if start(line).is_some() { Guess::Sure } else { Guess::No }
}

/// Transaction id and what follows it, of a start line (RFC 4975 section 9).
fn start(line: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
    let (id, rest) = text.strip_prefix("MSRP ")?.split_once(' ')?;
    let legal = |c: char| c.is_ascii_alphanumeric() || ".-+%=".contains(c);
    let method = rest.split(' ').next().unwrap_or("");
    let known = method.len() == 3 && method.bytes().all(|b| b.is_ascii_digit())
        || !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase()) && rest == method;
    ((4..=32).contains(&id.len()) && id.chars().all(legal) && known).then_some((id, rest))
}

/// A message whose end has not come yet.
struct Partial {
    side: Side,
    id: String,
    bytes: Vec<u8>,
}

#[derive(Default)]
struct Msrp {
    partial: VecDeque<Partial>,
}

/// One request or response.
struct Chunk<'a> {
    start: &'a str,
    fields: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
    /// `$` complete, `+` more follows, `#` given up.
    flag: u8,
    len: usize,
}

impl Peeler for Msrp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let bytes = input.bytes;
        if bytes.is_empty() {
            return Step::again(0);
        }
        // No further than the limit, so that it is as long in one piece as in several.
        let Some(end) = memchr::memchr(b'\n', bytes.get(..=HEAD_LIMIT).unwrap_or(bytes)) else {
            return match bytes.len() {
                n if n > HEAD_LIMIT || input.end => Step::die("msrp-head-too-long"),
                n => Step::more(0, n + 1),
            };
        };
        let Some((id, rest)) = bytes.get(..end).and_then(start) else {
            return Step::die("msrp-head-malformed");
        };
        // The end line is not part of any body: its id was chosen so (RFC 4975 section 7.1).
        let last = [b"\r\n-------", id.as_bytes()].concat();
        let found = memchr::memmem::find_iter(bytes, &last)
            .find(|at| matches!(bytes.get(at + last.len()), Some(b'$' | b'+' | b'#') | None));
        let Some((at, flag)) = found.and_then(|at| Some((at, *bytes.get(at + last.len())?))) else {
            return match bytes.len() {
                n if n > out.limits().buffer / 2 => Step::die("msrp-chunk-too-long"),
                n if input.end => Step::again(n),
                n => Step::more(0, n + 1),
            };
        };
        // The flag and a line break end the chunk.
        let len = at + last.len() + 3;
        if bytes.len() < len && !input.end {
            return Step::more(0, len);
        }
        let len = len.min(bytes.len());
        let inside = bytes.get(end + 1..at + 2).unwrap_or_default();
        match Chunk::read(rest, inside, flag, len) {
            Some(chunk) => self.chunk(input.side, &chunk, out),
            None => {
                out.note("msrp-head-malformed");
                out.item("chunk", Form::Binary, input.side, inside);
            }
        }
        Step::again(len)
    }
}

impl<'a> Chunk<'a> {
    /// `inside` is what stands between the start line and the end line.
    fn read(start: &'a str, inside: &'a [u8], flag: u8, len: usize) -> Option<Self> {
        let (head, body) = match memchr::memmem::find(inside, b"\r\n\r\n") {
            Some(at) => (inside.get(..at)?, inside.get(at + 4..)?),
            None => (inside, &[][..]),
        };
        let lines = std::str::from_utf8(head).ok()?.lines().filter(|l| !l.trim().is_empty());
        // What has no name is shown as well.
        let fields = lines.map(|l| l.split_once(':').unwrap_or(("unnamed", l)));
        // The line break before the end line does not belong to the body.
        let body = body.strip_suffix(b"\r\n").unwrap_or(body);
        Some(Self { start, fields: fields.collect(), body, flag, len })
    }

    fn field(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim())
    }
}

impl Msrp {
    fn chunk(&mut self, side: Side, chunk: &Chunk<'_>, out: &mut Out<'_, '_>) {
        debug_assert!(chunk.len > 0);
        out.begin_message();
        match chunk.start.as_bytes() {
            [b'0'..=b'9', ..] => {
                out.fact("msrp.status", chunk.start);
                // A comment is free (RFC 4975 section 9).
                let comment = chunk.start.get(4..).filter(|c| !c.is_empty() && *c != "OK");
                if let Some(comment) = comment {
                    out.item("comment", Form::Text, side, comment.as_bytes());
                }
            }
            _ => out.fact("msrp.method", chunk.start),
        }
        for (name, value) in &chunk.fields {
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            match name.as_str() {
                "to-path" => out.label("to", value),
                "from-path" => out.label("from", value),
                _ => {}
            }
            out.item(&format!("header.{name}"), Form::Text, side, value.as_bytes());
        }
        if !chunk.body.is_empty() {
            self.body(side, chunk, out);
        }
    }

    /// A message ends with the chunk whose flag says so (RFC 4975 section 7.1.1).
    fn body(&mut self, side: Side, chunk: &Chunk<'_>, out: &mut Out<'_, '_>) {
        let id = chunk.field("message-id").unwrap_or("");
        let known = self.partial.iter().position(|p| p.side == side && p.id == id);
        if known.is_none() && chunk.flag == b'$' {
            return self.whole(side, chunk, chunk.body, out);
        }
        let mut partial = match known.and_then(|at| self.partial.remove(at)) {
            Some(partial) => partial,
            None => Partial { side, id: id.to_owned(), bytes: Vec::new() },
        };
        if partial.bytes.len() + chunk.body.len() > out.limits().message {
            return out.note("msrp-message-limit");
        }
        partial.bytes.extend_from_slice(chunk.body);
        match chunk.flag {
            b'+' => {
                if self.partial.len() >= UNDER_WAY {
                    self.partial.pop_front();
                    out.note("msrp-message-limit");
                }
                self.partial.push_back(partial);
            }
            // What was given up half-way was sent all the same.
            _ => self.whole(side, chunk, &partial.bytes, out),
        }
    }

    fn whole(&self, side: Side, chunk: &Chunk<'_>, bytes: &[u8], out: &mut Out<'_, '_>) {
        let stated = chunk.field("content-type").unwrap_or("text/plain");
        let media = stated.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let form = if std::str::from_utf8(bytes).is_ok() { Form::Text } else { Form::Binary };
        let child = Child::message().form(form).field("body").hint(Hint::ContentType(media));
        out.message(child, side, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peel::{Exchange, Surroundings, Tree};

    #[test]
    fn chunks_are_joined_and_wrappings_undone() {
        let said = Exchange::read(include_str!("../../../tests/exchanges/msrp.txt"));
        let lines = Surroundings::new(&crate::layers::REGISTRY, said.server_port)
            .record(Tree::new(said.unit), &said.turns)
            .lines;
        let leaf = |what: &str| lines.iter().any(|l| l.starts_with("leaf") && l.contains(what));
        assert!(leaf(">body Text Client Clear 39 "), "{lines:#?}");
        assert!(leaf("Text Server Clear 31 "), "{lines:#?}");
        assert!(leaf(">header.from "), "{lines:#?}");
    }

    #[test]
    fn start_lines_are_told_from_others() {
        assert_eq!(start(b"MSRP a786hjs2 SEND\r"), Some(("a786hjs2", "SEND")));
        assert_eq!(start(b"MSRP a786hjs2 200 OK\r"), Some(("a786hjs2", "200 OK")));
        for wrong in [&b"MSRP a SEND"[..], b"MSRP a786hjs2 send", b"MSRPa786hjs2 SEND", b"SIP/2.0 200 OK"] {
            assert_eq!(start(wrong), None);
        }
    }
}
