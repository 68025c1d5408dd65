//! SMTP and LMTP (RFC 5321, RFC 2033): commands, replies, mails by DATA and BDAT, logins, STARTTLS.

use super::dotted::Dotted;
use super::login::Login;
use super::starttls;
use crate::model::{PerSide, Side};
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Guess, Handle, Hint, Input, Out, Part, Peeler, Probe, Spec, Step,
};
use std::collections::VecDeque;

/// The row.
pub static SPEC: Spec = Spec {
    name: "smtp",
    title: "SMTP and LMTP (RFC 5321)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary, Form::Text],
    answers: |h| matches!(h, Hint::Alpn(a) if a == "smtp" || a == "lmtp"),
    shapes: &[],
    probe: Some(probe),
    facts: &["smtp.command"],
    notes: &["smtp-line-too-long", "smtp-mail-cut-by-gap"],
    open: || Box::new(Smtp::default()),
};

/// Longer than any line that RFC 5321 and its extensions allow.
const LONGEST: usize = 16 << 10;
/// Commands whose reply is awaited.
const PENDING: usize = 256;
/// Addresses named on a mail.
const RECIPIENTS: usize = 64;

const VERBS: [&str; 16] = [
    "EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "VRFY", "EXPN", "HELP", "NOOP", "QUIT",
    "AUTH", "STARTTLS", "XCLIENT",
];

fn verb(line: &[u8]) -> Option<&'static str> {
    let word = line.split(|b| matches!(b, b' ' | b'\r' | b'\n')).next().unwrap_or_default();
    VERBS.into_iter().find(|v| word.eq_ignore_ascii_case(v.as_bytes()))
}

/// A whole reply line: three digits, a space or hyphen, and text.
fn reply(line: &[u8]) -> bool {
    let code = line.len() >= 3 && matches!(line[0], b'2'..=b'5') && line[1..3].iter().all(u8::is_ascii_digit);
    code && line.get(3).is_none_or(|b| matches!(b, b' ' | b'-' | b'\r' | b'\n'))
}

fn probe(p: &Probe<'_>) -> Guess {
    let hello = |bytes: &[u8]| {
        // The three words begin alike: most bytes are turned away by their first.
        let end = match bytes.first() {
            Some(b'E' | b'e' | b'H' | b'h' | b'L' | b'l') => memchr::memchr(b'\n', bytes),
            _ => None,
        };
        end.is_some_and(|end| matches!(verb(&bytes[..end]), Some("EHLO" | "HELO" | "LHLO")))
    };
    let greeting = |bytes: &[u8]| bytes.starts_with(b"220 ") || bytes.starts_with(b"220-");
    let named = |bytes: &[u8]| {
        let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default().to_ascii_uppercase();
        [&b"SMTP"[..], b"LMTP"].iter().any(|w| line.windows(4).any(|x| x == *w))
    };
    if hello(p.bytes) {
        return Guess::Sure;
    }
    if greeting(p.bytes) {
        return match () {
            () if hello(p.other) || p.bytes.contains(&b'\n') && named(p.bytes) => Guess::Sure,
            // An FTP server greets the same way: the port, or the client's first word, tells.
            () if matches!(p.server_port, 25 | 587 | 465 | 2525 | 24) => Guess::Sure,
            () if p.end || p.bytes.len() > 4096 => Guess::No,
            () if p.other.is_empty() => Guess::More,
            () => Guess::No,
        };
    }
    let word = p.bytes.split(|b| *b == b' ').next().unwrap_or_default();
    let beginning = |v: &&str| word.len() <= 4 && v.as_bytes()[..word.len()].eq_ignore_ascii_case(word);
    match ["EHLO", "HELO", "LHLO"].iter().any(beginning) || b"220 ".starts_with(p.bytes) {
        true if !p.bytes.contains(&b'\n') && p.bytes.len() < 600 => Guess::More,
        _ => Guess::No,
    }
}

