//! The last stage: what was collected is judged.

use super::{Audit, KeysUse, Plan, Totals, Vantages};
use crate::capture::InputInfo;
use crate::evidence::length::{self, Law};
use crate::evidence::sequence;
use crate::evidence::{
    Canary, Checks, Content, Draft, Drops, Evidence, Kind, Planting, Polarity, Strength, Vantage,
};
use crate::model::Origin;
use crate::peel::Guard;
use crate::verdict::{
    Experiment, Judgement, Recognised, claims, exposures, findings, judge, recognise, reweigh, summarise,
    weigh,
};

/// What was read of all recordings.
pub(super) struct Read {
    pub inputs: Vec<InputInfo>,
    pub totals: Totals,
    pub given: usize,
    pub drafts: Vec<Draft>,
    pub vantages: Option<Vantages>,
}

impl Read {
    /// Takes the conversations out of what was read, each beside the frames that its recording misses.
    pub fn new((inputs, mut totals, given): super::dispatch::Outcome) -> Self {
        let mut drafts = totals.conversations();
        let dropped = inputs.iter().filter_map(|i| i.dropped).sum();
        drafts.iter_mut().for_each(|d| d.drops = Drops { dropped, recorded: totals.frames });
        Self { inputs, totals, given, drafts, vantages: None }
    }
}

/// Judges what was collected.
pub(super) fn conclude(plan: &Plan, planting: &Planting, read: Read) -> Audit {
    let Read { inputs, mut totals, given, mut drafts, vantages } = read;
    for draft in &mut drafts {
        if let Some(law) = length::law(draft, planting) {
            let evidence = length::evidence(draft, law);
            draft.evidence.push(evidence);
        }
        let sequence = sequence::evidence(draft);
        draft.evidence.extend(sequence);
        check(draft, &planting.checks);
        draft.evidence.sort();
    }
    let judgements = judged(&drafts, &plan.canaries);
    let mut pairs: Vec<(Draft, Judgement)> = drafts.into_iter().zip(judgements).collect();
    pairs.sort_by(|(a, x), (b, y)| {
        let rank = |j: &Judgement| (j.weighs.is_none(), j.verdict);
        rank(x)
            .cmp(&rank(y))
            .then(b.messages.cmp(&a.messages))
            .then_with(|| (&a.key, a.vantage).cmp(&(&b.key, b.vantage)))
    });
    let (drafts, judgements): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let apps: Vec<Recognised> = drafts.iter().map(recognise).collect();
    Audit {
        claims: claims(&drafts, &judgements, &apps),
        summary: summarise(&judgements),
        findings: findings(&drafts, &judgements),
        exposures: exposures(&drafts, &judgements),
        keys: KeysUse { given, opened: totals.coverage.decrypted },
        notes: std::mem::take(&mut totals.notes),
        rules: (plan.ruleset.digest().to_owned(), plan.ruleset.rules().len()),
        limits: plan.limits.clone(),
        canaries: plan.canaries.clone(),
        experiment: Experiments::new(&planted(&plan.canaries), &drafts).whole(),
        checks: planting.checks,
        lengths: drafts.iter().enumerate().filter_map(|(c, d)| Some((c, law_of(d)?))).collect(),
        inputs,
        drafts,
        judgements,
        apps,
        totals,
        vantages,
    }
}

/// Judges conversations from their evidence alone: saved drafts give the same judgements again.
pub fn judged(drafts: &[Draft], canaries: &[Canary]) -> Vec<Judgement> {
    judged_by(drafts, &planted(canaries))
}

fn planted(canaries: &[Canary]) -> Vec<Planted> {
    canaries.iter().map(|c| Planted { control: c.control, searched: c.is_searched() }).collect()
}

/// What of a planted text the judges know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planted {
    /// Must be visible.
    pub control: bool,
    /// Long enough to be searched for.
    pub searched: bool,
}

/// The same by what is known of the planted texts without the texts.
pub(super) fn judged_by(drafts: &[Draft], planted: &[Planted]) -> Vec<Judgement> {
    let experiments = Experiments::new(planted, drafts);
    let judge_one = |d: &Draft| {
        let mut judgement = judge(d, &experiments.at(d));
        reweigh(d, &recognise(d), &mut judgement);
        judgement
    };
    let judgements = drafts.iter().map(judge_one).collect();
    weigh(drafts, judgements)
}

