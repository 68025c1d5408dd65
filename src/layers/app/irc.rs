//! IRC (RFC 1459, 2812) with message tags (IRCv3): who says what to whom, line by line.

use crate::model::{PerSide, Side};
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Guess, Handle, Hint, Input, Out, Peeler, Probe, Spec, Step,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// The row.
pub static SPEC: Spec = Spec {
    name: "irc",
    title: "IRC (RFC 2812)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| match h {
        Hint::Alpn(a) => a == "irc",
        Hint::Upgrade(u) => u == "text.ircv3.net" || u == "binary.ircv3.net",
        _ => false,
    },
    shapes: &[],
    probe: Some(probe),
    facts: &["irc.starttls"],
    notes: &["irc-line-too-long", "irc-resynchronised"],
    open: || Box::new(Irc::default()),
};

/// Tags may take 8191 bytes and the rest 512 (IRCv3 message tags); some servers allow more.
const LONGEST: usize = 32 << 10;
const PARAMETERS: usize = 32;

/// One line taken apart.
struct Line<'a> {
    tags: &'a str,
    prefix: &'a str,
    command: &'a str,
    parameters: Vec<&'a str>,
}

/// Reads a line without its end: `@tags :prefix COMMAND a b :the rest`.
fn line(text: &str) -> Option<Line<'_>> {
    let cut = |t: &str| t.find(' ').unwrap_or(t.len());
    let mut rest = text;
    let (mut tags, mut prefix) = ("", "");
    if let Some(t) = rest.strip_prefix('@') {
        let (head, tail) = t.split_at(cut(t));
        (tags, rest) = (head, tail.trim_start_matches(' '));
    }
    if let Some(t) = rest.strip_prefix(':') {
        let (head, tail) = t.split_at(cut(t));
        (prefix, rest) = (head, tail.trim_start_matches(' '));
    }
    let (command, mut rest) = rest.split_at(cut(rest));
    let numeric = command.len() == 3 && command.bytes().all(|b| b.is_ascii_digit());
    let named = (3..=16).contains(&command.len()) && command.bytes().all(|b| b.is_ascii_alphabetic());
    if !numeric && !named {
        return None;
    }
    let mut parameters = Vec::new();
    while !rest.is_empty() {
        rest = rest.trim_start_matches(' ');
        if let Some(last) = rest.strip_prefix(':') {
            parameters.push(last);
            break;
        }
        if parameters.len() + 1 == PARAMETERS {
            parameters.push(rest);
            break;
        }
        let (head, tail) = rest.split_at(cut(rest));
        if !head.is_empty() {
            parameters.push(head);
        }
        rest = tail;
    }
    Some(Line { tags, prefix, command, parameters })
}

/// Whether the first lines can only be IRC.
fn probe(p: &Probe<'_>) -> Guess {
    let more = if p.end { Guess::No } else { Guess::More };
    let bytes = p.bytes.trim_ascii_start();
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return if bytes.len() < 600 && could_begin(bytes) { more } else { Guess::No };
    };
    let (first, rest) = bytes.split_at(end);
    if !may_be_line(first) {
        return Guess::No;
    }
    let text = String::from_utf8_lossy(first.trim_ascii_end());
    let Some(read) = line(&text) else { return Guess::No };
    match fits(&read, p.side) {
        // A password comes first, and other protocols begin with one too.
        Guess::More => match memchr::memchr(b'\n', rest.get(1..).unwrap_or_default()) {
            None => more,
            Some(n) => {
                let second = String::from_utf8_lossy(rest.get(1..=n).unwrap_or_default());
                match line(second.trim_end()).map(|l| fits(&l, p.side)) {
                    Some(Guess::Sure) => Guess::Sure,
                    _ => Guess::No,
                }
            }
        },
        guess => guess,
    }
}

/// Whether a first line begins with a prefix, tags or a command: most others need no reading.
fn may_be_line(line: &[u8]) -> bool {
    let command = line.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    let behind = line.get(command).copied();
    line.len() <= LONGEST
        && (matches!(line.first(), Some(b':' | b'@'))
            || (3..=16).contains(&command) && behind.is_none_or(|b| b.is_ascii_whitespace()))
}

