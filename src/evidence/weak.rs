//! Protection that is none: repeating XOR solved and shown, keystreams used twice, equal blocks.

use super::randomness::{Cipher, solve_xor_messages};
use super::trial::Field;
use super::uniform::Measure;
use super::{Canaries, ConversationKey, Evidence, Kind, Polarity, Strength};
use crate::ruleset::language;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// Longest XOR key that is searched for, bytes.
const PERIOD: usize = 32;
/// Bytes of a single message for each byte of a key that is called solved: with fewer, some key turns
/// almost anything structured into something that reads.
const ALONE: usize = 24;
/// Fields that are looked at over their messages.
const GROUPS: usize = 64;
/// Messages of one field that are compared.
const COMPARED: usize = 24;

/// Looks at the same field over many messages. Records come in a fixed order.
pub fn evidence(fields: &[Field], canaries: &Canaries) -> Vec<(ConversationKey, Evidence)> {
    let mut groups: BTreeMap<(&ConversationKey, String), Vec<&Field>> = BTreeMap::new();
    for field in fields {
        let name = field.origin.field.split('[').next().unwrap_or("").to_owned();
        let list = groups.entry((&field.conversation, name)).or_default();
        if list.len() < COMPARED && !list.iter().any(|f| f.bytes == field.bytes) {
            list.push(field);
        }
    }
    let mut all = Vec::new();
    for ((key, _), list) in groups.iter().take(GROUPS) {
        match solve(list) {
            Some(solution) => all.extend(solved(key, list, &solution, canaries)),
            None => match shifted(list) {
                Some(evidence) => all.extend(evidence.map(|e| ((*key).clone(), e))),
                None => all.extend(reused(key, list)),
            },
        }
    }
    all
}

fn record(field: &Field, kind: Kind, strength: Strength) -> Evidence {
    Evidence {
        kind,
        strength,
        polarity: Polarity::Against,
        guard: field.guard,
        origin: field.origin.clone(),
        count: 1,
        shown: None,
    }
}

fn xor(bytes: &[u8], key: &[u8]) -> Vec<u8> {
    bytes.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k).collect()
}

/// The shortest repeating key that turns every message of the field into text.
fn solve(list: &[&Field]) -> Option<Vec<u8>> {
    let longest = list.iter().map(|f| f.bytes.len()).max()?;
    if list.iter().all(|f| Measure::of(&f.bytes).passes_for_uniform()) && longest < 4 * PERIOD {
        return None;
    }
    let longest_key = PERIOD.min(longest / 8).min(if list.len() > 1 { PERIOD } else { longest / ALONE });
    (1..=longest_key).filter(|period| agrees(list, *period)).find_map(|period| {
        let key: Option<Vec<u8>> = (0..period).map(|place| key_byte(list, period, place)).collect();
        key.filter(|k| reads(list, k))
    })
}

/// Whether bytes one period apart hardly ever differ in their top bit, as text under one key does not.
fn agrees(list: &[&Field], period: usize) -> bool {
    let (mut pairs, mut differ) = (0usize, 0usize);
    for field in list {
        let shifted = field.bytes.get(period..).unwrap_or_default();
        pairs += shifted.len();
        differ += field.bytes.iter().zip(shifted).filter(|(a, b)| (*a ^ *b) & 0x80 != 0).count();
    }
    pairs >= 24 && differ * 10 <= pairs
}

/// The key byte at one place of the period under which most bytes are what text consists of.
fn key_byte(list: &[&Field], period: usize, place: usize) -> Option<u8> {
    let mut counts = [0u32; 256];
    for field in list {
        field.bytes.iter().skip(place).step_by(period).for_each(|b| counts[*b as usize] += 1);
    }
    let total: u32 = counts.iter().sum();
    if total < 6 {
        return None;
    }
    let scores = scores(&counts);
    (0..=255u8).max_by_key(|k| (scores[usize::from(*k)], std::cmp::Reverse(*k)))
}

