//! One self-contained HTML file: the answer first, then a card for every conversation that carries
//! messages, who learns what, findings with their evidence, measurements, and what was not seen. No
//! scripts and nothing loaded from elsewhere, so it reads the same offline, printed and years later.

mod cards;
mod end;
mod ends;
mod findings;
mod head;
mod page;
mod plot;
mod tables;

use super::dto::{Learns, Report, Severity, Verdict};
use page::Page;

const STYLE: &str = include_str!("style.css");

/// The report as an HTML document. Equal reports give equal bytes.
pub fn render(report: &Report) -> String {
    let mut page = Page::default();
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
    page.raw(
        "<meta name=\"referrer\" content=\"no-referrer\">\n<meta http-equiv=\"Content-Security-Policy\" ",
    );
    page.raw("content=\"default-src 'none';style-src 'unsafe-inline'\">\n<title>");
    page.text(report.summary.verdict.word()).raw(" ").text(report.summary.grade.word());
    page.raw(" – plainsight report</title>\n<style>\n").raw(STYLE).raw("</style>\n</head>\n<body>\n");
    page.raw("<a class=\"skip\" href=\"#main\">Skip to the findings</a>\n");
    head::head(&mut page, report);
    page.raw("<main id=\"main\">\n");
    cards::cards(&mut page, report);
    tables::matrix(&mut page, report);
    findings::findings(&mut page, report);
    tables::canaries(&mut page, report);
    ends::vantages(&mut page, report);
    ends::lengths(&mut page, report);
    plot::randomness(&mut page, report);
    tables::transport(&mut page, report);
    tables::claims(&mut page, report);
    end::unseen(&mut page, report);
    end::background(&mut page, report);
    end::recordings(&mut page, report);
    end::grades(&mut page, report);
    page.raw("</main>\n");
    end::foot(&mut page, report);
    page.raw("</body>\n</html>\n");
    page.done()
}

/// What a list that was cut leaves out.
fn further(page: &mut Page, all: usize, shown: usize) {
    if let Some(text) = super::alike::further(all, shown) {
        page.wrap("<p class=\"empty\">", &text, "</p>\n");
    }
}

/// Class of colour of a verdict.
fn tone(v: Verdict) -> &'static str {
    match v {
        Verdict::Plaintext => "bad",
        Verdict::TransportOnly => "warn",
        Verdict::E2ee => "good",
        Verdict::Undetermined => "open",
    }
}

fn severity(s: Severity) -> &'static str {
    match s {
        Severity::Critical | Severity::High => "bad",
        Severity::Medium => "warn",
        Severity::Low | Severity::Info => "open",
    }
}

/// A sign for each verdict that differs in shape, not in colour alone.
fn icon(v: Verdict) -> &'static str {
    match v {
        Verdict::Plaintext => {
            "<svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\" d=\"M1 8s2.6-4.5 7-4.5S15 8 15 8s-2.6 4.5-7 4.5S1 8 1 8z\"/><circle cx=\"8\" cy=\"8\" r=\"2.2\" fill=\"currentColor\"/></svg>"
        }
        Verdict::TransportOnly => {
            "<svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><circle cx=\"8\" cy=\"8\" r=\"6.2\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\"/><path fill=\"currentColor\" d=\"M8 1.8a6.2 6.2 0 0 1 0 12.4z\"/></svg>"
        }
        Verdict::E2ee => {
            "<svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><rect x=\"3\" y=\"7\" width=\"10\" height=\"7\" rx=\"1.5\" fill=\"currentColor\"/><path fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.7\" d=\"M5 7V5a3 3 0 0 1 6 0v2\"/></svg>"
        }
        Verdict::Undetermined => {
            "<svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><circle cx=\"8\" cy=\"8\" r=\"6.2\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\" stroke-dasharray=\"2.4 1.6\"/><path fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\" d=\"M6 6.4a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.3\"/><circle cx=\"8\" cy=\"11.6\" r=\".9\" fill=\"currentColor\"/></svg>"
        }
    }
}

fn badge(page: &mut Page, v: Verdict, words: &str) {
    page.raw("<span class=\"badge ").raw(tone(v)).raw("\">").raw(icon(v)).text(words).raw("</span>");
}

/// One cell of the matrix in a mark, a word and a colour.
fn learns(state: Learns) -> (&'static str, &'static str) {
    match state {
        Learns::Learns => ("yes", "● learns"),
        Learns::DoesNot => ("no", "○ does not"),
        Learns::Unknown => ("maybe", "? unknown"),
    }
}

/// Opens a section with its heading.
fn section(page: &mut Page, id: &'static str, title: &str) {
    page.raw("<section id=\"").raw(id).raw("\" aria-labelledby=\"h-").raw(id).raw("\">\n<h2 id=\"h-").raw(id);
    page.wrap("\">", title, "</h2>\n");
}

/// Opens a table that scrolls by itself where it is wider than the page.
fn table(page: &mut Page, label: &str, class: &'static str) {
    page.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"").text(label);
    page.raw("\"><table class=\"").raw(class).raw("\"><caption>").text(label).raw("</caption>\n");
}

fn table_end(page: &mut Page) {
    page.raw("</tbody></table></div>\n");
}

/// The head row of a table.
fn columns(page: &mut Page, names: &[&str]) {
    page.raw("<thead><tr>");
    for name in names {
        page.wrap("<th scope=\"col\">", name, "</th>");
    }
    page.raw("</tr></thead>\n<tbody>\n");
}
