//! JSON (RFC 8259), alone, line by line, and behind the guards that servers put in front of it.

use crate::model::Side;
use crate::peel::{Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use serde_json::Value;

/// The row.
pub static SPEC: Spec = Spec {
    name: "json",
    title: "JSON (RFC 8259)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text, Form::Binary],
    answers: |h| match h {
        Hint::ContentType(t) => {
            t.ends_with("/json") || t.ends_with("+json") || t.contains("ndjson") || t == "text/json"
        }
        _ => false,
    },
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &["json-truncated"],
    open: || Box::new(Json),
};

/// Prefixes that keep a browser from running JSON as a script.
const GUARDS: [&[u8]; 4] = [b")]}'", b"for(;;);", b"for (;;);", b"while(1);"];

fn unguarded(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    GUARDS.iter().find_map(|g| bytes.strip_prefix(*g)).unwrap_or(bytes).trim_ascii()
}

fn probe(p: &Probe<'_>) -> Guess {
    let text = unguarded(p.bytes);
    let bracketed =
        matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')));
    // A bare pair of brackets is too little to be sure of.
    if !bracketed || text.len() < 2 {
        return Guess::No;
    }
    match documents(text).is_empty() {
        false => Guess::Sure,
        true => Guess::No,
    }
}

/// The values of a text: one document, or one for each line.
fn documents(text: &[u8]) -> Vec<Value> {
    if let Ok(value) = serde_json::from_slice::<Value>(text) {
        return vec![value];
    }
    serde_json::Deserializer::from_slice(text).into_iter::<Value>().map_while(Result::ok).collect()
}

struct Json;

impl Peeler for Json {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let found = documents(unguarded(input.bytes));
        if found.is_empty() {
            out.note("json-truncated");
            return Step::again(0);
        }
        for value in &found {
            walk(value, "$", input.side, 0, out);
        }
        Step::again(input.bytes.len())
    }
}

/// Hands every scalar on under its path.
fn walk(value: &Value, path: &str, side: Side, depth: usize, out: &mut Out<'_, '_>) {
    if depth > 64 {
        return;
    }
    match value {
        Value::Null => {}
        Value::Bool(b) => out.item(path, Form::Plain, side, b.to_string().as_bytes()),
        Value::Number(n) => out.item(path, Form::Plain, side, n.to_string().as_bytes()),
        Value::String(s) => out.item(path, Form::Text, side, s.as_bytes()),
        Value::Array(list) if octets(list.iter()).is_some() => {
            let bytes = octets(list.iter()).unwrap_or_default();
            out.item(path, form_of(&bytes), side, &bytes);
        }
        Value::Array(list) => {
            for (i, v) in list.iter().enumerate() {
                walk(v, &format!("{path}[{i}]"), side, depth + 1, out);
            }
        }
        Value::Object(map) if numbered(map).is_some() => {
            let bytes = numbered(map).unwrap_or_default();
            out.item(path, form_of(&bytes), side, &bytes);
        }
        Value::Object(map) => {
            let keys: Vec<&str> = map.keys().map(String::as_str).collect();
            if out.knows_shape(&keys)
                && let Ok(raw) = serde_json::to_vec(value)
            {
                out.shape(path, &keys, side, &raw);
            }
            for (k, v) in map {
                walk(v, &format!("{path}.{k}"), side, depth + 1, out);
            }
        }
    }
}

/// Fewest numbers in a row that count as bytes.
const OCTETS: usize = 12;

/// A list of numbers that are all bytes: how scripts write binary data (`[18, 255, 0, ...]`).
fn octets<'a>(list: impl ExactSizeIterator<Item = &'a Value>) -> Option<Vec<u8>> {
    if list.len() < OCTETS {
        return None;
    }
    list.map(|v| v.as_u64().and_then(|n| u8::try_from(n).ok())).collect()
}

/// The same as an object with the places as keys, which is what a `Uint8Array` becomes.
fn numbered(map: &serde_json::Map<String, Value>) -> Option<Vec<u8>> {
    if map.len() < OCTETS || !map.contains_key("0") {
        return None;
    }
    let mut bytes = Vec::with_capacity(map.len());
    for place in 0..map.len() {
        bytes.push(u8::try_from(map.get(&place.to_string())?.as_u64()?).ok()?);
    }
    Some(bytes)
}

fn form_of(bytes: &[u8]) -> Form {
    let text =
        std::str::from_utf8(bytes).is_ok_and(|t| !t.chars().any(|c| c.is_control() && !c.is_whitespace()));
    if text { Form::Text } else { Form::Binary }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_numbers_are_bytes_only_where_all_are() {
        let value = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let list = |text: &str| octets(value(text).as_array().expect("a list").iter());
        assert_eq!(list("[1,2,3,4,5,6,7,8,9,10,11,255]"), Some(vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]));
        assert_eq!(list("[1,2,3,4,5,6,7,8,9,10,11,256]"), None);
        assert_eq!(list("[1,2,3,4,5,6,7,8,9,10,11,-1]"), None);
        assert_eq!(list("[1,2,3]"), None);
        let map = |text: &str| numbered(value(text).as_object().expect("an object"));
        let typed: Vec<String> = (0..12).map(|i| format!("\"{i}\":{}", i * 20)).collect();
        assert_eq!(map(&format!("{{{}}}", typed.join(","))), Some((0..12).map(|i| i * 20).collect()));
        assert_eq!(map("{\"0\":1,\"2\":3}"), None);
    }
}
