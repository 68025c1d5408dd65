//! The text of a message met again elsewhere, without planted texts: from frames to findings. A copy is
//! named with both its places, never makes anything better, and does not depend on the number of threads.

#[path = "../benches/made.rs"]
mod made;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use made::{ACK, Made, Path, SYN};
use plainsight::audit::{self, Audit, Plan};
use plainsight::evidence::{Content, Kind};
use plainsight::verdict::{Grade, Verdict};
use std::net::Ipv4Addr;

const TEXT: &str = "we meet under the old bridge at nine";

fn post(made: &mut Made, n: u32, host: &str, path: &str, body: &str) {
    let way = Path {
        from: (Ipv4Addr::new(10, 0, 0, 7), 20_000 + n as u16),
        to: (Ipv4Addr::from_bits(0xc0a8_0000 + n), 80),
    };
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    made.tcp(way, 100, 0, SYN, &[]);
    made.tcp(way.back(), 900, 101, SYN | ACK, &[]);
    made.tcp(way, 101, 901, ACK, request.as_bytes());
    made.tcp(
        way.back(),
        901,
        101 + request.len() as u32,
        ACK,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
}

fn audited(made: &Made, threads: usize) -> Audit {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), made.bytes()).expect("written");
    let plan = Plan { captures: vec![file.path().to_owned()], threads, ..Plan::default() };
    let mut audit = audit::run(&plan, &|_| ()).expect("read");
    audit.inputs.clear();
    audit
}

