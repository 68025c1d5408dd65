//! A saved report judged again from the evidence in it. The same judges on the same evidence say the same:
//! where they do not, somebody changed the report, or another version wrote it.

use super::conclude::{Planted, judged_by};
use crate::evidence::{ConversationKey, Coverage, Draft, Evidence, Kind, Polarity, Strength};
use crate::model::{FrameRef, Origin, Side, Timestamp, Trust};
use crate::peel::Guard;
use crate::report::dto::{self, Conversation, Report};
use crate::report::explain;
use crate::verdict::{Judgement, summarise};

/// The finding on a report whose verdicts do not follow from its evidence.
pub const ALTERED: &str = "altered-report";

/// What became of judging again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejudged {
    /// The report does not hold what its judges looked at: an older version wrote it, or it was joined of
    /// several.
    Unable,
    /// The evidence gives what is saved.
    Same,
    /// The evidence gives something else: one sentence for each difference. The report was changed to what
    /// the evidence gives, and has a finding for each.
    Different(Vec<String>),
}

/// Judges the conversations of a saved report again and writes into it what their evidence gives.
pub fn rejudge(report: &mut Report) -> Rejudged {
    // A report without any conversation has nothing to judge but its summary.
    if report.conversations.iter().all(|c| c.basis.is_none()) && !report.conversations.is_empty() {
        return Rejudged::Unable;
    }
    let drafts: Option<Vec<Draft>> = report.conversations.iter().map(|c| draft(report, c)).collect();
    let Some(drafts) = drafts else {
        let told = "some of its conversations or evidence lack what they were judged by".to_owned();
        accuse(report, None, &told);
        return Rejudged::Different(vec![told]);
    };
    let planted: Vec<Planted> = report
        .canaries
        .iter()
        .map(|c| Planted { control: c.kind == dto::CanaryKind::Control, searched: !c.unsearched })
        .collect();
    let judgements = judged_by(&drafts, &planted);
    let version =
        if report.tool.version == env!("CARGO_PKG_VERSION") { Version::This } else { Version::Other };
    let mut told = Vec::new();
    for (place, judgement) in judgements.iter().enumerate() {
        let Some(saved) = report.conversations.get_mut(place) else { continue };
        if let Some(difference) = correct(saved, judgement, version) {
            let id = saved.id.clone();
            accuse(report, Some(&id), &difference);
            told.push(format!("{id}: {difference}"));
        }
    }
    if let Some(difference) = correct_summary(report, &judgements) {
        accuse(report, None, &difference);
        told.push(format!("summary: {difference}"));
    }
    if told.is_empty() { Rejudged::Same } else { Rejudged::Different(told) }
}

/// Which version wrote a report: another may say the same in other words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    This,
    Other,
}

/// The four words of a judgement in one.
fn words(verdict: &str, grade: &str, network: &str, provider: &str) -> String {
    format!("{verdict} {grade} (network {network}, provider {provider})")
}

fn given(j: &Judgement) -> String {
    words(j.verdict.word(), j.grade.word(), j.network.word(), j.provider.word())
}

/// Writes what the evidence gives to a conversation, and says what stood there. The reason's words count
/// where the same version wrote them.
fn correct(saved: &mut Conversation, j: &Judgement, version: Version) -> Option<String> {
    let was = words(saved.verdict.word(), saved.grade.word(), saved.network.word(), saved.provider.word());
    let (is, weighs) = (given(j), j.weighs.is_some());
    if was == is && saved.weighs == weighs && (version == Version::Other || saved.reason == j.reason) {
        return None;
    }
    let difference = match (was == is, saved.weighs == weighs) {
        (false, _) => format!("{was} is saved, but its evidence gives {is}"),
        (true, false) => format!(
            "it is saved as {} the summary, and its evidence says otherwise",
            if saved.weighs { "weighing in" } else { "left out of" }
        ),
        (true, true) => "its reason is saved in other words than its evidence gives".to_owned(),
    };
    saved.verdict = dto::Verdict::parse(j.verdict.word()).unwrap_or_default();
    saved.grade = dto::Grade::parse(j.grade.word()).unwrap_or_default();
    saved.network = dto::Network::parse(j.network.word()).unwrap_or_default();
    saved.provider = dto::Provider::parse(j.provider.word()).unwrap_or_default();
    saved.weighs = weighs;
    saved.why_weighs = j.weighs.clone().unwrap_or_default();
    saved.reason.clone_from(&j.reason);
    saved.not_ruled_out.clone_from(&j.not_ruled_out);
    saved.next_step.clone_from(&j.next_step);
    Some(difference)
}

