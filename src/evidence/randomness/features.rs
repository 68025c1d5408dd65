//! The figures that the model weighs, in one fixed order.

use super::evalue;
use super::formats::{self, Format};
use super::histogram::{Histogram, null_mean_sd};
use super::windows::{BitOrder, Windows};
use super::{blends, framing, keys, profiles, signatures, trials};

/// How many there are.
pub const COUNT: usize = 250;

/// Everything known of a sample before it is weighed.
pub struct View<'a> {
    pub bytes: &'a [u8],
    pub counts: Histogram,
    pub tests: Vec<evalue::Test>,
    /// Windows of bits, least significant first and most significant first, with their folds.
    pub windows: [(Windows, Vec<Vec<u32>>); 2],
    /// The period whose columns say most.
    pub period: usize,
    /// Evidence of differences to the byte 1, 2 and 4 places before.
    pub lags: [f64; 3],
    /// Combined evidence, statistics and fixed heads.
    pub evidence: f64,
    pub strongest: &'static str,
    pub format: Option<Format>,
    pub alphabet: Option<(&'static str, f64)>,
    pub utf8: bool,
    /// Evidence of what follows a known envelope's head; the whole's where there is none.
    pub beyond_head: f64,
    pub head: usize,
}

impl<'a> View<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut counts = Histogram::default();
        counts.add(bytes);
        let windows = [BitOrder::Lsb, BitOrder::Msb].map(|order| {
            let found = Windows::count(bytes, order);
            let folds = found.folds();
            (found, folds)
        });
        let (columns, period) = evalue::columns(bytes);
        let lags = [1, 2, 4].map(|lag| evalue::differences(bytes, lag));
        let tests = evalue::battery(columns, &lags, &counts, [&windows[0].1, &windows[1].1]);
        let format = formats::head(bytes);
        let alphabet = formats::alphabet(bytes, &counts);
        let statistics: Vec<f64> = tests.iter().map(|t| t.bits).collect();
        // A fixed head is a test too, decided before the bytes are seen; five bits pay for the list.
        let mut all = statistics.clone();
        all.push(format.filter(|f| f.bits > 18.0).map_or(-20.0, |f| f.bits - 3.0));
        let evidence = evalue::mean(&all);
        let loudest = tests.iter().max_by(|a, b| a.bits.total_cmp(&b.bits)).map_or("none", |t| t.name);
        let strongest = match (format, alphabet) {
            (Some(f), _) => f.name,
            (None, Some((name, _))) => name,
            _ => loudest,
        };
        let head = formats::envelope_head(bytes).unwrap_or(0);
        let beyond_head = match bytes.get(head..) {
            Some(rest) if head > 0 => {
                let mut rest_counts = Histogram::default();
                rest_counts.add(rest);
                evalue::mean(&[
                    evalue::bytes(&rest_counts),
                    evalue::bit_windows(&Windows::count(rest, BitOrder::Msb).folds()),
                    0.0,
                ])
            }
            _ => evidence,
        };
        Self {
            bytes,
            utf8: readable(bytes),
            counts,
            tests,
            windows,
            period,
            lags,
            evidence,
            strongest,
            format,
            alphabet,
            beyond_head,
            head,
        }
    }
}

/// UTF-8 without control characters, cut ends allowed.
fn readable(bytes: &[u8]) -> bool {
    let start = bytes.iter().take(3).position(|b| b & 0xc0 != 0x80).unwrap_or(0);
    let body = bytes.get(start..).unwrap_or(bytes);
    let text = match std::str::from_utf8(body) {
        Ok(t) => t,
        Err(e) if e.error_len().is_none() => {
            std::str::from_utf8(body.get(..e.valid_up_to()).unwrap_or(&[])).unwrap_or("")
        }
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|c| !c.is_control() || "\n\r\t".contains(c))
}

/// The features of `bytes`, for fitting the model and for using it.
pub fn features(bytes: &[u8]) -> [f32; COUNT] {
    of(&View::new(bytes))
}

