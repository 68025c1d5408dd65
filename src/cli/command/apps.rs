//! `plainsight apps`: what is known of applications, and how to tell them.

use crate::cli::args::AppsAction;
use crate::cli::fault::Fault;
use crate::cli::output;
use plainsight::ruleset::apps::{self, App};
use std::fmt::Write;

/// Columns of the text.
const WIDTH: usize = 80;
/// Columns of the labels.
const LABEL: usize = 12;

/// Does what is asked.
pub fn run(action: &AppsAction) -> Result<u8, Fault> {
    match action {
        AppsAction::List => list(),
        AppsAction::Show { id } => show(id),
    }
}

fn list() -> Result<u8, Fault> {
    let mut text = format!("{:<12}{:<12}{:<9}{:<9}HOW IT TREATS MESSAGES\n", "ID", "NAME", "AS OF", "HOSTS");
    for app in apps::all() {
        let hosts: usize = app.hosts.iter().map(|h| h.names.len()).sum();
        let _ = write!(text, "{:<12}{:<12}{:<9}{hosts:<9}", app.id, app.name, app.as_of);
        hang(&mut text, &app.about, 42);
    }
    output::say(&text).map(|()| 0)
}

fn show(id: &str) -> Result<u8, Fault> {
    let wanted = id.to_lowercase();
    let found = apps::all().iter().find(|a| a.id == wanted || a.name.to_lowercase() == wanted);
    let Some(app) = found else {
        let known: Vec<&str> = apps::all().iter().map(|a| a.id.as_str()).collect();
        return Err(Fault::Usage(format!("no application is called {id}; known are {}", known.join(", "))));
    };
    output::say(&shown(app)).map(|()| 0)
}

fn shown(app: &App) -> String {
    let mut text = format!("{} ({}), as of {}\n\n", app.name, app.vendor, app.as_of);
    hang_from(&mut text, &app.about, 0);
    for hosts in &app.hosts {
        let also = hosts.ambiguous.as_ref().map_or(String::new(), |a| format!(" (shared: {a})"));
        let all = format!("{}{also}, confidence {:?}", hosts.names.join(", "), hosts.confidence);
        labelled(&mut text, hosts.role.word(), &all);
    }
    for list in &app.addresses {
        labelled(
            &mut text,
            "addresses",
            &format!("{} networks of {}: {}", list.nets.len(), list.role.word(), list.source),
        );
    }
    for mark in &app.marks {
        labelled(&mut text, "mark", &format!("{} ({:?} {})", mark.what, mark.kind, mark.value));
    }
    labelled(&mut text, "on a phone", &app.device.join(", "));
    for claim in &app.claims {
        let except = claim.except_for.as_ref().map_or(String::new(), |e| format!(" Excluded: {e}."));
        let until = claim.until.as_ref().map_or(String::new(), |u| format!(" Withdrawn after {u}."));
        let all = format!("{}{except}{until} [{}, {}]", claim.statement, claim.source, claim.date);
        labelled(&mut text, "claim", &all);
    }
    let _ = writeln!(text);
    hang_from(
        &mut text,
        "A name seen is contact with a host, not a message sent: by itself it names the app with low confidence, and never decides a verdict.",
        0,
    );
    text
}

fn labelled(text: &mut String, label: &str, what: &str) {
    let _ = write!(text, "\n{label:<LABEL$}");
    hang(text, what, LABEL);
}

/// Text that goes on at column `from` and is wrapped below itself.
fn hang(text: &mut String, what: &str, from: usize) {
    let mut used = 0;
    for word in what.split_whitespace() {
        let long = word.chars().count() + 1;
        if used > 0 && used + long > WIDTH - from {
            let _ = write!(text, "\n{:from$}", "");
            used = 0;
        }
        let _ = write!(text, "{}{word}", if used > 0 { " " } else { "" });
        used += long;
    }
    text.push('\n');
}

fn hang_from(text: &mut String, what: &str, from: usize) {
    let _ = write!(text, "{:from$}", "");
    hang(text, what, from);
}
