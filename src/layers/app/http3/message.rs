//! Requests and responses (RFC 9114 section 4): what a head says, and how its body is to be read.

use super::http::{self, Asked, Head};
use super::qpack::Field;
use super::stream::Stream;
use crate::model::Side;
use crate::peel::{Child, Hint, Out};

fn read(fields: &[Field]) -> Head<'_> {
    fields.iter().map(|(name, value)| (name.as_slice(), Some(value.as_slice()))).collect()
}

impl Stream {
    /// A field section: a head, an interim response or trailers.
    pub(super) fn message(&mut self, side: Side, fields: &[Field], out: &mut Out<'_, '_>) {
        let head = read(fields);
        if head.has(":method") {
            return self.request(side, &head, out);
        }
        if let Some(status) = head.value(":status") {
            return self.response(side, &status, &head, out);
        }
        if !self.halves[side].headed {
            // A head whose first lines could not be read.
            out.begin_message();
        }
        head.items(side, out);
    }

    /// PUSH_PROMISE: a request that the server makes in the client's name.
    pub(super) fn promised(&mut self, side: Side, fields: &[Field], out: &mut Out<'_, '_>) {
        asks(side, &read(fields), out);
    }

    fn request(&mut self, side: Side, head: &Head<'_>, out: &mut Out<'_, '_>) {
        self.asked = asks(side, head, out);
        self.halves[side].headed = true;
        if self.asked.method != "CONNECT" {
            return self.expect_body(side, head, out);
        }
        let mut child = Child::stream().label("host", &self.asked.host).label("path", &self.asked.path);
        if let Some(protocol) = &self.asked.protocol {
            out.fact("http3.protocol", protocol.as_str());
            child = child.hint(Hint::Upgrade(protocol.clone()));
        }
        self.tunnel = Some(out.open(head.agreed(child)));
    }

    fn response(&mut self, side: Side, status: &str, head: &Head<'_>, out: &mut Out<'_, '_>) {
        out.begin_message();
        let code: u64 = status.parse().unwrap_or(0);
        out.fact("http.status", code);
        self.asked.label(out);
        head.items(side, out);
        if (100..200).contains(&code) || self.tunnel.is_some() {
            return;
        }
        self.halves[side].headed = true;
        self.expect_body(side, head, out);
    }

    /// Prepares the body's child. Where the head promises content it is opened at once, so that it
    /// belongs to the same message; else with its first byte.
    fn expect_body(&mut self, side: Side, head: &Head<'_>, out: &mut Out<'_, '_>) {
        let child = self.asked.labelled(head.body());
        let length = head.value("content-length").and_then(|l| l.trim().parse::<u64>().ok());
        let promised = self.asked.method != "HEAD" && length.map_or(!head.media_type().is_empty(), |n| n > 0);
        let half = &mut self.halves[side];
        match promised {
            true => half.body = Some(out.open(child)),
            false => half.later = Some(child),
        }
    }
}

/// A request's head, which begins a message.
fn asks(side: Side, head: &Head<'_>, out: &mut Out<'_, '_>) -> Asked {
    out.begin_message();
    let asked = head.asked();
    out.fact("http.method", asked.method.as_str());
    asked.label(out);
    http::target(&head.value(":path").unwrap_or_default(), side, out);
    head.items(side, out);
    asked
}
