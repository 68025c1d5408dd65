//! Renderers on made reports: width, hostile text, reading back.

use plainsight::report::dto::{
    self, Conversation, Coverage, Evidence, Exposure, Finding, Grade, InputFile, Report, Verdict,
};
use plainsight::report::lines::{Colour, invisible};
use plainsight::report::{
    html, json, markdown,
    terminal::{Detail, render},
};
use unicode_width::UnicodeWidthStr;

fn sample() -> Report {
    let hostile = "evil\x1b[2J\u{202e}.example/".repeat(9) + "漢字漢字漢字";
    let c = Conversation {
        id: "c1".into(),
        endpoint: hostile.clone(),
        protocol: "tls/http2/json".into(),
        verdict: Verdict::TransportOnly,
        grade: Grade::G2,
        reason: hostile.clone(),
        not_ruled_out: vec![hostile.clone(), "a second copy".into()],
        next_step: "record both ends".into(),
        messages: 14,
        coverage: Coverage { seen: 900, explained: 700, opaque: 100, lost: 5, ..Default::default() },
        weighs: true,
        ..Default::default()
    };
    let party = |n: usize| Exposure {
        item: "message text".into(),
        party: format!("party-{n}.{hostile}"),
        state: dto::Learns::Learns,
        evidence: vec![],
    };
    let finding = Finding {
        id: "provider-readable-message".into(),
        evidence: vec!["e1".into()],
        tshark: Some(hostile.clone()),
        ..Default::default()
    };
    let e = Evidence {
        id: "e1".into(),
        statement: hostile.clone(),
        origin: Some(dto::Origin { shown: Some(hostile.clone()), ..Default::default() }),
        ..Default::default()
    };
    let quiet = Conversation { weighs: false, ..c.clone() };
    Report {
        schema: dto::SCHEMA.into(),
        inputs: vec![InputFile { path: hostile.clone(), ..Default::default() }],
        conversations: vec![c.clone(), c, quiet],
        evidence: vec![e],
        findings: vec![finding],
        exposure: (0..9).map(party).collect(),
        canaries: vec![dto::Canary { label: Some(hostile.clone()), ..Default::default() }],
        notes: vec![dto::Note { code: hostile, count: 3, ..Default::default() }],
        ..Default::default()
    }
}

#[test]
fn no_line_is_wider_than_asked_and_no_control_character_passes() {
    for width in [40, 80, 132, 160, 200] {
        let text = render(&sample(), width, Colour::Off, Detail::Brief);
        for line in text.lines() {
            assert!(line.width() <= width, "{width}: {} {line}", line.width());
            assert!(!line.chars().any(invisible), "{line:?}");
        }
    }
}

#[test]
fn all_evidence_of_a_finding_is_shown_where_it_is_asked_for() {
    let mut report = sample();
    let one = report.evidence[0].clone();
    report.evidence = (1..=9).map(|n| Evidence { id: format!("e{n}"), ..one.clone() }).collect();
    report.findings[0].evidence = (1..=9).map(|n| format!("e{n}")).collect();
    let shown = |detail| {
        let text = render(&report, 100, Colour::Off, detail);
        (text.matches("▌ e").count(), text.contains("and 5 more (-v)"))
    };
    assert_eq!(shown(Detail::Brief), (4, true));
    assert_eq!(shown(Detail::Full), (9, false));
}

#[test]
fn an_empty_report_says_so() {
    let text = render(&Report::default(), 80, Colour::Off, Detail::Brief);
    assert!(text.contains("UNDETERMINED") && text.contains("cannot tell"), "{text}");
}

#[test]
fn a_saved_report_reads_back_the_same() {
    let report = sample();
    assert_eq!(Report::read(json::render(&report).as_bytes()), Ok(report));
    assert!(Report::read(b"{\"schema\":\"other/9\"}").is_err());
    let newer = br#"{"schema":"plainsight.report/1","novel":1,"summary":{"verdict":"e2ee"}}"#;
    assert_eq!(Report::read(newer).map(|r| r.summary.verdict), Ok(Verdict::E2ee));
}

