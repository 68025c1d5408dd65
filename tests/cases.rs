//! Walks `captures/`: every folder with a `case.toml` is a recording with its truth. Adding a case needs
//! no code. Each case is audited with its keys and planted texts, once more without keys, and once more
//! with another number of threads, which must not change a byte of the report.

#[path = "cases/case.rs"]
mod case;

use case::{Case, cases};
use plainsight::audit::{Audit, Plan, Rejudged, rejudge, run};
use plainsight::report::dto::Report;
use plainsight::report::json;
use plainsight::verdict::Verdict;

/// How it is audited with all that is known of it, or with nothing but the recording.
fn plan(case: &Case, known: bool) -> Plan {
    let plan = case.plan(known);
    if known { plan } else { Plan { canaries: Vec::new(), ..plan } }
}

fn check(case: &Case, wrong: &mut Vec<String>) {
    let name = case.name();
    let audit = run(&plan(case, true), &|_| {}).unwrap_or_else(|e| panic!("{name}: {e}"));
    if !case.expect.verdict.contains(&audit.summary.verdict) {
        wrong.push(format!("{name}: {:?}, expected {:?}", audit.summary.verdict, case.expect.verdict));
    }
    for wanted in &case.expect.conversations_with {
        if !audit.judgements.iter().any(|j| j.verdict == *wanted) {
            wrong.push(format!("{name}: no conversation is {wanted:?}"));
        }
    }
    // Judges see evidence alone: what is saved and read back judges to the same.
    let saved = serde_json::to_string(&audit.drafts).expect("drafts are saved");
    let read: Vec<plainsight::evidence::Draft> = serde_json::from_str(&saved).expect("drafts are read back");
    let again = plainsight::audit::judged(&read, &audit.canaries);
    let findings = plainsight::verdict::findings(&read, &again);
    if (&read, &again, &findings) != (&audit.drafts, &audit.judgements, &audit.findings) {
        wrong.push(format!("{name}: saved evidence judges to something else"));
    }
    saved_report(&name, &audit, wrong);
    let found = |id: &String| audit.findings.iter().any(|f| f.id == *id);
    for alternatives in &case.expect.findings {
        if !alternatives.iter().any(found) {
            wrong.push(format!("{name}: none of the findings {alternatives:?}"));
        }
    }
    for id in case.expect.findings_forbidden.iter().filter(|id| found(id)) {
        wrong.push(format!("{name}: finding {id} is forbidden"));
    }
    let blind = run(&plan(case, false), &|_| {}).unwrap_or_else(|e| panic!("{name}: {e}"));
    if let Some(accepted) = case.expect.verdict_without_keys.as_ref().filter(|_| case.keylog.is_some())
        && !accepted.contains(&blind.summary.verdict)
    {
        wrong.push(format!("{name}: {:?} without keys, expected {accepted:?}", blind.summary.verdict));
    }
    let claims = |a: &plainsight::audit::Audit| a.judgements.iter().any(|j| j.verdict == Verdict::E2ee);
    if !case.expect.e2ee_allowed && (claims(&audit) || claims(&blind)) {
        wrong.push(format!("{name}: OVER-CLAIM of e2ee"));
    }
    // What keys open may speak against a claim; without them nothing may be claimed that they refute.
    let (known, unknown) = (&audit.summary, &blind.summary);
    if unknown.verdict == Verdict::E2ee && (known.verdict, known.grade) < (Verdict::E2ee, unknown.grade) {
        wrong.push(format!("{name}: {unknown:?} without keys is stronger than {known:?} with them"));
    }
    let three = Plan { threads: 3, ..plan(case, true) };
    let threaded = run(&three, &|_| {}).unwrap_or_else(|e| panic!("{name}: {e}"));
    if (&audit.drafts, &audit.judgements) != (&threaded.drafts, &threaded.judgements) {
        wrong.push(format!("{name}: three threads report something else than one"));
    }
}

