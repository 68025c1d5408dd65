//! IRC (RFC 1459, 2812) with message tags (IRCv3): who says what to whom, line by line.

mod grammar;
mod probe;
#[cfg(test)]
mod tests;

use super::starttls;
use crate::model::{PerSide, Side};
use crate::peel::{AfterGap, Eats, Family, Form, Hint, Input, Out, Part, Peeler, Spec, Step};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grammar::{LONGEST, Line, PARAMETERS, clean, decoded, line};
use probe::probe;
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
        Hint::Upgrade(u) => super::IRC_SUBPROTOCOLS.contains(&u.as_str()),
        _ => false,
    },
    shapes: &[],
    probe: Some(probe),
    facts: &["irc.starttls"],
    notes: &["irc-line-too-long", "irc-resynchronised"],
    open: || Box::new(Irc::default()),
};

#[derive(Default)]
struct Irc {
    nick: String,
    mechanism: String,
    /// The rest of a line that was too long.
    overlong: PerSide<bool>,
}

impl Peeler for Irc {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let piece = match input.line(LONGEST) {
            Ok(piece) => piece,
            Err(wait) => return wait,
        };
        let part = piece.part(&mut self.overlong[input.side]);
        if part == Part::Head {
            out.note("irc-line-too-long");
        }
        if !piece.text.is_empty() {
            out.begin_message();
            let text = decoded(piece.text);
            match line(&text).filter(|_| part != Part::Rest) {
                Some(read) => self.command(&read, input.side, out),
                None => out.item("line", Form::Text, input.side, text.as_bytes()),
            }
        }
        Step::again(piece.taken)
    }

    fn gap(&mut self, side: Side, _len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        // The line behind the gap begins somewhere in its middle.
        self.overlong[side] = true;
        out.note("irc-resynchronised");
        AfterGap::Continue
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
                return starttls::begin(out);
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