/// What was met again, and at which service.
fn copies(audit: &Audit) -> Vec<(String, String)> {
    let mut all: Vec<_> = audit
        .drafts
        .iter()
        .flat_map(|d| &d.evidence)
        .filter_map(|e| match &e.kind {
            Kind::Copy { of, said_at, seen_at, service } => {
                assert!(said_at.contains("$.") && seen_at.contains("frame"), "{said_at} {seen_at}");
                Some((of.clone(), service.clone()))
            }
            _ => None,
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

fn found(audit: &Audit, id: &str) -> bool {
    audit.findings.iter().any(|f| f.id == id)
}

#[test]
fn a_message_in_an_analytics_event_is_found_with_both_places() {
    let mut made = Made::default();
    post(&mut made, 1, "chat.example", "/send", &format!("{{\"body\":\"{TEXT}\"}}"));
    let alone = audited(&made, 1);
    assert!(copies(&alone).is_empty() && !found(&alone, "content-copy"));
    post(
        &mut made,
        2,
        "events.tracker.test",
        "/v1/e",
        &format!("{{\"event\":\"tap\",\"title\":\"{TEXT}\"}}"),
    );
    let both = audited(&made, 1);
    assert_eq!(copies(&both), [("text".to_owned(), "events.tracker.test:80".to_owned())]);
    assert!(found(&both, "content-copy"));
    let learns = |party: &str| both.exposures.iter().any(|e| e.item == "message-text" && e.party == party);
    assert!(learns("chat.example:80") && learns("events.tracker.test:80"));
    assert!(both.summary.verdict <= alone.summary.verdict);
    for threads in [2, 3, 8] {
        let again = audited(&made, threads);
        assert_eq!(again.drafts, both.drafts, "{threads} threads");
        assert_eq!(again.findings, both.findings, "{threads} threads");
    }
}

#[test]
fn a_hash_of_the_text_is_a_copy_and_another_hash_is_none() {
    use sha2::{Digest, Sha256};
    let body = |text: &str| {
        let hex: String = Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
        format!("{{\"event\":\"sent\",\"digest\":\"{hex}\"}}")
    };
    for (text, copied) in [(TEXT, true), ("another text of six or so words", false)] {
        let mut made = Made::default();
        post(&mut made, 1, "chat.example", "/send", &format!("{{\"body\":\"{TEXT}\"}}"));
        post(&mut made, 2, "abuse.tracker.test", "/check", &body(text));
        let audit = audited(&made, 1);
        let expected = [("SHA-256 of the text".to_owned(), "abuse.tracker.test:80".to_owned())];
        assert_eq!(copies(&audit), if copied { &expected[..] } else { &[] }, "{text}");
    }
}

fn envelope() -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/envelopes/signal_prekey_v3.bin");
    STANDARD.encode(std::fs::read(file).expect("an envelope"))
}

/// The conversation of envelopes.
fn sealed(audit: &Audit) -> (Verdict, Grade) {
    let all = audit.drafts.iter().zip(&audit.judgements);
    let mut sealed = all.filter(|(d, _)| matches!(d.key.content, Content::Envelope(_)));
    let (_, j) = sealed.next().expect("envelopes");
    (j.verdict, j.grade)
}

#[test]
fn a_readable_text_in_the_same_item_takes_the_claim_away_and_in_another_does_not() {
    let sealed_with = |body: &str| {
        let mut made = Made::default();
        post(&mut made, 1, "chat.example", "/send", &body.replace("ENVELOPE", &envelope()));
        let audit = audited(&made, 1);
        (sealed(&audit), audit.summary.verdict)
    };
    let alone = sealed_with("{\"messages\":[{\"ciphertext\":\"ENVELOPE\"}]}");
    assert_eq!(alone.0, (Verdict::E2ee, Grade::G2));
    let beside = format!("{{\"messages\":[{{\"ciphertext\":\"ENVELOPE\",\"body\":\"{TEXT}\"}}]}}");
    assert_eq!(sealed_with(&beside), ((Verdict::Undetermined, Grade::G1), Verdict::Plaintext));
    let around = format!("{{\"body\":\"{TEXT}\",\"messages\":[{{\"ciphertext\":\"ENVELOPE\"}}]}}");
    assert_eq!(sealed_with(&around).0, (Verdict::Undetermined, Grade::G1));
    // Another message of the list is another message, and the whole is as weak as its weakest.
    let other = format!("{{\"messages\":[{{\"ciphertext\":\"ENVELOPE\"}},{{\"body\":\"{TEXT}\"}}]}}");
    assert_eq!(sealed_with(&other), ((Verdict::E2ee, Grade::G2), Verdict::Plaintext));
}

/// Neither labels before a text nor many envelopes push what stands beside them out of sight.
#[test]
fn no_bound_hides_what_stands_beside_sealed_messages() {
    let judged = |fields: &str, repeat: usize| {
        let mut made = Made::default();
        for (at, text) in ["meet me", "do not", "the doctor"].iter().enumerate() {
            let items: Vec<String> = (0..repeat)
                .map(|i| {
                    format!(
                        "\"f{}\":{{\"ciphertext\":\"{}\"}}",
                        char::from(b'a' + (i / 26) as u8).to_string()
                            + &char::from(b'a' + (i % 26) as u8).to_string(),
                        envelope()
                    )
                })
                .collect();
            let body = format!("{{{},{fields}\"x\":\"{text}\"}}", items.join(","));
            post(&mut made, 1 + at as u32, "chat.example", "/send", &body);
        }
        sealed(&audited(&made, 3)).0
    };
    let labels: String =
        (b'a'..=b'z').map(|c| format!("\"{0}{0}\":\"a label here\",", char::from(c))).collect();
    assert_eq!(judged("", 1), Verdict::Undetermined);
    assert_eq!(judged(&labels, 1), Verdict::Undetermined);
    assert_eq!(judged("", 80), Verdict::Undetermined);
}

/// A program's own words are no message, and different ones may be what its user wrote.
#[test]
fn what_an_app_logs_beside_sealed_messages_takes_their_claim_away_if_it_differs() {
    let logged = |texts: [&str; 2]| {
        let mut made = Made::default();
        post(&mut made, 1, "chat.example", "/send", &format!("{{\"ciphertext\":\"{}\"}}", envelope()));
        for (at, text) in texts.iter().enumerate() {
            let body = format!("{{\"type\":\"log\",\"message\":\"{text}\"}}");
            post(&mut made, 2 + at as u32, "chat.example", "/log", &body);
        }
        let audit = audited(&made, 3);
        assert!(!found(&audit, "plaintext-message"));
        sealed(&audit).0
    };
    let (one, other) = ("see you at the old bridge at noon", "do not tell anybody about the party");
    assert_eq!(logged([one, one]), Verdict::E2ee);
    assert_eq!(logged([one, other]), Verdict::Undetermined);
}

#[test]
fn whether_something_is_encrypted_is_no_message() {
    for truth in ["true", "false", "null"] {
        let mut made = Made::default();
        let body = format!("{{\"encrypted\":{truth},\"ciphertext\":\"{}\"}}", envelope());
        post(&mut made, 1, "chat.example", "/send", &body);
        let audit = audited(&made, 1);
        assert_eq!(sealed(&audit).0, Verdict::E2ee, "{truth}");
        assert_eq!(audit.summary.verdict, Verdict::E2ee, "{truth}");
        assert!(!found(&audit, "plaintext-message"), "{truth}");
    }
}

#[test]
fn a_message_met_at_a_sealed_service_takes_its_claim_away() {
    let mut made = Made::default();
    let body = format!("{{\"messages\":[{{\"ciphertext\":\"{}\"}}]}}", envelope());
    post(&mut made, 1, "sealed.example", "/send", &body);
    let before = audited(&made, 1);
    assert_eq!(sealed(&before).0, Verdict::E2ee);
    post(&mut made, 2, "notes.other", "/send", &format!("{{\"body\":\"{TEXT}\"}}"));
    post(&mut made, 3, "sealed.example", "/index", &format!("{{\"terms\":\"{TEXT}\"}}"));
    let after = audited(&made, 1);
    assert_eq!(sealed(&after), (Verdict::Undetermined, Grade::G1));
    assert!(found(&after, "content-copy"));
}

/// An upload in segments, of which one may be missing from the recording.
fn upload(made: &mut Made, n: u32, host: &str, body: &[u8], missing: Option<usize>) {
    let way = Path {
        from: (Ipv4Addr::new(10, 0, 0, 7), 20_000 + n as u16),
        to: (Ipv4Addr::from_bits(0xc0a8_0000 + n), 80),
    };
    let head = format!(
        "POST /media HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/png\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), body].concat();
    made.tcp(way, 100, 0, SYN, &[]);
    made.tcp(way.back(), 900, 101, SYN | ACK, &[]);
    for (i, part) in request.chunks(1400).enumerate() {
        if missing != Some(i) {
            made.tcp(way, 101 + 1400 * i as u32, 901, ACK, part);
        }
    }
    let ack = 101 + request.len() as u32;
    made.tcp(way.back(), 901, ack, ACK, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

/// A photo that is longer than what is kept of it, and its SHA-256.
fn photo() -> (Vec<u8>, String) {
    use sha2::{Digest, Sha256};
    let noise = (0..90_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
    let photo: Vec<u8> = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".iter().copied().chain(noise).collect();
    let hex = Sha256::digest(&photo).iter().map(|b| format!("{b:02x}")).collect();
    (photo, hex)
}

#[test]
fn what_a_long_file_was_fed_is_listed_whole() {
    let (photo, hex) = photo();
    let mut made = Made::default();
    upload(&mut made, 1, "media.chat.example", &photo, None);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), made.bytes()).expect("written");
    let plan = Plan { captures: vec![file.path().to_owned()], ..Plan::default() };
    let mut out = Vec::new();
    audit::peel(&plan, audit::Listing::Json, &mut out).expect("listed");
    let lines = String::from_utf8(out).expect("UTF-8");
    let whole = lines.lines().filter(|l| l.contains("\"bytes\"") && l.contains(&hex)).count();
    assert_eq!(whole, 1, "{lines}");
}

#[test]
fn the_hash_of_a_photo_larger_than_what_is_kept_is_met_again_if_all_of_it_was_recorded() {
    let (photo, hex) = photo();
    let met = |missing: Option<usize>, digest: &str| -> Vec<(String, String)> {
        let mut made = Made::default();
        post(&mut made, 1, "chat.example", "/send", &format!("{{\"body\":\"{TEXT}\"}}"));
        upload(&mut made, 2, "media.chat.example", &photo, missing);
        post(&mut made, 3, "match.scanner.test", "/v1", &format!("{{\"digest\":\"{digest}\"}}"));
        let audit = audited(&made, 1);
        let evidence = audit.drafts.iter().flat_map(|d| &d.evidence);
        let copies = evidence.filter_map(|e| match &e.kind {
            Kind::Copy { of, service, .. } => Some((of.clone(), service.clone())),
            _ => None,
        });
        std::collections::BTreeSet::from_iter(copies).into_iter().collect()
    };
    let expected = [("SHA-256 of the attachment".to_owned(), "match.scanner.test:80".to_owned())];
    assert_eq!(met(None, &hex), expected);
    assert_eq!(met(Some(40), &hex), []);
    assert_eq!(met(None, &hex.replace('a', "b")), []);
}
