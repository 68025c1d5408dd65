//! The same field of many messages, tested together: what one message hides, several show.

use super::BitOrder;
use super::evalue;
use super::histogram::Histogram;
use rustc_hash::FxHashMap;

/// What pooling found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An aligned block of `size` bytes came `times` times at different places (ECB, or equal parts).
    RepeatedBlock {
        /// 8 or 16 bytes.
        size: usize,
        /// Occurrences beyond the first of each block.
        times: usize,
    },
    /// This many messages are equal to an earlier one.
    EqualMessages(usize),
    /// The first bytes are the same in all messages (version, fixed IV, reused nonce).
    FixedPrefix(usize),
    /// A big- or little-endian number that grows by small steps.
    Counter {
        /// Offset of its first byte.
        offset: usize,
        /// Its width: 2, 4 or 8 bytes.
        length: usize,
    },
    /// Positions share their high bits far down the message: one keystream for all.
    KeystreamReuse,
    /// A repeating XOR key of this period fits every message.
    RepeatingXor {
        /// Key length in bytes.
        period: usize,
    },
}

/// The outcome of pooling.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pooled {
    /// Messages looked at (at most 512).
    pub messages: usize,
    /// Bytes looked at (at most 1,024 a message).
    pub bytes: usize,
    /// Bits against independent uniform messages; at most 2^-b of such fields reach `b`.
    pub bits: f64,
    /// The test that spoke loudest.
    pub strongest: &'static str,
    /// What was found, each with at least 20 bits behind it.
    pub findings: Vec<Finding>,
}

const MESSAGES: usize = 512;
const BYTES: usize = 1024;
/// Evidence below which nothing is named.
const SURE: f64 = 20.0;

/// Tests messages of one field together.
pub fn pool(messages: &[&[u8]]) -> Pooled {
    let all: Vec<&[u8]> = messages
        .iter()
        .take(MESSAGES)
        .map(|m| m.get(..BYTES).unwrap_or(m))
        .filter(|m| !m.is_empty())
        .collect();
    let bytes = all.iter().map(|m| m.len()).sum();
    if all.len() < 2 {
        return Pooled { messages: all.len(), bytes, strongest: "none", ..Pooled::default() };
    }
    let mut findings = Vec::new();
    let equal = equal_messages(&all, &mut findings);
    let mut distinct = all.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let blocks = repeated_blocks(&distinct, &mut findings);
    let per = positions(&all);
    let prefix = fixed_prefix(&all);
    if prefix > 0 && prefix as f64 * 8.0 * (all.len() - 1) as f64 - 10.0 >= SURE && distinct.len() > 1 {
        findings.push(Finding::FixedPrefix(prefix));
    }
    let counter = counter(&all, &mut findings);
    keystream(&distinct, prefix, &mut findings);
    let tests = [
        ("positions", evalue::mean(&per)),
        ("equal-messages", equal),
        ("repeated-blocks", blocks),
        ("counter", counter),
        ("none", 0.0),
    ];
    let strongest = tests.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or("none", |t| t.0);
    Pooled { messages: all.len(), bytes, bits: evalue::mean(&tests.map(|t| t.1)), strongest, findings }
}

/// Equal pairs: under uniform the mean number of pairs is known, and count over mean is an e-value.
fn equal_messages(all: &[&[u8]], findings: &mut Vec<Finding>) -> f64 {
    let mut sizes: FxHashMap<usize, usize> = FxHashMap::default();
    let mut seen: FxHashMap<&[u8], usize> = FxHashMap::default();
    for m in all.iter().filter(|m| m.len() >= 8) {
        *sizes.entry(m.len()).or_default() += 1;
        *seen.entry(m).or_default() += 1;
    }
    let again: usize = seen.values().map(|c| c - 1).sum();
    let (Some(shortest), true) =
        (seen.iter().filter(|(_, c)| **c > 1).map(|(m, _)| m.len()).min(), again > 0)
    else {
        return -8.0;
    };
    let pairs: f64 = sizes.values().map(|c| (*c as f64).powi(2) / 2.0).sum();
    let bits = shortest as f64 * 8.0 - pairs.log2() - 6.0;
    if bits >= SURE {
        findings.push(Finding::EqualMessages(again));
    }
    bits
}

