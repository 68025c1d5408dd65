//! How far a field's bytes are from uniform ones, corrected for its length. Random bytes of a short
//! field cannot reach eight bits per byte, so a bare threshold on the entropy would be wrong both ways.

/// Length, mean and standard deviation of the plug-in entropy of that many uniform bytes, in bits per
/// byte: the exact mean, and the deviation by simulation.
const NULL: [(f64, f64, f64); 12] = [
    (8.0, 2.977, 0.069),
    (16.0, 3.9421, 0.0829),
    (32.0, 4.8818, 0.0814),
    (64.0, 5.7657, 0.0766),
    (128.0, 6.5501, 0.0673),
    (256.0, 7.175, 0.0524),
    (512.0, 7.5904, 0.0336),
    (1024.0, 7.8088, 0.0172),
    (2048.0, 7.908, 0.0082),
    (4096.0, 7.9546, 0.0040),
    (16384.0, 7.9887, 0.0010),
    (65536.0, 7.9972, 0.00025),
];

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
        let (expected, sd) = null(bytes.len());
        Self { bits, expected, z: (bits - expected) / sd }
    }

    /// True where the histogram does not tell the bytes from uniform ones. That proves nothing about
    /// encryption: compressed and encoded data pass too.
    pub fn passes_for_uniform(&self) -> bool {
        self.z > -4.0
    }
}

/// Mean and deviation for a length, interpolated over its logarithm.
pub fn null(length: usize) -> (f64, f64) {
    let n = (length as f64).clamp(8.0, 65536.0);
    let at = NULL.partition_point(|row| row.0 < n).clamp(1, NULL.len() - 1);
    let ((n0, m0, s0), (n1, m1, s1)) = (NULL[at - 1], NULL[at]);
    let share = (n.ln() - n0.ln()) / (n1.ln() - n0.ln());
    (m0 + (m1 - m0) * share, s0 + (s1 - s0) * share)
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
