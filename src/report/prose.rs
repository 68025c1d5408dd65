//! The sentences and figures that every renderer words alike.

use super::dto::{
    App, Canary, CanaryKind, Claim, Confidence, Conversation, Coverage, Evidence, Grade, Hit, Learns,
    Network, Provider, Report, Transport, Verdict,
};
use std::collections::{HashMap, HashSet};

/// The verdict as a headline: a question answered, in no stronger words than the grade may use.
pub fn answer(verdict: Verdict, grade: Grade) -> &'static str {
    match (verdict, grade) {
        (Verdict::Plaintext, _) => "Anyone on the path can read messages.",
        (Verdict::TransportOnly, _) => "The path is protected; the service can read messages.",
        (Verdict::E2ee, Grade::G4 | Grade::G5) => {
            "The same sealed messages leave one end and reach the other."
        }
        (Verdict::E2ee, Grade::G3) => "The service did not receive the planted texts in any parsed field.",
        (Verdict::E2ee, _) => "Messages are E2EE-shaped: they travel in known end-to-end envelopes.",
        (Verdict::Undetermined, _) => "This recording cannot tell who can read messages.",
    }
}

/// What a grade's evidence amounts to under that verdict, in a few words.
pub fn grade(verdict: Verdict, grade: Grade) -> &'static str {
    match (verdict, grade) {
        (_, Grade::G0) => "nothing opened that would tell",
        (_, Grade::G1) => "statistics only",
        (Verdict::E2ee, Grade::G2) => "structure: known envelopes",
        (_, Grade::G2) => "known message fields",
        (Verdict::E2ee, Grade::G3) => "planted texts searched, with a control",
        (_, Grade::G3) => "the text itself was found or recovered",
        (_, Grade::G4) => "two vantages agree",
        (_, Grade::G5) => "two vantages and out-of-band checks",
    }
}

/// Who on the path can read what is said in these conversations.
pub fn network<'a>(r: &Report, n: Network, mut of: impl Iterator<Item = &'a Conversation>) -> &'static str {
    match n {
        Network::Readable => "readable by anyone on the path",
        Network::Protected if of.any(|c| r.is_open_way(c)) => {
            "the way is open: sealed by the envelopes alone, as far as the grade goes"
        }
        Network::Protected => "protected on the path",
        Network::Unknown => "cannot be told",
    }
}

/// Whether the operator can read.
pub fn provider(p: Provider) -> &'static str {
    match p {
        Provider::Readable => "readable by the service",
        Provider::Sealed => "sealed, as far as the grade goes",
        Provider::Unknown => "cannot be told",
    }
}

/// The name of a conversation as a person would say it.
pub fn name(c: &Conversation) -> String {
    match &c.app {
        Some(app) if app.name.is_empty() => c.endpoint.clone(),
        Some(app) if app.confidence == Confidence::Low => format!("{}, perhaps {}", c.endpoint, app.name),
        Some(app) => format!("{} at {}", app.name, c.endpoint),
        _ => c.endpoint.clone(),
    }
}

/// Why an application is not surer, or nothing.
pub fn shared_host(c: &Conversation) -> Option<String> {
    let app = c.app.as_ref()?;
    let also = app.ambiguous.as_ref()?;
    Some(format!("the host may be {}'s, but is not its alone: {also}", app.name))
}

/// An application, how sure it is and by which signs.
pub fn app(a: &App) -> String {
    let count = a.conversations.len() as u64;
    format!("confidence {} · {} · {}", a.confidence, self::count(count, "conversation"), a.signs.join("; "))
}

/// A vendor's claim with its source.
pub fn claim(c: &Claim) -> String {
    format!("{} ({}, {})", c.statement, c.source, c.date)
}

/// A conversation that is listed and not weighed, in a line.
pub fn quiet(r: &Report, c: &Conversation) -> String {
    let protocol = match (c.protocol.as_str(), c.coverage.seen) {
        ("", 0) => return format!("{} · no payload", name(c)),
        ("", _) => "unknown protocol",
        (protocol, _) => protocol,
    };
    [name(c), protocol.to_owned(), amount(r, c, c.coverage.seen)].join(" · ")
}

/// How much was said in a conversation that is only listed, or whose bytes they are.
pub fn amount(r: &Report, c: &Conversation, seen: u64) -> String {
    let beside: Vec<&str> = r.beside(c).map(|c| c.id.as_str()).collect();
    match beside.as_slice() {
        [] => size(seen),
        [ids @ .., last] if ids.len() < 3 => {
            let ids: String = ids.iter().map(|id| format!("{id}, ")).collect();
            format!("beside {ids}{last}")
        }
        [first, ..] => format!("beside {first} and {} more", beside.len() - 1),
    }
}

