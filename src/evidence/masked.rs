//! Planted texts under a repeating XOR, whatever the key: two octets one period apart, XORed with each other,
//! are free of it (the differences of the text are looked for among the differences of the bytes).

use super::CanaryHit;
use aho_corasick::AhoCorasick;

/// Longest key whose differences are looked for, octets.
pub const PERIODS: usize = 16;
/// Differences that must agree: each is one chance in 256.
const LEAST: usize = 8;

/// The compiled search, one automaton for each period.
#[derive(Debug, Default)]
pub(super) struct Masked {
    periods: Vec<Period>,
}

#[derive(Debug)]
struct Period {
    length: usize,
    automaton: AhoCorasick,
    /// Canary and first octets of each pattern's text.
    texts: Vec<(u32, Vec<u8>)>,
}

impl Masked {
    /// For texts by the number of their canary.
    pub(super) fn new(texts: &[(u32, Vec<u8>)]) -> Self {
        let periods = (1..=PERIODS).filter_map(|length| {
            let long: Vec<(u32, Vec<u8>)> =
                texts.iter().filter(|(_, t)| varied(t, length)).cloned().collect();
            let patterns: Vec<Vec<u8>> = long.iter().map(|(_, t)| differences(t, length)).collect();
            let automaton = (!long.is_empty()).then(|| AhoCorasick::new(patterns).ok()).flatten()?;
            Some(Period { length, automaton, texts: long })
        });
        Self { periods: periods.collect() }
    }

    /// Canaries under keys of up to `longest` octets. A key of zeros is none.
    pub(super) fn find(&self, bytes: &[u8], longest: usize) -> Vec<CanaryHit> {
        let mut hits = Vec::new();
        for period in self.periods.iter().filter(|p| p.length <= longest) {
            for found in period.automaton.find_iter(&differences(bytes, period.length)) {
                let Some((canary, text)) = period.texts.get(found.pattern().as_usize()) else { continue };
                let under = bytes.get(found.start()..).unwrap_or_default();
                let keyed = under.iter().zip(text).take(period.length).any(|(b, t)| b != t);
                let hit = CanaryHit { canary: *canary, encoding: Some("xor") };
                if keyed && !hits.contains(&hit) {
                    hits.push(hit);
                }
            }
        }
        hits.sort();
        hits
    }
}

fn differences(bytes: &[u8], period: usize) -> Vec<u8> {
    bytes.iter().zip(bytes.get(period..).unwrap_or_default()).map(|(a, b)| a ^ b).collect()
}

/// Whether a text gives enough differences that are not all alike.
fn varied(text: &[u8], period: usize) -> bool {
    let all = differences(text, period);
    let mut kinds = all.clone();
    kinds.sort_unstable();
    kinds.dedup();
    all.len() >= LEAST && kinds.len() >= LEAST / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_under_any_short_key_and_not_in_clear() {
        let text = b"noon under the bridge".to_vec();
        let masked = Masked::new(&[(3, text.clone())]);
        let whole = [&b"\x00\x01header "[..], &text, b" and more"].concat();
        let hit = vec![CanaryHit { canary: 3, encoding: Some("xor") }];
        for key in [&b"\x5a"[..], b"ab", b"\x01\x00\xff", b"12345678"] {
            let under: Vec<u8> = whole.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k).collect();
            assert_eq!(masked.find(&under, PERIODS), hit, "{key:?}");
        }
        assert_eq!(masked.find(&whole, PERIODS), []);
        assert_eq!(masked.find(&[7; 64], PERIODS), []);
    }

    /// One short text under a key nearly as long gives no statistics, only its differences.
    #[test]
    fn a_short_text_is_found_under_a_key_of_sixteen_octets() {
        let text = b"noon under the old bridge".to_vec();
        let masked = Masked::new(&[(3, text.clone())]);
        let whole = [&b"{\"m\":\""[..], &text, b"\"}"].concat();
        for length in 9..=PERIODS {
            let key: Vec<u8> = (0..length).map(|i| (i * 89 + 41) as u8).collect();
            let under: Vec<u8> = whole.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k).collect();
            assert_eq!(masked.find(&under, PERIODS).len(), 1, "{length}");
            assert_eq!(masked.find(&under, 1), [], "{length}");
        }
    }
}
