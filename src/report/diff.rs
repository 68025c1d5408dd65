//! What changed between two reports: verdicts, findings, who learns what. Made for a gate that lets
//! nothing get worse.

use super::dto::{Conversation, Grade, Learns, Report, Verdict};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a change is for the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Turn {
    /// Somebody can read or learn more than before, or less is known to be sealed.
    Worse,
    /// Neither.
    Other,
    /// The other way round.
    Better,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// For the worse?
    pub turn: Turn,
    /// `summary`, `conversation`, `finding` or `exposure`.
    pub what: &'static str,
    /// Which one.
    pub name: String,
    /// Before; empty: was not there.
    pub before: String,
    /// After; empty: is gone.
    pub after: String,
}

/// All changes, those for the worse first.
pub fn diff(old: &Report, new: &Report) -> Vec<Change> {
    let mut all = Vec::new();
    let (a, b) = (&old.summary, &new.summary);
    let judged = |v: Verdict, g: Grade| format!("{v} {g}");
    let turn = turn_of((a.verdict, a.grade), (b.verdict, b.grade));
    change(
        &mut all,
        turn,
        "summary",
        "all conversations",
        judged(a.verdict, a.grade),
        judged(b.verdict, b.grade),
    );
    conversations(&mut all, old, new);
    findings(&mut all, old, new);
    exposure(&mut all, old, new);
    all.sort();
    all
}

fn change(all: &mut Vec<Change>, turn: Turn, what: &'static str, name: &str, before: String, after: String) {
    if before != after {
        all.push(Change { turn, what, name: name.to_owned(), before, after });
    }
}

/// A weaker verdict is worse whatever its grade; under one verdict of sealing a lower grade is worse, and
/// under one of reading a higher grade only proves better what was so before.
fn turn_of(before: (Verdict, Grade), after: (Verdict, Grade)) -> Turn {
    let by_grade = match (before.0, after.0) {
        (Verdict::E2ee, Verdict::E2ee) => after.1.cmp(&before.1),
        _ => std::cmp::Ordering::Equal,
    };
    match after.0.cmp(&before.0).then(by_grade) {
        std::cmp::Ordering::Less => Turn::Worse,
        std::cmp::Ordering::Equal => Turn::Other,
        std::cmp::Ordering::Greater => Turn::Better,
    }
}

/// What makes a conversation the same in two reports.
pub(super) fn key(c: &Conversation) -> (String, String, String, String, String) {
    let vantage = c.vantage.clone().unwrap_or_default();
    let envelope = c.envelope.clone().unwrap_or_default();
    (c.endpoint.clone(), c.protocol.clone(), c.content.clone(), envelope, vantage)
}

fn name(c: &Conversation) -> String {
    let more = [c.envelope.as_deref(), c.vantage.as_deref()];
    let parts = [c.endpoint.as_str(), c.protocol.as_str(), c.content.as_str()];
    let all: Vec<&str> =
        parts.into_iter().chain(more.into_iter().flatten()).filter(|p| !p.is_empty()).collect();
    all.join(" · ")
}

fn conversations(all: &mut Vec<Change>, old: &Report, new: &Report) {
    let of = |r: &'_ Report| r.weighing().map(|c| (key(c), c.clone())).collect::<BTreeMap<_, _>>();
    let (before, after) = (of(old), of(new));
    let judged = |c: &Conversation| format!("{} {}", c.verdict, c.grade);
    for (k, c) in &before {
        match after.get(k) {
            Some(now) => {
                let turn = turn_of((c.verdict, c.grade), (now.verdict, now.grade));
                change(all, turn, "conversation", &name(c), judged(c), judged(now));
            }
            None => change(all, Turn::Other, "conversation", &name(c), judged(c), String::new()),
        }
    }
    for (_, c) in after.iter().filter(|(k, _)| !before.contains_key(*k)) {
        // A new conversation that somebody reads was not there to be read before.
        let turn = if c.verdict <= Verdict::TransportOnly { Turn::Worse } else { Turn::Other };
        change(all, turn, "conversation", &name(c), String::new(), judged(c));
    }
}

fn findings(all: &mut Vec<Change>, old: &Report, new: &Report) {
    let of = |r: &Report| -> BTreeSet<(String, String)> {
        let place = |id: &Option<String>| {
            let c = id.as_ref().and_then(|id| r.conversation(id));
            c.map_or_else(|| "the whole recording".to_owned(), name)
        };
        r.findings.iter().map(|f| (f.id.clone(), place(&f.conversation))).collect()
    };
    let (before, after) = (of(old), of(new));
    for (id, place) in before.difference(&after) {
        change(all, Turn::Better, "finding", id, place.clone(), String::new());
    }
    for (id, place) in after.difference(&before) {
        change(all, Turn::Worse, "finding", id, String::new(), place.clone());
    }
}

fn exposure(all: &mut Vec<Change>, old: &Report, new: &Report) {
    let of = |r: &Report| -> BTreeMap<(String, String), Learns> {
        r.exposure.iter().map(|e| ((e.item.clone(), e.party.clone()), e.state)).collect()
    };
    let (before, after) = (of(old), of(new));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    for k in keys {
        let state = |r: &BTreeMap<_, Learns>| r.get(&k).copied().unwrap_or_default();
        let (was, is) = (state(&before), state(&after));
        let turn = match (was, is) {
            (_, Learns::Learns) => Turn::Worse,
            (Learns::Learns, _) => Turn::Better,
            _ => Turn::Other,
        };
        let cell = format!("{} by {}", k.0, k.1);
        change(all, turn, "exposure", &cell, was.word().to_owned(), is.word().to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::dto::{Exposure, Finding};

    fn report(verdict: Verdict, grade: Grade) -> Report {
        let c = Conversation {
            id: "c1".into(),
            endpoint: "a:1".into(),
            verdict,
            grade,
            weighs: true,
            ..Conversation::default()
        };
        let mut r = Report { conversations: vec![c], ..Report::default() };
        (r.summary.verdict, r.summary.grade) = (verdict, grade);
        r
    }

    fn worse(old: &Report, new: &Report) -> usize {
        diff(old, new).iter().filter(|c| c.turn == Turn::Worse).count()
    }

    #[test]
    fn only_what_gets_worse_is_a_regression() {
        let sealed = report(Verdict::E2ee, Grade::G3);
        assert!(diff(&sealed, &sealed).is_empty());
        assert_eq!(worse(&sealed, &report(Verdict::TransportOnly, Grade::G3)), 2);
        assert_eq!(worse(&sealed, &report(Verdict::E2ee, Grade::G2)), 2);
        assert_eq!(worse(&report(Verdict::Undetermined, Grade::G1), &sealed), 0);
        let mut leaky = sealed.clone();
        leaky.findings.push(Finding { id: "length-leak".into(), ..Finding::default() });
        leaky.exposure.push(Exposure {
            item: "sizes".into(),
            party: "network".into(),
            state: Learns::Learns,
            evidence: vec![],
        });
        assert_eq!((worse(&sealed, &leaky), worse(&leaky, &sealed)), (2, 0));
        assert_eq!(worse(&Report::default(), &report(Verdict::Plaintext, Grade::G2)), 2);
        assert_eq!(worse(&sealed, &Report { conversations: vec![], ..sealed.clone() }), 0);
    }
}
