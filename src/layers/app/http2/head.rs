//! Message heads: what a header list says, and how it is handed on.

use super::hpack::List;
use crate::model::Side;
use crate::peel::{Child, Form, Hint, Out};

/// What a response needs to know of its request.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub method: String,
    pub host: String,
    pub path: String,
    /// The protocol of an extended CONNECT (RFC 8441).
    pub protocol: Option<String>,
}

/// What kind of header list it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    /// With its status.
    Response(u16),
    /// No pseudo field: trailers, or a head whose pseudo fields are not known.
    Other,
}

/// The first value of a field, as text.
pub(super) fn value(list: &List, name: &str) -> Option<String> {
    let known = |f: &&super::hpack::Field| f.name.as_deref() == Some(name.as_bytes());
    let field = list.fields.iter().find(known)?;
    field.value.as_deref().map(|v| String::from_utf8_lossy(v).into_owned())
}

/// Request, response or neither.
pub(super) fn kind(list: &List) -> Kind {
    let has = |name: &str| list.fields.iter().any(|f| f.name.as_deref() == Some(name.as_bytes()));
    if has(":status") {
        return Kind::Response(value(list, ":status").and_then(|v| v.parse().ok()).unwrap_or(0));
    }
    match has(":method") || has(":path") || has(":authority") {
        true => Kind::Request,
        false => Kind::Other,
    }
}

/// What the request asks for.
pub(super) fn asked(list: &List) -> Asked {
    let host = value(list, ":authority").or_else(|| value(list, "host")).unwrap_or_default();
    let target = value(list, ":path").unwrap_or_default();
    let path = target.split_once('?').map_or(target.as_str(), |(path, _)| path).to_owned();
    Asked {
        method: value(list, ":method").unwrap_or_default(),
        host,
        path,
        protocol: value(list, ":protocol"),
    }
}

/// Sets the context of the exchange on this layer.
pub(super) fn label(asked: &Asked, out: &mut Out<'_, '_>) {
    for (name, value) in [("host", &asked.host), ("method", &asked.method), ("path", &asked.path)] {
        if !value.is_empty() {
            out.label(name, value);
        }
    }
}

/// Hands on the target with its query.
pub(super) fn target(list: &List, side: Side, out: &mut Out<'_, '_>) {
    let Some(target) = value(list, ":path").filter(|t| !t.is_empty()) else { return };
    out.item("target", Form::Text, side, target.as_bytes());
    if let Some((_, query)) = target.split_once('?').filter(|(_, q)| !q.is_empty()) {
        let child = Child::message().form(Form::Text).hint(Hint::Layer("form")).field("query");
        out.message(child, side, query.as_bytes());
    }
}

/// Hands on the fields. The authority goes by the name that it has in HTTP/1.1.
pub(super) fn fields(list: &List, side: Side, out: &mut Out<'_, '_>) {
    for field in &list.fields {
        let (Some(name), Some(value)) = (&field.name, &field.value) else { continue };
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let name = match name.as_str() {
            ":authority" => "host",
            _ if name.starts_with(':') => continue,
            name => name,
        };
        if !value.is_empty() {
            out.item(&format!("header.{name}"), Form::Text, side, value);
        }
    }
}

/// The child for the body that follows this head.
pub(super) fn body(list: &List, asked: &Asked) -> Child {
    let mut child = labelled(Child::message(), asked);
    let mut coded = false;
    for coding in value(list, "content-encoding").unwrap_or_default().split(',').rev() {
        let coding = coding.trim().to_ascii_lowercase();
        if !coding.is_empty() && coding != "identity" {
            child = child.hint(Hint::Encoding(coding));
            coded = true;
        }
    }
    if let Some(coding) = value(list, "grpc-encoding").or_else(|| value(list, "connect-content-encoding")) {
        child = child.label("grpc_encoding", &coding);
    }
    let media = value(list, "content-type").unwrap_or_default();
    let bare = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if !bare.is_empty() {
        // What is compressed is octets, whatever it becomes.
        let form = if coded { Form::Binary } else { form_of(&bare) };
        child = child.label("content_type", &media).form(form).hint(Hint::ContentType(bare));
    }
    child
}

/// The child for a tunnel that this response opens (RFC 9113 section 8.5, RFC 8441 section 4).
pub(super) fn tunnel(list: &List, asked: &Asked) -> Child {
    let mut child = labelled(Child::stream(), asked);
    if let Some(protocol) = &asked.protocol {
        child = child.hint(Hint::Upgrade(protocol.clone()));
    }
    for (label, name) in
        [("ws_extensions", "sec-websocket-extensions"), ("ws_protocol", "sec-websocket-protocol")]
    {
        if let Some(value) = value(list, name) {
            child = child.label(label, &value);
        }
    }
    child
}

/// The labels of the exchange on a child.
pub(super) fn labelled(mut child: Child, asked: &Asked) -> Child {
    for (name, value) in [("host", &asked.host), ("path", &asked.path), ("method", &asked.method)] {
        if !value.is_empty() {
            child = child.label(name, value);
        }
    }
    child
}

/// Text for media types that are characters.
fn form_of(media: &str) -> Form {
    let text = media.starts_with("text/")
        || ["json", "xml", "javascript", "x-www-form-urlencoded", "x-ndjson"]
            .iter()
            .any(|t| media.ends_with(t));
    // A gRPC body is frames, whatever its messages are.
    if text && !media.starts_with("application/grpc") { Form::Text } else { Form::Binary }
}
