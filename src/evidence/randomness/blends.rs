//! Blends of habits: what a coder writes depends on what it was given, so one law for all of its streams fits none of
//! them. Here each of some families of coders has sixteen laws for a bit after the nine before it, and a field is
//! weighed under their mixture. The tables come from `examples/randomness_profiles.py`, which documents the file's form.
//!
//! Like the habits of `profiles`, the figures serve the model and are never reported as evidence.

use std::sync::OnceLock;

/// Laws of a family.
const LAWS: usize = 16;
/// Families whose coders write the least significant bit first (deflate, brotli, zstd, pictures without loss, Vorbis),
/// and those that write the most significant one first (bzip2, JPEG, WebP, other video, Opus, MP3 and AAC).
const FAMILIES: [usize; 2] = [5, 6];
/// Figures that `figures` gives.
pub const COUNT: usize = FAMILIES[0] + FAMILIES[1] + 1;
/// Cells of a window of ten bits.
const CELLS: usize = 1 << 10;
/// Steps of the stored figures in a bit.
const STEPS: f32 = 24.0;

type Laws = [i8; LAWS];

struct Tables {
    /// By bit order and family: the weights of the laws, and what each law gives each window.
    families: [Vec<(Laws, Vec<Laws>)>; 2],
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let file: &[u8] = include_bytes!("blends.bin");
        let mut rows = file.as_chunks::<LAWS>().0.iter().map(|row| row.map(|b| b as i8));
        let mut family = || {
            let weights = rows.next().unwrap_or_default();
            let mut cells: Vec<Laws> = rows.by_ref().take(CELLS).collect();
            cells.resize(CELLS, Laws::default());
            (weights, cells)
        };
        Tables { families: FAMILIES.map(|n| (0..n).map(|_| family()).collect()) }
    })
}

/// The most bits against uniform that one family's mixture gives, and how far each family stays behind that. `folds`
/// are the counts of `Windows::folds` in the two bit orders.
pub fn figures(folds: [&[Vec<u32>]; 2]) -> [f32; COUNT] {
    let mut out = [0.0; COUNT];
    let families = tables().families.iter().zip(folds).flat_map(|(families, folds)| {
        let cells = folds.iter().find(|cells| cells.len() == CELLS).map_or(&[][..], Vec::as_slice);
        families.iter().map(move |(weights, laws)| mixture(weights, laws, cells))
    });
    for (slot, bits) in out.iter_mut().skip(1).zip(families) {
        *slot = bits;
    }
    let [best, each @ ..] = &mut out;
    *best = each.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for bits in each {
        *bits -= *best;
    }
    out
}

/// log2 of the weighted mean of the laws' likelihood ratios.
fn mixture(weights: &Laws, laws: &[Laws], cells: &[u32]) -> f32 {
    let mut sums = weights.map(i32::from);
    for (row, &count) in laws.iter().zip(cells) {
        if count > 0 {
            for (sum, step) in sums.iter_mut().zip(row) {
                *sum += i32::from(*step) * count as i32;
            }
        }
    }
    let top = sums.into_iter().max().unwrap_or(0);
    let rest: f32 = sums.iter().map(|s| ((s - top) as f32 / STEPS).exp2()).sum();
    top as f32 / STEPS + rest.log2()
}

#[cfg(test)]
mod tests {
    use super::super::windows::{BitOrder, Windows};
    use super::*;
    use std::io::Write;

    fn of(bytes: &[u8]) -> [f32; COUNT] {
        let folds = [BitOrder::Lsb, BitOrder::Msb].map(|order| Windows::count(bytes, order).folds());
        figures([&folds[0], &folds[1]])
    }

    #[test]
    fn the_file_holds_every_family() {
        let families = FAMILIES.iter().sum::<usize>();
        assert_eq!(include_bytes!("blends.bin").len(), families * (CELLS + 1) * LAWS);
    }

    #[test]
    fn the_middle_of_a_deflated_text_is_seen_and_noise_is_not() {
        let text: String = (0..4000u32)
            .map(|i| format!("{} of {} were read\n", i.wrapping_mul(2_654_435_761) >> 9, i * 7))
            .collect();
        let mut coder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        coder.write_all(text.as_bytes()).expect("in memory");
        let packed = coder.finish().expect("in memory");
        assert!(of(&packed[5000..9096])[0] > 20.0);
        let mut state = 7u64;
        for _ in 0..200 {
            let noise: Vec<u8> = (0..1024)
                .map(|_| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 56) as u8
                })
                .collect();
            // Eleven laws that were fixed before: 2^16 once in 5,900.
            assert!(of(&noise)[0] < 16.0);
        }
        assert!(of(&[])[0].abs() < 0.5);
    }
}
