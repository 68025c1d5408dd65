//! Places beside a sealed message where a text may stand that nobody looks for: what frames, answers and parameters
//! hold apart from the payload. A readable text there takes the claim away.

#[path = "../benches/made.rs"]
mod made;
#[path = "variants/builders.rs"]
mod variants;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use made::{Made, Path};
use plainsight::audit::{self, Audit, Plan};
use plainsight::evidence::Canary;
use plainsight::verdict::Verdict;
use std::net::Ipv4Addr;
use variants::{FORMATS, Random, Wrong};

/// The same few words beside every message would be a label.
const TEXTS: [&str; 4] = [
    "see you at the old bridge at nine tonight, and bring the lamp with you",
    "my sister cannot come before ten, so we should wait for her there",
    "did you ask your father whether we may have the little boat again",
    "never mind the rain, the others walk over from the mill anyway",
];

/// A side's bytes, the client's first.
type Turns = Vec<Vec<u8>>;

fn audited(port: u16, datagrams: bool, turns: &[Turns], canaries: &[&str]) -> Audit {
    let mut made = Made::default();
    for (n, turns) in turns.iter().enumerate() {
        let client = Path {
            from: (Ipv4Addr::new(10, 0, 0, 7), 20_000 + n as u16),
            to: (Ipv4Addr::new(192, 168, 3, 4), port),
        };
        let bytes: Vec<&[u8]> = turns.iter().map(Vec::as_slice).collect();
        match datagrams {
            false => made.connection(client, &bytes),
            true => bytes
                .iter()
                .zip([client, client.back()].iter().cycle())
                .for_each(|(b, way)| made.udp(*way, b)),
        }
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), made.bytes()).expect("written");
    let canaries =
        canaries.iter().map(|t| Canary { text: (*t).to_owned(), label: None, control: false }).collect();
    let plan = Plan { captures: vec![file.path().to_owned()], canaries, threads: 2, ..Plan::default() };
    audit::run(&plan, &|_| ()).expect("read")
}

/// Messages of a place, with a text in it or with what stands there otherwise.
type Place = fn(&[u8], &str) -> Turns;

fn json(envelope: &[u8]) -> String {
    format!("{{\"ciphertext\":\"{}\"}}", STANDARD.encode(envelope))
}

fn upgraded(frames: &[Vec<u8>]) -> Turns {
    let request = b"GET /socket HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    vec![request.to_vec(), answer.to_vec(), frames.concat()]
}

/// A masked frame.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [7, 1, 9, 4];
    let len = match payload.len() {
        n @ 0..126 => vec![0x80 | n as u8],
        n => [&[0x80 | 126][..], &(n as u16).to_be_bytes()].concat(),
    };
    let masked: Vec<u8> = payload.iter().enumerate().map(|(i, b)| b ^ mask[i % 4]).collect();
    [&[0x80 | opcode][..], &len, &mask, &masked].concat()
}

fn ping(envelope: &[u8], text: &str) -> Turns {
    upgraded(&[frame(1, json(envelope).as_bytes()), frame(9, text.as_bytes())])
}

fn pong(envelope: &[u8], text: &str) -> Turns {
    upgraded(&[frame(1, json(envelope).as_bytes()), frame(10, text.as_bytes())])
}

fn close(envelope: &[u8], text: &str) -> Turns {
    let reason = [&1000u16.to_be_bytes()[..], text.as_bytes()].concat();
    upgraded(&[frame(1, json(envelope).as_bytes()), frame(8, &reason)])
}

fn posted(body: &str, extension: &str, trailer: &str, phrase: &str) -> Turns {
    let request = format!(
        "POST /send HTTP/1.1\r\nHost: chat.example\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}{extension}\r\n{body}\r\n0\r\n{trailer}\r\n",
        body.len()
    );
    vec![request.into_bytes(), format!("HTTP/1.1 200 {phrase}\r\nContent-Length: 0\r\n\r\n").into_bytes()]
}