/// What the client's next bytes are.
#[derive(Debug, Default)]
enum Mode {
    #[default]
    Command,
    /// A mail, unless the reply to DATA refuses it.
    Data(Dotted),
    /// What is left of a chunk, and whether it is the last.
    Chunk(u64, bool),
    /// A line of a login.
    Login(Login),
}

#[derive(Default)]
struct Smtp {
    mode: Mode,
    mail: Option<Handle>,
    begun: bool,
    from: String,
    to: Vec<String>,
    pending: VecDeque<&'static str>,
    /// STARTTLS was asked for.
    asked: bool,
    lost: PerSide<bool>,
    /// The session's own scope, for what comes before the first mail, was begun.
    spoken: bool,
}

impl Peeler for Smtp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let (side, bytes) = (input.side, input.bytes);
        if self.asked && starttls::begins(&input) {
            starttls::begin(out);
            return Step::again(0);
        }
        if side == Side::Client {
            match &mut self.mode {
                Mode::Data(dots) => {
                    let piece = dots.take(bytes, input.end);
                    self.give(&piece.plain, out);
                    if piece.done {
                        self.close_mail(out);
                        self.mode = Mode::Command;
                    } else if piece.consumed < bytes.len() {
                        return Step::more(piece.consumed, bytes.len() - piece.consumed + 1);
                    }
                    return Step::again(piece.consumed);
                }
                Mode::Chunk(left, last) => {
                    let n = (*left).min(bytes.len() as u64) as usize;
                    *left -= n as u64;
                    let done = (*left == 0).then_some(*last);
                    self.give(&bytes[..n], out);
                    if let Some(last) = done {
                        self.mode = Mode::Command;
                        if last {
                            self.close_mail(out);
                        }
                    }
                    return Step::again(n);
                }
                Mode::Command | Mode::Login(_) => {}
            }
        }
        if !std::mem::replace(&mut self.spoken, true) {
            out.begin_message();
        }
        let line = match input.line(LONGEST) {
            Ok(line) => line,
            Err(wait) => return wait,
        };
        match (line.part(&mut self.lost[side]), side) {
            (Part::Whole, Side::Client) => self.command(line.text, out),
            (Part::Whole, Side::Server) => self.reply(line.text, out),
            (part, _) => {
                if part == Part::Head {
                    out.note("smtp-line-too-long");
                }
                out.item("rest", Form::Text, side, line.text);
            }
        }
        Step::again(line.taken)
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        if side == Side::Client {
            match &mut self.mode {
                Mode::Data(dots) => dots.lose_place(),
                Mode::Chunk(left, _) if *left >= len => *left -= len,
                Mode::Chunk(..) | Mode::Login(_) => {
                    self.close_mail(out);
                    self.mode = Mode::Command;
                    self.lost[side] = true;
                }
                Mode::Command => self.lost[side] = true,
            }
            if let Some(mail) = self.mail {
                out.note("smtp-mail-cut-by-gap");
                out.gap(mail, side, len);
            }
        } else {
            self.lost[side] = true;
        }
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if side == Side::Client {
            self.close_mail(out);
        }
    }
}

impl Smtp {
    fn command(&mut self, line: &[u8], out: &mut Out<'_, '_>) {
        let known = verb(line);
        // A login may take several lines; the reply ends it.
        if let Mode::Login(login) = &mut self.mode {
            match known {
                None => return login.line(line, out),
                Some(_) => self.mode = Mode::Command,
            }
        }
        let Some(verb) = known else {
            if !line.is_empty() {
                out.item("command", Form::Text, Side::Client, line);
                self.await_reply("?");
            }
            return;
        };
        self.await_reply(verb);
        out.fact("smtp.command", verb);
        let rest = line.get(verb.len()..).unwrap_or_default().trim_ascii();
        match verb {
            "MAIL" => {
                self.begin(out);
                self.from = address(rest);
                self.to.clear();
                out.item("mail.from", Form::Text, Side::Client, self.from.as_bytes());
            }
            "RCPT" => {
                let to = address(rest);
                out.item("rcpt.to", Form::Text, Side::Client, to.as_bytes());
                if self.to.len() < RECIPIENTS {
                    self.to.push(to);
                }
            }
            "DATA" => self.mode = Mode::Data(Dotted::new()),
            "BDAT" => self.chunk(rest, out),
            "AUTH" => {
                let mut words = rest.splitn(2, |b| *b == b' ');
                let mut login = Login::new(words.next().unwrap_or_default());
                if let Some(initial) = words.next() {
                    login.line(initial.trim_ascii(), out);
                }
                self.mode = Mode::Login(login);
            }
            "STARTTLS" => self.asked = true,
            "RSET" => self.close_mail(out),
            _ if !rest.is_empty() => {
                let field = if verb.ends_with("LO") { "hello" } else { "argument" };
                out.item(field, Form::Text, Side::Client, rest);
            }
            _ => {}
        }
    }

