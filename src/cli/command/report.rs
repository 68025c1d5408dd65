//! `plainsight report`: render a saved report again.

use crate::cli::args::ReportArgs;
use crate::cli::fault::Fault;
use crate::cli::{meant, output};
use plainsight::report::dto::Report;
use std::io::Read;
use std::path::Path;

/// Reads the saved report and writes it to the outputs asked for.
pub fn run(r: &ReportArgs) -> Result<u8, Fault> {
    meant::outputs(&r.outputs)?;
    output::report(&saved(&r.saved)?, &r.outputs).map(|()| 0)
}

/// A report that was saved as JSON; `-` is standard input.
pub fn saved(path: &Path) -> Result<Report, Fault> {
    let name = path.display().to_string();
    let mut text = Vec::new();
    let read = match name.as_str() {
        "-" => std::io::stdin().lock().read_to_end(&mut text).map(|_| ()),
        _ => std::fs::read(path).map(|t| text = t),
    };
    read.map_err(|e| Fault::read("the report", &name, &e))?;
    Report::read(&text).map_err(|e| Fault::Input(format!("{name}: {e}")))
}