fn could_begin(bytes: &[u8]) -> bool {
    let head = bytes.get(..8.min(bytes.len())).unwrap_or_default();
    let words = ["NICK ", "USER ", "CAP ", "PASS ", "PRIVMSG ", "NOTICE ", "STARTTLS", "JOIN "];
    matches!(head.first(), None | Some(b':' | b'@'))
        || words.iter().any(|w| head.starts_with(w.as_bytes()) || w.as_bytes().starts_with(head))
}

/// How well a first line fits.
fn fits(l: &Line<'_>, side: Side) -> Guess {
    let numeric = l.command.bytes().all(|b| b.is_ascii_digit());
    let n = l.parameters.len();
    let sure = |yes: bool| if yes { Guess::Sure } else { Guess::No };
    if side == Side::Server {
        let person = l.prefix.contains('!') && l.prefix.contains('@');
        let speaks = matches!(l.command, "NOTICE" | "PRIVMSG" | "CAP" | "MODE" | "JOIN" | "PING");
        return match l.prefix.is_empty() {
            true => sure(l.command == "NOTICE" && n == 2),
            false => sure((numeric || speaks || person) && n >= 1),
        };
    }
    let first = l.parameters.first().copied().unwrap_or("");
    match l.command.to_ascii_uppercase().as_str() {
        "CAP" => sure(["LS", "REQ", "END", "LIST"].iter().any(|w| first.eq_ignore_ascii_case(w))),
        "NICK" => sure((1..=2).contains(&n)),
        "USER" => sure(n == 4),
        "PRIVMSG" | "NOTICE" => sure(n == 2),
        "JOIN" => sure(first.starts_with(['#', '&', '+', '!'])),
        "PASS" if n >= 1 => Guess::More,
        "STARTTLS" if n == 0 => Guess::More,
        _ => Guess::No,
    }
}

#[derive(Default)]
struct Irc {
    nick: String,
    mechanism: String,
    /// The rest of a line that was too long.
    overlong: PerSide<bool>,
    tunnel: Option<Handle>,
}

impl Peeler for Irc {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if let Some(tunnel) = self.tunnel {
            out.feed(tunnel, input.side, input.bytes);
            return Step::again(input.bytes.len());
        }
        let window = input.bytes.get(..LONGEST.min(input.bytes.len())).unwrap_or_default();
        let (end, next) = match memchr::memchr(b'\n', window) {
            Some(at) => (at, at + 1),
            None if window.len() == LONGEST => (LONGEST, LONGEST),
            None if input.end => (window.len(), window.len()),
            None => return Step::more(0, window.len() + 1),
        };
        let whole = end < next || next < LONGEST;
        let continued = std::mem::replace(&mut self.overlong[input.side], !whole);
        let bytes = input.bytes.get(..end).unwrap_or_default();
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if !whole && !continued {
            out.note("irc-line-too-long");
        }
        if !bytes.is_empty() {
            out.begin_message();
            let text = decoded(bytes);
            match line(&text).filter(|_| !continued) {
                Some(read) => self.command(&read, input.side, out),
                None => out.item("line", Form::Text, input.side, text.as_bytes()),
            }
        }
        Step::again(next)
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        match self.tunnel {
            Some(tunnel) => out.gap(tunnel, side, len),
            None => {
                // The line behind the gap begins somewhere in its middle.
                self.overlong[side] = true;
                out.note("irc-resynchronised");
            }
        }
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some(tunnel) = self.tunnel {
            out.close(tunnel, side);
        }
    }
}