fn extension(envelope: &[u8], text: &str) -> Turns {
    let extension = if text.is_empty() { String::new() } else { format!(";note=\"{text}\"") };
    posted(&json(envelope), &extension, "", "OK")
}

fn trailer(envelope: &[u8], text: &str) -> Turns {
    let trailer = if text.is_empty() { String::new() } else { format!("X-Note: {text}\r\n") };
    posted(&json(envelope), "", &trailer, "OK")
}

/// What the server says is said to the client of its message.
fn phrase(envelope: &[u8], text: &str) -> Turns {
    posted(&json(envelope), "", "", if text.is_empty() { "OK" } else { text })
}

fn amqp_frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 0, 1][..], &(payload.len() as u32).to_be_bytes(), payload, &[0xce]].concat()
}

fn published(envelope: &[u8], flags: u16, properties: &[u8]) -> Turns {
    let body = json(envelope).into_bytes();
    let method = b"\0\x3c\0\x28\0\0\x04chat\x05room1\0";
    let head = [
        &[0, 0x3c, 0, 0][..],
        &(body.len() as u64).to_be_bytes(),
        &(0x8000 | flags).to_be_bytes(),
        b"\x10application/json",
        properties,
    ];
    let frames = [amqp_frame(1, method), amqp_frame(2, &head.concat()), amqp_frame(3, &body)];
    vec![[b"AMQP\0\0\x09\x01".to_vec(), frames.concat()].concat()]
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

fn table_in_table(envelope: &[u8], text: &str) -> Turns {
    let inner = [&b"\x04noteS"[..], &long(text.as_bytes())].concat();
    let list = [&b"F"[..], &long(&inner)].concat();
    published(envelope, 0x2000, &long(&[&b"\x05extraA"[..], &long(&list)].concat()))
}

fn amqp_property(envelope: &[u8], text: &str) -> Turns {
    published(envelope, 0x0020, &[&[text.len() as u8][..], text.as_bytes()].concat())
}

fn submitted(envelope: &[u8], option: &[u8]) -> Turns {
    let head = b"\0\x01\x01491510\0\x01\x01491520\0\0\0\0\0\0\0\0\x04\0";
    let body = [&head[..], &[envelope.len() as u8], envelope, option].concat();
    let packet =
        [&((16 + body.len()) as u32).to_be_bytes()[..], &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 2], &body];
    let answer = b"\0\0\0\x14\x80\0\0\x04\0\0\0\0\0\0\0\x02id1\0".to_vec();
    vec![packet.concat(), answer]
}

