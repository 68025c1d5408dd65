//! A card for every conversation that carries messages.

use super::page::{Page, barred, blank, bullets, labelled};
use super::verdict_tones;
use crate::report::alike::{self, Alike, CARDS};
use crate::report::dto::Report;
use crate::report::lines::{Line, Tone, clean, fit, line_width, span, wrap};
use crate::report::prose;
use unicode_width::UnicodeWidthStr;

/// The section of cards.
pub fn cards(page: &mut Page, r: &Report) {
    if r.weighing().next().is_none() {
        return;
    }
    let count = r.weighing().count();
    let groups = alike::fold(r.weighing());
    page.section("Conversations that carry messages", &prose::thousands(count as u64));
    let most = page.detail.most(CARDS);
    page.blocks(|width| groups.iter().take(most).map(|g| card(r, g, width)).collect());
    page.further(groups.len(), most);
}

fn card(r: &Report, group: &Alike<'_>, width: usize) -> Vec<Line> {
    let c = group.first;
    let (shade, tone) = verdict_tones(c.verdict);
    let inner = width.saturating_sub(2);
    let badge = format!(" {} {} ", c.verdict.word().to_uppercase(), c.grade);
    let title = [
        span(shade, &badge),
        span(Tone::Plain, "  "),
        span(
            Tone::Strong,
            &fit(&clean(&prose::name(c)), inner.saturating_sub(badge.width() + c.id.width() + 4)),
        ),
    ];
    let mut head: Line = title.into();
    let gap = inner.saturating_sub(line_width(&head) + c.id.width());
    head.push(span(Tone::Dim, &format!("{}{}", " ".repeat(gap), c.id)));
    let mut lines = vec![head];
    lines.extend(wrap(&[span(Tone::Dim, &prose::facts(c).join(" · "))], inner));
    blank(&mut lines);
    let plain = |label: &str, text: &str| labelled(label, &[span(Tone::Plain, text)], inner);
    if !c.reason.is_empty() {
        lines.extend(plain("why", &c.reason));
    }
    if let Some(also) = prose::shared_host(c) {
        lines.extend(plain("application", &also));
    }
    lines.extend(plain("network", prose::network(r, c.network, std::iter::once(c))));
    lines.extend(plain("provider", prose::provider(c.provider)));
    lines.extend(bullets("not ruled out", &c.not_ruled_out, inner));
    if !c.next_step.is_empty() {
        lines.extend(plain("next step", &c.next_step));
    }
    lines.extend(plain("bytes", &prose::coverage(&c.coverage)));
    if !c.why_weighs.is_empty() {
        lines.extend(plain("weighs because", &c.why_weighs));
    }
    if !c.reasons.is_empty() {
        lines.extend(plain("evidence", &c.reasons.join(", ")));
    }
    if let Some(others) = group.words() {
        lines.extend(plain("judged alike", &others));
    }
    barred(lines, tone)
}