/// What kind of traffic, how much, and when.
pub fn facts(c: &Conversation) -> Vec<String> {
    let mut facts = Vec::new();
    let mut push = |text: String| {
        if !text.is_empty() {
            facts.push(text);
        }
    };
    push(c.protocol.clone());
    push(c.content.clone());
    push(c.vantage.as_ref().map(|v| format!("recorded at the {v}")).unwrap_or_default());
    if c.messages > 0 {
        push(count(c.messages, "message"));
    }
    if let Some(envelope) = &c.envelope {
        push(format!("{envelope} envelopes"));
    }
    push(span_of_time(c.first.as_deref(), c.last.as_deref()));
    facts
}

/// `12:00:01 to 12:04:55`, with the date where there is room for one.
pub fn span_of_time(first: Option<&str>, last: Option<&str>) -> String {
    let short = |t: &str| t.get(..19).unwrap_or(t).replacen('T', " ", 1);
    match (first, last) {
        (Some(a), Some(b)) => {
            let (a, b) = (short(a), short(b));
            match a.get(..10) == b.get(..10) {
                true => format!("{a} to {} UTC", b.get(11..).unwrap_or(&b)),
                false => format!("{a} to {b} UTC"),
            }
        }
        (Some(a), None) | (None, Some(a)) => format!("{} UTC", short(a)),
        (None, None) => String::new(),
    }
}

/// `1 message`, `2 messages`.
pub fn count(n: u64, noun: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { noun.to_owned() } else { plural(noun) })
}

/// The noun of several.
pub fn plural(noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) if noun == "entry" => format!("{stem}ies"),
        _ => format!("{noun}s"),
    }
}

/// A number with thin groups: `12 345 678`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(d);
    }
    out
}

/// A size in the unit that reads best.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1024.0, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match value < 10.0 {
        true => format!("{value:.1} {}", UNITS[unit]),
        false => format!("{value:.0} {}", UNITS[unit]),
    }
}

/// What became of the bytes: name and bytes, in the order of a bar, only what is there. They add up to
/// the larger of what was seen and what was counted.
pub fn shares(c: &Coverage) -> Vec<(&'static str, u64)> {
    let named = [("explained", c.explained), ("opaque", c.opaque), ("sealed", c.sealed), ("cut", c.cut)];
    let told: u64 = named.iter().fold(0, |sum, (_, n)| sum.saturating_add(*n));
    let rest = c.seen.saturating_sub(told);
    named.into_iter().chain([("other", rest)]).filter(|(_, n)| *n > 0).collect()
}

/// A share in per cent that never rounds to all or nothing.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    let share = part as f64 * 100.0 / whole as f64;
    match share {
        s if s > 0.0 && s < 1.0 => "<1 %".to_owned(),
        s if s > 99.0 && s < 100.0 => ">99 %".to_owned(),
        s => format!("{s:.0} %"),
    }
}

/// Coverage in words.
pub fn coverage(c: &Coverage) -> String {
    if c.seen == 0 {
        return "no payload".to_owned();
    }
    let shares = shares(c);
    let whole = shares.iter().fold(0u64, |sum, (_, n)| sum.saturating_add(*n));
    let mut parts: Vec<String> =
        shares.iter().map(|(name, n)| format!("{} {name}", percent(*n, whole))).collect();
    if c.lost > 0 {
        parts.push(format!("{} lost by the recording", size(c.lost)));
    }
    format!("{}: {}", size(c.seen), parts.join(", "))
}

/// What stands between the recording and a full view: a short name and a sentence each.
pub fn gaps(c: &Coverage) -> Vec<(&'static str, String)> {
    let of = |n: u64, text: &str| format!("{} {text}", size(n));
    [
        ("lost", c.lost, "are missing: the recording lost them, and nothing can be said of them"),
        ("sealed", c.sealed, "stayed inside transport encryption that no key opened"),
        ("opaque", c.opaque, "were reached and could not be explained"),
        ("cut", c.cut, "were given up: damaged, unfinished, or beyond a bound"),
    ]
    .into_iter()
    .filter(|(_, n, _)| *n > 0)
    .map(|(name, n, text)| (name, of(n, text)))
    .collect()
}

/// What protects an endpoint's traffic, one phrase each.
pub fn protection(t: &Transport) -> Vec<String> {
    let mut lines = Vec::new();
    lines.push(match (&t.version, t.protocol.as_str()) {
        (Some(version), _) => version.clone(),
        (None, "none") => "none recognised".to_owned(),
        (None, protocol) => protocol.to_owned(),
    });
    lines.extend(t.suite.clone());
    lines.extend(t.alpn.as_ref().map(|a| format!("carries {a}")));
    lines.extend(t.sni.as_ref().map(|s| format!("names {s} in clear")));
    lines.extend(t.facts.iter().map(|(name, value)| format!("{name}: {value}")));
    lines
}

