//! The tree that all readers of structured data build, and how its fields are handed on.

use super::DEEPEST;
use crate::model::Side;
use crate::peel::{Form, Out};
use base64::Engine as _;
use std::borrow::Cow;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Data<'a> {
    /// Nothing.
    Nothing,
    /// A number, a truth, a time: its text.
    Plain(String),
    /// Characters.
    Text(Cow<'a, str>),
    /// Octets.
    Bytes(Cow<'a, [u8]>),
    /// Values in order.
    List(Vec<Data<'a>>),
    /// Values by name, in wire order.
    Map(Vec<(String, Data<'a>)>),
}

/// What speaks for a buffer being what it was read as.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Signs {
    /// Keys of maps that look like names.
    pub names: usize,
    /// Keys of maps that do not.
    pub odd: usize,
    /// Bytes of readable text, keys included.
    pub text: usize,
    /// Texts of three words and more.
    pub sentences: usize,
    /// Texts with control characters in them.
    pub garbled: usize,
    /// Values altogether.
    pub values: usize,
}

impl Signs {
    /// Whether named fields with readable text are there and nothing that a writer would not write. Each
    /// byte of text has one chance in three of being there by accident, each key's head one in four.
    pub fn convince(&self) -> bool {
        // A list, or a map with numbers for keys, that holds what somebody says needs no names.
        if self.names == 0 {
            return self.sentences >= 1 && self.odd == 0 && self.garbled == 0 && self.text >= 20;
        }
        let bits = self.text as f64 * 1.4 + self.names as f64 * 3.0;
        self.names >= 1
            && self.odd == 0
            && self.garbled == 0
            && bits >= if self.names >= 2 { 16.0 } else { 24.0 }
    }
}

/// Text of characters that people and programs write.
pub fn readable(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// Words with spaces between them, and little else.
fn is_sentence(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic() || *c == ' ').count();
    text.split(' ').filter(|w| !w.is_empty()).nth(2).is_some() && letters * 5 >= text.chars().count() * 4
}

fn is_name(key: &str) -> bool {
    let usual = |b: u8| b.is_ascii_alphanumeric() || b"_-.:$@/ ".contains(&b);
    !key.is_empty() && key.len() <= 64 && key.bytes().all(usual)
}

impl<'a> Data<'a> {
    /// The only one as it is, several as a list.
    pub fn of_items(mut items: Vec<Self>) -> Option<Self> {
        match items.len() {
            0 => None,
            1 => items.pop(),
            _ => Some(Data::List(items)),
        }
    }
    /// Text without a copy.
    pub fn text(t: &'a str) -> Self {
        Data::Text(Cow::Borrowed(t))
    }
    /// Bytes without a copy.
    pub fn bytes(b: &'a [u8]) -> Self {
        Data::Bytes(Cow::Borrowed(b))
    }
    /// A number and the like.
    pub fn plain(n: impl ToString) -> Self {
        Data::Plain(n.to_string())
    }
    /// The value of a map's key.
    pub fn at(&self, key: &str) -> Option<&Data<'a>> {
        match self {
            Data::Map(pairs) => pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }
    /// The text, if it is one.
    #[cfg(test)]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Data::Text(t) => Some(t),
            _ => None,
        }
    }

    /// As a key of a map: text as it is, anything else in words.
    pub fn into_key(self) -> String {
        match self {
            Data::Text(t) => t.into_owned(),
            Data::Plain(n) => n,
            // Not what a name would begin with.
            Data::Bytes(b) => b.iter().take(16).fold("#".into(), |s, b| s + &format!("{b:02x}")),
            Data::Nothing => "null".into(),
            Data::List(_) | Data::Map(_) => "?".into(),
        }
    }

    /// What speaks for it.
    pub fn signs(&self) -> Signs {
        let mut signs = Signs::default();
        self.count(&mut signs);
        signs
    }

    fn count(&self, signs: &mut Signs) {
        signs.values += 1;
        match self {
            Data::Nothing | Data::Plain(_) => {}
            // Text that its writer took for octets.
            Data::Bytes(b) if b.len() >= 8 => {
                let reads = std::str::from_utf8(b).is_ok_and(readable);
                signs.text += if reads { b.len() } else { 0 };
            }
            Data::Bytes(_) => {}
            Data::Text(t) if readable(t) => {
                signs.text += t.len();
                signs.sentences += usize::from(is_sentence(t));
            }
            Data::Text(_) => signs.garbled += 1,
            Data::List(list) => list.iter().for_each(|v| v.count(signs)),
            Data::Map(pairs) => {
                for (key, value) in pairs {
                    match is_name(key) {
                        // A number is a key of some writers and proves nothing.
                        true => {
                            signs.names +=
                                usize::from(!key.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
                        }
                        false => signs.odd += 1,
                    }
                    signs.text += key.len();
                    value.count(signs);
                }
            }
        }
    }

    /// Hands every field on under its path (`$.messages[0].body`), and objects that a layer knows by
    /// their keys as a whole.
    pub fn give(&self, side: Side, out: &mut Out<'_, '_>) {
        self.walk("$", side, 0, out);
    }

    fn walk(&self, path: &str, side: Side, depth: usize, out: &mut Out<'_, '_>) {
        if depth > DEEPEST {
            return;
        }
        match self {
            Data::Nothing => {}
            Data::Plain(n) => out.item(path, Form::Plain, side, n.as_bytes()),
            Data::Text(t) => out.item(path, Form::Text, side, t.as_bytes()),
            Data::Bytes(b) => out.item(path, Form::Binary, side, b),
            Data::List(list) => {
                for (i, v) in list.iter().enumerate() {
                    v.walk(&format!("{path}[{i}]"), side, depth + 1, out);
                }
            }
            Data::Map(pairs) => {
                let keys: Vec<&str> = pairs.iter().map(|(k, _)| k.as_str()).collect();
                if out.knows_shape(&keys)
                    && let Ok(raw) = serde_json::to_vec(&self.json(depth))
                {
                    out.shape(path, &keys, side, &raw);
                }
                for (k, v) in pairs {
                    v.walk(&format!("{path}.{k}"), side, depth + 1, out);
                }
            }
        }
    }

    /// The same as JSON, with bytes in base64: the form in which objects are known by their shape.
    fn json(&self, depth: usize) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Data::Nothing => Value::Null,
            _ if depth > DEEPEST => Value::Null,
            Data::Plain(n) => serde_json::from_str(n).unwrap_or_else(|_| Value::String(n.clone())),
            Data::Text(t) => Value::String(t.to_string()),
            Data::Bytes(b) => Value::String(base64::engine::general_purpose::STANDARD.encode(b)),
            Data::List(list) => Value::Array(list.iter().map(|v| v.json(depth + 1)).collect()),
            Data::Map(pairs) => {
                Value::Object(pairs.iter().map(|(k, v)| (k.clone(), v.json(depth + 1))).collect())
            }
        }
    }
}
