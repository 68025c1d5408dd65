//! Finds bytes of one vantage again at the other, also where they were cut out of a larger whole.
//!
//! Every 16 bytes of what was sent go into an index; what arrived is looked up at every place. A common
//! run of 31 bytes or more holds a whole indexed window, so none of 32 or more is missed.

use crate::evidence::Parcel;
use rustc_hash::FxHashMap;

/// Bytes of a window.
const WINDOW: usize = 16;
/// Shortest run that counts: nothing so long is equal by chance.
pub const RUN: usize = 32;
/// Different bytes that a window must hold: runs of zeros and the like are everywhere.
const VARIETY: u32 = 7;
/// Bytes that are indexed and looked up, each.
const WORK: usize = 24 << 20;
/// Share of the smaller of two parcels that must be common, in percent.
const WHOLE: usize = 90;

/// How a parcel came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Same {
    /// Every byte.
    Whole,
    /// As a part of what was sent, or with something around it.
    Recut,
}

/// What was sent, by its windows.
pub struct Index<'a> {
    sent: Vec<&'a Parcel>,
    digests: FxHashMap<&'a str, usize>,
    windows: FxHashMap<[u8; WINDOW], Place>,
    work: usize,
}

#[derive(Clone, Copy)]
enum Place {
    /// In one parcel, there.
    At(u32, u32),
    /// In several: says nothing of one of them.
    Common,
}

impl<'a> Index<'a> {
    /// Over sealed parcels, earliest first.
    pub fn new(sent: Vec<&'a Parcel>) -> Self {
        let mut index =
            Self { sent, digests: FxHashMap::default(), windows: FxHashMap::default(), work: WORK };
        let mut left = WORK;
        for (p, parcel) in index.sent.iter().enumerate() {
            let first = *index.digests.entry(&parcel.origin.digest).or_insert(p);
            if first != p || parcel.bytes.len() > left {
                continue;
            }
            left -= parcel.bytes.len();
            for (i, window) in parcel.bytes.chunks_exact(WINDOW).enumerate() {
                let Ok(key) = <[u8; WINDOW]>::try_from(window) else { continue };
                if !varied(&key) {
                    continue;
                }
                let at = Place::At(p as u32, (i * WINDOW) as u32);
                index.windows.entry(key).and_modify(|known| *known = known.joined(at)).or_insert(at);
            }
        }
        index
    }

    /// The parcel that came through as this one, if any.
    pub fn find(&mut self, arrived: &Parcel) -> Option<(usize, Same)> {
        if let Some(p) = self.digests.get(arrived.origin.digest.as_str())
            && arrived.bytes.len() >= RUN
        {
            return Some((*p, Same::Whole));
        }
        self.work = self.work.checked_sub(arrived.bytes.len())?;
        let mut common: FxHashMap<u32, usize> = FxHashMap::default();
        let mut at = 0;
        while let Some(window) = arrived.bytes.get(at..at + WINDOW) {
            let place = <[u8; WINDOW]>::try_from(window).ok().and_then(|key| self.windows.get(&key));
            let Some(Place::At(p, from)) = place else {
                at += 1;
                continue;
            };
            let (before, after) = self.run(*p, *from as usize, &arrived.bytes, at);
            if before + after >= RUN {
                *common.entry(*p).or_default() += before + after;
                at += after;
            } else {
                at += 1;
            }
        }
        let (p, bytes) = common.into_iter().max_by_key(|(p, n)| (*n, std::cmp::Reverse(*p)))?;
        let smaller = arrived.bytes.len().min(self.sent.get(p as usize)?.bytes.len());
        (bytes * 100 >= smaller * WHOLE).then_some((p as usize, Same::Recut))
    }

    /// How far two parcels agree before and from two places on.
    fn run(&self, p: u32, from: usize, arrived: &[u8], at: usize) -> (usize, usize) {
        let sent = self.sent.get(p as usize).map_or(&[][..], |s| &s.bytes);
        let (head, tail) = sent.split_at(from.min(sent.len()));
        let (before, after) = arrived.split_at(at.min(arrived.len()));
        let equal = |(a, b): &(&u8, &u8)| a == b;
        let back = head.iter().rev().zip(before.iter().rev()).take_while(equal).count();
        let forth = tail.iter().zip(after).take_while(equal).count();
        (back, forth)
    }
}

impl Place {
    fn joined(self, other: Place) -> Place {
        match (self, other) {
            (Place::At(a, x), Place::At(b, _)) if a == b => Place::At(a, x),
            _ => Place::Common,
        }
    }
}

fn varied(window: &[u8; WINDOW]) -> bool {
    let mut seen = [0u64; 4];
    window.iter().for_each(|b| seen[usize::from(b >> 6)] |= 1 << (b & 63));
    seen.iter().map(|s| s.count_ones()).sum::<u32>() >= VARIETY
}

#[cfg(test)]
mod tests {
    use super::super::tests::{noise, parcel};
    use super::*;

    #[test]
    fn bytes_are_found_whole_recut_and_not_where_only_a_header_is_common() {
        let header = noise(1, 48);
        let message = |n: u64| [header.clone(), noise(n, 200)].concat();
        let sent: Vec<Parcel> = (10..14).map(|n| parcel(n as i64, message(n))).collect();
        let mut index = Index::new(sent.iter().collect());
        let arrived = |bytes: Vec<u8>| parcel(99, bytes);
        assert_eq!(index.find(&arrived(message(11))), Some((1, Same::Whole)));
        assert_eq!(index.find(&arrived(message(12)[100..180].to_vec())), Some((2, Same::Recut)));
        assert_eq!(index.find(&arrived([noise(77, 90), message(13)].concat())), Some((3, Same::Recut)));
        assert_eq!(index.find(&arrived([header, noise(50, 200)].concat())), None);
        assert_eq!(index.find(&arrived(noise(51, 300))), None);
        assert_eq!(index.find(&arrived(vec![0; 300])), None);
    }

    #[test]
    fn every_common_run_of_32_bytes_is_seen() {
        let whole = noise(3, 400);
        let index_of = |from: usize| {
            let sent = [parcel(1, whole.clone())];
            let mut index = Index::new(sent.iter().collect());
            index.find(&parcel(2, whole[from..from + RUN].to_vec())).map(|(_, s)| s)
        };
        assert!((0..360).all(|from| index_of(from) == Some(Same::Recut)));
    }
}
