//! From the battery to probabilities: a small boosted-tree model, with rules over parsers and evidence
//! beside it. The model is fitted by `examples/randomness_train.py`, which documents the file's form.

use super::features::{self, View};
use super::{CLASSES, Class};
use crate::bytes::Cursor;
use std::sync::OnceLock;

/// No field is called random with more certainty than this: the data show no more (range-coded
/// fragments look the same).
const CEILING: f64 = 0.96;

/// One question: is the feature's rank above `rank`? A negative child is leaf -1 - i.
#[derive(Clone, Copy)]
struct Node {
    feature: u8,
    rank: u8,
    children: [i8; 2],
}

#[derive(Default)]
struct Forest {
    /// For each feature the thresholds that occur, rising; a value's rank is how many lie below it.
    thresholds: Vec<Vec<f32>>,
    /// All trees' nodes and leaves, one tree after the other, and where each tree's begin.
    nodes: Vec<Node>,
    leaves: Vec<i16>,
    starts: Vec<[u32; 2]>,
    /// What a step of a leaf is worth.
    step: f64,
}

impl Forest {
    fn ranks(&self, features: &[f32; features::COUNT]) -> [u8; 256] {
        let mut out = [0; 256];
        for ((slot, value), steps) in out.iter_mut().zip(features).zip(&self.thresholds) {
            *slot = steps.partition_point(|t| value > t) as u8;
        }
        out
    }

    /// The leaves that the ranks reach in the trees whose nodes and leaves start there. Each step of a walk waits
    /// for the step before it, so trees that do not wait for each other are walked side by side.
    fn leaves<const N: usize>(&self, starts: &[[u32; 2]; N], ranks: &[u8; 256]) -> [i16; N] {
        let mut places = [0i8; N];
        // A path is no longer than a tree has nodes, whatever the file says.
        for _ in 0..128 {
            for (at, [first, _]) in places.iter_mut().zip(starts) {
                let Some(node) = self.nodes.get(*first as usize + usize::from((*at).max(0).unsigned_abs()))
                else {
                    continue;
                };
                let next = node.children[usize::from(ranks[usize::from(node.feature)] > node.rank)];
                // Who has come to a leaf stays there while the others walk on.
                *at = if *at < 0 { *at } else { next };
            }
            if places.iter().all(|at| *at < 0) {
                break;
            }
        }
        let mut out = [0; N];
        for ((slot, at), [_, first]) in out.iter_mut().zip(places).zip(starts) {
            let leaf = *first as usize + usize::from(at.unsigned_abs()).wrapping_sub(1);
            *slot = self.leaves.get(leaf).copied().unwrap_or(0);
        }
        out
    }
}

fn forest() -> &'static Forest {
    static FOREST: OnceLock<Forest> = OnceLock::new();
    FOREST.get_or_init(|| load(include_bytes!("model.bin")).unwrap_or_default())
}

fn load(file: &[u8]) -> Option<Forest> {
    let mut at = Cursor::new(file);
    let float = |at: &mut Cursor<'_>| at.array::<4>().map(f32::from_le_bytes);
    let mut out = Forest { step: f64::from(float(&mut at)?), ..Forest::default() };
    for _ in 0..at.u16_le()? {
        let count = at.u8()?;
        out.thresholds.push((0..count).map(|_| float(&mut at)).collect::<Option<_>>()?);
    }
    for _ in 0..at.u16_le()? {
        let start = [out.nodes.len(), out.leaves.len()];
        out.starts.push(start.map(|n| n as u32));
        branch(&mut at, &mut out, start, 0)?;
    }
    at.is_empty().then_some(out)
}

/// What stands for a leaf in the place of a feature.
const LEAF: u8 = 255;

/// Reads what hangs at one place of a tree, the node itself first, then what is left of it, then what is right: the
/// child's number as `Node` has it.
fn branch(at: &mut Cursor<'_>, out: &mut Forest, start: [usize; 2], depth: usize) -> Option<i8> {
    let feature = at.u8()?;
    if feature == LEAF {
        out.leaves.push(at.array::<2>().map(i16::from_le_bytes)?);
        return i8::try_from(start[1] as i64 - out.leaves.len() as i64).ok();
    }
    let place = out.nodes.len();
    out.nodes.push(Node { feature, rank: at.u8()?, children: [0; 2] });
    let children = [0; 2].map(|_: u8| (depth < 128).then(|| branch(at, out, start, depth + 1)).flatten());
    out.nodes.get_mut(place)?.children = [children[0]?, children[1]?];
    i8::try_from(place - start[0]).ok()
}

