//! Codecs: names of the static payload types (RFC 3551 section 6), and whether payloads look like what a
//! codec makes or like ciphertext.

/// Name and clock rate of a static payload type.
pub(super) fn assigned(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "PCMU/8000",
        3 => "GSM/8000",
        4 => "G723/8000",
        5 => "DVI4/8000",
        6 => "DVI4/16000",
        7 => "LPC/8000",
        8 => "PCMA/8000",
        9 => "G722/8000",
        10 => "L16/44100/2",
        11 => "L16/44100",
        12 => "QCELP/8000",
        13 => "CN/8000",
        14 => "MPA/90000",
        15 => "G728/8000",
        16 => "DVI4/11025",
        17 => "DVI4/22050",
        18 => "G729/8000",
        25 => "CelB/90000",
        26 => "JPEG/90000",
        28 => "nv/90000",
        31 => "H261/90000",
        32 => "MPV/90000",
        33 => "MP2T/90000",
        34 => "H263/90000",
        _ => return None,
    })
}

/// Whether a codec leaves sound uncompressed, so that its payloads cannot be taken for noise.
pub(super) fn shows_itself(name: &str) -> bool {
    ["PCMU", "PCMA", "L16", "L8", "L24"].iter().any(|c| name.split('/').next() == Some(c))
}

/// Bytes at the end of a payload that are left out: a tag and a key identifier of SRTP would stand there.
const TAIL: usize = 24;
/// Packets that are measured.
const MEASURED: u32 = 256;

/// What the payloads of one stream look like, pooled.
pub(super) struct Payloads {
    packets: u32,
    /// First bytes: most codecs begin every packet with a header of few values.
    first: [u32; 256],
    /// All bytes but the last ones: sound and pictures without compression prefer some values.
    all: Box<[u32; 256]>,
    bytes: u32,
}

impl Default for Payloads {
    fn default() -> Self {
        Self { packets: 0, first: [0; 256], all: Box::new([0; 256]), bytes: 0 }
    }
}

impl Payloads {
    /// Takes another payload into account.
    pub fn add(&mut self, payload: &[u8]) {
        let Some(first) = payload.first().filter(|_| self.packets < MEASURED) else { return };
        self.packets += 1;
        self.first[usize::from(*first)] += 1;
        for b in payload.get(..payload.len().saturating_sub(TAIL)).unwrap_or_default() {
            self.all[usize::from(*b)] += 1;
            self.bytes += 1;
        }
    }

    /// Whether the payloads cannot be the output of a cipher. Under AES in counter mode every value of every
    /// byte is equally likely: both tests below then fail once in more than a million streams.
    pub fn are_no_ciphertext(&self) -> bool {
        self.repeats_its_header() || self.prefers_values()
    }

    /// One first byte in at least half of twelve packets or more; by chance this has a probability below
    /// 256 * C(12, 6) * 256^-6.
    fn repeats_its_header(&self) -> bool {
        self.packets >= 12 && self.first.iter().any(|n| n * 2 >= self.packets)
    }

    /// Chi-square of all bytes against equal shares: mean 255, standard deviation 22.6; ten of those above.
    fn prefers_values(&self) -> bool {
        if self.bytes < 1024 {
            return false;
        }
        let expected = f64::from(self.bytes) / 256.0;
        let chi: f64 = self.all.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
        chi > 255.0 + 10.0 * 22.6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64, len: usize) -> Vec<u8> {
        let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn sound_is_told_from_ciphertext_with_a_tag_and_a_key_identifier() {
        for (len, from) in [(160, 0u64), (40, 1000), (1100, 2000)] {
            let mut sealed = Payloads::default();
            for n in 0..300 {
                let tail = [&noise(from + n, len)[..], &[1, 2, 3, 4], &noise(n + 9, 10)].concat();
                sealed.add(&tail);
            }
            assert!(!sealed.are_no_ciphertext(), "{len}");
        }
        let (mut tone, mut frames) = (Payloads::default(), Payloads::default());
        for n in 0..50u64 {
            let wave = (0..160).map(|i| (128.0 + 60.0 * f64::from(i).sin()) as u8).collect::<Vec<_>>();
            tone.add(&wave);
            frames.add(&[&[0x78][..], &noise(n, 60)].concat());
        }
        assert!(tone.are_no_ciphertext() && frames.are_no_ciphertext());
    }
}
