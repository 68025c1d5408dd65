//! Who learns what, and what became of planted texts.

use super::page::{MEASURE, Page, blank, labelled};
use crate::report::dto::{Learns, Report};
use crate::report::lines::{Line, Tone, beside, clean, fit, line_width, span, wrap};
use crate::report::prose;
use unicode_width::UnicodeWidthStr;

/// The matrix, cut into as many tables as the width asks for.
pub fn matrix(page: &mut Page, r: &Report) {
    let prose::Matrix { parties, rows, all } = prose::matrix(r);
    if rows.is_empty() {
        return;
    }
    page.section("Who learns what", "● learns   ○ does not   ? unknown");
    let item = rows.iter().map(|(i, _)| i.width()).max().unwrap_or(0).clamp(12, 26);
    let room = page.width.saturating_sub(item + 2);
    let wanted = parties.iter().map(|p| p.width()).max().unwrap_or(8).clamp(8, 30);
    let column = wanted.min((room / parties.len().clamp(1, 6)).saturating_sub(2)).max(8);
    for group in parties.chunks((room / (column + 2)).max(1)) {
        let mut head: Vec<Line> = vec![vec![span(Tone::Plain, "")]];
        let mut at = item;
        for party in group {
            head = beside(head, wrap(&[span(Tone::Strong, party)], column), at, 2);
            at += column + 2;
        }
        page.lines.append(&mut head);
        let start = parties.iter().position(|p| p == &group[0]).unwrap_or(0);
        for (name, cells) in &rows {
            let mut line = vec![span(Tone::Plain, &fit(&clean(name), item))];
            for (i, state) in cells.iter().skip(start).take(group.len()).enumerate() {
                let gap = (item + i * (column + 2) + 2).saturating_sub(line_width(&line));
                line.push(span(Tone::Plain, &" ".repeat(gap)));
                let (tone, mark) = match state {
                    Learns::Learns => (Tone::Bad, "● learns"),
                    Learns::DoesNot => (Tone::Good, "○ no"),
                    Learns::Unknown => (Tone::Open, "? unknown"),
                };
                line.push(span(tone, &fit(mark, column)));
            }
            page.lines.push(line);
        }
    }
    page.further(all, parties.len());
}

/// Planted texts, each with where it was seen.
pub fn canaries(page: &mut Page, r: &Report) {
    if r.canaries.is_empty() {
        return;
    }
    page.section("Planted texts", &r.canaries.len().to_string());
    let text = [span(Tone::Plain, prose::experiment(r))];
    page.lines.extend(wrap(&text, page.width.min(MEASURE)));
    blank(&mut page.lines);
    for c in &r.canaries {
        let (word, state) = prose::canary_result(r, c);
        let tone = match state {
            Learns::Learns => Tone::Bad,
            Learns::DoesNot => Tone::Good,
            Learns::Unknown => Tone::Warn,
        };
        let name = format!(" {} ({})", prose::canary_name(c), prose::count(c.length, "byte"));
        page.lines.extend(labelled(word, &[span(tone, "■"), span(Tone::Plain, &name)], page.width));
        for (hit, n) in prose::hits(c).into_iter().take(8) {
            let chain = if hit.chain.is_empty() { "as it is".to_owned() } else { hit.chain.join(" > ") };
            let times = if n > 1 { format!(" · {n} times") } else { String::new() };
            let text = format!("seen by {} in {} · {chain}{times}", hit.party, hit.layer);
            page.lines.extend(labelled("", &[span(Tone::Dim, &text)], page.width));
        }
    }
}
