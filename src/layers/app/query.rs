//! Protocols in which a program asks in a line and a program answers in lines: WHOIS (RFC 3912), Finger (RFC 1288), Gopher
//! (RFC 1436), DICT (RFC 2229), quote of the day and daytime (RFC 865, RFC 867), MPD, memcached, Munin, Zabbix, Network UPS Tools, beanstalkd. Nobody
//! talks to anybody there, and nothing but the port tells most of them from people who do.

use crate::model::Side;
use crate::peel::{AfterGap, Eats, Family, Form, Guess, Input, Line, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "query",
    title: "Questions and answers in lines (WHOIS, Finger, Gopher, DICT, MPD, memcached)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &["query-line-too-long"],
    open: || Box::new(Query),
};

/// Ports that are registered for them.
const PORTS: [u16; 13] = [11, 13, 17, 43, 63, 70, 79, 2628, 3493, 10050, 10051, 11211, 11300];
/// How servers of MPD and Munin greet.
const GREETINGS: [&[u8]; 2] = [b"OK MPD ", b"# munin node at "];
const LONGEST: usize = 64 << 10;

fn probe(p: &Probe<'_>) -> Guess {
    if p.side == Side::Server && GREETINGS.iter().any(|g| p.bytes.starts_with(g)) {
        return Guess::Sure;
    }
    let line = p.bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let text = |b: &u8| matches!(b, b'\t' | b'\r' | 0x1b | 0x20..=0x7e | 0x80..);
    if !PORTS.contains(&p.server_port) || !line.iter().all(text) {
        return Guess::No;
    }
    if p.bytes.is_empty() {
        return if p.end { Guess::No } else { Guess::More };
    }
    match p.bytes.len() > line.len() || p.end {
        true => Guess::Maybe,
        false if line.len() < LONGEST => Guess::More,
        false => Guess::No,
    }
}

struct Query;

impl Peeler for Query {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Line { text, taken, ends } = match input.line(LONGEST) {
            Ok(line) => line,
            Err(wait) => return wait,
        };
        if ends == crate::peel::LineEnd::Limit {
            out.note("query-line-too-long");
        }
        if !text.is_empty() {
            out.begin_message();
            let field = if input.side == Side::Client { "asked" } else { "told" };
            out.item(field, Form::Text, input.side, text);
        }
        Step::again(taken)
    }

    fn gap(&mut self, _side: Side, _len: u64, _out: &mut Out<'_, '_>) -> AfterGap {
        AfterGap::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_and_a_line_or_a_greeting_tell() {
        let at = |bytes: &[u8], port| probe(&Probe::alone(bytes, port));
        assert_eq!(at(b"example.org\r\n", 43), Guess::Maybe);
        assert_eq!(at(b"example.org\r\n", 4300), Guess::No);
        assert_eq!(at(b"\x16\x03\x01\x00\x05\n", 43), Guess::No);
        let greeting = Probe { side: Side::Server, ..Probe::alone(b"OK MPD 0.23.5\n", 6600) };
        assert_eq!(probe(&greeting), Guess::Sure);
    }
}
