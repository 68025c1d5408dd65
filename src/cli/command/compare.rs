//! `plainsight compare`: judge two recordings of the same conversations, one from each end.

use super::audit::{code, stopped};
use crate::cli::args::CompareArgs;
use crate::cli::fault::Fault;
use crate::cli::progress::{self, Show};
use crate::cli::{meant, output};
use plainsight::{audit, capture};

/// Compares and answers the exit code.
pub fn run(c: &CompareArgs) -> Result<u8, Fault> {
    let gates = meant::gates(&c.fail_on)?;
    meant::outputs(&c.outputs)?;
    let work = meant::compare(c)?;
    let show = if c.quiet { Show::Never } else { Show::Auto };
    let all: Vec<_> = c.sender.iter().chain(&c.receiver).cloned().collect();
    let bar = progress::bar(capture::total_bytes(&all), show);
    let done = audit::compare(&work.plan, &c.receiver, &work.planting, &|bytes| bar.set_position(bytes));
    bar.finish_and_clear();
    let done = done.map_err(stopped)?;
    let mut report = done.report();
    report.keys = work.keys;
    output::report(&report, &c.outputs)?;
    if !report.keys.is_empty() && done.keys.opened == 0 {
        let names: Vec<&str> = report.keys.iter().map(|k| k.path.as_str()).collect();
        return Err(Fault::Keys(format!(
            "no session in either recording was opened by {}; record keys and traffic in the same run",
            names.join(", ")
        )));
    }
    Ok(code(&report, &gates, None))
}
