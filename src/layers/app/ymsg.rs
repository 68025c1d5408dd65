//! YMSG, the protocol of Yahoo! Messenger: packets of numbered fields (as its re-implementations document it).

use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{AfterGap, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "ymsg",
    title: "YMSG",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Layer("ymsg")),
    shapes: &[],
    probe: Some(probe),
    facts: &["ymsg.service"],
    notes: &["ymsg-packet-malformed", "ymsg-resynchronised"],
    open: || Box::new(Ymsg::default()),
};

const HEAD: usize = 20;
/// Between a number and its value, and after that.
const SEPARATOR: &[u8] = &[0xc0, 0x80];
/// Services that carry what somebody says: messages, and those of conferences and chat rooms.
const SAID: [u16; 4] = [0x06, 0x1d, 0x20, 0xa8];

fn probe(p: &Probe<'_>) -> Guess {
    if p.bytes.len() < HEAD {
        let begins = b"YMSG".starts_with(p.bytes.get(..4).unwrap_or(p.bytes));
        return if p.end || p.bytes.is_empty() || !begins { Guess::No } else { Guess::More };
    }
    if p.bytes.starts_with(b"YMSG") { Guess::Sure } else { Guess::No }
}

#[derive(Default)]
struct Ymsg {
    /// Bytes were lost: the start of a packet has to be searched.
    searching: PerSide<bool>,
}

impl Peeler for Ymsg {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if input.bytes.len() < HEAD {
            return Step::more(0, HEAD);
        }
        if std::mem::take(&mut self.searching[input.side]) {
            out.note("ymsg-resynchronised");
            let Some(at) = memchr::memmem::find(input.bytes, b"YMSG") else {
                self.searching[input.side] = true;
                return Step::more(input.bytes.len() - 3, HEAD);
            };
            return Step::again(at);
        }
        let mut c = Cursor::new(input.bytes);
        if c.take(4) != Some(b"YMSG") {
            return Step::die("ymsg-packet-malformed");
        }
        let (Some(_), Some(length), Some(service)) = (c.u32(), c.u16(), c.u16()) else {
            return Step::die("ymsg-packet-malformed");
        };
        let whole = HEAD + usize::from(length);
        let Some(body) = input.bytes.get(HEAD..whole) else { return Step::more(0, whole) };
        out.begin_message();
        out.fact("ymsg.service", u64::from(service));
        fields(input.side, service, body, out);
        Step::again(whole)
    }

    fn gap(&mut self, side: Side, _len: u64, _out: &mut Out<'_, '_>) -> AfterGap {
        self.searching[side] = true;
        AfterGap::Continue
    }
}

fn fields(side: Side, service: u16, body: &[u8], out: &mut Out<'_, '_>) {
    let mut rest = body;
    let mut next = || -> Option<&[u8]> {
        let at = memchr::memmem::find(rest, SEPARATOR)?;
        let part = rest.get(..at)?;
        rest = rest.get(at + SEPARATOR.len()..)?;
        Some(part)
    };
    while let (Some(number), Some(value)) = (next(), next()) {
        let said = SAID.contains(&service);
        let field = match number {
            b"14" if said => "message",
            b"5" if said => "to",
            b"4" | b"1" if said => "from",
            b"6" | b"96" => "token",
            b"0" | b"1" | b"4" | b"5" | b"2" | b"7" => "user",
            _ => continue,
        };
        let text = String::from_utf8_lossy(value);
        out.item(field, Form::Text, side, text.as_bytes());
    }
}
