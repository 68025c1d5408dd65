//! Reports of different recordings joined into one. What was judged stays judged: of a conversation that
//! stands in several, the weakest judgement holds, and a planted text that was found in one of them
//! takes its absence in the others away.

use super::diff::key;
use super::dto::{CanaryKind, Conversation, Coverage, Grade, Learns, Origin, Provider, Report, Verdict};
use std::collections::BTreeMap;
use std::fmt;

/// Why reports cannot be joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinError {
    /// A recording stands in two of them.
    Twice(String),
    /// One compares two ends: its grades hold for those recordings together and no others.
    TwoEnds,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Twice(path) => {
                write!(f, "the recording {path} stands in two of the reports and would count twice")
            }
            JoinError::TwoEnds => f.write_str(
                "a comparison of two ends cannot be joined with other reports; keep it beside them",
            ),
        }
    }
}

impl std::error::Error for JoinError {}

/// Joins reports, in the order given.
pub fn join(reports: Vec<Report>) -> Result<Report, JoinError> {
    let mut all = reports.into_iter();
    let mut joined = all.next().unwrap_or_default();
    let mut rest: Vec<Report> = Vec::new();
    for r in all {
        let known = |i: &super::dto::InputFile| {
            let earlier = joined.inputs.iter().chain(rest.iter().flat_map(|r: &Report| &r.inputs));
            !i.sha256.is_empty() && earlier.clone().any(|k| k.sha256 == i.sha256)
        };
        if let Some(i) = r.inputs.iter().find(|i| known(i)) {
            return Err(JoinError::Twice(i.path.clone()));
        }
        rest.push(r);
    }
    if joined.vantages.is_some() || rest.iter().any(|r| r.vantages.is_some()) {
        return Err(JoinError::TwoEnds);
    }
    let several = !rest.is_empty();
    for r in rest {
        add(&mut joined, r);
    }
    if several {
        // Judgements of several recordings do not follow from their evidence laid together.
        joined.conversations.iter_mut().for_each(|c| c.basis = None);
    }
    experiment(&mut joined);
    order(&mut joined);
    summarise(&mut joined);
    Ok(joined)
}

/// What evidence and conversations of another report are called behind those that are there.
fn names(joined: &Report, other: &Report) -> BTreeMap<String, String> {
    let evidence = highest(joined.evidence.iter().map(|e| e.id.as_str()), 'e');
    let conversations = highest(joined.conversations.iter().map(|c| c.id.as_str()), 'c');
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for (n, e) in other.evidence.iter().enumerate() {
        ids.insert(e.id.clone(), format!("e{}", evidence + n as u64 + 1));
    }
    // A conversation that is there already keeps the name it has.
    let mut fresh = conversations;
    for c in &other.conversations {
        let known = joined.conversations.iter().find(|k| key(k) == key(c));
        let id = known.map(|k| k.id.clone()).unwrap_or_else(|| {
            fresh += 1;
            format!("c{fresh}")
        });
        ids.insert(c.id.clone(), id);
    }
    ids
}

fn add(joined: &mut Report, mut other: Report) {
    let (ids, inputs) = (names(joined, &other), joined.inputs.len() as u32);
    rename(&mut other, &ids, inputs);
    for c in other.conversations {
        match joined.conversations.iter_mut().find(|k| k.id == c.id) {
            Some(known) => unite(known, c),
            None => joined.conversations.push(c),
        }
    }
    joined.inputs.append(&mut other.inputs);
    joined.keys.append(&mut other.keys);
    joined.evidence.append(&mut other.evidence);
    joined.randomness.append(&mut other.randomness);
    joined.lengths.append(&mut other.lengths);
    joined.transport.append(&mut other.transport);
    joined.apps.append(&mut other.apps);
    joined.claims.append(&mut other.claims);
    for f in other.findings {
        match joined.findings.iter_mut().find(|k| (&k.id, &k.conversation) == (&f.id, &f.conversation)) {
            Some(known) => {
                known.severity = known.severity.max(f.severity);
                known.confidence = known.confidence.max(f.confidence);
                known.evidence.extend(f.evidence);
            }
            None => joined.findings.push(f),
        }
    }
    for c in other.canaries {
        let same = |k: &&mut super::dto::Canary| (&k.text_digest, k.kind) == (&c.text_digest, c.kind);
        match joined.canaries.iter_mut().find(same) {
            Some(known) => known.hits.extend(c.hits),
            None => joined.canaries.push(c),
        }
    }
    for e in other.exposure {
        match joined.exposure.iter_mut().find(|k| (&k.item, &k.party) == (&e.item, &e.party)) {
            Some(known) => {
                known.state = knows(known.state, e.state);
                known.evidence.extend(e.evidence);
            }
            None => joined.exposure.push(e),
        }
    }
    for n in other.notes {
        match joined.notes.iter_mut().find(|k| k.code == n.code) {
            Some(known) => known.count += n.count,
            None => joined.notes.push(n),
        }
    }
    joined.summary.coverage = sum(&joined.summary.coverage, &other.summary.coverage);
}

