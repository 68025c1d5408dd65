//! CPIM (RFC 3862): who says what to whom, around a MIME entity. SIP MESSAGE and MSRP carry it.

use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "cpim",
    title: "Common Presence and Instant Messaging (RFC 3862)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text, Form::Binary],
    answers: |h| matches!(h, Hint::ContentType(t) if t == "message/cpim"),
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Cpim),
};

fn probe(p: &Probe<'_>) -> Guess {
    // Only those who carry it say that it is CPIM; the entity inside has headers of its own.
    if p.stated && split(p.bytes).is_some() { Guess::Maybe } else { Guess::No }
}

/// The fields, and the entity behind the first empty line.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let at = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    Some((std::str::from_utf8(bytes.get(..at)?).ok()?, bytes.get(at + 4..)?))
}

struct Cpim;

impl Peeler for Cpim {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if let Some((head, entity)) = split(input.bytes) {
            for line in head.lines().filter(|l| !l.trim().is_empty()) {
                // What has no name, such as a folded line, is shown as well.
                let (name, value) = line.split_once(':').unwrap_or(("unnamed", line));
                let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
                match name.as_str() {
                    "from" => out.label("from", value),
                    "to" => out.label("to", value),
                    _ => {}
                }
                out.item(&format!("header.{name}"), Form::Text, input.side, value.as_bytes());
            }
            let child = Child::message().hint(Hint::ContentType("message/rfc822".into()));
            out.message(child, input.side, entity);
        }
        Step::again(input.bytes.len())
    }
}
