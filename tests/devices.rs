//! Recipients of messages against the lists of devices that a service gave out: from frames to the finding.
//! One device too many is told, and nothing is told where no list of the account was seen.

#[path = "../benches/made.rs"]
mod made;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use made::{Made, Path};
use plainsight::audit::{self, Audit, Plan};
use plainsight::evidence::Content;
use plainsight::verdict::{Confidence, Verdict};
use std::net::Ipv4Addr;

fn envelope(file: &str) -> String {
    let path = format!("{}/tests/envelopes/{file}", env!("CARGO_MANIFEST_DIR"));
    STANDARD.encode(std::fs::read(path).expect("an envelope"))
}

fn audited(turns: &[String]) -> Audit {
    let mut made = Made::default();
    let way = Path { from: (Ipv4Addr::new(10, 0, 0, 7), 20_001), to: (Ipv4Addr::new(192, 168, 3, 4), 80) };
    let turns: Vec<&[u8]> = turns.iter().map(|t| t.as_bytes()).collect();
    made.connection(way, &turns);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), made.bytes()).expect("written");
    let plan = Plan { captures: vec![file.path().to_owned()], threads: 2, ..Plan::default() };
    audit::run(&plan, &|_| ()).expect("read")
}

/// How sure the finding is, if there is one. It takes no claim away and leaves a doubt.
fn ghost(audit: &Audit) -> Option<Confidence> {
    let all = audit.drafts.iter().zip(&audit.judgements);
    let mut sealed = all.filter(|(d, _)| matches!(d.key.content, Content::Envelope(_)));
    let (_, judgement) = sealed.next().expect("envelopes");
    assert_eq!(judgement.verdict, Verdict::E2ee, "{judgement:?}");
    let found = audit.findings.iter().find(|f| f.id == "ghost-recipient").map(|f| f.confidence);
    let doubted = judgement.not_ruled_out.iter().any(|d| d.contains("no device list"));
    assert_eq!(doubted, found.is_some(), "{:?}", judgement.not_ruled_out);
    found
}

fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: chat.example\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn answer(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_device_that_the_answered_list_does_not_name_is_told() {
    let content = envelope("signal_prekey_v3.bin");
    let with = |asked: &str, listed: &[u32], addressed: &[u32]| {
        let devices: Vec<String> =
            listed.iter().map(|d| format!("{{\"deviceId\":{d},\"registrationId\":7}}")).collect();
        let messages: Vec<String> = addressed
            .iter()
            .map(|d| format!("{{\"type\":3,\"destinationDeviceId\":{d},\"content\":\"{content}\"}}"))
            .collect();
        ghost(&audited(&[
            request("GET", &format!("/v2/keys/8f4e/{asked}"), ""),
            answer(&format!("{{\"identityKey\":\"BQ\",\"devices\":[{}]}}", devices.join(","))),
            request("PUT", "/v1/messages/8f4e", &format!("{{\"messages\":[{}]}}", messages.join(","))),
            answer("{\"needsSync\":false}"),
        ]))
    };
    assert_eq!(with("*", &[1, 2], &[1, 2]), None);
    assert_eq!(with("*", &[1, 2], &[1]), None);
    assert_eq!(with("*", &[1, 2], &[1, 2, 3]), Some(Confidence::Medium));
    // One device's keys are no list of all.
    assert_eq!(with("1", &[1], &[1, 3]), None);
}

#[test]
fn a_matrix_device_or_key_that_no_query_named_is_told() {
    const KEY: &str = "b2HWTih5TiCg2hnqQRE1CxQIgjsk0iy63D+bw2hOKhE";
    const OTHER: &str = "Teyi5xUP5Gb5A+QxtJXn6xHhuI+NrycSmr9nADl0KW8";
    let body = envelope("olm_prekey.bin").trim_end_matches('=').to_owned();
    let with = |user: &str, device: &str, key: &str| {
        let listed = format!(
            "{{\"device_keys\":{{\"{user}\":{{\"PHONE\":{{\"device_id\":\"PHONE\",\"user_id\":\"{user}\",\"algorithms\":[\"m.olm.v1.curve25519-aes-sha2\"],\"keys\":{{\"curve25519:PHONE\":\"{KEY}\"}}}}}}}}}}"
        );
        let message = format!(
            "{{\"algorithm\":\"m.olm.v1.curve25519-aes-sha2\",\"sender_key\":\"{OTHER}\",\"ciphertext\":{{\"{key}\":{{\"type\":0,\"body\":\"{body}\"}}}}}}"
        );
        let to = "/_matrix/client/v3/sendToDevice/m.room.encrypted/1";
        ghost(&audited(&[
            request("POST", "/_matrix/client/v3/keys/query", "{\"device_keys\":{}}"),
            answer(&listed),
            request(
                "PUT",
                to,
                &format!("{{\"messages\":{{\"@ann:b.example\":{{\"{device}\":{message}}}}}}}"),
            ),
            answer("{}"),
        ]))
    };
    assert_eq!(with("@ann:b.example", "PHONE", KEY), None);
    assert_eq!(with("@ann:b.example", "GHOST", KEY), Some(Confidence::Medium));
    // Another key under the device's name reads along as well.
    assert_eq!(with("@ann:b.example", "PHONE", OTHER), Some(Confidence::Medium));
    assert_eq!(with("@ben:b.example", "GHOST", KEY), None);
}

#[test]
fn an_omemo_recipient_that_neither_end_lists_is_told_with_less_certainty() {
    let key = envelope("signal_prekey_v3.bin");
    let ns = "eu.siacs.conversations.axolotl";
    let with = |own: bool, recipients: &[&str]| {
        let list = |from: &str, device: &str| {
            format!(
                "<message from='{from}' to='me@x.example/r' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='{ns}.devicelist'><item id='current'><list xmlns='{ns}'><device id='{device}'/></list></item></items></event></message>"
            )
        };
        let keys: String =
            recipients.iter().map(|r| format!("<key rid='{r}' prekey='true'>{key}</key>")).collect();
        let sealed = format!(
            "<message to='peer@x.example' type='chat'><encrypted xmlns='{ns}'><header sid='11'>{keys}<iv>q83vASNFZ4mrze8B</iv></header><payload>{}</payload></encrypted></message>",
            STANDARD.encode([0x3c, 0x91, 0xe7, 0x52, 0x0b, 0xaa, 0x4d, 0xf1, 0x68, 0x13, 0xd5])
        );
        let head = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='x.example' version='1.0'>".to_owned();
        let mut lists = list("peer@x.example", "22");
        if own {
            lists += &list("me@x.example", "11");
        }
        let answer = format!("{head}{lists}");
        ghost(&audited(&[head, answer, sealed.repeat(2)]))
    };
    assert_eq!(with(true, &["22"]), None);
    assert_eq!(with(true, &["22", "11"]), None);
    assert_eq!(with(true, &["22", "99"]), Some(Confidence::Low));
    // It may be one of the sender's own devices.
    assert_eq!(with(false, &["22", "99"]), None);
}
