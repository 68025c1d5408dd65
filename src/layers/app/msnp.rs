//! MSNP, the protocol of MSN and Windows Live Messenger: command lines, some with a payload; a `MSG` holds a
//! MIME head and a body (as documented by the clients that re-implemented it).

use crate::model::Side;
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Guess, Hint, Input, LineEnd, Out, Peeler, Probe, Spec, Step,
};

/// The row.
pub static SPEC: Spec = Spec {
    name: "msnp",
    title: "MSNP",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Layer("msnp")),
    shapes: &[],
    probe: Some(probe),
    facts: &["msnp.command"],
    notes: &["msnp-line-too-long", "msnp-payload-too-long", "msnp-cut-by-gap"],
    open: || Box::new(Msnp),
};

/// Commands whose last word is the length of a payload.
const PAYLOAD: [&str; 14] =
    ["MSG", "UUX", "UBX", "QRY", "NOT", "IPG", "GCF", "ADL", "RML", "FQY", "UUM", "UBM", "UUN", "UBN"];
const LINE: usize = 4096;

fn probe(p: &Probe<'_>) -> Guess {
    let Some(end) = memchr::memchr(b'\n', p.bytes) else {
        let begins = p.bytes.len() < LINE && p.bytes.iter().take(3).all(u8::is_ascii_uppercase);
        return if p.end || !begins { Guess::No } else { Guess::More };
    };
    let Ok(line) = std::str::from_utf8(p.bytes.get(..end).unwrap_or_default()) else { return Guess::No };
    let words: Vec<&str> = line.trim_end().split(' ').collect();
    let number = |w: &str| !w.is_empty() && w.len() < 11 && w.bytes().all(|b| b.is_ascii_digit());
    let sure = match words.as_slice() {
        // The notification server: the client offers versions, the server takes one of them.
        ["VER", id, versions @ ..] => number(id) && versions.iter().any(|v| v.starts_with("MSNP")),
        // A switchboard: the client comes with a ticket `number.number.number`.
        ["USR", id, who, ticket] | ["ANS", id, who, ticket, _] => {
            let parts: Vec<&str> = ticket.split('.').collect();
            number(id) && who.contains('@') && parts.len() >= 2 && parts.iter().all(|p| number(p))
        }
        _ => false,
    };
    if sure { Guess::Sure } else { Guess::No }
}

struct Msnp;

impl Peeler for Msnp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let bytes = input.bytes;
        let head = match input.line(LINE) {
            Ok(head) => head,
            Err(wait) => return wait,
        };
        match head.ends {
            LineEnd::Feed => {}
            LineEnd::Limit => return Step::die("msnp-line-too-long"),
            LineEnd::Input => return Step::again(head.taken),
        }
        let line = String::from_utf8_lossy(head.text).trim_end().to_owned();
        let words: Vec<&str> = line.split(' ').collect();
        let command = words.first().copied().unwrap_or("");
        let length = match words.last().map(|w| w.parse::<usize>()) {
            Some(Ok(n)) if PAYLOAD.contains(&command) => n,
            _ => 0,
        };
        if length > out.limits().buffer / 2 {
            return Step::die("msnp-payload-too-long");
        }
        let from = head.taken;
        if bytes.len() < from + length && !input.end {
            return Step::more(0, from + length);
        }
        let until = bytes.len().min(from + length);
        let payload = bytes.get(from..until).unwrap_or_default();
        self.command(&words, payload, input, out);
        Step::again(until)
    }

    /// The rest of a cut message is read as lines that are no command, until the next one comes.
    fn gap(&mut self, _side: Side, _len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        out.note("msnp-cut-by-gap");
        AfterGap::Continue
    }
}

impl Msnp {
    fn command(&self, words: &[&str], payload: &[u8], input: Input<'_>, out: &mut Out<'_, '_>) {
        let side = input.side;
        let command = words.first().copied().unwrap_or("");
        out.begin_message();
        if command.len() == 3 && command.bytes().all(|b| b.is_ascii_alphanumeric()) {
            out.fact("msnp.command", command);
        }
        // The server names who sends; names are escaped as in links.
        match words {
            ["MSG", from, nick, _] if from.contains('@') => {
                out.item("from", Form::Text, side, from.as_bytes());
                out.item("display_name", Form::Text, side, nick.as_bytes());
            }
            [_, rest @ ..] => {
                for who in rest.iter().filter(|w| w.contains('@')) {
                    out.item("user", Form::Text, side, who.as_bytes());
                }
            }
            [] => {}
        }
        match command {
            "MSG" => message(side, payload, out),
            _ if !payload.is_empty() => out.item("payload", form(payload), side, payload),
            _ => {}
        }
    }
}

fn form(bytes: &[u8]) -> Form {
    if std::str::from_utf8(bytes).is_ok() { Form::Text } else { Form::Binary }
}

fn message(side: Side, payload: &[u8], out: &mut Out<'_, '_>) {
    let (head, body) = match memchr::memmem::find(payload, b"\r\n\r\n") {
        Some(at) => (payload.get(..at).unwrap_or_default(), payload.get(at + 4..).unwrap_or_default()),
        None => (payload, &[][..]),
    };
    let mut media = String::new();
    for line in String::from_utf8_lossy(head).lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if name == "content-type" {
            media = value.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        }
        match name.as_str() {
            "typinguser" => out.item("message.composing", Form::Text, side, value.as_bytes()),
            _ => out.item(&format!("header.{name}"), Form::Text, side, value.as_bytes()),
        }
    }
    if body.is_empty() {
        return;
    }
    // Only text/plain is what somebody says; profiles, invitations and file transfers have types of their own.
    let field = if media == "text/plain" { "message" } else { "payload" };
    let child = Child::message().form(form(body)).field(field).hint(Hint::ContentType(media));
    out.message(child, side, body);
}
