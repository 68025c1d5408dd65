//! Mints the texts of an experiment from a seed.
//!
//! A text is everyday words and a token. Each word is one that keyboards leave as it is; together they
//! are found nowhere else, and they read like chat, so that nothing treats them as a code. The token of
//! letters and digits makes the text unique even where words are cut or translated, and keyboards do not
//! correct words with digits in them. No punctuation and no capitals: phones change both. Characters that
//! look alike (0 o, 1 l i) stay out, so that a text typed from a screen is the text that is searched for.

use super::words::WORDS;
use super::{Checks, FORMAT, From, Planting, Text, Use};
use sha2::{Digest, Sha256};

/// How much to mint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Ordinary messages for each phone.
    pub messages: usize,
    /// Longest text of the ladder, in characters.
    pub longest: usize,
}

/// Letters and digits that are told apart at a glance.
const ALPHABET: &[u8; 31] = b"23456789abcdefghjkmnpqrstuvwxyz";
/// Characters of a token: 35 bits.
const TOKEN: usize = 7;
/// Lengths of the ladder in characters; the dense start shows steps, the long end compression.
const RUNGS: [usize; 24] =
    [1, 2, 3, 5, 8, 12, 15, 16, 17, 24, 31, 32, 33, 48, 64, 80, 96, 128, 160, 224, 320, 448, 640, 1000];
/// Words in which bytes and characters differ: two, three and four bytes in UTF-8.
const WIDE: [&str; 4] = ["Grüße aus Köln", "橋の下で待つ", "встреча в полдень", "🦄🔥🌻🐢"];

/// The texts of an experiment. Equal seeds give equal texts.
pub fn mint(seed: &str, order: Order) -> Planting {
    let mut draw = Draw { seed: seed.to_owned(), block: 0, left: Vec::new() };
    let mut texts = Vec::new();
    let mut add = |label: String, kind: Use, text: String, times: u32, from: From| {
        texts.push(Text { label, kind, text, times, from, sent_at: None });
    };
    add("control-1".into(), Use::Control, draw.phrase(2), 1, From::Sender);
    add("control-2".into(), Use::Control, draw.phrase(2), 1, From::Receiver);
    for i in 1..=order.messages {
        add(format!("message-{i}"), Use::Message, draw.phrase(4), 1, From::Sender);
        add(format!("reply-{i}"), Use::Message, draw.phrase(4), 1, From::Receiver);
    }
    for (i, wide) in WIDE.iter().enumerate() {
        let text = format!("{} {wide} {}", draw.phrase(1), draw.word());
        add(format!("wide-{}", i + 1), Use::Message, text, 1, From::Sender);
    }
    add("repeat-1".into(), Use::Repeat, draw.phrase(3), 3, From::Sender);
    let below = RUNGS.into_iter().filter(|r| *r < order.longest);
    for rung in below.chain([order.longest]).filter(|r| *r > 0) {
        add(format!("ladder-{rung}"), Use::Ladder, draw.exactly(rung), 1, From::Sender);
    }
    add("attachment-1".into(), Use::Attachment, draw.phrase(2), 1, From::Sender);
    let link = format!("https://{}.example/{}-{}", draw.token(), draw.word(), draw.token());
    add("bait-1".into(), Use::Bait, link, 1, From::Sender);
    Planting { format: FORMAT.into(), seed: seed.to_owned(), checks: Checks::default(), texts }
}

/// Draws from the seed: blocks of SHA-256 over it and a counter.
struct Draw {
    seed: String,
    block: u64,
    left: Vec<u8>,
}

impl Draw {
    fn byte(&mut self) -> u8 {
        loop {
            if let Some(b) = self.left.pop() {
                return b;
            }
            let mut hash = Sha256::new();
            hash.update(self.seed.as_bytes());
            hash.update(self.block.to_be_bytes());
            self.block += 1;
            self.left = hash.finalize().to_vec();
        }
    }

    fn word(&mut self) -> &'static str {
        WORDS[usize::from(self.byte()) % WORDS.len()]
    }

    /// Letters and digits mixed, beginning and ending with a letter, so that it is one word everywhere.
    fn token(&mut self) -> String {
        let last = TOKEN - 1;
        let pick = |draw: &mut Self, i: usize| {
            let (digits, letters) = (&ALPHABET[..8], &ALPHABET[8..]);
            let set = match i {
                0 => letters,
                1 | 3 => digits,
                _ if i == last => letters,
                _ => &ALPHABET[..],
            };
            char::from(set[usize::from(draw.byte()) % set.len()])
        };
        (0..TOKEN).map(|i| pick(self, i)).collect()
    }

    fn phrase(&mut self, words: usize) -> String {
        let mut all: Vec<String> = (0..words).map(|_| self.word().to_owned()).collect();
        all.push(self.token());
        all.join(" ")
    }

    /// A text of so many characters: the token first, so that its beginning is unique, then words, no
    /// blank at the end, where apps take it away.
    fn exactly(&mut self, length: usize) -> String {
        let mut text = self.token();
        while text.len() < length {
            text.push(' ');
            text.push_str(self.word());
        }
        text.truncate(length);
        if text.ends_with(' ') {
            text.pop();
            text.push('x');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const ORDER: Order = Order { messages: 4, longest: 512 };

    #[test]
    fn texts_are_unique_exact_and_follow_from_the_seed() {
        let plan = mint("a seed", ORDER);
        assert_eq!(plan, mint("a seed", ORDER));
        assert_ne!(plan, mint("another", ORDER));
        let unique: BTreeSet<&str> = plan.texts.iter().map(|t| t.text.as_str()).collect();
        assert_eq!(unique.len(), plan.texts.len());
        let ladder: Vec<usize> =
            plan.texts.iter().filter(|t| t.kind == Use::Ladder).map(|t| t.text.chars().count()).collect();
        assert_eq!((ladder.first(), ladder.last()), (Some(&1), Some(&512)));
        assert!(ladder.is_sorted_by(|a, b| a < b));
        for t in &plan.texts {
            assert_eq!(t.text, t.text.trim(), "{}", t.label);
            assert!(t.kind == Use::Bait || !t.text.contains(['.', '\'', '"', '-']), "{}", t.text);
        }
        let read = Planting::read(&plan.page());
        assert_eq!(read.expect("its own page"), plan);
    }

    #[test]
    fn everything_that_is_long_enough_is_searched_for() {
        let canaries = mint("x", ORDER).canaries();
        assert!(canaries.iter().filter(|c| c.is_searched()).count() > 20);
        assert_eq!(canaries.iter().filter(|c| c.control).count(), 2);
    }
}
