//! `plainsight diff`: what changed between two reports.

use super::report::saved;
use crate::cli::args::DiffArgs;
use crate::cli::fault::Fault;
use crate::cli::output;
use plainsight::report::diff::{Change, Turn, diff};
use plainsight::report::lines::clean;
use std::fmt::Write;

/// Lists the changes; 1 where something got worse and that was to fail.
pub fn run(d: &DiffArgs) -> Result<u8, Fault> {
    if d.old.as_os_str() == "-" && d.new.as_os_str() == "-" {
        return Err(Fault::Usage("standard input (`-`) can be read only once".to_owned()));
    }
    let changes = diff(&saved(&d.old)?, &saved(&d.new)?);
    let text = match d.json {
        true => serde_json::to_string_pretty(&changes).unwrap_or_default() + "\n",
        false => page(&changes),
    };
    output::say(&text)?;
    let worse = changes.iter().any(|c| c.turn == Turn::Worse);
    Ok(u8::from(worse && d.fail_on_regression))
}

fn page(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "nothing changed\n".to_owned();
    }
    let mut text = String::new();
    for c in changes {
        let turn = match c.turn {
            Turn::Worse => "worse ",
            Turn::Other => "      ",
            Turn::Better => "better",
        };
        let said = match (c.before.as_str(), c.after.as_str()) {
            ("", "") => String::new(),
            ("", now) => format!("new: {now}"),
            (before, "") => format!("gone: {before}"),
            (before, now) => format!("{before} -> {now}"),
        };
        let _ = writeln!(text, "{turn}  {:<12}  {}: {}", c.what, clean(&c.name), clean(&said));
    }
    text
}
