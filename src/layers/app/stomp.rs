//! STOMP 1.0 to 1.2, over TCP and WebSocket: what is sent to which destination, and by whom.

use crate::model::{Bucket, Side};
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "stomp",
    title: "STOMP 1.0 to 1.2",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Text, Form::Binary],
    answers: |h| matches!(h, Hint::Upgrade(u) if matches!(u.as_str(), "stomp" | "v10.stomp" | "v11.stomp" | "v12.stomp")),
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &["stomp-frame-malformed", "stomp-frame-too-long"],
    open: || Box::new(Stomp),
};

const COMMANDS: [&str; 15] = [
    "CONNECT",
    "STOMP",
    "CONNECTED",
    "SEND",
    "MESSAGE",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "BEGIN",
    "COMMIT",
    "ABORT",
    "ACK",
    "NACK",
    "DISCONNECT",
    "RECEIPT",
    "ERROR",
];
/// Headers that the protocol and its brokers give messages.
const STANDARD: [&str; 10] = [
    "destination",
    "content-type",
    "content-length",
    "receipt",
    "transaction",
    "message-id",
    "subscription",
    "ack",
    "redelivered",
    "persistent",
];
/// Bytes of a command with its headers.
const HEAD: usize = 16 * 1024;

fn probe(p: &Probe<'_>) -> Guess {
    let window = p.bytes.get(..16).unwrap_or(p.bytes);
    let Some(end) = memchr::memchr(b'\n', window) else {
        let begins = COMMANDS.iter().any(|c| c.as_bytes().starts_with(window));
        return if begins && !window.is_empty() && !p.end { Guess::More } else { Guess::No };
    };
    let command = window.get(..end).unwrap_or_default().trim_ascii_end();
    if !COMMANDS.iter().any(|c| c.as_bytes() == command) {
        return Guess::No;
    }
    match head(p.bytes) {
        Some(h) if h.headers.iter().all(|(n, _)| n.bytes().all(|b| b.is_ascii_graphic())) => Guess::Sure,
        Some(_) => Guess::No,
        None if p.end || p.bytes.len() > HEAD => Guess::No,
        None => Guess::More,
    }
}

/// A frame's command and headers, and how many bytes they take.
struct Head<'a> {
    command: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    taken: usize,
}

fn head(bytes: &[u8]) -> Option<Head<'_>> {
    let window = bytes.get(..HEAD).unwrap_or(bytes);
    let end = memchr::memmem::find(window, b"\n\n").map(|at| (at, at + 2));
    let wide = memchr::memmem::find(window, b"\r\n\r\n").map(|at| (at, at + 4));
    let (end, taken) = end.into_iter().chain(wide).min()?;
    let text = std::str::from_utf8(window.get(..end)?).ok()?;
    let mut lines = text.lines();
    let command = lines.next()?.trim_end();
    let headers = lines.map(|l| l.split_once(':')).collect::<Option<Vec<_>>>()?;
    Some(Head { command, headers, taken })
}

impl Head<'_> {
    /// The first header of a name: later ones are older values (STOMP 1.2, repeated header entries).
    fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
    }
}

struct Stomp;

impl Peeler for Stomp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let beats = input.bytes.iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
        if beats > 0 {
            return Step::again(beats);
        }
        let Some(head) = head(input.bytes) else {
            return match input.bytes.len() > HEAD {
                true => Step::die("stomp-frame-malformed"),
                false => Step::more(0, input.bytes.len() + 1),
            };
        };
        if !COMMANDS.contains(&head.command) {
            return Step::die("stomp-frame-malformed");
        }
        let rest = input.bytes.get(head.taken..).unwrap_or_default();
        let stated = head.value("content-length").and_then(|v| v.trim().parse::<usize>().ok());
        let len = match stated.or_else(|| memchr::memchr(0, rest)) {
            Some(len) => len,
            None if rest.len() > out.limits().message => {
                out.note("stomp-frame-too-long");
                return Step { consumed: input.bytes.len(), then: crate::peel::Then::Rest(Bucket::Cut) };
            }
            None => return Step::more(0, input.bytes.len() + 1),
        };
        if len > out.limits().message {
            out.note("stomp-frame-too-long");
            return Step::skip(head.taken, (len as u64).saturating_add(1), Bucket::Cut);
        }
        let Some(body) = rest.get(..len).filter(|_| rest.len() > len) else {
            return Step::more(0, head.taken + len + 1);
        };
        show(&head, body, input.side, out);
        Step::again(head.taken + len + 1)
    }
}

fn show(head: &Head<'_>, body: &[u8], side: Side, out: &mut Out<'_, '_>) {
    out.begin_message();
    for (name, field) in [("login", "username"), ("passcode", "password"), ("destination", "channel")] {
        if let Some(value) = head.value(name) {
            out.item(field, Form::Text, side, value.as_bytes());
        }
    }
    if !matches!(head.command, "SEND" | "MESSAGE") {
        return;
    }
    out.label("topic", head.value("destination").unwrap_or_default());
    // An application's own headers.
    for (name, value) in head.headers.iter().filter(|(n, v)| !STANDARD.contains(n) && !v.is_empty()) {
        out.item(&format!("header.{}", name.to_ascii_lowercase()), Form::Text, side, value.as_bytes());
    }
    let form = if std::str::from_utf8(body).is_ok() { Form::Text } else { Form::Binary };
    let mut child = Child::message().form(form).field("body");
    if let Some(media) = head.value("content-type").and_then(|t| t.split(';').next()) {
        let hint = Hint::ContentType(media.trim().to_ascii_lowercase());
        child = if out.knows(&hint) { child.hint(hint) } else { child };
    }
    out.message(child, side, body);
}
