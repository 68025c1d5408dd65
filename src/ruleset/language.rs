//! How much a text reads like something a person wrote, in any script.

/// 0 for identifiers, numbers, markup and tokens, towards 1 for sentences. A word or two score about a
/// half: they may be language.
pub fn natural(text: &str) -> f32 {
    let text = text.trim();
    let sample = beginning(text, 600);
    let total = sample.chars().count();
    if total < 2 {
        return 0.0;
    }
    let mut counts = Counts::default();
    sample.chars().for_each(|c| counts.add(c));
    let odd = counts.odd as f32 / total as f32;
    let letters = counts.letters as f32 / total as f32;
    if letters < 0.45 || odd > 0.2 || looks_technical(sample) {
        return 0.0;
    }
    // Scripts that write no spaces between words.
    if counts.ideographs * 2 > counts.letters {
        return if counts.ideographs >= 4 { 0.9 } else { 0.6 };
    }
    let words: Vec<&str> = sample.split_whitespace().collect();
    let wordy = words.iter().filter(|w| is_word(w)).count();
    let share = wordy as f32 / words.len() as f32;
    match wordy {
        0 => 0.0,
        1 if words.len() == 1 => 0.4,
        1 => 0.4 * share,
        2 => 0.65 * share,
        _ => (0.75 + 0.05 * wordy.min(5) as f32) * share.max(0.3),
    }
}

/// The first `n` characters.
fn beginning(text: &str, n: usize) -> &str {
    // A character is a byte at least.
    match text.len() <= n {
        true => text,
        false => text.char_indices().nth(n).map_or(text, |(at, _)| &text[..at]),
    }
}

#[derive(Default)]
struct Counts {
    letters: usize,
    ideographs: usize,
    odd: usize,
}

impl Counts {
    fn add(&mut self, c: char) {
        self.letters += usize::from(c.is_alphabetic());
        let wide = matches!(c as u32, 0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x30ff | 0x3400..=0x9fff | 0x20000..=0x2fa1f);
        self.ideographs += usize::from(wide);
        self.odd += usize::from(matches!(
            c,
            '{' | '}'
                | '<'
                | '>'
                | '='
                | '\\'
                | '|'
                | '^'
                | '~'
                | '`'
                | '_'
                | '['
                | ']'
                | '%'
                | '$'
                | '&'
                | '\u{fffd}'
        ));
    }
}

/// URLs, paths, media types, addresses and dotted or dashed names without spaces.
fn looks_technical(text: &str) -> bool {
    if text.contains("://") && text.split_whitespace().count() < 3 {
        return true;
    }
    if text.split_whitespace().count() > 1 {
        return false;
    }
    let joined = text.chars().any(|c| matches!(c, '/' | '@' | ':' | '_' | '=' | '+'));
    let dotted = text.trim_end_matches(['.', '!', '?', ',']).chars().any(|c| matches!(c, '.' | '-'))
        && text.is_ascii();
    let digits = text.chars().any(|c| c.is_ascii_digit()) && text.is_ascii();
    let humps = text.chars().zip(text.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    joined || dotted || digits || humps || text.chars().count() > 24 && text.is_ascii()
}

/// Letters, perhaps with an apostrophe or a hyphen inside and punctuation around, with vowels where the
/// script has them, and of a length that words have.
fn is_word(word: &str) -> bool {
    let core = word.trim_matches(|c: char| !c.is_alphanumeric());
    let n = core.chars().count();
    if n == 0 || n > 24 {
        return false;
    }
    let letters = core.chars().filter(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-')).count();
    if letters < n {
        return false;
    }
    let humps = core.chars().zip(core.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    if humps {
        return false;
    }
    if !core.is_ascii() {
        return true;
    }
    n <= 2
        || core.chars().any(|c| matches!(c.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y'))
        || n <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_in_many_scripts_read_like_language() {
        for text in [
            "see you at the old bridge at noon",
            "Grüße aus Köln, bis morgen!",
            "où est le café?",
            "Встретимся завтра у моста",
            "明日の正午に橋の下で",
            "我们明天中午见面吧",
            "내일 정오에 다리 아래에서 만나요",
            "سنلتقي غدا تحت الجسر",
            "ניפגש מחר מתחת לגשר",
            "कल पुल के नीचे मिलते हैं",
            "พบกันพรุ่งนี้ใต้สะพาน",
            "Θα τα πούμε αύριο το μεσημέρι",
            "we paid 1800 euros for the boat",
        ] {
            assert!(natural(text) >= 0.6, "{text}: {}", natural(text));
        }
    }

    #[test]
    fn machine_words_do_not() {
        for text in [
            "c21680ac-9c63-4ad9-9a58-be7f99861247",
            "application/json; charset=utf-8",
            "m.room.message",
            "https://example.org/a/b?c=d",
            "1732450000123",
            "AQIDBAUGBwgJCgsMDQ4PEA==",
            "{\"a\":1}",
            "<p class=x>",
            "destinationDeviceId",
            "@alice:example.org",
            "Mozilla/5.0",
        ] {
            assert!(natural(text) < 0.35, "{text}: {}", natural(text));
        }
    }
}
