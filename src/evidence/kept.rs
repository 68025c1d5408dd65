//! Things kept up to a bound. The first in order stay, so that what is left out does not depend on when it came, and
//! that something was left out is known. Joining is commutative and associative.

use std::collections::BTreeMap;

/// What is remembered of one thing that was met several times.
pub(super) trait Join {
    /// Takes in what another sighting says.
    fn join(&mut self, other: Self);
}

impl Join for () {
    fn join(&mut self, (): ()) {}
}

/// Things, and what is remembered of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept<K, V = ()> {
    kept: BTreeMap<K, V>,
    cut: bool,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self { kept: BTreeMap::new(), cut: false }
    }
}

impl<K: Ord, V: Join> Kept<K, V> {
    /// Keeps one more. Beyond `most` the last in order gives way.
    pub fn add(&mut self, key: K, value: V, most: usize) {
        match self.kept.get_mut(&key) {
            Some(known) => known.join(value),
            None => {
                self.kept.insert(key, value);
            }
        }
        if self.kept.len() > most {
            self.cut = true;
            self.kept.pop_last();
        }
    }

    /// Joins what another flow or shard has.
    pub fn merge(&mut self, other: Self, most: usize) {
        self.cut |= other.cut;
        other.kept.into_iter().for_each(|(key, value)| self.add(key, value, most));
    }

    /// Whether something was left out.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// All, in order.
    pub fn into_iter(self) -> impl Iterator<Item = (K, V)> {
        self.kept.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_in_order_stay_and_that_others_went_is_known() {
        let of = |all: &[u8]| {
            let mut kept: Kept<u8> = Kept::default();
            all.iter().for_each(|n| kept.add(*n, (), 3));
            kept
        };
        assert!(!of(&[3, 1, 2, 2]).is_cut());
        let (one, other) = (of(&[4, 1, 3, 2]), of(&[1, 2, 3, 4]));
        assert!(one == other && one.is_cut() && one.clone().into_iter().map(|(n, ())| n).eq([1, 2, 3]));
        let mut joined = of(&[3, 4]);
        joined.merge(of(&[2, 1]), 3);
        assert_eq!(joined, one);
    }
}
