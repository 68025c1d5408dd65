//! Scores the randomness battery on a labelled folder (blob.bin and index.csv):
//! `cargo run --release --example randomness -- FOLDER [--features OUT.csv | --predictions IN.csv]`.
//! With `--predictions` the probabilities are read, one line a sample, as `randomness_train.py --check` writes
//! them: the table of models that saw nothing of a sample's source.
//!
//! Positives are samples of class "random"; negatives are all others but "mixed" and those marked
//! undetectable. Six classes: plain (text and structured), encoded, compressed, media, weak, random;
//! undetectable samples count as random there.

use plainsight::evidence::randomness::{features, measure, solve_xor};
use std::collections::BTreeMap;
use std::io::Write;

/// Area under the curve by size: sizes, Shannon, HEDGE-like, rules, logistic, GBM full battery.
const BASELINES: &[(usize, [f64; 5], [f64; 3])] = &[
    (16, [0.803, 0.825, 0.865, 0.869, 0.878], [0.58, 0.70, 0.77]),
    (32, [0.850, 0.860, 0.876, 0.918, 0.926], [0.59, 0.78, 0.83]),
    (64, [0.856, 0.878, 0.894, 0.928, 0.939], [0.65, 0.80, 0.85]),
    (128, [0.867, 0.882, 0.919, 0.945, 0.955], [0.67, 0.84, 0.88]),
    (256, [0.871, 0.897, 0.926, 0.951, 0.961], [0.66, 0.86, 0.89]),
    (512, [0.874, 0.912, 0.943, 0.960, 0.968], [0.69, 0.88, 0.91]),
    (1024, [0.910, 0.939, 0.960, 0.975, 0.977], [0.72, 0.91, 0.93]),
    (4096, [0.928, 0.960, 0.976, 0.984, 0.988], [0.72, 0.93, 0.96]),
    (16384, [0.953, 0.974, 0.983, 0.989, 0.992], [0.76, 0.95, 0.97]),
    (65536, [0.966, 0.972, 0.978, 0.988, 0.985], [0.71, 0.95, 0.97]),
];

const NAMES: [&str; 6] = ["plain", "encoded", "compressed", "media", "weak", "random"];

struct Sample {
    class: String,
    kind: String,
    whole: bool,
    detectable: bool,
    random: f64,
    z: f64,
    said: usize,
    top: f64,
    evidence: f64,
    solved: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().ok_or("usage: randomness FOLDER [--features OUT.csv]")?;
    let blob = std::fs::read(format!("{folder}/blob.bin"))?;
    let index = std::fs::read_to_string(format!("{folder}/index.csv"))?;
    let mut out = match arguments.iter().position(|a| a == "--features") {
        Some(at) => Some(std::io::BufWriter::new(std::fs::File::create(
            arguments.get(at + 1).ok_or("--features needs a file")?,
        )?)),
        None => None,
    };
    let given = match arguments.iter().position(|a| a == "--predictions") {
        Some(at) => {
            Some(std::fs::read_to_string(arguments.get(at + 1).ok_or("--predictions needs a file")?)?)
        }
        None => None,
    };
    let mut given = given.as_ref().map(|text| text.lines());
    let mut sizes: BTreeMap<usize, Vec<Sample>> = BTreeMap::new();
    for line in index.lines().skip(1) {
        let row: Vec<&str> = line.split(',').collect();
        let [_, offset, length, class, kind, size, source, place, _, detectable] = row[..] else {
            continue;
        };
        let (offset, length): (usize, usize) = (offset.parse()?, length.parse()?);
        let Some(bytes) = blob.get(offset..offset + length) else {
            continue;
        };
        if let Some(out) = &mut out {
            let values: Vec<String> = features(bytes).iter().map(|v| format!("{v}")).collect();
            writeln!(out, "{class},{kind},{size},{detectable},{source},{}", values.join(","))?;
            continue;
        }
        let report = measure(bytes);
        let p = match given.as_mut().and_then(Iterator::next) {
            Some(line) => given_probabilities(line).ok_or("seven probabilities a line")?,
            None => report.probabilities,
        };
        let six = [p[0] + p[1], p[2], p[3], p[4], p[5], p[6]];
        let (said, top) = six.into_iter().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
        sizes.entry(size.parse()?).or_default().push(Sample {
            class: class.into(),
            kind: kind.into(),
            whole: place != "mid",
            detectable: detectable == "1",
            random: p[6],
            z: report.z,
            said,
            top,
            evidence: report.evidence_bits,
            solved: solve_xor(bytes).is_some(),
        });
    }
    if out.is_none() {
        print(&sizes);
    }
    Ok(())
}

fn given_probabilities(line: &str) -> Option<[f64; 7]> {
    let values: Vec<f64> = line.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
    values.try_into().ok()
}

