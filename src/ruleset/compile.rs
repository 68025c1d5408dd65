//! The rules in a form that is fast to ask: an index by the last name of the field, and one automaton
//! over the keywords of all rules that name no field.

use super::{Hit, Rule, Subject, language};
use crate::peel::Form;
use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;

/// Bytes of a text that are searched for keywords.
const TEXT: usize = 16 << 10;

/// Compiled rules.
#[derive(Debug)]
pub(super) struct Compiled {
    /// Rules by the last, literal name of one of their field globs.
    by_name: FxHashMap<String, Vec<usize>>,
    /// Rules whose globs end in a wildcard.
    by_glob: Vec<usize>,
    /// Keywords of rules without a field, and whose they are.
    words: Option<AhoCorasick>,
    /// For each word, the place of its rule in `wordy`.
    word_rules: Vec<u32>,
    /// Rules without a field, at most 128 of them.
    wordy: Vec<usize>,
    regexes: Vec<Option<Regex>>,
}

/// Compiles a rule's regular expression, bounded in size.
pub(super) fn regex(text: &str) -> Result<Regex, regex::Error> {
    // Words and digits are ASCII in every rule: without that the fast engines could not be used.
    RegexBuilder::new(text).unicode(false).size_limit(1 << 20).dfa_size_limit(1 << 20).build()
}

impl Compiled {
    pub fn new(rules: &[Rule]) -> Self {
        let mut by_name: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        let (mut by_glob, mut words) = (Vec::new(), Vec::new());
        let (mut word_rules, mut wordy) = (Vec::new(), Vec::new());
        for (i, rule) in rules.iter().enumerate() {
            for glob in &rule.place.field {
                let last = last_name(glob).to_ascii_lowercase();
                if last.contains('*') {
                    by_glob.push(i);
                } else {
                    by_name.entry(last).or_default().push(i);
                }
            }
            if rule.place.field.is_empty() && wordy.len() < 128 {
                for word in &rule.what.keywords {
                    words.push(word.to_ascii_lowercase());
                    word_rules.push(wordy.len() as u32);
                }
                wordy.push(i);
            }
        }
        by_name.values_mut().for_each(|l| l.dedup());
        by_glob.dedup();
        let words = (!words.is_empty())
            .then(|| AhoCorasick::builder().ascii_case_insensitive(true).build(&words).ok())
            .flatten();
        let regexes = rules.iter().map(|r| r.what.regex.as_deref().and_then(|t| regex(t).ok())).collect();
        Self { by_name, by_glob, words, word_rules, wordy, regexes }
    }

    pub fn matches(&self, rules: &[Rule], subject: &Subject<'_>, hits: &mut Vec<Hit>) {
        let from = hits.len();
        let field = clean(subject.field);
        let mut ask = |rule: usize| {
            if !hits[from..].contains(&Hit { rule }) && self.holds(&rules[rule], rule, subject, &field) {
                hits.push(Hit { rule });
            }
        };
        let last = last_name(subject.field);
        let mut lower = [0u8; 48];
        if let Some(buffer) = lower.get_mut(..last.len()) {
            buffer.copy_from_slice(last.as_bytes());
            buffer.make_ascii_lowercase();
            let named = std::str::from_utf8(buffer).ok().and_then(|n| self.by_name.get(n));
            named.into_iter().flatten().for_each(|r| ask(*r));
        }
        self.by_glob.iter().for_each(|r| ask(*r));
        if let Some(words) = self.words.as_ref().filter(|_| subject.form == Form::Text) {
            // Each rule is asked once, however often its words occur.
            let text = &subject.bytes[..subject.bytes.len().min(TEXT)];
            let mut called = 0u128;
            for m in words.find_overlapping_iter(text) {
                called |= 1u128 << self.word_rules[m.pattern().as_usize()];
            }
            while called != 0 {
                ask(self.wordy[called.trailing_zeros() as usize]);
                called &= called - 1;
            }
        }
        hits[from..].sort_by_key(|h| h.rule);
    }