impl Irc {
    fn command(&mut self, l: &Line<'_>, side: Side, out: &mut Out<'_, '_>) {
        let sender = l.prefix.split('!').next().unwrap_or("");
        let sender = if sender.is_empty() && side == Side::Client { self.nick.as_str() } else { sender };
        out.label("from", sender);
        let addressed = l.command.bytes().all(|b| b.is_ascii_alphabetic());
        out.label("to", if addressed { l.parameters.first().copied().unwrap_or("") } else { "" });
        if !l.prefix.is_empty() {
            out.item("sender", Form::Text, side, l.prefix.as_bytes());
        }
        for tag in l.tags.split(';').filter(|t| !t.is_empty()).take(PARAMETERS) {
            let (name, value) = tag.split_once('=').unwrap_or((tag, ""));
            if !value.is_empty() {
                out.item(&format!("tag.{name}"), Form::Text, side, value.as_bytes());
            }
        }
        let command = l.command.to_ascii_lowercase();
        match command.as_str() {
            "privmsg" | "notice" => return speech(&command, l, side, out),
            "nick" if side == Side::Client && l.prefix.is_empty() => {
                self.nick = l.parameters.first().copied().unwrap_or("").to_owned();
            }
            "authenticate" => return self.authenticate(l, side, out),
            "670" if side == Side::Server => {
                out.fact("irc.starttls", true);
                self.tunnel = Some(out.open(Child::stream().hint(Hint::Upgrade("starttls".into()))));
                return;
            }
            _ => {}
        }
        for (i, value) in l.parameters.iter().enumerate() {
            let field = field(&command, i, l.parameters.len());
            out.item(&field, Form::Text, side, clean(value).as_bytes());
        }
    }

    /// SASL (IRCv3): the mechanism, then base64.
    fn authenticate(&mut self, l: &Line<'_>, side: Side, out: &mut Out<'_, '_>) {
        let value = l.parameters.first().copied().unwrap_or("");
        let known = value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
        if value == "+" || value == "*" || known && value.len() < 32 && !value.is_empty() {
            if side == Side::Client && known {
                self.mechanism = value.to_owned();
            }
            return out.item("authenticate", Form::Text, side, value.as_bytes());
        }
        let bytes = STANDARD.decode(value).unwrap_or_else(|_| value.as_bytes().to_vec());
        let parts: Vec<&[u8]> = bytes.split(|b| *b == 0).collect();
        match parts.as_slice() {
            [_, user, password] if self.mechanism == "PLAIN" => {
                out.item("auth.username", Form::Text, side, user);
                out.item("auth.password", Form::Plain, side, password);
            }
            _ => {
                let form = if std::str::from_utf8(&bytes).is_ok() { Form::Text } else { Form::Binary };
                out.item("auth", form, side, &bytes);
            }
        }
    }
}

/// PRIVMSG and NOTICE: between people, with a service, from the server, or between programs (CTCP).
fn speech(command: &str, l: &Line<'_>, side: Side, out: &mut Out<'_, '_>) {
    let (Some(target), Some(text)) = (l.parameters.first(), l.parameters.get(1)) else { return };
    out.item("target", Form::Text, side, target.as_bytes());
    let from_server = side == Side::Server && !l.prefix.contains('!');
    let peer = if side == Side::Client { *target } else { l.prefix.split('!').next().unwrap_or("") };
    if is_service(peer) || is_service(target) {
        return service(text, side, out);
    }
    if let Some(inner) = text.strip_prefix('\u{1}') {
        let inner = inner.strip_suffix('\u{1}').unwrap_or(inner);
        return match inner.split_once(' ') {
            Some(("ACTION", action)) => out.item("message", Form::Text, side, clean(action).as_bytes()),
            _ => out.item("ctcp", Form::Text, side, clean(inner).as_bytes()),
        };
    }
    let field = if from_server && command == "notice" { "server_notice" } else { "message" };
    out.item(field, Form::Text, side, clean(text).as_bytes());
}

/// Programs of the network that keep names and channels.
fn is_service(nick: &str) -> bool {
    let nick = nick.split('@').next().unwrap_or("").to_ascii_lowercase();
    ["nickserv", "chanserv", "memoserv", "operserv", "hostserv", "botserv", "saslserv", "authserv", "q"]
        .contains(&nick.as_str())
}

/// What is said to a service or by it: mostly commands, and the password of a name.
fn service(text: &str, side: Side, out: &mut Out<'_, '_>) {
    let mut words = text.split_whitespace();
    let verb = words.next().unwrap_or("").to_ascii_lowercase();
    let memo = verb == "send" && side == Side::Client;
    if side == Side::Client && ["identify", "register", "auth", "login", "ghost"].contains(&verb.as_str()) {
        let rest = words.collect::<Vec<_>>().join(" ");
        return out.item("password", Form::Plain, side, rest.as_bytes());
    }
    out.item(if memo { "message" } else { "service" }, Form::Text, side, clean(text).as_bytes());
}

