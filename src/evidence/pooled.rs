//! The same field over many messages: what one message hides, several show. Runs once over the opaque
//! fields that all flows kept.

use super::randomness::{self, Finding};
use super::trial::Field;
use super::{ConversationKey, Evidence, Kind, Polarity, Strength};
use std::collections::BTreeMap;

/// Fields that are pooled.
const GROUPS: usize = 128;
/// Evidence in bits at which a pooled field is no longer called uniform: chance gives that much to one
/// field in a thousand, and a recording has some dozens.
const SURE: f64 = 17.0;

/// One record for each field with two different messages or more, in a fixed order.
pub fn evidence(fields: &[Field]) -> Vec<(ConversationKey, Evidence)> {
    let mut groups: BTreeMap<(&ConversationKey, String), Vec<&Field>> = BTreeMap::new();
    for field in fields.iter().filter(|f| f.format.is_none()) {
        let list = groups.entry((&field.conversation, place(field))).or_default();
        // A message is seen on its way in and on its way out; once is enough.
        if !list.iter().any(|f| f.bytes == field.bytes) {
            list.push(field);
        }
    }
    let mut all = Vec::new();
    for ((key, _), list) in groups.iter().filter(|(_, l)| l.len() > 1).take(GROUPS) {
        let views: Vec<&[u8]> = list.iter().map(|f| f.bytes.as_slice()).collect();
        all.push(((*key).clone(), record(list[0], &randomness::pool(&views))));
        all.extend(nonces(list).map(|e| ((*key).clone(), e)));
    }
    all
}

/// Layers and field without positions in lists.
fn place(field: &Field) -> String {
    let mut inside = false;
    let name = field.origin.field.chars().filter(|c| {
        inside = *c == '[' || inside && *c != ']';
        !inside
    });
    format!("{} {}", field.origin.layers, name.collect::<String>())
}

fn record(first: &Field, pooled: &randomness::Pooled) -> Evidence {
    let kind = Kind::Pooled {
        messages: pooled.messages as u32,
        bytes: pooled.bytes as u64,
        decibits: (pooled.bits * 10.0).clamp(-1e9, 1e9) as i32,
        uniform: pooled.bits < SURE,
        strongest: pooled.strongest.to_owned(),
        found: pooled.findings.iter().map(words).collect(),
        power_percent: (randomness::power(pooled.bytes) * 100.0) as u8,
    };
    made(first, kind, Strength::Weak, Polarity::Neutral)
}

fn made(field: &Field, kind: Kind, strength: Strength, polarity: Polarity) -> Evidence {
    let (guard, origin) = (field.guard, field.origin.clone());
    Evidence { kind, strength, polarity, guard, origin, count: 1, shown: None }
}

fn words(finding: &Finding) -> String {
    match finding {
        Finding::RepeatedBlock { size, times } => format!("blocks of {size} bytes repeat {times} times"),
        Finding::EqualMessages(n) => format!("{n} messages are equal to earlier ones"),
        Finding::FixedPrefix(n) => format!("the first {n} bytes are always the same"),
        Finding::Counter { offset, length } => format!("{length} bytes at offset {offset} count upwards"),
        Finding::KeystreamReuse => "one keystream for all messages".to_owned(),
        Finding::RepeatingXor { period } => format!("a repeating XOR key of {period} bytes"),
    }
}

/// A field that is called a nonce and has the same value beside two different ciphertexts.
fn nonces(list: &[&Field]) -> Option<Evidence> {
    let mut seen: BTreeMap<&[u8], &Field> = BTreeMap::new();
    for field in list {
        let Some(nonce) = field.nonce.as_deref() else { continue };
        // One message's only nonce belongs to one of its fields: recipients, keys and digests have none.
        let again = seen.insert(nonce, field).is_some_and(|before| !of_one_message(before, field));
        let nought = nonce.iter().all(|b| *b == 0);
        if again || nought {
            let detail = match again {
                true => format!("the same nonce of {} bytes beside different ciphertexts", nonce.len()),
                false => format!("the nonce of {} bytes is all zero", nonce.len()),
            };
            let kind = Kind::Weak { finding: "static-nonce".to_owned(), detail };
            return Some(made(field, kind, Strength::Strong, Polarity::Against));
        }
    }
    None
}

fn of_one_message(a: &Field, b: &Field) -> bool {
    (a.origin.frame, &a.origin.flow) == (b.origin.frame, &b.origin.flow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Content;
    use crate::model::{Origin, Timestamp};
    use crate::peel::Guard;
    use sha2::{Digest, Sha256};

    fn noise(seed: u32, n: usize) -> Vec<u8> {
        (0u32..)
            .flat_map(|i| Sha256::digest([seed.to_be_bytes(), i.to_be_bytes()].concat()))
            .take(n)
            .collect()
    }

    fn field(name: &str, bytes: Vec<u8>, nonce: Option<Vec<u8>>) -> Field {
        let origin = Origin {
            layers: "json".into(),
            field: name.into(),
            length: bytes.len() as u64,
            ..Origin::at(Timestamp(0))
        };
        let conversation =
            ConversationKey { endpoint: "a:1".into(), path: "tls".into(), content: Content::Opaque };
        let guard = Guard::Confidential;
        let named = Default::default();
        Field { origin, conversation, guard, format: None, named, bytes, nearby: vec![], nonce, rounds: None }
    }

    fn pooled(fields: &[Field]) -> (bool, Vec<String>, u32) {
        let all = evidence(fields);
        let Some((_, e)) = all.first() else { panic!("nothing pooled") };
        let Kind::Pooled { uniform, found, messages, .. } = &e.kind else { panic!("{e:?}") };
        (*uniform, found.clone(), *messages)
    }

    #[test]
    fn independent_messages_pass_and_a_counter_has_its_name() {
        let plain: Vec<Field> = (0..8).map(|i| field(&format!("$.m[{i}].ct"), noise(i, 60), None)).collect();
        assert_eq!(pooled(&plain), (true, vec![], 8));
        let counted: Vec<Field> = (0..8u32)
            .map(|i| field("$.ct", [&(900 + i).to_be_bytes()[..], &noise(i, 60)].concat(), None))
            .collect();
        let (uniform, found, _) = pooled(&counted);
        assert!(!uniform && found.iter().any(|f| f.contains("count upwards")), "{found:?}");
    }

    #[test]
    fn a_message_seen_twice_counts_once() {
        let twice: Vec<Field> = (0..6).map(|i| field("$.ct", noise(i / 2, 60), None)).collect();
        assert_eq!(pooled(&twice).2, 3);
    }

    #[test]
    fn a_nonce_for_two_messages_is_a_finding_and_fresh_ones_are_none() {
        let with = |nonce: fn(u32) -> u32| -> Vec<Field> {
            let one = |i| {
                let mut field = field("$.ct", noise(i, 60), Some(noise(100 + nonce(i), 12)));
                field.origin.frame.frame = u64::from(i);
                field
            };
            (0..4).map(one).collect()
        };
        let weak = |fields: &[Field]| {
            evidence(fields)
                .iter()
                .any(|(_, e)| matches!(&e.kind, Kind::Weak { finding, .. } if finding == "static-nonce"))
        };
        assert!(weak(&with(|_| 1)) && !weak(&with(|i| i)));
        // Several recipients of one message.
        let mut one = with(|_| 1);
        one.iter_mut().for_each(|f| f.origin.frame.frame = 7);
        assert!(!weak(&one));
    }
}
