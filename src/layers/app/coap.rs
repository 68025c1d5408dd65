//! CoAP (RFC 7252): what is sent to which resource.

use crate::bytes::Cursor;
use crate::model::Side;
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "coap",
    title: "CoAP (RFC 7252)",
    family: Family::App,
    eats: Eats::Message,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Alpn(a) if a == "coap" || a == "co"),
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &["coap-malformed"],
    open: || Box::new(Coap),
};

const PORTS: [u16; 2] = [5683, 5684];
/// Options of one message.
const OPTIONS: usize = 64;
const URI_HOST: u32 = 3;
const URI_PATH: u32 = 11;
const CONTENT_FORMAT: u32 = 12;
const URI_QUERY: u32 = 15;

fn probe(p: &Probe<'_>) -> Guess {
    match read(p.bytes) {
        Some(_) if PORTS.contains(&p.server_port) || p.stated => Guess::Sure,
        // Elsewhere a request has to name a resource in letters.
        Some(m) if m.is_request() && !m.path.is_empty() && m.is_plain() && !m.payload.is_empty() => {
            Guess::Maybe
        }
        _ => Guess::No,
    }
}

#[derive(Default)]
struct Message<'a> {
    code: u8,
    host: Option<&'a [u8]>,
    path: Vec<&'a [u8]>,
    query: Vec<&'a [u8]>,
    format: Option<u32>,
    /// What the other options hold, where it may be more than a number or a tag.
    others: Vec<(u32, &'a [u8])>,
    payload: &'a [u8],
}

impl Message<'_> {
    fn is_request(&self) -> bool {
        self.code >> 5 == 0 && self.code != 0
    }

    fn is_plain(&self) -> bool {
        self.path
            .iter()
            .all(|p| !p.is_empty() && p.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b)))
    }
}

/// Reads a whole datagram; `None` if it is none.
fn read(bytes: &[u8]) -> Option<Message<'_>> {
    let mut c = Cursor::new(bytes);
    let first = c.u8()?;
    let token = usize::from(first & 15);
    let mut message = Message { code: c.u8()?, ..Message::default() };
    c.u16()?;
    // Version 1, a token of eight octets at the most, and a code of a class that exists (section 3).
    if first >> 6 != 1 || token > 8 || !matches!(message.code, 0..=7 | 0x40..=0x5f | 0x80..=0xbf) {
        return None;
    }
    if message.code == 0 && !(c.is_empty() && token == 0) {
        return None;
    }
    c.take(token)?;
    let mut number = 0u32;
    for _ in 0..OPTIONS {
        if c.is_empty() {
            return Some(message);
        }
        let head = c.u8()?;
        if head == 0xff {
            message.payload = c.rest();
            // A marker before nothing is an error (section 3).
            return (!message.payload.is_empty()).then_some(message);
        }
        let delta = extended(head >> 4, &mut c)?;
        let len = extended(head & 15, &mut c)?;
        number = number.checked_add(delta).filter(|n| *n <= 65_535)?;
        let value = c.take(len as usize)?;
        match number {
            URI_HOST if message.code < 0x20 => message.host = Some(value),
            URI_PATH if message.code < 0x20 => message.path.push(value),
            URI_QUERY if message.code < 0x20 => message.query.push(value),
            CONTENT_FORMAT if value.len() <= 2 => {
                message.format = Some(value.iter().fold(0, |n, b| n << 8 | u32::from(*b)));
            }
            // No number and no tag is longer (section 5.10).
            _ if value.len() > 8 => message.others.push((number, value)),
            _ if value.len() > 3 && value.iter().all(|b| matches!(b, b' '..=b'~')) => {
                message.others.push((number, value));
            }
            _ => {}
        }
    }
    None
}

/// A nibble that may go on in one or two octets (section 3.1).
fn extended(nibble: u8, c: &mut Cursor<'_>) -> Option<u32> {
    match nibble {
        13 => Some(13 + u32::from(c.u8()?)),
        14 => Some(269 + u32::from(c.u16()?)),
        15 => None,
        n => Some(u32::from(n)),
    }
}

/// Media types by their number (CoAP Content-Formats registry).
fn media(format: u32) -> Option<&'static str> {
    Some(match format {
        16 => "application/cose; cose-type=\"cose-encrypt0\"",
        41 => "application/xml",
        50 => "application/json",
        60 => "application/cbor",
        110 => "application/senml+json",
        112 => "application/senml+cbor",
        _ => return None,
    })
}

struct Coap;

impl Peeler for Coap {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(message) = read(input.bytes) else { return Step::die("coap-malformed") };
        show(&message, input.side, out);
        Step::again(input.bytes.len())
    }
}

fn show(message: &Message<'_>, side: Side, out: &mut Out<'_, '_>) {
    if let Some(host) = message.host {
        out.label("host", &String::from_utf8_lossy(host));
    }
    if message.is_request() {
        let path = message.path.iter().fold(String::new(), |p, s| p + "/" + &String::from_utf8_lossy(s));
        out.label("path", &path);
        out.item("target", Form::Text, side, path.as_bytes());
        for part in &message.query {
            out.item("query", Form::Text, side, part);
        }
    }
    for (number, value) in &message.others {
        let form = if std::str::from_utf8(value).is_ok() { Form::Text } else { Form::Binary };
        out.item(&format!("option.{number}"), form, side, value);
    }
    if message.payload.is_empty() {
        return;
    }
    // What goes with an error is a diagnostic of the service (section 5.5.2).
    let field = if message.code >= 0x80 { "diagnostic" } else { "payload" };
    let form = if std::str::from_utf8(message.payload).is_ok() { Form::Text } else { Form::Binary };
    let mut child = Child::message().form(form).field(field);
    if let Some(hint) = message.format.and_then(media).map(|m| Hint::ContentType(m.to_owned())) {
        child = if out.knows(&hint) { child.hint(hint) } else { child };
    }
    out.message(child, side, message.payload);
}
