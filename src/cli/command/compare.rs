//! `plainsight compare`: judge two recordings of the same conversations, one from each end.

use super::audit::{SAME_RUN, code, opened, stopped};
use crate::cli::args::CompareArgs;
use crate::cli::fault::Fault;
use crate::cli::progress::{self, Show};
use crate::cli::{meant, output};
use plainsight::{audit, capture};

/// Compares and answers the exit code.
pub fn run(c: &CompareArgs) -> Result<u8, Fault> {
    let gates = meant::gates(&c.judging.fail_on)?;
    meant::outputs(&c.judging.outputs)?;
    let work = meant::compare(c)?;
    let show = if c.running.quiet { Show::Never } else { Show::Auto };
    let all: Vec<_> = c.sender.iter().chain(&c.receiver).cloned().collect();
    let bar = progress::bar(capture::total_bytes(&all), show);
    let done = audit::compare(&work.plan, &c.receiver, &work.planting, &|bytes| bar.set_position(bytes));
    bar.finish_and_clear();
    let done = done.map_err(stopped)?;
    let mut report = done.report();
    report.keys = work.keys;
    output::report(&report, &c.judging.outputs)?;
    opened(&done, &report, "session in either recording", SAME_RUN)?;
    Ok(code(&report, &gates, None))
}
