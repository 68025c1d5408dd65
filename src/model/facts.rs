//! Facts of layers by name: few, each with a few values.

use super::Value;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// Values kept of one fact.
const VALUES: usize = 64;
/// Facts kept, over all names.
const FACTS: usize = 1024;

type Entry = (Cow<'static, str>, Value);

/// Values by name, in order of both, each once. What is kept beyond the bounds does not depend on the order
/// in which values come: the first in order stay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts(Vec<Entry>);

impl Facts {
    /// Adds a value.
    pub fn insert(&mut self, name: impl Into<Cow<'static, str>>, value: Value) {
        self.put((name.into(), value));
    }

    fn put(&mut self, entry: Entry) {
        let Err(at) = self.0.binary_search(&entry) else { return };
        let start = self.0.partition_point(|(n, _)| *n < entry.0);
        let end = self.0.partition_point(|(n, _)| *n <= entry.0);
        if end - start >= VALUES {
            // The last in order gives way.
            if at == end {
                return;
            }
            self.0.remove(end - 1);
        }
        self.0.insert(at, entry);
        self.0.truncate(FACTS);
    }

    /// The values of a fact.
    pub fn get(&self, name: &str) -> impl Iterator<Item = &Value> {
        let start = self.0.partition_point(|(n, _)| &**n < name);
        let end = self.0.partition_point(|(n, _)| &**n <= name);
        self.0[start..end].iter().map(|(_, v)| v)
    }

    /// All of them with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(n, v)| (&**n, v))
    }

    /// Adds all of another's.
    pub fn merge(&mut self, other: Facts) {
        if self.0.is_empty() {
            self.0 = other.0;
            return;
        }
        // Flows of one conversation mostly tell the same.
        if self.0 == other.0 {
            return;
        }
        other.0.into_iter().for_each(|entry| self.put(entry));
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// A map from names to lists.
impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for same in self.0.chunk_by(|a, b| a.0 == b.0) {
            let values: Vec<&Value> = same.iter().map(|(_, v)| v).collect();
            if let Some((name, _)) = same.first() {
                map.serialize_entry(name, &values)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Facts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from names to lists of values")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts, A::Error> {
                let mut facts = Facts::default();
                while let Some((name, values)) = map.next_entry::<String, Vec<Value>>()? {
                    values.into_iter().for_each(|v| facts.insert(name.clone(), v));
                }
                Ok(facts)
            }
        }
        deserializer.deserialize_map(Map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_does_not_depend_on_the_order_of_coming() {
        let of = |numbers: &mut dyn Iterator<Item = u64>| {
            let mut facts = Facts::default();
            numbers.for_each(|n| facts.insert("a", Value::from(n)));
            facts.insert("b", Value::from("x"));
            facts
        };
        let (up, down) = (of(&mut (0..200)), of(&mut (0..200).rev()));
        assert_eq!(up, down);
        assert_eq!(up.get("a").count(), VALUES);
        let (mut one, two) = (of(&mut (0..100)), of(&mut (50..200)));
        one.merge(two);
        assert_eq!(one, up);
    }

    #[test]
    fn it_is_saved_as_a_map_and_comes_back() {
        let mut facts = Facts::default();
        facts.insert("tls.alpn", Value::from(vec!["h2"]));
        facts.insert("tls.sni", Value::from("a.example"));
        facts.insert("tls.sni", Value::from("b.example"));
        let text = serde_json::to_string(&facts).unwrap();
        assert_eq!(text, r#"{"tls.alpn":[["h2"]],"tls.sni":["a.example","b.example"]}"#);
        assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
    }
}
