//! What no recording and no evidence may do to a verdict: less knowledge never makes it better, more
//! readable text never makes it better, order never changes it. Over every case of `captures/`, and over
//! synthetic conversations.

#[path = "cases/case.rs"]
mod case;
#[path = "honesty/synthetic.rs"]
mod synthetic;

use case::{Case, cases};
use plainsight::audit::{Audit, Plan, run};
use plainsight::capture::{self, Batch, LinkType, PcapngWriter};
use plainsight::evidence::{Content, Draft, Polarity, Strength};
use plainsight::model::{Limits, Timestamp};
use plainsight::verdict::{Experiment, Grade, Verdict, findings, judge, summarise};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use synthetic::{accusation, draft, experiment};

fn audited(plan: Plan) -> Audit {
    run(&plan, &|_| {}).expect("audited")
}

/// A part of a recording, with what is known of the whole.
fn part(case: &Case, capture: &Path) -> Audit {
    audited(Plan { captures: vec![capture.to_owned()], ..case.plan(true) })
}

fn claims(audit: &Audit) -> bool {
    audit.judgements.iter().any(|j| j.verdict == Verdict::E2ee)
}

/// Endpoint and content of what is called end-to-end encrypted.
fn sealed(audit: &Audit) -> Vec<(&str, &Content)> {
    let pairs = audit.drafts.iter().zip(&audit.judgements).filter(|(_, j)| j.verdict == Verdict::E2ee);
    pairs.map(|(d, _)| (d.key.endpoint.as_str(), &d.key.content)).collect()
}

#[test]
fn withheld_keys_never_make_a_verdict_stronger() {
    for case in cases().iter().filter(|c| c.keylog.is_some()) {
        let name = case.name();
        let (with, without) = (audited(case.plan(true)), audited(case.plan(false)));
        assert!(without.summary.verdict != Verdict::E2ee || with.summary.verdict == Verdict::E2ee, "{name}");
        let known = sealed(&with);
        for claim in sealed(&without) {
            assert!(known.contains(&claim), "{name}: {claim:?} is e2ee only without keys");
        }
    }
}

#[test]
fn bounds_never_make_a_verdict_stronger() {
    let full = Limits::default();
    let small = [
        ("unmeasured", Limits { measured: 0, ..full.clone() }),
        ("no copies", Limits { copies: 1, ..full.clone() }),
        ("few fields", Limits { fields: 4, ..full.clone() }),
        ("shallow", Limits { depth: 4, ..full.clone() }),
    ];
    for case in &cases() {
        let name = case.name();
        let whole = audited(case.plan(true));
        for (what, limits) in &small {
            let bounded = audited(Plan { limits: limits.clone(), ..case.plan(true) });
            let known = sealed(&whole);
            for claim in sealed(&bounded) {
                assert!(known.contains(&claim), "{name}: {what}: {claim:?} is e2ee only so");
            }
            if limits.measured == 0 {
                assert_eq!(bounded.summary, whole.summary, "{name}: what is not measured decides");
            }
        }
    }
}

#[test]
fn saved_evidence_is_judged_the_same_and_order_changes_nothing() {
    for case in &cases() {
        let (name, audit) = (case.name(), audited(case.plan(true)));
        let saved = serde_json::to_vec(&audit.drafts).expect("saved");
        let read: Vec<Draft> = serde_json::from_slice(&saved).expect("read");
        assert_eq!(read, audit.drafts, "{name}");
        let again: Vec<_> = read.iter().map(|d| judge(d, &audit.experiment)).collect();
        assert_eq!(again, audit.judgements, "{name}");
        let (mut drafts, mut judged) = (read, again);
        drafts.reverse();
        judged.reverse();
        assert_eq!(summarise(&judged), audit.summary, "{name}");
        let ids = |list: &[plainsight::verdict::Finding], drafts: &[Draft]| {
            let mut all: Vec<_> = list
                .iter()
                .map(|f| (f.id.clone(), f.severity, f.confidence, drafts[f.conversation].key.clone()))
                .collect();
            all.sort();
            all
        };
        assert_eq!(ids(&findings(&drafts, &judged), &drafts), ids(&audit.findings, &audit.drafts), "{name}");
    }
}

struct Frame {
    link: u16,
    time: i64,
    bytes: Vec<u8>,
}

fn frames(path: &Path) -> Vec<Frame> {
    let mut source = capture::open(&[path.to_path_buf()], &Limits::default()).expect("opened");
    let (mut all, mut batch) = (Vec::new(), Batch::default());
    while source.read(&mut batch).expect("read") {
        for f in &batch.frames {
            all.push(Frame { link: f.link.0, time: f.at.time.0, bytes: batch.bytes(f).to_vec() });
        }
    }
    all
}

fn written(path: &Path, frames: &[Frame]) {
    let mut bytes = Vec::new();
    let mut writer = PcapngWriter::new(&mut bytes, "test").expect("written");
    let mut interfaces = BTreeMap::new();
    for f in frames {
        let interface = *interfaces
            .entry(f.link)
            .or_insert_with(|| writer.interface(LinkType(f.link), 0, "test").expect("written"));
        writer.frame(interface, Timestamp(f.time), &f.bytes, f.bytes.len() as u32).expect("written");
    }
    drop(writer);
    std::fs::write(path, bytes).expect("written");
}

