//! The best one-byte keys: XOR, addition and turned alphabets, judged by the laws of `profiles`.
//!
//! These are figures for the model; `xor` answers with a solution only where the text convinces.

use super::profiles::{self, KEYED, keyed};
use super::xor;
use std::sync::OnceLock;

/// Bytes on which the best keys are tried.
const TRIED: usize = 256;
/// How many figures there are.
pub const COUNT: usize = 21;

type Spectrum = [f32; 256];

/// The Walsh-Hadamard transform, in place: it turns XOR convolutions into products.
fn transform(data: &mut Spectrum) {
    let mut half = 1;
    while half < data.len() {
        for block in data.chunks_exact_mut(half * 2) {
            let (low, high) = block.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

struct Laws {
    plain: [[f32; 256]; KEYED.len()],
    spectra: [Spectrum; KEYED.len()],
}

fn laws() -> &'static Laws {
    static LAWS: OnceLock<Laws> = OnceLock::new();
    LAWS.get_or_init(|| {
        let plain = KEYED.map(profiles::single);
        let mut spectra = plain;
        spectra.iter_mut().for_each(transform);
        Laws { plain, spectra }
    })
}

/// The figures of one sample: for XOR, addition and turned letters the best law's bits under its best key, the
/// bits that order one gives the sample under that key, and how much more than without; the order-one bits of
/// reversed bits; the energy of bits and of pairs, triples and fours of bits within the byte, in standard deviations;
/// what changes over the length of a repeating key say.
pub fn figures(bytes: &[u8], counts: &[u64; 256], plain: &profiles::Scores) -> [f64; COUNT] {
    let head = bytes.get(..TRIED).unwrap_or(bytes);
    let base = if head.len() == bytes.len() { keyed(plain) } else { keyed(&profiles::pairs(head)) };
    let mut spectrum = counts.map(|c| c as f32);
    transform(&mut spectrum);
    let n = bytes.len().max(1) as f64;
    let (xor_bits, xor_key) = best_xor(&spectrum);
    let (add_bits, add_key) = best_addition(counts);
    let turn = best_turn(counts);
    let tried =
        |map: &dyn Fn(u8) -> u8| keyed(&profiles::pairs(&head.iter().map(|b| map(*b)).collect::<Vec<u8>>()));
    let xor = tried(&|b| b ^ xor_key);
    let add = tried(&|b| b.wrapping_sub(add_key));
    let turned = tried(&|b| xor::turned(b, turn));
    let reversed = tried(&u8::reverse_bits);
    let energy = |order: u32| {
        let chosen = spectrum.iter().zip(0u32..).filter(|(_, i)| i.count_ones() == order);
        let (sum, terms) =
            chosen.fold((0.0, 0.0), |(s, t), (v, _)| (s + f64::from(*v).powi(2) / n - 1.0, t + 2.0));
        sum / f64::max(terms, 1.0).sqrt()
    };
    let repeated = repeated(head);
    let now =
        best_of(&laws().plain.each_ref().map(|law| counts.iter().zip(law).map(|(c, v)| *c as f32 * v).sum()));
    [
        xor_bits,
        xor_bits - now,
        xor,
        xor - base,
        add_bits,
        add_bits - now,
        add,
        add - base,
        turned,
        turned - base,
        reversed,
        reversed - base,
        energy(1),
        energy(2),
        energy(3),
        energy(4),
        repeated[0].0,
        repeated[1].0,
        repeated[1].1,
        repeated[2].0,
        repeated[2].1,
    ]
}

/// For a key of one byte, of 2..=8 and of 9..=32: the bits that changes over its length give, and the length.
/// A longer key leaves fewer changes, so each length is charged four bits.
fn repeated(head: &[u8]) -> [(f64, f64); 3] {
    let mut out = [(0.0, 0.0); 3];
    for lag in (1..=32usize).take_while(|lag| lag + 6 <= head.len()) {
        let bits = keyed(&profiles::changes(head, lag)) - 4.0;
        let slot = &mut out[usize::from(lag > 1) + usize::from(lag > 8)];
        if slot.1 == 0.0 || bits > slot.0 {
            *slot = (bits, lag as f64);
        }
    }
    out
}

fn best_of(values: &[f32]) -> f64 {
    f64::from(values.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

/// Bits of the best law under the best key but nought, and that key.
fn best_xor(spectrum: &Spectrum) -> (f64, u8) {
    let mut found = (f64::NEG_INFINITY, 1);
    for law in &laws().spectra {
        let mut product: Spectrum = std::array::from_fn(|i| spectrum[i] * law[i]);
        transform(&mut product);
        for (key, value) in (1..=255u8).zip(&product[1..]) {
            let bits = f64::from(*value) / 256.0;
            if bits > found.0 {
                found = (bits, key);
            }
        }
    }
    found
}

/// The same for a constant that was added, under the laws of ASCII and of structures.
fn best_addition(counts: &[u64; 256]) -> (f64, u8) {
    let mut found = (f64::NEG_INFINITY, 1);
    for law in [&laws().plain[1], &laws().plain[2]] {
        let mut twice = [0.0f32; 512];
        for (slot, value) in twice.iter_mut().zip(law.iter().cycle()) {
            *slot = *value;
        }
        let mut sums = [0.0f32; 256];
        for (byte, &count) in counts.iter().enumerate().filter(|(_, c)| **c > 0) {
            // sums[k'] collects the law at byte + k', k' = 256 - key.
            let row = twice.get(byte..byte + 256).unwrap_or(&[]);
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += count as f32 * value;
            }
        }
        for (back, value) in (1..=255u8).zip(&sums[1..]) {
            if f64::from(*value) > found.0 {
                found = (f64::from(*value), back.wrapping_neg());
            }
        }
    }
    found
}

/// The turn of the alphabet (1..=25) under which the letters look most like ASCII text.
fn best_turn(counts: &[u64; 256]) -> u8 {
    let law = &laws().plain[1];
    let score = |turn: u8| -> f32 {
        (b'A'..=b'z').map(|b| counts[usize::from(b)] as f32 * law[usize::from(xor::turned(b, turn))]).sum()
    };
    (1..26u8).map(|t| (score(t), t)).max_by(|a, b| a.0.total_cmp(&b.0)).map_or(13, |(_, t)| t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::randomness::Histogram;

    const TEXT: &[u8] = b"are you coming tonight? bring the keys, the train was late again";

    fn counted(bytes: &[u8]) -> [u64; 256] {
        let mut counts = Histogram::default();
        counts.add(bytes);
        *counts.counts()
    }

    #[test]
    fn the_transform_turns_back() {
        let first: Spectrum = std::array::from_fn(|i| (i * 7 % 31) as f32);
        let mut twice = first;
        transform(&mut twice);
        transform(&mut twice);
        assert_eq!(twice.map(|v| v / 256.0), first);
    }

    #[test]
    fn the_best_keys_are_those_that_were_used() {
        for key in [1u8, 0x55, 0xc3, 0xff] {
            let xored: Vec<u8> = TEXT.iter().map(|b| b ^ key).collect();
            let mut spectrum = counted(&xored).map(|c| c as f32);
            transform(&mut spectrum);
            assert_eq!(best_xor(&spectrum).1, key);
            let added: Vec<u8> = TEXT.iter().map(|b| b.wrapping_add(key)).collect();
            assert_eq!(best_addition(&counted(&added)).1, key);
        }
    }

    #[test]
    fn a_turned_alphabet_is_turned_back() {
        let turned: Vec<u8> = TEXT.iter().map(|b| xor::turned(*b, 13)).collect();
        assert_eq!(best_turn(&counted(&turned)), 13);
        assert_eq!(turned.iter().map(|b| xor::turned(*b, 13)).collect::<Vec<u8>>(), TEXT);
    }

    #[test]
    fn a_repeating_key_shows_at_its_length() {
        let under: Vec<u8> =
            TEXT.iter().zip([0x91, 0x3c, 0xe7, 0x08, 0xb2].iter().cycle()).map(|(t, k)| t ^ k).collect();
        let [_, (bits, lag), _] = repeated(&under);
        assert!(bits > 20.0 && lag == 5.0, "{bits} {lag}");
    }
}
