//! `plainsight merge`: reports of different recordings joined into one.

use super::report::saved;
use crate::cli::args::MergeArgs;
use crate::cli::fault::Fault;
use crate::cli::{meant, output};
use plainsight::report::join::join;

/// Reads the reports and writes the joined one to the outputs asked for.
pub fn run(m: &MergeArgs) -> Result<u8, Fault> {
    meant::outputs(&m.outputs)?;
    if m.saved.iter().filter(|p| p.as_os_str() == "-").count() > 1 {
        return Err(Fault::Usage("standard input (`-`) can be read only once".to_owned()));
    }
    let mut reports = Vec::new();
    for path in &m.saved {
        reports.push(saved(path)?);
    }
    if reports.iter().any(|r| r.rules != reports[0].rules || r.tool != reports[0].tool) {
        eprintln!(
            "plainsight: warning: the reports were made by different versions or rules; audit the recordings again to judge them alike"
        );
    }
    let joined = join(reports).map_err(|e| Fault::Input(e.to_string()))?;
    output::report(&joined, &m.outputs).map(|()| 0)
}
