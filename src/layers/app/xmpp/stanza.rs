//! One stanza taken apart: every attribute and every text is an item under the path of its element;
//! elements that another layer knows by namespace go to it whole.

use crate::model::Side;
use crate::peel::{Child, Form, Hint, Out};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::borrow::Cow;

/// Elements inside one another that still add to the path.
const DEEPEST: usize = 48;
const LONGEST_NAME: usize = 64;
const SASL: [&str; 2] = ["urn:ietf:params:xml:ns:xmpp-sasl", "urn:xmpp:sasl:2"];
/// Namespaces of conditions: their `text` explains an error to a person and was written by a server.
const CONDITIONS: [&str; 3] = [
    "urn:ietf:params:xml:ns:xmpp-stanzas",
    "urn:ietf:params:xml:ns:xmpp-streams",
    "urn:ietf:params:xml:ns:xmpp-sasl",
];

/// What a first-level element means for the stream itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Root {
    /// Local name.
    pub name: String,
    /// Namespace as far as the element itself declares it.
    pub namespace: String,
    /// Address of the sender, if given.
    pub from: Option<String>,
    /// Address of the recipient, if given.
    pub to: Option<String>,
}

/// An open element.
struct Level {
    /// Length of the path without this element.
    path: usize,
    namespace: String,
    /// Namespace declarations in scope before this element.
    scope: usize,
    name: String,
    text: String,
}

struct Walk<'o, 'a, 'e> {
    side: Side,
    out: &'o mut Out<'a, 'e>,
    path: String,
    open: Vec<Level>,
    /// Declarations in scope: prefix (empty for the default) and namespace.
    scope: Vec<(String, String)>,
    mechanism: String,
    /// Whether a subject is a room's: nothing is said beside it (XEP-0045 section 8.1).
    topic: bool,
}

/// Name and namespace of the element that `xml` starts with.
pub(super) fn root(xml: &[u8]) -> Root {
    let text = String::from_utf8_lossy(xml);
    let mut reader = Reader::from_str(&text);
    let Ok(Event::Start(start) | Event::Empty(start)) = reader.read_event() else { return Root::default() };
    let mut scope = Vec::new();
    declare(&start, &mut scope);
    let address = |wanted: &str| {
        let mut all = start.attributes();
        let found = all.with_checks(false).flatten().find(|a| a.key.as_ref() == wanted);
        found.map(|a| plain(&a.value).into_owned())
    };
    Root { name: local(&start), namespace: resolve(&start, &scope), from: address("from"), to: address("to") }
}

/// Hands on everything in one first-level element. False if it is not well-formed to its end.
pub(super) fn hand_on(xml: &[u8], side: Side, out: &mut Out<'_, '_>) -> bool {
    let text = String::from_utf8_lossy(xml);
    let mut walk = Walk {
        side,
        out,
        path: String::new(),
        open: Vec::new(),
        scope: vec![(String::new(), "jabber:client".to_owned())],
        mechanism: String::new(),
        topic: !says_something(&text),
    };
    walk.run(&text)
}

