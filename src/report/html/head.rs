//! The answer: verdict, one plain sentence, who stands between the ends, and how far it goes.

use super::page::Page;
use super::{badge, tone};
use crate::report::dto::{Conversation, Grade, Network, Provider, Report};
use crate::report::prose;

/// Everything above the sections.
pub fn head(page: &mut Page, r: &Report) {
    let s = &r.summary;
    page.raw(
        "<header>\n<p class=\"brand\"><span><strong>plainsight</strong> – who can read your messages?</span>",
    );
    let when = match (r.inputs.first(), r.inputs.last()) {
        (Some(a), Some(b)) => prose::span_of_time(a.first.as_deref(), b.last.as_deref()),
        _ => String::new(),
    };
    if !when.is_empty() {
        page.wrap("<span>recorded ", &when, "</span>");
    }
    page.raw("</p>\n<div class=\"hero ").raw(tone(s.verdict)).raw("\"><div class=\"hero-in\">\n");
    badge(page, s.verdict, s.verdict.word());
    page.wrap("\n<h1>", prose::answer(s.verdict, s.grade), "</h1>\n");
    if !s.reason.is_empty() {
        page.wrap("<p class=\"lead\">", &sentence(&s.reason), "</p>\n");
    }
    path(page, s.network, s.provider, r.weighing().any(|c| r.is_open_way(c)));
    ladder(page, s.grade);
    page.wrap("<p class=\"cap\"><b>", s.grade.word(), "</b> ");
    page.text(prose::grade(s.verdict, s.grade)).raw(" · ");
    page.text(&prose::count(s.counted.weigh, "conversation")).raw(" with messages, ");
    page.text(&prose::thousands(s.counted.background))
        .raw(" in the background · <a href=\"#grades\">what a grade means</a></p>\n");
    page.raw("</div></div>\n</header>\n");
    navigation(page, r);
}

/// A reason with a capital and a full stop.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let first: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let stop = if text.is_empty() || text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// From one end to the other: who is on the way and what they can read.
fn path(page: &mut Page, network: Network, provider: Provider, open: bool) {
    let on_path = match network {
        Network::Readable => "bad",
        Network::Protected => "good",
        Network::Unknown => "open",
    };
    let service = match provider {
        Provider::Readable => "warn",
        Provider::Sealed => "good",
        Provider::Unknown => "open",
    };
    page.raw("<ol class=\"path\" aria-label=\"From sender to receiver\">\n<li class=\"end\">Sender</li>\n");
    for (tone, who, what) in [
        (on_path, "Anyone on the path", network_word(network, open)),
        (service, "The service", provider_word(provider)),
    ] {
        page.raw("<li class=\"hop ").raw(tone).raw("\"><b>").raw(what).raw("</b><span>").raw(who);
        page.raw("</span></li>\n");
    }
    page.raw("<li class=\"end\">Receiver</li>\n</ol>\n");
}

fn network_word(n: Network, open: bool) -> &'static str {
    match n {
        Network::Readable => "can read",
        Network::Protected if open => provider_word(Provider::Sealed),
        Network::Protected => "cannot read",
        Network::Unknown => "cannot be told",
    }
}

fn provider_word(p: Provider) -> &'static str {
    match p {
        Provider::Readable => "can read",
        Provider::Sealed => "receives sealed",
        Provider::Unknown => "cannot be told",
    }
}

/// The grades as steps, the one reached marked.
fn ladder(page: &mut Page, reached: Grade) {
    page.raw("<ol class=\"ladder\" aria-label=\"Grades of evidence\">");
    for grade in Grade::ALL {
        page.raw(match grade {
            g if *g == reached => "<li class=\"here\" aria-current=\"step\">",
            g if *g < reached => "<li class=\"got\">",
            _ => "<li>",
        });
        page.text(grade.word()).raw("</li>");
    }
    page.raw("</ol>\n");
}

fn navigation(page: &mut Page, r: &Report) {
    let weighs = r.conversations.iter().any(|c: &Conversation| c.weighs);
    let links = [
        (weighs, "#conversations", "Conversations"),
        (!r.exposure.is_empty(), "#exposure", "Who learns what"),
        (true, "#findings", "Findings"),
        (true, "#canaries", "Planted texts"),
        (!r.randomness.is_empty(), "#randomness", "Randomness"),
        (!r.transport.is_empty(), "#transport", "Transport"),
        (true, "#unseen", "What was not seen"),
        (r.background().next().is_some(), "#background", "Background"),
        (true, "#recordings", "Recordings"),
        (true, "#grades", "Verdicts and grades"),
    ];
    page.raw("<nav aria-label=\"Sections\"><ul>");
    for (_, target, name) in links.into_iter().filter(|(there, ..)| *there) {
        page.raw("<li><a href=\"").raw(target).raw("\">").raw(name).raw("</a></li>");
    }
    page.raw("</ul></nav>\n");
}
