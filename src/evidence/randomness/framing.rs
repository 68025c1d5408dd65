//! What holds a stream together although its content looks random: lengths that lead from record to record,
//! bytes that a format never writes after 0xFF, marks that come back at a fixed distance.

use crate::bytes::Cursor;

/// Bytes that are read.
const INPUT: usize = 8192;

/// Bits against uniform, or figures beside them, in one order: records chained by lengths (16-bit big-endian; the
/// best other width), the two laws after 0xFF, the mark of blocks of 256 and of 188 bytes.
pub fn figures(bytes: &[u8]) -> [f64; 6] {
    let bytes = bytes.get(..INPUT).unwrap_or(bytes);
    let others = [(1, true), (2, false), (3, true), (4, true), (4, false)];
    let [low, stuffed] = after_ff(bytes);
    [
        chain(bytes, 2, true),
        others.iter().map(|&(width, big)| chain(bytes, width, big)).fold(0.0, f64::max),
        low,
        stuffed,
        mark(bytes, 256),
        mark(bytes, 188),
    ]
}

/// Bits that a chain of records from the first byte on is worth: each has its length before it, and those that end
/// within the bytes would do so by chance with probability (bytes left) / (lengths there are).
fn chain(bytes: &[u8], width: usize, big: bool) -> f64 {
    let mut at = Cursor::new(bytes);
    let lengths = 8.0 * width as f64;
    let mut bits = 0.0;
    while let Some(head) = at.take(width) {
        let push = |value: usize, b: &u8| value << 8 | usize::from(*b);
        let size = if big { head.iter().fold(0, push) } else { head.iter().rev().fold(0, push) };
        let left = at.left();
        if size == 0 || size > left {
            break;
        }
        at.take(size);
        bits += (lengths - (left as f64).log2()).max(0.0);
    }
    bits
}

/// The bytes after 0xFF. First, JPEG 2000's coder (ISO 15444-1 annex C) never lets one above 0x8F follow: bits when
/// that holds, else minus how often it does not. Second, in the scans of JPEG (ISO 10918-1 section B.1.1.5) zero and
/// the restart marks alone follow: the same.
fn after_ff(bytes: &[u8]) -> [f64; 2] {
    let (mut all, mut high, mut other) = (0.0, 0.0, 0.0);
    for pair in bytes.windows(2) {
        if pair[0] == 0xff {
            all += 1.0;
            high += f64::from(u8::from(pair[1] > 0x8f));
            other += f64::from(u8::from(!matches!(pair[1], 0 | 0xd0..=0xd7)));
        }
    }
    let law = |broken: f64, worth: f64| if broken > 0.0 { -broken } else { all * worth };
    [law(high, (256f64 / 144.0).log2()), law(other, (256f64 / 9.0).log2())]
}

/// The same byte at every `period`th place (0xFF before the sub-blocks of GIF, 0x47 before the packets of an MPEG
/// transport stream): bits of the longest run of one, less those for the choice of the place.
fn mark(bytes: &[u8], period: usize) -> f64 {
    let Some(later) = bytes.get(period..) else { return 0.0 };
    let mut runs = vec![0u16; period];
    let mut best = 0;
    for (now, before) in later.chunks(period).zip(bytes.chunks(period)) {
        for ((run, now), before) in runs.iter_mut().zip(now).zip(before) {
            *run = if now == before { *run + 1 } else { 0 };
            best = best.max(*run);
        }
    }
    f64::from(best) * 8.0 - (later.len().max(1) as f64).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize, seed: u64) -> Vec<u8> {
        let mut state = seed;
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .collect()
    }

    #[test]
    fn records_behind_their_lengths_are_seen_and_noise_is_not() {
        let packets: Vec<u8> =
            (60..80u8).flat_map(|n| [vec![0, n], noise(usize::from(n), n.into())].concat()).collect();
        // 20 packets of 16-bit lengths, each of a chance below 2^-5; the widths beside it see nothing.
        let [long, other, ..] = figures(&packets);
        assert!(long > 100.0 && other < 20.0, "{long} {other}");
        assert!((0..200).all(|seed| figures(&noise(512, seed))[0] < 24.0));
    }

    #[test]
    fn a_length_of_zero_ends_a_chain() {
        assert_eq!(chain(&[0; 64], 2, true), 0.0);
        assert_eq!(chain(&[], 2, true), 0.0);
    }

    #[test]
    fn what_follows_ff_tells_the_coders_of_jpeg_apart() {
        let mut stuffed = noise(4096, 1);
        let mut limited = stuffed.clone();
        for at in 1..stuffed.len() {
            if stuffed[at - 1] == 0xff {
                stuffed[at] = 0;
            }
            if limited[at - 1] == 0xff {
                limited[at] %= 0x90;
            }
        }
        let [low, zero] = after_ff(&stuffed);
        assert!(low > 5.0 && zero > 40.0);
        let [low, zero] = after_ff(&limited);
        assert!(low > 5.0 && zero < 0.0);
        let [low, zero] = after_ff(&noise(4096, 2));
        assert!(low < 0.0 && zero < 0.0);
    }

    #[test]
    fn a_mark_at_a_fixed_distance_is_seen() {
        let mut packets = noise(188 * 9, 5);
        for packet in packets.chunks_mut(188) {
            packet[0] = 0x47;
        }
        assert!(mark(&packets, 188) > 40.0 && mark(&packets, 256) < 20.0);
        // Shorter than a period, or just as long, says nothing.
        assert_eq!(mark(&packets[..188], 188), 0.0);
        assert_eq!(mark(&packets[..100], 188), 0.0);
    }
}
