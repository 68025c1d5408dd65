//! The length law: how sizes on the wire follow the length of the text, and what that tells an observer.

use super::planting::{From, Planting, Text};
use super::{Draft, Evidence, Kind, Polarity, Size, Strength, Vantage};
use crate::model::{Origin, Side, Timestamp, Trust};
use crate::peel::Guard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the sizes of one conversation's messages show. Whole numbers, so that it compares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Law {
    /// Format of the ciphertexts.
    pub format: String,
    /// Messages measured.
    pub messages: u32,
    /// Different sizes.
    pub distinct: u32,
    /// Smallest size in bytes.
    pub least: u64,
    /// Largest size in bytes.
    pub most: u64,
    /// All sizes are this far apart or a multiple of it; `None` where too few sizes differ to say.
    pub step: Option<u64>,
    /// Hundredths of a bit that the size of one of these messages tells about it: the entropy of the sizes,
    /// which is the mutual information of size and text as long as the size follows from the text.
    pub centibits: u32,
    /// Planted texts whose message is known by its place in the order.
    pub aligned: u32,
    /// Thousandths of a byte that each byte of text adds.
    pub slope: Option<i64>,
    /// Bytes beside the text.
    pub overhead: Option<i64>,
    /// Text bytes and size of the planted texts.
    pub pairs: Vec<(u64, u64)>,
}

/// Messages below which sizes say nothing.
const FEWEST: usize = 8;
/// Different sizes below which a step may be chance.
const VARIED: usize = 4;
/// Planted texts that must be recognised.
const ALIGNED: usize = 6;
/// How well sizes must follow lengths before an order is believed.
const FITS: f64 = 0.97;
/// Pairs kept.
const PAIRS: usize = 64;
/// A slope below which the text was compressed before it was sealed.
const COMPRESSED: i64 = 850;

impl Law {
    /// Whether text is compressed before it is sealed: it grows more slowly than its bytes.
    pub fn is_compressed(&self) -> bool {
        self.slope.is_some_and(|s| s < COMPRESSED)
    }

    /// Whether sizes tell something worth a finding: at least one bit, by sizes that differ enough.
    pub fn leaks(&self) -> bool {
        self.centibits >= 100 && self.distinct as usize >= VARIED
    }
}

/// The law of a conversation: of the format that most of its messages have.
pub fn law(draft: &Draft, planting: &Planting) -> Option<Law> {
    let mut formats: BTreeMap<&str, Vec<&Size>> = BTreeMap::new();
    draft.sizes.iter().for_each(|s| formats.entry(&s.format).or_default().push(s));
    let (format, sizes) = formats.into_iter().max_by_key(|(f, s)| (s.len(), std::cmp::Reverse(*f)))?;
    if sizes.len() < FEWEST {
        return None;
    }
    let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
    sizes.iter().for_each(|s| *counts.entry(s.bytes).or_default() += 1);
    let (least, most) = (*counts.keys().next()?, *counts.keys().next_back()?);
    let step = counts.keys().fold(0, |g, s| gcd(g, s - least));
    let mut law = Law {
        format: format.to_owned(),
        messages: u32::try_from(sizes.len()).ok()?,
        distinct: u32::try_from(counts.len()).ok()?,
        least,
        most,
        step: (counts.len() >= VARIED).then_some(step),
        centibits: centibits(counts.values().copied()),
        aligned: 0,
        slope: None,
        overhead: None,
        pairs: Vec::new(),
    };
    law.align(draft, &sizes, planting);
    Some(law)
}

impl Law {
    /// Recognises planted texts by their order among the messages of their sender.
    fn align(&mut self, draft: &Draft, sizes: &[&Size], planting: &Planting) {
        let own = match draft.vantage {
            Some(Vantage::Receiver) => From::Receiver,
            _ => From::Sender,
        };
        let sides = [(Side::Client, own), (Side::Server, other(own))];
        let found = sides.iter().filter_map(|(side, from)| {
            let sent: Vec<&Size> = sizes.iter().filter(|s| s.side == *side).copied().collect();
            fit(&planting.sent(*from), &sent)
        });
        // The end with more texts tells more.
        let Some((pairs, slope, overhead)) = found.max_by_key(|(pairs, ..)| pairs.len()) else { return };
        self.aligned = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
        self.slope = Some((slope * 1000.0).round() as i64);
        self.overhead = Some(overhead.round() as i64);
        self.pairs = pairs;
        self.pairs.sort_unstable();
        self.pairs.truncate(PAIRS);
    }
}

fn other(from: From) -> From {
    match from {
        From::Sender => From::Receiver,
        From::Receiver => From::Sender,
    }
}

type Fit = (Vec<(u64, u64)>, f64, f64);

/// Lays the texts along the messages: at the times that the user noted, or at the one place in the order
/// where sizes follow lengths.
fn fit(texts: &[&Text], sizes: &[&Size]) -> Option<Fit> {
    if texts.len() < ALIGNED || sizes.len() < ALIGNED {
        return None;
    }
    let begins = 0..=sizes.len().checked_sub(texts.len())?;
    let tried = begins.filter_map(|begin| {
        let here = sizes.get(begin..begin + texts.len())?;
        let fits = texts.iter().zip(here).all(|(t, s)| t.sent().is_none_or(|at| is_near(at, s.time)));
        let pairs: Vec<(u64, u64)> =
            texts.iter().zip(here).map(|(t, s)| (t.text.len() as u64, s.bytes)).collect();
        let line = line(&pairs)?;
        fits.then_some((pairs, line))
    });
    let mut tried: Vec<_> = tried.filter(|(_, l)| l.follows >= FITS && l.slope > 0.0).collect();
    tried.sort_by(|(_, a), (_, b)| b.follows.total_cmp(&a.follows));
    let (pairs, line) = tried.into_iter().next()?;
    Some((pairs, line.slope, line.overhead))
}