fn correct_summary(report: &mut Report, judgements: &[Judgement]) -> Option<String> {
    let s = summarise(judgements);
    let saved = &mut report.summary;
    let was = words(saved.verdict.word(), saved.grade.word(), saved.network.word(), saved.provider.word());
    let is = words(s.verdict.word(), s.grade.word(), s.network.word(), s.provider.word());
    if was == is {
        return None;
    }
    saved.verdict = dto::Verdict::parse(s.verdict.word()).unwrap_or_default();
    saved.grade = dto::Grade::parse(s.grade.word()).unwrap_or_default();
    saved.network = dto::Network::parse(s.network.word()).unwrap_or_default();
    saved.provider = dto::Provider::parse(s.provider.word()).unwrap_or_default();
    saved.reason = s.reason;
    Some(format!("{was} is saved, but its conversations give {is}"))
}

fn accuse(report: &mut Report, conversation: Option<&str>, detail: &str) {
    let finding = dto::Finding {
        id: ALTERED.to_owned(),
        title: explain::title(ALTERED).to_owned(),
        severity: dto::Severity::High,
        confidence: dto::Confidence::High,
        conversation: conversation.map(str::to_owned),
        detail: detail.to_owned(),
        ..dto::Finding::default()
    };
    report.findings.insert(0, finding);
}

/// A conversation as its judges knew it; nothing where the report does not hold all of it.
fn draft(report: &Report, c: &Conversation) -> Option<Draft> {
    let basis = c.basis.as_ref()?;
    let own = |e: &&dto::Evidence| e.conversation.as_deref() == Some(c.id.as_str());
    let evidence: Option<Vec<Evidence>> =
        report.evidence.iter().filter(own).map(|e| record(e, basis.first_ns)).collect();
    let key = ConversationKey {
        endpoint: c.endpoint.clone(),
        path: c.protocol.clone(),
        content: basis.content.clone(),
    };
    Some(Draft {
        messages: c.messages,
        flows: c.flows,
        coverage: Coverage {
            seen: c.coverage.seen,
            decrypted: c.coverage.decrypted,
            parsed: c.coverage.parsed,
            explained: c.coverage.explained,
            opaque: c.coverage.opaque,
            sealed: c.coverage.sealed,
            lost: c.coverage.lost,
        },
        evidence: evidence?,
        kin: basis.kin,
        limited: basis.limited,
        drops: basis.drops,
        bytes: basis.bytes,
        server: basis.server.clone(),
        app: basis.app.clone(),
        last: basis.last_ns,
        facts: basis.facts.clone(),
        vantage: basis.vantage,
        ..Draft::new(key, basis.first_ns)
    })
}

fn record(e: &dto::Evidence, first: Timestamp) -> Option<Evidence> {
    let kind: Kind = serde_json::from_value(e.fact.clone()?).ok()?;
    let strength = match e.strength {
        dto::Strength::Weak => Strength::Weak,
        dto::Strength::Strong => Strength::Strong,
        dto::Strength::Proof => Strength::Proof,
    };
    let polarity = match e.polarity {
        dto::Polarity::Readable => Polarity::Against,
        dto::Polarity::Sealed => Polarity::For,
        dto::Polarity::Neutral => Polarity::Neutral,
    };
    let guard: Guard = e.guard?;
    // What the user checked stands in no frame.
    let origin = e.origin.as_ref().map_or_else(|| Origin::at(first), origin);
    Some(Evidence { kind, strength, polarity, guard, origin, count: e.count, shown: None })
}

fn origin(o: &dto::Origin) -> Origin {
    Origin {
        frame: FrameRef { input: o.input, frame: o.frames.first().copied().unwrap_or(0) },
        time: o.ns,
        flow: o.flow.clone(),
        side: o.side.unwrap_or(Side::Client),
        layers: o.layers.clone(),
        field: o.field.clone(),
        trust: o.trust.unwrap_or(Trust::Guessed),
        length: o.length,
        digest: o.digest.clone(),
    }
}
