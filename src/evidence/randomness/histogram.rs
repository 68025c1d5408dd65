//! Byte counts that stream and merge, and what uniform bytes of a given length look like.

use std::sync::OnceLock;

/// Counts of the 256 byte values. Chunks may come in any split and shards in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; 256],
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; 256], total: 0 }
    }
}

impl Histogram {
    /// Counts `bytes`. Long input goes through four tables, because one table stalls on runs of
    /// equal bytes (each increment waits for the store before it).
    pub fn add(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        if bytes.len() < 1024 {
            for &b in bytes {
                self.counts[usize::from(b)] += 1;
            }
            return;
        }
        // 32-bit lanes cannot overflow within one gibibyte.
        for part in bytes.chunks(1 << 30) {
            self.add_long(part);
        }
    }

    fn add_long(&mut self, bytes: &[u8]) {
        let mut lanes = [[0u32; 256]; 4];
        let (words, tail) = bytes.as_chunks::<8>();
        for word in words {
            let w = u64::from_le_bytes(*word);
            lanes[0][(w & 255) as usize] += 1;
            lanes[1][(w >> 8 & 255) as usize] += 1;
            lanes[2][(w >> 16 & 255) as usize] += 1;
            lanes[3][(w >> 24 & 255) as usize] += 1;
            lanes[0][(w >> 32 & 255) as usize] += 1;
            lanes[1][(w >> 40 & 255) as usize] += 1;
            lanes[2][(w >> 48 & 255) as usize] += 1;
            lanes[3][(w >> 56) as usize] += 1;
        }
        for &b in tail {
            lanes[0][usize::from(b)] += 1;
        }
        for (i, count) in self.counts.iter_mut().enumerate() {
            *count += lanes.iter().map(|lane| u64::from(lane[i])).sum::<u64>();
        }
    }

    /// Adds the counts of another histogram.
    pub fn merge(&mut self, other: &Self) {
        self.total += other.total;
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }

    /// How often each byte value came.
    pub fn counts(&self) -> &[u64; 256] {
        &self.counts
    }

    /// Bytes counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Plug-in Shannon entropy in bits per byte; 0 for nothing.
    pub fn shannon(&self) -> f64 {
        if self.total == 0 {
            return 0.0;
        }
        let n = self.total as f64;
        let sum: f64 = self.counts.iter().filter(|&&c| c > 1).map(|&c| c as f64 * (c as f64).log2()).sum();
        (n.log2() - sum / n).max(0.0)
    }

    /// Pearson's chi-square against the uniform law, 255 degrees of freedom. An affine function of
    /// the number of colliding pairs, so it is the collision test too.
    pub fn chi_square(&self) -> f64 {
        if self.total == 0 {
            return 0.0;
        }
        let n = self.total as f64;
        self.counts.iter().map(|&c| (c as f64).powi(2)).sum::<f64>() * 256.0 / n - n
    }
}

const EXACT: usize = 2048;

/// Mean and standard deviation of the plug-in entropy of `n` uniform bytes, in bits per byte.
///
/// Exact up to 2,048 bytes (the moments of `c log2 c` under the binomial and trinomial laws, computed
/// at first use and kept), the asymptotic expansion above: mean 8 - 255/(2n ln 2), variance
/// 255/(2 n^2 ln^2 2).
pub fn null_mean_sd(n: usize) -> (f64, f64) {
    static TABLE: OnceLock<Vec<OnceLock<(f64, f64)>>> = OnceLock::new();
    if n < 2 {
        return (0.0, 0.0);
    }
    if n > EXACT {
        let n = n as f64;
        let ln2 = std::f64::consts::LN_2;
        let second = (256.0f64.powi(2) - 1.0) / (12.0 * n * n * ln2);
        return (8.0 - 255.0 / (2.0 * n * ln2) - second, (255.0f64 / 2.0).sqrt() / (n * ln2));
    }
    let table = TABLE.get_or_init(|| (0..=EXACT).map(|_| OnceLock::new()).collect());
    *table[n].get_or_init(|| exact_moments(n))
}

/// With f(c) = c log2 c: E H = log2 n - 256 E f(c1) / n, and the variance of the sum of f(ci) is
/// 256 E f(c1)^2 + 256*255 E f(c1)f(c2) - (256 E f(c1))^2; c2 given c1 is binomial(n - c1, 1/255).
fn exact_moments(n: usize) -> (f64, f64) {
    let first = binomial(n, 1.0 / 256.0);
    let f = |c: usize| {
        if c < 2 { 0.0 } else { c as f64 * (c as f64).log2() }
    };
    let mean: f64 = first.iter().enumerate().map(|(c, p)| p * f(c)).sum();
    let square: f64 = first.iter().enumerate().map(|(c, p)| p * f(c) * f(c)).sum();
    let product: f64 = first
        .iter()
        .enumerate()
        .filter(|(c, _)| *c > 1)
        .map(|(c, p)| {
            let second: f64 = binomial(n - c, 1.0 / 255.0).iter().enumerate().map(|(d, q)| q * f(d)).sum();
            p * f(c) * second
        })
        .sum();
    let size = n as f64;
    let variance = 256.0 * square + 256.0 * 255.0 * product - (256.0 * mean).powi(2);
    (size.log2() - 256.0 * mean / size, variance.max(0.0).sqrt() / size)
}

/// The probabilities of 0, 1, 2 ... successes, as far as they matter.
fn binomial(n: usize, p: f64) -> Vec<f64> {
    let mut at = (n as f64 * (-p).ln_1p()).exp();
    let mut law = vec![at];
    for c in 0..n {
        at *= (n - c) as f64 / (c + 1) as f64 * p / (1.0 - p);
        law.push(at);
        if at < 1e-22 && c as f64 > n as f64 * p {
            break;
        }
    }
    law
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_null_agrees_with_the_published_table() {
        for (n, mean, sd) in [
            (16, 3.9421, 0.0829),
            (64, 5.7657, 0.0766),
            (256, 7.175, 0.0524),
            (1024, 7.8088, 0.0172),
            (4096, 7.9546, 0.0040),
        ] {
            let (m, s) = null_mean_sd(n);
            assert!((m - mean).abs() < 0.002, "{n}: {m}");
            assert!((s - sd).abs() < 0.001, "{n}: {s}");
        }
    }

    proptest! {
        #[test]
        fn shannon_is_the_crates(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
            let mut h = Histogram::default();
            h.add(&bytes);
            // The crate sums up to 256 terms in f32, each rounded to 6e-8 of a sum below 8.
            prop_assert!((h.shannon() - f64::from(entropy::shannon_entropy(&bytes))).abs() < 5e-5);
        }

        #[test]
        fn merging_is_one_run(a in proptest::collection::vec(any::<u8>(), 0..3000), b in proptest::collection::vec(any::<u8>(), 0..3000)) {
            let mut one = Histogram::default();
            one.add(&a);
            let mut two = Histogram::default();
            two.add(&b);
            one.merge(&two);
            let mut whole = Histogram::default();
            whole.add(&[a, b].concat());
            prop_assert_eq!(one, whole);
        }
    }
}
