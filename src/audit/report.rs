//! From a finished audit to the report's data.

mod apps;
mod canaries;
mod protection;
mod statements;
mod vantages;

use super::Audit;
use crate::capture::{InputInfo, holds_entries};
use crate::evidence::{Content, Draft, Evidence, Polarity, Strength};
use crate::model::{FrameRef, Timestamp};
use crate::report::dto::{self, Report};
use crate::report::{explain, meanings};
use crate::verdict::{Confidence, Exposure, Judgement, Knows, Severity};
use statements::{randomness, told};
use std::collections::BTreeSet;

impl Audit {
    /// The audit as a report, redacted unless content was kept.
    pub fn report(&self) -> Report {
        let ids = Ids::new(&self.drafts, &self.inputs);
        let s = &self.summary;
        Report {
            schema: dto::SCHEMA.to_owned(),
            tool: dto::Tool {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            rules: dto::Rules { digest: self.rules.0.clone(), count: self.rules.1 as u64 },
            inputs: self.inputs.iter().map(input).collect(),
            summary: dto::Summary {
                verdict: dto::Verdict::parse(s.verdict.word()).unwrap_or_default(),
                grade: dto::Grade::parse(s.grade.word()).unwrap_or_default(),
                network: dto::Network::parse(s.network.word()).unwrap_or_default(),
                provider: dto::Provider::parse(s.provider.word()).unwrap_or_default(),
                conversations: self.drafts.len() as u64,
                coverage: coverage(&self.totals.coverage),
                reason: s.reason.clone(),
                counted: dto::Counted { weigh: s.weighing as u64, background: s.background as u64 },
            },
            conversations: self.conversations(&ids),
            evidence: self.evidence(&ids),
            findings: self.findings.iter().map(|f| self.finding(&ids, f)).collect(),
            canaries: canaries::canaries(self),
            exposure: self.exposures.iter().map(|e| exposure(&ids, e)).collect(),
            notes: self.notes(),
            apps: apps::apps(&self.apps),
            claims: apps::claims(self, &ids),
            transport: protection::transport(&self.drafts),
            randomness: self.drafts.iter().enumerate().flat_map(|(c, d)| randomness(c, d)).collect(),
            lengths: vantages::lengths(self),
            vantages: vantages::vantages(self, &ids),
            limits: dto::limits(&self.limits),
            ..Report::default()
        }
    }

    fn conversations(&self, ids: &Ids) -> Vec<dto::Conversation> {
        let judged = self.drafts.iter().zip(&self.judgements).zip(&self.apps).enumerate();
        judged
            .map(|(c, ((d, j), a))| dto::Conversation { app: apps::of(a), ..conversation(ids, c, d, j) })
            .collect()
    }

    fn notes(&self) -> Vec<dto::Note> {
        let note = |(code, n): (&String, &crate::model::Note)| dto::Note {
            code: code.clone(),
            count: n.count,
            examples: n.examples.clone(),
            meaning: meanings::of(code).to_owned(),
        };
        self.notes.0.iter().map(note).collect()
    }

    fn evidence(&self, ids: &Ids) -> Vec<dto::Evidence> {
        let each = |(c, d): (usize, &Draft)| {
            d.evidence.iter().enumerate().map(|(i, e)| evidence(ids, c, i, e)).collect::<Vec<_>>()
        };
        self.drafts.iter().enumerate().flat_map(each).collect()
    }

    fn finding(&self, ids: &Ids, f: &crate::verdict::Finding) -> dto::Finding {
        let draft = self.drafts.get(f.conversation);
        let seen = |i: &usize| draft.and_then(|d| d.evidence.get(*i));
        dto::Finding {
            id: f.id.clone(),
            title: explain::title(&f.id).to_owned(),
            severity: match f.severity {
                Severity::Info => dto::Severity::Info,
                Severity::Low => dto::Severity::Low,
                Severity::Medium => dto::Severity::Medium,
                Severity::High => dto::Severity::High,
                Severity::Critical => dto::Severity::Critical,
            },
            confidence: match f.confidence {
                Confidence::Low => dto::Confidence::Low,
                Confidence::Medium => dto::Confidence::Medium,
                Confidence::High => dto::Confidence::High,
            },
            conversation: Some(Ids::conversation(f.conversation)),
            evidence: f.evidence.iter().map(|i| ids.evidence(f.conversation, *i)).collect(),
            tshark: ids.filter(f.evidence.iter().filter_map(seen)),
            detail: String::new(),
        }
    }
}

fn exposure(ids: &Ids, e: &Exposure) -> dto::Exposure {
    dto::Exposure {
        item: e.item.replace('-', " "),
        party: e.party.clone(),
        state: match e.state {
            Knows::Learns => dto::Learns::Learns,
            Knows::DoesNot => dto::Learns::DoesNot,
            Knows::Unknown => dto::Learns::Unknown,
        },
        evidence: e.evidence.iter().map(|(c, i)| ids.evidence(*c, *i)).collect(),
    }
}

/// Evidence is numbered through all conversations, and frames by input.
struct Ids {
    starts: Vec<usize>,
    /// Inputs without frames that another instrument could show.
    entries: BTreeSet<u32>,
}

impl Ids {
    fn new(drafts: &[Draft], inputs: &[InputInfo]) -> Self {
        let start = |sum: &mut usize, d: &Draft| {
            let at = *sum;
            *sum += d.evidence.len();
            Some(at)
        };
        let entries = (0..).zip(inputs).filter(|(_, i)| holds_entries(&i.format)).map(|(n, _)| n);
        Self { starts: drafts.iter().scan(0, start).collect(), entries: entries.collect() }
    }
    fn evidence(&self, c: usize, i: usize) -> String {
        format!("e{}", self.starts.get(c).map_or(0, |at| at + i + 1))
    }
    fn conversation(c: usize) -> String {
        format!("c{}", c + 1)
    }
    /// The filter that shows the frames of several observations, as far as they are of one recording.
    fn filter<'a>(&self, all: impl Iterator<Item = &'a Evidence>) -> Option<String> {
        const SHOWN: usize = 12;
        let seen = |f: &FrameRef| f.frame > 0 && !self.entries.contains(&f.input);
        let at: Vec<_> = all.map(|e| e.origin.frame).filter(seen).collect();
        let input = at.first()?.input;
        let frames: BTreeSet<u64> = at.iter().filter(|f| f.input == input).map(|f| f.frame).collect();
        let list: Vec<String> = frames.iter().take(SHOWN).map(u64::to_string).collect();
        Some(match list.as_slice() {
            [one] => format!("frame.number == {one}"),
            many => format!("frame.number in {{{}}}", many.join(", ")),
        })
    }
}

