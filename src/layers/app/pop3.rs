//! POP3 (RFC 1939, RFC 2449, RFC 5034): commands, replies, mails by RETR and TOP, logins, STLS.

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
    name: "pop3",
    title: "POP3 (RFC 1939)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary, Form::Text],
    answers: |h| matches!(h, Hint::Alpn(a) if a == "pop3"),
    shapes: &[],
    probe: Some(probe),
    facts: &["pop3.command"],
    notes: &["pop3-line-too-long", "pop3-mail-cut-by-gap"],
    open: || Box::new(Pop3::default()),
};

/// Longer than any line of the protocol outside mails.
const LONGEST: usize = 16 << 10;
/// Commands whose reply is awaited.
const PENDING: usize = 256;

fn probe(p: &Probe<'_>) -> Guess {
    let whole = |bytes: &[u8]| bytes.contains(&b'\n');
    if p.bytes.starts_with(b"+OK") || p.bytes.starts_with(b"-ERR") {
        let plain = matches!(p.bytes.get(3), None | Some(b' ' | b'\r' | b'\n' | b'R'));
        return match whole(p.bytes) && plain {
            true => Guess::Sure,
            false if plain && p.bytes.len() < 600 && !p.end => Guess::More,
            false => Guess::No,
        };
    }
    if b"+OK".starts_with(p.bytes) || b"-ERR".starts_with(p.bytes) {
        return if p.end { Guess::No } else { Guess::More };
    }
    // A client that spoke first, or whose server was not recorded.
    let first = ["CAPA", "USER ", "APOP ", "STLS"].iter().any(|w| starts(p.bytes, w));
    let greeted = p.other.starts_with(b"+OK");
    match first && whole(p.bytes) {
        true if greeted || matches!(p.server_port, 110 | 995) => Guess::Sure,
        _ => Guess::No,
    }
}

fn starts(bytes: &[u8], word: &str) -> bool {
    bytes.get(..word.len()).is_some_and(|b| b.eq_ignore_ascii_case(word.as_bytes()))
}

/// What a command's good reply is followed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Line,
    Mail,
    List,
    Tls,
    Login,
}

#[derive(Default)]
struct Pop3 {
    /// The text that the server is sending, and the mail it is, if it is one.
    text: Option<(Dotted, Option<Handle>)>,
    login: Option<Login>,
    greeted: bool,
    spoken: bool,
    pending: VecDeque<Asked>,
    lost: PerSide<bool>,
}

impl Peeler for Pop3 {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let side = input.side;
        if self.pending.contains(&Asked::Tls) && starttls::begins(&input) {
            starttls::begin(out);
            return Step::again(0);
        }
        if !std::mem::replace(&mut self.spoken, true) {
            out.begin_message();
        }
        if side == Side::Server && self.text.is_some() {
            return self.text(&input, out);
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
                    out.note("pop3-line-too-long");
                }
                out.item("rest", Form::Text, side, line.text);
            }
        }
        Step::again(line.taken)
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        match &mut self.text {
            Some((dots, mail)) if side == Side::Server => {
                dots.lose_place();
                if let Some(mail) = *mail {
                    out.note("pop3-mail-cut-by-gap");
                    out.gap(mail, side, len);
                }
            }
            _ => self.lost[side] = true,
        }
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if side == Side::Server {
            self.close_text(out);
        }
    }
}

impl Pop3 {
    fn command(&mut self, line: &[u8], out: &mut Out<'_, '_>) {
        if let Some(login) = &mut self.login {
            return login.line(line, out);
        }
        let at = memchr::memchr(b' ', line).unwrap_or(line.len());
        let name = String::from_utf8_lossy(&line[..at]).to_ascii_uppercase();
        let rest = line.get(at + 1..).unwrap_or_default();
        if name.is_empty() || name.len() > 16 || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return out.item("command", Form::Text, Side::Client, line);
        }
        out.fact("pop3.command", name.as_str());
        let asked = match name.as_str() {
            "RETR" | "TOP" => Asked::Mail,
            "CAPA" => Asked::List,
            "LIST" | "UIDL" if rest.is_empty() => Asked::List,
            "STLS" => Asked::Tls,
            "AUTH" if rest.is_empty() => Asked::List,
            "AUTH" => Asked::Login,
            _ => Asked::Line,
        };
        if self.pending.len() < PENDING {
            self.pending.push_back(asked);
        }
        match name.as_str() {
            "USER" => out.item("login.user", Form::Text, Side::Client, rest),
            "PASS" => out.item("login.password", Form::Text, Side::Client, rest),
            "AUTH" if asked == Asked::Login => {
                let mut words = rest.splitn(2, |b| *b == b' ');
                let mut login = Login::new(words.next().unwrap_or_default());
                if let Some(initial) = words.next() {
                    login.line(initial, out);
                }
                self.login = Some(login);
            }
            _ if !rest.is_empty() => out.item("argument", Form::Text, Side::Client, rest),
            _ => {}
        }
    }

    fn reply(&mut self, line: &[u8], out: &mut Out<'_, '_>) {
        if let Some(challenge) = line.strip_prefix(b"+ ") {
            return out.item("challenge", Form::Text, Side::Server, challenge);
        }
        let good = line.starts_with(b"+OK");
        if !good && !line.starts_with(b"-ERR") {
            return out.item("rest", Form::Text, Side::Server, line);
        }
        let asked = match std::mem::replace(&mut self.greeted, true) {
            true => self.pending.pop_front(),
            // Nothing was asked before the greeting, unless its recording began later.
            false => self.pending.pop_front().filter(|_| good),
        };
        let text = line.splitn(2, |b| *b == b' ').nth(1).unwrap_or_default();
        if asked == Some(Asked::Mail) && good {
            out.begin_message();
        }
        if !text.is_empty() {
            out.item("server-line", Form::Text, Side::Server, text);
        }
        if asked == Some(Asked::Login) {
            self.login = None;
        }
        match asked {
            Some(Asked::Tls) if good => starttls::begin(out),
            Some(Asked::List) if good => self.text = Some((Dotted::new(), None)),
            Some(Asked::Mail) if good => {
                let child = Child::message().form(Form::Text);
                let mail = out.open(child.hint(Hint::ContentType("message/rfc822".into())));
                self.text = Some((Dotted::new(), Some(mail)));
            }
            _ => {}
        }
    }

    fn text(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some((dots, mail)) = &mut self.text else { return Step::again(0) };
        let piece = dots.take(input.bytes, input.end);
        if let Some(mail) = *mail {
            out.feed(mail, Side::Server, &piece.plain);
        }
        if piece.done {
            self.close_text(out);
        } else if piece.consumed < input.bytes.len() {
            return Step::more(piece.consumed, input.bytes.len() - piece.consumed + 1);
        }
        Step::again(piece.consumed)
    }

    fn close_text(&mut self, out: &mut Out<'_, '_>) {
        if let Some((_, Some(mail))) = self.text.take() {
            out.close(mail, Side::Server);
        }
    }
}