/// The same from a view that is there already.
pub fn of(view: &View<'_>) -> [f32; COUNT] {
    let mut out = Vec::with_capacity(COUNT);
    statistics(view, &mut out);
    let n = view.bytes.len().max(1) as f64;
    shares(view.counts.counts(), n, &mut out);
    places(view, n, &mut out);
    decoders(view.bytes, &mut out);
    out.extend(view.tests.iter().take(5).map(|t| t.bits / n));
    let best = view.tests.iter().map(|t| t.bits).fold(0.0, f64::max);
    out.push((view.tests.first().map_or(0.0, |t| t.bits) + 1.0) / (best + 1.0));
    out.extend(top_bits(view.bytes));
    habits(view, &mut out);
    out.extend(marks(view.bytes));
    out.extend(framing::figures(view.bytes));
    let [(_, lsb), (_, msb)] = &view.windows;
    out.extend(blends::figures([lsb, msb]).map(f64::from));
    out.extend(signatures::figures(view.bytes));
    // Blocks that come back where the bytes look random otherwise: a block cipher without chaining.
    let (mean, sd) = null_mean_sd(view.bytes.len());
    let behind = ((mean - view.counts.shannon()) / sd.max(1e-9)).max(0.0);
    out.push(repeats(view.bytes, 8) / (1.0 + behind));
    debug_assert_eq!(out.len(), COUNT);
    let mut fixed = [0f32; COUNT];
    for (slot, value) in fixed.iter_mut().zip(&out) {
        *slot = *value as f32;
    }
    fixed
}

/// Length, entropy and chi-square in standard deviations, evidence in bits, what the parsers say.
fn statistics(view: &View<'_>, out: &mut Vec<f64>) {
    let (mean, sd) = null_mean_sd(view.bytes.len());
    out.push((view.bytes.len().max(1) as f64).log2());
    out.push((view.counts.shannon() - mean) / sd.max(1e-9));
    out.push((view.counts.chi_square() - 255.0) / 510f64.sqrt());
    out.push(view.evidence);
    out.push(view.beyond_head);
    out.extend(view.tests.iter().take(5).map(|t| t.bits));
    out.extend(view.lags);
    out.push(view.period as f64);
    out.push(view.format.map_or(-1.0, |f| f64::from(f.class as u8)));
    out.push(view.format.map_or(0.0, |f| f.bits));
    out.push(view.alphabet.map_or(0.0, |a| a.1));
    out.push(f64::from(view.utf8));
    out.push(view.head as f64);
}

/// Shares of kinds of bytes, and how far the bits of a byte are from fair, in standard deviations.
fn shares(counts: &[u64; 256], n: f64, out: &mut Vec<f64>) {
    let kinds =
        [0..=0, 255..=255, 32..=126, 128..=255, 48..=57, 65..=90, 97..=122, 32..=32, 1..=31, 192..=255u8];
    out.extend(kinds.map(|kind| kind.map(|b| counts[usize::from(b)]).sum::<u64>() as f64 / n));
    out.extend((0..8).map(|bit| bias(counts, n, bit)));
    out.push(counts.iter().max().map_or(0.0, |m| *m as f64) / n.sqrt());
    out.push(counts.iter().filter(|c| **c > 0).count() as f64 / n.min(256.0));
}

/// Repeats, neighbours, lags, shifted text, and the first and last bytes as they are.
fn places(view: &View<'_>, n: f64, out: &mut Vec<f64>) {
    let bytes = view.bytes;
    out.push(repeats(bytes, 16));
    out.push(repeats(bytes, 8));
    out.push(bytes.windows(2).filter(|w| w[0] == w[1]).count() as f64 / n * 16.0);
    out.push(bytes.windows(2).filter(|w| *w == [255, 0]).count() as f64);
    out.extend(lags(bytes));
    out.extend(shifted_text(view.counts.counts(), n));
    out.extend((0..6).map(|i| bytes.get(i).map_or(-1.0, |b| f64::from(*b))));
    let last = |i| bytes.len().checked_sub(i).and_then(|at| bytes.get(at)).map_or(-1.0, |b| f64::from(*b));
    out.extend((1..=3).map(last));
}

