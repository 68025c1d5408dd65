//! WhatsApp's and Messenger's stanzas as their servers read them: who writes to whom and when, ciphertext in
//! `enc`, and in channels a `plaintext` that the server can read.

mod node;
mod tokens;

use crate::bytes::Cursor;
use crate::layers::protobuf;
use crate::model::Side;
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use node::{Content, Node, stanza};
use protobuf::Value;
use std::borrow::Cow;
use std::io::Read;

/// The row. Only the layer around it can say that bytes are a stanza.
pub static SPEC: Spec = Spec {
    name: "whatsapp-xml",
    title: "WhatsApp binary XML",
    family: Family::App,
    eats: Eats::Message,
    forms: &[Form::Binary],
    answers: |_: &Hint| false,
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Stanza),
};

/// The flag of a packed stanza.
const PACKED: u8 = 2;
const LONGEST: u64 = 4 << 20;

/// The stanza behind its flags.
fn unpacked(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (flags, rest) = bytes.split_first()?;
    if flags & PACKED == 0 {
        return Some(Cow::Borrowed(rest));
    }
    let mut plain = Vec::new();
    flate2::read::ZlibDecoder::new(rest).take(LONGEST).read_to_end(&mut plain).ok()?;
    Some(Cow::Owned(plain))
}

fn probe(p: &Probe<'_>) -> Guess {
    let fits = p.stated && unpacked(p.bytes).is_some_and(|plain| stanza(&plain).is_some());
    if fits { Guess::Sure } else { Guess::No }
}

struct Stanza;

impl Peeler for Stanza {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if let Some(plain) = unpacked(input.bytes)
            && let Some(node) = stanza(&plain)
        {
            show(&node, "", input.side, out);
        }
        Step::again(input.bytes.len())
    }
}

fn show(node: &Node<'_>, within: &str, side: Side, out: &mut Out<'_, '_>) {
    let here = if within.is_empty() { node.tag.clone() } else { format!("{within}.{}", node.tag) };
    for (name, value) in &node.attributes {
        let name = if name == "t" { "timestamp" } else { name };
        out.item(&format!("{here}.{name}"), Form::Plain, side, value.as_bytes());
    }
    match &node.content {
        Content::None => {}
        Content::Nodes(nodes) => nodes.iter().for_each(|n| show(n, &here, side, out)),
        Content::Word(word) => out.item(&here, Form::Plain, side, word.as_bytes()),
        Content::Bytes(bytes) if node.tag == "plaintext" => readable(bytes, &here, side, out),
        Content::Bytes(bytes) => out.item(&here, Form::Binary, side, bytes),
    }
}

/// A message that the server can read: its text, and the rest as protobuf.
fn readable(bytes: &[u8], here: &str, side: Side, out: &mut Out<'_, '_>) {
    if let Some(text) = text(bytes) {
        out.item(&format!("{here}.conversation"), Form::Text, side, text.as_bytes());
    }
    let hint = Hint::ContentType("application/x-protobuf".into());
    out.message(Child::message().hint(hint).field(here), side, bytes);
}

/// `conversation`, or the text of an `extendedTextMessage`.
fn text(bytes: &[u8]) -> Option<&str> {
    let field = field(bytes, 1).or_else(|| field(field(bytes, 6)?, 1))?;
    std::str::from_utf8(field).ok().filter(|t| !t.is_empty())
}

/// The first field of bytes with that number.
fn field(bytes: &[u8], number: u64) -> Option<&[u8]> {
    let mut c = Cursor::new(bytes);
    while !c.is_empty() {
        match protobuf::field(&mut c).ok()? {
            (n, Value::Bytes(value)) if n == number => return Some(value),
            _ => {}
        }
    }
    None
}