/// A report in which every text is an attempt to become markup.
fn attack() -> Report {
    let bait = "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\" onload=\"x' | `[a](javascript:b) www.evil.example http://evil.example\u{202e}\u{1b}[2J";
    let mut value = serde_json::to_value(full()).expect("a report is data");
    fn poison(value: &mut serde_json::Value, bait: &str) {
        match value {
            serde_json::Value::String(s) => s.push_str(bait),
            serde_json::Value::Array(a) => a.iter_mut().for_each(|v| poison(v, bait)),
            serde_json::Value::Object(o) => o.values_mut().for_each(|v| poison(v, bait)),
            _ => {}
        }
    }
    // Words of closed sets must stay what they are, so only what fails to read back is put right.
    let closed = [
        "verdict",
        "grade",
        "network",
        "provider",
        "kind",
        "strength",
        "polarity",
        "severity",
        "confidence",
        "state",
        "party",
        "side",
        "trust",
    ];
    fn spare(clean: &serde_json::Value, bad: &mut serde_json::Value, closed: &[&str]) {
        match (clean, bad) {
            (serde_json::Value::Array(a), serde_json::Value::Array(b)) => {
                a.iter().zip(b).for_each(|(a, b)| spare(a, b, closed));
            }
            (serde_json::Value::Object(a), serde_json::Value::Object(b)) => {
                for (name, clean) in a {
                    let Some(bad) = b.get_mut(name) else { continue };
                    let free = name == "party" && a.contains_key("item");
                    match closed.contains(&name.as_str()) && !free {
                        true => *bad = clean.clone(),
                        false => spare(clean, bad, closed),
                    }
                }
            }
            _ => {}
        }
    }
    let clean = value.clone();
    poison(&mut value, bait);
    spare(&clean, &mut value, &closed);
    serde_json::from_value(value).expect("still a report")
}