/// For every key byte, the weights of all bytes under it: counts and weights convolved by XOR, which
/// the Walsh-Hadamard transform turns into a product.
fn scores(counts: &[u32; 256]) -> [i64; 256] {
    static WEIGHTS: LazyLock<[i64; 256]> =
        LazyLock::new(|| hadamard(std::array::from_fn(|b| i64::from(weight(b as u8)))));
    let spectrum = hadamard(counts.map(i64::from));
    let product = std::array::from_fn(|i| spectrum[i] * WEIGHTS[i]);
    hadamard(product).map(|s| s / 256)
}

fn hadamard(mut a: [i64; 256]) -> [i64; 256] {
    let mut half = 1;
    while half < a.len() {
        for pair in a.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (x, y) in low.iter_mut().zip(high) {
                (*x, *y) = (*x + *y, *x - *y);
            }
        }
        half *= 2;
    }
    a
}

/// How much a byte speaks for text, roughly as often as it occurs there.
fn weight(b: u8) -> u32 {
    match b {
        b' ' | b'e' | 0 => 12,
        b'a' | b'o' | b't' | b'i' | b'n' | b's' | b'r' => 9,
        b'a'..=b'z' => 6,
        b'A'..=b'Z' | b'0'..=b'9' | b'.' | b',' | b'"' | b':' | b'\n' => 3,
        b' '..=b'~' => 2,
        _ => 0,
    }
}

/// Whether the key turns most messages into something with a sentence in it.
fn reads(list: &[&Field], key: &[u8]) -> bool {
    if key.iter().all(|k| *k == 0) {
        return false;
    }
    let (mut texts, mut bytes, mut plain) = (0, 0usize, 0usize);
    for field in list {
        let out = xor(&field.bytes, key);
        bytes += out.len();
        plain += out.iter().filter(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t' | 0)).count();
        texts += usize::from(longest_text(&out).is_some_and(has_sentence));
    }
    texts * 3 >= list.len() * 2 && plain * 100 >= bytes * 92
}

/// A sentence, alone or as a string of something structured.
fn has_sentence(text: &str) -> bool {
    text.split(['"', '<', '>', '=', '&', ';']).any(|part| language::natural(part) >= 0.7)
}

/// The longest run of printable characters.
fn longest_text(bytes: &[u8]) -> Option<&str> {
    let runs = bytes.split(|b| !matches!(b, b' '..=b'~' | 0x80..=0xff));
    runs.filter_map(|r| std::str::from_utf8(r).ok()).max_by_key(|t| t.len())
}

fn solved(
    key: &ConversationKey,
    list: &[&Field],
    xor_key: &[u8],
    canaries: &Canaries,
) -> Vec<(ConversationKey, Evidence)> {
    let mut all = Vec::new();
    for field in list {
        let plain = xor(&field.bytes, xor_key);
        let detail = format!("repeating XOR with a key of {} bytes, solved", xor_key.len());
        let kind = Kind::Weak { finding: "weak-obfuscation".into(), detail };
        all.push((key.clone(), record(field, kind, Strength::Proof)));
        for hit in canaries.find(&plain) {
            let control = canaries.list.get(hit.canary as usize).is_some_and(|c| c.control);
            let chain = vec!["xor".to_owned()];
            let kind = Kind::Canary { canary: hit.canary, control, chain, slot: None };
            all.push((key.clone(), record(field, kind, Strength::Proof)));
        }
    }
    all
}

/// A constant added to every byte, solved.
fn shifted<'a>(list: &'a [&Field]) -> Option<impl Iterator<Item = Evidence> + 'a> {
    let views: Vec<&[u8]> = list.iter().map(|f| f.bytes.as_slice()).collect();
    let solution = solve_xor_messages(&views).filter(|s| s.cipher == Cipher::Add)?;
    let key = solution.key.first().copied().unwrap_or(0);
    Some(list.iter().map(move |field| {
        let detail = format!("{key} added to every byte, solved");
        record(field, Kind::Weak { finding: "weak-obfuscation".into(), detail }, Strength::Proof)
    }))
}

