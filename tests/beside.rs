//! What stands in clear beside sealed messages, in places where nobody looks for words: from frames to verdicts. Each
//! exchange is made up here; every message is a frame of the Signal protocol, so only what is beside it decides.

#[path = "../benches/made.rs"]
mod made;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use made::{Made, Path};
use plainsight::audit::{self, Audit, Plan};
use plainsight::verdict::Verdict;
use sha2::{Digest, Sha256};
use std::net::Ipv4Addr;

const SAID: [&str; 6] = [
    "Meet me at the station at five",
    "The doctor said it is nothing serious",
    "Do not tell Henrik about the party",
    "I will bring the blue folder tomorrow",
    "The flight lands at gate twelve tonight",
    "Please call my lawyer in the morning",
];

fn random(seed: u8, n: usize) -> Vec<u8> {
    (0u8..).flat_map(|i| Sha256::digest([seed, i])).take(n).collect()
}

/// A message of the double ratchet: its version, key, counters, ciphertext and tag.
fn sealed(n: u8) -> String {
    let mut key = random(7, 32);
    key[31] &= 0x7f;
    let parts = [
        &b"\x33\x0a\x21\x05"[..],
        &key,
        &[0x10, n, 0x18, 0, 0x22, 80],
        &random(n + 10, 80),
        &random(n + 50, 8),
    ];
    STANDARD.encode(parts.concat())
}

/// A request with its answer.
fn request(method: &str, target: &str, head: &str, body: &str) -> [Vec<u8>; 2] {
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: chat.test\r\nContent-Type: application/json\r\n{head}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    [request.into_bytes(), answer.into()]
}

/// Six messages, each with what stands beside it.
fn sent(beside: impl Fn(&str) -> (String, String, String)) -> Vec<Vec<u8>> {
    let each = |(i, text): (usize, &&str)| {
        let (target, head, member) = beside(text);
        let body = format!("{{\"content\":\"{}\"{member}}}", sealed(i as u8));
        request("PUT", &target, &head, &body)
    };
    SAID.iter().enumerate().flat_map(each).collect()
}

fn member(member: impl Fn(&str) -> String) -> Vec<Vec<u8>> {
    sent(|text| ("/v1/messages/42".into(), String::new(), format!(",{}", member(text))))
}

fn head(head: impl Fn(&str) -> String) -> Vec<Vec<u8>> {
    sent(|text| ("/v1/messages/42".into(), format!("{}\r\n", head(text)), String::new()))
}

fn target(target: impl Fn(&str) -> String) -> Vec<Vec<u8>> {
    sent(|text| (target(text), String::new(), String::new()))
}

fn audited(port: u16, turns: &[Vec<u8>]) -> Audit {
    let mut made = Made::default();
    let way = Path { from: (Ipv4Addr::new(10, 0, 0, 7), 20_001), to: (Ipv4Addr::new(10, 0, 0, 9), port) };
    made.connection(way, &turns.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), made.bytes()).expect("written");
    let plan = Plan { captures: vec![file.path().to_owned()], ..Plan::default() };
    audit::run(&plan, &|_| ()).expect("read")
}

/// The summary's verdict.
fn verdict(port: u16, turns: &[Vec<u8>]) -> Verdict {
    audited(port, turns).summary.verdict
}

fn slug(text: &str) -> String {
    text.to_lowercase().replace(' ', "-")
}

#[test]
fn sentences_written_like_names_take_the_claim_away() {
    let camel = |text: &str| -> String {
        let word = |w: &str| format!("{}{}", w[..1].to_uppercase(), &w[1..]);
        text.split(' ').map(word).collect()
    };
    let all = [
        ("hyphens", member(|t| format!("\"x\":\"{}\"", slug(t)))),
        ("underscores", member(|t| format!("\"x\":\"{}\"", t.replace(' ', "_")))),
        ("dots", member(|t| format!("\"x\":\"{}\"", t.replace(' ', ".")))),
        ("capitals", member(|t| format!("\"x\":\"{}\"", camel(t)))),
        ("path", target(|t| format!("/v1/messages/{}", slug(t)))),
        ("file name", member(|t| format!("\"fileName\":\"{t}.txt\""))),
        ("joined file name", member(|t| format!("\"fileName\":\"{}.txt\"", slug(t)))),
        ("member", member(|t| format!("\"{}\":1", slug(t)))),
        ("header name", head(|t| format!("X-{}: 1", slug(t)))),
        ("entity tag", head(|t| format!("If-Match: \"{t}\""))),
        ("parameter", head(|t| format!("Accept: application/json; note=\"{t}\""))),
        ("disposition", head(|t| format!("Content-Disposition: attachment; filename=\"{t}.bin\""))),
    ];
    for (what, turns) in all {
        assert_ne!(verdict(80, &turns), Verdict::E2ee, "{what}");
    }
}

