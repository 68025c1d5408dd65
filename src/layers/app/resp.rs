//! RESP, the protocol of Redis and its kin (versions 2 and 3): commands to a store of keys and values, and what is
//! published to those who subscribe. Values are not said to anybody, messages of a channel are.

use crate::model::{Bucket, PerSide, Side};
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Guess, Input, Line, LineEnd, Out, Peeler, Probe, Spec, Step,
};

/// The row.
pub static SPEC: Spec = Spec {
    name: "resp",
    title: "RESP, the protocol of Redis",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &["resp-malformed", "resp-value-too-long"],
    open: || Box::new(Resp::default()),
};

/// The longest line: a type, a length or a number; a state; a command that somebody types.
const LINE: usize = 64 << 10;
/// The port of Redis.
const PORT: u16 = 6379;
/// How deep arrays lie in arrays.
const DEEPEST: usize = 32;
/// Bytes of a command's name and of a channel's that are remembered.
const NAME: usize = 128;

/// A number behind a type (`*3`, `$-1`).
fn count(line: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(line.get(1..)?).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.len() <= 10 && digits.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// A command is an array of strings; a server answers in one, or in a string whose length holds.
fn probe(p: &Probe<'_>) -> Guess {
    let window = p.bytes.get(..16).unwrap_or(p.bytes);
    if window.is_empty() && !p.end {
        return Guess::More;
    }
    if !matches!(window.first(), Some(b'*' | b'$' | b'>')) {
        // Commands as people type them, and short answers.
        let line = p.bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let text = line.iter().all(|b| matches!(b, b'\t' | b'\r' | 0x20..=0x7e));
        return match p.server_port == PORT && text {
            true if p.bytes.len() > line.len() || p.end => Guess::Maybe,
            true if line.len() < LINE => Guess::More,
            _ => Guess::No,
        };
    }
    let Some(end) = memchr::memchr(b'\n', window) else {
        let digits = window.iter().skip(1).all(|b| b.is_ascii_digit() || *b == b'\r');
        return if digits && window.len() < 16 && !p.end { Guess::More } else { Guess::No };
    };
    let line = window.get(..end).and_then(|l| l.strip_suffix(b"\r"));
    let Some(n) = line.and_then(count).and_then(|n| usize::try_from(n).ok()) else { return Guess::No };
    let rest = p.bytes.get(end + 1..).unwrap_or_default();
    match (p.bytes.first(), rest) {
        (Some(b'$'), rest) => match rest.get(n..n.saturating_add(2)) {
            Some(b"\r\n") if p.side == Side::Server => Guess::Sure,
            Some(_) => Guess::No,
            None if n <= 1024 && !p.end => Guess::More,
            None => Guess::No,
        },
        (_, []) if !p.end => Guess::More,
        // A client's commands are strings.
        (_, [b'$', digit, ..]) if digit.is_ascii_digit() && n > 0 => Guess::Sure,
        (_, [b'$']) if !p.end => Guess::More,
        (_, [b':' | b'*' | b'+', ..]) if n > 0 && p.side == Side::Server => Guess::Maybe,
        _ => Guess::No,
    }
}

/// What is being read of one side.
#[derive(Default)]
struct Frame {
    /// Elements that are left of each open array, the outermost first.
    open: Vec<u64>,
    /// Elements of the outermost one that are done with.
    at: u64,
    /// The first two of them: a command and its key, or what is pushed and its channel.
    head: Vec<String>,
}

#[derive(Default)]
struct Resp {
    frames: PerSide<Frame>,
}

impl Frame {
    /// What the next string is.
    fn field(&self, side: Side) -> &'static str {
        let name = self.head.first().map(|n| n.to_ascii_uppercase()).unwrap_or_default();
        let outermost = self.open.len() == 1;
        match (side, name.as_str(), self.at) {
            _ if !outermost => "value",
            (Side::Client, _, 0) => "command",
            (Side::Client, "PUBLISH" | "SPUBLISH", 2) => "message",
            (Side::Server, "MESSAGE" | "SMESSAGE", 2) | (Side::Server, "PMESSAGE", 3) => "message",
            (Side::Client, "PUBLISH" | "SPUBLISH", 1) | (Side::Server, "MESSAGE" | "SMESSAGE", 1) => {
                "channel"
            }
            (Side::Server, "PMESSAGE", 1 | 2) => "channel",
            (Side::Client, "AUTH", _) if self.open == [1] => "password",
            (Side::Client, "AUTH", _) => "username",
            (Side::Client, _, 1) => "key",
            _ => "value",
        }
    }

    /// An element is done with, and every array that it was the last of.
    fn done(&mut self) {
        while let Some(left) = self.open.last_mut() {
            *left = left.saturating_sub(1);
            let over = *left == 0;
            if self.open.len() == 1 {
                self.at += 1;
            }
            if !over {
                return;
            }
            self.open.pop();
        }
        *self = Frame::default();
    }
}