/// The highest number that ids of this kind carry.
fn highest<'a>(ids: impl Iterator<Item = &'a str>, kind: char) -> u64 {
    ids.filter_map(|id| id.strip_prefix(kind)?.parse().ok()).max().unwrap_or(0)
}

/// Ids and inputs of a report as they are to be in the joined one.
fn rename(r: &mut Report, ids: &BTreeMap<String, String>, inputs: u32) {
    let one = |id: &mut String| {
        if let Some(new) = ids.get(id.as_str()) {
            id.clone_from(new);
        }
    };
    let place = |o: &mut Option<Origin>| {
        if let Some(o) = o {
            o.input += inputs;
        }
    };
    for c in &mut r.conversations {
        one(&mut c.id);
        c.reasons.iter_mut().for_each(one);
    }
    for e in &mut r.evidence {
        one(&mut e.id);
        e.conversation.iter_mut().for_each(one);
        place(&mut e.origin);
    }
    for f in &mut r.findings {
        f.conversation.iter_mut().for_each(one);
        f.evidence.iter_mut().for_each(one);
    }
    for h in r.canaries.iter_mut().flat_map(|c| &mut c.hits) {
        h.conversation.iter_mut().for_each(one);
        place(&mut h.origin);
    }
    r.exposure.iter_mut().flat_map(|e| &mut e.evidence).for_each(one);
    r.claims.iter_mut().flat_map(|c| &mut c.evidence).for_each(one);
    r.transport.iter_mut().flat_map(|t| &mut t.conversations).for_each(one);
    r.apps.iter_mut().flat_map(|a| &mut a.conversations).for_each(one);
    r.randomness.iter_mut().for_each(|m| one(&mut m.conversation));
    r.lengths.iter_mut().for_each(|l| one(&mut l.conversation));
    r.notes.iter_mut().flat_map(|n| &mut n.examples).for_each(|f| f.input += inputs);
}

/// One conversation of two reports: the weaker judgement holds.
fn unite(known: &mut Conversation, other: Conversation) {
    let rank = |c: &Conversation| (!c.weighs, c.verdict, c.grade);
    let (messages, flows) = (known.messages + other.messages, known.flows + other.flows);
    let coverage = sum(&known.coverage, &other.coverage);
    let first = [known.first.clone(), other.first.clone()].into_iter().flatten().min();
    let last = [known.last.clone(), other.last.clone()].into_iter().flatten().max();
    let mut peers = known.peers.clone();
    peers.extend(other.peers.iter().filter(|p| !known.peers.contains(p)).cloned());
    if rank(&other) < rank(known) {
        let id = std::mem::take(&mut known.id);
        *known = Conversation { id, ..other };
    }
    *known = Conversation { messages, flows, coverage, first, last, peers, ..std::mem::take(known) };
}

fn sum(a: &Coverage, b: &Coverage) -> Coverage {
    Coverage {
        seen: a.seen + b.seen,
        decrypted: a.decrypted + b.decrypted,
        parsed: a.parsed + b.parsed,
        explained: a.explained + b.explained,
        opaque: a.opaque + b.opaque,
        sealed: a.sealed + b.sealed,
        cut: a.cut + b.cut,
        lost: a.lost + b.lost,
    }
}

fn knows(a: Learns, b: Learns) -> Learns {
    match (a, b) {
        (Learns::Learns, _) | (_, Learns::Learns) => Learns::Learns,
        (Learns::DoesNot, Learns::DoesNot) => Learns::DoesNot,
        _ => Learns::Unknown,
    }
}