/// Field of a parameter: by meaning where it says something of people, else command and place.
fn field(command: &str, place: usize, count: usize) -> Cow<'static, str> {
    let last = place + 1 == count;
    let name = match (command, place) {
        ("user", 3) | ("311" | "314", 5) | ("setname", 0) => "realname",
        ("352" | "354", _) if last => "realname",
        ("topic", 1) => "topic",
        ("332", 2) => "topic",
        ("322", 3) => "topic",
        ("nick", 0) => "nick",
        ("quit", 0) => "quit",
        ("part", 1) | ("kick", 2) => "part",
        ("away", 0) | ("301", 2) => "away",
        ("pass", 0) | ("oper", 1) => "password",
        _ => return Cow::Owned(format!("{command}.{place}")),
    };
    Cow::Borrowed(name)
}

/// UTF-8, or else Latin-1, which old clients send.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect()),
    }
}

/// Text without the codes for colour and style.
fn clean(text: &str) -> Cow<'_, str> {
    let styled =
        |c: char| matches!(c, '\u{2}'..='\u{4}' | '\u{f}' | '\u{11}' | '\u{16}' | '\u{1d}'..='\u{1f}');
    if !text.contains(styled) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(styled) {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        let colour = tail.starts_with('\u{3}');
        rest = tail.get(1..).unwrap_or("");
        if colour {
            rest = behind_colour(rest);
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Passes over `12,04`.
fn behind_colour(text: &str) -> &str {
    let digits = |t: &str| t.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let n = digits(text);
    let rest = text.get(n..).unwrap_or("");
    match rest.strip_prefix(',').map(|t| (t, digits(t))) {
        Some((t, m)) if n > 0 && m > 0 => t.get(m..).unwrap_or(""),
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probed(bytes: &[u8], side: Side) -> Guess {
        let form = Form::Binary;
        probe(&Probe {
            bytes,
            side,
            other: &[],
            end: false,
            form,
            server_port: 6667,
            stated: false,
            known: false,
            before: &[],
            keys: &Default::default(),
        })
    }

    #[test]
    fn lines_are_taken_apart() {
        let l = line("@id=1;+typing=done :al!a@h PRIVMSG #r  x :see : you ").unwrap();
        assert_eq!((l.tags, l.prefix, l.command), ("id=1;+typing=done", "al!a@h", "PRIVMSG"));
        assert_eq!(l.parameters, ["#r", "x", "see : you "]);
        assert!(line("see you at the old bridge").is_some_and(|l| l.command == "see"));
        assert!(line("").is_none() && line(": ").is_none() && line("@").is_none());
    }

    #[test]
    fn only_irc_is_claimed() {
        assert_eq!(probed(b"NICK al\r\n", Side::Client), Guess::Sure);
        assert_eq!(probed(b"CAP LS 302\r\n", Side::Client), Guess::Sure);
        assert_eq!(probed(b"PASS x\r\nNICK al\r\n", Side::Client), Guess::Sure);
        assert_eq!(probed(b"PASS x\r\n", Side::Client), Guess::More);
        assert_eq!(probed(b":h.example 001 al :hi\r\n", Side::Server), Guess::Sure);
        assert_eq!(probed(b"NOTICE AUTH :*** Looking up\r\n", Side::Server), Guess::Sure);
        // The openings of POP3, FTP and SMTP.
        assert_eq!(probed(b"USER al\r\nPASS x\r\n", Side::Client), Guess::No);
        assert_eq!(probed(b"PASS x\r\nSTAT\r\n", Side::Client), Guess::No);
        assert_eq!(probed(b"CAPA\r\n", Side::Client), Guess::No);
        assert_eq!(probed(b"EHLO a.example\r\n", Side::Client), Guess::No);
        assert_eq!(probed(b"220 a.example ESMTP\r\n", Side::Server), Guess::No);
    }

    #[test]
    fn styles_are_taken_out_and_nothing_else() {
        assert_eq!(clean("\u{3}04,12red\u{3} \u{2}bold\u{f} 1,2 \u{3}5,x"), "red bold 1,2 ,x");
        assert_eq!(clean("\u{3}"), "");
        assert_eq!(decoded(b"caf\xe9"), "caf\u{e9}");
    }
}
