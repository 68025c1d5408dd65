//! Looks for an envelope under the encodings that usually carry one. The layer engine does this with
//! its own layers; tests and the vectors example need it without an engine.

use super::grammar::encoding::{base64, form_field, unhex};
use super::grammar::xml;
use super::{Class, Envelope, recognise_binary, recognise_text};
use serde_json::Value;

/// Encodings undone one inside the other.
const DEEPEST: usize = 6;
/// Fields looked at altogether.
const MOST: usize = 4096;

/// An envelope and the encodings undone to reach it, outermost first.
type Found = (Envelope, Vec<&'static str>);

/// The envelope in `bytes`, also under base64, hexadecimal, JSON or form fields and MIME. Where there are
/// several, the one that says most against the message comes first.
pub fn explain_deep(bytes: &[u8]) -> Option<Found> {
    let mut search = Search { left: MOST, chain: Vec::new(), best: None };
    search.bytes(bytes);
    search.best
}

struct Search {
    left: usize,
    chain: Vec<&'static str>,
    best: Option<Found>,
}

/// What is bad outweighs what is good, and a claim outweighs a remark.
fn weight(envelope: &Envelope) -> u8 {
    match envelope.class {
        Class::Broken => 9,
        Class::SecretKey => 8,
        Class::E2eeMessage => 7,
        Class::E2eeHandshake => 6,
        Class::Symmetric => 5,
        Class::NotEncrypted => 4,
        Class::SignedOnly => 3,
        Class::PublicKey => 2,
        Class::TransportCrypto => 1,
    }
}

impl Search {
    fn keep(&mut self, envelope: Envelope) {
        if self.best.as_ref().is_none_or(|(b, _)| weight(b) < weight(&envelope)) {
            self.best = Some((envelope, self.chain.clone()));
        }
    }

    fn under(&mut self, step: &'static str, bytes: &[u8]) {
        if self.chain.len() < DEEPEST && self.left > 0 {
            self.chain.push(step);
            self.bytes(bytes);
            self.chain.pop();
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.left = self.left.saturating_sub(1);
        if let Some(envelope) = recognise_binary(bytes) {
            return self.keep(envelope);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => self.text(text.trim()),
            Err(_) => self.mixed(bytes),
        }
    }

    /// Headers in text before a body in bytes.
    fn mixed(&mut self, bytes: &[u8]) {
        let head = bytes.utf8_chunks().next().map(|c| c.valid()).unwrap_or_default();
        if head.len() > 16
            && let Some(at) = head.rfind("\r\n\r\n")
            && let Some(body) = bytes.get(at + 4..)
        {
            self.under("body", body);
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(envelope) = recognise_text(text) {
            return self.keep(envelope);
        }
        if let Some(bytes) = unhex(text) {
            return self.under("hex", &bytes);
        }
        if let Some(bytes) = base64(text) {
            return self.under("base64", &bytes);
        }
        match text.bytes().next() {
            Some(b'{' | b'[') => {
                if let Ok(value) = serde_json::from_str::<Value>(text) {
                    self.json(&value, 0);
                }
            }
            Some(b'<') => self.xml(text),
            _ => {
                self.form(text);
                self.mail(text);
            }
        }
    }

    fn json(&mut self, value: &Value, depth: usize) {
        if depth > 16 || self.left == 0 {
            return;
        }
        match value {
            Value::String(text) => self.under("json", text.as_bytes()),
            Value::Array(items) => items.iter().for_each(|v| self.json(v, depth + 1)),
            Value::Object(fields) => {
                if depth > 0
                    && let Some(envelope) = recognise_text(&value.to_string())
                {
                    self.keep(envelope);
                }
                fields.values().for_each(|v| self.json(v, depth + 1));
            }
            _ => {}
        }
    }

    fn xml(&mut self, text: &str) {
        let Some(root) = xml::parse(text) else { return };
        for element in root.all().into_iter().filter(|e| !e.text.trim().is_empty()) {
            self.under("xml", element.text.trim().as_bytes());
        }
    }

    fn form(&mut self, text: &str) {
        if !text.contains('=') || text.bytes().any(|b| b.is_ascii_whitespace()) {
            return;
        }
        for (_, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
            if let Some(bytes) = form_field(value) {
                self.under("form", &bytes);
            }
        }
    }

    /// A body behind headers.
    fn mail(&mut self, text: &str) {
        let body = text.split_once("\r\n\r\n").or_else(|| text.split_once("\n\n"));
        if let Some((_, body)) = body {
            self.under("body", body.as_bytes());
        }
    }
}
