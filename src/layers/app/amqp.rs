//! AMQP 0-9-1: what is published under which routing key, and what is delivered.

use crate::bytes::Cursor;
use crate::model::{Bucket, PerSide, Side};
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "amqp",
    title: "AMQP 0-9-1",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &["amqp-frame-malformed", "amqp-frame-too-long", "amqp-channel-limit"],
    open: || Box::new(Amqp::default()),
};

/// Protocol header (section 4.2.2); 0-9 wrote its version in another order.
const HEADERS: [&[u8]; 2] = [b"AMQP\x00\x00\x09\x01", b"AMQP\x01\x01\x00\x09"];
const FRAME_END: u8 = 0xce;
/// Contents of one side that are under way at a time.
const CHANNELS: usize = 8;
/// Tables in tables that are taken apart.
const NESTED: u8 = 8;

fn probe(p: &Probe<'_>) -> Guess {
    let n = p.bytes.len().min(8);
    match p.bytes.get(..n) {
        _ if p.side != Side::Client || n == 0 => Guess::No,
        Some(begun) if HEADERS.iter().any(|h| h.starts_with(begun)) => match n {
            8 => Guess::Sure,
            _ if p.end => Guess::No,
            _ => Guess::More,
        },
        _ => Guess::No,
    }
}

#[derive(Default)]
struct Amqp {
    contents: PerSide<Vec<Content>>,
}

/// A content between its method and the last frame of its body (section 4.2.6).
struct Content {
    channel: u16,
    key: String,
    media: String,
    coding: String,
    left: u64,
    headers: Vec<Field>,
    body: Vec<u8>,
}

impl Peeler for Amqp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if input.bytes.starts_with(b"AMQP") {
            return if input.bytes.len() < 8 { Step::more(0, 8) } else { Step::again(8) };
        }
        let mut c = Cursor::new(input.bytes);
        let (Some(kind), Some(channel), Some(len)) = (c.u8(), c.u16(), c.u32()) else {
            return Step::more(0, 7);
        };
        let len = len as usize;
        if !matches!(kind, 1 | 2 | 3 | 8) {
            return Step::die("amqp-frame-malformed");
        }
        if len > out.limits().message {
            out.note("amqp-frame-too-long");
            return Step::skip(7, len as u64 + 1, Bucket::Cut);
        }
        let (Some(payload), Some(end)) = (c.take(len), c.u8()) else { return Step::more(0, 7 + len + 1) };
        if end != FRAME_END {
            return Step::die("amqp-frame-malformed");
        }
        let read = match kind {
            1 => self.method(input.side, channel, payload, out),
            2 => self.header(input.side, channel, payload, out),
            3 => self.body(input.side, channel, payload, out),
            _ => Some(()),
        };
        if read.is_none() {
            out.note("amqp-frame-malformed");
            out.begin_message();
            out.item("frame", Form::Binary, input.side, payload);
        }
        Step::again(7 + len + 1)
    }
}

impl Amqp {
    fn method(&mut self, side: Side, channel: u16, payload: &[u8], out: &mut Out<'_, '_>) -> Option<()> {
        let mut c = Cursor::new(payload);
        match (c.u16()?, c.u16()?) {
            (10, 11) => start_ok(&mut c, side, out),
            // basic.publish, basic.return, basic.deliver, basic.get-ok
            (60, 40) => {
                c.u16()?;
                self.begin(side, channel, &mut c, out)
            }
            (60, 50) => {
                reason(&mut c, side, out)?;
                self.begin(side, channel, &mut c, out)
            }
            // connection.close, channel.close
            (10, 50) | (20, 40) => reason(&mut c, side, out),
            (60, 60) => {
                c.vec8()?;
                c.take(9)?;
                self.begin(side, channel, &mut c, out)
            }
            (60, 71) => {
                c.take(9)?;
                self.begin(side, channel, &mut c, out)
            }
            _ => Some(()),
        }
    }

    fn begin(&mut self, side: Side, channel: u16, c: &mut Cursor<'_>, out: &mut Out<'_, '_>) -> Option<()> {
        let exchange = c.vec8()?.to_vec();
        let key = String::from_utf8_lossy(c.vec8()?).into_owned();
        let contents = &mut self.contents[side];
        contents.retain(|x| x.channel != channel);
        if contents.len() >= CHANNELS {
            out.note("amqp-channel-limit");
            return Some(());
        }
        let (media, coding) = (String::new(), String::new());
        contents.push(Content {
            channel,
            key,
            media,
            coding,
            left: 0,
            headers: vec![("exchange".to_owned(), exchange)],
            body: Vec::new(),
        });
        Some(())
    }

    fn header(&mut self, side: Side, channel: u16, payload: &[u8], out: &mut Out<'_, '_>) -> Option<()> {
        let mut c = Cursor::new(payload);
        c.take(4)?;
        let (size, flags) = (c.u64()?, c.u16()?);
        let text = |c: &mut Cursor<'_>| c.vec8().map(|t| String::from_utf8_lossy(t).to_ascii_lowercase());
        let media = if flags & 0x8000 != 0 { text(&mut c)? } else { String::new() };
        let coding = if flags & 0x4000 != 0 { text(&mut c)? } else { String::new() };
        let mut headers = Vec::new();
        if flags & 0x2000 != 0 {
            table(&mut c, "header.", NESTED, &mut headers)?;
        }
        properties(&mut c, flags, &mut headers)?;
        let content = self.contents[side].iter_mut().find(|x| x.channel == channel)?;
        content.headers.append(&mut headers);
        (content.media, content.coding, content.left) = (media, coding, size);
        if size > out.limits().message as u64 {
            self.contents[side].retain(|x| x.channel != channel);
        } else if size == 0 {
            let at = self.contents[side].iter().position(|x| x.channel == channel)?;
            show(side, &self.contents[side].swap_remove(at), out);
        }
        if size > out.limits().message as u64 {
            out.note("amqp-frame-too-long");
        }
        Some(())
    }

