//! `plainsight report`: judge a saved report again by its own evidence, and render it.

use crate::cli::args::ReportArgs;
use crate::cli::fault::Fault;
use crate::cli::{meant, output};
use plainsight::audit::{Rejudged, rejudge};
use plainsight::report::dto::Report;
use std::io::Read;
use std::path::Path;

/// Reads the saved report and writes it to the outputs asked for.
pub fn run(r: &ReportArgs) -> Result<u8, Fault> {
    meant::outputs(&r.outputs)?;
    let mut report = saved(&r.saved)?;
    match rejudge(&mut report) {
        Rejudged::Same => {}
        Rejudged::Unable => eprintln!(
            "plainsight: the verdicts stand as they were saved: the report was joined of several or written by an older version, and does not hold what they were judged by"
        ),
        Rejudged::Different(all) => {
            let version = &report.tool.version;
            eprintln!(
                "plainsight: the saved verdicts are not what the saved evidence gives: the report was changed, or another version ({version}) wrote it. What the evidence gives is shown."
            );
            all.iter().for_each(|difference| eprintln!("plainsight: {difference}"));
        }
    }
    output::report(&report, &r.outputs).map(|()| 0)
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
