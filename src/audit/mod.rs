//! The conductor, the one place that names every stage: frames -> packets -> flows -> layers ->
//! evidence -> verdicts.

mod dispatch;
mod events;
mod listing;
mod merge;
mod report;
mod shard;

use dispatch::Onlooker;
pub use listing::{Listing, peel};
pub use merge::Totals;

use crate::capture::{CaptureError, InputInfo, Source};
use crate::evidence::{Canaries, Canary, Draft, Drops, Kind, Polarity, Shared};
use crate::keys::KeyStore;
use crate::model::{Limits, Notes};
use crate::ruleset::Ruleset;
use crate::verdict::{
    Experiment, Exposure, Finding, Judgement, Summary, exposures, findings, judge, summarise,
};
use std::path::PathBuf;
use std::sync::Arc;

/// What is to be audited, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Recordings; `-` is standard input.
    pub captures: Vec<PathBuf>,
    /// Secrets that the user gave.
    pub keys: Arc<KeyStore>,
    /// Planted texts and controls.
    pub canaries: Vec<Canary>,
    /// The rules.
    pub ruleset: Arc<Ruleset>,
    /// The bounds.
    pub limits: Limits,
    /// Threads that peel, besides the one that reads. At least one.
    pub threads: usize,
    /// Whether content may be kept for the report.
    pub reveal: bool,
}

/// Why an audit could not be made.
#[derive(Debug)]
pub enum AuditError {
    /// An input could not be read.
    Capture(CaptureError),
    /// A worker thread ended early: a bug, reported with what it said.
    Worker(String),
    /// The output of a listing failed.
    Output(std::io::Error),
}

impl std::fmt::Display for AuditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AuditError::Capture(e) => e.fmt(f),
            AuditError::Worker(e) => {
                write!(f, "a worker thread failed ({e}): please report this with the capture")
            }
            AuditError::Output(e) => write!(f, "the listing could not be written: {e}"),
        }
    }
}

impl std::error::Error for AuditError {}

impl From<CaptureError> for AuditError {
    fn from(e: CaptureError) -> Self {
        AuditError::Capture(e)
    }
}

/// A finished audit.
#[derive(Debug)]
pub struct Audit {
    /// The inputs as read.
    pub inputs: Vec<InputInfo>,
    /// Conversations with their evidence, in report order.
    pub drafts: Vec<Draft>,
    /// One judgement for each.
    pub judgements: Vec<Judgement>,
    /// The verdict of the whole.
    pub summary: Summary,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Who learns what.
    pub exposures: Vec<Exposure>,
    /// The canary experiment.
    pub experiment: Experiment,
    /// What was planted.
    pub canaries: Vec<Canary>,
    /// Counts over everything.
    pub totals: Totals,
    /// Something odd, by code.
    pub notes: Notes,
    /// Secrets given and sessions opened with them.
    pub keys: KeysUse,
    /// Digest and number of the rules.
    pub rules: (String, usize),
    /// The bounds that held.
    pub limits: Limits,
}

/// Whether the user's keys were of any use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeysUse {
    /// Secrets given or embedded.
    pub given: usize,
    /// Bytes that came out of opened encryption.
    pub opened: u64,
}

/// Audits recordings. `progress` is told how many stored bytes have been read.
pub fn run(plan: &Plan, progress: &(dyn Fn(u64) + Sync)) -> Result<Audit, AuditError> {
    run_source(plan, crate::capture::open(&plan.captures, &plan.limits)?, progress)
}

/// Audits what a source delivers; the plan's recordings are not looked at.
pub fn run_source(
    plan: &Plan,
    source: Box<dyn Source + Send>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Audit, AuditError> {
    watch(plan, source, progress, &|_| {})
}

/// Audits what a source delivers and tells `news` now and then where things stand: an audit of what was
/// seen so far, as if the source had ended there. Keys in sight are not tried for it.
pub fn watch(
    plan: &Plan,
    source: Box<dyn Source + Send>,
    progress: &(dyn Fn(u64) + Sync),
    news: &(dyn Fn(&Audit) + Sync),
) -> Result<Audit, AuditError> {
    let shared = Arc::new(Shared {
        ruleset: plan.ruleset.clone(),
        canaries: Canaries::new(plan.canaries.clone()),
        limits: plan.limits.clone(),
        reveal: plan.reveal,
    });
    let tell = |(inputs, totals, given): dispatch::Outcome| news(&conclude(plan, inputs, totals, given));
    let onlooker = Onlooker { progress, news: &tell };
    let (inputs, mut totals, given) = dispatch::read(source, plan, &shared, &onlooker)?;
    totals.trials(&shared.canaries, &plan.limits);
    Ok(conclude(plan, inputs, totals, given))
}

/// Judges what was collected.
fn conclude(plan: &Plan, inputs: Vec<InputInfo>, mut totals: Totals, given: usize) -> Audit {
    let mut drafts = totals.conversations();
    let dropped = inputs.iter().filter_map(|i| i.dropped).sum();
    drafts.iter_mut().for_each(|d| d.drops = Drops { dropped, recorded: totals.frames });
    let experiment = experiment(&plan.canaries, &drafts);
    let mut pairs: Vec<(Draft, Judgement)> = drafts
        .drain(..)
        .map(|d| {
            let j = judge(&d, &experiment);
            (d, j)
        })
        .collect();
    pairs.sort_by(|(a, x), (b, y)| {
        let rank = |j: &Judgement| (j.weighs.is_none(), j.verdict);
        rank(x).cmp(&rank(y)).then(b.messages.cmp(&a.messages)).then_with(|| a.key.cmp(&b.key))
    });
    let (drafts, judgements): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    Audit {
        summary: summarise(&judgements),
        findings: findings(&drafts, &judgements),
        exposures: exposures(&drafts, &judgements),
        keys: KeysUse { given, opened: totals.coverage.decrypted },
        notes: std::mem::take(&mut totals.notes),
        rules: (plan.ruleset.digest().to_owned(), plan.ruleset.rules().len()),
        limits: plan.limits.clone(),
        canaries: plan.canaries.clone(),
        inputs,
        drafts,
        judgements,
        experiment,
        totals,
    }
}

fn experiment(canaries: &[Canary], drafts: &[Draft]) -> Experiment {
    let mut seen = vec![false; canaries.len()];
    for e in drafts.iter().flat_map(|d| &d.evidence) {
        if let Kind::Canary { canary, control, .. } = e.kind
            && (control || e.polarity == Polarity::Against)
            && let Some(s) = seen.get_mut(canary as usize)
        {
            *s = true;
        }
    }
    let count = |control: bool, found: bool| {
        let counts = |c: &Canary, s: bool| c.control == control && c.is_searched() && (!found || s);
        canaries.iter().zip(&seen).filter(|(c, s)| counts(c, **s)).count()
    };
    Experiment {
        planted: count(false, false),
        found: count(false, true),
        controls: count(true, false),
        controls_found: count(true, true),
    }
}
