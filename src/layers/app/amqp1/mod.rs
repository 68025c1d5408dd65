//! AMQP 1.0: logins, addresses, and what messages hold.

mod value;

use super::starttls;
use crate::bytes::Cursor;
use crate::model::{Bucket, PerSide, Side};
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use value::{Value, read};

/// The row.
pub static SPEC: Spec = Spec {
    name: "amqp1",
    title: "AMQP 1.0",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &["amqp1.tls"],
    notes: &["amqp1-frame-malformed", "amqp1-frame-too-long", "amqp1-link-limit"],
    open: || Box::new(Amqp::default()),
};

/// Protocol header (part 2, section 2.2): plain, TLS, SASL.
const HEADERS: [&[u8; 8]; 3] = [b"AMQP\x00\x01\x00\x00", b"AMQP\x02\x01\x00\x00", b"AMQP\x03\x01\x00\x00"];
/// Deliveries of one side that are under way, and links whose address is kept.
const LINKS: usize = 64;

const SASL_INIT: u64 = 0x41;
const ATTACH: u64 = 0x12;
const TRANSFER: u64 = 0x14;

fn probe(p: &Probe<'_>) -> Guess {
    let begun = p.bytes.get(..8).unwrap_or(p.bytes);
    match HEADERS.iter().any(|h| h.starts_with(begun)) {
        _ if begun.is_empty() => Guess::More,
        true if begun.len() == 8 => Guess::Sure,
        true if !p.end => Guess::More,
        _ => Guess::No,
    }
}

#[derive(Default)]
struct Amqp {
    links: PerSide<Vec<Link>>,
    /// Bytes of deliveries that are under way, of both sides together.
    held: usize,
}

/// A link of one channel (part 2, section 2.6): where it goes, and a delivery that is not complete.
struct Link {
    channel: u16,
    handle: u64,
    address: String,
    partial: Vec<u8>,
}

impl Peeler for Amqp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let (side, bytes) = (input.side, input.bytes);
        if bytes.first() == Some(&0x16) {
            // A handshake record: a frame of that size would be refused.
            out.fact("amqp1.tls", true);
            starttls::begin(out);
            return Step::again(0);
        }
        if bytes.starts_with(b"AMQP") {
            return if bytes.len() < 8 { Step::more(0, 8) } else { Step::again(8) };
        }
        let mut c = Cursor::new(bytes);
        let (Some(size), Some(offset), Some(kind), Some(channel)) = (c.u32(), c.u8(), c.u8(), c.u16()) else {
            return Step::more(0, 8);
        };
        let (size, offset) = (size as usize, usize::from(offset) * 4);
        if offset < 8 || size < offset || kind > 1 {
            return Step::die("amqp1-frame-malformed");
        }
        if size > out.limits().message {
            out.note("amqp1-frame-too-long");
            return Step::skip(0, size as u64, Bucket::Cut);
        }
        let Some(body) = bytes.get(offset..size) else { return Step::more(0, size) };
        if !body.is_empty() && self.frame(side, channel, body, out).is_none() {
            out.note("amqp1-frame-malformed");
        }
        Step::again(size)
    }
}

impl Amqp {
    fn frame(&mut self, side: Side, channel: u16, body: &[u8], out: &mut Out<'_, '_>) -> Option<()> {
        let mut c = Cursor::new(body);
        let Value::Described(kind, list) = read(&mut c)? else { return None };
        if kind != TRANSFER && kind != SASL_INIT {
            // Names, addresses, and what the ends say of themselves.
            out.begin_message();
            hand_on("frame", &list, side, out);
        }
        match kind {
            SASL_INIT => login(&list, side, out),
            ATTACH => self.attach(side, channel, &list, out),
            TRANSFER => self.transfer(side, channel, &list, c.rest(), out),
            _ => {}
        }
        Some(())
    }

    /// Either end names a link's handle for itself, so the two sides have links of their own.
    fn attach(&mut self, side: Side, channel: u16, list: &Value<'_>, out: &mut Out<'_, '_>) {
        let Some(Value::Number(handle)) = list.at(1) else { return };
        let address =
            |at: usize| list.at(at).and_then(|end| end.at(0)).and_then(Value::text).unwrap_or_default();
        // Who sends says where to; who receives says from where.
        let sends = list.at(2) == Some(&Value::Number(0));
        let address = if sends { address(6) } else { address(5) };
        let links = &mut self.links[side];
        links.retain(|l| (l.channel, l.handle) != (channel, *handle));
        if links.len() >= LINKS {
            return out.note("amqp1-link-limit");
        }
        links.push(Link { channel, handle: *handle, address: address.to_owned(), partial: Vec::new() });
    }

