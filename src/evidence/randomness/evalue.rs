//! Evidence against "uniform bytes" in bits, as e-values.
//!
//! Each test is a probability law Q for the whole message, fixed before the message is seen; its
//! evidence is log2 Q(message) + 8n. Under uniform bytes the mean of 2^evidence is at most one, so the
//! chance of `b` bits or more is at most 2^-b at every length (Markov). Averages of such tests keep the
//! guarantee, the best of them does not: hence `mean`.

use super::histogram::Histogram;
use std::f64::consts::LOG2_E;
use std::sync::OnceLock;

/// One test's outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// What spoke.
    pub name: &'static str,
    /// Bits against uniform; negative when uniform explains the bytes better.
    pub bits: f64,
}

const BIT_ALPHAS: [f64; 4] = [1.0, 8.0, 64.0, 512.0];
const BYTE_ALPHAS: [f64; 8] = [0.02, 0.1, 0.5, 2.0, 8.0, 32.0, 128.0, 1024.0];
const TABLE: usize = 1024;

/// log2 of a(a+1)...(a+c-1), tabulated for small `c`.
struct Rising {
    alpha: f64,
    table: Vec<f64>,
}

impl Rising {
    fn new(alpha: f64) -> Self {
        let mut sum = 0.0;
        let mut table = vec![0.0];
        for i in 0..TABLE {
            sum += (alpha + i as f64).log2();
            table.push(sum);
        }
        Self { alpha, table }
    }

    fn at(&self, c: u64) -> f64 {
        match self.table.get(c as usize) {
            Some(v) => *v,
            // Both arguments are large or the difference of two tail series is exact enough.
            None => {
                let edge = self.alpha + TABLE as f64;
                self.table[TABLE] + (stirling(self.alpha + c as f64) - stirling(edge)) * LOG2_E
            }
        }
    }
}

/// ln Gamma(x) for x over 1,000.
fn stirling(x: f64) -> f64 {
    (x - 0.5) * x.ln() - x + 0.918_938_533_204_672_7 + 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3))
}

struct Tables {
    bit: Vec<(Rising, Rising)>,
    byte: Vec<(Rising, Rising)>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| Tables {
        bit: BIT_ALPHAS.iter().map(|&a| (Rising::new(a), Rising::new(2.0 * a))).collect(),
        byte: BYTE_ALPHAS.iter().map(|&a| (Rising::new(a), Rising::new(256.0 * a))).collect(),
    })
}

/// log2 of the mean of 2^x, which is itself an e-value when every x is.
pub fn mean(bits: &[f64]) -> f64 {
    let top = bits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !top.is_finite() {
        return 0.0;
    }
    let sum: f64 = bits.iter().map(|b| (b - top).exp2()).sum();
    top + (sum / bits.len() as f64).log2()
}

/// Independent draws from an unknown law over bytes: a mixture of symmetric Dirichlet laws.
pub fn bytes(counts: &Histogram) -> f64 {
    // Few distinct counts occur, so each is looked up once.
    let mut small = [0u32; 64];
    let mut large = Vec::new();
    for &c in counts.counts() {
        match small.get_mut(c as usize) {
            Some(slot) => *slot += 1,
            None => large.push(c),
        }
    }
    let n = counts.total();
    let each: [f64; 8] = std::array::from_fn(|k| {
        let (one, all) = &tables().byte[k];
        let lows: f64 = small
            .iter()
            .enumerate()
            .filter(|(_, m)| **m > 0)
            .map(|(c, m)| f64::from(*m) * one.at(c as u64))
            .sum();
        let highs: f64 = large.iter().map(|&c| one.at(c)).sum();
        lows + highs - all.at(n) + 8.0 * n as f64
    });
    mean(&each)
}

/// Each bit drawn by the bits before it, for contexts of several lengths; the counts of `Windows::folds`.
pub fn bit_windows(folds: &[Vec<u32>]) -> f64 {
    let mut found = Vec::with_capacity(24);
    for cells in folds {
        fold_evidence(cells, &mut found);
    }
    mean(&found)
}

