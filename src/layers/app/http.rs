//! HTTP semantics (RFC 9110), in whichever version they travel: what a request asks for, which fields a
//! head holds, and how the body or the tunnel behind it is to be read.

use crate::model::Side;
use crate::peel::{Child, Form, Hint, Out};

/// What a response needs to know of its request. What was not seen is empty.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub method: String,
    pub host: String,
    /// Without its query.
    pub path: String,
    /// The protocol of an extended CONNECT (RFC 8441, RFC 9220).
    pub protocol: Option<String>,
}

impl Asked {
    fn named(&self) -> [(&'static str, &str); 3] {
        [("host", &self.host), ("method", &self.method), ("path", &self.path)]
    }

    /// Sets the context of the exchange on this layer, in place of whatever was known before: a message says
    /// anew what it asks for or answers, and what it leaves out is not known.
    pub fn label(&self, out: &mut Out<'_, '_>) {
        self.named().into_iter().for_each(|(name, value)| out.label(name, value));
    }

    /// The same for a child, hiding what the layer has from other exchanges.
    pub fn labelled(&self, child: Child) -> Child {
        self.named().into_iter().fold(child, |child, (name, value)| child.label(name, value))
    }
}

/// The fields of a head in their order; a value is `None` where its compression hides it.
pub struct Head<'a>(Vec<(&'a [u8], Option<&'a [u8]>)>);

impl<'a> FromIterator<(&'a [u8], Option<&'a [u8]>)> for Head<'a> {
    fn from_iter<T: IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>>(fields: T) -> Self {
        Head(fields.into_iter().collect())
    }
}

impl Head<'_> {
    fn find(&self, name: &str) -> Option<&(&[u8], Option<&[u8]>)> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Whether a field of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The first value of a field, as text.
    pub fn value(&self, name: &str) -> Option<String> {
        self.find(name)?.1.map(|v| String::from_utf8_lossy(v).into_owned())
    }

    /// The bare media type of the body, in small letters; empty where none is stated.
    pub fn media_type(&self) -> String {
        let stated = self.value("content-type").unwrap_or_default();
        stated.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
    }

    /// What a request asks for by its pseudo-fields (RFC 9113 section 8.3.1).
    pub fn asked(&self) -> Asked {
        let host = self.value(":authority").or_else(|| self.value("host")).unwrap_or_default();
        let target = self.value(":path").unwrap_or_default();
        let path = target.split_once('?').map_or(target.as_str(), |(path, _)| path).to_owned();
        let method = self.value(":method").unwrap_or_default();
        Asked { method, host, path, protocol: self.value(":protocol") }
    }

    /// Hands on the fields. The authority goes by the name that it has in HTTP/1.1; other pseudo-fields are
    /// told as facts and labels.
    pub fn items(&self, side: Side, out: &mut Out<'_, '_>) {
        for (name, value) in &self.0 {
            let Some(value) = value.filter(|v| !v.is_empty()) else { continue };
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            let name = match name.as_str() {
                ":authority" => "host",
                _ if name.starts_with(':') => continue,
                name => name,
            };
            out.item(&format!("header.{name}"), Form::Text, side, value);
        }
    }

    /// The child for the body that follows.
    pub fn body(&self) -> Child {
        let mut child = Child::message();
        let mut coded = false;
        for coding in self.value("content-encoding").unwrap_or_default().split(',').rev() {
            let coding = coding.trim().to_ascii_lowercase();
            if !coding.is_empty() && coding != "identity" {
                child = child.hint(Hint::Encoding(coding));
                coded = true;
            }
        }
        if let Some(coding) = self.value("grpc-encoding").or_else(|| self.value("connect-content-encoding")) {
            child = child.label("grpc_encoding", &coding);
        }
        let media = self.media_type();
        if !media.is_empty() {
            // What is compressed is octets, whatever it becomes.
            let form = if coded { Form::Binary } else { form_of(&media) };
            let stated = self.value("content-type").unwrap_or_default();
            child = child.label("content_type", &stated).form(form).hint(Hint::ContentType(media));
        }
        child
    }

    /// Tells a tunnel what was agreed on for a WebSocket (RFC 6455 section 11.3).
    pub fn agreed(&self, child: Child) -> Child {
        let names =
            [("ws_extensions", "sec-websocket-extensions"), ("ws_protocol", "sec-websocket-protocol")];
        let known = names.into_iter().filter_map(|(label, name)| Some((label, self.value(name)?)));
        known.fold(child, |child, (label, value)| child.label(label, &value))
    }
}

/// Hands on a request's target, and its query once more by itself.
pub fn target(target: &str, side: Side, out: &mut Out<'_, '_>) {
    if !target.is_empty() {
        out.item("target", Form::Text, side, target.as_bytes());
    }
    if let Some((_, query)) = target.split_once('?').filter(|(_, q)| !q.is_empty()) {
        let child = Child::message().form(Form::Text).hint(Hint::Layer("form")).field("query");
        out.message(child, side, query.as_bytes());
    }
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