fn learned(view: &View<'_>) -> Option<[f64; CLASSES]> {
    let forest = forest();
    if forest.starts.is_empty() || view.bytes.len() < 8 {
        return None;
    }
    let ranks = forest.ranks(&features::of(view));
    let mut sums = [0i32; CLASSES];
    for round in forest.starts.as_chunks::<CLASSES>().0 {
        for (sum, leaf) in sums.iter_mut().zip(forest.leaves(round, &ranks)) {
            *sum += i32::from(leaf);
        }
    }
    let top = sums.iter().copied().max().unwrap_or(0);
    let raised = sums.map(|s| (f64::from(s - top) * forest.step).exp());
    let total: f64 = raised.iter().sum();
    Some(raised.map(|r| r / total))
}

/// Holds the last class under the ceiling; the excess goes to "compressed", its look-alike. Ranks of the
/// fields stay as they are.
fn capped(mut p: [f64; CLASSES]) -> [f64; CLASSES] {
    let [.., random] = &mut p;
    let bound = if *random > 0.9 { 0.9 + (CEILING - 0.9) * (*random - 0.9) / 0.1 } else { *random };
    let excess = *random - bound;
    *random = bound;
    p[3] += excess;
    p
}

/// Probabilities in the order of `Class::ALL`.
pub fn probabilities(view: &View<'_>) -> [f64; CLASSES] {
    learned(view).map_or_else(|| rules(view), capped)
}

/// The posterior of "uniform-looking" from the evidence in bits, with the ceiling that the length
/// allows; the rest goes to what the parsers name.
fn rules(view: &View<'_>) -> [f64; CLASSES] {
    let n = view.bytes.len().max(1) as f64;
    let encoded = view.alphabet.is_some();
    let structure = if view.utf8 && !encoded {
        n * 0.5
    } else if encoded {
        n
    } else {
        view.format.map_or(0.0, |f| f.bits)
    };
    let bits = view.evidence.min(view.beyond_head + 3.0).max(structure).clamp(-30.0, 500.0);
    // The share of uniform-looking fields that are ciphertext grows with length (more codecs show).
    let ceiling = (0.50 + 0.04 * (n.log2() - 4.0)).clamp(0.3, 0.94);
    let odds = ceiling / (1.0 - ceiling) * (-bits / 2.0).exp2();
    let random = (odds / (1.0 + odds)).min(0.96);
    let mut out = [0.0; CLASSES];
    let named = named(view);
    for (slot, class) in out.iter_mut().zip(Class::ALL) {
        let share = if class == named { 0.8 } else { 0.04 };
        *slot = if class == Class::Random { random } else { share * (1.0 - random) };
    }
    let sum: f64 = out.iter().sum();
    out.map(|p| p / sum)
}

fn named(view: &View<'_>) -> Class {
    if view.alphabet.is_some() {
        return Class::Encoded;
    }
    if view.utf8 {
        return Class::Text;
    }
    if let Some(format) = view.format {
        return format.class;
    }
    let columns = view.tests.iter().find(|t| t.name == "columns").map_or(0.0, |t| t.bits);
    let best = view.tests.iter().map(|t| t.bits).fold(0.0, f64::max);
    if best < 8.0 {
        return Class::Compressed;
    }
    let zeros = view.counts.counts()[0] as f64 / view.bytes.len().max(1) as f64;
    if zeros > 0.08 {
        return Class::Structured;
    }
    if columns >= best * 0.6 && view.evidence > view.bytes.len() as f64 * 0.3 {
        return Class::WeaklyObfuscated;
    }
    Class::Media
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_forest_is_whole() {
        let forest = forest();
        assert_eq!(forest.thresholds.len(), features::COUNT);
        assert!(!forest.starts.is_empty() && forest.starts.len().is_multiple_of(CLASSES));
        let sizes = [
            include_bytes!("model.bin").len(),
            include_bytes!("profiles.bin").len(),
            include_bytes!("blends.bin").len(),
        ];
        assert!(sizes.iter().sum::<usize>() < 1_000_000);
        assert!(load(&include_bytes!("model.bin")[..1000]).is_none());
    }

    #[test]
    fn a_small_forest_answers_as_written() {
        // One tree for the first class: above 2.5 a leaf of 300 steps of a thousandth, else -300.
        let mut file = 0.001f32.to_le_bytes().to_vec();
        file.extend([1, 0, 1]);
        file.extend(2.5f32.to_le_bytes());
        file.extend([1, 0, 0, 0]);
        for leaf in [-300i16, 300] {
            file.push(LEAF);
            file.extend(leaf.to_le_bytes());
        }
        let forest = load(&file).expect("a forest");
        for (value, leaf) in [(2.0, -300), (2.5, -300), (2.75, 300)] {
            let mut features = [0.0; features::COUNT];
            features[0] = value;
            assert_eq!(forest.leaves(&[forest.starts[0]], &forest.ranks(&features)), [leaf]);
        }
    }

    #[test]
    fn random_stays_under_the_ceiling() {
        let p = capped([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert!(p[6] <= CEILING + 1e-12 && (p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
