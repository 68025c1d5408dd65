//! Text lines of a protocol that nobody knows: each line is a message.

use crate::model::Side;
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Guess, Handle, Hint, Input, Line, LineEnd, Out, Peeler, Probe, Spec,
    Step,
};

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
    open: || Box::new(Lines::default()),
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

/// How one side speaks: whether it answers with codes, and the code of an answer that goes on. Behind lines there
/// may be TLS, whatever the protocol called it that agreed on it.
#[derive(Default)]
struct Lines {
    replies: bool,
    open: Option<[u8; 3]>,
    tunnel: Option<Handle>,
}

/// A code of three digits and what parts it from its text (RFC 959 section 4.2, RFC 3977 section 3.2).
fn reply_code(line: &[u8]) -> Option<([u8; 3], u8)> {
    match line {
        [a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => match rest.first() {
            None => Some(([*a, *b, *c], b' ')),
            Some(parts @ (b' ' | b'-')) => Some(([*a, *b, *c], *parts)),
            Some(_) => None,
        },
        _ => None,
    }
}

/// A word of three to eight capitals, alone or before its arguments.
fn is_command(line: &[u8]) -> bool {
    let word = line.split(|b| *b == b' ').next().unwrap_or_default();
    (3..=8).contains(&word.len()) && word.iter().all(u8::is_ascii_uppercase)
}

impl Lines {
    /// What a line is. Where the server answers with codes, as for files and news, its answers and the
    /// commands before them are said by programs, not by people.
    fn field(&mut self, side: Side, line: &[u8]) -> &'static str {
        if side == Side::Client {
            return if self.replies && is_command(line) { "command" } else { "line" };
        }
        match (reply_code(line), self.open) {
            (Some((code, parts)), open) => {
                self.replies = true;
                self.open = open.filter(|o| *o != code).or((parts == b'-').then_some(code));
                "status-line"
            }
            (None, Some(_)) => "status-line",
            (None, None) => "line",
        }
    }
}

/// How much of a ClientHello in its record there must be to tell it: type, version, length, type (RFC 8446 section 5.1).
const HELLO: usize = 6;

/// Whether these bytes begin so, or may when there are more.
fn hello(bytes: &[u8]) -> Guess {
    let fits = |at: usize, b: u8| match at {
        0 => b == 0x16,
        1 => b == 3,
        2 => b <= 4,
        5 => b == 1,
        _ => true,
    };
    match bytes.get(..HELLO).unwrap_or(bytes) {
        known if !known.iter().enumerate().all(|(at, b)| fits(at, *b)) => Guess::No,
        known if known.len() == HELLO => Guess::Sure,
        _ => Guess::More,
    }
}

impl Peeler for Lines {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if self.tunnel.is_none() && input.side == Side::Client {
            match hello(input.bytes) {
                Guess::Sure => {
                    self.tunnel = Some(out.open(Child::stream().hint(Hint::Upgrade("starttls".into()))));
                }
                Guess::More if !input.end => return Step::more(0, input.bytes.len() + 1),
                _ => {}
            }
        }
        if let Some(tunnel) = self.tunnel {
            out.feed(tunnel, input.side, input.bytes);
            return Step::again(input.bytes.len());
        }
        let Line { text: line, taken, ends } = match input.line(LONGEST) {
            Ok(line) => line,
            Err(wait) => return wait,
        };
        if ends == LineEnd::Limit {
            out.note("line-too-long");
        }
        if !line.is_empty() {
            let (field, line) = match (self.field(input.side, line), line.strip_prefix(b"PASS ")) {
                ("command", Some(password)) => ("password", password),
                (field, _) => (field, line),
            };
            out.message(Child::message().form(Form::Text).field(field), input.side, line);
        }
        Step::again(taken)
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        if let Some(tunnel) = self.tunnel {
            out.gap(tunnel, side, len);
        }
        if side == Side::Server {
            // The end of an answer may be lost.
            self.open = None;
        }
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some(tunnel) = self.tunnel {
            out.close(tunnel, side);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_with_codes_and_the_commands_before_them_are_told_from_what_people_say() {
        let mut ftp = Lines::default();
        let said = [
            (Side::Client, &b"HELLO all"[..], "line"),
            (Side::Server, b"220-Welcome to the archive", "status-line"),
            (Side::Server, b"of all the files that you want", "status-line"),
            (Side::Server, b"331 as it were", "status-line"),
            (Side::Server, b"220 Service ready", "status-line"),
            (Side::Client, b"USER anonymous", "command"),
            (Side::Client, b"see you at noon", "line"),
            (Side::Server, b"not an answer", "line"),
            (Side::Server, b"230 Guest login ok, access restrictions apply.", "status-line"),
        ];
        for (side, line, field) in said {
            assert_eq!(ftp.field(side, line), field, "{}", String::from_utf8_lossy(line));
        }
        let mut chat = Lines::default();
        assert_eq!(chat.field(Side::Server, b"1000 people came"), "line");
        assert_eq!(chat.field(Side::Server, b"see you at noon"), "line");
        assert_eq!(chat.field(Side::Client, b"LOL that was fun"), "line");
    }
}
