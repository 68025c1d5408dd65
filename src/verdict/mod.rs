//! The judges: from evidence to verdicts. Judges see evidence, never bytes, so saved evidence judges to
//! the same verdict again. One judge per file.

mod apps;
mod call;
mod exposure;
mod findings;
mod judge;
mod lattice;
mod peer;
mod relay;
mod sight;
mod summary;
mod tunnel;

pub use apps::{Compared, Recognised, Sighting, Standing, claims, recognise, reweigh};
pub use exposure::{Exposure, Knows, exposures};
pub use findings::{Confidence, Finding, Severity, findings};
pub use judge::{COVERAGE_FLOOR, Experiment, Judgement, judge};
pub use lattice::{Grade, Network, Provider, Verdict, headline};
pub use relay::weigh;
pub use summary::{Summary, summarise};
