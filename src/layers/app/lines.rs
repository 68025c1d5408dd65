//! Text lines of a protocol that nobody knows: each line is a message.

use super::starttls;
use crate::model::{PerSide, Side};
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Guess, Hint, Input, Line, LineEnd, Out, Peeler, Probe, Spec, Step,
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

/// How the sides speak: whether the server answers with codes, the code of an answer that goes on, who sends
/// a page, and who is in the head of a message.
#[derive(Default)]
struct Lines {
    replies: bool,
    open: Option<[u8; 3]>,
    page: PerSide<bool>,
    head: PerSide<bool>,
}

/// Whether a line begins a message with a head, as in HTTP and its kin (RTSP, ICAP): a name and version of a protocol
/// stand first, or last behind a method (RFC 9112 section 2.1).
fn is_start(line: &[u8]) -> bool {
    let capitals = |word: &[u8]| word.len() >= 3 && word.iter().all(u8::is_ascii_uppercase);
    let version = |word: &[u8]| match word {
        [name @ .., b'/', a, b'.', b] => capitals(name) && a.is_ascii_digit() && b.is_ascii_digit(),
        _ => false,
    };
    let mut words = line.split(|b| *b == b' ');
    let (first, last) = (words.next(), words.next_back());
    last.is_some_and(|last| first.is_some_and(|first| version(first) || capitals(first) && version(last)))
}

/// Elements of which a page is built (HTML Living Standard, section 4). Those that people put around words when they
/// chat are left out.
const ELEMENTS: [&str; 20] = [
    "html", "head", "body", "meta", "link", "script", "style", "title", "div", "p", "table", "tr", "td",
    "ul", "li", "form", "font", "nav", "h1", "h2",
];

/// How documents begin that are sent to printers and viewers.
const DOCUMENTS: [&[u8]; 4] = [b"%!PS", b"%PDF-", b"{\\rtf", b"@PJL"];

/// Whether a line has tags of a page, or is the beginning of a document.
fn is_page(line: &[u8]) -> bool {
    if DOCUMENTS.iter().any(|d| line.starts_with(d)) {
        return true;
    }
    let tags = memchr::memchr_iter(b'<', line).filter_map(|at| line.get(at + 1..));
    tags.take(8).any(|tag| {
        let tag = tag.strip_prefix(b"/").unwrap_or(tag);
        let end = tag.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'!').unwrap_or(tag.len());
        let name = &tag[..end];
        name.eq_ignore_ascii_case(b"!doctype")
            || ELEMENTS.iter().any(|e| name.eq_ignore_ascii_case(e.as_bytes()))
    })
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

/// A word of three to eight capitals, alone or before its arguments, or a command for files in small letters.
fn is_command(line: &[u8]) -> bool {
    let word = line.split(|b| *b == b' ').next().unwrap_or_default();
    (3..=8).contains(&word.len()) && word.iter().all(u8::is_ascii_uppercase)
        || FILES.iter().any(|f| word.eq_ignore_ascii_case(f.as_bytes()))
}

/// Commands for files (RFC 959 section 4.1, RFC 2389, RFC 2428, RFC 3659, RFC 4217).
const FILES: [&str; 36] = [
    "user", "pass", "acct", "cwd", "cdup", "quit", "port", "pasv", "type", "stru", "mode", "retr", "stor",
    "stou", "appe", "allo", "rest", "rnfr", "rnto", "abor", "dele", "rmd", "mkd", "pwd", "list", "nlst",
    "site", "syst", "stat", "noop", "feat", "opts", "size", "mdtm", "epsv", "eprt",
];

/// Whether a line is one of a log: it begins with a day or a time, and says soon how bad it is or which program speaks.
fn is_log(line: &[u8]) -> bool {
    let mut words = line.split(|b| *b == b' ').filter(|w| !w.is_empty());
    let stamp = |w: &[u8]| {
        let digits = w.iter().filter(|b| b.is_ascii_digit()).count();
        digits >= 6
            && w.contains(&b':')
            && w.iter().all(|b| {
                b.is_ascii_digit()
                    || matches!(b, b':' | b'-' | b'.' | b',' | b'T' | b'Z' | b'+' | b'[' | b']')
            })
    };
    let first = words.by_ref().take(3).any(stamp);
    let level = |w: &[u8]| {
        let name = w.strip_prefix(b"[").unwrap_or(w);
        let name = name.strip_suffix(b"]").or(name.strip_suffix(b":")).unwrap_or(name);
        LEVELS.iter().any(|l| name == l.as_bytes())
    };
    // One letter stands behind the numbers of a process and a thread.
    let mut number = false;
    let mut is_level = |w: &[u8]| {
        let behind = std::mem::replace(&mut number, w.iter().all(u8::is_ascii_digit));
        level(w) && (w.len() > 1 || behind)
    };
    first && words.take(4).any(&mut is_level)
}

