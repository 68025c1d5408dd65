//! The report as a person reads it in a terminal: the answer first, then a card for every conversation
//! that carries messages, who learns what, findings with their evidence, planted texts, and what was
//! not seen. From 160 columns on, cards stand side by side.

use super::alike::{self, Again, Alike, CARDS, FINDINGS, LISTED};
use super::dto::{ClaimState, Evidence, Learns, Report, Severity, Verdict};
use super::lines::{Colour, Line, Span, Tone, beside, fit, line_width, print, span, wrap};
use super::{ends, prose};
use unicode_width::UnicodeWidthStr;

/// The report in lines of at most `width` columns (at least 40).
pub fn render(report: &Report, width: usize, colour: Colour) -> String {
    let mut page = Page { width: width.max(40), lines: Vec::new() };
    page.headline(report);
    page.cards(report);
    page.matrix(report);
    page.findings(report);
    page.canaries(report);
    page.vantages(report);
    page.lengths(report);
    page.apps(report);
    page.unseen(report);
    page.background(report);
    print(&page.lines, colour)
}

/// Longest line of running text that is pleasant to read.
const MEASURE: usize = 96;
/// Columns of the labels in a card.
const LABEL: usize = 15;

struct Page {
    width: usize,
    lines: Vec<Line>,
}

fn verdict_tones(v: Verdict) -> (Tone, Tone) {
    match v {
        Verdict::Plaintext => (Tone::BadgeBad, Tone::Bad),
        Verdict::TransportOnly => (Tone::BadgeWarn, Tone::Warn),
        Verdict::E2ee => (Tone::BadgeGood, Tone::Good),
        Verdict::Undetermined => (Tone::BadgeOpen, Tone::Open),
    }
}

fn severity_tone(s: Severity) -> Tone {
    match s {
        Severity::Critical | Severity::High => Tone::Bad,
        Severity::Medium => Tone::Warn,
        Severity::Low | Severity::Info => Tone::Open,
    }
}

/// A label in its own column with wrapped text beside it.
fn labelled(label: &str, spans: &[Span], width: usize) -> Vec<Line> {
    let wide = label.width().max(LABEL);
    let text = wrap(spans, width.saturating_sub(wide + 1).min(MEASURE));
    beside(vec![vec![span(Tone::Dim, label)]], text, wide, 1)
}

/// A list under one label, a dot before each item.
fn bullets(label: &str, items: &[String], width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let text = wrap(&[span(Tone::Plain, item)], width.saturating_sub(LABEL + 3).min(MEASURE - 2));
        let body = beside(vec![vec![span(Tone::Dim, "·")]], text, 1, 1);
        let label = if i == 0 { label } else { "" };
        lines.extend(beside(vec![vec![span(Tone::Dim, label)]], body, LABEL, 1));
    }
    lines
}

/// A coloured bar down the left side of a block.
fn barred(lines: Vec<Line>, tone: Tone) -> Vec<Line> {
    let bar = |mut line: Line| {
        line.insert(0, span(tone, "▌ "));
        line
    };
    lines.into_iter().map(bar).collect()
}

fn blank(lines: &mut Vec<Line>) {
    lines.push(Vec::new());
}

impl Page {
    fn section(&mut self, title: &str, aside: &str) {
        blank(&mut self.lines);
        let mut line = vec![span(Tone::Strong, &fit(title, self.width)), span(Tone::Plain, " ")];
        let used = line_width(&line);
        let aside = fit(aside, self.width.saturating_sub(used + 4));
        let tail = if aside.is_empty() { 0 } else { aside.width() + 1 };
        line.push(span(Tone::Dim, &"─".repeat(self.width.saturating_sub(used + tail))));
        if !aside.is_empty() {
            line.push(span(Tone::Dim, &format!(" {aside}")));
        }
        self.lines.push(line);
        blank(&mut self.lines);
    }

