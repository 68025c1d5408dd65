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

/// How much of what a report holds is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What a person reads first.
    Brief,
    /// All evidence of findings, all lines of lists, all places of remarks.
    Full,
}

impl Detail {
    /// How many of a list are shown.
    fn most(self, brief: usize) -> usize {
        match self {
            Detail::Brief => brief,
            Detail::Full => usize::MAX,
        }
    }
}

/// The report in lines of at most `width` columns (at least 40).
pub fn render(report: &Report, width: usize, colour: Colour, detail: Detail) -> String {
    let mut page = Page { width: width.max(40), detail, lines: Vec::new() };
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
