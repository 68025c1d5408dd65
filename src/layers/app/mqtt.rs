//! MQTT 3.1.1 and 5 (OASIS), and Facebook's MQTToT: what is published, by whom, under which topic.

use crate::bytes::Cursor;
use crate::model::{Bucket, Side};
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "mqtt",
    title: "MQTT 3.1.1 and 5 (OASIS)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| match h {
        Hint::Alpn(a) => a == "mqtt" || a == "x-amzn-mqtt-ca",
        Hint::Upgrade(u) => u.split(',').any(|p| p.trim().starts_with("mqtt")),
        _ => false,
    },
    shapes: &[],
    probe: Some(probe),
    facts: &["mqtt.version", "mqtt.client_id"],
    notes: &["mqtt-packet-malformed", "mqtt-packet-too-long"],
    open: || Box::new(Mqtt::default()),
};

/// Facebook's variant names itself so (MQTT over TLS over TCP, "MQTToT").
const MQTTOT: &[u8] = b"MQTToT";

/// A packet's type and flags, the length of its fixed header and that of the rest.
fn fixed(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let mut c = Cursor::new(bytes);
    let first = c.u8()?;
    let mut len = 0usize;
    for shift in 0..4 {
        let b = c.u8()?;
        len |= usize::from(b & 0x7f) << (7 * shift);
        if b & 0x80 == 0 {
            return Some((first, c.consumed(), len));
        }
    }
    None
}

fn probe(p: &Probe<'_>) -> Guess {
    match p.bytes.first() {
        Some(0x10) if p.side == Side::Client => {}
        _ => return Guess::No,
    }
    let Some((_, head, len)) = fixed(p.bytes) else {
        return if p.bytes.len() < 5 && !p.end { Guess::More } else { Guess::No };
    };
    match p.bytes.get(head..head + 6) {
        Some([0, 4, b'M', b'Q', b'T', b'T']) if len >= 10 => Guess::Sure,
        Some([0, 6, b'M', b'Q', b'I', b's'] | [0, 6, b'M', b'Q', b'T', b'T']) => Guess::Sure,
        Some(_) => Guess::No,
        None if p.end => Guess::No,
        None => Guess::More,
    }
}

#[derive(Default)]
struct Mqtt {
    v5: bool,
}

impl Peeler for Mqtt {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some((first, head, len)) = fixed(input.bytes) else {
            if input.bytes.len() >= 5 {
                return Step::die("mqtt-packet-malformed");
            }
            return Step::more(0, input.bytes.len() + 1);
        };
        if head + len > out.limits().buffer {
            out.note("mqtt-packet-too-long");
            return Step::skip(head, len as u64, Bucket::Cut);
        }
        let Some(body) = input.bytes.get(head..head + len) else { return Step::more(0, head + len) };
        let read = match first >> 4 {
            1 => self.connect(input.side, body, out),
            3 => self.publish(input.side, first, body, out),
            8 => self.subscribe(input.side, body, out),
            _ => Some(()),
        };
        if read.is_none() {
            out.note("mqtt-packet-malformed");
        }
        Step::again(head + len)
    }
}

impl Mqtt {
    /// The properties of version 5, as far as applications say something in them.
    fn properties(&self, side: Side, c: &mut Cursor<'_>, out: &mut Out<'_, '_>) -> Option<()> {
        if !self.v5 {
            return Some(());
        }
        let mut len = 0usize;
        for shift in 0..4 {
            let b = c.u8()?;
            len |= usize::from(b & 0x7f) << (7 * shift);
            if b & 0x80 == 0 {
                break;
            }
        }
        let mut list = c.sub(len)?;
        while !list.is_empty() {
            // Section 2.2.2.2.
            match list.u8()? {
                0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2a => list.take(1)?,
                0x13 | 0x21..=0x23 => list.take(2)?,
                0x02 | 0x11 | 0x18 | 0x27 => list.take(4)?,
                0x0b => {
                    list.varint()?;
                    &[]
                }
                0x26 => {
                    let name = String::from_utf8_lossy(list.vec16()?).to_ascii_lowercase();
                    let value = list.vec16()?;
                    out.item(&format!("header.{name}"), Form::Text, side, value);
                    value
                }
                0x09 => {
                    let correlation = list.vec16()?;
                    if !correlation.is_empty() {
                        give(side, "header.correlation-data", correlation, out);
                    }
                    correlation
                }
                0x1f => {
                    let reason = list.vec16()?;
                    out.item("reason", Form::Text, side, reason);
                    reason
                }
                0x03 | 0x08 | 0x12 | 0x15 | 0x16 | 0x1a | 0x1c => list.vec16()?,
                _ => return None,
            };
        }
        Some(())
    }

    fn connect(&mut self, side: Side, body: &[u8], out: &mut Out<'_, '_>) -> Option<()> {
        let mut c = Cursor::new(body);
        let protocol = c.vec16()?;
        let (level, flags) = (c.u8()?, c.u8()?);
        c.u16()?;
        self.v5 = level >= 5;
        out.begin_message();
        out.fact("mqtt.version", u64::from(level));
        if protocol == MQTTOT {
            // Client, session and password as Thrift, deflated, without a length before it.
            let hello = Child::message().field("connect");
            let hello =
                hello.hint(Hint::Encoding("deflate".into())).hint(Hint::Encoding("thrift-compact".into()));
            out.message(hello, side, c.rest());
            return Some(());
        }
        self.properties(side, &mut c, out)?;
        let client = String::from_utf8_lossy(c.vec16()?).into_owned();
        out.fact("mqtt.client_id", client.as_str());
        out.item("device_id", Form::Text, side, client.as_bytes());
        if flags & 0x04 != 0 {
            self.properties(side, &mut c, out)?;
            let topic = c.vec16()?;
            out.item("will.topic", Form::Text, side, topic);
            let will = c.vec16()?;
            give(side, "will.payload", will, out);
        }
        if flags & 0x80 != 0 {
            out.item("username", Form::Text, side, c.vec16()?);
        }
        if flags & 0x40 != 0 {
            out.item("password", Form::Text, side, c.vec16()?);
        }
        Some(())
    }

    fn publish(&mut self, side: Side, first: u8, body: &[u8], out: &mut Out<'_, '_>) -> Option<()> {
        let mut c = Cursor::new(body);
        let topic = c.vec16()?;
        if first & 0x06 != 0 {
            c.u16()?;
        }
        out.begin_message();
        out.label("topic", &String::from_utf8_lossy(topic));
        let properties = self.properties(side, &mut c, out);
        if properties.is_none() {
            // What nobody can read has its payload somewhere within.
            out.item("payload", Form::Binary, side, body);
        }
        properties?;
        out.item("channel", Form::Text, side, topic);
        give(side, "payload", c.rest(), out);
        Some(())
    }

    fn subscribe(&mut self, side: Side, body: &[u8], out: &mut Out<'_, '_>) -> Option<()> {
        let mut c = Cursor::new(body);
        c.u16()?;
        out.begin_message();
        self.properties(side, &mut c, out)?;
        while !c.is_empty() {
            out.item("channel", Form::Text, side, c.vec16()?);
            c.u8()?;
        }
        Some(())
    }
}

/// A payload is text where it is UTF-8.
fn give(side: Side, field: &str, payload: &[u8], out: &mut Out<'_, '_>) {
    let form = if std::str::from_utf8(payload).is_ok() { Form::Text } else { Form::Binary };
    out.message(Child::message().form(form).field(field), side, payload);
}
