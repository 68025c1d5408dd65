//! Server-sent events (WHATWG HTML, section 9.2): each event's data is a message.

use crate::model::Side;
use crate::peel::{AfterGap, Child, Eats, Family, Form, Hint, Input, Out, Peeler, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "sse",
    title: "Server-sent events (WHATWG HTML)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Text, Form::Binary],
    answers: |h| matches!(h, Hint::ContentType(t) if t == "text/event-stream"),
    shapes: &[],
    probe: None,
    facts: &[],
    notes: &["sse-event-too-long", "sse-event-unfinished", "sse-event-cut-by-gap"],
    open: || Box::new(Sse::default()),
};

#[derive(Debug, Default)]
struct Sse {
    /// The line being read.
    line: Vec<u8>,
    /// The last line ended with a carriage return, so that a line feed belongs to it.
    returned: bool,
    begun: bool,
    data: Option<Vec<u8>>,
    name: Vec<u8>,
    id: Vec<u8>,
    comment: Vec<u8>,
    /// Something of this event is missing: pass over what is left of it.
    spoiled: bool,
}

impl Peeler for Sse {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let mut bytes = input.bytes;
        if std::mem::take(&mut self.returned) && bytes.first() == Some(&b'\n') {
            return Step::again(1);
        }
        while let Some(at) = memchr::memchr2(b'\n', b'\r', bytes) {
            self.grow(&bytes[..at], out);
            let line = std::mem::take(&mut self.line);
            self.take_line(&line, input.side, out);
            let returned = bytes[at] == b'\r';
            bytes = &bytes[at + 1..];
            match bytes.first() {
                Some(b'\n') if returned => bytes = &bytes[1..],
                None => self.returned = returned,
                _ => {}
            }
        }
        self.grow(bytes, out);
        Step::again(input.bytes.len())
    }

    fn gap(&mut self, _side: Side, _len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        out.note("sse-event-cut-by-gap");
        self.spoiled = true;
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take_line(&line, side, out);
        }
        if self.data.is_some() && !self.spoiled {
            out.note("sse-event-unfinished");
            self.dispatch(side, out);
        }
    }
}

impl Sse {
    fn grow(&mut self, bytes: &[u8], out: &mut Out<'_, '_>) {
        let held = self.line.len() + self.data.as_ref().map_or(0, Vec::len);
        if held + bytes.len() <= out.limits().message {
            return self.line.extend_from_slice(bytes);
        }
        if !self.spoiled {
            out.note("sse-event-too-long");
        }
        self.spoiled = true;
        self.data = None;
        // Not empty, so that it does not end the event.
        self.line = vec![b':'];
    }

    fn take_line(&mut self, line: &[u8], side: Side, out: &mut Out<'_, '_>) {
        let line = match std::mem::replace(&mut self.begun, true) {
            false => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            true => line,
        };
        if line.is_empty() {
            return self.dispatch(side, out);
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            b"event" => self.name = value.to_vec(),
            b"id" => self.id = value.to_vec(),
            b"" => self.comment = value.to_vec(),
            _ => {}
        }
    }

    /// An empty line: the event is whole.
    fn dispatch(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let data = self.data.take().unwrap_or_default();
        let fields = [
            ("event", std::mem::take(&mut self.name)),
            ("id", std::mem::take(&mut self.id)),
            ("comment", std::mem::take(&mut self.comment)),
        ];
        let spoiled = std::mem::take(&mut self.spoiled);
        if spoiled || (data.is_empty() && fields.iter().all(|(_, v)| v.is_empty())) {
            return;
        }
        out.begin_message();
        for (name, value) in fields {
            if !value.is_empty() {
                out.item(name, Form::Text, side, &value);
            }
        }
        if !data.is_empty() {
            out.message(Child::message().form(Form::Text).field("data"), side, &data);
        }
    }
}