fn law_of(draft: &Draft) -> Option<Law> {
    draft.evidence.iter().find_map(|e| match &e.kind {
        Kind::Length(law) => Some(Law::clone(law)),
        _ => None,
    })
}

/// Writes what the user checked to every conversation that claims to be sealed.
fn check(draft: &mut Draft, checks: &Checks) {
    if !matches!(draft.key.content, Content::Envelope(_) | Content::Opaque) {
        return;
    }
    for (what, passed) in checks.all().into_iter().filter_map(|(w, p)| Some((w, p?))) {
        draft.evidence.push(Evidence {
            kind: Kind::Check { what: what.to_owned(), passed },
            strength: Strength::Strong,
            polarity: if passed { Polarity::For } else { Polarity::Against },
            guard: Guard::Confidential,
            origin: Origin::at(draft.first),
            count: 1,
            shown: None,
        });
    }
}

/// The canary experiment, service by service: a control that was found at one of them says nothing of the
/// search at another.
struct Experiments<'a> {
    canaries: &'a [Planted],
    /// For each canary, the services it was found at.
    seen: Vec<Vec<(Option<Vantage>, &'a str)>>,
}

impl<'a> Experiments<'a> {
    fn new(canaries: &'a [Planted], drafts: &'a [Draft]) -> Self {
        let mut seen = vec![Vec::new(); canaries.len()];
        for (draft, e) in drafts.iter().flat_map(|d| d.evidence.iter().map(move |e| (d, e))) {
            if let Kind::Canary { canary, control, .. } = e.kind
                && (control || e.polarity == Polarity::Against)
                && let Some(s) = seen.get_mut(canary as usize)
            {
                s.push((draft.vantage, draft.key.endpoint.as_str()));
            }
        }
        Self { canaries, seen }
    }

    fn count(&self, control: bool, counts: impl Fn(&[(Option<Vantage>, &str)]) -> bool) -> usize {
        let all = self.canaries.iter().zip(&self.seen);
        all.filter(|(c, s)| c.control == control && c.searched && counts(s)).count()
    }

    fn whole(&self) -> Experiment {
        Experiment {
            planted: self.count(false, |_| true),
            found: self.count(false, |s| !s.is_empty()),
            controls: self.count(true, |_| true),
            controls_found: self.count(true, |s| !s.is_empty()),
        }
    }

    /// As it counts for one conversation: the controls of its own service, and those that were found
    /// nowhere, for they may have been meant for it. Without one of its own, all of them are missing.
    fn at(&self, draft: &Draft) -> Experiment {
        let place = (draft.vantage, draft.key.endpoint.as_str());
        let here = self.count(true, |s| s.contains(&place));
        let nowhere = self.count(true, |s| s.is_empty());
        let controls = if here > 0 { here + nowhere } else { self.count(true, |_| true) };
        Experiment { controls, controls_found: here, ..self.whole() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::ConversationKey;
    use crate::model::Timestamp;

    fn draft(endpoint: &str) -> Draft {
        let key = ConversationKey {
            endpoint: endpoint.into(),
            path: "tls".into(),
            content: Content::Envelope("P".into()),
        };
        let mut draft = Draft::new(key, Timestamp(0));
        check(&mut draft, &Checks { safety_number_equal: Some(true), ..Checks::default() });
        draft
    }

    fn found(mut draft: Draft, canary: u32) -> Draft {
        let mut e = draft.evidence[0].clone();
        e.kind = Kind::Canary { canary, control: true, chain: Vec::new(), slot: None };
        e.polarity = Polarity::Neutral;
        draft.evidence.push(e);
        draft
    }

    #[test]
    fn a_control_speaks_for_the_service_it_was_found_at_and_no_other() {
        let text = |text: &str, control| Canary { text: text.into(), label: None, control };
        let canaries = [text("hidden words", false), text("visible one", true), text("visible two", true)];
        let drafts = [found(draft("a:1"), 1), draft("b:1")];
        let speaks = |list: &[Canary], drafts: &[Draft], i: usize| {
            Experiments::new(&planted(list), drafts).at(&drafts[i]).speaks()
        };
        assert!(speaks(&canaries[..2], &drafts, 0) && !speaks(&canaries[..2], &drafts, 1));
        // The second control was found nowhere: it may have been meant for this service.
        assert!(!speaks(&canaries, &drafts, 0));
        let drafts = [found(draft("a:1"), 1), found(draft("b:1"), 2)];
        assert!(speaks(&canaries, &drafts, 0) && speaks(&canaries, &drafts, 1));
    }
}