    fn chunk(&mut self, rest: &[u8], out: &mut Out<'_, '_>) {
        let text = String::from_utf8_lossy(rest);
        let mut words = text.split_whitespace();
        let len: u64 = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let last = words.next().is_some_and(|w| w.eq_ignore_ascii_case("LAST"));
        if len > 0 {
            self.mode = Mode::Chunk(len, last);
        } else if last {
            self.close_mail(out);
        }
    }

    fn reply(&mut self, line: &[u8], out: &mut Out<'_, '_>) {
        if !reply(line) {
            return out.item("server-line", Form::Text, Side::Server, line);
        }
        let (code, text) = line.split_at(3);
        if let Some(text) = text.get(1..).filter(|t| !t.is_empty()) {
            let field = if code == b"334" { "challenge" } else { "server-line" };
            out.item(field, Form::Text, Side::Server, text);
        }
        if text.first() == Some(&b'-') {
            return;
        }
        if code == b"220" && self.pending.is_empty() && !self.asked {
            return;
        }
        let asked = self.pending.pop_front();
        let refused = matches!(code[0], b'4' | b'5');
        match asked {
            Some("STARTTLS") if code == b"220" => starttls::begin(out),
            Some("STARTTLS") => self.asked = false,
            // Nothing of the mail has come: the client saw the refusal and goes on with commands.
            Some("DATA") if refused && self.mail.is_none() && matches!(self.mode, Mode::Data(_)) => {
                self.mode = Mode::Command;
            }
            Some("AUTH") if code == b"334" => self.pending.push_front("AUTH"),
            Some("AUTH") if matches!(self.mode, Mode::Login(_)) => self.mode = Mode::Command,
            _ => {}
        }
    }

    fn await_reply(&mut self, verb: &'static str) {
        if self.pending.len() < PENDING {
            self.pending.push_back(verb);
        }
    }

    fn begin(&mut self, out: &mut Out<'_, '_>) {
        self.close_mail(out);
        out.begin_message();
        self.begun = true;
    }

    fn give(&mut self, bytes: &[u8], out: &mut Out<'_, '_>) {
        if bytes.is_empty() {
            return;
        }
        if self.mail.is_none() {
            if !std::mem::take(&mut self.begun) {
                out.begin_message();
            }
            let mut child = Child::message()
                .form(Form::Text)
                .hint(Hint::ContentType("message/rfc822".into()))
                .label("from", &self.from);
            if !self.to.is_empty() {
                child = child.label("to", &self.to.join(", "));
            }
            self.mail = Some(out.open(child));
        }
        if let Some(mail) = self.mail {
            out.feed(mail, Side::Client, bytes);
        }
    }

    fn close_mail(&mut self, out: &mut Out<'_, '_>) {
        if let Some(mail) = self.mail.take() {
            out.close(mail, Side::Client);
        }
    }
}

/// The address of `FROM:<a@b> SIZE=1`.
fn address(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let text = text.split_once(':').map_or(&*text, |(_, t)| t).trim();
    match text.strip_prefix('<').and_then(|t| t.split_once('>')) {
        Some((inner, _)) => inner.to_owned(),
        None => text.split_whitespace().next().unwrap_or("").to_owned(),
    }
}
