//! Requests and responses (RFC 9114 section 4): what a head says, and how its body is to be read.

use super::qpack::Field;
use super::stream::Stream;
use crate::model::Side;
use crate::peel::{Child, Form, Hint, Out};

/// What a response needs to know of its request.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub method: String,
    pub host: String,
    pub path: String,
}

fn value(fields: &[Field], name: &str) -> Option<String> {
    let (_, value) = fields.iter().find(|(n, _)| n == name.as_bytes())?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// Text for media types that are characters.
fn form_of(media: &str) -> Form {
    let text = media.starts_with("text/")
        || ["json", "xml", "javascript", "x-www-form-urlencoded", "x-ndjson"]
            .iter()
            .any(|t| media.ends_with(t));
    if text { Form::Text } else { Form::Binary }
}

impl Stream {
    /// A field section: a head, an interim response or trailers.
    pub(super) fn message(&mut self, side: Side, fields: &[Field], out: &mut Out<'_, '_>) {
        if value(fields, ":method").is_some() {
            return self.request(side, fields, out);
        }
        if let Some(status) = value(fields, ":status") {
            return self.response(side, &status, fields, out);
        }
        if !self.halves[side].headed {
            // A head whose first lines could not be read.
            out.begin_message();
        }
        items(side, fields, out);
    }

    /// PUSH_PROMISE: a request that the server makes in the client's name.
    pub(super) fn promised(&mut self, side: Side, fields: &[Field], out: &mut Out<'_, '_>) {
        out.begin_message();
        target(side, fields, out);
        items(side, fields, out);
    }

    fn request(&mut self, side: Side, fields: &[Field], out: &mut Out<'_, '_>) {
        out.begin_message();
        self.asked = target(side, fields, out);
        items(side, fields, out);
        self.halves[side].headed = true;
        if self.asked.method != "CONNECT" {
            return self.expect_body(side, fields, out);
        }
        let mut child = Child::stream().label("host", &self.asked.host).label("path", &self.asked.path);
        if let Some(protocol) = value(fields, ":protocol") {
            out.fact("http3.protocol", protocol.as_str());
            child = child.hint(Hint::Upgrade(protocol));
        }
        if let Some(wanted) = value(fields, "sec-websocket-protocol") {
            child = child.label("ws_protocol", &wanted);
        }
        if let Some(wanted) = value(fields, "sec-websocket-extensions") {
            child = child.label("ws_extensions", &wanted);
        }
        self.tunnel = Some(out.open(child));
    }

    fn response(&mut self, side: Side, status: &str, fields: &[Field], out: &mut Out<'_, '_>) {
        out.begin_message();
        let code: u64 = status.parse().unwrap_or(0);
        out.fact("http.status", code);
        let asked = &self.asked;
        for (name, value) in [("host", &asked.host), ("method", &asked.method), ("path", &asked.path)] {
            if !value.is_empty() {
                out.label(name, value);
            }
        }
        items(side, fields, out);
        if (100..200).contains(&code) || self.tunnel.is_some() {
            return;
        }
        self.halves[side].headed = true;
        self.expect_body(side, fields, out);
    }

    /// Prepares the body's child. Where the head promises content it is opened at once, so that it
    /// belongs to the same message; else with its first byte.
    fn expect_body(&mut self, side: Side, fields: &[Field], out: &mut Out<'_, '_>) {
        let asked = &self.asked;
        let mut child = Child::message();
        for (name, value) in [("host", &asked.host), ("path", &asked.path), ("method", &asked.method)] {
            child = child.label(name, value);
        }
        for coding in value(fields, "content-encoding").unwrap_or_default().split(',').rev() {
            let coding = coding.trim().to_ascii_lowercase();
            if !coding.is_empty() && coding != "identity" {
                child = child.hint(Hint::Encoding(coding));
            }
        }
        let media = value(fields, "content-type").unwrap_or_default();
        let bare = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let length = value(fields, "content-length").and_then(|l| l.trim().parse::<u64>().ok());
        let promised =
            length.map_or(!bare.is_empty() && asked.method != "HEAD", |n| n > 0 && asked.method != "HEAD");
        if !bare.is_empty() {
            child = child.label("content_type", &media).form(form_of(&bare)).hint(Hint::ContentType(bare));
        }
        let half = &mut self.halves[side];
        match promised {
            true => half.body = Some(out.open(child)),
            false => half.later = Some(child),
        }
    }
}

/// States where a request goes.
fn target(side: Side, fields: &[Field], out: &mut Out<'_, '_>) -> Asked {
    let host = value(fields, ":authority").or_else(|| value(fields, "host")).unwrap_or_default();
    let method = value(fields, ":method").unwrap_or_default();
    let target = value(fields, ":path").unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    out.fact("http.method", method.as_str());
    out.label("host", &host);
    out.label("method", &method);
    out.label("path", path);
    if !target.is_empty() {
        out.item("target", Form::Text, side, target.as_bytes());
    }
    if !query.is_empty() {
        let child = Child::message().form(Form::Text).hint(Hint::Layer("form")).field("query");
        out.message(child, side, query.as_bytes());
    }
    let path = path.to_owned();
    Asked { method, host, path }
}

/// Hands the ordinary fields on.
fn items(side: Side, fields: &[Field], out: &mut Out<'_, '_>) {
    for (name, value) in fields {
        if value.is_empty() || name.first() == Some(&b':') && name != b":authority" {
            continue;
        }
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let name = if name == ":authority" { "host" } else { &name };
        out.item(&format!("header.{name}"), Form::Text, side, value);
    }
}