/// Absence of planted texts carries nothing once one of them was found anywhere.
fn experiment(r: &mut Report) {
    let found = r.canaries.iter().any(|c| c.kind == CanaryKind::Canary && !c.hits.is_empty());
    if !found {
        return;
    }
    for c in r.conversations.iter_mut().filter(|c| c.verdict == Verdict::E2ee && c.grade == Grade::G3) {
        if c.envelope.is_some() {
            c.grade = Grade::G2;
            c.reason = "E2EE-shaped: messages are strict envelopes; a planted text was found in another of the joined recordings, so absence here says nothing".into();
            continue;
        }
        (c.verdict, c.grade, c.provider) = (Verdict::Undetermined, Grade::G1, Provider::Unknown);
        c.reason = "message fields are opaque; a planted text was found in another of the joined recordings, so absence here says nothing".into();
    }
}

fn order(r: &mut Report) {
    r.conversations.sort_by_key(|c| (!c.weighs, c.verdict, std::cmp::Reverse(c.messages), key(c)));
    r.findings.sort_by_key(|f| {
        (std::cmp::Reverse((f.severity, f.confidence)), f.id.clone(), f.conversation.clone())
    });
    r.notes.sort_by(|a, b| a.code.cmp(&b.code));
}

fn summarise(r: &mut Report) {
    let s = &mut r.summary;
    s.conversations = r.conversations.len() as u64;
    let weighing = || r.conversations.iter().filter(|c| c.weighs);
    s.counted.weigh = weighing().count() as u64;
    s.counted.background = s.conversations - s.counted.weigh;
    if let Some(c) = weighing().min_by_key(|c| (c.verdict, c.grade, c.network, c.provider)) {
        (s.verdict, s.grade, s.network, s.provider) = (c.verdict, c.grade, c.network, c.provider);
        s.reason = c.reason.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::dto::{Canary, Evidence, Hit, InputFile};

    fn report(sha: &str, endpoint: &str, verdict: Verdict, grade: Grade) -> Report {
        let c = Conversation {
            id: "c1".into(),
            endpoint: endpoint.into(),
            verdict,
            grade,
            weighs: true,
            messages: 2,
            reasons: vec!["e1".into()],
            ..Conversation::default()
        };
        let origin = Some(Origin { frames: vec![7], ..Origin::default() });
        let e = Evidence { id: "e1".into(), conversation: Some("c1".into()), origin, ..Evidence::default() };
        Report {
            inputs: vec![InputFile { sha256: sha.into(), path: sha.into(), ..InputFile::default() }],
            conversations: vec![c],
            evidence: vec![e],
            ..Report::default()
        }
    }

    #[test]
    fn the_weakest_holds_and_ids_stay_apart() {
        let sealed = report("1", "a:1", Verdict::E2ee, Grade::G2);
        let read = report("2", "a:1", Verdict::TransportOnly, Grade::G2);
        for both in [[sealed.clone(), read.clone()], [read.clone(), sealed.clone()]] {
            let joined = join(both.into()).expect("joined");
            assert_eq!((joined.conversations.len(), joined.summary.verdict), (1, Verdict::TransportOnly));
            let c = &joined.conversations[0];
            assert_eq!((c.verdict, c.messages), (Verdict::TransportOnly, 4));
            let e = joined.evidence(&c.reasons[0]).expect("its evidence");
            let input = e.origin.as_ref().map(|o| o.input as usize).expect("a place");
            assert_eq!(joined.inputs[input].sha256, "2");
        }
        let apart =
            join(vec![sealed.clone(), report("2", "b:1", Verdict::Plaintext, Grade::G2)]).expect("joined");
        let ids: Vec<&str> = apart.conversations.iter().map(|c| c.id.as_str()).collect();
        assert_eq!(ids, ["c2", "c1"]);
        assert_eq!(join(vec![sealed.clone(), sealed]), Err(JoinError::Twice("1".into())));
    }

    #[test]
    fn a_text_found_in_one_takes_its_absence_in_the_other_away() {
        let canary = |hits| Canary { text_digest: "d".into(), hits, ..Canary::default() };
        let mut opaque = report("1", "a:1", Verdict::E2ee, Grade::G3);
        opaque.canaries = vec![canary(vec![])];
        let mut read = report("2", "b:1", Verdict::TransportOnly, Grade::G3);
        read.canaries = vec![canary(vec![Hit::default()])];
        let joined = join(vec![opaque, read]).expect("joined");
        assert!(joined.conversations.iter().all(|c| c.verdict != Verdict::E2ee));
        assert_eq!(joined.canaries.len(), 1);
    }
}
