//! The report as Markdown, for tickets and repositories.

use super::alike::{self, Again, Alike, CARDS, FINDINGS, LISTED};
use super::dto::{Evidence, Grade, Learns, Report, Verdict};
use super::lines::clean;
use super::{ends, explain, meanings, place, prose};
use std::fmt::Write;

/// The report as Markdown with tables. Equal reports give equal bytes.
pub fn render(r: &Report) -> String {
    let mut out = String::new();
    head(&mut out, r);
    cards(&mut out, r);
    matrix(&mut out, r);
    findings(&mut out, r);
    canaries(&mut out, r);
    vantages(&mut out, r);
    lengths(&mut out, r);
    randomness(&mut out, r);
    transport(&mut out, r);
    apps(&mut out, r);
    unseen(&mut out, r);
    background(&mut out, r);
    recordings(&mut out, r);
    grades(&mut out, r);
    out
}

/// Text in which nothing has a meaning in Markdown or HTML: no markup, no link, no table's bar.
fn text(t: &str) -> String {
    let t = clean(t);
    let t = t.trim();
    let mut out = String::with_capacity(t.len());
    let mut before = '\0';
    let mut number = true;
    let mut letters = t.chars().peekable();
    while let Some(c) = letters.next() {
        let special = match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '|' | '!' | '~' | '$' | '{' | '}'
            | '@' => true,
            // What would make a list item at the start of a line.
            '-' | '+' | '=' => out.is_empty(),
            // What renderers take for a link by itself, and the point after a list's number.
            ':' => letters.peek() == Some(&'/'),
            '.' => matches!(before, 'w' | 'W') || number,
            _ => false,
        };
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if special => out.extend(['\\', c]),
            c => out.push(c),
        }
        number &= c.is_ascii_digit();
        before = c;
    }
    out
}

/// Text as code; a table's bars and code's own ticks cannot be kept.
fn code(t: &str) -> String {
    let t: String = clean(t).trim().chars().map(|c| if matches!(c, '`' | '|') { '·' } else { c }).collect();
    if t.is_empty() { String::new() } else { format!("`{t}`") }
}