fn repeated_blocks(all: &[&[u8]], findings: &mut Vec<Finding>) -> f64 {
    let mut best = -8.0f64;
    for size in [16, 8] {
        let mut seen: FxHashMap<&[u8], (usize, usize)> = FxHashMap::default();
        let (mut total, mut times, mut shared) = (0usize, 0usize, 0usize);
        for m in all {
            for (i, block) in m.chunks_exact(size).enumerate() {
                total += 1;
                let slot = seen.entry(block).or_insert((0, i));
                slot.0 += 1;
                times += usize::from(slot.0 > 1);
                shared += usize::from(slot.0 > 1 && slot.1 > 0);
            }
        }
        if times == 0 {
            continue;
        }
        best = best.max(size as f64 * 8.0 - 2.0 * (total as f64).log2() + 1.0 - 6.0);
        // Blocks equal only at the very start are a fixed prefix; named so there.
        if best >= SURE && shared > 0 && !findings.iter().any(|f| matches!(f, Finding::RepeatedBlock { .. }))
        {
            findings.push(Finding::RepeatedBlock { size, times });
        }
    }
    best
}

/// Per-position laws over bytes and over bits, aligned at the start and at the end.
fn positions(all: &[&[u8]]) -> Vec<f64> {
    let longest = all.iter().map(|m| m.len()).max().unwrap_or(0);
    let (mut start, mut end, mut bits) = (0.0, 0.0, 0.0);
    for i in 0..longest {
        let (column, last) = (column(all, i), last_column(all, i));
        start += side(&column);
        end += side(&last);
        bits += evalue::position_bits(&column);
    }
    vec![start, end, bits]
}

fn column(all: &[&[u8]], i: usize) -> Vec<u8> {
    all.iter().filter_map(|m| m.get(i).copied()).collect()
}

fn last_column(all: &[&[u8]], i: usize) -> Vec<u8> {
    all.iter().filter_map(|m| m.len().checked_sub(i + 1).and_then(|at| m.get(at)).copied()).collect()
}

/// A position's evidence, mixed with "nothing here" so that many plain positions cost little.
fn side(column: &[u8]) -> f64 {
    if column.len() < 2 {
        return 0.0;
    }
    let mut counts = Histogram::default();
    counts.add(column);
    let spoken = evalue::bytes(&counts);
    if spoken > 40.0 { spoken - 6.6 } else { (0.01 * spoken.exp2() + 0.99).log2() }
}

fn fixed_prefix(all: &[&[u8]]) -> usize {
    let Some((first, rest)) = all.split_first() else {
        return 0;
    };
    rest.iter().map(|m| first.iter().zip(m.iter()).take_while(|(a, b)| a == b).count()).min().unwrap_or(0)
}

/// Steps of 1..=16 between neighbours. Each offset, width and order is one test; their mean is kept.
fn counter(all: &[&[u8]], findings: &mut Vec<Finding>) -> f64 {
    let shortest = all.iter().map(|m| m.len()).min().unwrap_or(0).min(64);
    let (mut best, mut tests) = ((-8.0f64, 0, 0), 1.0f64);
    for width in [8usize, 4, 2] {
        for offset in 0..shortest.saturating_sub(width - 1) {
            for order in [BitOrder::Msb, BitOrder::Lsb] {
                tests += 1.0;
                let values: Vec<u64> =
                    all.iter().filter_map(|m| number(m.get(offset..offset + width)?, order)).collect();
                let steady = values.windows(2).all(|w| (1..=16).contains(&w[1].wrapping_sub(w[0])));
                let bits = (width as f64 * 8.0 - 4.0) * (values.len() - 1) as f64;
                if steady && bits > best.0 {
                    best = (bits, offset, width);
                }
            }
        }
    }
    let bits = best.0 - tests.log2();
    if bits >= SURE {
        findings.push(Finding::Counter { offset: best.1, length: best.2 });
    }
    bits
}

