//! JSON (RFC 8259), alone, line by line, and behind the guards that servers put in front of it.

use crate::model::Side;
use crate::peel::{Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::fmt;

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
    if let Ok(Members(value)) = serde_json::from_slice(text) {
        return vec![value];
    }
    let each = serde_json::Deserializer::from_slice(text).into_iter::<Members>();
    each.map_while(Result::ok).map(|m| m.0).collect()
}

/// A value with every member of its objects. Of members with one name most readers take the last, some the first
/// (RFC 8259 section 4): those before the last are kept under the name and their number.
struct Members(Value);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader).map(Members)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Members(value)) = from.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        let mut again = 0;
        while let Some((name, Members(value))) = from.next_entry::<String, Members>()? {
            if let Some(before) = map.remove(&name) {
                let mut free = (again + 1..).map(|n| (n, format!("{name}[{n}]")));
                if let Some((n, kept)) = free.find(|(_, kept)| !map.contains_key(kept)) {
                    again = n;
                    map.insert(kept, before);
                }
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
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
        // What lies deeper is looked at as a document of its own.
        let deeper = value.to_string();
        return out.item(path, Form::Text, side, deeper.as_bytes());
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
            let call = call_of(list);
            for (i, v) in list.iter().enumerate() {
                let inner = match call.and_then(|(at, name)| Some((name, argument(i.checked_sub(at + 1)?)?)))
                {
                    Some((name, argument)) => format!("{path}.{name}.{argument}"),
                    None => format!("{path}[{i}]"),
                };
                walk(v, &inner, side, depth + 1, out);
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
                let inner = format!("{path}.{k}");
                // Nothing is under it, but the name may be what somebody wrote.
                if k.contains(' ') && is_nothing(v) {
                    out.item(&inner, Form::Plain, side, b"null");
                }
                walk(v, &inner, side, depth + 1, out);
            }
        }
    }
}

/// Calls by which Meta's Lightspeed writes a message into the client's tables.
const CALLS: [&str; 4] = ["LSInsertMessage", "LSUpsertMessage", "insertMessage", "upsertMessage"];

/// The call that a list makes, and the place of its name: first, or behind the number of a kind of step.
fn call_of(list: &[Value]) -> Option<(usize, &str)> {
    let name = |at: usize| list.get(at)?.as_str().filter(|name| CALLS.contains(name));
    name(0).map(|n| (0, n)).or_else(|| list.first()?.as_u64().and(name(1)).map(|n| (1, n)))
}

/// What an argument of such a call is, as far as is known.
fn argument(at: usize) -> Option<&'static str> {
    Some(match at {
        0 => "text",
        3 => "thread_id",
        5 => "timestamp",
        8 => "message_id",
        10 => "sender",
        _ => return None,
    })
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
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
    fn of_members_with_one_name_none_is_lost() {
        let all = documents(br#"{"a":"one","b":1,"a":"two","a":{"c":3}}"#);
        assert_eq!(all[0].to_string(), r#"{"a":{"c":3},"a[1]":"one","a[2]":"two","b":1}"#);
        let all = documents(br#"{"a[1]":"zero","a":"one","a":"two","a[1]":"three"}"#);
        assert_eq!(all[0].to_string(), r#"{"a":"two","a[1]":"three","a[1][3]":"zero","a[2]":"one"}"#);
    }

    #[test]
    fn arguments_of_lightspeed_are_known_by_their_call() {
        let list = |text: &str| documents(text.as_bytes())[0].as_array().expect("a list").clone();
        assert_eq!(call_of(&list(r#"[5,"insertMessage","hi"]"#)), Some((1, "insertMessage")));
        assert_eq!(call_of(&list(r#"["LSUpsertMessage","hi"]"#)), Some((0, "LSUpsertMessage")));
        for other in [r#"[5,"insertMessages","hi"]"#, r#"["x","insertMessage"]"#, "[]", "[5]"] {
            assert_eq!(call_of(&list(other)), None, "{other}");
        }
    }

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
