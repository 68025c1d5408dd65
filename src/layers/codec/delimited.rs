//! Messages behind their length as a varint, one after another: SignalR's MessagePack hub protocol, and protobuf as
//! `writeDelimitedTo` and its kin in other languages write it.

use crate::bytes::Cursor;
use crate::layers::protobuf;
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use protobuf::Value;

/// The row.
pub static SPEC: Spec = Spec {
    name: "delimited",
    title: "Messages behind their length (SignalR's MessagePack, delimited protobuf)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(|p: &Probe<'_>| match read(p.bytes) {
        Some(_) => Guess::Maybe,
        None => Guess::No,
    }),
    facts: &[],
    notes: &[],
    open: || Box::new(Delimited),
};

/// Messages of one buffer.
const MOST: usize = 256;
/// Field numbers that schemas of such messages use.
const HIGHEST: u64 = 64;

/// What all messages of a buffer are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Hub,
    Protobuf,
}

/// The messages, if lengths and messages fill the whole buffer and each message is what the others are.
fn read(bytes: &[u8]) -> Option<(Kind, Vec<&[u8]>)> {
    let mut c = Cursor::new(bytes);
    let mut list = Vec::new();
    while !c.is_empty() {
        let n = usize::try_from(c.shortest_varint()?).ok().filter(|n| *n > 0)?;
        list.push(c.take(n)?);
        if list.len() > MOST {
            return None;
        }
    }
    if !list.is_empty() && list.iter().all(|m| is_hub(m)) {
        return Some((Kind::Hub, list));
    }
    let told = list.iter().map(|m| texts(m)).collect::<Option<Vec<_>>>()?;
    // A length that fits is one chance in 256: a readable text must stand behind it.
    told.contains(&true).then_some((Kind::Protobuf, list))
}

/// An array of as many values as its type has: invocations, items of streams, completions, calls for streams and their
/// ends, pings, closing, and what was received (SignalR hub protocol, MessagePack encoding).
fn is_hub(message: &[u8]) -> bool {
    match message {
        [0x91, 6] => true,
        [0x92 | 0x93, 7, ..] | [0x92, 8 | 9, ..] => true,
        [0x95 | 0x96, 1 | 4, headers, ..] => headers >> 4 == 8,
        [0x94, 2, headers, ..] | [0x94 | 0x95, 3, headers, ..] | [0x93, 5, headers, ..] => headers >> 4 == 8,
        _ => false,
    }
}

/// Whether a message is fields, and whether a readable text is among them or in a message among them.
fn texts(message: &[u8]) -> Option<bool> {
    fn inside(message: &[u8], depth: usize) -> Option<bool> {
        let mut c = Cursor::new(message);
        let mut text = false;
        while !c.is_empty() {
            let (number, value) = protobuf::field(&mut c).ok()?;
            if !(1..=HIGHEST).contains(&number) {
                return None;
            }
            if let Value::Bytes(b) = value {
                text |= is_text(b) || depth > 0 && inside(b, depth - 1) == Some(true);
            }
        }
        Some(text)
    }
    inside(message, 4)
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.len() >= 6 && std::str::from_utf8(bytes).is_ok_and(|t| !t.chars().any(char::is_control))
}

struct Delimited;

impl Peeler for Delimited {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some((kind, list)) = read(input.bytes) else { return Step::again(0) };
        let media = match kind {
            Kind::Hub => "application/x-msgpack",
            Kind::Protobuf => "application/x-protobuf",
        };
        for message in list {
            let hint = Hint::ContentType(media.to_owned());
            out.message(Child::message().hint(hint), input.side, message);
        }
        Step::again(input.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Option<(Kind, usize)> {
        read(bytes).map(|(kind, list)| (kind, list.len()))
    }

    #[test]
    fn lengths_must_fill_the_buffer_and_what_is_behind_them_must_be_told() {
        assert_eq!(kind(b"\x02\x91\x06"), Some((Kind::Hub, 1)));
        assert_eq!(kind(b"\x02\x91\x06\x02\x91\x06"), Some((Kind::Hub, 2)));
        assert_eq!(kind(b"\x02\x91\x06\x03\x91\x06"), None);
        assert_eq!(kind(b"\x0a\x12\x08see you.\x02\x08\x01"), Some((Kind::Protobuf, 2)));
        assert_eq!(kind(b"\x02\x08\x01"), None, "no text");
        assert_eq!(
            kind(b"\x0a\x08see you.."),
            None,
            "a message that begins with a text is none behind its length"
        );
        assert_eq!(kind(b""), None);
    }
}
