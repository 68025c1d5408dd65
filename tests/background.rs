//! What devices and programs say by themselves is no message of anybody: no verdict may accuse it. Beside each kind stands
//! its twin between people, which must stay readable. Every exchange is made up here.

#[path = "../benches/made.rs"]
mod made;

use made::{Made, Path};
use plainsight::audit::{self, Plan};
use plainsight::verdict::Verdict;
use std::net::Ipv4Addr;

fn verdict(port: u16, turns: &[&str]) -> Verdict {
    let mut made = Made::default();
    let way = Path { from: (Ipv4Addr::new(10, 0, 0, 7), 20_001), to: (Ipv4Addr::new(10, 0, 0, 9), port) };
    made.connection(way, &turns.iter().map(|t| t.as_bytes()).collect::<Vec<_>>());
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), made.bytes()).expect("written");
    let plan = Plan { captures: vec![file.path().to_owned()], ..Plan::default() };
    audit::run(&plan, &|_| ()).expect("read").summary.verdict
}

/// What a service answers.
fn answered(target: &str, body: &str) -> Verdict {
    let asked = format!("GET {target} HTTP/1.1\r\nHost: api.test\r\n\r\n");
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    verdict(80, &[&asked, &answer])
}

/// What a program tells a service.
fn posted(target: &str, body: &str) -> Verdict {
    let asked = format!(
        "POST {target} HTTP/1.1\r\nHost: api.test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    verdict(80, &[&asked, "HTTP/1.1 204 No Content\r\n\r\n"])
}

#[test]
fn what_is_written_for_everybody_is_not_accused_though_it_has_an_author_and_a_time() {
    for (target, body) in [
        (
            "/feed",
            r#"{"items":[{"time":1790000000,"headline":"A bridge","text":"The mayor opened the new bridge on Friday"}]}"#,
        ),
        (
            "/7",
            r#"{"author":{"name":"Jo"},"created_at":"2026","title":"A bridge","body":"The mayor opened the new bridge on Friday"}"#,
        ),
        (
            "/ad?x=1",
            r#"{"ads":[{"body":"It has never been so easy to drive","cta":"Learn more","created":1}]}"#,
        ),
        (
            "/lyrics/12",
            r#"{"lines":[{"time":1,"text":"and the river runs down to the sea"},{"time":2,"text":"and nobody waits there for me"}]}"#,
        ),
        (
            "/x/9",
            r#"{"reviews":[{"user":"kim77","stars":5,"text":"It works well on my old phone","createdAt":"2026-11-01"}]}"#,
        ),
        (
            "/accounts/1",
            r#"{"transactions":[{"date":"2026-11-27","amount":"-12.50","text":"Card payment at the old bakery"}]}"#,
        ),
        ("/route", r#"{"legs":[{"steps":[{"time":12,"text":"Turn left onto the main street"}]}]}"#),
        (
            "/bids",
            r#"{"seatbid":[{"ts":1,"bid":[{"adm":"{\"title\":{\"text\":\"The best shoes for a long walk\"}}"}]}]}"#,
        ),
        (
            "/x",
            r#"{"timestamp":"2026-11-27","status":500,"error":"Bad Request","message":"The value of the field is not right"}"#,
        ),
    ] {
        assert_eq!(answered(target, body), Verdict::Undetermined, "{target}");
    }
    for (target, body) in [
        (
            "/feed",
            r#"{"items":[{"from":"anna","time":1790000000,"text":"The mayor opened the new bridge on Friday"}]}"#,
        ),
        ("/7", r#"{"author":"jo","created_at":"2026","body":"The mayor opened the new bridge on Friday"}"#),
        (
            "/x/9",
            r#"{"title":"Us","messages":[{"user":"kim77","text":"It works well on my old phone","createdAt":"2026-11-01"}]}"#,
        ),
        ("/news", r#"{"items":[{"sender":"kim","title":"Hi","body":"It works well on my old phone"}]}"#),
    ] {
        assert_eq!(answered(target, body), Verdict::Plaintext, "{target}");
    }
}

#[test]
fn what_programs_observe_is_not_accused() {
    let events = r#"{"events":[{"name":"view","text":"The settings screen was opened","ts":1}]}"#;
    for target in ["/v2/collect", "/telemetry", "/api/crash"] {
        assert_eq!(posted(target, events), Verdict::Undetermined, "{target}");
    }
    let tracked = r#"{"batch":[{"type":"track","event":"Banner","properties":{"message":"Save the changes and go on"}}]}"#;
    assert_eq!(posted("/v1/batch", tracked), Verdict::Undetermined);
    let bought = r#"{"query":"mutation AddToCart($i: I!) { addToCart(input: $i) { cart { message } } }","variables":{"gift":"with love from all of us"}}"#;
    assert_eq!(posted("/graphql", bought), Verdict::Undetermined);
    let said = r#"{"query":"mutation Say($i: I!) { sendMessage(input: $i) { id } }","variables":{"i":"with love from all of us"}}"#;
    assert_eq!(posted("/graphql", said), Verdict::Plaintext);
    assert_eq!(posted("/chat/collect", events), Verdict::Plaintext);
}

#[test]
fn questions_and_answers_of_programs_are_not_accused() {
    for (port, turns) in [
        (43, &["example.org\r\n", "% The data is provided for information purposes only\r\nname: A\r\n"][..]),
        (79, &["anna\r\n", "Plan:\r\nI am on holiday until the end of the month\r\n"]),
        (70, &["/\r\n", "iWelcome to the small gopher hole\tfake\t(NULL)\t0\r\n.\r\n"]),
        (
            6600,
            &[
                "",
                "OK MPD 0.23.5\n",
                "currentsong\n",
                "Title: The Sound of the Sea\nArtist: Some of the Old Band\nOK\n",
            ],
        ),
        (11211, &["get user:12\r\n", "VALUE user:12 0 27\r\nhello to all of the world ok\r\nEND\r\n"]),
        (2121, &["", "220 ready\r\n", "cwd pub of the day\r\n", "550 No such file in the folder\r\n"]),
        (9100, &["%!PS-Adobe-3.0\n(Meet me at the station at five) show\n", ""]),
    ] {
        assert_eq!(verdict(port, turns), Verdict::Undetermined, "{port}");
    }
    // One side only: a file, a log, a listing.
    assert_eq!(
        verdict(20, &["", "The first line of a long story\nand the last one of it\n"]),
        Verdict::Undetermined
    );
    let talk = ["see you at the old bridge at noon\n", "I will be there with the folder\n"];
    assert_eq!(verdict(4300, &talk), Verdict::Plaintext);
}

#[test]
fn what_things_tell_a_broker_is_not_accused() {
    let string = |text: &str| format!("\0{}{text}", char::from(text.len() as u8));
    let packet = |kind: char, body: &str| format!("{kind}{}{body}", char::from(body.len() as u8));
    let published = |topic: &str, text: &str| {
        let connect = packet('\x10', &format!("{}\x04\x02\0\x3c{}", string("MQTT"), string("dev1")));
        verdict(
            1883,
            &[&connect, &packet('\x20', "\0\0"), &packet('\x30', &format!("{}{text}", string(topic)))],
        )
    };
    for (topic, text) in [
        ("home/door", "open"),
        ("machine/7/alarm", "The pressure of the tank is too high"),
        ("zigbee2mqtt/bridge/logging", r#"{"level":"info","message":"The state of the lamp was read"}"#),
        ("homeassistant/sensor/x/config", r#"{"name":"The temperature","text":"It is warm in the kitchen"}"#),
    ] {
        assert_eq!(published(topic, text), Verdict::Undetermined, "{topic}");
    }
    assert_eq!(published("chat/bob/status", "see you at the old bridge at noon"), Verdict::Plaintext);
    assert_eq!(published("team/7", "see you at the old bridge at noon"), Verdict::Plaintext);
}

#[test]
fn a_store_of_values_is_no_conversation_and_its_channels_are() {
    let strings = |all: &[&str]| -> String {
        let each = all.iter().map(|s| format!("${}\r\n{s}\r\n", s.len()));
        format!("*{}\r\n{}", all.len(), each.collect::<String>())
    };
    let text = "the lamp on the desk is out of oil";
    let store = [strings(&["GET", "note:1"]), format!("${}\r\n{text}\r\n", text.len())];
    assert_eq!(verdict(6379, &store.each_ref().map(String::as_str)), Verdict::Undetermined);
    let wrong = [strings(&["GET"]), "-ERR wrong number of arguments for the command\r\n".into()];
    assert_eq!(verdict(6379, &wrong.each_ref().map(String::as_str)), Verdict::Undetermined);
    let channel = [strings(&["PUBLISH", "room", text]), ":1\r\n".into()];
    assert_eq!(verdict(6379, &channel.each_ref().map(String::as_str)), Verdict::Plaintext);
    let heard = [strings(&["SUBSCRIBE", "room"]), strings(&["message", "room", text])];
    assert_eq!(verdict(6379, &heard.each_ref().map(String::as_str)), Verdict::Plaintext);
}