/// A report that was saved and read back judges to the same by the evidence in it; with a verdict changed,
/// or without the evidence that a verdict rests on, it is told as changed.
fn saved_report(name: &str, audit: &Audit, wrong: &mut Vec<String>) {
    let saved = json::render(&audit.report());
    let read = || Report::read(saved.as_bytes()).expect("a report is read back");
    let mut report = read();
    let again = rejudge(&mut report);
    if again != Rejudged::Same || report.conversations != read().conversations {
        wrong.push(format!("{name}: the saved report judges to something else: {again:?}"));
    }
    if json::render(&report) != saved {
        wrong.push(format!("{name}: the saved report is written otherwise when it was read back"));
    }
    let claimed = |report: &mut Report| {
        use plainsight::report::dto::{Grade, Provider, Verdict};
        let stronger = |c: &&mut plainsight::report::dto::Conversation| c.verdict != Verdict::E2ee;
        let Some(c) = report.conversations.iter_mut().find(stronger) else { return false };
        (c.verdict, c.grade, c.provider) = (Verdict::E2ee, Grade::G3, Provider::Sealed);
        true
    };
    let mut report = read();
    if claimed(&mut report) {
        let told = rejudge(&mut report);
        let accused = report.findings.iter().any(|f| f.id == "altered-report");
        if !matches!(told, Rejudged::Different(_)) || !accused || report.conversations != read().conversations
        {
            wrong.push(format!("{name}: a changed verdict is not told: {told:?}"));
        }
    }
    let mut report = read();
    let weighty = report
        .conversations
        .iter()
        .find(|c| c.weighs && !c.reasons.is_empty() && c.grade >= plainsight::report::dto::Grade::G2);
    if let Some(id) = weighty.map(|c| c.id.clone()) {
        report.evidence.retain(|e| e.conversation.as_deref() != Some(id.as_str()));
        if !matches!(rejudge(&mut report), Rejudged::Different(_)) {
            wrong.push(format!("{name}: a verdict without its evidence is not told"));
        }
    }
}

#[test]
fn every_case_is_judged_as_its_truth_says() {
    let mut wrong = Vec::new();
    for case in cases() {
        check(&case, &mut wrong);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Layers of datagrams stand below the flow's own node, which only sees that each datagram was claimed.
#[test]
fn ciphertext_in_datagrams_counts_as_sealed() {
    for name in ["dtls12-ecdhe-aes128gcm", "quic-h3-plain", "voip-dtls-srtp"] {
        let case = Case::named(name);
        let sealed = |keys: bool| -> u64 {
            let audit = run(&plan(&case, keys), &|_| {}).expect("audited");
            audit.drafts.iter().map(|d| d.coverage.sealed).sum()
        };
        let (closed, opened) = (sealed(false), sealed(true));
        assert!(closed > opened, "{name}: {closed} bytes without keys, {opened} with them");
    }
}

/// A token that is sealed to a server (a JWE as session token) is no message between people.
#[test]
fn a_sealed_token_is_never_a_message() {
    use plainsight::capture::{LinkType, PcapngWriter};
    use plainsight::model::Timestamp;
    let part = |n: usize, seed: u8| -> String {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut state = 0x9e37_79b9u32 ^ u32::from(seed);
        let next = |s: &mut u32| {
            *s = s.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            alphabet[(*s >> 26) as usize] as char
        };
        // The last character's spare bits are zero, as a strict reader wants them.
        (1..n).map(|_| next(&mut state)).chain(['A']).collect()
    };
    // {"alg":"RSA-OAEP","enc":"A256GCM"}
    let header = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ";
    let token = |i: u8| {
        format!("{header}.{}.{}.{}.{}", part(342, i), part(16, i + 1), part(200, i + 2), part(22, i + 3))
    };
    let mut bytes = Vec::new();
    let mut writer = PcapngWriter::new(&mut bytes, "test").expect("written");
    let interface = writer.interface(LinkType(101), 0, "test").expect("written");
    let mut seq = 1u32;
    for i in 0..4u8 {
        let body = format!("{{\"session_token\":\"{}\"}}", token(i * 8));
        let text = format!(
            "POST /t HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet.extend([0xc3, 0x50, 0, 80]);
        packet.extend(seq.to_be_bytes());
        packet.extend([0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend(text.as_bytes());
        let len = (packet.len() as u16).to_be_bytes();
        packet[2..4].copy_from_slice(&len);
        seq += text.len() as u32;
        writer
            .frame(interface, Timestamp::new(i64::from(i), 0), &packet, packet.len() as u32)
            .expect("written");
    }
    drop(writer);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens.pcapng");
    std::fs::write(&file, &bytes).expect("written");
    let plan = Plan { captures: vec![file], ..Plan::default() };
    let audit = run(&plan, &|_| {}).expect("audited");
    assert!(audit.totals.packets == 4 && !audit.judgements.is_empty());
    assert!(audit.judgements.iter().all(|j| j.verdict != Verdict::E2ee), "{:#?}", audit.judgements);
}
