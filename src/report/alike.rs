//! Conversations that say the same but for the addresses of their servers, told once. A recording of a
//! network has thousands of them, and a reader looks for what differs. The JSON report lists every one.

use super::dto::{Conversation, Finding, Report};
use super::prose;
use std::collections::HashMap;
use std::net::SocketAddr;

/// A conversation and those like it.
#[derive(Debug)]
pub struct Alike<'a> {
    /// The first.
    pub first: &'a Conversation,
    /// The others, in order.
    pub others: Vec<&'a Conversation>,
}

/// Cards of conversations in a report for reading. The JSON report has all.
pub const CARDS: usize = 80;
/// Findings told in full.
pub const FINDINGS: usize = 200;
/// Lines of what is in the background.
pub const LISTED: usize = 400;

/// So many conversations still stand each for itself.
const FEW: usize = 4;
/// Others that are named.
const NAMED: usize = 3;

/// Folds conversations that differ in nothing but numbers and the address of a server without a name. What
/// has a name stands for itself.
pub fn fold<'a>(all: impl Iterator<Item = &'a Conversation>) -> Vec<Alike<'a>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Alike<'a>> = Vec::new();
    for c in all {
        let next = groups.len();
        match bare(c).map(|port| *places.entry(said(c, port)).or_insert(next)) {
            Some(at) if at < next => groups[at].others.push(c),
            _ => groups.push(Alike { first: c, others: Vec::new() }),
        }
    }
    let mut told: Vec<Alike<'a>> = Vec::with_capacity(groups.len());
    for group in groups {
        match group.others.len() < FEW {
            true => {
                let each = std::iter::once(group.first).chain(group.others);
                told.extend(each.map(|first| Alike { first, others: Vec::new() }));
            }
            false => told.push(group),
        }
    }
    told
}

/// The port, where the server has no name.
fn bare(c: &Conversation) -> Option<u16> {
    c.endpoint.parse::<SocketAddr>().ok().map(|a| a.port())
}

/// What is told about a conversation, beside addresses and counts.
fn said(c: &Conversation, port: u16) -> impl std::hash::Hash + Eq {
    let app = c.app.as_ref().map(|a| (&a.id, &a.name));
    let what = (&c.protocol, &c.content, &c.envelope, &c.vantage, port, app);
    let judged = (c.verdict, c.grade, c.network, c.provider, &c.reason);
    (what, judged, &c.not_ruled_out, &c.next_step, &c.why_weighs, c.coverage.seen == 0)
}

impl Alike<'_> {
    /// Bytes of all.
    pub fn seen(&self) -> u64 {
        self.others.iter().map(|c| c.coverage.seen).sum::<u64>() + self.first.coverage.seen
    }

    /// How many more there are and the first of them by name; nothing where there are none.
    pub fn words(&self) -> Option<String> {
        if self.others.is_empty() {
            return None;
        }
        let named: Vec<String> =
            self.others.iter().take(NAMED).map(|c| format!("{} ({})", prose::name(c), c.id)).collect();
        let more = self.others.len().saturating_sub(NAMED);
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {} more, which the JSON report lists", prose::thousands(more as u64))
        };
        let count = prose::count(self.others.len() as u64, "other conversation");
        Some(format!("{count} at other addresses: {}{more}", named.join(", ")))
    }
}

/// A finding and the conversations in which the same was found.
#[derive(Debug)]
pub struct Again<'a> {
    /// The first.
    pub first: &'a Finding,
    /// The other conversations, by id.
    pub others: Vec<&'a str>,
}

/// Folds findings that say the same of many conversations, on evidence that says the same.
pub fn findings(r: &Report) -> Vec<Again<'_>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for f in &r.findings {
        let statements: Vec<&str> =
            f.evidence.iter().filter_map(|id| r.evidence(id)).map(|e| e.statement.as_str()).collect();
        let said =
            (&f.id, &f.title, &f.detail, f.severity, f.confidence, f.conversation.is_some(), statements);
        let at = *places.entry(said).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(f),
            None => groups.push(vec![f]),
        }
    }
    groups.into_iter().flat_map(told).collect()
}

/// A group as one, or each of a few for itself.
fn told(group: Vec<&Finding>) -> Vec<Again<'_>> {
    match group.as_slice() {
        [first, others @ ..] if others.len() >= FEW => {
            let others = others.iter().filter_map(|f| f.conversation.as_deref()).collect();
            vec![Again { first, others }]
        }
        _ => group.into_iter().map(|first| Again { first, others: Vec::new() }).collect(),
    }
}

impl Again<'_> {
    /// In how many more conversations, and the first of them; nothing where there are none.
    pub fn words(&self) -> Option<String> {
        let more = match self.others.len() {
            0 => return None,
            n if n > NAMED => format!(" and {} more", prose::thousands((n - NAMED) as u64)),
            _ => String::new(),
        };
        let named: Vec<&str> = self.others.iter().take(NAMED).copied().collect();
        Some(format!("{}{more}", named.join(", ")))
    }
}

/// What follows a list that was cut, or nothing.
pub fn further(all: usize, shown: usize) -> Option<String> {
    let more = all.checked_sub(shown).filter(|n| *n > 0)?;
    Some(format!("And {} more, which the JSON report lists.", prose::thousands(more as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::dto::{Grade, Verdict};

    fn conversation(endpoint: &str, verdict: Verdict) -> Conversation {
        Conversation { endpoint: endpoint.into(), verdict, grade: Grade::G2, ..Default::default() }
    }

    #[test]
    fn only_what_differs_by_its_address_alone_is_folded() {
        let mut all: Vec<Conversation> =
            (0..9).map(|n| conversation(&format!("192.0.2.{n}:1863"), Verdict::Plaintext)).collect();
        all.push(conversation("192.0.2.9:1863", Verdict::Undetermined));
        all.push(conversation("192.0.2.9:443", Verdict::Plaintext));
        all.extend((0..9).map(|n| conversation(&format!("h{n}.example:1863"), Verdict::Plaintext)));
        let folded = fold(all.iter());
        let sizes: Vec<usize> = folded.iter().map(|g| g.others.len()).collect();
        assert_eq!(sizes, [8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let words = folded[0].words().expect("there are others");
        assert!(words.starts_with("8 other conversations at other addresses: 192.0.2.1:1863"), "{words}");
        assert!(words.ends_with("and 5 more, which the JSON report lists"), "{words}");
    }

    #[test]
    fn the_same_finding_in_many_conversations_is_told_once() {
        let finding = |c: u32, id: &str| Finding {
            id: id.into(),
            conversation: Some(format!("c{c}")),
            ..Default::default()
        };
        let mut findings: Vec<Finding> = (0..7).map(|c| finding(c, "plaintext-message")).collect();
        findings.push(finding(0, "weak-transport"));
        let report = Report { findings, ..Default::default() };
        let told: Vec<(&str, Option<String>)> =
            super::findings(&report).iter().map(|g| (g.first.id.as_str(), g.words())).collect();
        let expected = Some("c1, c2, c3 and 3 more".to_owned());
        assert_eq!(told, [("plaintext-message", expected), ("weak-transport", None)]);
    }

    #[test]
    fn few_stand_each_for_itself() {
        let all: Vec<Conversation> =
            (0..4).map(|n| conversation(&format!("192.0.2.{n}:80"), Verdict::Plaintext)).collect();
        assert_eq!(fold(all.iter()).len(), 4);
    }
}