#[test]
fn names_of_programs_beside_sealed_messages_are_names() {
    let all = [
        ("nothing", target(|_| "/v1/messages/42".into())),
        ("identifiers", target(|t| format!("/v1/messages/{}", &STANDARD.encode(t).to_lowercase()[..20]))),
        (
            "methods",
            target(|t| {
                format!("/v1/Messages/{}", if t.len() % 2 == 0 { "SendToGroup" } else { "SendToUser" })
            }),
        ),
        ("one name", member(|_| "\"x\":\"read_only_for_all_of_the_users\"".into())),
        ("names", member(|t| format!("\"x\":\"conversation-list-{}\"", t.len()))),
        ("photos", member(|t| format!("\"fileName\":\"IMG_20{}.jpg\"", t.len()))),
        (
            "a program",
            head(|t| {
                let list = if t.len() % 2 == 0 { "gzip, deflate, br, zstd" } else { "gzip, deflate" };
                format!(
                    "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X)\r\nAccept-Encoding: {list}"
                )
            }),
        ),
    ];
    for (what, turns) in all {
        assert_eq!(verdict(80, &turns), Verdict::E2ee, "{what}");
    }
}

/// A server's frame of text, and a client's with a mask of zeros.
fn frame(text: &str, masked: bool) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut bytes = vec![0x81];
    match u8::try_from(text.len()).ok().filter(|n| *n < 126) {
        Some(n) => bytes.push(mask | n),
        None => {
            bytes.push(mask | 126);
            bytes.extend((text.len() as u16).to_be_bytes());
        }
    }
    bytes.extend(if masked { &[0; 4][..] } else { &[] });
    bytes.extend(text.as_bytes());
    bytes
}

#[test]
fn a_sentence_in_the_address_of_a_websocket_stands_beside_all_its_messages() {
    let talk = |query: &str| {
        let asked = format!(
            "GET /ws?{query} HTTP/1.1\r\nHost: chat.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        let agreed = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        let said: Vec<u8> =
            (0..6).flat_map(|i| frame(&format!("{{\"ciphertext\":\"{}\"}}", sealed(i)), true)).collect();
        verdict(80, &[asked.into_bytes(), agreed.into(), said])
    };
    assert_ne!(talk("last=Meet%20me%20at%20the%20station%20at%20five"), Verdict::E2ee);
    assert_ne!(talk("last=meet-me-at-the-station-at-five"), Verdict::E2ee);
    assert_eq!(talk("agent=Chat%20Desktop%20for%20Linux&v=7"), Verdict::E2ee);
}

#[test]
fn the_name_of_an_event_may_say_more_than_its_data() {
    let stream = |name: &dyn Fn(usize) -> String| {
        let mut body = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n".to_owned();
        (0..6).for_each(|i| {
            body += &format!("event: {}\ndata: {{\"ciphertext\":\"{}\"}}\n\n", name(i), sealed(i as u8));
        });
        let asked = "GET /events HTTP/1.1\r\nHost: chat.test\r\nAccept: text/event-stream\r\n\r\n";
        verdict(80, &[asked.into(), body.into_bytes()])
    };
    assert_ne!(stream(&|i| SAID[i].to_owned()), Verdict::E2ee);
    assert_eq!(stream(&|_| "message".to_owned()), Verdict::E2ee);
}

#[test]
fn the_topic_of_a_message_may_say_what_it_seals() {
    let string = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
    let publish = |(i, text): (usize, &&str)| {
        let body =
            [string(&format!("chat/bob/{}", slug(text))), STANDARD.decode(sealed(i as u8)).expect("base64")]
                .concat();
        [&[0x30, (body.len() % 128) as u8 | 0x80, (body.len() / 128) as u8][..], &body].concat()
    };
    let connect = [&[0x10, 16][..], &string("MQTT"), &[4, 2, 0, 60], &string("dev1")].concat();
    let said: Vec<u8> = SAID.iter().enumerate().flat_map(publish).collect();
    assert_ne!(verdict(1883, &[connect, vec![0x20, 2, 0, 0], said]), Verdict::E2ee);
}

#[test]
fn sentences_that_a_store_keeps_stand_beside_what_its_channels_carry() {
    let strings = |all: &[&str]| -> String {
        let each = all.iter().map(|s| format!("${}\r\n{s}\r\n", s.len()));
        format!("*{}\r\n{}", all.len(), each.collect::<String>())
    };
    let with = |kept: &dyn Fn(&str) -> String| {
        let each = |(i, text): (usize, &&str)| {
            let said = strings(&["PUBLISH", "room", &sealed(i as u8)]);
            [(said + &strings(&["SET", "last", &kept(text)])).into_bytes(), b":1\r\n+OK\r\n".to_vec()]
        };
        verdict(6379, &SAID.iter().enumerate().flat_map(each).collect::<Vec<_>>())
    };
    assert_ne!(with(&|text| text.to_owned()), Verdict::E2ee);
    assert_eq!(with(&|text| text.len().to_string()), Verdict::E2ee);
}

#[test]
fn a_property_of_a_broker_is_an_applications_whatever_it_is_called() {
    let string = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
    let packet = |kind: u8, body: &[u8]| {
        let (low, high) = ((body.len() % 128) as u8, (body.len() / 128) as u8);
        let length = if high > 0 { vec![low | 0x80, high] } else { vec![low] };
        [&[kind][..], &length, body].concat()
    };
    let publish = |(i, text): (usize, &&str)| {
        let property = [&[0x26][..], &string("p"), &string(text)].concat();
        let body = [
            &string("chat/bob")[..],
            &[property.len() as u8],
            &property,
            &STANDARD.decode(sealed(i as u8)).expect("base64"),
        ];
        packet(0x30, &body.concat())
    };
    let connect = packet(0x10, &[&string("MQTT")[..], &[5, 2, 0, 60, 0], &string("dev1")].concat());
    let said: Vec<u8> = SAID.iter().enumerate().flat_map(publish).collect();
    assert_ne!(verdict(1883, &[connect, packet(0x20, &[0, 0, 0]), said]), Verdict::E2ee);
}

/// A request that sends a picture in clear, with its answer.
fn picture(path: &str) -> [Vec<u8>; 2] {
    let mut picture = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00".to_vec();
    picture.extend(random(99, 900));
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: chat.test\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
        picture.len()
    );
    [[head.into_bytes(), picture].concat(), b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()]
}