/// Two messages under one keystream: where both are text, their XOR never has the high bits set.
fn reused(key: &ConversationKey, list: &[&Field]) -> Option<(ConversationKey, Evidence)> {
    let shared = common_prefix(list);
    let sealed = |f: &&&Field| {
        let behind = f.bytes.get(shared..).unwrap_or_default();
        f.bytes.len() >= 32 && behind.len() >= 16 && Measure::of(behind).passes_for_uniform()
    };
    let uniform: Vec<&&Field> = list.iter().filter(sealed).collect();
    for (i, a) in uniform.iter().enumerate() {
        for b in &uniform[i + 1..] {
            let n = a.bytes.len().min(b.bytes.len());
            let same = a.bytes.iter().zip(&b.bytes).take_while(|(x, y)| x == y).count();
            let alike = a.bytes.iter().zip(&b.bytes).filter(|(x, y)| (*x ^ *y) & 0x80 == 0).count();
            let z = (alike as f64 - n as f64 / 2.0) / (n as f64 / 4.0).sqrt();
            if z > 6.0 && same + 8 < n {
                let detail = format!(
                    "two messages agree in the top bit of {alike} of {n} bytes: one keystream for both"
                );
                let kind = Kind::Weak { finding: "keystream-reuse".into(), detail };
                return Some((key.clone(), record(b, kind, Strength::Strong)));
            }
        }
    }
    under_one_nonce(&uniform)
        .map(|(field, kind)| (key.clone(), record(field, kind, Strength::Strong)))
        .or_else(|| blocks(key, &uniform))
}

/// Bytes that all messages begin with: a header, or a nonce that never changes. They tell nothing of what is behind.
fn common_prefix(list: &[&Field]) -> usize {
    let Some((first, others)) = list.split_first() else { return 0 };
    let same = |other: &&Field| first.bytes.iter().zip(&other.bytes).take_while(|(a, b)| a == b).count();
    others.iter().map(same).min().unwrap_or(0)
}

/// The same over all messages together, which short ones need: what all begin with, such as a nonce that never
/// changes, is left out, and a tag in front of the text as well.
fn under_one_nonce<'f>(list: &[&&'f Field]) -> Option<(&'f Field, Kind)> {
    let first = list.iter().max_by_key(|f| f.bytes.len())?;
    [0, TAG].into_iter().find_map(|tag| {
        let (mut alike, mut all) = (0usize, 0usize);
        for other in list.iter().filter(|o| !std::ptr::eq(***o, **first)) {
            let pairs = || first.bytes.iter().zip(&other.bytes);
            let same = pairs().take_while(|(x, y)| x == y).count();
            let differ = pairs().skip(same + tag).map(|(x, y)| usize::from((*x ^ *y) & 0x80 == 0));
            all += differ.len();
            alike += differ.sum::<usize>();
        }
        let z = (alike as f64 - all as f64 / 2.0) / (all as f64 / 4.0).sqrt();
        // Structure around ciphertext agrees in some places, text under one keystream in nearly all.
        let found = all >= TOGETHER && z > 6.0 && alike * 10 >= all * 7;
        let detail =
            format!("messages agree in the top bit of {alike} of {all} bytes: one keystream for all of them");
        found.then(|| (**first, Kind::Weak { finding: "keystream-reuse".into(), detail }))
    })
}

/// Bytes of a tag that may stand between nonce and text.
const TAG: usize = 16;
/// Pairs of bytes that say enough together.
const TOGETHER: usize = 64;

