//! How random some bytes look, for the terminal: the figures, the histogram, and the entropy along the
//! bytes beside what random bytes of such windows show.

use crate::evidence::randomness::{Class, Histogram, Report, measure, normal_tail, null_mean_sd};
use std::fmt::Write;

/// Columns of a plot.
const COLUMNS: usize = 64;
/// Rows of a plot.
const ROWS: usize = 9;
/// Fewest bytes of a window: below that the band is wider than what it shows.
const WINDOW: usize = 64;
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The whole page for one input. `whole` is false where there was more than is measured.
pub fn page(name: &str, bytes: &[u8], whole: Whole) -> String {
    let mut counts = Histogram::default();
    counts.add(bytes);
    let report = measure(bytes);
    let mut out = String::new();
    let more = if whole == Whole::Cut { "; the input goes on, this is its beginning" } else { "" };
    let clean: String = name.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let _ = writeln!(out, "{clean}: {} bytes{more}", bytes.len());
    if bytes.is_empty() {
        out.push_str("nothing to measure\n");
        return out;
    }
    figures(&mut out, &counts, &report);
    histogram(&mut out, &counts);
    along(&mut out, bytes);
    out
}

/// Whether the bytes are all there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// All of them.
    Yes,
    /// The first part.
    Cut,
}

fn figures(out: &mut String, counts: &Histogram, report: &Report) {
    let (expected, sd) = null_mean_sd(counts.total() as usize);
    let bits = counts.shannon();
    let z = if sd > 0.0 { (bits - expected) / sd } else { 0.0 };
    let (class, probability) = report.verdict();
    let _ = writeln!(
        out,
        "  entropy       {bits:.4} bits a byte; random bytes of this length show {expected:.4} ± {sd:.4}"
    );
    let _ = writeln!(out, "  z, p          {z:.2}, {}", chance(normal_tail(z)));
    let _ = writeln!(
        out,
        "  against       {:.1} bits against random (b bits come by chance with 2^-b at most), most by {}",
        report.evidence_bits, report.strongest
    );
    let _ = writeln!(
        out,
        "  power         {:.0} % for redundancy like that of text at this length",
        report.power * 100.0
    );
    let word = match class {
        "too-short" => "too short to say".to_owned(),
        "random" => format!(
            "random-looking ({:.0} %): encrypted, compressed or random; bytes alone do not tell",
            probability * 100.0
        ),
        other => format!("{} ({:.0} %)", other.replace('-', " "), probability * 100.0),
    };
    let _ = writeln!(out, "  looks         {word}");
    let mut all: Vec<(Class, f64)> = Class::ALL.into_iter().zip(report.probabilities).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let list: Vec<String> = all
        .iter()
        .take(4)
        .map(|(c, p)| format!("{} {:.0} %", c.word().replace('-', " "), p * 100.0))
        .collect();
    let _ = writeln!(out, "  classes       {} (under the mix that the model was fitted on)", list.join(", "));
}

fn chance(p: f64) -> String {
    if p < 1e-4 { "under 0.0001".to_owned() } else { format!("{p:.4}") }
}

/// Four byte values a column, heights in eighths of a row, scaled to the commonest.
fn histogram(out: &mut String, counts: &Histogram) {
    let bars: Vec<u64> = counts.counts().chunks(256 / COLUMNS).map(|c| c.iter().sum()).collect();
    let top = bars.iter().copied().max().unwrap_or(0).max(1);
    let even = counts.total() as f64 / COLUMNS as f64;
    out.push_str("\n  byte values (four a column)\n");
    for row in (0..ROWS - 3).rev() {
        let label = if row == ROWS - 4 { format!("{top:>9}") } else { " ".repeat(9) };
        let cell = |n: &u64| {
            let eighths = *n as f64 / top as f64 * (ROWS - 3) as f64 * 8.0 - row as f64 * 8.0;
            EIGHTHS[(eighths.ceil().clamp(0.0, 8.0)) as usize]
        };
        let _ = writeln!(out, "{label} |{}", bars.iter().map(cell).collect::<String>().trim_end());
    }
    let _ = writeln!(out, "{:>9} +{}", 0, "-".repeat(COLUMNS));
    let _ = writeln!(out, "{:>9}  00{:>15}{:>16}{:>16}{:>15}", "", "40", "80", "c0", "ff");
    let _ = writeln!(out, "{:>9}  random bytes: about {even:.0} a column", "");
}

/// Entropy of successive windows, with the band of three standard deviations around the mean of random
/// bytes.
fn along(out: &mut String, bytes: &[u8]) {
    if bytes.len() < 2 * WINDOW {
        return;
    }
    let size = bytes.len().div_ceil(COLUMNS).max(WINDOW);
    let points: Vec<(f64, f64, f64)> = bytes
        .chunks(size)
        .filter(|w| w.len() * 2 > size)
        .map(|w| {
            let mut counts = Histogram::default();
            counts.add(w);
            let (mean, sd) = null_mean_sd(w.len());
            (counts.shannon(), mean - 3.0 * sd, mean + 3.0 * sd)
        })
        .collect();
    let least = points.iter().map(|p| p.0.min(p.1)).fold(8.0, f64::min);
    let most = points.iter().map(|p| p.0.max(p.2)).fold(0.0, f64::max).min(8.0);
    let (low, high) = (least - 0.02, (most + 0.02).max(least + 0.05));
    let step = (high - low) / ROWS as f64;
    let _ =
        writeln!(out, "\n  entropy along the bytes, windows of {size} (● measured, · random bytes ± 3 sd)");
    for row in (0..ROWS).rev() {
        let (bottom, top) = (low + row as f64 * step, low + (row + 1) as f64 * step);
        let cell = |(bits, under, over): &(f64, f64, f64)| match () {
            () if (bottom..top).contains(bits) => '●',
            () if *under < top && *over >= bottom => '·',
            () => ' ',
        };
        let line: String = points.iter().map(cell).collect();
        let _ = writeln!(out, "{:>9.3} |{}", (bottom + top) / 2.0, line.trim_end());
    }
    let _ = writeln!(out, "{:>9} +{}", "", "-".repeat(points.len()));
    let outside = points.iter().filter(|(bits, under, over)| bits < under || bits > over).count();
    let _ = writeln!(out, "{:>9}  {outside} of {} windows outside the band", "", points.len());
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    fn noise(n: usize) -> Vec<u8> {
        (0u32..).flat_map(|i| Sha256::digest(i.to_be_bytes())).take(n).collect()
    }

    #[test]
    fn every_line_fits_eighty_columns() {
        for bytes in
            [noise(20), noise(500), noise(100_000), b"words and words and ".repeat(400), vec![0; 4096]]
        {
            let page = page("file", &bytes, Whole::Yes);
            for line in page.lines().filter(|l| l.contains('|') || l.contains('+')) {
                assert!(line.chars().count() <= 80, "{line}");
            }
            assert!(page.contains("bits a byte"), "{page}");
        }
    }

    #[test]
    fn random_text_and_short_inputs_are_called_what_they_are() {
        assert!(page("f", &noise(8192), Whole::Yes).contains("random-looking"));
        assert!(page("f", &noise(20), Whole::Yes).contains("too short to say"));
        let text = page("f", &b"the quick brown fox jumps over the lazy dog; ".repeat(30), Whole::Yes);
        assert!(text.contains("looks         text") || text.contains("looks         structured"), "{text}");
        assert!(page("f", &[], Whole::Yes).contains("nothing to measure"));
        assert!(page("f\u{1b}[2J", &[1], Whole::Cut).starts_with("f?[2J: 1 bytes; the input goes on"));
    }
}