/// How far the trial decoders come.
fn decoders(bytes: &[u8], out: &mut Vec<f64>) {
    let [deflate, brotli, lz4, snappy, protobuf] = trials::all(bytes);
    out.extend([deflate.used, deflate.made, deflate.printable, deflate.clean]);
    // The reader of brotli takes all it can get, and protobuf makes nothing to print.
    out.extend([brotli.made, brotli.printable, brotli.clean]);
    for trial in [lz4, snappy] {
        out.extend([trial.used, trial.made, trial.printable, trial.clean]);
    }
    out.extend([protobuf.used, protobuf.made, protobuf.clean]);
}

/// How unequally bits fall after their contexts; what the habits of formats say: the best family's bits and how
/// far each stays behind; what one-byte keys bring out.
fn habits(view: &View<'_>, out: &mut Vec<f64>) {
    let [(lsb, lsb_folds), (msb, msb_folds)] = &view.windows;
    out.extend([lsb_folds, msb_folds].into_iter().flat_map(|folds| Windows::imbalance(folds)));
    let pairs = profiles::pairs(view.bytes);
    let all = [
        profiles::windows(lsb, BitOrder::Lsb),
        profiles::windows(msb, BitOrder::Msb),
        pairs,
        profiles::heads(view.bytes),
    ];
    for scores in all {
        let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        out.push(f64::from(best));
        out.extend(scores.map(|s| f64::from(s - best)));
    }
    out.extend(keys::figures(view.bytes, view.counts.counts(), &pairs));
}

/// Marks of formats within a fragment: runs of printable and of zero bytes (the longest), start codes and
/// escapes of video, frame heads of MPEG audio, page heads of Ogg, and the share of high bytes that are well
/// placed for UTF-8.
fn marks(bytes: &[u8]) -> [f64; 7] {
    let longest = |kind: fn(u8) -> bool| {
        bytes.chunk_by(|a, b| kind(*a) == kind(*b)).filter(|c| kind(c[0])).map(<[u8]>::len).max()
    };
    let triples = |wanted: fn(&[u8]) -> bool| bytes.windows(3).filter(|w| wanted(w)).count() as f64;
    let placed = bytes.windows(2).filter(|w| w[1] >= 0x80 && (w[1] >= 0xc0) == (w[0] < 0x80)).count();
    let high = bytes.iter().skip(1).filter(|b| **b >= 0x80).count();
    [
        longest(|b| (32..127).contains(&b)).unwrap_or(0) as f64,
        longest(|b| b == 0).unwrap_or(0) as f64,
        triples(|w| w == [0, 0, 1]),
        triples(|w| w == [0, 0, 3]),
        triples(|w| w[0] == 255 && w[1] & 0xe0 == 0xe0 && w[1] != 255),
        triples(|w| w == b"Ogg"),
        placed as f64 / high.max(1) as f64,
    ]
}

/// How far one bit of the byte is from fair, in standard deviations.
fn bias(counts: &[u64; 256], n: f64, bit: usize) -> f64 {
    let ones: u64 = counts.iter().enumerate().filter(|(b, _)| b >> bit & 1 == 1).map(|(_, c)| c).sum();
    (2.0 * ones as f64 - n) / n.sqrt()
}

/// Aligned blocks that occurred before, per block.
fn repeats(bytes: &[u8], size: usize) -> f64 {
    let bytes = bytes.get(..32768).unwrap_or(bytes);
    let mut blocks: Vec<&[u8]> = bytes.chunks_exact(size).collect();
    let all = blocks.len();
    blocks.sort_unstable();
    blocks.dedup();
    (all - blocks.len()) as f64
}