/// Where a recording refutes end-to-end encryption, no beginning, end or middle of it may claim it.
#[test]
fn cutting_a_recording_never_turns_a_refutation_into_a_claim() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cut.pcapng");
    let mut cuts = 0;
    let refuted = |c: &Case| !c.expect.e2ee_allowed && !c.expect.refuted_once;
    for case in cases().iter().filter(|c| refuted(c)) {
        let (name, all) = (case.name(), frames(&case.capture()));
        let n = all.len();
        if !(8..=3000).contains(&n) {
            continue;
        }
        for range in [0..n / 4, 0..n / 2, 0..3 * n / 4, n / 4..n, n / 2..n, n / 3..2 * n / 3] {
            written(&file, &all[range.clone()]);
            assert!(!claims(&part(case, &file)), "{name}: frames {range:?} of {n} are called e2ee");
            cuts += 1;
        }
        // Every seventh frame lost.
        let kept: Vec<Frame> =
            all.into_iter().enumerate().filter(|(i, _)| i % 7 != 3).map(|(_, f)| f).collect();
        written(&file, &kept);
        assert!(!claims(&part(case, &file)), "{name}: with losses");
    }
    assert!(cuts > 60, "{cuts}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A readable copy, a weakness or a key in sight never makes a verdict better.
    #[test]
    fn evidence_against_never_improves(d in draft(), x in experiment(), mut e in accusation()) {
        e.polarity = Polarity::Against;
        e.strength = e.strength.max(Strength::Strong);
        let before = judge(&d, &x);
        let mut more = d.clone();
        more.add(e, 64);
        more.evidence.sort();
        let found = Experiment { found: (x.found + 1).min(x.planted), ..x.clone() };
        for x in [&x, &found] {
            let after = judge(&more, x);
            prop_assert!(after.verdict <= before.verdict || after.verdict != Verdict::E2ee, "{:?} {:?}", before, after);
            prop_assert!(after.verdict != Verdict::E2ee, "{:?}", after);
        }
    }

    /// Bytes that nobody looked at, or a limit that was met, never make a claim.
    #[test]
    fn less_coverage_never_claims(d in draft(), x in experiment(), lost in 0..5000u64, sealed in 0..5000u64) {
        let before = judge(&d, &x);
        let mut less = d.clone();
        less.coverage.lost += lost;
        less.coverage.sealed = (less.coverage.sealed + sealed).min(less.coverage.seen);
        less.limited = true;
        let after = judge(&less, &x);
        prop_assert!(after.verdict != Verdict::E2ee, "{:?} {:?}", before, after);
        prop_assert!(after.verdict >= before.verdict || after.verdict == Verdict::Undetermined);
    }

    /// The words of the lattice: no claim under the second grade, none without what it needs.
    #[test]
    fn a_claim_has_its_grade_and_its_reasons(d in draft(), x in experiment()) {
        let j = judge(&d, &x);
        if j.verdict == Verdict::E2ee {
            prop_assert!(j.grade >= Grade::G2 && !j.reasons.is_empty() && !j.not_ruled_out.is_empty());
            prop_assert!(d.coverage.looked_at() >= 0.9 && !d.limited);
            let against = d.evidence.iter().any(|e| e.polarity == Polarity::Against && e.strength >= Strength::Strong);
            prop_assert!(!against, "{:?}", d);
        }
        if j.grade >= Grade::G3 && j.verdict == Verdict::E2ee {
            prop_assert!(x.speaks() && x.found == 0);
        }
    }

    /// Joining is a commutative monoid, and what is saved is what was.
    #[test]
    fn drafts_join_in_any_order(mut a in draft(), mut b in draft(), mut c in draft(), limit in 3..64usize) {
        b.key = a.key.clone();
        c.key = a.key.clone();
        for d in [&mut a, &mut b, &mut c] {
            d.flows = 1;
            // What is joined was kept within the same limit.
            for e in std::mem::take(&mut d.evidence) {
                d.add(e, limit);
            }
        }
        let join = |list: [&Draft; 3]| {
            let mut all = Draft::new(list[0].key.clone(), Timestamp(0));
            list.into_iter().for_each(|d| all.merge(d.clone(), limit));
            all.evidence.sort();
            all
        };
        let one = join([&a, &b, &c]);
        prop_assert_eq!(&one, &join([&c, &b, &a]));
        prop_assert_eq!(&one, &join([&b, &a, &c]));
        let mut left = b.clone();
        left.merge(c.clone(), limit);
        let mut nested = a.clone();
        nested.merge(left, limit);
        nested.evidence.sort();
        prop_assert_eq!(&one, &nested);
        let saved: Draft = serde_json::from_slice(&serde_json::to_vec(&one).unwrap()).unwrap();
        prop_assert_eq!(judge(&saved, &Experiment::default()), judge(&one, &Experiment::default()));
    }

    /// Another conversation never makes the summary better, and their order never counts.
    #[test]
    fn the_summary_is_the_weakest(list in prop::collection::vec(draft(), 1..6), x in experiment()) {
        let judged: Vec<_> = list.iter().map(|d| judge(d, &x)).collect();
        let all = summarise(&judged);
        let mut turned = judged.clone();
        turned.rotate_left(1);
        turned.reverse();
        prop_assert_eq!(&summarise(&turned).verdict, &all.verdict);
        let some = summarise(&judged[..judged.len() - 1]);
        prop_assert!(some.weighing == 0 || all.verdict <= some.verdict);
    }
}
