//! Habits of formats: how likely each of some families of formats (text, deflate, JPEG ...) makes a bit
//! after the bits before it, a byte after the half of the byte before it, and a byte at one of the first
//! eight places, and a change from a byte to a later one. The tables come from `examples/randomness_profiles.py`, which documents the file's form.
//!
//! A score is a log-likelihood ratio against uniform bytes under a law that was fixed beforehand. It is
//! shown to the model and never reported as evidence: the laws were fitted, and the best of them is taken.

use super::windows::{BitOrder, Windows};
use std::sync::OnceLock;

/// Families of formats, in the order of the script.
pub const GROUPS: usize = 24;
/// Steps of the stored figures in a bit.
const STEPS: f32 = 24.0;
/// Bytes that the order-one scores read.
const PAIRED: usize = 8192;

/// One figure for each family: bits against uniform.
pub type Scores = [f32; GROUPS];
type Row = [i8; GROUPS];

/// The families whose text or records a key is tried to bring out: UTF-8, ASCII, structures, messages.
pub const KEYED: [usize; 4] = [0, 1, 3, 4];

struct Tables {
    /// By bit order, short and long windows.
    windows: [[Vec<Row>; 2]; 2],
    pairs: Vec<Row>,
    heads: Vec<Row>,
    single: Vec<Row>,
    changes: Vec<Row>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let file: &[u8] = include_bytes!("profiles.bin");
        let (rows, _) = file.as_chunks::<GROUPS>();
        let mut rest = rows.iter().map(|row| row.map(|b| b as i8));
        let mut next = |n: usize| {
            let mut rows: Vec<Row> = rest.by_ref().take(n).collect();
            rows.resize(n, [0; GROUPS]);
            rows
        };
        Tables {
            windows: [[next(1 << 10), next(1 << 12)], [next(1 << 10), next(1 << 12)]],
            pairs: next(1 << 12),
            heads: next(8 * 256),
            single: next(256),
            changes: next(256),
        }
    })
}

fn add(sums: &mut [i32; GROUPS], row: &Row, times: i32) {
    for (sum, step) in sums.iter_mut().zip(row) {
        *sum += i32::from(*step) * times;
    }
}

fn bits(sums: [i32; GROUPS]) -> Scores {
    sums.map(|s| s as f32 / STEPS)
}

/// What the bit windows of one order say.
pub fn windows(windows: &Windows, order: BitOrder) -> Scores {
    let mut sums = [0; GROUPS];
    let by_width = &tables().windows[usize::from(order == BitOrder::Msb)];
    let table = &by_width[usize::from(windows.cells().len() > 1 << 10)];
    for (row, &count) in table.iter().zip(windows.cells()) {
        if count > 0 {
            add(&mut sums, row, count as i32);
        }
    }
    bits(sums)
}

/// What each byte after the upper half of the one before says, in the first 8 KiB.
pub fn pairs(bytes: &[u8]) -> Scores {
    let mut sums = [0; GROUPS];
    let bytes = bytes.get(..PAIRED).unwrap_or(bytes);
    for (&before, &now) in bytes.iter().zip(bytes.iter().skip(1)) {
        if let Some(row) = tables().pairs.get(usize::from(before >> 4) << 8 | usize::from(now)) {
            add(&mut sums, row, 1);
        }
    }
    bits(sums)
}

/// What the first eight bytes say by their places.
pub fn heads(bytes: &[u8]) -> Scores {
    let mut sums = [0; GROUPS];
    for (at, &byte) in bytes.iter().take(8).enumerate() {
        if let Some(row) = tables().heads.get(at << 8 | usize::from(byte)) {
            add(&mut sums, row, 1);
        }
    }
    bits(sums)
}

/// Bytes that the scores of changes read.
const CHANGED: usize = 256;

/// What the XOR of each byte with the one `lag` places before says, in the first 256 bytes: a repeating key of
/// that length cancels.
pub fn changes(bytes: &[u8], lag: usize) -> Scores {
    let mut sums = [0; GROUPS];
    let bytes = bytes.get(..CHANGED).unwrap_or(bytes);
    for (&before, &now) in bytes.iter().zip(bytes.iter().skip(lag)) {
        if let Some(row) = tables().changes.get(usize::from(before ^ now)) {
            add(&mut sums, row, 1);
        }
    }
    bits(sums)
}

/// The most that one of the families `KEYED` scores.
pub fn keyed(scores: &Scores) -> f64 {
    f64::from(KEYED.map(|g| scores[g]).into_iter().fold(f32::NEG_INFINITY, f32::max))
}

/// Bits that a family's law of single bytes gives each byte value.
pub fn single(group: usize) -> [f32; 256] {
    let mut out = [0.0; 256];
    for (slot, row) in out.iter_mut().zip(&tables().single) {
        *slot = f32::from(row.get(group).copied().unwrap_or(0)) / STEPS;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_every_table() {
        assert_eq!(
            include_bytes!("profiles.bin").len(),
            GROUPS * (2 * (1024 + 4096) + 4096 + 2048 + 256 + 256)
        );
    }

    #[test]
    fn text_is_known_by_its_bytes_and_by_its_changes_under_a_key() {
        let text = b"the quick brown fox jumps over the lazy dog, and the dog does not mind it at all";
        let ascii = pairs(text)[1];
        assert!(ascii > 150.0, "{ascii}");
        let under: Vec<u8> = text.iter().zip(b"\x91\x3c\xe7".iter().cycle()).map(|(t, k)| t ^ k).collect();
        assert!(keyed(&pairs(&under)) < 0.0);
        assert_eq!(changes(text, 3), changes(&under, 3));
        assert!(keyed(&changes(&under, 3)) > 60.0 && keyed(&changes(&under, 4)) < 0.0);
    }

    #[test]
    fn uniform_bytes_score_no_more_than_chance_allows() {
        // A likelihood ratio of 2^12 in favour of one of 24 fixed laws: once in 170 samples at the most.
        let mut state = 3u64;
        let mut above = 0;
        for _ in 0..400 {
            let bytes: Vec<u8> = (0..64)
                .map(|_| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 56) as u8
                })
                .collect();
            above += usize::from(pairs(&bytes).iter().any(|s| *s > 12.0));
        }
        assert!(above <= 4, "{above}");
    }
}
