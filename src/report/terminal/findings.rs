//! Findings, each with its evidence and a filter that shows it elsewhere.

use super::Detail;
use super::page::{MEASURE, Page, barred, labelled};
use crate::report::alike::{self, Again, FINDINGS};
use crate::report::dto::{Evidence, Report, Severity};
use crate::report::lines::{Line, Tone, clean, fit, span, wrap};
use crate::report::{explain, place, prose};

/// Evidence of one finding that is shown at first sight.
const SHOWN: usize = 4;

/// The section of findings.
pub fn findings(page: &mut Page, r: &Report) {
    if r.findings.is_empty() {
        return;
    }
    page.section("Findings", &prose::thousands(r.findings.len() as u64));
    let groups = alike::findings(r);
    let detail = page.detail;
    let most = detail.most(FINDINGS);
    page.blocks(|width| groups.iter().take(most).map(|g| finding(r, g, width, detail)).collect());
    page.further(groups.len(), most);
}

fn severity_tone(s: Severity) -> Tone {
    match s {
        Severity::Critical | Severity::High => Tone::Bad,
        Severity::Medium => Tone::Warn,
        Severity::Low | Severity::Info => Tone::Open,
    }
}

fn finding(r: &Report, group: &Again<'_>, width: usize, detail: Detail) -> Vec<Line> {
    let f = group.first;
    let tone = severity_tone(f.severity);
    let inner = width.saturating_sub(2);
    let title = if f.title.is_empty() { explain::title(&f.id) } else { &f.title };
    let mut lines = wrap(&[span(tone, &format!("{} ", f.severity)), span(Tone::Strong, title)], inner);
    let mut facts = vec![f.id.clone(), format!("confidence {}", f.confidence)];
    facts.extend(f.conversation.clone());
    lines.extend(wrap(&[span(Tone::Dim, &facts.join(" · "))], inner));
    if !f.detail.is_empty() {
        lines.extend(wrap(&[span(Tone::Plain, &f.detail)], inner.min(MEASURE)));
    }
    let most = detail.most(SHOWN);
    for e in f.evidence.iter().take(most).filter_map(|id| r.evidence(id)) {
        lines.extend(evidence(r, e, inner));
    }
    if f.evidence.len() > most {
        lines.push(vec![span(Tone::Dim, &format!("and {} more (-v)", f.evidence.len() - most))]);
    }
    if let Some(filter) = &f.tshark {
        lines.extend(labelled("tshark -Y", &[span(Tone::Open, filter)], inner));
    }
    if let Some(others) = group.words() {
        lines.extend(labelled("also in", &[span(Tone::Plain, &others)], inner));
    }
    barred(lines, tone)
}

fn evidence(r: &Report, e: &Evidence, width: usize) -> Vec<Line> {
    let mut lines = labelled(&e.id, &[span(Tone::Plain, &e.statement)], width);
    if let Some(o) = &e.origin {
        lines.extend(labelled("", &[span(Tone::Dim, &place::of(r, o))], width));
        if let Some(shown) = &o.shown {
            lines.extend(labelled("", &[span(Tone::Bad, &format!("“{}”", fit(&clean(shown), 400)))], width));
        }
    }
    lines
}
