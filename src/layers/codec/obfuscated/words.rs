//! Whether text reads as something a person or a program wrote.

use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// Words that most sentences of their language have one of, three letters and more.
const FREQUENT: &str = "the and you that for with this have not are was but what all were when your can there \
    will out about them then would like him has look more see could people been who now find down day did get \
    come tomorrow today tonight know just here must need please meet meeting later send money home hello thanks \
    der die und das ist nicht ich ein eine den wir sie mit auf für morgen auch noch kommt heute \
    que los las una por con para como pero mañana esta est les des une pas vous dans pour avec sur demain \
    che non per una con sono domani het een van niet dat zijn";

/// Characters that are looked at for words.
const SAMPLE: usize = 1024;
/// The longest frequent word, in octets of its small letters.
const LONGEST: usize = 16;

/// Words, by their small letters, with their numbers.
struct Numbers {
    known: FxHashMap<Box<[u8]>, u8>,
    /// By the low bits of a first octet, the lengths that occur: most words need not be looked up.
    lengths: [u32; 32],
}

static FORWARDS: LazyLock<Numbers> = LazyLock::new(|| numbered(|w| w.to_owned()));
static BACKWARDS: LazyLock<Numbers> = LazyLock::new(|| numbered(|w| w.chars().rev().collect()));

fn numbered(turn: fn(&str) -> String) -> Numbers {
    let words = FREQUENT.split_whitespace().zip(0..);
    let known: FxHashMap<Box<[u8]>, u8> = words.map(|(w, n)| (turn(w).into_bytes().into(), n)).collect();
    let mut lengths = [0; 32];
    for word in known.keys() {
        lengths[usize::from(word.first().map_or(0, |b| b & 31))] |= 1 << word.len();
    }
    Numbers { known, lengths }
}

impl Numbers {
    /// Case makes no difference to the low bits of a letter.
    fn of(&self, word: &[u8]) -> Option<u8> {
        let first = word.first()? & 31;
        if word.len() > LONGEST || self.lengths[usize::from(first)] >> word.len() & 1 == 0 {
            return None;
        }
        let mut small = [0u8; LONGEST];
        let letters = &mut small[..word.len()];
        letters.copy_from_slice(word);
        letters.make_ascii_lowercase();
        self.known.get(&*letters).copied()
    }
}

/// Different frequent words at the beginning of the text.
pub(super) fn frequent(text: &str) -> usize {
    count(text, &FORWARDS)
}

/// Different frequent words at the beginning of the text that stand in it backwards.
pub(super) fn frequent_backwards(text: &str) -> usize {
    count(text, &BACKWARDS)
}

fn count(text: &str, known: &Numbers) -> usize {
    let first = text.as_bytes().get(..SAMPLE).unwrap_or(text.as_bytes());
    let mut seen = [0u64; 4];
    let mut see = |word: &[u8]| {
        if let Some(n) = known.of(word) {
            seen[usize::from(n) / 64] |= 1 << (n % 64);
        }
    };
    // Most texts need no characters made out.
    if first.is_ascii() {
        first.split(|b| !b.is_ascii_alphabetic()).for_each(see);
    } else {
        let end = text.char_indices().nth(SAMPLE).map_or(text.len(), |(at, _)| at);
        text[..end].split(is_between).for_each(|word| see(word.as_bytes()));
    }
    seen.iter().map(|s| s.count_ones() as usize).sum()
}

/// What parts words. Beyond ASCII these are the usual spaces and punctuation; all else may be a letter.
fn is_between(c: char) -> bool {
    match c {
        '\0'..='\x7f' => !c.is_ascii_alphabetic(),
        '\u{a0}'..='\u{bf}' | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}' | '\u{fffd}'.. => true,
        _ => false,
    }
}

/// UTF-8 that is a JSON document, or looks like sentences in a script that has spaces and vowels.
pub(super) fn reads(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let printable = !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    (printable && (is_json(text) || is_prose(text))).then_some(text)
}

/// An object or an array with something in it.
pub(super) fn is_json(text: &str) -> bool {
    let text = text.trim();
    let bracketed =
        text.starts_with('{') && text.ends_with('}') || text.starts_with('[') && text.ends_with(']');
    bracketed && text.contains('"') && serde_json::from_str::<serde_json::Value>(text).is_ok()
}

/// Small letters and spaces in the shares that sentences have.
pub(super) fn is_prose(text: &str) -> bool {
    let share = |part: usize, of: usize| part * 100 / of.max(1);
    let spaces = memchr::memchr_iter(b' ', text.as_bytes()).count();
    // A character has one to four octets, so that this settles most of what is no prose at once.
    if text.len() < 12 || share(spaces, text.len()) > 32 || share(spaces * 4, text.len()) < 7 {
        return false;
    }
    let (mut n, mut small, mut vowels, mut letters) = (0, 0, 0, 0);
    for c in text.chars() {
        n += 1;
        small += usize::from(c.is_lowercase());
        vowels += usize::from(is_vowel(c));
        letters += usize::from(c.is_alphabetic());
    }
    n >= 12
        && (letters + spaces) * 100 >= n * 80
        && small * 100 >= letters * 70
        && spaces * 100 >= n * 7
        && spaces * 100 <= n * 32
        && vowels * 100 >= letters * 22
        && vowels * 100 <= letters * 58
}

fn is_vowel(c: char) -> bool {
    matches!(
        c,
        'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'ä' | 'ö' | 'ü' | 'é' | 'è' | 'à' | 'A' | 'E' | 'I' | 'O' | 'U'
    )
}
