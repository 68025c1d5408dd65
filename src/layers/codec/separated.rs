//! Records with the separator U+001E behind or between them: SignalR's JSON messages, Engine.IO's payloads and JSON
//! text sequences (RFC 7464).

use crate::peel::{Eats, Family, Form, Guess, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "separated",
    title: "Records with a separator (SignalR, Engine.IO payloads, RFC 7464)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text, Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Separated),
};

const SEPARATOR: u8 = 0x1e;

fn records(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|b| *b == SEPARATOR).filter(|r| !r.trim_ascii().is_empty())
}

fn probe(p: &Probe<'_>) -> Guess {
    if memchr::memchr(SEPARATOR, p.bytes).is_none() || std::str::from_utf8(p.bytes).is_err() {
        return Guess::No;
    }
    let mut any = false;
    for record in records(p.bytes) {
        any = true;
        if !is_object(record) && !is_packet(record) {
            return Guess::No;
        }
    }
    if any { Guess::Sure } else { Guess::No }
}

fn is_object(record: &[u8]) -> bool {
    record.trim_ascii_start().starts_with(b"{")
        && serde_json::from_slice::<serde::de::IgnoredAny>(record).is_ok()
}

/// A packet of Engine.IO: its type in one digit, or `b` before base64.
fn is_packet(record: &[u8]) -> bool {
    matches!(record.first(), Some(b'0'..=b'6' | b'b'))
}

struct Separated;

impl Peeler for Separated {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        for record in records(input.bytes) {
            out.item("", Form::Text, input.side, record);
        }
        Step::again(input.bytes.len())
    }
}
