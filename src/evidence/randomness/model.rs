//! From the battery to probabilities: a small boosted-tree model, with rules over parsers and evidence
//! beside it. The model is fitted by `examples/randomness_train.py`, which documents the file's form.

use super::features::{self, View};
use super::{CLASSES, Class};
use crate::bytes::Cursor;
use std::sync::OnceLock;

/// No field is called random with more certainty than this: the data show no more (range-coded
/// fragments look the same).
const CEILING: f64 = 0.96;

struct Node {
    feature: usize,
    threshold: f32,
    children: [i8; 2],
}

struct Tree {
    nodes: Vec<Node>,
    leaves: Vec<f32>,
}

impl Tree {
    fn value(&self, features: &[f32]) -> f32 {
        let mut at = if self.nodes.is_empty() { -1 } else { 0 };
        // A path is no longer than the number of nodes, whatever the file says.
        for _ in 0..=self.nodes.len() {
            let Some(node) = usize::try_from(at).ok().and_then(|i| self.nodes.get(i)) else {
                break;
            };
            let value = features.get(node.feature).copied().unwrap_or(0.0);
            at = node.children[usize::from(value > node.threshold)];
        }
        self.leaves.get(usize::from(at.unsigned_abs()).wrapping_sub(1)).copied().unwrap_or(0.0)
    }
}

fn trees() -> &'static [Tree] {
    static TREES: OnceLock<Vec<Tree>> = OnceLock::new();
    TREES.get_or_init(|| load(include_bytes!("model.bin")).unwrap_or_default())
}

fn load(file: &[u8]) -> Option<Vec<Tree>> {
    let mut at = Cursor::new(file);
    let float = |at: &mut Cursor<'_>| at.array::<4>().map(f32::from_le_bytes);
    let count = at.u32_le()?;
    (0..count)
        .map(|_| {
            let inner = at.u8()?;
            let nodes = (0..inner)
                .map(|_| {
                    Some(Node {
                        feature: usize::from(at.u8()?),
                        threshold: float(&mut at)?,
                        children: [at.array::<1>()?, at.array::<1>()?].map(i8::from_le_bytes),
                    })
                })
                .collect::<Option<_>>()?;
            let leaves = (0..=inner).map(|_| float(&mut at)).collect::<Option<_>>()?;
            Some(Tree { nodes, leaves })
        })
        .collect()
}

fn learned(view: &View<'_>) -> Option<[f64; CLASSES]> {
    if trees().is_empty() || view.bytes.len() < 8 {
        return None;
    }
    let features = features::of(view);
    let mut sums = [0.0f64; CLASSES];
    for (i, tree) in trees().iter().enumerate() {
        sums[i % CLASSES] += f64::from(tree.value(&features));
    }
    let top = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised = sums.map(|s| (s - top).exp());
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
