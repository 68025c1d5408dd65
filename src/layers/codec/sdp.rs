//! SDP (RFC 8866): the description of a call's media, one item for each line.

use crate::peel::{Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "sdp",
    title: "SDP (RFC 8866)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text],
    answers: |h| matches!(h, Hint::ContentType(t) if t == "application/sdp"),
    shapes: &[],
    probe: Some(probe),
    facts: &["sdp.media", "sdp.protocol"],
    notes: &[],
    open: || Box::new(Sdp),
};

fn probe(p: &Probe<'_>) -> Guess {
    let begins = p.bytes.starts_with(b"v=0\r\n") || p.bytes.starts_with(b"v=0\n");
    if begins && memchr::memmem::find(p.bytes, b"\no=").is_some() { Guess::Sure } else { Guess::No }
}

struct Sdp;

impl Peeler for Sdp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        for line in input.bytes.split(|b| *b == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Ok(text) = std::str::from_utf8(line) else { continue };
            let Some((kind, value)) = text.split_once('=') else { continue };
            if kind == "m" {
                let mut words = value.split(' ');
                out.fact("sdp.media", words.next().unwrap_or(""));
                out.fact("sdp.protocol", words.nth(1).unwrap_or(""));
            }
            let name = match kind {
                "s" => "subject".to_owned(),
                "a" => format!("a.{}", value.split(':').next().unwrap_or("")),
                other => other.to_owned(),
            };
            out.leaf(&name, Form::Text, input.side, line.len() as u64, crate::peel::End::Clear, line);
        }
        Step::again(input.bytes.len())
    }
}