impl Resp {
    /// An array of so many elements begins.
    fn begin(&mut self, side: Side, n: u64, out: &mut Out<'_, '_>) -> bool {
        let frame = &mut self.frames[side];
        if frame.open.is_empty() {
            out.begin_message();
        }
        frame.open.push(n.max(1));
        if n == 0 {
            frame.done();
        }
        frame.open.len() <= DEEPEST
    }

    fn string(&mut self, side: Side, text: &[u8], out: &mut Out<'_, '_>) {
        let frame = &mut self.frames[side];
        if frame.open.is_empty() {
            out.begin_message();
        }
        let field = frame.field(side);
        if frame.open.len() == 1 && frame.head.len() < 2 {
            frame.head.push(String::from_utf8_lossy(text.get(..NAME).unwrap_or(text)).into_owned());
        }
        let form = if std::str::from_utf8(text).is_ok() { Form::Text } else { Form::Binary };
        match field {
            _ if text.is_empty() => {}
            "channel" => {
                out.label("topic", &String::from_utf8_lossy(text));
                out.item(field, form, side, text);
            }
            "message" | "value" => out.message(Child::message().form(form).field(field), side, text),
            _ => out.item(field, form, side, text),
        }
        frame.done();
    }
}

impl Peeler for Resp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let side = input.side;
        let Line { text: line, taken, ends } = match input.line(LINE) {
            Ok(line) => line,
            Err(wait) => return wait,
        };
        let number = count(line).filter(|_| ends != LineEnd::Limit);
        match (line.first(), number) {
            (Some(kind @ (b'*' | b'%' | b'~' | b'>' | b'|')), Some(n)) => {
                let each = if matches!(kind, b'%' | b'|') { 2 } else { 1 };
                if !self.begin(side, u64::try_from(n).unwrap_or(0) * each, out) {
                    return Step::die("resp-malformed");
                }
            }
            (Some(b'$' | b'=' | b'!'), Some(n)) => {
                let Ok(n) = usize::try_from(n) else {
                    self.frames[side].done();
                    return Step::again(taken);
                };
                if n > out.limits().message {
                    out.note("resp-value-too-long");
                    self.frames[side].done();
                    return Step::skip(taken, (n as u64).saturating_add(2), Bucket::Cut);
                }
                let whole = taken + n + 2;
                let Some(text) = input.bytes.get(taken..taken + n).filter(|_| input.bytes.len() >= whole)
                else {
                    return Step::more(0, whole);
                };
                self.string(side, text, out);
                return Step::again(whole);
            }
            (Some(b':' | b',' | b'#' | b'_' | b'('), _) => self.frames[side].done(),
            (Some(_), _) => {
                // A state or an error, a command as people type it, and what is left of a value behind a gap.
                if self.frames[side].open.is_empty() {
                    out.begin_message();
                }
                let field = if side == Side::Server { "status-line" } else { "command" };
                out.item(field, Form::Text, side, line);
                self.frames[side].done();
            }
            (None, _) => {}
        }
        Step::again(taken)
    }

    fn gap(&mut self, side: Side, _len: u64, _out: &mut Out<'_, '_>) -> AfterGap {
        self.frames[side] = Frame::default();
        AfterGap::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_strings_of_the_length_that_they_state_are_told_from_lines() {
        let says = |side, bytes: &[u8]| probe(&Probe { side, end: false, ..Probe::alone(bytes, 6379) });
        assert_eq!(says(Side::Client, b"*2\r\n$3\r\nGET\r\n"), Guess::Sure);
        assert_eq!(says(Side::Client, b"*2\r\n"), Guess::More);
        assert_eq!(says(Side::Client, b"*2 people came\r\n"), Guess::No);
        assert_eq!(says(Side::Client, b"$20 is all that I have\r\n"), Guess::No);
        assert_eq!(says(Side::Server, b"$5\r\nhello\r\n"), Guess::Sure);
        assert_eq!(says(Side::Server, b"$5\r\nhello, you\r\n"), Guess::No);
        assert_eq!(says(Side::Server, b"+OK\r\n"), Guess::Maybe);
        assert_eq!(probe(&Probe::alone(b"+OK\r\n", 110)), Guess::No);
    }

    #[test]
    fn what_a_string_is_follows_from_its_place() {
        let at = |side, open: &[u64], at, head: &[&str]| {
            let head = head.iter().map(|h| (*h).to_owned()).collect();
            Frame { open: open.to_vec(), at, head }.field(side)
        };
        assert_eq!(at(Side::Client, &[1], 2, &["publish", "room"]), "message");
        assert_eq!(at(Side::Client, &[1], 2, &["SET", "room"]), "value");
        assert_eq!(at(Side::Server, &[1], 2, &["message", "room"]), "message");
        assert_eq!(at(Side::Server, &[1], 3, &["pmessage", "r*"]), "message");
        assert_eq!(at(Side::Server, &[1, 2], 2, &["message", "room"]), "value");
        assert_eq!(at(Side::Client, &[1], 1, &["AUTH"]), "password");
        assert_eq!(at(Side::Server, &[], 0, &[]), "value");
    }
}
