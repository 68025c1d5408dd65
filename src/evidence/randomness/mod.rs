//! How random a field of bytes is, with everything corrected for its length.
//!
//! A fixed entropy threshold is wrong by construction: 64 bytes cannot have more than 6 bits per byte.
//! So the plug-in entropy stands beside what uniform bytes of that length give, evidence is counted in
//! bits against uniform (`evalue`), and a small calibrated model weighs the battery. "Random" means
//! *uniform-looking*: a key, a hash and an LZMA fragment look like ciphertext. No report may call
//! something encrypted on these figures alone.

mod blends;
mod evalue;
mod features;
mod formats;
mod framing;
mod histogram;
mod keys;
mod model;
mod pool;
mod profiles;
mod signatures;
mod trials;
mod windows;
mod xor;

pub use evalue::Test;
pub use features::{COUNT as FEATURES, features};
pub use histogram::{Histogram, null_mean_sd};
pub use pool::{Finding, Pooled, pool};
pub use windows::BitOrder;
pub use xor::{Cipher, XorSolution, solve_xor, solve_xor_messages};

/// What a field looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Natural language or source text.
    Text,
    /// Binary structure: records, protocol messages, programs.
    Structured,
    /// Base64, hex and the like, UTF-16, escapes.
    Encoded,
    /// Compressed, whole or a fragment.
    Compressed,
    /// Sound, picture, film, fonts.
    Media,
    /// XOR, shifts, substitution, repeated cipher blocks.
    WeaklyObfuscated,
    /// Uniform-looking: ciphertext, key, hash, nonce, range-coded fragment.
    Random,
}

/// How many classes there are.
pub const CLASSES: usize = 7;

impl Class {
    /// All classes in the order of `Report::probabilities`.
    pub const ALL: [Class; CLASSES] = [
        Class::Text,
        Class::Structured,
        Class::Encoded,
        Class::Compressed,
        Class::Media,
        Class::WeaklyObfuscated,
        Class::Random,
    ];

    /// The class in a word.
    pub fn word(self) -> &'static str {
        match self {
            Class::Text => "text",
            Class::Structured => "structured",
            Class::Encoded => "encoded",
            Class::Compressed => "compressed",
            Class::Media => "media",
            Class::WeaklyObfuscated => "weakly-obfuscated",
            Class::Random => "random",
        }
    }
}

/// The largest part of a field that is tested; a longer one is sampled (start, middle, end).
pub const SAMPLE: usize = 1 << 16;

/// What one field showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Bytes in the field.
    pub length: usize,
    /// Plug-in Shannon entropy of the bytes tested, bits per byte.
    pub bits_per_byte: f64,
    /// Its mean for as many uniform bytes.
    pub expected: f64,
    /// Its standard deviation there.
    pub sd: f64,
    /// Distance from the mean in standard deviations; strongly negative is structure.
    pub z: f64,
    /// Chance that uniform bytes score as low (normal approximation).
    pub p: f64,
    /// Bits against uniform; the chance of `b` or more under uniform is at most 2^-b.
    pub evidence_bits: f64,
    /// Chance to notice text-like redundancy (6 bits a byte, all bytes) as far as length goes: a bound
    /// from the data-processing inequality on 1 % false alarms.
    pub power: f64,
    /// The likeliest class.
    pub class: Class,
    /// Probabilities in the order of `Class::ALL`, under the prior of the training mix.
    pub probabilities: [f64; CLASSES],
    /// Under 32 bytes: no statement on randomness is worth much.
    pub too_short: bool,
    /// The test or parser that spoke loudest.
    pub strongest: &'static str,
}

impl Report {
    /// Whether the bytes show no more than uniform ones of this length would: 10 bits against uniform happen
    /// by chance once in a thousand fields, and so do four standard deviations.
    pub fn passes_for_uniform(&self) -> bool {
        self.evidence_bits < 10.0 && self.z > -4.0
    }

    /// The class in a word, with its probability. What passes for uniform is called random (or too short to
    /// say), what does not is called by the likeliest of the other classes.
    pub fn verdict(&self) -> (&'static str, f64) {
        let [.., random] = self.probabilities;
        match (self.passes_for_uniform(), self.too_short) {
            (true, true) => ("too-short", random),
            (true, false) => ("random", random),
            (false, _) => {
                let rest =
                    Class::ALL.into_iter().zip(self.probabilities).filter(|(c, _)| *c != Class::Random);
                let best = rest.max_by(|a, b| a.1.total_cmp(&b.1));
                best.map_or(("structured", 0.0), |(class, p)| (class.word(), p))
            }
        }
    }
}

/// Measures one field. Costs grow with the length up to `SAMPLE` bytes and no further.
pub fn measure(bytes: &[u8]) -> Report {
    let sample = sampled(bytes);
    let view = features::View::new(&sample);
    let (expected, sd) = null_mean_sd(sample.len());
    let bits_per_byte = view.counts.shannon();
    let z = if sd > 0.0 { (bits_per_byte - expected) / sd } else { 0.0 };
    let probabilities = model::probabilities(&view);
    let class = Class::ALL
        .into_iter()
        .zip(probabilities)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(Class::Random, |(c, _)| c);
    Report {
        length: bytes.len(),
        bits_per_byte,
        expected,
        sd,
        z,
        p: normal_tail(z),
        evidence_bits: view.evidence,
        power: power(sample.len()),
        class,
        probabilities,
        too_short: bytes.len() < 32,
        strongest: view.strongest,
    }
}

fn sampled(bytes: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if bytes.len() <= SAMPLE {
        return bytes.into();
    }
    let third = SAMPLE / 3;
    let middle = bytes.len() / 2;
    let parts = [bytes.get(..third), bytes.get(middle..middle + third), bytes.get(bytes.len() - third..)];
    parts.into_iter().flatten().flatten().copied().collect::<Vec<u8>>().into()
}

/// Chance of a standard normal variable to be `z` or less.
///
/// Abramowitz and Stegun 26.2.17.
pub fn normal_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let poly = t
        * (0.319_381_53
            + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let upper = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * poly;
    if z < 0.0 { upper } else { 1.0 - upper }
}

/// Chance to notice redundancy as text has it, in this many bytes.
///
/// A test with 1 % false alarms and 99 % hits needs 6.5 bits of divergence; text offers about 6 a byte,
/// yet its redundancy must be learned, which costs about a bit per distinct symbol of the alphabet.
pub fn power(n: usize) -> f64 {
    (n as f64 * 6.0 / (6.5 + 26.0)).clamp(0.0, 0.99)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn noise(seed: u64, n: usize) -> Vec<u8> {
        let mut s = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        (0..n)
            .map(|_| {
                s = s.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut x = (s ^ s >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
                (x ^ x >> 31) as u8
            })
            .collect()
    }

    #[test]
    fn uniform_bytes_never_show_much_evidence() {
        for seed in 0..5000u64 {
            let n = [8, 16, 33, 64, 100, 256, 512, 1024][seed as usize % 8];
            let report = measure(&noise(seed + 1, n));
            assert!(
                report.evidence_bits < 10.0,
                "{seed} {n}: {} by {}",
                report.evidence_bits,
                report.strongest
            );
        }
    }

    #[test]
    fn text_shows_evidence_at_once() {
        let report = measure(b"the quick brown fox jumps over the lazy dog and then some");
        assert!(report.evidence_bits > 20.0);
        assert_eq!(report.class, Class::Text);
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let report = measure(&bytes);
            let sum: f64 = report.probabilities.iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-6);
            prop_assert!(report.evidence_bits.is_finite() && report.z.is_finite());
        }
    }
}