/// A report with something in every part.
fn full() -> Report {
    let origin = dto::Origin {
        frames: vec![7],
        layers: "tls/http1/json".into(),
        field: "$.body".into(),
        length: 12,
        digest: "00ff00ff00ff00ff".into(),
        shown: Some("meet at noon".into()),
        ..Default::default()
    };
    let talk = Conversation {
        id: "c1".into(),
        app: Some(dto::AppRef {
            id: "chat".into(),
            name: "Chat".into(),
            ambiguous: Some("a site of the same vendor".into()),
            ..Default::default()
        }),
        endpoint: "chat.example.host:443".into(),
        protocol: "tls/http1/json".into(),
        content: "text".into(),
        verdict: Verdict::TransportOnly,
        grade: Grade::G3,
        network: dto::Network::Protected,
        provider: dto::Provider::Readable,
        reasons: vec!["e1".into()],
        reason: "planted message text was found".into(),
        not_ruled_out: vec!["other copies".into()],
        next_step: "none needed; or add --control.".into(),
        messages: 2,
        coverage: Coverage {
            seen: 900,
            parsed: 900,
            explained: 700,
            opaque: 100,
            lost: 5,
            ..Default::default()
        },
        weighs: true,
        peers: vec!["192.0.2.9:443".into()],
        why_weighs: "a known message field".into(),
        first: Some("2026-01-02T03:04:05Z".into()),
        ..Default::default()
    };
    let quiet = Conversation { id: "c2".into(), weighs: false, ..talk.clone() };
    let hit = dto::Hit {
        layer: "tls/http1/json".into(),
        chain: vec!["base64".into()],
        party: dto::Party::Provider,
        conversation: Some("c1".into()),
        origin: Some(origin.clone()),
    };
    let planted = dto::Canary { text_digest: "aabbccdd00112233".into(), length: 12, ..Default::default() };
    let measured = |length, bits_per_byte| dto::Randomness {
        conversation: "c1".into(),
        field: "tls/http1/json $.data".into(),
        length,
        bits_per_byte,
        expected: 7.12,
        sd: 0.03,
        ..dto::Randomness::default()
    };
    Report {
        schema: dto::SCHEMA.into(),
        tool: dto::Tool { name: "plainsight".into(), version: "0".into() },
        rules: dto::Rules { digest: "0123".into(), count: 4 },
        inputs: vec![InputFile {
            path: "a.pcap".into(),
            sha256: "5e".repeat(32),
            packets: 12_345,
            bytes: 99_999,
            ..Default::default()
        }],
        keys: vec![dto::KeyFile { path: "keys.log".into(), secrets: 2, used: None }],
        summary: dto::Summary {
            verdict: Verdict::TransportOnly,
            grade: Grade::G3,
            reason: talk.reason.clone(),
            coverage: talk.coverage,
            counted: dto::Counted { weigh: 1, background: 1 },
            ..Default::default()
        },
        apps: vec![dto::App {
            id: "chat".into(),
            name: "Chat".into(),
            conversations: vec!["c1".into()],
            signs: vec!["the server name in clear is chat.example.host (messages)".into()],
            ..Default::default()
        }],
        claims: vec![dto::Claim {
            app: "chat".into(),
            statement: "All messages are end-to-end encrypted.".into(),
            source: "Chat: front page".into(),
            date: "2026-01".into(),
            state: dto::ClaimState::Contradicted,
            why: "messages were readable".into(),
            evidence: vec!["e1".into()],
        }],
        conversations: vec![talk, quiet],
        evidence: vec![Evidence {
            id: "e1".into(),
            conversation: Some("c1".into()),
            statement: "planted text 1 found".into(),
            origin: Some(origin),
            tshark: Some("frame.number == 7".into()),
            ..Default::default()
        }],
        findings: vec![Finding {
            id: "provider-readable-message".into(),
            severity: dto::Severity::High,
            conversation: Some("c1".into()),
            evidence: vec!["e1".into()],
            tshark: Some("frame.number == 7".into()),
            detail: "in one field".into(),
            ..Default::default()
        }],
        canaries: vec![
            dto::Canary { hits: vec![hit], label: Some("lunch".into()), ..planted.clone() },
            planted,
        ],
        exposure: vec![Exposure {
            item: "message text".into(),
            party: "chat.example.host:443".into(),
            state: dto::Learns::Learns,
            evidence: vec!["e1".into()],
        }],
        transport: vec![dto::Transport {
            endpoint: "chat.example.host:443".into(),
            conversations: vec!["c1".into()],
            protocol: "tls".into(),
            version: Some("TLS 1.2".into()),
            forward_secrecy: Some(false),
            certificate: Some(dto::Certificate {
                subject: "CN=chat".into(),
                issuer: "CN=chat".into(),
                problems: vec!["self-signed".into()],
                ..Default::default()
            }),
            weak: vec!["RC4".into()],
            ..Default::default()
        }],
        randomness: vec![measured(239, 5.58), measured(256, 7.11)],
        notes: vec![dto::Note { code: "tls-bad-tag".into(), count: 3, ..Default::default() }],
        ..Default::default()
    }
}

#[test]
fn no_text_becomes_markup_in_html() {
    // The report without the attack shows every element there may be.
    let tags = |page: &str| -> Vec<String> {
        page.split('<')
            .skip(1)
            .map(|t| t.split('>').next().unwrap_or("").split([' ', '"']).next().unwrap_or("").to_owned())
            .collect()
    };
    let (plain, hostile) = (html::render(&full()), html::render(&attack()));
    let lower = hostile.to_lowercase();
    assert!(!lower.contains("<script") && !lower.contains("<img") && !lower.contains(" onload=\""), "markup");
    assert!(hostile.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!hostile.chars().any(|c| invisible(c) && c != '\n'));
    let known = tags(&plain);
    assert!(tags(&hostile).iter().all(|t| known.contains(t)));
    for tag in ["html", "body", "main", "table", "section", "article", "details", "figure", "svg", "ul", "dl"]
    {
        let count = |what: String| hostile.matches(&what).count();
        let opened = count(format!("<{tag}>")) + count(format!("<{tag} "));
        assert_eq!(opened, count(format!("</{tag}>")), "{tag}");
    }
}