    fn body(&mut self, side: Side, channel: u16, payload: &[u8], out: &mut Out<'_, '_>) -> Option<()> {
        let at = self.contents[side].iter().position(|x| x.channel == channel);
        // Of a content that was given up.
        let Some(at) = at else { return Some(()) };
        let content = self.contents[side].get_mut(at)?;
        content.body.extend_from_slice(payload);
        content.left = content.left.saturating_sub(payload.len() as u64);
        if content.left == 0 {
            let content = self.contents[side].swap_remove(at);
            show(side, &content, out);
        }
        Some(())
    }
}

/// The text behind the code of a reply.
fn reason(c: &mut Cursor<'_>, side: Side, out: &mut Out<'_, '_>) -> Option<()> {
    c.u16()?;
    let text = c.vec8()?;
    if !text.is_empty() {
        out.begin_message();
        out.item("reason", Form::Text, side, text);
    }
    Some(())
}

/// A field beside the body: its name and its bytes.
type Field = (String, Vec<u8>);

/// Texts of a table with their names (section 4.2.5.5). Below `depth` tables are shown as they stand.
fn table(c: &mut Cursor<'_>, before: &str, depth: u8, list: &mut Vec<Field>) -> Option<()> {
    let len = c.u32()? as usize;
    let mut c = c.sub(len)?;
    while !c.is_empty() {
        let name = String::from_utf8_lossy(c.vec8()?).to_ascii_lowercase();
        value(&mut c, format!("{before}{name}"), depth, list)?;
    }
    Some(())
}

/// A value behind its type, with the types that brokers agree on.
fn value(c: &mut Cursor<'_>, name: String, depth: u8, list: &mut Vec<Field>) -> Option<()> {
    let width = match c.u8()? {
        b'V' => 0,
        b't' | b'b' | b'B' => 1,
        b's' | b'u' | b'U' => 2,
        b'I' | b'i' | b'f' => 4,
        b'D' => 5,
        b'l' | b'L' | b'd' | b'T' => 8,
        b'F' if depth > 0 => return table(c, &format!("{name}."), depth - 1, list),
        b'A' if depth > 0 => {
            let len = c.u32()? as usize;
            let mut c = c.sub(len)?;
            while !c.is_empty() {
                value(&mut c, format!("{name}[]"), depth - 1, list)?;
            }
            return Some(());
        }
        b'S' | b'x' | b'F' | b'A' => {
            let len = c.u32()? as usize;
            list.push((name, c.take(len)?.to_vec()));
            return Some(());
        }
        _ => return None,
    };
    c.take(width)?;
    Some(())
}

/// Properties behind the headers (section 4.2.6.1), by the bits that say which are there.
fn properties(c: &mut Cursor<'_>, flags: u16, list: &mut Vec<Field>) -> Option<()> {
    const TEXTS: [(u16, &str); 9] = [
        (0x0400, "correlation-id"),
        (0x0200, "reply-to"),
        (0x0100, "expiration"),
        (0x0080, "message-id"),
        (0x0040, ""),
        (0x0020, "type"),
        (0x0010, "user-id"),
        (0x0008, "app-id"),
        (0x0004, "cluster-id"),
    ];
    // Delivery mode and priority are an octet each, the time is eight.
    c.take((flags & 0x1800).count_ones() as usize)?;
    for (_, name) in TEXTS.into_iter().filter(|(bit, _)| flags & bit != 0) {
        match name {
            "" => drop(c.u64()?),
            name => list.push((name.to_owned(), c.vec8()?.to_vec())),
        }
    }
    Some(())
}

/// PLAIN is an authorisation identity, a name and a password with a zero octet between them (RFC 4616).
fn start_ok(c: &mut Cursor<'_>, side: Side, out: &mut Out<'_, '_>) -> Option<()> {
    let table = c.u32()? as usize;
    c.take(table)?;
    let mechanism = c.vec8()?;
    let len = c.u32()? as usize;
    let response = c.take(len)?;
    if mechanism != b"PLAIN" {
        return Some(());
    }
    let mut parts = response.split(|b| *b == 0).skip(1);
    out.begin_message();
    for field in ["username", "password"] {
        out.item(field, Form::Text, side, parts.next()?);
    }
    Some(())
}

fn show(side: Side, content: &Content, out: &mut Out<'_, '_>) {
    out.begin_message();
    out.label("topic", &content.key);
    out.item("channel", Form::Text, side, content.key.as_bytes());
    for (name, value) in content.headers.iter().filter(|(_, v)| !v.is_empty()) {
        let form = if std::str::from_utf8(value).is_ok() { Form::Text } else { Form::Binary };
        out.item(name, form, side, value);
    }
    if content.body.is_empty() {
        return;
    }
    let form = if std::str::from_utf8(&content.body).is_ok() { Form::Text } else { Form::Binary };
    let mut child = Child::message().form(form).field("payload");
    let coding = Hint::Encoding(content.coding.clone());
    let media = content.media.split(';').next().unwrap_or_default().trim();
    let media = Hint::ContentType(media.to_owned());
    for hint in [coding, media] {
        child = if out.knows(&hint) { child.hint(hint) } else { child };
    }
    out.message(child, side, &content.body);
}
