//! One file per command.

mod apps;
mod audit;
mod canary;
mod compare;
mod diff;
mod entropy;
mod explain;
mod interfaces;
mod live;
mod merge;
mod peel;
mod report;
mod rules;

use super::args::{Command, Typed};
use super::{fault::Fault, output};
use clap::CommandFactory;

/// Runs what was typed; the number is the exit code.
pub fn run(typed: Typed) -> Result<u8, Fault> {
    // Without a command, the interfaces were asked for: nothing else goes alone.
    match typed.command.unwrap_or(Command::Interfaces) {
        Command::Audit(a) => audit::run(&a),
        Command::Compare(c) => compare::run(&c),
        Command::Canary(c) => canary::run(&c.action),
        Command::Peel(p) => peel::run(&p),
        Command::Report(r) => report::run(&r),
        Command::Entropy(e) => entropy::run(&e),
        Command::Diff(d) => diff::run(&d),
        Command::Merge(m) => merge::run(&m),
        Command::Explain(e) => explain::run(&e),
        Command::Live(l) => live::run(&l),
        Command::Interfaces => interfaces::run(),
        Command::Rules(r) => rules::run(&r.action),
        Command::Apps(a) => apps::run(&a.action),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Typed::command(), "plainsight", &mut text);
            output::say(&String::from_utf8_lossy(&text)).map(|()| 0)
        }
        Command::Man => {
            let mut text = Vec::new();
            let made = clap_mangen::Man::new(Typed::command()).render(&mut text);
            made.map_err(|e| Fault::write("the manual page", &e))?;
            output::say(&String::from_utf8_lossy(&text)).map(|()| 0)
        }
    }
}
