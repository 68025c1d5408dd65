//! What is wrong, each with what it means, where it was seen and how to mend it.

use super::page::Page;
use super::{cards, further, section, severity};
use crate::report::alike::{self, Again, FINDINGS};
use crate::report::dto::{Evidence, Report};
use crate::report::explain::{self, Explanation};
use crate::report::prose;
use std::collections::BTreeSet;

/// Pieces of evidence shown with one finding.
const SHOWN: usize = 6;

/// The section of findings.
pub fn findings(page: &mut Page, r: &Report) {
    section(page, "findings", "Findings");
    if r.findings.is_empty() {
        page.raw(
            "<p>No weakness was found in what could be read. That is no proof that there is none.</p>\n",
        );
    } else {
        page.raw("<p>The worst first. A click selects a display filter for Wireshark or <code>tshark -Y</code>.</p>\n");
    }
    let mut explained = BTreeSet::new();
    let groups = alike::findings(r);
    for group in groups.iter().take(FINDINGS) {
        let f = group.first;
        // The explanation stands with the first of its kind; the others need only their own facts.
        let words = if explained.insert(f.id.as_str()) { explain::find(&f.id) } else { None };
        finding(page, r, group, words);
    }
    further(page, groups.len(), FINDINGS);
    page.raw("</section>\n");
}

fn finding(page: &mut Page, r: &Report, group: &Again<'_>, words: Option<&Explanation>) {
    let f = group.first;
    let title = if f.title.is_empty() { explain::title(&f.id) } else { &f.title };
    page.raw("<article class=\"card ")
        .raw(severity(f.severity))
        .raw("\">\n<div class=\"top\"><h3>")
        .text(title);
    page.raw("</h3><span class=\"badge ").raw(severity(f.severity)).raw("\">").text(f.severity.word());
    page.wrap("</span></div>\n<p class=\"meta\"><code>", &f.id, "</code> · confidence ")
        .text(f.confidence.word());
    if let Some(c) = &f.conversation {
        let known = r.conversation(c);
        page.raw(" · ").text(c);
        if let Some(k) = known {
            page.raw(" ").text(&prose::name(k)).raw(" (").text(&k.protocol).raw(")");
        }
    }
    page.raw("</p>\n<dl>\n");
    if !f.detail.is_empty() {
        page.wrap("<dt>Seen here</dt><dd>", &f.detail, "</dd>\n");
    }
    if let Some(e) = words {
        page.wrap("<dt>Meaning</dt><dd>", e.meaning, "</dd>\n");
    }
    let seen: Vec<&Evidence> = f.evidence.iter().filter_map(|id| r.evidence(id)).collect();
    if !seen.is_empty() {
        page.raw("<dt>Evidence</dt><dd>");
        cards::list(page, r, seen.get(..SHOWN).unwrap_or(&seen));
        if seen.len() > SHOWN {
            let rest: Vec<&str> = seen.iter().skip(SHOWN).take(40).map(|e| e.id.as_str()).collect();
            page.wrap("<p class=\"where\">and ", &rest.join(", "), "</p>");
        }
        page.raw("</dd>\n");
    }
    if let Some(filter) = &f.tshark {
        page.wrap("<dt>Display filter</dt><dd><code class=\"copy\">", filter, "</code></dd>\n");
    }
    if let Some(others) = group.words() {
        page.wrap("<dt>Also in</dt><dd>", &others, "</dd>\n");
    }
    if let Some(e) = words {
        page.wrap("<dt>Check it</dt><dd>", e.check, "</dd>\n");
        page.wrap("<dt>Mend it</dt><dd>", e.fix, "</dd>\n");
    }
    page.raw("</dl>\n</article>\n");
}
