//! `plainsight rules`: list, check and test rules.

use crate::cli::args::RulesAction;
use crate::cli::fault::Fault;
use crate::cli::{meant, output};
use plainsight::ruleset::{self, Means, Rule, Severity};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Columns of the tables.
const WIDTH: usize = 80;
/// Columns before the titles.
const BEFORE: usize = 37;

/// Does what is asked; 1 where a rule is wrong.
pub fn run(action: &RulesAction) -> Result<u8, Fault> {
    match action {
        RulesAction::List { rules } => list(rules),
        RulesAction::Check { paths } => check(paths),
        RulesAction::Test { rules } => test(rules),
    }
}

fn list(folders: &[PathBuf]) -> Result<u8, Fault> {
    let set = meant::rules(folders)?;
    let mut text = format!("{:<26}{:<11}WHAT IT FINDS\n", "ID", "SEVERITY");
    for rule in set.rules() {
        row(&mut text, rule);
    }
    let _ = writeln!(text, "\n{} rules, digest {}", set.rules().len(), set.digest());
    output::say(&text).map(|()| 0)
}

/// One rule, its title wrapped below itself. An id that is too long gets a line of its own.
fn row(text: &mut String, rule: &Rule) {
    let severity = match rule.severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    };
    match rule.id.chars().count() < 26 {
        true => _ = write!(text, "{:<26}{severity:<11}", rule.id),
        false => _ = write!(text, "{}\n{:<26}{severity:<11}", rule.id, ""),
    }
    let title = format!("{} [{}]", rule.title, means(&rule.means));
    for (i, line) in wrap(&title, WIDTH - BEFORE).iter().enumerate() {
        let indent = if i == 0 { 0 } else { BEFORE };
        let _ = writeln!(text, "{:indent$}{line}", "");
    }
}

fn means(m: &Means) -> String {
    let parts = [("finding", &m.finding), ("metadata", &m.metadata), ("slot", &m.slot)];
    let said: Vec<String> =
        parts.iter().filter_map(|(kind, name)| Some(format!("{kind} {}", name.as_ref()?))).collect();
    said.join(", ")
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

/// Every file is looked at, so that all mistakes are seen at once.
fn check(paths: &[PathBuf]) -> Result<u8, Fault> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        walk(path, &mut files)?;
        if files.len() == before {
            return Err(Fault::Input(format!("{}: holds no rule (.toml) file", path.display())));
        }
    }
    let (mut text, mut good, mut examples) = (String::new(), 0, 0);
    for file in &files {
        match ruleset::check(file) {
            Ok(rules) => {
                good += rules.len();
                examples += rules.iter().map(|r| r.hits.len() + r.misses.len()).sum::<usize>();
            }
            Err(e) => _ = writeln!(text, "{e}"),
        }
    }
    let wrong = files.len() - good;
    let _ =
        writeln!(text, "{good} rules are right and agree with their {examples} examples; {wrong} are wrong");
    output::say(&text).map(|()| u8::from(wrong > 0))
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Fault> {
    let fail = |e| Fault::read("the rule file or folder", &path.display().to_string(), &e);
    if !std::fs::metadata(path).map_err(fail)?.is_dir() {
        std::fs::File::open(path).map_err(fail)?;
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fail)? {
        entries.push(entry.map_err(fail)?.path());
    }
    entries.sort();
    // Folders that are links are not followed: they may lead back to where we are.
    let folder = |p: &PathBuf| p.is_dir() && !p.is_symlink();
    for p in entries.iter().filter(|p| folder(p) || p.extension().is_some_and(|e| e == "toml")) {
        walk(p, files)?;
    }
    Ok(())
}

fn test(folders: &[PathBuf]) -> Result<u8, Fault> {
    let set = meant::rules(folders)?;
    let report = set.test();
    let mut text: String = report.failures.iter().map(|f| format!("{f}\n")).collect();
    let (rules, failed) = (set.rules().len(), report.failures.len());
    let _ = writeln!(text, "{} examples of {rules} rules were run; {failed} disagree", report.examples);
    output::say(&text).map(|()| u8::from(failed > 0))
}