    fn holds(&self, rule: &Rule, index: usize, s: &Subject<'_>, field: &str) -> bool {
        let place = &rule.place;
        let what = &rule.what;
        let size = s.bytes.len();
        if size < what.min || what.max.is_some_and(|m| size > m) {
            return false;
        }
        if place.side.is_some_and(|x| x != s.side)
            || place.guard.is_some_and(|x| x != s.guard)
            || place.form.is_some_and(|x| x != s.form)
        {
            return false;
        }
        if !place.layers.is_empty() && !s.layers.split('/').any(|l| place.layers.iter().any(|x| x == l)) {
            return false;
        }
        if !place.field.is_empty() && !place.field.iter().any(|g| fits(g, field)) {
            return false;
        }
        let serves =
            |w: &String| s.host.is_some_and(|h| holds_word(h, w)) || s.path.is_some_and(|p| holds_word(p, w));
        if !place.service.is_empty() && !place.service.iter().any(serves) {
            return false;
        }
        if !place.field.is_empty() && !what.keywords.is_empty() {
            let text = s.bytes[..s.bytes.len().min(TEXT)].to_ascii_lowercase();
            if !what
                .keywords
                .iter()
                .any(|k| memchr::memmem::find(&text, k.to_ascii_lowercase().as_bytes()).is_some())
            {
                return false;
            }
        }
        if let Some(regex) = &self.regexes[index]
            && !regex.is_match(&s.bytes[..s.bytes.len().min(TEXT)])
        {
            return false;
        }
        match what.language {
            Some(percent) => {
                std::str::from_utf8(s.bytes).is_ok_and(|t| language::natural(t) * 100.0 >= f32::from(percent))
            }
            None => true,
        }
    }
}

/// The word stands in the text as a word of its own, letters and digits being parts of words.
fn holds_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word))
}

/// The last name of a field path: behind the last `.`, `>` or `/`, without list positions. What was
/// undone inside a field without names of its own (base64) keeps the field's name.
fn last_name(field: &str) -> &str {
    let field = field.trim_end_matches('>');
    let name = field.rsplit(['.', '>']).next().unwrap_or("");
    name.split('[').next().unwrap_or("")
}

/// A field path in lower case and without list positions.
fn clean(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut inside = false;
    for c in field.trim_end_matches('>').chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ if inside => {}
            _ => text.push(c.to_ascii_lowercase()),
        }
    }
    text
}

/// `**.` stands for any path in front, `*` for anything within one glob. Globs are in lower case.
fn fits(pattern: &str, clean: &str) -> bool {
    match pattern.strip_prefix("**.") {
        Some(tail) => {
            let mut starts = std::iter::once(0).chain(clean.match_indices(['.', '>']).map(|(i, _)| i + 1));
            starts.any(|i| wild(tail.as_bytes(), &clean.as_bytes()[i..]))
        }
        None => wild(pattern.as_bytes(), clean.as_bytes()),
    }
}

fn wild(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=text.len()).any(|i| wild(rest, &text[i..])),
        (Some((p, rest)), Some((t, tail))) if p == t => wild(rest, tail),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(pattern: &str, field: &str) -> bool {
        fits(pattern, &clean(field))
    }

    #[test]
    fn globs_name_fields_wherever_they_stand() {
        assert!(glob("**.body", "$.content.body"));
        assert!(glob("**.body", "$.events[3].content.Body"));
        assert!(glob("**.content.body", "$.events[3].content.body"));
        assert!(!glob("**.body", "$.somebody"));
        assert!(glob("header.x-*-token", "header.x-auth-token"));
        assert!(glob("**.text", "$.blob>text"));
        assert_eq!(last_name("$.messages[0].content"), "content");
        assert_eq!(last_name("$.messages[0].content>"), "content");
    }
}
