//! Mumble, control channel: text messages, logins and tunnelled voice in frames of a type and a length.

use crate::bytes::Cursor;
use crate::layers::protobuf;
use crate::model::{Bucket, Side};
use crate::peel::{Eats, End, Family, Form, Guess, Input, Out, Peeler, Probe, Spec, Step};
use protobuf::Value;

/// The row.
pub static SPEC: Spec = Spec {
    name: "mumble",
    title: "Mumble control channel",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &["mumble-frame-malformed", "mumble-frame-too-long"],
    open: || Box::new(Mumble),
};

const HEAD: usize = 6;
const UDP_TUNNEL: u16 = 1;
/// The last type that is defined.
const LAST: u16 = 26;

/// Both sides begin with their version: its first field is the number, then come texts of release and system.
fn probe(p: &Probe<'_>) -> Guess {
    let known = p.bytes.get(..HEAD).unwrap_or(p.bytes);
    if !known.iter().zip([0, 0, 0, 0]).all(|(b, zero)| *b == zero) {
        return Guess::No;
    }
    let mut c = Cursor::new(p.bytes);
    let (Some(_), Some(len)) = (c.u16(), c.u32()) else {
        return if p.end { Guess::No } else { Guess::More };
    };
    match c.take(len as usize) {
        None if p.end || !(8..256).contains(&len) => Guess::No,
        None => Guess::More,
        Some(body) if is_version(body) => Guess::Sure,
        Some(_) => Guess::No,
    }
}

/// Fields 1 (number) to 5, in order, with at least two texts.
fn is_version(body: &[u8]) -> bool {
    let mut c = Cursor::new(body);
    let (mut last, mut texts) = (0, 0);
    while !c.is_empty() {
        let fits = match protobuf::field(&mut c) {
            Ok((number @ (1 | 5), Value::Varint(_))) if number > last => number,
            Ok((number @ 2..=4, Value::Bytes(text))) if number > last && is_text(text) => {
                texts += 1;
                number
            }
            _ => return false,
        };
        last = fits;
    }
    texts >= 2
}

fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|t| !t.chars().any(char::is_control))
}

struct Mumble;

impl Peeler for Mumble {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let mut c = Cursor::new(input.bytes);
        let (Some(kind), Some(len)) = (c.u16(), c.u32()) else { return Step::more(0, HEAD) };
        let len = len as usize;
        if kind > LAST {
            return Step::die("mumble-frame-malformed");
        }
        if len > out.limits().message {
            out.note("mumble-frame-too-long");
            return Step::skip(HEAD, len as u64, Bucket::Cut);
        }
        let Some(body) = c.take(len) else { return Step::more(0, HEAD + len) };
        out.begin_message();
        if kind == UDP_TUNNEL {
            // Packets of voice, as they would stand in datagrams without their encryption.
            out.leaf("voice", Form::Binary, input.side, len as u64, End::Clear, body);
        } else if show(kind, body, input.side, out).is_none() {
            out.note("mumble-frame-malformed");
        }
        Step::again(HEAD + len)
    }
}

/// The fields of a type of frame that are about people and what they say.
fn name(kind: u16, field: u64) -> Option<&'static str> {
    Some(match (kind, field) {
        (2, 1) => "username",
        (2, 2) => "password",
        (2, 3) => "auth.token",
        (4, 3) => "reason",
        (5, 3) => "welcome",
        (7, 3) => "channel",
        (7, 5) => "topic",
        (8, 4) => "reason",
        (9, 3) => "username",
        (9, 14) => "profile.comment",
        (11, 5) => "message",
        (12, 4) => "reason",
        (15, 1..=3) => "voice-key",
        _ => return None,
    })
}

fn show(kind: u16, body: &[u8], side: Side, out: &mut Out<'_, '_>) -> Option<()> {
    for (field, value) in protobuf::delimited(body)? {
        let known = name(kind, field);
        let text = known != Some("voice-key") && std::str::from_utf8(value).is_ok();
        let form = if text { Form::Text } else { Form::Binary };
        match known {
            Some(name) => out.item(name, form, side, value),
            // What plugins send, descriptions of channels, pictures of people.
            None => out.item(&format!("{kind}.{field}"), form, side, value),
        }
    }
    Some(())
}
