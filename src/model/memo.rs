//! What was worked out of short bytes lately. The same header values, names and words come back all the
//! time in a recording, and looking at them anew each time would be most of the work. Only equal bytes
//! under an equal tag have an equal answer, so that nothing depends on what else was met.

use rustc_hash::FxHasher;
use std::hash::Hasher;

/// Longer bytes hardly come back, unless they are of a kind that does.
const LONGEST: usize = 256;
/// Places; an entry takes the place of the last one with the same.
const PLACES: usize = 4096;

/// Answers by tag and bytes, as many as there are places, for bytes up to a length.
#[derive(Debug)]
pub struct Memo<T> {
    places: Vec<Option<Known<T>>>,
    size: usize,
    longest: usize,
}

#[derive(Debug)]
struct Known<T> {
    tag: u64,
    bytes: Box<[u8]>,
    answer: T,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self::sized(PLACES, LONGEST)
    }
}

impl<T> Memo<T> {
    /// A memory of `size` places for bytes up to `longest`.
    pub fn sized(size: usize, longest: usize) -> Self {
        Self { places: Vec::new(), size, longest }
    }
}

impl<T: Clone> Memo<T> {
    /// The answer for these bytes under this tag: the one kept, or a new one, which is kept.
    /// `tag` holds everything but the bytes that the answer depends on.
    pub fn answer(&mut self, tag: u64, bytes: &[u8], work: impl FnOnce() -> T) -> T {
        if bytes.len() > self.longest {
            return work();
        }
        if self.places.is_empty() {
            self.places.resize_with(self.size, || None);
        }
        let Some(place) = self.places.get_mut(place(tag, bytes, self.size)) else { return work() };
        match place {
            Some(known) if known.tag == tag && *known.bytes == *bytes => known.answer.clone(),
            _ => {
                let answer = work();
                *place = Some(Known { tag, bytes: bytes.into(), answer: answer.clone() });
                answer
            }
        }
    }
}

fn place(tag: u64, bytes: &[u8], size: usize) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.write_u64(tag);
    (hasher.finish() >> 20) as usize % size.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_bytes_under_an_equal_tag_have_an_equal_answer() {
        let mut memo = Memo::default();
        assert_eq!(memo.answer(1, b"text/html", || 7), 7);
        assert_eq!(memo.answer(1, b"text/html", || 8), 7);
        assert_eq!(memo.answer(1, b"text/htm", || 9), 9);
        assert_eq!(memo.answer(2, b"text/html", || 10), 10);
        let long = [b'x'; LONGEST + 1];
        assert_eq!(memo.answer(1, &long, || 11), 11);
        assert_eq!(memo.answer(1, &long, || 12), 12);
    }

    #[test]
    fn an_entry_may_take_the_place_of_another_and_no_answer_is_wrong() {
        let mut memo = Memo::default();
        for round in 0..2 {
            for n in 0..20_000u32 {
                assert_eq!(memo.answer(0, &n.to_be_bytes(), || n), n, "{round}");
            }
        }
        assert!(memo.places.len() == PLACES);
    }
}