/// Names of levels (RFC 5424 section 6.2.1), and their letters in the logs of phones.
const LEVELS: [&str; 15] = [
    "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL", "TRACE", "V", "D", "I", "W",
    "E", "F",
];

impl Lines {
    /// What a line is. A page that comes without the head of its protocol is none, from its first tag on. Where the server answers with codes, as for files and news, its answers and the
    /// commands before them are said by programs, not by people.
    fn field(&mut self, side: Side, line: &[u8]) -> &'static str {
        self.page[side] |= is_page(line);
        self.head[side] |= is_start(line);
        if self.head[side] {
            return "header";
        }
        if self.page[side] {
            return "markup";
        }
        if is_log(line) {
            return "log-line";
        }
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
        // Behind lines there may be TLS, whatever the protocol called it that agreed on it.
        if input.side == Side::Client {
            match hello(input.bytes) {
                Guess::Sure => {
                    starttls::begin(out);
                    return Step::again(0);
                }
                Guess::More if !input.end => return Step::more(0, input.bytes.len() + 1),
                _ => {}
            }
        }
        let Line { text: line, taken, ends } = match input.line(LONGEST) {
            Ok(line) => line,
            Err(wait) => return wait,
        };
        if ends == LineEnd::Limit {
            out.note("line-too-long");
        }
        if line.is_empty() {
            self.head[input.side] = false;
        } else {
            let (field, line) = match (self.field(input.side, line), line.strip_prefix(b"PASS ")) {
                ("command", Some(password)) => ("password", password),
                (field, _) => (field, line),
            };
            out.message(Child::message().form(Form::Text).field(field), input.side, line);
        }
        Step::again(taken)
    }

    fn gap(&mut self, side: Side, _len: u64, _out: &mut Out<'_, '_>) -> AfterGap {
        if side == Side::Server {
            // The end of an answer may be lost.
            self.open = None;
        }
        AfterGap::Continue
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

    #[test]
    fn heads_of_messages_are_no_lines_that_people_say() {
        let mut rtsp = Lines::default();
        let head = [&b"OPTIONS rtsp://h/a RTSP/1.0"[..], b"User-Agent: VLC media player"];
        assert_eq!(head.map(|line| rtsp.field(Side::Client, line)), ["header"; 2]);
        assert_eq!(rtsp.field(Side::Server, b"RTSP/1.0 200 OK"), "header");
        for line in [&b"we got 3/4.5 of it"[..], b"I like HTTP/2.0", b"RTSP/1.0", b"GET that one"] {
            assert_eq!(Lines::default().field(Side::Client, line), "line");
        }
    }

    #[test]
    fn commands_in_small_letters_and_lines_of_logs_are_told_from_what_people_say() {
        let mut ftp = Lines::default();
        assert_eq!(ftp.field(Side::Server, b"220 ready"), "status-line");
        assert_eq!(ftp.field(Side::Client, b"cwd pub of the day"), "command");
        assert_eq!(ftp.field(Side::Client, b"see you at noon"), "line");
        for line in [
            &b"11-27 10:00:00.000  1234  1234 I ActivityManager: the service was started"[..],
            b"2026-11-27T10:00:00Z INFO the server was started on the port",
            b"[2026-11-27 10:00:00] [ERROR] the disk is almost full",
        ] {
            assert_eq!(Lines::default().field(Side::Server, line), "log-line");
        }
        for line in
            [&b"10:22 I will be at the station"[..], b"2026-11-27 10:00:00 <anna> see you", b"I see 10:30"]
        {
            assert_eq!(Lines::default().field(Side::Server, line), "line", "{line:?}");
        }
    }

    #[test]
    fn a_page_is_not_what_people_say() {
        let mut page = Lines::default();
        for line in [&b"<!DOCTYPE html>"[..], b"Welcome to all of you", b"<P align=left>news of today</P>"] {
            assert_eq!(page.field(Side::Server, line), "markup");
        }
        for line in [&b"I <3 the paddle"[..], b"so <b>not</b> today", b"a <- b", b"if x < p then"] {
            assert_eq!(page.field(Side::Client, line), "line");
        }
    }
}
