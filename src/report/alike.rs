//! Conversations that say the same but for the addresses of their servers, told once. A recording of a
//! network has thousands of them, and a reader looks for what differs. The JSON report lists every one.

use super::dto::Conversation;
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
    fn few_stand_each_for_itself() {
        let all: Vec<Conversation> =
            (0..4).map(|n| conversation(&format!("192.0.2.{n}:80"), Verdict::Plaintext)).collect();
        assert_eq!(fold(all.iter()).len(), 4);
    }
}