/// How an endpoint's keys come about, one phrase each.
pub fn key_exchange(t: &Transport) -> Vec<String> {
    let mut lines: Vec<String> = t.group.iter().cloned().collect();
    lines.extend(
        t.forward_secrecy.map(|f| if f { "forward secret" } else { "not forward secret" }.to_owned()),
    );
    lines.extend(t.post_quantum.map(|p| if p { "post-quantum" } else { "not post-quantum" }.to_owned()));
    lines
}

/// The marks of one piece of evidence: `proof`, `against`.
pub fn marks(e: &Evidence) -> String {
    format!("{} · {}", e.strength, e.kind)
}

/// A planted text's name: the user's, or its digest.
pub fn canary_name(c: &Canary) -> String {
    match (&c.shown, &c.label) {
        (Some(text), _) => format!("“{text}”"),
        (None, Some(label)) => label.clone(),
        (None, None) => format!("{}…", c.text_digest.get(..8).unwrap_or(&c.text_digest)),
    }
}

/// Whether a control was found, without which a text that was not found proves nothing.
pub fn search_works(report: &Report) -> bool {
    report.canaries.iter().any(|c| c.kind == CanaryKind::Control && !c.hits.is_empty())
}

/// What the experiment with planted texts shows, in one sentence.
pub fn experiment(report: &Report) -> &'static str {
    let texts = || report.canaries.iter().filter(|c| c.kind == CanaryKind::Canary);
    match (texts().any(|c| !c.hits.is_empty()), search_works(report)) {
        (true, _) => "Planted text was found: who sees that place can read messages.",
        (false, true) if texts().next().is_some() => {
            "A control was found and no planted text was: the search works, and the texts did not show."
        }
        (false, true) => "A control was found, but no text was planted that should stay hidden.",
        (false, false) => {
            "No control was found, so a planted text that was not found proves nothing: the search may not have reached the messages."
        }
    }
}

/// How a planted text's result reads, and whether it is good news.
pub fn canary_result(report: &Report, c: &Canary) -> (&'static str, Learns) {
    if c.unsearched {
        return ("too short", Learns::Unknown);
    }
    match (c.kind, c.hits.is_empty()) {
        (CanaryKind::Canary, true) if !search_works(report) => ("not found", Learns::Unknown),
        (CanaryKind::Canary, true) => ("not found", Learns::DoesNot),
        (CanaryKind::Canary, false) => ("FOUND", Learns::Learns),
        (CanaryKind::Control, true) => ("control missed", Learns::Unknown),
        (CanaryKind::Control, false) => ("control found", Learns::DoesNot),
    }
}

/// Hits that differ in place, encodings and party, with how often each came.
pub fn hits(c: &Canary) -> Vec<(&Hit, usize)> {
    let mut groups: Vec<(&Hit, usize)> = Vec::new();
    for hit in &c.hits {
        let same = |h: &Hit| {
            (&h.layer, &h.chain, h.party, &h.conversation)
                == (&hit.layer, &hit.chain, hit.party, &hit.conversation)
        };
        match groups.iter_mut().find(|(h, _)| same(h)) {
            Some((_, n)) => *n += 1,
            None => groups.push((hit, 1)),
        }
    }
    groups
}

/// The matrix of who learns what.
pub struct Matrix<'a> {
    /// Parties in order of appearance, the first ones.
    pub parties: Vec<&'a str>,
    /// For each item one cell a party.
    pub rows: Vec<(&'a str, Vec<Learns>)>,
    /// How many parties there are.
    pub all: usize,
}

/// Parties that a matrix has columns for.
const PARTIES: usize = 40;

/// Reads the matrix off a report.
pub fn matrix(report: &Report) -> Matrix<'_> {
    let mut met: HashSet<&str> = HashSet::new();
    let mut parties: Vec<&str> = Vec::new();
    let mut items: Vec<&str> = Vec::new();
    let mut cells: HashMap<(&str, &str), Learns> = HashMap::new();
    for e in &report.exposure {
        if met.insert(&e.party) {
            parties.push(&e.party);
        }
        if !items.contains(&e.item.as_str()) {
            items.push(&e.item);
        }
        cells.insert((&e.item, &e.party), e.state);
    }
    let all = parties.len();
    if all > PARTIES {
        // The network comes first; of the others those who learn most.
        let learns = |p: &str| items.iter().filter(|i| cells.get(&(**i, p)) == Some(&Learns::Learns)).count();
        parties.sort_by_cached_key(|p| (*p != "network", std::cmp::Reverse(learns(p))));
        parties.truncate(PARTIES);
    }
    let row =
        |item: &str| parties.iter().map(|p| cells.get(&(item, *p)).copied().unwrap_or_default()).collect();
    let rows = items.iter().map(|item| (*item, row(item))).collect();
    Matrix { parties, rows, all }
}
