//! From the battery to probabilities: rules over parsers and evidence.

use super::features::View;
use super::{CLASSES, Class};

/// Probabilities in the order of `Class::ALL`.
pub fn probabilities(view: &View<'_>) -> [f64; CLASSES] {
    rules(view)
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
    let bits = view
        .evidence
        .min(view.beyond_head + 3.0)
        .max(structure)
        .clamp(-30.0, 500.0);
    // The share of uniform-looking fields that are ciphertext grows with length (more codecs show).
    let ceiling = (0.50 + 0.04 * (n.log2() - 4.0)).clamp(0.3, 0.94);
    let odds = ceiling / (1.0 - ceiling) * (-bits / 2.0).exp2();
    let random = (odds / (1.0 + odds)).min(0.96);
    let mut out = [0.0; CLASSES];
    let named = named(view);
    for (slot, class) in out.iter_mut().zip(Class::ALL) {
        let share = if class == named { 0.8 } else { 0.04 };
        *slot = if class == Class::Random {
            random
        } else {
            share * (1.0 - random)
        };
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
    let columns = view
        .tests
        .iter()
        .find(|t| t.name == "columns")
        .map_or(0.0, |t| t.bits);
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