/// A person notes the minute, and phones' clocks differ.
fn is_near(noted: Timestamp, seen: Timestamp) -> bool {
    seen.since(noted).abs() <= 120.0
}

struct Line {
    slope: f64,
    overhead: f64,
    follows: f64,
}

/// Least squares with its correlation.
fn line(pairs: &[(u64, u64)]) -> Option<Line> {
    let n = pairs.len() as f64;
    let xs = || pairs.iter().map(|(x, y)| (*x as f64, *y as f64));
    let (mx, my) = (xs().map(|p| p.0).sum::<f64>() / n, xs().map(|p| p.1).sum::<f64>() / n);
    let sum = |f: fn(f64, f64) -> f64| xs().map(|(x, y)| f(x - mx, y - my)).sum::<f64>();
    let (xx, yy, xy) = (sum(|x, _| x * x), sum(|_, y| y * y), sum(|x, y| x * y));
    if xx <= 0.0 || yy <= 0.0 {
        return None;
    }
    let slope = xy / xx;
    Some(Line { slope, overhead: my - slope * mx, follows: xy / (xx * yy).sqrt() })
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Entropy of a histogram, in hundredths of a bit.
fn centibits(counts: impl Iterator<Item = u32>) -> u32 {
    let counts: Vec<f64> = counts.map(f64::from).collect();
    let n: f64 = counts.iter().sum();
    let bits: f64 = counts.iter().map(|c| -(c / n) * (c / n).log2()).sum();
    (bits * 100.0).round().max(0.0) as u32
}

/// The law as a record. It stands at the conversation's first message.
pub fn evidence(draft: &Draft, law: Law) -> Evidence {
    let time = draft.sizes.first().map_or(draft.first, |s| s.time);
    let sealed = |e: &&Evidence| match &e.kind {
        Kind::Envelope { class, .. } => class == "e2ee-message" || class == "symmetric",
        Kind::Opaque { .. } => true,
        _ => false,
    };
    let places = draft.evidence.iter().filter(sealed).map(|e| &e.origin);
    let first = places.min_by_key(|o| (o.time, o.frame));
    let nowhere = Origin { layers: draft.key.path.clone(), trust: Trust::Proven, ..Origin::at(time) };
    Evidence {
        kind: Kind::Length(Box::new(law)),
        strength: Strength::Strong,
        polarity: Polarity::Neutral,
        guard: Guard::Confidential,
        origin: first.cloned().unwrap_or(nowhere),
        count: 1,
        shown: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::planting::{Order, mint};
    use crate::evidence::{Content, ConversationKey};

    fn draft(sizes: impl IntoIterator<Item = u64>) -> Draft {
        let content = Content::Envelope("P".into());
        let key = ConversationKey { endpoint: "a:1".into(), path: "tls".into(), content };
        let mut draft = Draft::new(key, Timestamp(0));
        let size = |(i, bytes)| Size {
            time: Timestamp::new(i as i64, 0),
            side: Side::Client,
            format: "f".into(),
            bytes,
        };
        draft.add_sizes(sizes.into_iter().enumerate().map(size).collect());
        draft
    }

    fn plan() -> Planting {
        mint("s", Order { messages: 3, longest: 512 })
    }

    #[test]
    fn a_ladder_shows_slope_step_and_overhead() {
        let plan = plan();
        let lengths: Vec<u64> = plan.sent(From::Sender).iter().map(|t| t.text.len() as u64).collect();
        let exact = law(&draft(lengths.iter().map(|n| n + 29)), &plan).expect("a law");
        assert_eq!((exact.slope, exact.overhead, exact.step), (Some(1000), Some(29), Some(1)));
        assert!(exact.leaks() && !exact.is_compressed());
        let blocks = law(&draft(lengths.iter().map(|n| (n / 16 + 1) * 16 + 10)), &plan).expect("a law");
        assert_eq!(blocks.step, Some(16));
        assert!(blocks.centibits < exact.centibits && blocks.slope.is_some_and(|s| (950..1050).contains(&s)));
        let packed = law(&draft(lengths.iter().map(|n| n / 2 + 40)), &plan).expect("a law");
        assert!(packed.is_compressed());
    }

    #[test]
    fn padding_to_one_size_tells_nothing_and_few_messages_say_nothing() {
        let same = law(&draft([400; 20]), &plan()).expect("a law");
        assert_eq!((same.centibits, same.distinct, same.slope, same.leaks()), (0, 1, None, false));
        assert_eq!(law(&draft([10, 20, 30, 40, 50, 60, 70]), &plan()), None);
        let unrelated = law(&draft((0..40).map(|i| 100 + (i * 7919) % 350)), &plan()).expect("a law");
        assert_eq!(unrelated.slope, None, "{unrelated:?}");
    }
}
