//! Renderers on made reports: width, hostile text, reading back.

use plainsight::report::dto::{
    self, Conversation, Coverage, Evidence, Exposure, Finding, Grade, InputFile, Report, Verdict,
};
use plainsight::report::lines::{Colour, invisible};
use plainsight::report::{json, terminal::render};
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
        let text = render(&sample(), width, Colour::Off);
        for line in text.lines() {
            assert!(line.width() <= width, "{width}: {} {line}", line.width());
            assert!(!line.chars().any(invisible), "{line:?}");
        }
    }
}

#[test]
fn an_empty_report_says_so() {
    let text = render(&Report::default(), 80, Colour::Off);
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
