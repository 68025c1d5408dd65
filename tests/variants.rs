//! Envelopes built here, with other keys, counters and sizes each time: every variant is recognised, and what
//! comes near and breaks one rule of the format is not; a ciphertext that is none is told as such. Builders
//! and recognisers share one reading of the formats, so this shows that rules hold, not that they are right:
//! `tests/envelopes` has the bytes of real libraries.

#[path = "variants/builders.rs"]
mod builders;
#[path = "../benches/made.rs"]
mod made;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use builders::{FORMATS, Random, Wrong, cms, jwe, signal_of};
use made::{ACK, Made, Path, SYN};
use plainsight::audit::{self, Audit, Plan};
use plainsight::evidence::Content;
use plainsight::layers::envelope::{Class, Envelope, explain_deep, recognise_binary, recognise_text};
use plainsight::model::Value;
use plainsight::verdict::Verdict;
use std::net::Ipv4Addr;

const VARIANTS: usize = 60;

fn recognised(bytes: &[u8]) -> Option<Envelope> {
    match std::str::from_utf8(bytes) {
        Ok(text) => recognise_text(text),
        Err(_) => recognise_binary(bytes),
    }
}

#[test]
fn every_variant_is_recognised_bare_and_encoded() {
    let mut r = Random(0x1dea);
    for (format, build) in FORMATS {
        for n in 0..VARIANTS {
            let made = build(&mut r, Wrong::Nothing);
            let found = recognised(&made).unwrap_or_else(|| panic!("{format} {n}: {made:02x?}"));
            assert_eq!((found.format, found.class), (format, Class::E2eeMessage), "{n}");
            let (deep, _) = explain_deep(STANDARD.encode(&made).as_bytes()).expect("in base64");
            assert_eq!((deep.format, deep.class), (format, Class::E2eeMessage), "{n}");
        }
    }
}

#[test]
fn one_broken_rule_is_enough_not_to_be_recognised() {
    let mut r = Random(0xbad1dea);
    for (format, build) in FORMATS {
        for wrong in [Wrong::Key, Wrong::Length, Wrong::Missing] {
            for n in 0..VARIANTS {
                let made = build(&mut r, wrong);
                let found = recognised(&made).filter(|e| e.class.claim() > 1);
                assert!(found.is_none(), "{format} {wrong:?} {n}: {found:?}");
            }
        }
    }
}

#[test]
fn a_byte_less_or_more_is_not_the_format() {
    let mut r = Random(0xc07);
    // Text forms end where their line ends, and base64 hides a byte in its padding.
    for (format, build) in FORMATS.into_iter().filter(|(f, _)| !matches!(*f, "jwe" | "nostr-nip44")) {
        for _ in 0..VARIANTS {
            let made = build(&mut r, Wrong::Nothing);
            let longer = [&made[..], &r.bytes(1)].concat();
            for near in [&made[..made.len() - 1], &made[1..], &longer] {
                let found = recognised(near).filter(|e| e.class.claim() > 1);
                assert!(found.is_none(), "{format}: {found:?}");
            }
        }
    }
}

#[test]
fn a_ciphertext_that_is_text_is_called_broken() {
    let mut r = Random(0x7e87);
    for (format, build) in FORMATS {
        let made = build(&mut r, Wrong::Text);
        let found = recognised(&made).unwrap_or_else(|| panic!("{format}"));
        assert_eq!(found.class, Class::Broken, "{format}");
        assert!(found.why.is_some_and(|w| w.contains("text")), "{format}: {:?}", found.why);
    }
}

#[test]
fn rsa_with_the_old_padding_is_told_from_the_new() {
    let mut r = Random(0x15);
    let old =
        |e: Envelope| e.fact_named("key_transport").is_some_and(|v| *v == Value::from("RSAES-PKCS1-v1_5"));
    for (made, is_old) in [
        (jwe(&mut r, "RSA1_5", Wrong::Nothing), true),
        (jwe(&mut r, "RSA-OAEP", Wrong::Nothing), false),
        (cms(&mut r, 1, Wrong::Nothing), true),
        (cms(&mut r, 7, Wrong::Nothing), false),
    ] {
        assert_eq!(recognised(&made).map(old), Some(is_old));
    }
}

