//! What was not seen, the background, where it all came from, and what the words mean.

use super::head::sentence;
use super::page::Page;
use super::{badge, cards, columns, further, section, table, table_end};
use crate::report::alike::{self, LISTED};
use crate::report::dto::{Grade, Report, Verdict};
use crate::report::{explain, meanings, place, prose};

/// Coverage and notes.
pub fn unseen(page: &mut Page, r: &Report) {
    section(page, "unseen", "What was not seen");
    page.raw("<p>");
    cards::bar(page, &r.summary.coverage);
    page.raw("</p>\n<ul class=\"plain\">\n");
    for (_, text) in prose::gaps(&r.summary.coverage) {
        page.wrap("<li>", &text, "</li>\n");
    }
    page.raw("<li>What was never in the recording: other networks, other devices, and what apps and services keep.</li>\n</ul>\n");
    if !r.notes.is_empty() {
        page.raw("<p></p>\n");
        table(page, "Remarks about the input, counted", "");
        columns(page, &["Remark", "Times", "Meaning", "First in"]);
    }
    for n in &r.notes {
        let meaning = if n.meaning.is_empty() { meanings::of(&n.code) } else { &n.meaning };
        page.wrap("<tr><th scope=\"row\"><code>", &n.code, "</code></th><td class=\"num\">");
        page.text(&prose::thousands(n.count)).raw("</td><td>").text(&sentence(meaning)).raw("</td><td>");
        let frames: Vec<String> = n.examples.iter().map(|f| f.frame.to_string()).collect();
        if !frames.is_empty() {
            page.wrap("frames ", &frames.join(", "), "");
        }
        page.raw("</td></tr>\n");
    }
    if !r.notes.is_empty() {
        table_end(page);
    }
    page.raw("</section>\n");
}

/// What is listed and does not weigh.
pub fn background(page: &mut Page, r: &Report) {
    let count = r.background().count();
    if count == 0 {
        return;
    }
    section(page, "background", "In the background");
    page.raw("<p>Listed, not weighed: nothing here showed messages between people.</p>\n");
    table(page, "Other traffic", "");
    columns(page, &["Endpoint", "Protocol", "Size", "Verdict", "Why it does not weigh"]);
    let groups = alike::fold(r.background());
    for g in groups.iter().take(LISTED) {
        let c = g.first;
        page.wrap("<tr><th scope=\"row\">", &prose::name(c), " <span class=\"id\">").text(&c.id);
        if !g.others.is_empty() {
            page.wrap(" and ", &prose::thousands(g.others.len() as u64), " others alike");
        }
        page.wrap("</span></th><td>", &c.protocol, "</td><td class=\"num\">");
        page.text(&prose::amount(r, c, g.seen())).raw("</td><td>").text(c.verdict.word()).raw("</td><td>");
        page.text(if c.why_weighs.is_empty() { &c.reason } else { &c.why_weighs }).raw("</td></tr>\n");
    }
    table_end(page);
    further(page, groups.len(), LISTED);
    page.raw("</section>\n");
}

/// Inputs with their digests, and key files.
pub fn recordings(page: &mut Page, r: &Report) {
    section(page, "recordings", "Recordings and keys");
    if !r.inputs.is_empty() {
        table(page, "The files this report was made from", "");
        columns(page, &["File", "SHA-256", "Holds", "Size", "Time"]);
        for i in &r.inputs {
            page.wrap("<tr><th scope=\"row\">", &i.path, "<br><span class=\"id\">").text(&i.format);
            page.wrap("</span></th><td><code>", &i.sha256, "</code></td><td class=\"num\">");
            page.text(&place::counted(i)).raw("</td><td class=\"num\">").text(&prose::size(i.bytes));
            page.raw("</td><td>").text(&prose::span_of_time(i.first.as_deref(), i.last.as_deref()));
            page.raw("</td></tr>\n");
        }
        table_end(page);
    }
    if r.keys.is_empty() {
        page.raw("<p class=\"empty\">No key file was given.</p>\n");
    }
    for k in &r.keys {
        page.wrap("<p>Keys: <code>", &k.path, "</code>, ").text(&prose::count(k.secrets, "secret"));
        if let Some(used) = k.used {
            page.raw(", ").text(&prose::thousands(used)).raw(" used");
        }
        page.raw(". The report holds none of them.</p>\n");
    }
    page.raw("</section>\n");
}

/// What verdicts and grades mean, and the bounds of the run.
pub fn grades(page: &mut Page, r: &Report) {
    section(page, "grades", "What the words mean");
    page.raw("<p>A recording can refute end-to-end encryption and can never prove it. The verdict is never ");
    page.raw("stronger than its grade.</p>\n");
    table(page, "Verdicts, weakest first", "");
    columns(page, &["Verdict", "Meaning"]);
    for v in Verdict::ALL {
        row(page, *v == r.summary.verdict);
        badge(page, *v, v.word());
        page.wrap("</th><td>", explain::find(v.word()).map_or("", |e| e.meaning), "</td></tr>\n");
    }
    table_end(page);
    page.raw("<p></p>\n");
    table(page, "Grades: how far the evidence goes", "");
    columns(page, &["Grade", "Evidence", "Meaning", "How to get further"]);
    for g in Grade::ALL {
        let word = explain::find(g.word());
        row(page, *g == r.summary.grade);
        page.text(g.word());
        if *g == r.summary.grade {
            page.raw(" (this report)");
        }
        page.wrap("</th><td>", word.map_or("", |e| e.title), "</td>");
        page.wrap("<td>", word.map_or("", |e| e.meaning), "</td>");
        page.wrap("<td>", word.map_or("", |e| e.fix), "</td></tr>\n");
    }
    table_end(page);
    if !r.limits.is_empty() {
        page.raw("<details><summary>Bounds this run kept</summary>\n");
        table(page, "Bounds by name", "");
        columns(page, &["Bound", "Value"]);
        for (name, value) in &r.limits {
            page.wrap("<tr><th scope=\"row\"><code>", name, "</code></th><td class=\"num\">");
            page.text(&value.as_u64().map_or_else(|| value.to_string(), prose::thousands))
                .raw("</td></tr>\n");
        }
        table_end(page);
        page.raw("</details>\n");
    }
    page.raw("</section>\n");
}

fn row(page: &mut Page, here: bool) {
    page.raw(if here { "<tr class=\"here-row\"><th scope=\"row\">" } else { "<tr><th scope=\"row\">" });
}

/// What wrote it.
pub fn foot(page: &mut Page, r: &Report) {
    page.raw("<footer><p>Written by ")
        .text(&r.tool.name)
        .raw(" ")
        .text(&r.tool.version)
        .raw(", schema <code>");
    page.text(&r.schema).raw("</code>, ").text(&prose::count(r.rules.count, "rule")).raw(" (digest <code>");
    page.text(&r.rules.digest).raw("</code>). Frame numbers count from 1, as in Wireshark.</p></footer>\n");
}
