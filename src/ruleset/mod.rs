//! Rules: what kind of field this is, which data item it gives away, what is wrong with it. Rules are
//! TOML files under `rules/`, embedded in the binary and extendable with folders of the user's.

pub mod apps;
mod compile;
mod embedded;
pub mod language;
mod parse;
mod places;

pub use parse::{Example, Means, Rule, RuleError, Severity};

use crate::model::Side;
use crate::peel::{Form, Guard};
use compile::Compiled;
use std::path::{Path, PathBuf};

/// What the exchange around a field says. It is asked for only where a rule depends on it.
pub trait Context {
    /// Host that it names.
    fn host(&self) -> Option<&str>;
    /// Path of the request.
    fn request_path(&self) -> Option<&str>;
    /// Media type that it names.
    fn content_type(&self) -> Option<&str>;
}

/// A field that rules look at.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Layer path, such as `tls/http1/json`.
    pub layers: &'a str,
    /// Field path, items inside items joined by `>`.
    pub field: &'a str,
    /// The exchange around it.
    pub context: &'a dyn Context,
    /// Who sent it.
    pub side: Side,
    /// Whether it was confidential on the wire.
    pub guard: Guard,
    /// How its layer sees it.
    pub form: Form,
    /// The bytes, at most the kept sample.
    pub bytes: &'a [u8],
}

/// A rule that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Index into [`Ruleset::rules`].
    pub rule: usize,
}

/// All rules of an audit, compiled once.
#[derive(Debug)]
pub struct Ruleset {
    rules: Vec<Rule>,
    compiled: Compiled,
    digest: String,
}

/// What running the rules' own examples came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestReport {
    /// Examples that were run.
    pub examples: usize,
    /// Rules that disagree with one of theirs, with the reason.
    pub failures: Vec<String>,
}

/// The rules in the binary. They are tested, so that building them cannot fail in a release.
pub fn embedded() -> Ruleset {
    let rules = embedded::RULES.iter().filter_map(|(name, text)| parse::rule(text, name).ok()).collect();
    Ruleset::new(rules)
}

/// The embedded rules and those of `folders`; a rule with a known id takes that one's place.
pub fn load(folders: &[PathBuf]) -> Result<Ruleset, RuleError> {
    let mut rules = embedded().rules;
    for folder in folders {
        for rule in read(folder)? {
            rules.retain(|r| r.id != rule.id);
            rules.push(rule);
        }
    }
    Ok(Ruleset::new(rules))
}

/// Reads a rule file or every `.toml` below a folder, and runs their examples.
pub fn check(path: &Path) -> Result<Vec<Rule>, RuleError> {
    let rules = read(path)?;
    let set = Ruleset::new(rules.clone());
    match set.test().failures.first() {
        Some(failure) => Err(RuleError { file: path.display().to_string(), reason: failure.clone() }),
        None => Ok(rules),
    }
}

/// A set of one rule from its text; `name` stands in messages.
pub fn from_text(text: &str, name: &str) -> Result<Ruleset, RuleError> {
    Ok(Ruleset::new(vec![parse::rule(text, name)?]))
}

fn read(path: &Path) -> Result<Vec<Rule>, RuleError> {
    let fail = |reason: String| RuleError { file: path.display().to_string(), reason };
    if path.is_file() {
        let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
        return Ok(vec![parse::rule(&text, &path.display().to_string())?]);
    }
    let entries =
        std::fs::read_dir(path).map_err(|e| fail(format!("{e}; give a folder with .toml files")))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    let mut rules = Vec::new();
    for p in paths.iter().filter(|p| p.is_dir() || p.extension().is_some_and(|e| e == "toml")) {
        rules.append(&mut read(p)?);
    }
    Ok(rules)
}

/// Bytes of a field that rules look at.
const LOOKED_AT: usize = 64 << 10;

impl Ruleset {
    fn new(mut rules: Vec<Rule>) -> Self {
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        let text: String = rules.iter().map(|r| r.source.as_str()).collect();
        Self { compiled: Compiled::new(&rules), digest: crate::model::digest16(text.as_bytes()), rules }
    }

    /// All rules, by id.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Digest of all rules' texts.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Adds the rules that hold for `subject` to `hits`, in the order of their ids.
    pub fn matches(&self, subject: &Subject<'_>, hits: &mut Vec<Hit>) {
        let bytes = &subject.bytes[..subject.bytes.len().min(LOOKED_AT)];
        self.compiled.matches(&self.rules, &Subject { bytes, ..*subject }, hits);
    }

    /// Runs every rule's examples.
    pub fn test(&self) -> TestReport {
        let mut report = TestReport::default();
        for (i, rule) in self.rules.iter().enumerate() {
            for (example, wanted) in
                rule.hits.iter().map(|e| (e, true)).chain(rule.misses.iter().map(|e| (e, false)))
            {
                report.examples += 1;
                let mut hits = Vec::new();
                self.matches(&example.subject(), &mut hits);
                if hits.contains(&Hit { rule: i }) != wanted {
                    let what = if wanted { "hit" } else { "miss" };
                    report.failures.push(format!(
                        "{}: its [[{what}]] example {:?} in field {:?} says otherwise",
                        rule.id, example.text, example.field
                    ));
                }
            }
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_rule_parses_and_agrees_with_its_examples() {
        for (name, text) in embedded::RULES {
            let rule = parse::rule(text, name).unwrap_or_else(|e| panic!("{e}"));
            assert!(name.ends_with(&format!("/{}.toml", rule.id)), "{name} holds {}", rule.id);
            assert!(!rule.hits.is_empty() && !rule.misses.is_empty(), "{name} lacks examples");
        }
        let set = embedded();
        assert_eq!(set.rules().len(), embedded::RULES.len());
        let report = set.test();
        assert!(report.failures.is_empty(), "{:#?}", report.failures);
    }
}
