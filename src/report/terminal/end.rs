//! What stands last: applications and their vendors' claims, what was not seen, and the background.

use super::page::{LABEL, Page, labelled};
use super::verdict_tones;
use crate::report::alike::{self, LISTED};
use crate::report::dto::{ClaimState, Report};
use crate::report::lines::{Tone, beside, span, wrap};
use crate::report::{meanings, place, prose};

/// Applications that were recognised, and how their vendors' claims stand.
pub fn apps(page: &mut Page, r: &Report) {
    if r.apps.is_empty() {
        return;
    }
    page.section("Applications and what vendors claim", "decides nothing");
    for a in &r.apps {
        let spans = [span(Tone::Plain, &prose::app(a))];
        page.lines.extend(labelled(&a.name, &spans, page.width));
        for c in r.claims.iter().filter(|c| c.app == a.id) {
            let tone = match c.state {
                ClaimState::Contradicted => Tone::Bad,
                ClaimState::Confirmed => Tone::Good,
                ClaimState::Untested | ClaimState::Expired => Tone::Open,
            };
            let spans = [
                span(tone, &format!("{}: ", c.state)),
                span(Tone::Plain, &prose::claim(c)),
                span(Tone::Dim, &format!(" · {}", c.why)),
            ];
            page.lines.extend(labelled("  claim", &spans, page.width));
        }
    }
}

/// What the recording lacks, and remarks of the layers.
pub fn unseen(page: &mut Page, r: &Report) {
    if r.notes.is_empty() && r.summary.coverage.lost == 0 {
        return;
    }
    page.section("What was not seen, and remarks", "");
    if r.summary.coverage.lost > 0 {
        let text = format!("{} are missing from the recording", prose::size(r.summary.coverage.lost));
        page.lines.extend(labelled("lost", &[span(Tone::Warn, &text)], page.width));
    }
    for n in &r.notes {
        let mut spans = vec![span(Tone::Strong, &n.code)];
        let meaning = if n.meaning.is_empty() { meanings::of(&n.code) } else { &n.meaning };
        spans.push(span(Tone::Plain, &format!(" {meaning}")));
        if !n.examples.is_empty() {
            let places: Vec<String> =
                n.examples.iter().take(page.detail.most(1)).map(|at| place::spot(r, at)).collect();
            spans.push(span(Tone::Dim, &format!(" (first in {})", places.join(", "))));
        }
        page.lines.extend(labelled(&format!("{:>8} x", n.count), &spans, page.width));
    }
}

/// What is listed and not weighed.
pub fn background(page: &mut Page, r: &Report) {
    if r.background().next().is_none() {
        return;
    }
    page.section("In the background", "listed, not weighed");
    let groups = alike::fold(r.background());
    let most = page.detail.most(LISTED);
    for g in groups.iter().take(most) {
        let c = g.first;
        let (_, tone) = verdict_tones(c.verdict);
        let mut spans = vec![span(Tone::Plain, &prose::quiet(r, c))];
        if !g.others.is_empty() {
            let others = prose::thousands(g.others.len() as u64);
            let more = format!(" · {others} others alike, {} in all", prose::size(g.seen()));
            spans.push(span(Tone::Dim, &more));
        }
        let body = wrap(&spans, page.width.saturating_sub(LABEL + 1));
        page.lines.extend(beside(vec![vec![span(tone, c.verdict.word())]], body, LABEL, 1));
    }
    page.further(groups.len(), most);
}
