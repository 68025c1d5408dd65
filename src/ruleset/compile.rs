//! The rules in a form that is fast to ask: an index by the last name of the field, and one automaton
//! over the keywords of all rules that name no field.

use super::{Hit, Rule, Subject, language, places};
use crate::layers::envelope::grammar::notice::is_fallback;
use crate::model::Memo;
use crate::peel::Form;
use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes of a text that are searched for keywords.
const TEXT: usize = 16 << 10;

/// Compiled rules.
#[derive(Debug)]
pub(super) struct Compiled {
    /// Tells these rules from others that a thread may have asked before.
    serial: u64,
    /// Rules by the last, literal name of one of their field globs.
    by_name: FxHashMap<String, Vec<u16>>,
    /// Rules whose globs end in a wildcard.
    by_glob: Vec<u16>,
    /// Keywords of rules without a field, and whose they are.
    words: Option<AhoCorasick>,
    /// For each word, the place of its rule in `wordy`.
    word_rules: Vec<u32>,
    /// Rules without a field, at most 128 of them.
    wordy: Vec<u16>,
    /// Keywords of rules with a field, one of which must be in the text.
    needles: Vec<Option<AhoCorasick>>,
    regexes: Vec<Option<Regex>>,
}

/// Compiles a rule's regular expression, bounded in size.
pub(super) fn regex(text: &str) -> Result<Regex, regex::Error> {
    // Words and digits are ASCII in every rule: without that the fast engines could not be used.
    RegexBuilder::new(text).unicode(false).size_limit(1 << 20).dfa_size_limit(4 << 20).build()
}

thread_local! {
    /// The keywords in texts met lately.
    static WORDS: RefCell<Memo<u128>> = RefCell::default();
}

static SERIAL: AtomicU64 = AtomicU64::new(0);

