//! SIP (RFC 3261) over UDP and TCP: signalling of calls, and text in MESSAGE (RFC 3428).

use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use std::borrow::Cow;

macro_rules! row {
    ($static:ident, $name:literal, $eats:expr) => {
        /// The row.
        pub static $static: Spec = Spec {
            name: $name,
            title: "SIP (RFC 3261)",
            family: Family::App,
            eats: $eats,
            forms: &[Form::Binary, Form::Text],
            answers: |h| {
        matches!(h, Hint::Alpn(a) if a == "sip/2") || matches!(h, Hint::Upgrade(u) if u == "sip")
            },
            shapes: &[],
            probe: Some(probe),
            facts: &["sip.method", "sip.status"],
            notes: &["sip-head-too-long", "sip-body-too-long"],
            open: || Box::new(Sip),
        };
    };
}

row!(UDP, "sip", Eats::Datagram);
row!(TCP, "sip-tcp", Eats::Stream);

const METHODS: [&[u8]; 14] = [
    b"INVITE ",
    b"ACK ",
    b"BYE ",
    b"CANCEL ",
    b"REGISTER ",
    b"OPTIONS ",
    b"MESSAGE ",
    b"SUBSCRIBE ",
    b"NOTIFY ",
    b"PUBLISH ",
    b"INFO ",
    b"REFER ",
    b"PRACK ",
    b"UPDATE ",
];
const HEAD_LIMIT: usize = 64 << 10;

fn probe(p: &Probe<'_>) -> Guess {
    if p.bytes.starts_with(b"SIP/2.0 ") {
        return Guess::Sure;
    }
    let starts =
        |m: &&[u8]| m.first() == p.bytes.first() && (p.bytes.starts_with(m) || m.starts_with(p.bytes));
    if p.bytes.is_empty() || !METHODS.iter().any(starts) {
        return if b"SIP/2.0 ".starts_with(p.bytes) && !p.bytes.is_empty() && !p.end {
            Guess::More
        } else {
            Guess::No
        };
    }
    match memchr::memchr(b'\n', p.bytes) {
        Some(at) if p.bytes[..at].trim_ascii_end().ends_with(b"SIP/2.0") => Guess::Sure,
        Some(_) => Guess::No,
        None if p.end || p.bytes.len() > 2000 => Guess::No,
        None => Guess::More,
    }
}

struct Sip;

impl Peeler for Sip {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let bytes = input.bytes;
        // Keep-alives between messages (RFC 5626 section 4.4.1).
        let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if blank > 0 {
            return Step::again(blank);
        }
        // No further than the limit, so that it is as long in one piece as in several.
        let Some(end) = head_end(bytes.get(..=HEAD_LIMIT).unwrap_or(bytes)) else {
            return match bytes.len() {
                n if n > HEAD_LIMIT => Step::die("sip-head-too-long"),
                n if input.end => Step::again(self.message(input, n, 0, out)),
                n => Step::more(0, n + 1),
            };
        };
        let body = match content_length(&bytes[..end]) {
            Some(n) => n,
            None if input.end => bytes.len() - end,
            None => 0,
        };
        if body > out.limits().buffer / 2 {
            return Step::die("sip-body-too-long");
        }
        if bytes.len() < end + body && !input.end {
            return Step::more(0, end + body);
        }
        let body = body.min(bytes.len() - end);
        Step::again(self.message(input, end, body, out))
    }
}

impl Sip {
    /// One message: start line, headers and body. Returns its length.
    fn message(&self, input: Input<'_>, head: usize, body: usize, out: &mut Out<'_, '_>) -> usize {
        let text = String::from_utf8_lossy(&input.bytes[..head]);
        let mut lines = text.lines();
        let start = lines.next().unwrap_or("");
        out.begin_message();
        match start.strip_prefix("SIP/2.0 ") {
            Some(status) => out.fact("sip.status", status),
            None => out.fact("sip.method", start.split(' ').next().unwrap_or("")),
        }
        out.item("target", Form::Plain, input.side, start.as_bytes());
        let mut media = String::from("text/plain");
        let mut field = String::with_capacity(32);
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            let (name, value) = (long_name(name.trim()), value.trim());
            if name == "content-type" {
                media = value.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
            }
            if matches!(&*name, "from" | "to") {
                out.label(if name == "from" { "from" } else { "to" }, value);
            }
            // A display name stands in quotes or before the angle bracket (RFC 3261 section 20.10).
            let (display, rest) = match value.split_once('<') {
                Some((d, r)) if matches!(&*name, "from" | "to" | "contact" | "p-asserted-identity") => (d, r),
                _ => ("", value),
            };
            let display = display.trim().trim_matches('"');
            if !display.is_empty() {
                out.item("display_name", Form::Text, input.side, display.as_bytes());
            }
            field.clear();
            field.extend(["header.", &name]);
            out.item(&field, Form::Text, input.side, rest.as_bytes());
        }
        let bytes = &input.bytes[head..head + body];
        if !bytes.is_empty() {
            let form = if std::str::from_utf8(bytes).is_ok() { Form::Text } else { Form::Binary };
            let child = Child::message().form(form).field("body").hint(Hint::ContentType(media));
            out.message(child, input.side, bytes);
        }
        head + body
    }
}

/// Compact header names (RFC 3261 section 7.3.3) in full, in lower case.
fn long_name(name: &str) -> Cow<'_, str> {
    let long = match name {
        "f" | "F" => "from",
        "t" | "T" => "to",
        "m" | "M" => "contact",
        "c" | "C" => "content-type",
        "l" | "L" => "content-length",
        "i" | "I" => "call-id",
        "s" | "S" => "subject",
        "v" | "V" => "via",
        "e" | "E" => "content-encoding",
        "k" | "K" => "supported",
        other if other.bytes().any(|b| b.is_ascii_uppercase()) => return other.to_ascii_lowercase().into(),
        other => other,
    };
    long.into()
}

/// The length of the body as the head gives it, under its long or its compact name.
fn content_length(head: &[u8]) -> Option<usize> {
    head.split(|b| *b == b'\n').skip(1).find_map(|line| {
        let (name, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
        let name = name.trim_ascii();
        let named = name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"l");
        let value = named.then(|| std::str::from_utf8(value.get(1..).unwrap_or_default()).ok())??;
        value.trim().parse().ok()
    })
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4)
}