/// Bits that agree with the byte `lag` places before, in standard deviations: the strongest of the lags
/// 1..=4, of 5..=16 and of 17..=32, and the lag of the strongest.
fn lags(bytes: &[u8]) -> [f64; 4] {
    let bytes = bytes.get(..2048).unwrap_or(bytes);
    let mut out = [0.0f64; 4];
    let mut top = 0.0;
    for lag in 1..=32usize {
        let Some(later) = bytes.get(lag..) else { break };
        let total = later.len() as f64 * 8.0;
        if total < 64.0 {
            break;
        }
        let differ: u32 = later.iter().zip(bytes).map(|(a, b)| (a ^ b).count_ones()).sum();
        let z = (total - 2.0 * f64::from(differ)) / total.sqrt();
        let slot = if lag <= 4 {
            0
        } else if lag <= 16 {
            1
        } else {
            2
        };
        out[slot] = out[slot].max(z);
        if z > top {
            (top, out[3]) = (z, lag as f64);
        }
    }
    out
}

/// The top bit of text is clear, so under a key it is the key's. Agreement, in standard deviations, with
/// the byte one period before (the best of 1..=32, and that period), and with the top bit of a key that
/// grows by a constant (the best constant, and its size).
fn top_bits(bytes: &[u8]) -> [f64; 4] {
    let sample = bytes.get(..256).unwrap_or(bytes);
    let mut out = [0.0f64; 4];
    for lag in 1..=32usize {
        let Some(later) = sample.get(lag..).filter(|l| l.len() >= 8) else { break };
        let same = later.iter().zip(sample).filter(|(a, b)| (**a ^ **b) & 0x80 == 0).count() as f64;
        let n = later.len() as f64;
        let z = (2.0 * same - n) / n.sqrt();
        if z > out[0] + 0.5 {
            (out[0], out[1]) = (z, lag as f64);
        }
    }
    let first = bytes.get(..64).unwrap_or(bytes);
    let seen = first.iter().enumerate().fold(0u64, |m, (i, b)| m | u64::from(b >> 7) << i);
    let within = if first.len() == 64 { u64::MAX } else { (1u64 << first.len()) - 1 };
    let n = first.len().max(1) as f64;
    for (at, mask) in rolling().iter().enumerate() {
        let same = n - f64::from(((seen ^ mask) & within).count_ones());
        let z = (2.0 * same - n) / n.sqrt();
        if z > out[2] {
            (out[2], out[3]) = (z, (at / PHASES) as f64);
        }
    }
    out
}

/// Starting values that are tried of a growing key.
const PHASES: usize = 16;

/// Top bits of start + i * step for 64 places: every step, some starts.
fn rolling() -> &'static [u64] {
    static MASKS: std::sync::OnceLock<Vec<u64>> = std::sync::OnceLock::new();
    MASKS.get_or_init(|| {
        let bit = |start: usize, step: usize, i: usize| ((start + i * step) as u64 >> 7 & 1) << i;
        let mask = |at: usize| (0..64).fold(0, |m, i| m | bit(at % PHASES * 16 + 8, at / PHASES, i));
        (0..256 * PHASES).map(mask).collect()
    })
}

/// Share of the commonest text bytes under the best single-byte XOR and the best addition, and with no
/// change: space, the frequent letters, and the share of printable bytes there.
fn shifted_text(counts: &[u64; 256], n: f64) -> [f64; 3] {
    const COMMON: &[u8] = b" etaoinsrhldcu";
    let score =
        |map: &dyn Fn(u8) -> u8| COMMON.iter().map(|&b| counts[usize::from(map(b))]).sum::<u64>() as f64 / n;
    let xor = (1..=255u8).map(|k| score(&|b| b ^ k)).fold(0.0, f64::max);
    let add = (1..=255u8).map(|k| score(&|b| b.wrapping_add(k))).fold(0.0, f64::max);
    [score(&|b| b), xor, add]
}
