//! The command line: what was typed is parsed by `args`, `meant` turns it into what is to be done and
//! checks it before any long work, and one file per command does it.

mod args;
mod command;
mod fault;
mod meant;
mod output;
mod progress;
mod standing;

use clap::Parser;
use fault::Fault;
use std::process::ExitCode;

/// Runs the program and answers its exit code.
pub fn main() -> ExitCode {
    let typed = match args::Typed::try_parse() {
        Ok(typed) => typed,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { 2 } else { 0 });
        }
    };
    match command::run(typed) {
        Ok(code) => ExitCode::from(code),
        Err(Fault::Pipe) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("plainsight: {fault}");
            ExitCode::from(fault.code())
        }
    }
}
