//! Text lines of a protocol that nobody knows: each line is a message.

use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "lines",
    title: "Text lines",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Layer("lines")),
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &["line-too-long"],
    open: || Box::new(Lines),
};

const LONGEST: usize = 64 << 10;

fn printable(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(t) => t,
        Err(e) if e.error_len().is_none() => std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or("\0"),
        Err(_) => return false,
    };
    !text.chars().any(|c| c.is_control() && !matches!(c, '\r' | '\n' | '\t'))
}

/// A line break behind fewer bytes may be chance.
const TELLING: usize = 8;

/// What follows the line that tells is not looked at, so that the answer is the same however the bytes come.
fn probe(p: &Probe<'_>) -> Guess {
    let after = p.bytes.get(TELLING - 1..).unwrap_or_default();
    let told = memchr::memchr(b'\n', after).and_then(|at| p.bytes.get(..TELLING + at));
    if !printable(told.unwrap_or(p.bytes)) || !printable(p.other) {
        return Guess::No;
    }
    match told {
        Some(_) => Guess::Maybe,
        // The window is full or the side is at its end: a long line is one, too.
        None if p.end && (p.bytes.len() >= TELLING || p.bytes.contains(&b'\n')) => Guess::Maybe,
        None if p.end => Guess::No,
        None => Guess::More,
    }
}

struct Lines;

impl Peeler for Lines {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let (end, next) = match memchr::memchr(b'\n', input.bytes) {
            Some(at) if at < LONGEST => (at, at + 1),
            Some(_) => (LONGEST, LONGEST),
            None if input.end && input.bytes.len() < LONGEST => (input.bytes.len(), input.bytes.len()),
            None if input.bytes.len() >= LONGEST => {
                out.note("line-too-long");
                (LONGEST, LONGEST)
            }
            None => return Step::more(0, input.bytes.len() + 1),
        };
        let line = &input.bytes[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            out.message(Child::message().form(Form::Text).field("line"), input.side, line);
        }
        Step::again(next)
    }

    fn gap(&mut self, _side: crate::model::Side, _len: u64, _out: &mut Out<'_, '_>) -> crate::peel::AfterGap {
        crate::peel::AfterGap::Continue
    }
}
