//! A card for every conversation that carries messages.

use super::head::sentence;
use super::page::Page;
use super::{badge, further, section, tone};
use crate::report::alike::{self, Alike, CARDS};
use crate::report::dto::{Conversation, Coverage, Evidence, Polarity, Report};
use crate::report::{place, prose};

/// Pieces of evidence shown with one conversation beside those its judgement rests on.
const FURTHER: usize = 60;

/// The section of cards.
pub fn cards(page: &mut Page, r: &Report) {
    let count = r.weighing().count();
    if count == 0 {
        return;
    }
    section(page, "conversations", "Conversations that carry messages");
    page.raw("<p>The weakest first. Each names what its verdict rests on, and what that leaves open.</p>\n");
    let groups = alike::fold(r.weighing());
    groups.iter().take(CARDS).for_each(|g| card(page, r, g));
    further(page, groups.len(), CARDS);
    page.raw("</section>\n");
}

fn card(page: &mut Page, r: &Report, group: &Alike<'_>) {
    let c = group.first;
    page.raw("<article class=\"card ").raw(tone(c.verdict)).raw("\">\n<div class=\"top\"><h3>");
    page.text(&prose::name(c)).raw("</h3>");
    badge(page, c.verdict, &format!("{} · {}", c.verdict, c.grade));
    page.wrap("<span class=\"id\">", &c.id, "</span></div>\n<p class=\"meta\">");
    page.text(&prose::facts(c).join(" · ")).raw("</p>\n<dl>\n");
    if !c.reason.is_empty() {
        page.wrap("<dt>Why</dt><dd><strong>", &sentence(&c.reason), "</strong></dd>\n");
    }
    if let Some(also) = prose::shared_host(c) {
        page.wrap("<dt>Application</dt><dd>", &sentence(&also), "</dd>\n");
    }
    page.wrap("<dt>On the path</dt><dd>", prose::network(r, c.network, std::iter::once(c)), "</dd>\n");
    page.wrap("<dt>The service</dt><dd>", prose::provider(c.provider), "</dd>\n");
    if !c.not_ruled_out.is_empty() {
        page.raw("<dt>Not ruled out</dt><dd><ul>");
        c.not_ruled_out.iter().for_each(|t| {
            page.wrap("<li>", t, "</li>");
        });
        page.raw("</ul></dd>\n");
    }
    if !c.next_step.is_empty() {
        page.raw("<dt>Next step</dt><dd>");
        advice(page, &sentence(&c.next_step));
        page.raw("</dd>\n");
    }
    page.raw("<dt>Bytes</dt><dd>");
    bar(page, &c.coverage);
    page.raw("</dd>\n");
    if !c.why_weighs.is_empty() {
        page.wrap("<dt>Weighs because</dt><dd>", &c.why_weighs, "</dd>\n");
    }
    if let Some(others) = group.words() {
        page.wrap("<dt>Judged alike</dt><dd>", &others, "</dd>\n");
    }
    proofs(page, r, c);
    page.raw("</dl>\n</article>\n");
}

/// A sentence in which options of the command line stand as such and are not broken.
fn advice(page: &mut Page, text: &str) {
    for word in text.split(' ') {
        let bare = word.trim_end_matches(['.', ';', ',']);
        match word.starts_with("--") {
            true => {
                page.wrap("<code class=\"flag\">", bare, "</code>").text(word.get(bare.len()..).unwrap_or(""))
            }
            false => page.text(word),
        };
        page.raw(" ");
    }
}

fn proofs(page: &mut Page, r: &Report, c: &Conversation) {
    let carried: Vec<&Evidence> = c.reasons.iter().filter_map(|id| r.evidence(id)).collect();
    let of_it = r.evidence.iter().filter(|e| e.conversation.as_deref() == Some(c.id.as_str()));
    let further: Vec<&Evidence> = of_it.filter(|e| !c.reasons.contains(&e.id)).collect();
    if carried.is_empty() && further.is_empty() {
        return;
    }
    page.raw("<dt>Evidence</dt><dd>");
    list(page, r, &carried);
    if !further.is_empty() {
        let words = prose::count(further.len() as u64, "further observation");
        page.wrap("<details><summary>", &words, "</summary>");
        list(page, r, further.get(..FURTHER).unwrap_or(&further));
        if further.len() > FURTHER {
            page.raw("<p class=\"empty\">The rest stands in the JSON report.</p>");
        }
        page.raw("</details>");
    }
    page.raw("</dd>\n");
}

/// Evidence, one entry each.
pub fn list(page: &mut Page, r: &Report, all: &[&Evidence]) {
    if all.is_empty() {
        return;
    }
    page.raw("<ul class=\"ev\">\n");
    for e in all {
        page.wrap("<li><p><span class=\"id mono\">", &e.id, "</span> ")
            .text(&sentence(&e.statement))
            .raw(" ");
        let (class, words) = match e.polarity {
            Polarity::Readable => ("tag read", "speaks for readable"),
            Polarity::Sealed => ("tag seal", "speaks for sealed"),
            Polarity::Neutral => ("tag", "context"),
        };
        page.raw("<span class=\"").raw(class).raw("\">").text(e.strength.word()).raw(", ").raw(words);
        page.raw("</span></p>\n");
        let place = e.origin.as_ref().map(|o| place::of(r, o)).unwrap_or_default();
        if !place.is_empty() || e.tshark.is_some() {
            page.wrap("<p class=\"where\">", &place, "");
            if let Some(filter) = &e.tshark {
                page.wrap(" · <code class=\"copy\">", filter, "</code>");
            }
            page.raw("</p>\n");
        }
        if let Some(shown) = e.origin.as_ref().and_then(|o| o.shown.as_ref()) {
            let text: String = shown.chars().take(2_000).collect();
            page.wrap("<blockquote>", &text, "</blockquote>\n");
        }
        page.raw("</li>\n");
    }
    page.raw("</ul>\n");
}

/// What became of the bytes, as a bar and in words.
pub fn bar(page: &mut Page, c: &Coverage) {
    let shares = prose::shares(c);
    if !shares.is_empty() {
        page.raw("<div class=\"bar\" aria-hidden=\"true\">");
        for (name, n) in &shares {
            page.raw("<i class=\"b-").raw(name).raw("\" style=\"flex-grow:").number(*n as f64).raw("\"></i>");
        }
        page.raw("</div>");
    }
    page.text(&prose::coverage(c));
}