    /// What a list that was cut leaves out.
    fn further(&mut self, all: usize, shown: usize) {
        if let Some(text) = alike::further(all, shown) {
            blank(&mut self.lines);
            self.lines.extend(wrap(&[span(Tone::Dim, &text)], self.width));
        }
    }

    /// Blocks one under another, or in two columns where there is room.
    fn blocks(&mut self, make: impl Fn(usize) -> Vec<Vec<Line>>) {
        const GUTTER: usize = 4;
        if self.width < 160 {
            for (i, block) in make(self.width).into_iter().enumerate() {
                if i > 0 {
                    blank(&mut self.lines);
                }
                self.lines.extend(block);
            }
            return;
        }
        let half = (self.width - GUTTER) / 2;
        let mut blocks = make(half).into_iter();
        let mut first = true;
        while let Some(left) = blocks.next() {
            if !std::mem::take(&mut first) {
                blank(&mut self.lines);
            }
            let right = blocks.next().unwrap_or_default();
            self.lines.extend(beside(left, right, half, GUTTER));
        }
    }

    fn headline(&mut self, r: &Report) {
        let s = &r.summary;
        let (badge, tone) = verdict_tones(s.verdict);
        let word = s.verdict.word().to_uppercase();
        self.lines.push(vec![
            span(badge, &format!(" {word} ")),
            span(Tone::Plain, "  "),
            span(Tone::Strong, s.grade.word()),
            span(
                Tone::Dim,
                &fit(
                    &format!(" {}", prose::grade(s.verdict, s.grade)),
                    self.width.saturating_sub(word.width() + 6),
                ),
            ),
        ]);
        blank(&mut self.lines);
        let text = self.width.min(MEASURE + LABEL);
        let mut lines = wrap(&[span(tone, prose::answer(s.verdict, s.grade))], text);
        if !s.reason.is_empty() {
            lines.extend(wrap(&[span(Tone::Plain, &s.reason)], text));
        }
        self.lines.append(&mut lines);
        blank(&mut self.lines);
        let mut facts = labelled("network", &[span(Tone::Plain, prose::network(s.network))], self.width);
        facts.extend(labelled("provider", &[span(Tone::Plain, prose::provider(s.provider))], self.width));
        let weigh = prose::count(s.counted.weigh, "conversation");
        let background = prose::thousands(s.counted.background);
        let weigh = format!("{weigh} with messages, {background} in the background");
        facts.extend(labelled("judged", &[span(Tone::Plain, &weigh)], self.width));
        facts.extend(labelled("bytes", &[span(Tone::Plain, &prose::coverage(&s.coverage))], self.width));
        for input in &r.inputs {
            let when = prose::span_of_time(input.first.as_deref(), input.last.as_deref());
            let text = format!(
                "{} · {} · {}{}{when}",
                input.path,
                prose::count(input.packets, "packet"),
                prose::size(input.bytes),
                if when.is_empty() { "" } else { " · " },
            );
            facts.extend(labelled("recording", &[span(Tone::Plain, &text)], self.width));
        }
        for k in &r.keys {
            let used = k.used.map(|n| format!(", {n} used")).unwrap_or_default();
            let text = format!("{} · {}{used}", k.path, prose::count(k.secrets, "secret"));
            facts.extend(labelled("keys", &[span(Tone::Plain, &text)], self.width));
        }
        self.lines.append(&mut facts);
    }

    fn cards(&mut self, r: &Report) {
        if r.weighing().next().is_none() {
            return;
        }
        let count = r.weighing().count();
        let groups = alike::fold(r.weighing());
        self.section("Conversations that carry messages", &prose::thousands(count as u64));
        self.blocks(|width| groups.iter().take(CARDS).map(|g| card(g, width)).collect());
        self.further(groups.len(), CARDS);
    }

