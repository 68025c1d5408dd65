//! Two ends: each is read by itself, then what left one is looked for at the other.

use super::conclude::{Read, conclude};
use super::dispatch::{self, Onlooker};
use super::{Audit, AuditError, Plan, Vantage as Ends, shared};
use crate::capture::{self, InputInfo};
use crate::evidence::relay::{self, Clock, Compared, Recording};
use crate::evidence::{Draft, Planting, Vantage};
use crate::model::Timestamp;
use std::path::PathBuf;

/// How two ends were compared; what it shows of conversations is their evidence.
#[derive(Debug, Clone)]
pub struct Vantages {
    /// Recordings of the first end; the others are the other end's.
    pub sender_inputs: usize,
    /// The clocks, if anything was there to fit them by.
    pub clock: Option<Clock>,
    /// Keys of identities that could be compared.
    pub identities: Vec<Compared>,
    /// Messages kept at each end.
    pub kept: (usize, usize),
}

/// Audits two ends of the same conversations. The plan's recordings are the sender's.
pub fn compare(
    plan: &Plan,
    receiver: &[PathBuf],
    planting: &Planting,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Audit, AuditError> {
    let mut first = read(plan, &plan.captures, progress)?;
    let before: u64 = first.inputs.iter().map(|i| i.bytes).sum();
    let mut second = read(plan, receiver, &|bytes| progress(before + bytes))?;
    let sender_inputs = first.inputs.len();
    shift(&mut second, sender_inputs as u32);
    let mut ends = [recording(&mut first), recording(&mut second)];
    for (read, vantage) in [(&mut first, Vantage::Sender), (&mut second, Vantage::Receiver)] {
        read.drafts.iter_mut().for_each(|d| d.vantage = Some(vantage));
    }
    for r in &mut ends {
        r.parcels.sort_by(|a, b| (a.origin.time, a).cmp(&(b.origin.time, b)));
    }
    let [sender, receiver] = ends;
    let compared = relay::compare(&sender, &receiver);
    let mut all = first;
    all.drafts.append(&mut second.drafts);
    all.inputs.append(&mut second.inputs);
    all.given = all.given.max(second.given);
    all.totals.merge(second.totals, &plan.limits);
    for (vantage, key, evidence) in compared.evidence {
        let at = |d: &&mut Draft| d.vantage == Some(vantage) && d.key == key;
        if let Some(draft) = all.drafts.iter_mut().find(at) {
            draft.evidence.push(evidence);
        }
    }
    let (clock, identities, kept) = (compared.clock, compared.identities, compared.kept);
    all.vantages = Some(Vantages { sender_inputs, clock, identities, kept });
    Ok(conclude(plan, planting, all))
}

fn read(plan: &Plan, captures: &[PathBuf], progress: &(dyn Fn(u64) + Sync)) -> Result<Read, AuditError> {
    let shared = shared(plan, Ends::Two);
    let source = capture::open(captures, &plan.limits)?;
    let onlooker = Onlooker { progress, news: &|_| {} };
    let mut outcome = dispatch::read(source, plan, &shared, &onlooker)?;
    outcome.1.trials(&shared.canaries, &plan.limits);
    Ok(Read::new(outcome))
}

/// Frames of the second end are numbered behind the inputs of the first.
fn shift(read: &mut Read, by: u32) {
    for e in read.drafts.iter_mut().flat_map(|d| &mut d.evidence) {
        e.origin.frame.input += by;
    }
    read.totals.shift_inputs(by);
}

fn recording(read: &mut Read) -> Recording {
    let (parcels, identities) = read.totals.passages();
    let time = |pick: fn(&InputInfo) -> Option<Timestamp>| read.inputs.iter().filter_map(pick);
    let span = time(|i| i.first).min().zip(time(|i| i.last).max());
    Recording { parcels, identities, span }
}