fn parameter(tag: u16, value: &[u8]) -> Vec<u8> {
    [&tag.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
}

fn own_parameter(envelope: &[u8], text: &str) -> Turns {
    submitted(envelope, &if text.is_empty() { Vec::new() } else { parameter(0x1401, text.as_bytes()) })
}

fn payload_parameter(envelope: &[u8], text: &str) -> Turns {
    submitted(envelope, &if text.is_empty() { Vec::new() } else { parameter(0x0424, text.as_bytes()) })
}

fn coap(envelope: &[u8], text: &str) -> Turns {
    let option = match text.len() {
        0 => Vec::new(),
        // Option 65000: the number goes on in two octets, the length in one.
        n => [&[0xed][..], &(65_000u16 - 12 - 269).to_be_bytes(), &[n as u8 - 13], text.as_bytes()].concat(),
    };
    let head = b"\x42\x02\0\x01\x13\x3e\xb4chat\x05room1\x11\x32";
    vec![
        [&head[..], &option, &[0xff], json(envelope).as_bytes()].concat(),
        b"\x62\x44\0\x01\x13\x3e".to_vec(),
    ]
}

fn session(fields: &str, media: &str, body: &str, status: &str) -> Turns {
    let paths = "To-Path: msrp://b.example:2855/s2;tcp\r\nFrom-Path: msrp://a.example:2855/s1;tcp\r\n";
    let sent = format!(
        "MSRP d93kswow SEND\r\n{paths}Message-ID: 12339sdqwer\r\n{fields}Content-Type: {media}\r\n\r\n{body}\r\n-------d93kswow$\r\n"
    );
    vec![sent.into_bytes(), format!("MSRP d93kswow {status}\r\n{paths}-------d93kswow$\r\n").into_bytes()]
}

fn msrp_field(envelope: &[u8], text: &str) -> Turns {
    let field = if text.is_empty() { String::new() } else { format!("Note:{text}\r\n") };
    session(&field, "application/json", &json(envelope), "200 OK")
}

fn msrp_comment(envelope: &[u8], text: &str) -> Turns {
    let status = if text.is_empty() { "200 OK".to_owned() } else { format!("200 {text}") };
    session("", "application/json", &json(envelope), &status)
}

fn cpim_line(envelope: &[u8], text: &str) -> Turns {
    let line = if text.is_empty() { String::new() } else { format!("Subject: a\r\n {text}\r\n") };
    let body = format!(
        "From: <sip:a@x.example>\r\nTo: <sip:b@x.example>\r\n{line}\r\nContent-Type: application/json\r\n\r\n{}",
        json(envelope)
    );
    session("", "message/cpim", &body, "200 OK")
}

const PLACES: [(&str, u16, bool, Place); 14] = [
    ("the payload of a ping", 80, false, ping),
    ("the payload of a pong", 80, false, pong),
    ("the reason of a close", 80, false, close),
    ("an extension of a chunk", 80, false, extension),
    ("a trailer", 80, false, trailer),
    ("a reason phrase", 80, false, phrase),
    ("a table in a list in a table", 5672, false, table_in_table),
    ("a property", 5672, false, amqp_property),
    ("a parameter of one's own", 2775, false, own_parameter),
    ("a payload in a parameter beside a short message", 2775, false, payload_parameter),
    ("an option", 5683, true, coap),
    ("a field without a space", 2855, false, msrp_field),
    ("a comment", 2855, false, msrp_comment),
    ("a folded line", 2855, false, cpim_line),
];

#[test]
fn a_text_beside_a_sealed_message_takes_the_claim_away() {
    let mut wrong = Vec::new();
    let (_, build) = FORMATS[0];
    for (name, port, datagrams, place) in PLACES {
        let mut r = Random(0xbe51de);
        // SMPP holds no more than 254 octets.
        let envelopes: Vec<Vec<u8>> = std::iter::repeat_with(|| build(&mut r, Wrong::Nothing))
            .filter(|e| e.len() < 250)
            .take(4)
            .collect();
        let made = |texts: [&str; 4]| -> Vec<Turns> {
            envelopes.iter().zip(texts).map(|(e, text)| place(e, text)).collect()
        };
        let bare = audited(port, datagrams, &made([""; 4]), &[]);
        if bare.summary.verdict != Verdict::E2ee {
            wrong.push(format!("{name}: nothing in it, and {:?}", bare.summary));
        }
        // A reason is a service's remark, as long as nobody knows better.
        let planted: &[&str] = if name == "a reason phrase" { &TEXTS[..1] } else { &[] };
        let told = audited(port, datagrams, &made(TEXTS), planted);
        // What is read as a message is a conversation of its own, which the summary is no better than.
        let claims = told.judgements.iter().any(|j| j.verdict == Verdict::E2ee);
        if claims && told.summary.verdict != Verdict::Plaintext {
            let verdicts = told.judgements.iter().map(|j| j.verdict);
            let all: Vec<_> = told.drafts.iter().map(|d| &d.key).zip(verdicts).collect();
            wrong.push(format!("{name}: a text in it, and {:?} {all:?}", told.summary));
        }
        let found = audited(port, datagrams, &made(TEXTS), &TEXTS[1..2]);
        if found.summary.verdict != Verdict::Plaintext {
            wrong.push(format!("{name}: a planted text in it, and {:?}", found.summary));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
