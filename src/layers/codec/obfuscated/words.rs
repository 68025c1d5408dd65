//! Whether text reads as something a person or a program wrote.

use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// Words that most sentences of their language have one of, three letters and more.
const FREQUENT: &str = "the and you that for with this have not are was but what all were when your can there \
    will out about them then would like him has look more see could people been who now find down day did get \
    come tomorrow today tonight know just here must need please meet meeting later send money home hello thanks \
    der die und das ist nicht ich ein eine den wir sie mit auf für morgen auch noch kommt heute \
    que los las una por con para como pero mañana esta est les des une pas vous dans pour avec sur demain \
    che non per una con sono domani het een van niet dat zijn";

static KNOWN: LazyLock<FxHashSet<&str>> = LazyLock::new(|| FREQUENT.split_whitespace().collect());
/// Characters that are looked at for words.
const SAMPLE: usize = 1024;

/// Different frequent words at the beginning of the text.
pub(super) fn frequent(text: &str) -> usize {
    let sample: String = text.chars().take(SAMPLE).flat_map(char::to_lowercase).collect();
    let words = sample.split(|c: char| !c.is_alphabetic()).filter(|w| w.len() >= 3);
    words.filter_map(|w| KNOWN.get(w).copied()).collect::<FxHashSet<_>>().len()
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
    let n = text.chars().count();
    let count = |fits: fn(char) -> bool| text.chars().filter(|c| fits(*c)).count();
    let small = count(char::is_lowercase);
    let spaces = count(|c| c == ' ');
    let vowels = count(|c| "aeiouyäöüéèàAEIOU".contains(c));
    let letters = count(char::is_alphabetic);
    n >= 12
        && (letters + spaces) * 100 >= n * 80
        && small * 100 >= letters * 70
        && spaces * 100 >= n * 7
        && spaces * 100 <= n * 32
        && vowels * 100 >= letters * 22
        && vowels * 100 <= letters * 58
}