    fn matrix(&mut self, r: &Report) {
        let prose::Matrix { parties, rows, all } = prose::matrix(r);
        if rows.is_empty() {
            return;
        }
        self.section("Who learns what", "● learns   ○ does not   ? unknown");
        let item = rows.iter().map(|(i, _)| i.width()).max().unwrap_or(0).clamp(12, 26);
        let room = self.width.saturating_sub(item + 2);
        let wanted = parties.iter().map(|p| p.width()).max().unwrap_or(8).clamp(8, 30);
        let column = wanted.min((room / parties.len().clamp(1, 6)).saturating_sub(2)).max(8);
        for group in parties.chunks((room / (column + 2)).max(1)) {
            let mut head: Vec<Line> = vec![vec![span(Tone::Plain, "")]];
            let mut at = item;
            for party in group {
                head = beside(head, wrap(&[span(Tone::Strong, party)], column), at, 2);
                at += column + 2;
            }
            self.lines.append(&mut head);
            let start = parties.iter().position(|p| p == &group[0]).unwrap_or(0);
            for (name, cells) in &rows {
                let mut line = vec![span(Tone::Plain, &fit(&super::lines::clean(name), item))];
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
                self.lines.push(line);
            }
        }
        self.further(all, parties.len());
    }

    fn findings(&mut self, r: &Report) {
        if r.findings.is_empty() {
            return;
        }
        self.section("Findings", &prose::thousands(r.findings.len() as u64));
        let groups = alike::findings(r);
        self.blocks(|width| groups.iter().take(FINDINGS).map(|g| finding(r, g, width)).collect());
        self.further(groups.len(), FINDINGS);
    }

    fn canaries(&mut self, r: &Report) {
        if r.canaries.is_empty() {
            return;
        }
        self.section("Planted texts", &r.canaries.len().to_string());
        let text = [span(Tone::Plain, prose::experiment(r))];
        self.lines.extend(wrap(&text, self.width.min(MEASURE)));
        blank(&mut self.lines);
        for c in &r.canaries {
            let (word, state) = prose::canary_result(r, c);
            let tone = match state {
                Learns::Learns => Tone::Bad,
                Learns::DoesNot => Tone::Good,
                Learns::Unknown => Tone::Warn,
            };
            let name = format!(" {} ({})", prose::canary_name(c), prose::count(c.length, "byte"));
            self.lines.extend(labelled(word, &[span(tone, "■"), span(Tone::Plain, &name)], self.width));
            for (hit, n) in prose::hits(c).into_iter().take(8) {
                let chain = if hit.chain.is_empty() { "as it is".to_owned() } else { hit.chain.join(" > ") };
                let times = if n > 1 { format!(" · {n} times") } else { String::new() };
                let text = format!("seen by {} in {} · {chain}{times}", hit.party, hit.layer);
                self.lines.extend(labelled("", &[span(Tone::Dim, &text)], self.width));
            }
        }
    }

    fn vantages(&mut self, r: &Report) {
        let Some(v) = &r.vantages else { return };
        self.section("Two ends compared", "");
        self.lines.extend(labelled("clocks", &[span(Tone::Plain, &ends::clock(v))], self.width));
        for [name, way, outcome, counts, delay, growth] in ends::ways(v) {
            let tone = match outcome.as_str() {
                "unchanged" => Tone::Good,
                "changed" | "readable" => Tone::Bad,
                _ => Tone::Open,
            };
            let mut text = vec![span(tone, &outcome), span(Tone::Plain, &format!(" · {name} · {counts}"))];
            for (what, figure) in [("delay", delay), ("size", growth)] {
                if !figure.is_empty() {
                    text.push(span(Tone::Plain, &format!(" · {what} {figure}")));
                }
            }
            self.lines.extend(labelled(&way, &text, self.width));
        }
        self.lines.extend(bullets("further", &ends::further(v), self.width));
    }