fn time(t: Timestamp) -> Option<String> {
    (t.0 != 0).then(|| t.to_string())
}

fn input(i: &InputInfo) -> dto::InputFile {
    dto::InputFile {
        path: i.path.clone(),
        sha256: i.sha256.clone(),
        bytes: i.bytes,
        packets: i.packets,
        format: i.format.clone(),
        links: i.links.iter().map(u16::to_string).collect(),
        first: i.first.and_then(time),
        last: i.last.and_then(time),
        dropped: i.dropped,
    }
}

fn coverage(c: &crate::evidence::Coverage) -> dto::Coverage {
    dto::Coverage {
        seen: c.seen,
        decrypted: c.decrypted,
        parsed: c.parsed,
        explained: c.explained,
        opaque: c.opaque,
        sealed: c.sealed,
        cut: 0,
        lost: c.lost,
    }
}

fn conversation(ids: &Ids, c: usize, d: &Draft, j: &Judgement) -> dto::Conversation {
    let content = match &d.key.content {
        Content::Envelope(_) | Content::Text => "text",
        Content::Opaque => "opaque",
        Content::Sealed => "sealed",
        Content::Unknown => "unknown",
        Content::Call => "call",
        Content::Background => "background",
    };
    dto::Conversation {
        id: Ids::conversation(c),
        app: None,
        endpoint: d.key.endpoint.clone(),
        protocol: d.key.path.clone(),
        content: content.to_owned(),
        verdict: dto::Verdict::parse(j.verdict.word()).unwrap_or_default(),
        grade: dto::Grade::parse(j.grade.word()).unwrap_or_default(),
        network: dto::Network::parse(j.network.word()).unwrap_or_default(),
        provider: dto::Provider::parse(j.provider.word()).unwrap_or_default(),
        reasons: j.reasons.iter().map(|i| ids.evidence(c, *i)).collect(),
        reason: j.reason.clone(),
        not_ruled_out: j.not_ruled_out.clone(),
        next_step: j.next_step.clone(),
        messages: d.messages,
        coverage: coverage(&d.coverage),
        weighs: j.weighs.is_some(),
        why_weighs: j.weighs.clone().unwrap_or_default(),
        first: time(d.first),
        last: time(d.last),
        envelope: match &d.key.content {
            Content::Envelope(name) => Some(name.clone()),
            _ => None,
        },
        flows: d.flows,
        peers: Some(d.server.clone()).filter(|s| !s.is_empty()).into_iter().collect(),
        vantage: d.vantage.map(|v| v.word().to_owned()),
        basis: Some(basis(d)),
    }
}

/// What the judges looked at beside the evidence.
fn basis(d: &Draft) -> dto::Basis {
    dto::Basis {
        content: d.key.content.clone(),
        kin: d.kin,
        limited: d.limited,
        drops: d.drops,
        bytes: d.bytes,
        server: d.server.clone(),
        app: d.app.clone(),
        first_ns: d.first,
        last_ns: d.last,
        facts: d.facts.clone(),
        vantage: d.vantage,
    }
}

fn evidence(ids: &Ids, c: usize, i: usize, e: &Evidence) -> dto::Evidence {
    let (kind, statement) = told(e);
    // What the user checked stands in no frame.
    let placed = e.origin.frame.frame > 0;
    let times = if e.count > 1 { format!(" ({} times)", e.count) } else { String::new() };
    dto::Evidence {
        id: ids.evidence(c, i),
        kind,
        strength: match e.strength {
            Strength::Weak => dto::Strength::Weak,
            Strength::Strong => dto::Strength::Strong,
            Strength::Proof => dto::Strength::Proof,
        },
        polarity: match e.polarity {
            Polarity::Against => dto::Polarity::Readable,
            Polarity::For => dto::Polarity::Sealed,
            Polarity::Neutral => dto::Polarity::Neutral,
        },
        conversation: Some(Ids::conversation(c)),
        statement: format!("{statement}{times}"),
        origin: placed.then(|| origin(e)),
        tshark: ids.filter(std::iter::once(e)),
        count: e.count,
        guard: Some(e.guard),
        fact: serde_json::to_value(&e.kind).ok(),
    }
}

fn origin(e: &Evidence) -> dto::Origin {
    let o = &e.origin;
    dto::Origin {
        input: o.frame.input,
        frames: vec![o.frame.frame],
        time: time(o.time),
        ns: o.time,
        flow: o.flow.clone(),
        side: Some(o.side),
        layers: o.layers.clone(),
        field: o.field.clone(),
        trust: Some(o.trust),
        length: o.length,
        digest: o.digest.clone(),
        shown: e.shown.clone(),
    }
}
