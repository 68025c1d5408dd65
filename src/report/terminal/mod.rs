//! The report as a person reads it in a terminal: the answer first, then a card for every conversation
//! that carries messages, who learns what, findings with their evidence, planted texts, and what was
//! not seen. From 160 columns on, cards stand side by side.

mod cards;
mod end;
mod ends;
mod findings;
mod head;
mod page;
mod tables;

use super::dto::{Report, Verdict};
use super::lines::{Colour, Tone, print};
use page::Page;

/// The report in lines of at most `width` columns (at least 40).
pub fn render(report: &Report, width: usize, colour: Colour) -> String {
    let mut page = Page { width: width.max(40), lines: Vec::new() };
    head::headline(&mut page, report);
    cards::cards(&mut page, report);
    tables::matrix(&mut page, report);
    findings::findings(&mut page, report);
    tables::canaries(&mut page, report);
    ends::vantages(&mut page, report);
    ends::lengths(&mut page, report);
    end::apps(&mut page, report);
    end::unseen(&mut page, report);
    end::background(&mut page, report);
    print(&page.lines, colour)
}

/// Tones of a verdict: as a badge, and as text.
fn verdict_tones(v: Verdict) -> (Tone, Tone) {
    match v {
        Verdict::Plaintext => (Tone::BadgeBad, Tone::Bad),
        Verdict::TransportOnly => (Tone::BadgeWarn, Tone::Warn),
        Verdict::E2ee => (Tone::BadgeGood, Tone::Good),
        Verdict::Undetermined => (Tone::BadgeOpen, Tone::Open),
    }
}