    fn lengths(&mut self, r: &Report) {
        const PLOTTED: usize = 4;
        if r.lengths.is_empty() {
            return;
        }
        self.section("How sizes follow the text", &r.lengths.len().to_string());
        for [name, count, sizes, step, bits, slope] in ends::laws(r) {
            let spans = [span(Tone::Strong, &name)];
            self.lines.extend(wrap(&spans, self.width));
            for (label, text) in [
                ("ciphertexts", format!("{count}, sizes {sizes}")),
                ("step", step),
                ("a size tells", bits),
                ("byte of text", slope),
            ] {
                self.lines.extend(labelled(label, &[span(Tone::Plain, &text)], self.width));
            }
        }
        for law in r.lengths.iter().take(PLOTTED) {
            blank(&mut self.lines);
            self.lines.push(vec![span(Tone::Dim, &fit(&law.conversation, self.width))]);
            let lines = ends::plot(law, self.width.saturating_sub(4).min(56), 9);
            self.lines.extend(lines.iter().map(|l| vec![span(Tone::Plain, &fit(l, self.width))]));
        }
    }

    fn apps(&mut self, r: &Report) {
        if r.apps.is_empty() {
            return;
        }
        self.section("Applications and what vendors claim", "decides nothing");
        for a in &r.apps {
            let spans = [span(Tone::Plain, &prose::app(a))];
            self.lines.extend(labelled(&a.name, &spans, self.width));
            for c in r.claims.iter().filter(|c| c.app == a.id) {
                let tone = match c.state {
                    ClaimState::Contradicted => Tone::Bad,
                    ClaimState::Confirmed => Tone::Good,
                    ClaimState::Untested | ClaimState::Expired => Tone::Open,
                };
                let spans = [
                    span(tone, &format!("{}: ", c.state)),
                    span(Tone::Plain, &prose::claim(c)),
                    span(Tone::Dim, &format!(" · {}", c.why)),
                ];
                self.lines.extend(labelled("  claim", &spans, self.width));
            }
        }
    }

    fn unseen(&mut self, r: &Report) {
        if r.notes.is_empty() && r.summary.coverage.lost == 0 {
            return;
        }
        self.section("What was not seen, and remarks", "");
        if r.summary.coverage.lost > 0 {
            let text = format!("{} are missing from the recording", prose::size(r.summary.coverage.lost));
            self.lines.extend(labelled("lost", &[span(Tone::Warn, &text)], self.width));
        }
        for n in &r.notes {
            let mut spans = vec![span(Tone::Strong, &n.code)];
            let meaning = if n.meaning.is_empty() { super::meanings::of(&n.code) } else { &n.meaning };
            spans.push(span(Tone::Plain, &format!(" {meaning}")));
            if let Some(at) = n.examples.first() {
                spans.push(span(Tone::Dim, &format!(" (first in frame {})", at.frame)));
            }
            self.lines.extend(labelled(&format!("{:>8} x", n.count), &spans, self.width));
        }
    }

    fn background(&mut self, r: &Report) {
        if r.background().next().is_none() {
            return;
        }
        self.section("In the background", "listed, not weighed");
        let groups = alike::fold(r.background());
        for g in groups.iter().take(LISTED) {
            let c = g.first;
            let (_, tone) = verdict_tones(c.verdict);
            let mut spans = vec![span(Tone::Plain, &prose::quiet(c))];
            if !g.others.is_empty() {
                let others = prose::thousands(g.others.len() as u64);
                let more = format!(" · {others} others alike, {} in all", prose::size(g.seen()));
                spans.push(span(Tone::Dim, &more));
            }
            let body = wrap(&spans, self.width.saturating_sub(LABEL + 1));
            self.lines.extend(beside(vec![vec![span(tone, c.verdict.word())]], body, LABEL, 1));
        }
        self.further(groups.len(), LISTED);
    }
}

