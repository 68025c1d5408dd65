//! Tables: who learns what, planted texts, transport facts, vendors' claims.

use super::page::Page;
use super::{columns, further, learns, section, table, table_end};
use crate::report::dto::{Canary, CanaryKind, Claim, Report, Transport};
use crate::report::prose;

/// Who learns what.
pub fn matrix(page: &mut Page, r: &Report) {
    let prose::Matrix { parties, rows, all } = prose::matrix(r);
    if rows.is_empty() {
        return;
    }
    section(page, "exposure", "Who learns what");
    page.raw("<p>As far as this recording shows. “network” is anyone on the path.</p>\n");
    table(page, "Data items by the party that learns them", "matrix");
    let mut names = vec!["Item"];
    names.extend(&parties);
    columns(page, &names);
    for (item, cells) in rows {
        page.wrap("<tr><th scope=\"row\">", item, "</th>");
        for state in cells {
            let (class, words) = learns(state);
            page.raw("<td class=\"").raw(class).raw("\">").raw(words).raw("</td>");
        }
        page.raw("</tr>\n");
    }
    table_end(page);
    further(page, all, parties.len());
    page.raw("</section>\n");
}

/// Planted texts and controls.
pub fn canaries(page: &mut Page, r: &Report) {
    section(page, "canaries", "Planted texts");
    if r.canaries.is_empty() {
        page.raw("<p>None were given. Texts planted with <code>--canary</code> and a visible ");
        page.raw("<code>--control</code> are the strongest test this tool offers.</p>\n</section>\n");
        return;
    }
    page.wrap("<p>", prose::experiment(r), "</p>\n");
    table(page, "Texts searched in every layer and encoding", "");
    columns(page, &["Text", "Kind", "Result", "Where"]);
    r.canaries.iter().for_each(|c| canary(page, r, c));
    table_end(page);
    page.raw("</section>\n");
}

fn canary(page: &mut Page, r: &Report, c: &Canary) {
    let (words, state) = prose::canary_result(r, c);
    page.wrap("<tr><th scope=\"row\">", &prose::canary_name(c), "<br><span class=\"id\">");
    page.text(&prose::count(c.length, "byte")).raw(", sha256 ").text(&c.text_digest).raw("</span></th><td>");
    page.raw(if c.kind == CanaryKind::Control { "control" } else { "planted" }).raw("</td><td class=\"");
    page.raw(learns(state).0).raw("\">").text(words).raw("</td><td>");
    let hits = prose::hits(c);
    if hits.is_empty() {
        page.raw("<span class=\"empty\">nowhere</span>");
    }
    for (hit, n) in hits.iter().take(12) {
        let chain = if hit.chain.is_empty() { "as it is".to_owned() } else { hit.chain.join(" > ") };
        page.raw("<div>").text(&hit.layer).raw(" · ").text(&chain).raw(" · seen by ").text(hit.party.word());
        if let Some(frame) = hit.origin.as_ref().and_then(|o| o.frames.first()) {
            page.raw(" · frame ").text(&frame.to_string());
        }
        if *n > 1 {
            page.raw(" · ").text(&prose::count(*n as u64, "place"));
        }
        page.raw("</div>");
    }
    page.raw("</td></tr>\n");
}

/// Facts on transport protection.
pub fn transport(page: &mut Page, r: &Report) {
    if r.transport.is_empty() {
        return;
    }
    section(page, "transport", "Transport protection");
    page.raw("<p>What the handshakes show. It protects the path, never against the service.</p>\n");
    table(page, "Endpoints and their protection", "");
    columns(page, &["Endpoint", "Protection", "Key exchange", "Certificate", "Weak"]);
    r.transport.iter().take(300).for_each(|t| endpoint(page, t));
    table_end(page);
    page.raw("</section>\n");
}

fn endpoint(page: &mut Page, t: &Transport) {
    page.wrap("<tr><th scope=\"row\">", &t.endpoint, "<br><span class=\"id\">");
    page.text(&t.conversations.join(", ")).raw("</span></th><td>");
    prose::protection(t).iter().for_each(|line| {
        page.wrap("<div>", line, "</div>");
    });
    page.raw("</td><td>");
    prose::key_exchange(t).iter().for_each(|line| {
        page.wrap("<div>", line, "</div>");
    });
    page.raw("</td><td>");
    certificate(page, t);
    page.raw("</td><td>");
    if t.weak.is_empty() {
        page.raw("<span class=\"empty\">nothing seen</span>");
    }
    t.weak.iter().for_each(|w| {
        page.wrap("<div class=\"yes\">! ", w, "</div>");
    });
    page.raw("</td></tr>\n");
}

fn certificate(page: &mut Page, t: &Transport) {
    let Some(c) = &t.certificate else {
        page.raw("<span class=\"empty\">not seen</span>");
        return;
    };
    page.wrap("<div>", &c.subject, "</div>").wrap("<div class=\"id\">signed by ", &c.issuer, "</div>");
    if let (Some(a), Some(b)) = (&c.not_before, &c.not_after) {
        page.wrap("<div class=\"id\">", a, " to ").text(b).raw("</div>");
    }
    c.problems.iter().for_each(|p| {
        page.wrap("<div class=\"yes\">! ", p, "</div>");
    });
}

/// Recognised applications and vendors' claims, where there are any.
pub fn claims(page: &mut Page, r: &Report) {
    if r.apps.is_empty() && r.claims.is_empty() {
        return;
    }
    section(page, "claims", "Applications and what vendors claim");
    table(page, "Applications recognised in the traffic", "");
    columns(page, &["App", "Confidence", "Conversations", "Signs"]);
    for a in &r.apps {
        page.wrap("<tr><th scope=\"row\">", &a.name, "</th>").wrap("<td>", a.confidence.word(), "</td>");
        page.wrap("<td>", &a.conversations.join(", "), "</td>");
        page.wrap("<td>", &a.signs.join("; "), "</td></tr>\n");
    }
    table_end(page);
    if !r.claims.is_empty() {
        table(page, "Claims beside the observation; they never move a verdict", "");
        columns(page, &["App", "Claim", "Observed", "Source"]);
        r.claims.iter().for_each(|c| claim(page, c));
        table_end(page);
    }
    page.raw("</section>\n");
}

fn claim(page: &mut Page, c: &Claim) {
    page.wrap("<tr><th scope=\"row\">", &c.app, "</th>").wrap("<td>", &c.statement, "</td>");
    page.raw("<td>").text(c.state.word());
    if !c.why.is_empty() {
        page.raw(": ").text(&c.why);
    }
    page.raw("</td><td>").text(&c.source).raw(" ").text(&c.date).raw("</td></tr>\n");
}
