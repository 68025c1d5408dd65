//! Messages of two ends paired by time and size, where their bytes say nothing.

use super::clock;
use crate::model::Timestamp;

/// How far from its due time a message still counts as the same.
const NEAR: i64 = 5_000_000_000;
/// Messages that must pair before anything is said.
const FEWEST: u32 = 4;
/// How well sizes must follow one another.
const FOLLOWS: f64 = 0.95;

/// How many of `mine` have one of `theirs` at the same time, if that is nearly all of them, `theirs` are
/// not many more, and their sizes follow one another. `ahead` is how far the clock of `theirs` is ahead.
/// Sizes that are all alike follow nothing: then nothing is said.
pub fn follow(mine: &[(Timestamp, u64)], theirs: &[(Timestamp, u64)], ahead: Option<i64>) -> Option<u32> {
    if mine.len() > 3 * theirs.len() || theirs.len() > 3 * mine.len() {
        return None;
    }
    let times = |all: &[(Timestamp, u64)]| all.iter().map(|(t, _)| *t).collect::<Vec<_>>();
    let ahead = match ahead {
        Some(a) => a,
        None => clock::by_events(&times(mine), &times(theirs))?.ahead,
    };
    let pairs = paired(mine, theirs, ahead);
    let count = u32::try_from(pairs.len()).ok()?;
    let enough = count >= FEWEST && pairs.len() * 5 >= mine.len() * 4;
    (enough && correlation(&pairs) >= FOLLOWS).then_some(count)
}

/// Pairs in order, each used once.
fn paired(mine: &[(Timestamp, u64)], theirs: &[(Timestamp, u64)], ahead: i64) -> Vec<(f64, f64)> {
    let mut pairs = Vec::new();
    let mut rest = theirs.iter().peekable();
    for (time, size) in mine {
        let due = time.0.saturating_add(ahead);
        while rest.next_if(|(t, _)| t.0 < due.saturating_sub(NEAR)).is_some() {}
        if let Some((_, other)) = rest.next_if(|(t, _)| t.0 <= due.saturating_add(NEAR)) {
            pairs.push((*size as f64, *other as f64));
        }
    }
    pairs
}

/// Pearson's coefficient; none without variety on both sides.
fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let mean = |f: fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / n;
    let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| f(x - mx, y - my)).sum::<f64>();
    let (xx, yy, xy) = (sum(&|x, _| x * x), sum(&|_, y| y * y), sum(&|x, y| x * y));
    if xx <= 0.0 || yy <= 0.0 { 0.0 } else { xy / (xx * yy).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64, size: u64) -> (Timestamp, u64) {
        (Timestamp(ms * 1_000_000), size)
    }

    #[test]
    fn only_what_comes_in_time_and_follows_in_size_pairs() {
        let mine = [at(0, 40), at(900, 80), at(5000, 20), at(9100, 300), at(20_000, 90)];
        let shifted = |grow: u64| mine.map(|(t, s)| (Timestamp(t.0 + 3_100_000_000), s + grow));
        assert_eq!(follow(&mine, &shifted(16), Some(3_000_000_000)), Some(5));
        assert_eq!(follow(&mine, &shifted(16), None), Some(5));
        let alike = shifted(0).map(|(t, _)| (t, 64));
        assert_eq!(follow(&mine, &alike, Some(3_000_000_000)), None);
        assert_eq!(follow(&mine[..3], &shifted(0)[..3], Some(3_000_000_000)), None);
        let mixed = [shifted(0)[3], shifted(0)[1], shifted(0)[0], shifted(0)[4], shifted(0)[2]];
        let wrong: Vec<_> = mixed.iter().zip(shifted(0)).map(|((_, s), (t, _))| (t, *s)).collect();
        assert_eq!(follow(&mine, &wrong, Some(3_000_000_000)), None);
    }
}