impl Compiled {
    pub fn new(rules: &[Rule]) -> Self {
        let mut by_name: FxHashMap<String, Vec<u16>> = FxHashMap::default();
        let (mut by_glob, mut words) = (Vec::new(), Vec::new());
        let (mut word_rules, mut wordy) = (Vec::new(), Vec::new());
        for (i, rule) in (0..=u16::MAX).zip(rules) {
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
        let needles = |r: &Rule| match r.place.field.is_empty() {
            true => None,
            false => automaton(&r.what.keywords),
        };
        Self {
            serial: SERIAL.fetch_add(1, Relaxed),
            by_name,
            by_glob,
            words: automaton(&words),
            word_rules,
            wordy,
            needles: rules.iter().map(needles).collect(),
            regexes: rules.iter().map(|r| r.what.regex.as_deref().and_then(|t| regex(t).ok())).collect(),
        }
    }

    pub fn matches(&self, rules: &[Rule], subject: &Subject<'_>, hits: &mut Vec<Hit>) {
        let from = hits.len();
        let mut text = Text { subject, natural: None };
        let mut ask = |rule: u16| {
            let rule = usize::from(rule);
            if !hits[from..].contains(&Hit { rule }) && self.says(&rules[rule], rule, &mut text) {
                hits.push(Hit { rule });
            }
        };
        places::looking(self.serial, subject, |field| self.looking(rules, subject, field), &mut ask);
        if subject.form == Form::Text {
            // Each rule is asked once, however often its words occur.
            let mut called = self.called(&subject.bytes[..subject.bytes.len().min(TEXT)]);
            while called != 0 {
                let rule = self.wordy[called.trailing_zeros() as usize];
                if looks_here(&rules[usize::from(rule)], subject, "") {
                    ask(rule);
                }
                called &= called - 1;
            }
        }
        hits[from..].sort_by_key(|h| h.rule);
    }

    /// The rules without a field one of whose keywords is in the text, by place in `wordy`.
    fn called(&self, text: &[u8]) -> u128 {
        let Some(words) = &self.words else { return 0 };
        let places = || {
            let found = words.find_overlapping_iter(text);
            found.fold(0u128, |called, m| called | 1 << self.word_rules[m.pattern().as_usize()])
        };
        WORDS.with_borrow_mut(|known| known.answer(self.serial, text, places))
    }

    /// The rules with a field that look at this place, whatever stands in it.
    fn looking(&self, rules: &[Rule], subject: &Subject<'_>, field: &str) -> Vec<u16> {
        let named = self.by_name.get(last_name(field)).into_iter().flatten();
        let mut found: Vec<u16> = Vec::new();
        for rule in named.chain(&self.by_glob).copied() {
            if !found.contains(&rule) && looks_here(&rules[usize::from(rule)], subject, field) {
                found.push(rule);
            }
        }
        found
    }

    /// Whether a rule that looks at this place holds for what stands there.
    fn says(&self, rule: &Rule, index: usize, text: &mut Text<'_, '_>) -> bool {
        let (s, place, what) = (text.subject, &rule.place, &rule.what);
        let size = s.bytes.len();
        if size < what.min || what.max.is_some_and(|m| size > m) {
            return false;
        }
        let serves = |w: &String| {
            [s.context.host(), s.context.request_path()].into_iter().flatten().any(|n| holds_word(n, w))
        };
        if !place.service.is_empty() && !place.service.iter().any(serves) {
            return false;
        }
        let leads = |w: &String| s.context.request_path().is_some_and(|p| holds_word(p, w));
        if !place.path.is_empty() && !place.path.iter().any(leads) {
            return false;
        }
        let media = || s.context.content_type().and_then(|t| t.split(';').next()).unwrap_or("").trim();
        if place.no_media.iter().any(|m| m.eq_ignore_ascii_case(media())) {
            return false;
        }
        let start = &s.bytes[..size.min(TEXT)];
        self.needles[index].as_ref().is_none_or(|words| words.is_match(start))
            && self.regexes[index].as_ref().is_none_or(|regex| regex.is_match(start))
            && what.language.is_none_or(|percent| text.natural() >= f32::from(percent))
            && (!what.notice || std::str::from_utf8(s.bytes).is_ok_and(is_fallback))
    }
}

/// What stands in the field, with what was found out about it.
struct Text<'a, 's> {
    subject: &'a Subject<'s>,
    natural: Option<f32>,
}

impl Text<'_, '_> {
    /// How much it reads like language, in percent; negative for no text.
    fn natural(&mut self) -> f32 {
        let bytes = self.subject.bytes;
        *self
            .natural
            .get_or_insert_with(|| std::str::from_utf8(bytes).map_or(-1.0, |t| language::natural(t) * 100.0))
    }
}

/// Whether the rule looks at fields of this kind and place; `field` is the cleaned path.
fn looks_here(rule: &Rule, s: &Subject<'_>, field: &str) -> bool {
    let place = &rule.place;
    if place.side.is_some_and(|x| x != s.side)
        || place.guard.is_some_and(|x| x != s.guard)
        || place.form.is_some_and(|x| x != s.form)
    {
        return false;
    }
    let within = |names: &[String]| s.layers.split('/').any(|l| names.iter().any(|x| x == l));
    if !place.layers.is_empty() && !within(&place.layers) || within(&place.no_layers) {
        return false;
    }
    let is_one = |globs: &[String]| globs.iter().any(|g| fits(g, field));
    (place.field.is_empty() || is_one(&place.field)) && !is_one(&place.no_field)
}

/// Finds any of the words, whatever their case.
fn automaton(words: &[String]) -> Option<AhoCorasick> {
    let build = || AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok();
    (!words.is_empty()).then(build).flatten()
}

/// The word stands in the text as a word of its own, letters and digits being parts of words.
fn holds_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word))
}

/// The last name of a field path: behind the last `.`, `>` or `/`, without list positions. What was
/// undone inside a field without names of its own (base64) keeps the field's name.
fn last_name(field: &str) -> &str {
    let field = carrier(field);
    let name = field.rsplit(['.', '>']).next().unwrap_or("");
    name.split('[').next().unwrap_or("")
}

/// Parts of a field that have no names of their own.
const UNNAMED: [&str; 3] = [">line", ">markup", ">frame"];

/// The field that something came out of: lines and frames inside a field have no names of their own.
fn carrier(field: &str) -> &str {
    let mut field = field.trim_end_matches('>');
    while let Some(outer) = UNNAMED.iter().find_map(|part| field.strip_suffix(part)) {
        field = outer.trim_end_matches('>');
    }
    field
}

/// A field path in lower case and without list positions, appended to `text`.
pub(super) fn clean(field: &str, text: &mut String) {
    let (field, from) = (carrier(field), text.len());
    // Every piece but the first begins with a position.
    for (i, piece) in field.split('[').enumerate() {
        let outside = if i == 0 { piece } else { piece.split_once(']').map_or("", |(_, behind)| behind) };
        outside.split(']').for_each(|part| text.push_str(part));
    }
    text[from..].make_ascii_lowercase();
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
        let mut text = String::new();
        clean(field, &mut text);
        fits(pattern, &text)
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
