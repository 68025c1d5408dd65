//! How far a field's bytes are from uniform ones, corrected for its length. Random bytes of a short
//! field cannot reach eight bits per byte, so a bare threshold on the entropy would be wrong both ways.

use super::randomness::null_mean_sd;

/// Measured entropy beside what uniform bytes of the same length show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// Plug-in Shannon entropy, bits per byte.
    pub bits: f64,
    /// Its mean for uniform bytes of this length.
    pub expected: f64,
    /// How many standard deviations the measured one lies below (negative) or above that mean.
    pub z: f64,
}

impl Measure {
    /// Measures a field.
    pub fn of(bytes: &[u8]) -> Self {
        let bits = f64::from(entropy::shannon_entropy(bytes));
        let (expected, sd) = null_mean_sd(bytes.len());
        Self { bits, expected, z: (bits - expected) / sd.max(1e-6) }
    }

    /// True where the histogram does not tell the bytes from uniform ones. That proves nothing about
    /// encryption: compressed and encoded data pass too.
    pub fn passes_for_uniform(&self) -> bool {
        self.z > -4.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_4f6c_dd1du64;
        (0..n)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 32) as u8
            })
            .collect()
    }

    #[test]
    fn noise_of_every_length_passes_and_text_does_not() {
        for n in [16, 48, 100, 256, 700, 4096, 40_000] {
            assert!(Measure::of(&noise(n)).passes_for_uniform(), "{n}");
        }
        let text = "the quick brown fox jumps over the lazy dog and runs away from the angry bear".repeat(3);
        assert!(!Measure::of(text.as_bytes()).passes_for_uniform());
    }
}