fn number(bytes: &[u8], order: BitOrder) -> Option<u64> {
    let fold = |v: u64, b: &u8| v << 8 | u64::from(*b);
    Some(match order {
        BitOrder::Msb => bytes.iter().fold(0, fold),
        BitOrder::Lsb => bytes.iter().rev().fold(0, fold),
    })
}

/// One keystream for all: the XOR of two messages is the XOR of two texts, whose top bit is mostly
/// clear. Counted beyond the shared prefix, over neighbours in sorted order.
fn keystream(distinct: &[&[u8]], prefix: usize, findings: &mut Vec<Finding>) {
    if let Some(solution) = super::xor::solve_xor_messages(distinct) {
        findings.push(match solution.key.len() {
            0 => return,
            period => Finding::RepeatingXor { period },
        });
        return;
    }
    let (mut clear, mut total) = (0.0, 0.0);
    for pair in distinct.chunks_exact(2) {
        for (a, b) in pair[0].iter().zip(pair[1]).skip(prefix) {
            clear += f64::from((a ^ b) & 0x80 == 0);
            total += 1.0;
        }
    }
    // Plain text has the bit clear in every position on its own, which is no keystream.
    let plain = distinct.iter().flat_map(|m| m.iter()).filter(|b| **b < 0x80).count() as f64;
    let all = distinct.iter().map(|m| m.len()).sum::<usize>() as f64;
    let fair = (plain / all - 0.5).abs() < 0.25;
    if total >= 48.0 && fair && clear / total > 0.9 {
        findings.push(Finding::KeystreamReuse);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::aead;

    fn sealed(k: u8, nonce: u64, text: &[u8]) -> Vec<u8> {
        let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::CHACHA20_POLY1305, &[k; 32]).unwrap());
        let mut iv = [0u8; 12];
        iv[..8].copy_from_slice(&nonce.to_le_bytes());
        let mut out = text.to_vec();
        key.seal_in_place_append_tag(aead::Nonce::assume_unique_for_key(iv), aead::Aad::empty(), &mut out)
            .unwrap();
        out
    }

    fn texts() -> Vec<String> {
        (0..20)
            .map(|i| {
                format!(
                    "message number {i}: shall we meet at {} o'clock by the {} door?",
                    i * 7 % 12,
                    ["red", "old", "third"][i % 3]
                )
            })
            .collect()
    }

    #[test]
    fn fresh_nonces_show_nothing() {
        for key in 0..40u8 {
            let all: Vec<Vec<u8>> =
                texts().iter().enumerate().map(|(i, t)| sealed(key, i as u64, t.as_bytes())).collect();
            let views: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
            let pooled = pool(&views);
            assert!(pooled.bits < 10.0 && pooled.findings.is_empty(), "{pooled:?}");
        }
    }

    #[test]
    fn one_nonce_for_all_is_seen() {
        let all: Vec<Vec<u8>> = texts().iter().map(|t| sealed(9, 1, &t.as_bytes()[8..])).collect();
        let views: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        let pooled = pool(&views);
        assert!(pooled.bits > 100.0, "{pooled:?}");
        assert!(
            pooled.findings.iter().any(|f| matches!(f, Finding::KeystreamReuse | Finding::FixedPrefix(_))),
            "{pooled:?}"
        );
    }

    #[test]
    fn counters_and_repeats_have_names() {
        let all: Vec<Vec<u8>> = (0..10u32)
            .map(|i| {
                [&(i + 700).to_be_bytes()[..], &sealed(3, u64::from(i), b"hello there, friend")].concat()
            })
            .collect();
        let views: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        assert!(pool(&views).findings.iter().any(|f| matches!(f, Finding::Counter { .. })));
        let one = sealed(5, 5, b"exactly the same words");
        assert!(pool(&[&one, &one, &one]).findings.contains(&Finding::EqualMessages(2)));
    }
}