fn print(sizes: &BTreeMap<usize, Vec<Sample>>) {
    println!(
        "| size | AUC | Shannon here | Shannon | HEDGE | rules | logistic | GBM | AUC complete | TPR at 1 % FPR | TPR complete | macro F1 | F1 rules | F1 logistic | F1 GBM | ECE |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (size, samples) in sizes {
        let positive: Vec<f64> = samples.iter().filter(|s| s.class == "random").map(|s| s.random).collect();
        let negative = |complete: fn(&Sample) -> bool| -> Vec<f64> {
            samples
                .iter()
                .filter(|s| s.class != "random" && s.class != "mixed" && s.detectable && complete(s))
                .map(|s| s.random)
                .collect()
        };
        let all = negative(|_| true);
        let whole = negative(|s| s.whole || ["plain", "encoded", "weak"].contains(&s.class.as_str()));
        let (b, f) = BASELINES
            .iter()
            .find(|row| row.0 == *size)
            .map_or(([f64::NAN; 5], [f64::NAN; 3]), |row| (row.1, row.2));
        println!(
            "| {size} | **{:.3}** | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | **{:.3}** | {:.2} | {:.2} | {:.2} | {:.3} |",
            area(&positive, &all),
            shannon(samples),
            b[0],
            b[1],
            b[2],
            b[3],
            b[4],
            area(&positive, &whole),
            hits(&positive, &all),
            hits(&positive, &whole),
            macro_f1(samples),
            f[0],
            f[1],
            f[2],
            calibration(samples)
        );
    }
    let most = sizes
        .values()
        .flatten()
        .filter(|s| s.class == "random" && !s.kind.starts_with("hdr_") && !s.kind.starts_with("key_"))
        .map(|s| s.evidence)
        .fold(f64::NEG_INFINITY, f64::max);
    println!(
        "\nMost evidence against a pure ciphertext: {most:.1} bits. Highest P(random): {:.3}.",
        sizes.values().flatten().map(|s| s.random).fold(0.0, f64::max)
    );
    let mut solved: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for s in sizes.values().flatten() {
        let name = if s.class == "weak" { s.kind.as_str() } else { s.class.as_str() };
        let count = solved.entry(name).or_default();
        *count = (count.0 + usize::from(s.solved), count.1 + 1);
    }
    let list: Vec<String> = solved.iter().map(|(name, (hits, all))| format!("{name} {hits}/{all}")).collect();
    println!("\nSolved by `solve_xor`: {}.", list.join(", "));
}

/// The area that the entropy alone reaches on these very samples: how hard this folder is, beside the published
/// figure of the other half.
fn shannon(samples: &[Sample]) -> f64 {
    let (random, rest): (Vec<&Sample>, Vec<&Sample>) = samples
        .iter()
        .filter(|s| s.class == "random" || s.class != "mixed" && s.detectable)
        .partition(|s| s.class == "random");
    let scores = |list: Vec<&Sample>| list.iter().map(|s| s.z).collect::<Vec<f64>>();
    area(&scores(random), &scores(rest))
}

/// The Mann-Whitney area, ties count half.
fn area(positive: &[f64], negative: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> =
        positive.iter().map(|p| (*p, true)).chain(negative.iter().map(|n| (*n, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won) = (0.0, 0.0);
    for tie in all.chunk_by(|a, b| a.0 == b.0) {
        let hits = tie.iter().filter(|t| t.1).count() as f64;
        let misses = tie.len() as f64 - hits;
        won += hits * (below + misses / 2.0);
        below += misses;
    }
    won / (positive.len() as f64 * negative.len() as f64)
}

/// Share of positives above the threshold that lets at most 1 % of the negatives through.
fn hits(positive: &[f64], negative: &[f64]) -> f64 {
    let mut sorted = negative.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let threshold = sorted.get(negative.len() / 100).copied().unwrap_or(0.0);
    positive.iter().filter(|p| **p > threshold).count() as f64 / positive.len() as f64
}

fn truth(sample: &Sample) -> Option<usize> {
    let name = if sample.detectable { sample.class.as_str() } else { "random" };
    NAMES.iter().position(|n| *n == name)
}

fn macro_f1(samples: &[Sample]) -> f64 {
    let mut table = [[0f64; 6]; 6];
    for (s, t) in samples.iter().filter_map(|s| Some((s, truth(s)?))) {
        table[t][s.said] += 1.0;
    }
    (0..6)
        .map(|c| {
            2.0 * table[c][c]
                / (table[c].iter().sum::<f64>() + table.iter().map(|row| row[c]).sum::<f64>()).max(1.0)
        })
        .sum::<f64>()
        / 6.0
}

/// Expected calibration error of the named class, ten bins.
fn calibration(samples: &[Sample]) -> f64 {
    let mut bins = [(0.0, 0.0); 10];
    let mut n = 0.0;
    for (s, t) in samples.iter().filter_map(|s| Some((s, truth(s)?))) {
        let bin = &mut bins[((s.top * 10.0) as usize).min(9)];
        bin.0 += s.top;
        bin.1 += f64::from(t == s.said);
        n += 1.0;
    }
    bins.iter().map(|b| (b.0 - b.1).abs()).sum::<f64>() / n
}
