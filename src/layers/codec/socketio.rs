//! Packets of Socket.IO (protocol 5) in those of Engine.IO: events with a name and arguments.

use crate::peel::{Child, Eats, Family, Form, Guess, Input, Out, Peeler, Probe, Spec, Step};
use serde_json::Value;

/// The row.
pub static SPEC: Spec = Spec {
    name: "socketio",
    title: "Socket.IO packets (protocol 5)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text, Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(|p: &Probe<'_>| if read(p.bytes).is_some() { Guess::Sure } else { Guess::No }),
    facts: &[],
    notes: &[],
    open: || Box::new(SocketIo),
};

/// What stands behind the types and the numbers of a packet: `42/chat,7["event",...]`, and of Engine.IO `0{...}`.
fn read(bytes: &[u8]) -> Option<Value> {
    let type_digits = match bytes {
        [b'0', b'{', ..] => 1,
        [b'4', b'0'..=b'6', ..] => 2,
        _ => return None,
    };
    let rest = std::str::from_utf8(bytes.get(type_digits..)?).ok()?;
    // Attachments, a namespace, and the number for an acknowledgement.
    let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
    let rest = match rest.get(digits(rest)..)?.strip_prefix('-') {
        Some(behind) => behind,
        None => rest,
    };
    let rest = if rest.starts_with('/') { rest.split_once(',')?.1 } else { rest };
    let rest = rest.get(digits(rest)..)?;
    let value: Value = serde_json::from_str(rest).ok().filter(|_| rest.starts_with(['[', '{']))?;
    Some(value)
}

struct SocketIo;

impl Peeler for SocketIo {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(value) = read(input.bytes) else { return Step::again(0) };
        let hand_on = |field: &str, value: &Value, out: &mut Out<'_, '_>| match value {
            Value::String(text) => out.item(field, Form::Text, input.side, text.as_bytes()),
            Value::Object(_) | Value::Array(_) => {
                let raw = serde_json::to_vec(value).unwrap_or_default();
                out.message(Child::message().form(Form::Text).field(field), input.side, &raw);
            }
            Value::Null => {}
            other => out.item(field, Form::Plain, input.side, other.to_string().as_bytes()),
        };
        match &value {
            Value::Array(list) => {
                let name = list.first().and_then(Value::as_str).unwrap_or_default();
                out.item("event", Form::Text, input.side, name.as_bytes());
                // A first argument may be a name or a room, so the field is not called a message itself.
                let field = if is_chat(name) { "spoken" } else { "argument" };
                list.iter().skip(1).for_each(|argument| hand_on(field, argument, out));
            }
            other => hand_on("", other, out),
        }
        Step::again(input.bytes.len())
    }
}

/// Whether an event's name says that its arguments are what people say.
fn is_chat(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["message", "msg", "chat", "say", "private", "text", "reply"].iter().any(|w| lower.contains(w))
}
