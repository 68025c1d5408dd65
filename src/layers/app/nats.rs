//! NATS, client protocol: what is published under which subject, what is delivered, and TLS behind the server's greeting.

use super::starttls;
use crate::model::{Bucket, Side};
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Guess, Input, Line, LineEnd, Out, Peeler, Probe, Spec, Step,
};
use serde_json::Value;

/// The row.
pub static SPEC: Spec = Spec {
    name: "nats",
    title: "NATS client protocol",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Text, Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &["nats.tls"],
    notes: &["nats-line-malformed", "nats-message-too-long"],
    open: || Box::new(Nats),
};

/// A line of control; the server's greeting is the longest.
const LINE: usize = 64 << 10;
/// How a server and a client begin: the greeting's first key is the server's name, and a client states its options.
const GREETING: &[u8] = b"INFO {\"server_id\":\"";
const OPTIONS: &[u8] = b"CONNECT {\"";

fn probe(p: &Probe<'_>) -> Guess {
    let mark = if p.side == Side::Server { GREETING } else { OPTIONS };
    match p.bytes {
        [] => Guess::More,
        bytes if bytes.starts_with(mark) => Guess::Sure,
        bytes if mark.starts_with(bytes) && !p.end => Guess::More,
        _ => Guess::No,
    }
}

/// A message whose line was read: where it goes, and the sizes of its headers and of the whole.
struct Head {
    subject: String,
    headers: usize,
    size: usize,
}

struct Nats;

/// `PUB subject [reply] size`, `HPUB subject [reply] headers size`, `MSG subject sid [reply] size` and
/// `HMSG subject sid [reply] headers size`; nothing for other lines.
fn head(line: &str) -> Option<Option<Head>> {
    let mut words = line.split_ascii_whitespace();
    let (fixed, headers) = match words.next()?.to_ascii_uppercase().as_str() {
        "PUB" => (1, false),
        "HPUB" => (1, true),
        "MSG" => (2, false),
        "HMSG" => (2, true),
        _ => return None,
    };
    let words: Vec<&str> = words.collect();
    let sizes = 1 + usize::from(headers);
    if !(fixed + sizes..=fixed + sizes + 1).contains(&words.len()) {
        return Some(None);
    }
    let number = |back: usize| words.get(words.len() - back)?.parse::<usize>().ok();
    let read = || {
        let size = number(1)?;
        let headers = if headers { number(2)? } else { 0 };
        (headers <= size).then(|| Head {
            subject: words.first().copied().unwrap_or_default().to_owned(),
            headers,
            size,
        })
    };
    Some(read())
}

impl Peeler for Nats {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let (side, bytes) = (input.side, input.bytes);
        if bytes.first() == Some(&0x16) {
            // A handshake record: no line begins so.
            out.fact("nats.tls", true);
            starttls::begin(out);
            return Step::again(0);
        }
        let Line { text: line, taken, ends } = match input.line(LINE) {
            Ok(line) => line,
            Err(wait) => return wait,
        };
        let Ok(line) = std::str::from_utf8(line) else { return Step::die("nats-line-malformed") };
        let head = match head(line) {
            None => {
                control(line, side, out);
                return Step::again(taken);
            }
            Some(Some(head)) if ends != LineEnd::Limit => head,
            Some(_) => return Step::die("nats-line-malformed"),
        };
        if head.size > out.limits().message {
            out.note("nats-message-too-long");
            return Step::skip(taken, (head.size as u64).saturating_add(2), Bucket::Cut);
        }
        let whole = taken + head.size + 2;
        let Some(body) = bytes.get(taken..taken + head.size).filter(|_| bytes.len() >= whole) else {
            return Step::more(0, whole);
        };
        show(&head, body, side, out);
        Step::again(whole)
    }

    fn gap(&mut self, _side: Side, _len: u64, _out: &mut Out<'_, '_>) -> AfterGap {
        AfterGap::Continue
    }
}

/// Words that lines of control begin with, besides those of messages.
const CONTROL: [&str; 8] = ["INFO", "CONNECT", "SUB", "UNSUB", "PING", "PONG", "+OK", "-ERR"];

/// Who a client says it is, and what else lines of control hold in words.
fn control(line: &str, side: Side, out: &mut Out<'_, '_>) {
    out.begin_message();
    let (word, options) = line.split_once(' ').unwrap_or((line, ""));
    if !CONTROL.contains(&word.to_ascii_uppercase().as_str()) {
        // Behind a gap, the rest of a message.
        return out.item("payload", Form::Text, side, line.as_bytes());
    }
    let Ok(Value::Object(options)) = serde_json::from_str(options) else {
        let field = if word == "-ERR" { "error" } else { "options" };
        return out.item(field, Form::Text, side, options.as_bytes());
    };
    let named = [
        ("user", "username"),
        ("pass", "password"),
        ("auth_token", "auth.token"),
        ("jwt", "auth.jwt"),
        ("name", "client-name"),
    ];
    for (key, value) in options {
        let known = named.iter().find(|(k, _)| *k == key && word == "CONNECT").map(|(_, field)| *field);
        let field = known.map_or_else(|| format!("options.{key}"), str::to_owned);
        match value {
            Value::String(text) => out.item(&field, Form::Text, side, text.as_bytes()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            list => out.item(&field, Form::Text, side, list.to_string().as_bytes()),
        }
    }
}

fn show(head: &Head, body: &[u8], side: Side, out: &mut Out<'_, '_>) {
    out.begin_message();
    out.label("topic", &head.subject);
    out.item("channel", Form::Text, side, head.subject.as_bytes());
    let (headers, payload) = body.split_at_checked(head.headers).unwrap_or((&[], body));
    // The first line is the version, and may hold a status.
    for line in headers.split(|b| *b == b'\n').skip(1) {
        let line = String::from_utf8_lossy(line);
        if let Some((name, value)) = line.trim_end().split_once(':') {
            let field = format!("header.{}", name.to_ascii_lowercase());
            out.item(&field, Form::Text, side, value.trim_start().as_bytes());
        }
    }
    if payload.is_empty() {
        return;
    }
    let form = if std::str::from_utf8(payload).is_ok() { Form::Text } else { Form::Binary };
    out.message(Child::message().form(form).field("payload"), side, payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_message_says_how_long_it_and_its_headers_are() {
        let read = |line| head(line).map(|h| h.map(|h| (h.subject, h.headers, h.size)));
        assert_eq!(read("PUB room 5"), Some(Some(("room".into(), 0, 5))));
        assert_eq!(read("pub room back 5"), Some(Some(("room".into(), 0, 5))));
        assert_eq!(read("HPUB room 12 17"), Some(Some(("room".into(), 12, 17))));
        assert_eq!(read("HMSG room 1 back 12 17"), Some(Some(("room".into(), 12, 17))));
        assert_eq!(read("MSG room 1 5"), Some(Some(("room".into(), 0, 5))));
        assert_eq!(read("PUB room"), Some(None));
        assert_eq!(read("PUB room five"), Some(None));
        assert_eq!(read("HPUB room 18 17"), Some(None));
        assert_eq!(read("SUB room 1"), None);
    }
}