fn row(out: &mut String, cells: &[String]) {
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

fn table(out: &mut String, names: &[&str]) {
    row(out, &names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
    row(out, &names.iter().map(|_| "---".to_owned()).collect::<Vec<_>>());
}

fn section(out: &mut String, title: &str) {
    let _ = write!(out, "\n## {title}\n\n");
}

fn head(out: &mut String, r: &Report) {
    let s = &r.summary;
    let _ = writeln!(out, "# {} {}: {}\n", s.verdict, s.grade, prose::answer(s.verdict, s.grade));
    if !s.reason.is_empty() {
        let _ = writeln!(out, "{}\n", text(&s.reason));
    }
    let _ = writeln!(out, "- Grade {}: {}", s.grade, prose::grade(s.verdict, s.grade));
    let _ = writeln!(out, "- Network: {}", prose::network(r, s.network, r.weighing()));
    let _ = writeln!(out, "- Service: {}", prose::provider(s.provider));
    let weigh = prose::count(s.counted.weigh, "conversation");
    let background = prose::thousands(s.counted.background);
    let _ = writeln!(out, "- Judged: {weigh} with messages, {background} in the background");
    let _ = writeln!(out, "- Bytes: {}", prose::coverage(&s.coverage));
}

fn cards(out: &mut String, r: &Report) {
    if r.weighing().next().is_none() {
        return;
    }
    section(out, "Conversations that carry messages");
    let groups = alike::fold(r.weighing());
    groups.iter().take(CARDS).for_each(|g| card(out, r, g));
    further(out, groups.len(), CARDS);
}

fn card(out: &mut String, r: &Report, group: &Alike<'_>) {
    let c = group.first;
    let _ = writeln!(out, "### {} {} – {} ({})\n", c.verdict, c.grade, text(&prose::name(c)), text(&c.id));
    let _ = writeln!(out, "{}\n", text(&prose::facts(c).join(" · ")));
    let mut item = |label: &str, words: &str| {
        if !words.is_empty() {
            let _ = writeln!(out, "- {label}: {}", text(words));
        }
    };
    item("Why", &c.reason);
    item("Network", prose::network(r, c.network, std::iter::once(c)));
    item("Service", prose::provider(c.provider));
    item("Not ruled out", &c.not_ruled_out.join("; "));
    item("Next step", &c.next_step);
    item("Bytes", &prose::coverage(&c.coverage));
    item("Weighs because", &c.why_weighs);
    item("Judged alike", &group.words().unwrap_or_default());
    for e in c.reasons.iter().filter_map(|id| r.evidence(id)) {
        evidence(out, r, e);
    }
    out.push('\n');
}

fn evidence(out: &mut String, r: &Report, e: &Evidence) {
    let place = e.origin.as_ref().map(|o| place::of(r, o)).unwrap_or_default();
    let _ = write!(out, "- Evidence {}: {} — {}", text(&e.id), text(&e.statement), code(&place));
    if let Some(shown) = e.origin.as_ref().and_then(|o| o.shown.as_ref()) {
        let short: String = shown.chars().take(400).collect();
        let _ = write!(out, " — “{}”", text(&short));
    }
    out.push('\n');
}

fn matrix(out: &mut String, r: &Report) {
    let prose::Matrix { parties, rows, all } = prose::matrix(r);
    if rows.is_empty() {
        return;
    }
    section(out, "Who learns what");
    let names: Vec<String> =
        std::iter::once("Item".to_owned()).chain(parties.iter().map(|p| text(p))).collect();
    table(out, &names.iter().map(String::as_str).collect::<Vec<_>>());
    for (item, cells) in rows {
        let word = |s: &Learns| match s {
            Learns::Learns => "● learns".to_owned(),
            Learns::DoesNot => "○ no".to_owned(),
            Learns::Unknown => "? unknown".to_owned(),
        };
        row(out, &std::iter::once(text(item)).chain(cells.iter().map(word)).collect::<Vec<_>>());
    }
    further(out, all, parties.len());
}

/// What a list that was cut leaves out.
fn further(out: &mut String, all: usize, shown: usize) {
    if let Some(text) = alike::further(all, shown) {
        let _ = writeln!(out, "\n{text}");
    }
}

fn findings(out: &mut String, r: &Report) {
    section(out, "Findings");
    if r.findings.is_empty() {
        out.push_str("No weakness was found in what could be read. That is no proof that there is none.\n");
    }
    let groups = alike::findings(r);
    groups.iter().take(FINDINGS).for_each(|g| finding(out, r, g));
    further(out, groups.len(), FINDINGS);
}

fn finding(out: &mut String, r: &Report, group: &Again<'_>) {
    let f = group.first;
    let title = if f.title.is_empty() { explain::title(&f.id) } else { &f.title };
    let _ = writeln!(out, "### {}: {}\n", f.severity, text(title));
    let place = f.conversation.as_deref().unwrap_or("whole recording");
    let _ = writeln!(out, "{} · confidence {} · {}\n", code(&f.id), f.confidence, text(place));
    if !f.detail.is_empty() {
        let _ = writeln!(out, "- Seen here: {}", text(&f.detail));
    }
    for e in f.evidence.iter().take(6).filter_map(|id| r.evidence(id)) {
        evidence(out, r, e);
    }
    if let Some(filter) = &f.tshark {
        let _ = writeln!(out, "- Display filter: {}", code(filter));
    }
    if let Some(others) = group.words() {
        let _ = writeln!(out, "- Also in: {}", text(&others));
    }
    if let Some(e) = explain::find(&f.id) {
        let _ = writeln!(out, "- Meaning: {}\n- Check it: {}\n- Mend it: {}", e.meaning, e.check, e.fix);
    }
    out.push('\n');
}

fn canaries(out: &mut String, r: &Report) {
    if r.canaries.is_empty() {
        return;
    }
    section(out, "Planted texts");
    let _ = writeln!(out, "{}\n", prose::experiment(r));
    table(out, &["Text", "Kind", "Result", "Where"]);
    for c in &r.canaries {
        let place = |(h, n): &(&super::dto::Hit, usize)| {
            let chain = if h.chain.is_empty() { "as it is".to_owned() } else { h.chain.join(" > ") };
            text(&format!(
                "{} · {chain} · seen by {} · {}",
                h.layer,
                h.party,
                prose::count(*n as u64, "place")
            ))
        };
        let places: Vec<String> = prose::hits(c).iter().take(12).map(place).collect();
        let result = prose::canary_result(r, c).0.to_owned();
        row(out, &[text(&prose::canary_name(c)), c.kind.to_string(), result, places.join("; ")]);
    }
}

fn vantages(out: &mut String, r: &Report) {
    let Some(v) = &r.vantages else { return };
    section(out, "Two ends compared");
    let _ = writeln!(out, "{}\n", text(&ends::clock(v)));
    if !v.ways.is_empty() {
        table(out, &ends::WAYS);
        ends::ways(v).iter().for_each(|cells| row(out, &cells.each_ref().map(|c| text(c))));
        out.push('\n');
    }
    for line in ends::further(v) {
        let _ = writeln!(out, "- {}", text(&line));
    }
}

fn lengths(out: &mut String, r: &Report) {
    if r.lengths.is_empty() {
        return;
    }
    section(out, "How sizes follow the text");
    table(out, &ends::LAWS);
    ends::laws(r).iter().for_each(|cells| row(out, &cells.each_ref().map(|c| text(c))));
}

fn randomness(out: &mut String, r: &Report) {
    if r.randomness.is_empty() {
        return;
    }
    section(out, "How random the opaque fields look");
    table(
        out,
        &["Field", "Bytes", "Bits per byte", "Expected of random bytes", "Standard deviation", "Looks like"],
    );
    for m in r.randomness.iter().take(200) {
        let figures = [
            format!("{:.3}", m.bits_per_byte),
            format!("{:.3}", m.expected),
            format!("{:.4}", m.sd),
            text(&m.class),
        ];
        let head = [text(&m.field), prose::thousands(m.length)];
        row(out, &head.into_iter().chain(figures).collect::<Vec<_>>());
    }
}

fn transport(out: &mut String, r: &Report) {
    if r.transport.is_empty() {
        return;
    }
    section(out, "Transport protection");
    table(out, &["Endpoint", "Protection", "Key exchange", "Certificate", "Weak"]);
    for t in &r.transport {
        let certificate = t.certificate.as_ref().map(|c| format!("{} by {}", c.subject, c.issuer));
        let problems = t.certificate.iter().flat_map(|c| c.problems.clone());
        let weak: Vec<String> = t.weak.iter().cloned().chain(problems).collect();
        row(
            out,
            &[
                text(&t.endpoint),
                text(&prose::protection(t).join("; ")),
                text(&prose::key_exchange(t).join("; ")),
                text(certificate.as_deref().unwrap_or("not seen")),
                text(&weak.join("; ")),
            ],
        );
    }
}

fn apps(out: &mut String, r: &Report) {
    if r.apps.is_empty() && r.claims.is_empty() {
        return;
    }
    section(out, "Applications and what vendors claim");
    for a in &r.apps {
        let _ = writeln!(out, "- **{}**: {}", text(&a.name), text(&prose::app(a)));
    }
    if r.claims.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nClaims beside the observation; they never move a verdict.\n");
    table(out, &["App", "Claim", "Observed", "Why"]);
    for c in &r.claims {
        row(out, &[text(&c.app), text(&prose::claim(c)), c.state.to_string(), text(&c.why)]);
    }
}

fn unseen(out: &mut String, r: &Report) {
    section(out, "What was not seen");
    for (_, gap) in prose::gaps(&r.summary.coverage) {
        let _ = writeln!(out, "- {gap}");
    }
    out.push_str("- What was never in the recording: other networks, other devices, and what apps and services keep.\n");
    for n in &r.notes {
        let meaning = if n.meaning.is_empty() { meanings::of(&n.code) } else { &n.meaning };
        let _ = writeln!(out, "- {} × {}: {}", prose::thousands(n.count), code(&n.code), text(meaning));
    }
}

fn background(out: &mut String, r: &Report) {
    if r.background().next().is_none() {
        return;
    }
    section(out, "In the background");
    table(out, &["Endpoint", "Protocol", "Size", "Verdict"]);
    let groups = alike::fold(r.background());
    for g in groups.iter().take(LISTED) {
        let (c, size) = (g.first, text(&prose::amount(r, g.first, g.seen())));
        let others = match g.others.len() {
            0 => String::new(),
            n => format!(" and {} others alike", prose::thousands(n as u64)),
        };
        row(out, &[text(&(prose::name(c) + &others)), text(&c.protocol), size, c.verdict.to_string()]);
    }
    further(out, groups.len(), LISTED);
}

fn recordings(out: &mut String, r: &Report) {
    section(out, "Recordings and keys");
    table(out, &["File", "SHA-256", "Holds", "Size", "Time"]);
    for i in &r.inputs {
        let when = prose::span_of_time(i.first.as_deref(), i.last.as_deref());
        let figures = [place::counted(i), prose::size(i.bytes), text(&when)];
        row(out, &[code(&i.path), code(&i.sha256)].into_iter().chain(figures).collect::<Vec<_>>());
    }
    for k in &r.keys {
        let _ = writeln!(out, "\nKeys: {}, {}.", code(&k.path), prose::count(k.secrets, "secret"));
    }
}

fn grades(out: &mut String, r: &Report) {
    section(out, "What the words mean");
    out.push_str("A recording can refute end-to-end encryption and can never prove it.\n\n");
    table(out, &["Word", "Meaning"]);
    let words = Verdict::ALL.iter().map(|v| v.word()).chain(Grade::ALL.iter().map(|g| g.word()));
    for e in words.filter_map(explain::find) {
        row(out, &[e.id.to_owned(), format!("{}. {}", e.title, e.meaning)]);
    }
    let tool = format!("{} {}", r.tool.name, r.tool.version);
    let _ = writeln!(
        out,
        "\nWritten by {}, schema {}, {} rules ({}).",
        text(&tool),
        code(&r.schema),
        r.rules.count,
        code(&r.rules.digest)
    );
}
