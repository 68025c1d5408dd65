//! The answer, and what it was judged from.

use super::page::{LABEL, MEASURE, Page, blank, labelled};
use super::verdict_tones;
use crate::report::dto::Report;
use crate::report::lines::{Tone, fit, span, wrap};
use crate::report::{place, prose};
use unicode_width::UnicodeWidthStr;

/// The verdict of the whole in one line, then in words, then what it was judged from.
pub fn headline(page: &mut Page, r: &Report) {
    let s = &r.summary;
    let (badge, tone) = verdict_tones(s.verdict);
    let word = s.verdict.word().to_uppercase();
    page.lines.push(vec![
        span(badge, &format!(" {word} ")),
        span(Tone::Plain, "  "),
        span(Tone::Strong, s.grade.word()),
        span(
            Tone::Dim,
            &fit(
                &format!(" {}", prose::grade(s.verdict, s.grade)),
                page.width.saturating_sub(word.width() + 6),
            ),
        ),
    ]);
    blank(&mut page.lines);
    let text = page.width.min(MEASURE + LABEL);
    let mut lines = wrap(&[span(tone, prose::answer(s.verdict, s.grade))], text);
    if !s.reason.is_empty() {
        lines.extend(wrap(&[span(Tone::Plain, &s.reason)], text));
    }
    page.lines.append(&mut lines);
    blank(&mut page.lines);
    let mut facts =
        labelled("network", &[span(Tone::Plain, prose::network(r, s.network, r.weighing()))], page.width);
    facts.extend(labelled("provider", &[span(Tone::Plain, prose::provider(s.provider))], page.width));
    let weigh = prose::count(s.counted.weigh, "conversation");
    let background = prose::thousands(s.counted.background);
    let weigh = format!("{weigh} with messages, {background} in the background");
    facts.extend(labelled("judged", &[span(Tone::Plain, &weigh)], page.width));
    facts.extend(labelled("bytes", &[span(Tone::Plain, &prose::coverage(&s.coverage))], page.width));
    for input in &r.inputs {
        let when = prose::span_of_time(input.first.as_deref(), input.last.as_deref());
        let text = format!(
            "{} · {} · {}{}{when}",
            input.path,
            place::counted(input),
            prose::size(input.bytes),
            if when.is_empty() { "" } else { " · " },
        );
        facts.extend(labelled("recording", &[span(Tone::Plain, &text)], page.width));
    }
    for k in &r.keys {
        let used = k.used.map(|n| format!(", {n} used")).unwrap_or_default();
        let text = format!("{} · {}{used}", k.path, prose::count(k.secrets, "secret"));
        facts.extend(labelled("keys", &[span(Tone::Plain, &text)], page.width));
    }
    page.lines.append(&mut facts);
}