fn card(group: &Alike<'_>, width: usize) -> Vec<Line> {
    let c = group.first;
    let (shade, tone) = verdict_tones(c.verdict);
    let inner = width.saturating_sub(2);
    let badge = format!(" {} {} ", c.verdict.word().to_uppercase(), c.grade);
    let title = [
        span(shade, &badge),
        span(Tone::Plain, "  "),
        span(
            Tone::Strong,
            &fit(
                &super::lines::clean(&prose::name(c)),
                inner.saturating_sub(badge.width() + c.id.width() + 4),
            ),
        ),
    ];
    let mut head: Line = title.into();
    let gap = inner.saturating_sub(line_width(&head) + c.id.width());
    head.push(span(Tone::Dim, &format!("{}{}", " ".repeat(gap), c.id)));
    let mut lines = vec![head];
    lines.extend(wrap(&[span(Tone::Dim, &prose::facts(c).join(" · "))], inner));
    blank(&mut lines);
    let plain = |label: &str, text: &str| labelled(label, &[span(Tone::Plain, text)], inner);
    if !c.reason.is_empty() {
        lines.extend(plain("why", &c.reason));
    }
    if let Some(also) = prose::shared_host(c) {
        lines.extend(plain("application", &also));
    }
    lines.extend(plain("network", prose::network(c.network)));
    lines.extend(plain("provider", prose::provider(c.provider)));
    lines.extend(bullets("not ruled out", &c.not_ruled_out, inner));
    if !c.next_step.is_empty() {
        lines.extend(plain("next step", &c.next_step));
    }
    lines.extend(plain("bytes", &prose::coverage(&c.coverage)));
    if !c.why_weighs.is_empty() {
        lines.extend(plain("weighs because", &c.why_weighs));
    }
    if !c.reasons.is_empty() {
        lines.extend(plain("evidence", &c.reasons.join(", ")));
    }
    if let Some(others) = group.words() {
        lines.extend(plain("judged alike", &others));
    }
    barred(lines, tone)
}

fn finding(r: &Report, group: &Again<'_>, width: usize) -> Vec<Line> {
    let f = group.first;
    let tone = severity_tone(f.severity);
    let inner = width.saturating_sub(2);
    let title = if f.title.is_empty() { super::explain::title(&f.id) } else { &f.title };
    let mut lines = wrap(&[span(tone, &format!("{} ", f.severity)), span(Tone::Strong, title)], inner);
    let mut facts = vec![f.id.clone(), format!("confidence {}", f.confidence)];
    facts.extend(f.conversation.clone());
    lines.extend(wrap(&[span(Tone::Dim, &facts.join(" · "))], inner));
    if !f.detail.is_empty() {
        lines.extend(wrap(&[span(Tone::Plain, &f.detail)], inner.min(MEASURE)));
    }
    for e in f.evidence.iter().take(4).filter_map(|id| r.evidence(id)) {
        lines.extend(evidence(r, e, inner));
    }
    if f.evidence.len() > 4 {
        lines.push(vec![span(Tone::Dim, &format!("and {} more", f.evidence.len() - 4))]);
    }
    if let Some(filter) = &f.tshark {
        lines.extend(labelled("tshark -Y", &[span(Tone::Open, filter)], inner));
    }
    if let Some(others) = group.words() {
        lines.extend(labelled("also in", &[span(Tone::Plain, &others)], inner));
    }
    barred(lines, tone)
}

fn evidence(r: &Report, e: &Evidence, width: usize) -> Vec<Line> {
    let mut lines = labelled(&e.id, &[span(Tone::Plain, &e.statement)], width);
    if let Some(o) = &e.origin {
        lines.extend(labelled("", &[span(Tone::Dim, &prose::place(r, o))], width));
        if let Some(shown) = &o.shown {
            lines.extend(labelled(
                "",
                &[span(Tone::Bad, &format!("“{}”", fit(&super::lines::clean(shown), 400)))],
                width,
            ));
        }
    }
    lines
}
