//! The conductor, the one place that names every stage: frames -> packets -> flows -> layers ->
//! evidence -> verdicts.

mod compare;
mod conclude;
mod crowd;
mod dispatch;
mod events;
mod listing;
mod merge;
mod rejudge;
mod report;
mod shard;

use dispatch::Onlooker;

pub use compare::{Vantages, compare};
pub use conclude::judged;
pub use listing::{Listing, peel};
pub use merge::Totals;
pub use rejudge::{Rejudged, rejudge};

use crate::capture::{CaptureError, InputInfo, Source};
use crate::evidence::length::Law;
use crate::evidence::{Canaries, Canary, Checks, Draft, Planting, Shared};
use crate::keys::KeyStore;
use crate::model::{Limits, Notes};
use crate::ruleset::Ruleset;
use crate::verdict::{Compared, Experiment, Exposure, Finding, Judgement, Recognised, Summary};
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

impl Default for Plan {
    /// Nothing to read yet, no keys and no planted texts; the embedded rules, the default bounds, one thread,
    /// nothing revealed.
    fn default() -> Self {
        Self {
            captures: Vec::new(),
            keys: Arc::default(),
            canaries: Vec::new(),
            ruleset: Arc::new(crate::ruleset::embedded()),
            limits: Limits::default(),
            threads: 1,
            reveal: false,
        }
    }
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
    /// Which application each belongs to.
    pub apps: Vec<Recognised>,
    /// What the vendors of those applications claim.
    pub claims: Vec<Compared>,
    /// The verdict of the whole.
    pub summary: Summary,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Who learns what.
    pub exposures: Vec<Exposure>,
    /// The canary experiment, over all services.
    pub experiment: Experiment,
    /// What the user checked outside the recording.
    pub checks: Checks,
    /// How sizes follow the text, with the conversation's index.
    pub lengths: Vec<(usize, Law)>,
    /// Two ends compared, if there are two.
    pub vantages: Option<Vantages>,
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
    run_planted(plan, &Planting::default(), progress)
}

/// The same with an experiment's times and checks. Its texts are the plan's canaries.
pub fn run_planted(
    plan: &Plan,
    planting: &Planting,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Audit, AuditError> {
    run_source(plan, planting, crate::capture::open(&plan.captures, &plan.limits)?, progress)
}

/// Audits what a source delivers; the plan's recordings are not looked at.
pub fn run_source(
    plan: &Plan,
    planting: &Planting,
    source: Box<dyn Source + Send>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Audit, AuditError> {
    watch(plan, planting, source, progress, &|_| {})
}

/// Audits what a source delivers and tells `news` now and then where things stand: an audit of what was
/// seen so far, as if the source had ended there. Keys in sight are not tried for it.
pub fn watch(
    plan: &Plan,
    planting: &Planting,
    source: Box<dyn Source + Send>,
    progress: &(dyn Fn(u64) + Sync),
    news: &(dyn Fn(&Audit) + Sync),
) -> Result<Audit, AuditError> {
    let shared = shared(plan, Vantage::One);
    let judge = |outcome: dispatch::Outcome| conclude::conclude(plan, planting, conclude::Read::new(outcome));
    let onlooker = Onlooker { progress, news: &|outcome| news(&judge(outcome)) };
    let mut outcome = dispatch::read(source, plan, &shared, &onlooker)?;
    outcome.1.trials(&shared.canaries, &plan.limits);
    Ok(judge(outcome))
}

/// How many ends are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vantage {
    One,
    Two,
}

fn shared(plan: &Plan, vantage: Vantage) -> Arc<Shared> {
    Arc::new(Shared {
        ruleset: plan.ruleset.clone(),
        canaries: Canaries::new(plan.canaries.clone()),
        limits: plan.limits.clone(),
        reveal: plan.reveal,
        vantage: vantage == Vantage::Two,
    })
}
