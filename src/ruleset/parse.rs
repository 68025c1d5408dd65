//! Reads one rule file.

use super::{Context, Subject};
use crate::model::Side;
use crate::peel::{Form, Guard};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How bad a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// A rule file with a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// The file.
    pub file: String,
    /// What is wrong and where.
    pub reason: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.reason)
    }
}

impl std::error::Error for RuleError {}

/// One rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable name, equal to the file's.
    pub id: String,
    /// Raised when the meaning changes.
    pub version: u32,
    /// What it finds, for people.
    pub title: String,
    /// Why that matters.
    pub why: String,
    /// How bad a match is.
    pub severity: Severity,
    /// How sure a match is.
    pub confidence: crate::ruleset::parse::Sure,
    /// Documents.
    #[serde(default)]
    pub references: Vec<String>,
    /// Where it looks.
    #[serde(default, rename = "where")]
    pub place: Place,
    /// What it looks for.
    #[serde(default)]
    pub what: What,
    /// What a match means.
    pub means: Means,
    /// Examples that must match.
    #[serde(default, rename = "hit")]
    pub hits: Vec<Example>,
    /// Examples that must not.
    #[serde(default, rename = "miss")]
    pub misses: Vec<Example>,
    /// The file's text, for the digest.
    #[serde(skip)]
    pub source: String,
}

/// How sure a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Sure {
    Low,
    Medium,
    High,
}

/// Where a rule looks. Everything that is given must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Names of layers, one of which is in the path.
    #[serde(default)]
    pub layers: Vec<String>,
    /// Names of layers, none of which is in the path.
    #[serde(default)]
    pub no_layers: Vec<String>,
    /// Media types, none of which its message states (RFC 9110 section 8.3.1).
    #[serde(default)]
    pub no_media: Vec<String>,
    /// Field globs; `**.name` is any field of that name, `*` any part of a name.
    #[serde(default)]
    pub field: Vec<String>,
    /// Field globs, none of which it is.
    #[serde(default)]
    pub no_field: Vec<String>,
    /// Words, one of which is in the host or the request's path.
    #[serde(default)]
    pub service: Vec<String>,
    /// Words, one of which is in the request's path.
    #[serde(default)]
    pub path: Vec<String>,
    /// Who sends it.
    pub side: Option<Side>,
    /// Whether it was confidential on the wire.
    pub guard: Option<Guard>,
    /// How its layer sees it.
    pub form: Option<Form>,
}

/// What a rule looks for. Everything that is given must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct What {
    /// One of these words is in the text, whatever its case.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// The text matches.
    pub regex: Option<String>,
    /// Bytes at least.
    #[serde(default)]
    pub min: usize,
    /// Bytes at most.
    pub max: Option<usize>,
    /// Reads like language at least this much, in percent.
    pub language: Option<u8>,
    /// Says that a message is encrypted, and nothing else.
    #[serde(default)]
    pub notice: bool,
}

/// What a match means.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Means {
    /// Finding id.
    pub finding: Option<String>,
    /// Row of the who-learns-what matrix.
    pub metadata: Option<String>,
    /// Kind of field.
    pub slot: Option<String>,
}

/// An example of a rule's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Layer path.
    #[serde(default)]
    pub layers: String,
    /// Field path.
    #[serde(default)]
    pub field: String,
    /// The text.
    pub text: String,
    /// Host.
    pub host: Option<String>,
    /// Request path.
    pub path: Option<String>,
    /// Media type that the message states.
    pub media: Option<String>,
}

impl Context for Example {
    fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }
    fn request_path(&self) -> Option<&str> {
        self.path.as_deref()
    }
    fn content_type(&self) -> Option<&str> {
        self.media.as_deref()
    }
}

impl Example {
    /// As the rules see it.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            layers: &self.layers,
            field: &self.field,
            context: self,
            side: Side::Client,
            guard: Guard::Open,
            form: Form::Text,
            bytes: self.text.as_bytes(),
        }
    }
}

/// Parses the text of a rule file.
pub(super) fn rule(text: &str, file: &str) -> Result<Rule, RuleError> {
    let fail = |reason: String| RuleError { file: file.to_owned(), reason };
    let mut rule: Rule = toml::from_str(text).map_err(|e| fail(e.to_string().replace('\n', " ")))?;
    if rule.place.field.is_empty() && rule.what.keywords.is_empty() {
        return Err(fail(
            "a rule needs `where.field` or `what.keywords`, so that it is not run on everything".into(),
        ));
    }
    if let Some(regex) = &rule.what.regex {
        super::compile::regex(regex).map_err(|e| fail(format!("what.regex: {e}").replace('\n', " ")))?;
    }
    if rule.means.finding.is_none() && rule.means.metadata.is_none() && rule.means.slot.is_none() {
        return Err(fail("[means] says nothing: give a finding, a metadata item or a slot".into()));
    }
    let Place { field, no_field, .. } = &mut rule.place;
    field.iter_mut().chain(no_field).for_each(|g| g.make_ascii_lowercase());
    rule.source = text.to_owned();
    Ok(rule)
}