#[test]
fn html_stands_alone() {
    for report in [Report::default(), full(), sample()] {
        let page = html::render(&report);
        assert!(
            !page.contains("<script") && !page.contains("<link") && !page.contains("url("),
            "loads something"
        );
        assert!(!page.contains(" src=") && !page.contains("@import") && !page.contains("href=\"http"));
        assert!(page.contains("<main") && page.contains("<h1>") && page.contains("lang=\"en\""));
        assert_eq!(page, html::render(&report), "not the same twice");
    }
}

#[test]
fn no_text_becomes_markup_in_markdown() {
    let text = markdown::render(&attack());
    // Inside code ticks nothing has a meaning but a tick, and ticks are replaced there.
    let prose: String = text.lines().flat_map(|l| l.split('`').step_by(2)).collect::<Vec<_>>().join("\n");
    for bad in ["<script", "<img", "](javascript", "www.evil", "http://evil"] {
        assert!(!prose.contains(bad), "{bad}");
    }
    let mut columns = None;
    for line in text.lines() {
        let bars = line.replace("\\|", "").matches('|').count();
        match (line.starts_with('|'), columns) {
            (true, None) => columns = Some(bars),
            (true, Some(n)) => assert_eq!(bars, n, "{line}"),
            (false, _) => columns = None,
        }
    }
}

#[test]
fn a_text_not_found_without_a_control_is_not_good_news() {
    let mut report = full();
    assert!(!html::render(&report).contains("<td class=\"no\">not found"));
    let found = std::mem::take(&mut report.canaries[0].hits);
    assert!(render(&report, 100, Colour::Off, Detail::Brief).contains("proves nothing"));
    report.canaries.push(dto::Canary { kind: dto::CanaryKind::Control, hits: found, ..Default::default() });
    assert!(html::render(&report).contains("<td class=\"no\">not found"));
    assert!(render(&report, 100, Colour::Off, Detail::Brief).contains("the search works"));
}

#[test]
fn an_open_way_is_not_called_protected() {
    use plainsight::peel::Guard;
    let words = |guard| {
        let evidence = Evidence { id: "e1".into(), guard: Some(guard), ..Default::default() };
        let talk = Conversation {
            reasons: vec!["e1".into()],
            verdict: Verdict::E2ee,
            network: dto::Network::Protected,
            provider: dto::Provider::Sealed,
            weighs: true,
            ..Default::default()
        };
        let mut r = Report { conversations: vec![talk], evidence: vec![evidence], ..Default::default() };
        r.summary.network = dto::Network::Protected;
        render(&r, 100, Colour::Off, Detail::Brief) + &markdown::render(&r) + &html::render(&r)
    };
    let (open, closed) = (words(Guard::Open), words(Guard::Confidential));
    assert!(!open.contains("protected on the path") && open.matches("the way is open").count() == 5);
    assert!(!open.contains("cannot read") && closed.contains("cannot read"));
    assert!(closed.contains("protected on the path") && !closed.contains("the way is open"));
}

#[test]
fn renderings_are_as_approved() {
    insta::assert_snapshot!("full-html", html::render(&full()).split("</style>").nth(1).unwrap_or(""));
    insta::assert_snapshot!("full-markdown", markdown::render(&full()));
    insta::assert_snapshot!("full-terminal-80", render(&full(), 80, Colour::Off, Detail::Brief));
    insta::assert_snapshot!("full-terminal-200", render(&full(), 200, Colour::Off, Detail::Brief));
    insta::assert_snapshot!("empty-markdown", markdown::render(&Report::default()));
    insta::assert_snapshot!("empty-terminal-80", render(&Report::default(), 80, Colour::Off, Detail::Brief));
}