fn fold_evidence(cells: &[u32], found: &mut Vec<f64>) {
    let mut sums = [0.0; 4];
    let mut coded = 0u64;
    for pair in cells.chunks_exact(2) {
        let (zero, one) = (u64::from(pair[0]), u64::from(pair[1]));
        if zero + one == 0 {
            continue;
        }
        coded += zero + one;
        for (sum, (half, whole)) in sums.iter_mut().zip(&tables().bit) {
            *sum += half.at(zero) + half.at(one) - whole.at(zero + one);
        }
    }
    found.extend(sums.map(|s| s + coded as f64));
}

const PERIODS: [usize; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 16, 24, 32];
/// Columns look at no more than this many bytes.
const COLUMN_BYTES: usize = 1024;

/// A byte position modulo a period has its own law for each bit: repeating XOR, records, samples.
/// Returns the mixture over periods and the period that said most.
pub fn columns(bytes: &[u8]) -> (f64, usize) {
    let bytes = bytes.get(..COLUMN_BYTES).unwrap_or(bytes);
    let mut found = Vec::with_capacity(PERIODS.len() * 2);
    let mut best = (f64::NEG_INFINITY, 1);
    for period in PERIODS.into_iter().filter(|p| p * 2 <= bytes.len()) {
        let sums = column_bits(bytes, period);
        let here = mean(&sums);
        if here > best.0 {
            best = (here, period);
        }
        found.push(here);
    }
    (mean(&found), best.1)
}

fn column_bits(bytes: &[u8], period: usize) -> [f64; 2] {
    let mut ones = [[0u32; 8]; 32];
    for row in bytes.chunks(period) {
        for (column, &b) in ones.iter_mut().zip(row) {
            for (bit, count) in column.iter_mut().enumerate() {
                *count += u32::from(b >> bit & 1);
            }
        }
    }
    let mut sums = [0.0; 2];
    for (i, column) in ones.iter().take(period).enumerate() {
        let rows = (bytes.len() - i).div_ceil(period) as u64;
        for &one in column {
            let one = u64::from(one);
            for (sum, k) in sums.iter_mut().zip([0, 1]) {
                let (half, whole) = &tables().bit[k];
                *sum += half.at(one) + half.at(rows - one) - whole.at(rows) + rows as f64;
            }
        }
    }
    sums
}

/// Differences to the byte `lag` places before: of uniform bytes they are uniform as well.
pub fn differences(data: &[u8], lag: usize) -> f64 {
    let Some(later) = data.get(lag..) else {
        return 0.0;
    };
    let delta: Vec<u8> = later.iter().zip(data).map(|(a, b)| a.wrapping_sub(*b)).collect();
    let mut counts = Histogram::default();
    counts.add(&delta);
    bytes(&counts)
}

/// The whole battery over the bytes, their counts and their windows in both bit orders. The last entry is the
/// constant test, whose evidence is nought.
pub fn battery(columns: f64, lags: &[f64], counts: &Histogram, folds: [&[Vec<u32>]; 2]) -> Vec<Test> {
    vec![
        Test { name: "byte-frequency", bits: bytes(counts) },
        Test { name: "bit-windows-lsb", bits: bit_windows(folds[0]) },
        Test { name: "bit-windows-msb", bits: bit_windows(folds[1]) },
        Test { name: "columns", bits: columns },
        Test { name: "differences", bits: mean(lags) },
        Test { name: "none", bits: 0.0 },
    ]
}

/// The bits of one position over many messages, each bit with its own law; mixed with the fair law so
/// that fair positions cost little.
pub fn position_bits(column: &[u8]) -> f64 {
    let n = column.len() as u64;
    let (half, whole) = &tables().bit[0];
    (0..8)
        .map(|bit| {
            let ones = column.iter().filter(|b| **b >> bit & 1 == 1).count() as u64;
            let bits = half.at(ones) + half.at(n - ones) - whole.at(n) + n as f64;
            if bits > 40.0 { bits - 5.0 } else { (0.03 * bits.exp2() + 0.97).log2() }
        })
        .sum()
}
