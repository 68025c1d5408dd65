//! How vendors' claims stand beside what was observed.

use super::Recognised;
use crate::evidence::{Content, Draft};
use crate::model::Timestamp;
use crate::ruleset::apps::{self, App, Claim, Says};
use crate::verdict::{Confidence, Judgement, Verdict};

/// How a claim stands against the observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Observed as claimed.
    Confirmed,
    /// Observed otherwise.
    Contradicted,
    /// The recording does not speak to it.
    Untested,
    /// Withdrawn before the recording was made.
    Expired,
}

/// A vendor's claim beside the observation.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The app.
    pub app: &'static App,
    /// What its vendor says.
    pub claim: &'static Claim,
    /// How that stands.
    pub standing: Standing,
    /// Why, in one sentence.
    pub why: String,
    /// Conversations that speak to it.
    pub conversations: Vec<usize>,
}

/// The claims of the vendors of all apps that were recognised, beside what was observed.
pub fn claims(drafts: &[Draft], judgements: &[Judgement], known: &[Recognised]) -> Vec<Compared> {
    let day = drafts.iter().map(|d| d.last).max().filter(|t| *t != Timestamp(0)).map(|t| t.to_string());
    let mut all = Vec::new();
    for app in apps::all() {
        let own = |k: &Recognised| k.app.as_ref().filter(|s| s.id == app.id).map(|s| s.confidence);
        let seen: Vec<(usize, Confidence)> =
            known.iter().enumerate().filter_map(|(c, k)| Some((c, own(k)?))).collect();
        if seen.is_empty() {
            continue;
        }
        let decided = |want: &dyn Fn(&Draft, &Judgement) -> bool| -> Vec<usize> {
            let sure = seen.iter().filter(|(_, sure)| *sure >= Confidence::Medium).map(|(c, _)| *c);
            sure.filter(|c| want(&drafts[*c], &judgements[*c])).collect()
        };
        let sealed = decided(&|_, j| j.verdict == Verdict::E2ee);
        let read = decided(&|d, j| {
            d.key.content == Content::Text && matches!(j.verdict, Verdict::Plaintext | Verdict::TransportOnly)
        });
        let unsure = seen.iter().all(|(_, sure)| *sure == Confidence::Low);
        for claim in &app.claims {
            let (standing, why, conversations) = match timely(claim, day.as_deref()) {
                Some((standing, why)) => (standing, why, Vec::new()),
                None => compare(claim, &sealed, &read, unsure),
            };
            all.push(Compared { app, claim, standing, why, conversations });
        }
    }
    all
}

/// Claims that did not hold, by the vendor's own word, when the recording was made.
fn timely(claim: &Claim, day: Option<&str>) -> Option<(Standing, String)> {
    let day = day?.get(..10)?;
    if let Some(until) = claim.until.as_deref().filter(|until| day > *until) {
        return Some((Standing::Expired, format!("withdrawn after {until}; the recording is of {day}")));
    }
    let since = claim.since.as_deref().filter(|since| day < *since)?;
    Some((Standing::Untested, format!("holds from {since}; the recording is of {day}")))
}

fn compare(claim: &Claim, sealed: &[usize], read: &[usize], unsure: bool) -> (Standing, String, Vec<usize>) {
    let is = |standing, why: &str, of: &[usize]| (standing, why.to_owned(), of.to_vec());
    let quiet = match unsure {
        true => "the app is only guessed, so its claim was not compared",
        false => "the recording shows no message of it that was opened far enough",
    };
    match (claim.says, sealed.is_empty(), read.is_empty()) {
        (Says::E2ee, _, false) => match &claim.except_for {
            Some(except) => {
                let why = format!(
                    "readable messages were seen; the vendor excludes {except}, and the recording does not tell whether these are such"
                );
                (Standing::Untested, why, read.to_vec())
            }
            None => is(Standing::Contradicted, "messages were readable", read),
        },
        (Says::E2ee, false, true) => {
            is(Standing::Confirmed, "messages were sealed, as far as their grade goes", sealed)
        }
        (Says::TransportOnly, false, _) => {
            is(Standing::Contradicted, "messages were sealed end to end", sealed)
        }
        (Says::TransportOnly, true, false) => {
            is(Standing::Confirmed, "the service could read messages", read)
        }
        (Says::Optional, false, _) => is(Standing::Confirmed, "sealed messages were seen", sealed),
        (Says::Mixed, false, false) => {
            is(Standing::Confirmed, "both sealed and readable messages were seen", &[sealed, read].concat())
        }
        _ => is(Standing::Untested, quiet, &[]),
    }
}
