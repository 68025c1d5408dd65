//! Protocol Buffers without a schema (protobuf.dev/programming-guides/encoding), with or without the
//! block padding that some messengers put behind a message.

use crate::bytes::Cursor;
use crate::layers::protobuf;
use crate::model::Side;
use crate::peel::{Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use protobuf::Value;

/// The row.
pub static SPEC: Spec = Spec {
    name: "protobuf",
    title: "Protocol Buffers",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Binary],
    answers: |h| match h {
        Hint::ContentType(t) => t.contains("protobuf") || t.ends_with("+proto"),
        _ => false,
    },
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Protobuf),
};

/// Messages inside one another.
const DEPTH: usize = 16;
/// The shape under which messages are offered whole to layers that know their fields.
const MESSAGE: &[&str] = &["protobuf message"];
/// Field numbers that schemas use; larger ones are noise far more often than fields.
const HIGHEST: u64 = 4096;
/// Fields of one message.
const MOST: usize = 10_001;

/// All fields, if the whole buffer is fields.
fn fields(bytes: &[u8]) -> Option<Vec<(u64, Value<'_>)>> {
    let mut c = Cursor::new(bytes);
    let mut list = Vec::new();
    while !c.is_empty() {
        let (number, value) = protobuf::field(&mut c).ok()?;
        if number == 0 || number > HIGHEST || list.len() == MOST {
            return None;
        }
        list.push((number, value));
    }
    (!list.is_empty()).then_some(list)
}

fn readable(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// How much a buffer looks like a message: readable strings and nested messages speak for it.
fn score(bytes: &[u8], depth: usize) -> Option<usize> {
    let list = fields(bytes)?;
    let mut points = 0;
    for (_, value) in &list {
        if let Value::Bytes(b) = *value {
            points += match b {
                _ if b.len() >= 4 && readable(b) => 4,
                _ if depth < DEPTH && b.len() >= 2 => score(b, depth + 1).map_or(0, |s| 1 + s),
                _ => 0,
            };
        }
    }
    points += usize::from(list.len() >= 3) + usize::from(list.windows(2).all(|w| w[0].0 <= w[1].0));
    Some(points)
}

/// The message without block padding: `80 00 .. 00` behind it, or bytes that all hold their number.
fn unpadded(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().rev().take_while(|b| **b == 0).count();
    let body = &bytes[..bytes.len() - zeros];
    match body.split_last() {
        Some((0x80, message)) if fields(message).is_some() => message,
        _ => bytes,
    }
}

fn probe(p: &Probe<'_>) -> Guess {
    if p.bytes.len() < 4 {
        return Guess::No;
    }
    let message = unpadded(p.bytes);
    match score(message, 0) {
        Some(s) if s >= 12 || s >= 6 && message.len() < p.bytes.len() => Guess::Sure,
        Some(s) if s >= 4 || p.stated => Guess::Maybe,
        _ => Guess::No,
    }
}

struct Protobuf;

impl Peeler for Protobuf {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let message = unpadded(input.bytes);
        let Some(list) = fields(message) else { return Step::again(0) };
        out.shape("", MESSAGE, input.side, message);
        walk(&list, "", input.side, 0, out);
        Step::again(input.bytes.len())
    }
}

fn walk(list: &[(u64, Value<'_>)], path: &str, side: Side, depth: usize, out: &mut Out<'_, '_>) {
    for (number, value) in list {
        let own = match path.is_empty() {
            true => number.to_string(),
            false => format!("{path}.{number}"),
        };
        match *value {
            Value::Varint(n) | Value::Fixed64(n) => {
                out.item(&own, Form::Plain, side, n.to_string().as_bytes());
            }
            Value::Fixed32(n) => out.item(&own, Form::Plain, side, n.to_string().as_bytes()),
            Value::Bytes(b) if readable(b) => out.item(&own, Form::Text, side, b),
            Value::Bytes(b) => {
                let nested = (depth < DEPTH && score(b, depth + 1).is_some_and(|s| s >= 1))
                    .then(|| fields(b))
                    .flatten();
                match nested {
                    Some(inner) => {
                        out.shape(&own, MESSAGE, side, b);
                        walk(&inner, &own, side, depth + 1, out);
                    }
                    None => out.item(&own, Form::Binary, side, b),
                }
            }
        }
    }
}
