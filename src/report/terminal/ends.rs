//! Two ends compared, and how sizes follow the length of the text.

use super::page::{Page, blank, bullets, labelled};
use crate::report::dto::Report;
use crate::report::ends;
use crate::report::lines::{Tone, fit, span, wrap};

/// What became of messages between two ends.
pub fn vantages(page: &mut Page, r: &Report) {
    let Some(v) = &r.vantages else { return };
    page.section("Two ends compared", "");
    page.lines.extend(labelled("clocks", &[span(Tone::Plain, &ends::clock(v))], page.width));
    for [name, way, outcome, counts, delay, growth] in ends::ways(v) {
        let tone = match outcome.as_str() {
            "unchanged" => Tone::Good,
            "changed" | "readable" => Tone::Bad,
            _ => Tone::Open,
        };
        let mut text = vec![span(tone, &outcome), span(Tone::Plain, &format!(" · {name} · {counts}"))];
        for (what, figure) in [("delay", delay), ("size", growth)] {
            if !figure.is_empty() {
                text.push(span(Tone::Plain, &format!(" · {what} {figure}")));
            }
        }
        page.lines.extend(labelled(&way, &text, page.width));
    }
    page.lines.extend(bullets("further", &ends::further(v), page.width));
}

/// The length law, with a plot for the first conversations.
pub fn lengths(page: &mut Page, r: &Report) {
    const PLOTTED: usize = 4;
    if r.lengths.is_empty() {
        return;
    }
    page.section("How sizes follow the text", &r.lengths.len().to_string());
    for [name, count, sizes, step, bits, slope] in ends::laws(r) {
        let spans = [span(Tone::Strong, &name)];
        page.lines.extend(wrap(&spans, page.width));
        for (label, text) in [
            ("ciphertexts", format!("{count}, sizes {sizes}")),
            ("step", step),
            ("a size tells", bits),
            ("byte of text", slope),
        ] {
            page.lines.extend(labelled(label, &[span(Tone::Plain, &text)], page.width));
        }
    }
    for law in r.lengths.iter().take(PLOTTED) {
        blank(&mut page.lines);
        page.lines.push(vec![span(Tone::Dim, &fit(&law.conversation, page.width))]);
        let lines = ends::plot(law, page.width.saturating_sub(4).min(56), 9);
        page.lines.extend(lines.iter().map(|l| vec![span(Tone::Plain, &fit(l, page.width))]));
    }
}