/// Equal aligned blocks of ciphertext, within a message or across messages.
fn blocks(key: &ConversationKey, list: &[&&Field]) -> Option<(ConversationKey, Evidence)> {
    for size in [16usize, 8] {
        let mut seen: HashMap<&[u8], (usize, usize)> = HashMap::new();
        for (m, field) in list.iter().enumerate() {
            for (at, block) in field.bytes.chunks_exact(size).enumerate() {
                // The first block of every message may be a header or a key id; a repeat elsewhere is none.
                if let Some((other, place)) = seen.insert(block, (m, at))
                    && (other == m || at > 1 && place > 1)
                {
                    let detail =
                        format!("a block of {size} bytes occurs twice: equal text gives equal ciphertext");
                    let kind = Kind::Weak { finding: "repeated-ciphertext".into(), detail };
                    return Some((key.clone(), record(field, kind, Strength::Strong)));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(bytes: Vec<u8>) -> Field {
        let origin = crate::model::Origin {
            frame: Default::default(),
            time: crate::model::Timestamp(0),
            flow: String::new(),
            side: crate::model::Side::Client,
            layers: String::new(),
            field: "$.body".into(),
            trust: crate::model::Trust::Stated,
            length: 0,
            digest: String::new(),
        };
        Field {
            origin,
            conversation: ConversationKey {
                endpoint: String::new(),
                path: String::new(),
                content: super::super::Content::Opaque,
            },
            guard: crate::peel::Guard::Confidential,
            format: None,
            named: super::super::trial::Named::Nothing,
            bytes,
            nearby: Vec::new(),
            nonce: None,
            rounds: None,
        }
    }

    fn stream(seed: &str, length: usize) -> Vec<u8> {
        use sha2::{Digest, Sha256};
        (0u32..).flat_map(|n| Sha256::digest(format!("{seed}{n}"))).take(length).collect()
    }

    fn findings(messages: Vec<Vec<u8>>) -> Vec<String> {
        let fields: Vec<Field> = messages.into_iter().map(field).collect();
        let found = evidence(&fields, &Canaries::default()).into_iter();
        found
            .filter_map(|(_, e)| match e.kind {
                Kind::Weak { finding, .. } => Some(finding),
                _ => None,
            })
            .collect()
    }

    const SAID: [&str; 4] = [
        "the safe code is four nine two one",
        "meet me at the north pier at seven",
        "the lawyer called again this afternoon",
        "bring the blue folder with you tomorrow",
    ];

    #[test]
    fn short_messages_under_one_nonce_show_together() {
        let sealed = |nonce: &[u8], tag_in_front: bool| {
            SAID.map(|text| {
                let body: Vec<u8> = text.bytes().zip(stream("pad", 64)).map(|(a, b)| a ^ b).collect();
                let tag = stream(text, 16);
                if tag_in_front { [nonce, &tag, &body].concat() } else { [nonce, &body, &tag].concat() }
            })
            .to_vec()
        };
        for nonce in [stream("nonce", 12), vec![0; 12], vec![7; 24]] {
            assert_eq!(findings(sealed(&nonce, false)), ["keystream-reuse"]);
            assert_eq!(findings(sealed(&nonce, true)), ["keystream-reuse"]);
        }
    }

    #[test]
    fn a_constant_header_before_sound_ciphertext_does_not() {
        for seed in 0..50 {
            let message = |text: &&str| {
                [stream("header", 20), stream(&format!("{seed}{text}"), 16 + text.len())].concat()
            };
            assert_eq!(findings(SAID.iter().map(message).collect()), Vec::<String>::new());
        }
    }

    #[test]
    fn scores_by_transform_are_the_sums_they_stand_for() {
        let counts: [u32; 256] = std::array::from_fn(|i| (i as u32 * 37 + 11) % 23);
        let sums: [i64; 256] =
            std::array::from_fn(|key| (0..256).map(|b| i64::from(counts[b] * weight((b ^ key) as u8))).sum());
        assert_eq!(scores(&counts), sums);
    }
}