/// A file that goes where remotes are controlled is no emote.
#[test]
fn a_file_by_a_way_that_only_sounds_like_a_portrait_takes_the_claim_away() {
    let with = |path: &str| {
        let mut turns = target(|_| "/v1/messages/42".into());
        turns.extend(picture(path));
        verdict(80, &turns)
    };
    assert_ne!(with("/remote/1"), Verdict::E2ee);
    assert_eq!(with("/emotes/1"), Verdict::E2ee);
}

/// Where messages pass in clear as well, a file may be one of theirs: the sealed ones keep their verdict, and it is told.
#[test]
fn a_file_beside_clear_and_sealed_messages_is_told_and_leaves_a_doubt() {
    let mut turns = target(|_| "/v1/messages/42".into());
    turns.extend(request(
        "POST",
        "/v1/rooms/7/messages",
        "",
        r#"{"from":"anna","text":"see you at the old bridge"}"#,
    ));
    turns.extend(picture("/v1/blobs/7"));
    let audit = audited(80, &turns);
    assert_eq!(audit.summary.verdict, Verdict::Plaintext);
    let sealed = audit.judgements.iter().find(|j| j.verdict == Verdict::E2ee).expect("sealed messages");
    assert!(sealed.not_ruled_out.iter().any(|d| d.starts_with("a file that the service got in clear")));
    assert!(audit.exposures.iter().any(|e| e.item == "sent-file"));
}

#[test]
fn names_of_files_that_are_sent_by_themselves_stand_beside_the_messages_of_their_service() {
    let with = |sent: &dyn Fn(&str) -> [Vec<u8>; 2]| {
        let mut turns = target(|_| "/v1/messages/42".into());
        turns.extend(SAID.iter().flat_map(|t| sent(t)));
        verdict(80, &turns)
    };
    assert_ne!(with(&|t| request("PUT", &format!("/v1/attachments/{}.bin", slug(t)), "", "")), Verdict::E2ee);
    let head = |t: &str| format!("Content-Disposition: attachment; filename=\"{t}.pdf\"\r\n");
    assert_ne!(with(&|t| request("PUT", "/v1/attachments/7", &head(t), "{}")), Verdict::E2ee);
    let body = |t: &str| format!("{{\"filename\":\"{t}.pdf\"}}");
    assert_ne!(with(&|t| request("POST", "/v1/attachments", "", &body(t))), Verdict::E2ee);
    assert_eq!(
        with(&|t| request("PUT", &format!("/v1/attachments/{}.bin", t.len()), "", "{}")),
        Verdict::E2ee
    );
}
