//! `plainsight audit`: judge recordings.

use crate::cli::args::AuditArgs;
use crate::cli::fault::Fault;
use crate::cli::meant::{self, Gate};
use crate::cli::output;
use crate::cli::progress::{self, Show};
use plainsight::audit::{self, Audit, AuditError};
use plainsight::capture;
use plainsight::report::dto::{Grade, Report, Verdict};

/// Runs the audit and answers the exit code.
pub fn run(a: &AuditArgs) -> Result<u8, Fault> {
    let gates = meant::gates(&a.judging.fail_on)?;
    meant::outputs(&a.judging.outputs)?;
    let work = meant::audit(a)?;
    let show = if a.sources.running.quiet { Show::Never } else { Show::Auto };
    let bar = progress::bar(capture::total_bytes(&work.plan.captures), show);
    let done = audit::run_planted(&work.plan, &work.planting, &|bytes| bar.set_position(bytes));
    bar.finish_and_clear();
    let done = done.map_err(stopped)?;
    let mut report = done.report();
    report.keys = work.keys;
    output::report(&report, &a.judging.outputs)?;
    opened(&done, &report, "session in this recording", SAME_RUN)?;
    Ok(code(&report, &gates, a.min_coverage))
}

/// The fault behind an audit that could not be made.
pub fn stopped(e: AuditError) -> Fault {
    match e {
        AuditError::Output(e) => Fault::write("standard output", &e),
        other => Fault::Input(other.to_string()),
    }
}

/// What to do where keys and traffic do not belong together.
pub const SAME_RUN: &str = "record keys and traffic in the same run";

/// Keys that were given must have opened something.
pub fn opened(done: &Audit, report: &Report, what: &str, hint: &str) -> Result<(), Fault> {
    if report.keys.is_empty() || done.keys.opened > 0 {
        return Ok(());
    }
    let names: Vec<&str> = report.keys.iter().map(|k| k.path.as_str()).collect();
    Err(Fault::Keys(format!("no {what} was opened by {}; {hint}", names.join(", "))))
}

/// The exit code of a report that was written.
pub fn code(report: &Report, gates: &[Gate], floor: Option<u8>) -> u8 {
    let tripped = |gate: &Gate| match gate {
        Gate::Verdict(v) => report.weighing().any(|c| c.verdict == *v) || report.summary.verdict == *v,
        Gate::Finding(id) => report.findings.iter().any(|f| f.id == *id),
    };
    if gates.iter().any(tripped) {
        return 1;
    }
    let c = &report.summary.coverage;
    let whole = c.seen.saturating_add(c.lost);
    let looked_at = c.seen.saturating_sub(c.sealed).saturating_sub(c.opaque) as f64;
    let low = floor.is_some_and(|f| whole == 0 || looked_at * 100.0 < f64::from(f) * whole as f64);
    let nothing = report.summary.verdict == Verdict::Undetermined && report.summary.grade <= Grade::G1;
    if low || nothing { 4 } else { 0 }
}