    fn transfer(
        &mut self,
        side: Side,
        channel: u16,
        list: &Value<'_>,
        payload: &[u8],
        out: &mut Out<'_, '_>,
    ) {
        let Some(Value::Number(handle)) = list.at(0) else { return };
        let more = list.at(5) == Some(&Value::Number(1));
        let aborted = list.at(9) == Some(&Value::Number(1));
        let link = self.links[side].iter_mut().find(|l| (l.channel, l.handle) == (channel, *handle));
        let Some(link) = link else {
            // The link was made before the recording began, or beyond the bound.
            return if more { out.note("amqp1-link-limit") } else { show("", payload, side, out) };
        };
        if link.partial.is_empty() && !more {
            if !aborted {
                show(&link.address, payload, side, out);
            }
            return;
        }
        if self.held + payload.len() > out.limits().message {
            self.held -= std::mem::take(&mut link.partial).len();
            return out.note("amqp1-frame-too-long");
        }
        link.partial.extend_from_slice(payload);
        self.held += payload.len();
        if more && !aborted {
            return;
        }
        let whole = std::mem::take(&mut link.partial);
        self.held -= whole.len();
        if !aborted {
            show(&link.address, &whole, side, out);
        }
    }
}

/// PLAIN is an authorisation identity, a name and a password with a zero octet between them (RFC 4616).
fn login(list: &Value<'_>, side: Side, out: &mut Out<'_, '_>) {
    let (Some(Value::Text("PLAIN")), Some(Value::Bytes(response))) = (list.at(0), list.at(1)) else { return };
    out.begin_message();
    for (field, value) in ["username", "password"].iter().zip(response.split(|b| *b == 0).skip(1)) {
        out.item(field, Form::Text, side, value);
    }
}

/// A message is sections one behind another (part 3, section 3.2).
fn show(address: &str, message: &[u8], side: Side, out: &mut Out<'_, '_>) {
    out.begin_message();
    out.label("topic", address);
    out.item("channel", Form::Text, side, address.as_bytes());
    let mut c = Cursor::new(message);
    let (mut media, mut coding) = (String::new(), String::new());
    while !c.is_empty() {
        let from = c.rest();
        let Some(Value::Described(section, inside)) = read(&mut c) else {
            out.note("amqp1-frame-malformed");
            return out.item("payload", Form::Binary, side, from);
        };
        match (section, *inside) {
            (0x73, ref properties @ Value::List(_)) => {
                let text = |at| properties.at(at).and_then(Value::text).unwrap_or_default();
                (media, coding) = (text(6).to_ascii_lowercase(), text(7).to_ascii_lowercase());
                let named = [
                    (0, "message-id"),
                    (2, "to"),
                    (3, "subject"),
                    (4, "reply-to"),
                    (5, "correlation-id"),
                    (10, "group-id"),
                ];
                for (at, field) in named {
                    out.item(field, Form::Text, side, text(at).as_bytes());
                }
            }
            // Annotations, application properties and footers.
            (0x71 | 0x72 | 0x74 | 0x78, ref named) => hand_on("header", named, side, out),
            (0x75, Value::Bytes(data)) => {
                let form = if std::str::from_utf8(data).is_ok() { Form::Text } else { Form::Binary };
                let mut child = Child::message().form(form).field("payload");
                let media = Hint::ContentType(media.split(';').next().unwrap_or_default().trim().to_owned());
                for hint in [Hint::Encoding(coding.clone()), media] {
                    child = if out.knows(&hint) { child.hint(hint) } else { child };
                }
                out.message(child, side, data);
            }
            (0x76 | 0x77, ref body) => hand_on("payload", body, side, out),
            (_, ref other) => hand_on("section", other, side, out),
        }
    }
}

/// What a value holds, each under its name.
fn hand_on(field: &str, value: &Value<'_>, side: Side, out: &mut Out<'_, '_>) {
    match value {
        Value::Text(text) if !text.is_empty() => out.item(field, Form::Text, side, text.as_bytes()),
        Value::Bytes(bytes) if !bytes.is_empty() => out.item(field, Form::Binary, side, bytes),
        Value::List(list) => list.iter().for_each(|v| hand_on(field, v, side, out)),
        Value::Map(pairs) => {
            for pair in pairs.chunks_exact(2) {
                if let [key, value] = pair {
                    hand_on(&format!("{field}.{}", key.text().unwrap_or("value")), value, side, out);
                }
            }
        }
        Value::Described(_, inside) => hand_on(field, inside, side, out),
        _ => {}
    }
}
