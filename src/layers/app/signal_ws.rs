//! Signal's frames on its WebSocket (libsignal, Signal-Server `SubProtocol.proto`): a request with a verb and
//! a path or a response with a status, one to a message, each with its body.

use crate::bytes::Cursor;
use crate::layers::protobuf;
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use protobuf::Value;

/// The row.
pub static SPEC: Spec = Spec {
    name: "signal-ws",
    title: "Signal's WebSocket frames",
    family: Family::App,
    eats: Eats::Message,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(SignalWs),
};

/// A request or a response.
#[derive(Default)]
struct Frame<'a> {
    request: bool,
    verb: &'a [u8],
    path: &'a [u8],
    reason: &'a [u8],
    status: u64,
    body: &'a [u8],
    headers: Vec<&'a [u8]>,
}

/// A whole frame with a verb and a path, or with a status and its words: sure.
fn probe(p: &Probe<'_>) -> Guess {
    if parsed(p.bytes).is_some() { Guess::Sure } else { Guess::No }
}

fn parsed(bytes: &[u8]) -> Option<Frame<'_>> {
    let mut c = Cursor::new(bytes);
    let (kind, inner) = match (protobuf::field(&mut c).ok()?, protobuf::field(&mut c).ok()?) {
        ((1, Value::Varint(1)), (2, Value::Bytes(inner))) => (1, inner),
        ((1, Value::Varint(2)), (3, Value::Bytes(inner))) => (2, inner),
        _ => return None,
    };
    if !c.is_empty() {
        return None;
    }
    let mut frame = Frame { request: kind == 1, ..Frame::default() };
    let mut c = Cursor::new(inner);
    while !c.is_empty() {
        match (kind, protobuf::field(&mut c).ok()?) {
            (1, (1, Value::Bytes(b))) => frame.verb = b,
            (1, (2, Value::Bytes(b))) => frame.path = b,
            (1, (3, Value::Bytes(b))) | (2, (4, Value::Bytes(b))) => frame.body = b,
            (2, (2, Value::Varint(n))) => frame.status = n,
            (2, (3, Value::Bytes(b))) => frame.reason = b,
            (_, (5, Value::Bytes(b))) if frame.headers.len() < 256 => frame.headers.push(b),
            (1, (4, Value::Varint(_))) | (2, (1, Value::Varint(_))) => {}
            _ => return None,
        }
    }
    let graphic = |b: &[u8]| b.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    let verbs: [&[u8]; 7] = [b"GET", b"PUT", b"POST", b"DELETE", b"PATCH", b"HEAD", b"OPTIONS"];
    let request = verbs.contains(&frame.verb) && frame.path.starts_with(b"/") && graphic(frame.path);
    let response = (100..600).contains(&frame.status) && !frame.reason.is_empty() && graphic(frame.reason);
    (if frame.request { request } else { response }).then_some(frame)
}

struct SignalWs;

impl Peeler for SignalWs {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(frame) = parsed(input.bytes) else { return Step::again(0) };
        let side = input.side;
        let mut child = Child::message().field("body");
        for header in &frame.headers {
            let text = String::from_utf8_lossy(header);
            let Some((name, value)) = text.split_once(':') else { continue };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            out.item(&format!("header.{name}"), Form::Text, side, value.as_bytes());
            if name == "content-type" {
                let bare = value.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
                child = child.label("content_type", value).hint(Hint::ContentType(bare));
            }
        }
        if frame.request {
            let path = String::from_utf8_lossy(frame.path);
            out.item("target", Form::Text, side, frame.path);
            // The path says what the body is where no header does.
            if path.contains("/multi_recipient") {
                let media = "application/vnd.signal-messenger.mrm";
                child = child.hint(Hint::ContentType(media.to_owned()));
            }
            child = child.label("path", &path);
        }
        if !frame.body.is_empty() {
            let text = std::str::from_utf8(frame.body).is_ok();
            out.message(child.form(if text { Form::Text } else { Form::Binary }), side, frame.body);
        }
        Step::again(input.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_responses_read_whole_or_not_at_all() {
        let request = b"\x08\x01\x12\x1d\x0a\x03PUT\x12\x0c/v1/messages\x1a\x02{}\x20\x07\x2a\x02a:";
        let frame = parsed(request).unwrap();
        assert_eq!((frame.verb, frame.path, frame.body), (&b"PUT"[..], &b"/v1/messages"[..], &b"{}"[..]));
        let response = b"\x08\x02\x1a\x09\x08\x07\x10\xc8\x01\x1a\x02OK";
        assert_eq!(parsed(response).unwrap().status, 200);
        for whole in [&request[..], response] {
            for cut in 0..whole.len() {
                assert!(parsed(&whole[..cut]).is_none());
            }
        }
        assert!(parsed(b"\x08\x01\x12\x05\x0a\x03see").is_none());
    }
}