/// Envelopes posted to one service, audited.
fn audited(envelopes: &[Vec<u8>]) -> Audit {
    let mut made = Made::default();
    for (n, envelope) in envelopes.iter().enumerate() {
        let way = Path {
            from: (Ipv4Addr::new(10, 0, 0, 7), 20_000 + n as u16),
            to: (Ipv4Addr::new(192, 168, 3, 4), 80),
        };
        let text = match std::str::from_utf8(envelope) {
            Ok(text) => text.to_owned(),
            Err(_) => STANDARD.encode(envelope),
        };
        let body = format!("{{\"ciphertext\":\"{text}\"}}");
        let request = format!(
            "POST /send HTTP/1.1\r\nHost: chat.example\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        made.tcp(way, 100, 0, SYN, &[]);
        made.tcp(way.back(), 900, 101, SYN | ACK, &[]);
        made.tcp(way, 101, 901, ACK, request.as_bytes());
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), made.bytes()).expect("written");
    let plan = Plan { captures: vec![file.path().to_owned()], threads: 2, ..Plan::default() };
    audit::run(&plan, &|_| ()).expect("read")
}

fn judged(audit: &Audit) -> (Verdict, Vec<&str>) {
    let all = audit.drafts.iter().zip(&audit.judgements);
    let mut sealed = all.filter(|(d, _)| matches!(d.key.content, Content::Envelope(_)));
    let (_, judgement) = sealed.next().expect("envelopes");
    let known = ["static-nonce", "repeated-message-key", "static-ratchet", "weak-key-transport"];
    let ids = audit.findings.iter().map(|f| f.id.as_str()).filter(|id| known.contains(id)).collect();
    (judgement.verdict, ids)
}

#[test]
fn messages_under_one_key_or_nonce_lose_their_claim() {
    let mut r = Random(0x5e9);
    let key = r.key(&[5]);
    let mut message = |counter: u64| {
        let ciphertext = r.blocks();
        signal_of(&mut r, 0x33, (key.clone(), counter, 0), ciphertext, Wrong::Nothing)
    };
    let (one, two, twice) = (message(4), message(5), message(4));
    assert_eq!(judged(&audited(&[one.clone(), two.clone()])), (Verdict::E2ee, vec![]));
    assert_eq!(
        judged(&audited(&[one.clone(), two, twice])),
        (Verdict::Undetermined, vec!["repeated-message-key"])
    );
    // The same message sent again is no second message.
    assert_eq!(judged(&audited(&[one.clone(), one])), (Verdict::E2ee, vec![]));

    let token = String::from_utf8(jwe(&mut r, "RSA-OAEP", Wrong::Nothing)).expect("text");
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts[3] = URL_SAFE_NO_PAD.encode(r.bytes(70));
    let again = parts.join(".").into_bytes();
    assert_eq!(judged(&audited(&[token.into_bytes(), again])), (Verdict::Undetermined, vec!["static-nonce"]));
}

#[test]
fn the_old_padding_is_a_finding_and_takes_no_claim_away() {
    let mut r = Random(0x0ae9);
    let old = [jwe(&mut r, "RSA1_5", Wrong::Nothing), jwe(&mut r, "RSA1_5", Wrong::Nothing)];
    assert_eq!(judged(&audited(&old)), (Verdict::E2ee, vec!["weak-key-transport"]));
    let new = [jwe(&mut r, "RSA-OAEP", Wrong::Nothing), jwe(&mut r, "RSA-OAEP", Wrong::Nothing)];
    assert_eq!(judged(&audited(&new)), (Verdict::E2ee, vec![]));
}
