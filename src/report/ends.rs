//! The words and figures for two compared ends and for the length law, alike in every renderer.

use super::dto::{LengthLaw, Passage, Report, Vantages};
use super::prose;

/// Names of the columns of [`ways`].
pub const WAYS: [&str; 6] = ["Conversation", "Way", "Outcome", "Messages", "Median delay", "Size on the way"];

/// How the clocks stand.
pub fn clock(v: &Vantages) -> String {
    let Some(c) = &v.clock else {
        return "nothing passed between the two ends that the clocks could be fitted by".to_owned();
    };
    let ahead = match c.ahead_ms {
        0 => "agree to the millisecond".to_owned(),
        n if n > 0 => format!("differ: the receiver's is {} ahead", millis(n)),
        n => format!("differ: the receiver's is {} behind", millis(n.saturating_neg())),
    };
    let by = match c.by.as_str() {
        "both-ways" => "by messages in both directions",
        "one-way" => "by messages in one direction, so this holds the delay as well",
        _ => "by events alone",
    };
    format!("the two clocks {ahead}, fitted {by} ({})", prose::count(c.pairs, "pair"))
}

fn millis(n: i64) -> String {
    match n {
        n if n.abs() < 10_000 => format!("{n} ms"),
        n => format!("{:.1} s", n as f64 / 1000.0),
    }
}

/// One row for each conversation and direction.
pub fn ways(v: &Vantages) -> Vec<[String; 6]> {
    let row = |p: &Passage| {
        let name = match &p.peer {
            Some(peer) => format!("{} ({}), {peer}", p.conversation, p.vantage),
            None => format!("{} ({})", p.conversation, p.vantage),
        };
        [
            name,
            p.way.clone(),
            p.outcome.clone(),
            counts(p),
            p.delay_ms.map(millis).unwrap_or_default(),
            match p.growth {
                Some(0) => "the same".to_owned(),
                Some(n) => format!("{n:+} bytes"),
                None => String::new(),
            },
        ]
    };
    v.ways.iter().map(row).collect()
}

fn counts(p: &Passage) -> String {
    let mut parts = vec![format!("{} of {} unchanged", p.same + p.recut, p.messages)];
    for (n, word) in [
        (p.recut, "recut"),
        (p.changed, "paired with other bytes"),
        (p.missing, "not recognised"),
        (p.fanned, "in one ciphertext for each device"),
        (p.echoes, "own copies back"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {word}"));
        }
    }
    parts.join(", ")
}

/// Identity keys and checks outside the recording, one sentence each.
pub fn further(v: &Vantages) -> Vec<String> {
    let keys = v.identities.iter().map(|i| {
        format!(
            "identity keys ({}) fetched by the {}: {} as the other end published them, {} others",
            i.kind, i.fetched_by, i.equal, i.different
        )
    });
    let checks = v.checks.iter().map(|c| {
        let state = match c.passed {
            Some(true) => "passed",
            Some(false) => "FAILED",
            None => "not recorded",
        };
        format!("check outside the recording, {state}: {}", c.check)
    });
    keys.chain(checks).collect()
}

/// Names of the columns of [`laws`].
pub const LAWS: [&str; 6] =
    ["Conversation", "Ciphertexts", "Sizes", "Step", "A size tells", "Per byte of text"];

/// One row for each conversation.
pub fn laws(r: &Report) -> Vec<[String; 6]> {
    let row = |l: &LengthLaw| {
        [
            format!("{} {}", l.conversation, l.format),
            prose::thousands(l.messages),
            format!("{} from {} to {} bytes", l.distinct, l.least, l.most),
            l.step.map(|s| prose::count(s, "byte")).unwrap_or_else(|| "cannot be told".into()),
            format!("{:.1} bits", l.bits),
            match l.slope {
                Some(s) => format!(
                    "{s:.2} bytes{}{}",
                    l.overhead.map(|o| format!(" and {o} beside")).unwrap_or_default(),
                    if l.compressed { ", compressed first" } else { "" }
                ),
                None => "no planted texts recognised".into(),
            },
        ]
    };
    r.lengths.iter().map(row).collect()
}

/// The dots of a small plot: bytes of text against size where planted texts were recognised, else size
/// against how often it came.
pub fn dots(l: &LengthLaw) -> &[(u64, u64)] {
    if l.texts.is_empty() { &l.sizes } else { &l.texts }
}

/// What the axes of [`dots`] are.
pub fn axes(l: &LengthLaw) -> (&'static str, &'static str) {
    match l.texts.is_empty() {
        true => ("size in bytes", "times"),
        false => ("bytes of text", "size in bytes"),
    }
}

/// The dots as lines of so many columns and rows, the origin at the bottom left.
pub fn plot(l: &LengthLaw, columns: usize, rows: usize) -> Vec<String> {
    let dots = dots(l);
    let most = |pick: fn(&(u64, u64)) -> u64| dots.iter().map(pick).max().unwrap_or(0).max(1);
    let (x_most, y_most) = (most(|d| d.0), most(|d| d.1));
    let mut grid = vec![vec![' '; columns]; rows];
    let place = |v: u64, most: u64, cells: usize| {
        (u128::from(v) * cells.saturating_sub(1) as u128 / u128::from(most)) as usize
    };
    for (x, y) in dots {
        let (column, row) = (place(*x, x_most, columns), place(*y, y_most, rows));
        if let Some(cell) = grid.iter_mut().rev().nth(row).and_then(|r| r.get_mut(column)) {
            *cell = '●';
        }
    }
    let mut lines: Vec<String> = grid.iter().map(|r| format!("│{}", r.iter().collect::<String>())).collect();
    let (x, y) = axes(l);
    lines.push(format!("└{}", "─".repeat(columns)));
    lines.push(format!("0 to {x_most} {x}; upwards 0 to {y_most} {y}"));
    lines.into_iter().map(|l| l.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plot_keeps_its_corners_and_survives_nothing() {
        let law = LengthLaw { texts: vec![(0, 0), (100, 500)], ..LengthLaw::default() };
        let lines = plot(&law, 10, 4);
        assert_eq!(lines[0], "│         ●");
        assert_eq!(lines[3], "│●");
        assert_eq!(
            lines.last().map(String::as_str),
            Some("0 to 100 bytes of text; upwards 0 to 500 size in bytes")
        );
        assert_eq!(plot(&LengthLaw::default(), 3, 1).len(), 3);
        assert!(plot(&LengthLaw { sizes: vec![(u64::MAX, 1)], ..law }, 0, 0).len() > 1);
    }
}