/// Whether a stanza has an element with a message in it, readable or not.
fn says_something(xml: &str) -> bool {
    xml.split('<').skip(1).any(|tag| {
        let name =
            tag.split(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/')).next().unwrap_or("");
        let local = name.rsplit(':').next().unwrap_or("");
        matches!(local, "body" | "encrypted" | "openpgp")
            || local == "x" && tag.contains("jabber:x:encrypted")
    })
}

impl Walk<'_, '_, '_> {
    fn run(&mut self, text: &str) -> bool {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = false;
        loop {
            let from = reader.buffer_position() as usize;
            let Ok(event) = reader.read_event() else { return self.flush_all() };
            match event {
                Event::Start(start) => {
                    self.enter(&start);
                    if self.stated_elsewhere() {
                        let name = start.to_owned();
                        let whole = reader.read_to_end(name.name()).is_ok();
                        let to = reader.buffer_position() as usize;
                        self.give_whole(text.get(from..to).unwrap_or_default());
                        if !whole {
                            return false;
                        }
                    }
                }
                Event::Empty(start) => {
                    self.enter(&start);
                    self.leave();
                }
                Event::End(_) => self.leave(),
                Event::Text(part) => self.add(&part),
                Event::CData(part) => self.add(&part),
                Event::GeneralRef(name) => self.add(&entity(&name)),
                Event::Eof => return true,
                _ => {}
            }
        }
    }

    fn add(&mut self, part: &str) {
        if let Some(level) = self.open.last_mut() {
            level.text.push_str(part);
        }
    }

    fn enter(&mut self, start: &BytesStart<'_>) {
        self.flush();
        let scope = self.scope.len();
        declare(start, &mut self.scope);
        let namespace = resolve(start, &self.scope);
        let name = local(start);
        let shown = match name.as_str() {
            "text" if CONDITIONS.contains(&namespace.as_str()) => "diagnostic",
            "subject" if self.topic => "topic",
            other => other,
        };
        let path = self.path.len();
        if self.open.len() < DEEPEST {
            if path > 0 {
                self.path.push('.');
            }
            self.path.push_str(shown);
        }
        self.open.push(Level { path, namespace, scope, name, text: String::new() });
        self.attributes(start);
    }

    fn attributes(&mut self, start: &BytesStart<'_>) {
        for attribute in start.attributes().with_checks(false).flatten() {
            let name: &str = attribute.key.as_ref();
            if name == "xmlns" || name.starts_with("xmlns:") {
                continue;
            }
            let value = plain(&attribute.value);
            if name == "mechanism" {
                self.mechanism = value.to_ascii_uppercase();
            }
            if value.is_empty() {
                continue;
            }
            let field = format!("{}.@{}", self.path, name.chars().take(LONGEST_NAME).collect::<String>());
            self.out.item(&field, Form::Text, self.side, value.as_bytes());
        }
    }

    /// Whether another layer knows the innermost element by its namespace.
    fn stated_elsewhere(&self) -> bool {
        let Some(level) = self.open.last() else { return false };
        !level.namespace.is_empty()
            && !matches!(level.name.as_str(), "list" | "devices")
            && self.out.knows(&Hint::Namespace(level.namespace.clone()))
    }

    /// Hands on the innermost element as it stands, with the declarations it inherits.
    fn give_whole(&mut self, xml: &str) {
        let Some(level) = self.open.last() else { return };
        let (own, outer) = (self.scope.get(level.scope..), self.scope.get(..level.scope));
        let (own, outer) = (own.unwrap_or_default(), outer.unwrap_or_default());
        let mut inherited: Vec<(&str, &str)> = Vec::new();
        for (prefix, namespace) in outer.iter().rev() {
            let known = own.iter().any(|(p, _)| p == prefix) || inherited.iter().any(|(p, _)| p == prefix);
            if !known && inherited.len() < 16 {
                inherited.push((prefix, namespace));
            }
        }
        let split = xml.find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/').unwrap_or(xml.len());
        let (head, tail) = xml.split_at(split);
        let mut whole = head.to_owned();
        for (prefix, namespace) in inherited {
            let name = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
            whole.push_str(&format!(" {name}='{}'", quick_xml::escape::escape(namespace)));
        }
        whole.push_str(tail);
        let hint = Hint::Namespace(level.namespace.clone());
        let child = Child::message().form(Form::Text).field(&self.path).hint(hint);
        self.out.message(child, self.side, whole.as_bytes());
        self.pop();
    }

    fn leave(&mut self) {
        self.flush();
        self.pop();
    }

    fn pop(&mut self) {
        if let Some(level) = self.open.pop() {
            self.path.truncate(level.path);
            self.scope.truncate(level.scope);
        }
    }

    /// Hands on the text gathered so far in the innermost element.
    fn flush(&mut self) {
        let Some(level) = self.open.last_mut() else { return };
        let text = std::mem::take(&mut level.text);
        let sasl = SASL.contains(&level.namespace.as_str());
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return;
        }
        if sasl && self.authentication(trimmed) {
            return;
        }
        self.out.item(&self.path, Form::Text, self.side, trimmed.as_bytes());
    }

    fn flush_all(&mut self) -> bool {
        while !self.open.is_empty() {
            self.leave();
        }
        false
    }

    /// What a SASL exchange (RFC 4422) carries, out of its base64. False if this is no part of one.
    fn authentication(&mut self, text: &str) -> bool {
        let Some(level) = self.open.last() else { return false };
        let step = matches!(
            level.name.as_str(),
            "auth" | "response" | "challenge" | "success" | "initial-response" | "additional-data"
        );
        let Some(bytes) = step.then(|| STANDARD.decode(text).ok()).flatten() else { return false };
        let parts: Vec<&[u8]> = bytes.split(|b| *b == 0).collect();
        match parts.as_slice() {
            [_, user, password] if self.mechanism == "PLAIN" => {
                self.out.item("auth.username", Form::Text, self.side, user);
                self.out.item("auth.password", Form::Plain, self.side, password);
            }
            _ => {
                let form = if std::str::from_utf8(&bytes).is_ok() { Form::Text } else { Form::Binary };
                self.out.item("auth", form, self.side, &bytes);
            }
        }
        true
    }
}

/// The text of `&name;`: a character, or the reference itself where nobody defined it.
fn entity(name: &str) -> String {
    let reference = format!("&{name};");
    plain(&reference).into_owned()
}

/// Text without its escapes; as it stands where they are broken.
fn plain(text: &str) -> Cow<'_, str> {
    unescape(text).unwrap_or(Cow::Borrowed(text))
}

fn local(start: &BytesStart<'_>) -> String {
    let name = start.local_name();
    let name: &str = name.as_ref();
    name.chars().take(LONGEST_NAME).collect()
}

fn declare(start: &BytesStart<'_>, scope: &mut Vec<(String, String)>) {
    for attribute in start.attributes().with_checks(false).flatten() {
        let name: &str = attribute.key.as_ref();
        let prefix = match name.strip_prefix("xmlns") {
            Some("") => "",
            Some(rest) if rest.starts_with(':') => rest.get(1..).unwrap_or_default(),
            _ => continue,
        };
        if scope.len() < 512 {
            scope.push((prefix.to_owned(), plain(&attribute.value).into_owned()));
        }
    }
}

fn resolve(start: &BytesStart<'_>, scope: &[(String, String)]) -> String {
    let name = start.name();
    let name: &str = name.as_ref();
    let prefix = name.split_once(':').map_or("", |(p, _)| p);
    scope.iter().rev().find(|(p, _)| p == prefix).map(|(_, n)| n.clone()).unwrap_or_default()
}
