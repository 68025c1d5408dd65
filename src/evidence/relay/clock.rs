//! Two devices' clocks, fitted by what left one and reached the other.

use crate::model::Timestamp;

/// How the receiver's clock stands against the sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Nanoseconds that the receiver's clock is ahead.
    pub ahead: i64,
    /// Pairs it was fitted by.
    pub pairs: usize,
    /// How it was fitted.
    pub by: Fit,
}

/// How clocks were fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Equal bytes or texts in both directions: the way there and back cancels out (RFC 5905 section 8).
    BothWays,
    /// Equal bytes or texts in one direction: the offset holds the fastest delay as well.
    OneWay,
    /// No equal bytes: the offset at which most events follow one another.
    Events,
}

/// Largest difference of clocks that events alone may show.
const APART: i64 = 3600 * 1_000_000_000;
/// Width within which delays count as alike.
const ALIKE: i64 = 500_000_000;
/// Events of each end that are compared.
const EVENTS: usize = 1500;
/// Pairs that events must give.
const FEWEST: usize = 3;

/// Fits by the times of equal bytes: `forth` from sender to receiver, `back` the other way, each the time
/// of arrival less the time of sending. The fastest quarter tells most: what is slow waited somewhere.
pub fn by_pairs(forth: &[i64], back: &[i64]) -> Option<Clock> {
    let pairs = forth.len() + back.len();
    let clock = |ahead, by| Some(Clock { ahead, pairs, by });
    match (fast(forth), fast(back)) {
        (Some(f), Some(b)) => clock((f - b) / 2, Fit::BothWays),
        (Some(f), None) => clock(f, Fit::OneWay),
        (None, Some(b)) => clock(-b, Fit::OneWay),
        (None, None) => None,
    }
}

fn fast(delays: &[i64]) -> Option<i64> {
    let mut sorted = delays.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 4).copied()
}

/// Fits by events alone: the difference that most pairs share, if it is well above every other.
pub fn by_events(sent: &[Timestamp], arrived: &[Timestamp]) -> Option<Clock> {
    let mut differences: Vec<i64> = Vec::new();
    for s in sent.iter().take(EVENTS) {
        let near = arrived.iter().take(EVENTS).map(|a| a.0.saturating_sub(s.0));
        differences.extend(near.filter(|d| d.abs() <= APART));
    }
    differences.sort_unstable();
    let (best, at) = densest(&differences, |_| true)?;
    let (second, _) = densest(&differences, |d| (d - at).abs() > 2 * ALIKE).unwrap_or((0, 0));
    let enough = best >= FEWEST && best * 5 >= sent.len().min(EVENTS) * 4 && best * 2 >= second * 3;
    enough.then_some(Clock { ahead: at, pairs: best, by: Fit::Events })
}

/// Most differences within one width, and the smallest of them.
fn densest(sorted: &[i64], keep: impl Fn(i64) -> bool) -> Option<(usize, i64)> {
    let kept: Vec<i64> = sorted.iter().copied().filter(|d| keep(*d)).collect();
    let mut end = 0;
    let mut best = None;
    for (start, first) in kept.iter().enumerate() {
        while kept.get(end).is_some_and(|d| d - first <= ALIKE) {
            end += 1;
        }
        if best.is_none_or(|(n, _)| end - start > n) {
            best = Some((end - start, *first));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_cancel_the_delay_and_outliers_do_not_move_it() {
        let second = 1_000_000_000i64;
        let forth: Vec<i64> = vec![7 * second + 40_000_000; 6].into_iter().chain([90 * second]).collect();
        let back = vec![-7 * second + 40_000_000; 5];
        let clock = by_pairs(&forth, &back).expect("fitted");
        assert_eq!((clock.ahead, clock.by), (7 * second, Fit::BothWays));
    }

    #[test]
    fn events_fit_only_where_they_agree() {
        let at = |ms: i64| Timestamp(ms * 1_000_000);
        let sent: Vec<Timestamp> = [0, 1700, 5100, 9900, 15_300, 16_000].map(at).into();
        let arrived: Vec<Timestamp> = sent.iter().map(|t| Timestamp(t.0 + 42_060_000_000)).collect();
        let clock = by_events(&sent, &arrived).expect("fitted");
        assert_eq!(clock.ahead, 42_060_000_000);
        let regular: Vec<Timestamp> = (0..40).map(|i| at(i * 1000)).collect();
        let shifted: Vec<Timestamp> = (0..40).map(|i| at(i * 1000 + 5000)).collect();
        assert_eq!(by_events(&regular, &shifted).map(|c| c.pairs), None);
    }
}
