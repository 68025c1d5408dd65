//! Connections written frame by frame: what comes out of them, whole, damaged and in the middle.

use super::frame::*;
use crate::layers::REGISTRY;
use crate::model::{Arrival, Side, Value};
use crate::peel::{Leaf, NodeRef, Sink, Surroundings, Tree, Unit};
use Side::{Client, Server};

/// Writes down leaves with their text, facts and notes.
#[derive(Default)]
struct Told(Vec<String>);

impl Sink for Told {
    fn fact(&mut self, node: &NodeRef<'_>, name: &'static str, value: Value, _at: Arrival) {
        self.0.push(format!("{} {name}={value}", node.path()));
    }
    fn leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let text = String::from_utf8_lossy(leaf.bytes);
        let host = node.label("host").unwrap_or("");
        let path = node.label("path").unwrap_or("");
        let scope = node.scope();
        let field = if leaf.field.is_empty() { node.field() } else { leaf.field };
        self.0.push(format!("{} {host}{path} #{scope} {field}={text}", node.path()));
    }
    fn note(&mut self, _node: &NodeRef<'_>, code: &'static str, _at: Arrival) {
        self.0.push(format!("note {code}"));
    }
}

impl Told {
    fn has(&self, part: &str) -> bool {
        self.0.iter().any(|l| l.contains(part))
    }
    #[track_caller]
    fn must(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.has(part), "{part} is missing in {:#?}", self.0);
        }
    }
    fn quiet(&self) -> bool {
        !self.has("note ")
    }
}

enum Turn {
    Bytes(Side, Vec<u8>),
    Gap(Side, u64),
}

fn told(turns: &[Turn]) -> Told {
    let (mut around, mut sink) = (Surroundings::new(&REGISTRY, 443), Told::default());
    let mut tree = Tree::new(Unit::Stream);
    let mut env = around.env(&mut sink);
    for turn in turns {
        match turn {
            Turn::Bytes(side, bytes) => tree.feed(&mut env, *side, bytes),
            Turn::Gap(side, len) => tree.gap(&mut env, *side, *len),
        }
    }
    tree.finish(&mut env);
    sink
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Literal fields that are not added to the table.
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |t: &str| [&[t.len() as u8], t.as_bytes()].concat();
    fields.iter().flat_map(|(n, v)| [vec![0], text(n), text(v)].concat()).collect()
}

fn post<'a>(host: &'a str, path: &'a str, media: &'a str) -> Vec<u8> {
    block(&[(":method", "POST"), (":authority", host), (":path", path), ("content-type", media)])
}

fn hello() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
}

#[test]
fn interleaved_streams_keep_their_bodies_and_context() {
    let (one, two) =
        (post("a.example", "/one?q=1", "application/json"), post("b.example", "/two", "text/plain"));
    let padded = [&[3u8][..], b"rst\"}", &[0; 3]].concat();
    let with_priority = [&[2u8, 0, 0, 0, 0, 9][..], &one[..20]].concat();
    let client = [
        hello(),
        frame(HEADERS, WITH_PRIORITY | PADDED, 1, &[&with_priority[..], &[0, 0]].concat()),
        frame(CONTINUATION, 0, 1, &one[20..30]),
        frame(CONTINUATION, END_HEADERS, 1, &one[30..]),
        frame(DATA, 0, 1, b"{\"text\":\"fi"),
        frame(HEADERS, END_HEADERS, 3, &two),
        frame(DATA, 0, 3, b"second "),
        frame(DATA, PADDED | END_STREAM, 1, &padded),
        frame(DATA, END_STREAM, 3, b"body"),
    ];
    let server = [
        frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]),
        frame(HEADERS, END_HEADERS, 3, &block(&[(":status", "200"), ("content-type", "text/plain")])),
        frame(DATA, 0, 3, b"fine"),
        frame(HEADERS, END_HEADERS | END_STREAM, 3, &block(&[("x-checksum", "abc")])),
        frame(GOAWAY, 0, 0, b"\0\0\0\x03\0\0\0\0see you"),
    ];
    let told = told(&[Turn::Bytes(Client, client.concat()), Turn::Bytes(Server, server.concat())]);
    assert!(told.quiet(), "{:#?}", told.0);
    told.must(&[
        "http2/json a.example/one #1 $.text=first",
        "b.example/two #2 =second body",
        "b.example/two #3 =fine",
        "b.example/two #3 header.x-checksum=abc",
        "#1 target=/one?q=1",
        "goaway=see you",
        "http2 http.status=200",
    ]);
}

#[test]
fn an_extended_connect_carries_a_websocket() {
    let ask = block(&[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":authority", "c.example"),
        (":path", "/chat"),
    ]);
    let masked = [&[0x81, 0x84, 0, 0, 0, 0][..], b"ping"].concat();
    let client = [hello(), frame(HEADERS, END_HEADERS, 1, &ask), frame(DATA, 0, 1, &masked)];
    let server = [
        frame(SETTINGS, 0, 0, &[0, 8, 0, 0, 0, 1]),
        frame(HEADERS, END_HEADERS, 1, &block(&[(":status", "200")])),
        frame(DATA, 0, 1, b"\x81\x04pong"),
    ];
    let told = told(&[Turn::Bytes(Client, client.concat()), Turn::Bytes(Server, server.concat())]);
    assert!(told.quiet(), "{:#?}", told.0);
    told.must(&["http2/websocket c.example/chat", "=ping", "=pong"]);
}

#[test]
fn joined_late_it_shows_what_it_can() {
    // :method GET, an entry from before, a literal path.
    let head = [&[0x82, 0xbe, 0x04, 2][..], b"/x"].concat();
    let client = [
        frame(WINDOW_UPDATE, 0, 0, &[0, 0, 1, 0]),
        frame(HEADERS, END_HEADERS | END_STREAM, 21, &head),
        frame(PING, 0, 0, &[7; 8]),
        frame(WINDOW_UPDATE, 0, 21, &[0, 0, 1, 0]),
        frame(DATA, END_STREAM, 19, b"rest of a body"),
    ];
    let told = told(&[Turn::Bytes(Client, client.concat())]);
    told.must(&[
        "note http2-joined-late",
        "note http2-header-unknown",
        "http2 http.method=GET",
        "target=/x",
        "note http2-data-without-head",
        "=rest of a body",
    ]);
}

#[test]
fn what_a_stream_leaves_out_is_not_taken_from_another() {
    let nameless = block(&[(":method", "POST"), (":path", "/two"), ("content-type", "text/plain")]);
    let client = [
        hello(),
        frame(HEADERS, END_HEADERS, 1, &post("a.example", "/one", "text/plain")),
        frame(HEADERS, END_HEADERS, 3, &nameless),
        frame(DATA, END_STREAM, 3, b"second body"),
        frame(DATA, END_STREAM, 1, b"first body"),
        frame(DATA, END_STREAM, 7, b"headless body"),
    ];
    // The request of stream 5 was not seen.
    let answer = block(&[(":status", "200"), ("content-type", "text/plain"), ("x-answer", "third")]);
    let server = [
        frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]),
        frame(HEADERS, END_HEADERS, 5, &answer),
        frame(DATA, END_STREAM, 5, b"fifth body"),
        frame(GOAWAY, 0, 0, b"\0\0\0\x03\0\0\0\0see you"),
    ];
    told(&[Turn::Bytes(Client, client.concat()), Turn::Bytes(Server, server.concat())]).must(&[
        "a.example/one #1 =first body",
        "http2 /two #2 =second body",
        "http2/lines  #3 line=headless body",
        "http2  #4 header.x-answer=third",
        "http2  #4 =fifth body",
        "http2  #5 goaway=see you",
    ]);
}

#[test]
fn a_gap_inside_data_costs_that_data_only() {
    let one = post("a.example", "/one", "text/plain");
    let data = frame(DATA, END_STREAM, 1, &[b'x'; 1000]);
    let next = [frame(HEADERS, END_HEADERS, 3, &one), frame(DATA, END_STREAM, 3, b"whole")].concat();
    let told = told(&[
        Turn::Bytes(Client, [hello(), frame(HEADERS, END_HEADERS, 1, &one), data[..300].to_vec()].concat()),
        Turn::Gap(Client, 500),
        Turn::Bytes(Client, [&data[800..], &next[..]].concat()),
    ]);
    told.must(&["note http-body-cut-by-gap", "a.example/one #2 =whole"]);
    assert!(!told.has("http2-lost-by-gap"));
}

#[test]
fn a_gap_across_frames_is_survived_by_structure() {
    let one = post("a.example", "/one", "text/plain");
    let next = [frame(HEADERS, END_HEADERS, 5, &one), frame(DATA, END_STREAM, 5, b"after")].concat();
    let told = told(&[
        Turn::Bytes(Client, [hello(), frame(HEADERS, END_HEADERS, 1, &one)].concat()),
        Turn::Gap(Client, 500),
        Turn::Bytes(Client, [b"tail of something", &next[..]].concat()),
    ]);
    told.must(&["note http2-lost-by-gap", "note http2-resynchronised", "=after"]);
}

#[test]
fn endless_headers_and_streams_are_bounded() {
    let mut client = hello();
    client.extend(frame(HEADERS, 0, 1, &[]));
    for _ in 0..40 {
        client.extend(frame(CONTINUATION, 0, 1, &vec![0x82; 16_000]));
    }
    client.extend(frame(CONTINUATION, END_HEADERS, 1, &[0x82]));
    let one = post("a.example", "/one", "text/plain");
    for id in 1..1500u32 {
        client.extend(frame(HEADERS, END_HEADERS, 2 * id + 1, &one));
    }
    let told = told(&[Turn::Bytes(Client, client)]);
    told.must(&["note http2-headers-too-long", "note http2-stream-limit", "header.host=a.example"]);
}

#[test]
fn unanswered_requests_do_not_push_out_a_long_stream() {
    let one = post("a.example", "/one", "text/plain");
    let mut client = [hello(), frame(HEADERS, END_HEADERS, 1, &one), frame(DATA, 0, 1, b"begin ")].concat();
    for id in 1..3000u32 {
        client.extend(frame(HEADERS, END_HEADERS | END_STREAM, 2 * id + 1, &one));
    }
    client.extend(frame(DATA, END_STREAM, 1, b"end"));
    told(&[Turn::Bytes(Client, client)]).must(&["note http2-stream-limit", "=begin end"]);
}

#[test]
fn a_frame_that_breaks_the_rules_does_not_hide_later_ones() {
    let one = post("a.example", "/one", "text/plain");
    let client = [
        hello(),
        frame(PING, 0, 4, &[1; 8]),
        frame(HEADERS, END_HEADERS, 5, &one),
        frame(DATA, END_STREAM, 5, b"after"),
    ];
    told(&[Turn::Bytes(Client, client.concat())]).must(&["note http2-frame-malformed", "=after"]);
}

#[test]
fn pushed_and_promised_belong_together() {
    let ask = block(&[(":method", "GET"), (":authority", "p.example"), (":path", "/pushed")]);
    let server = [
        frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]),
        frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2][..], &ask].concat()),
        frame(HEADERS, END_HEADERS, 2, &block(&[(":status", "200"), ("content-type", "text/plain")])),
        frame(DATA, END_STREAM, 2, b"style"),
    ];
    told(&[Turn::Bytes(Client, hello()), Turn::Bytes(Server, server.concat())])
        .must(&["p.example/pushed #2 =style", "target=/pushed"]);
}

#[test]
fn grpc_messages_are_told_apart() {
    let message = |text: &str| {
        [&[0, 0, 0, 0, text.len() as u8 + 2, 0x0a, text.len() as u8][..], text.as_bytes()].concat()
    };
    let body = [message("first words"), message("second words")].concat();
    let client = [
        hello(),
        frame(HEADERS, END_HEADERS, 1, &post("g.example", "/s/m", "application/grpc")),
        frame(DATA, 0, 1, &body[..7]),
        frame(DATA, END_STREAM, 1, &body[7..]),
    ];
    let told = told(&[Turn::Bytes(Client, client.concat())]);
    assert!(told.quiet(), "{:#?}", told.0);
    told.must(&["http2/grpc/protobuf g.example/s/m #1 1=first words", "#2 1=second words"]);
}

#[test]
fn a_compressed_body_of_text_is_opened() {
    // {"text":"hello from brotli"} in one uncompressed meta-block (RFC 7932 section 9.2).
    let body = b"\x8b\x0d\x80{\"text\":\"hello from brotli\"}\x03";
    let head = block(&[(":status", "200"), ("content-type", "application/json"), ("content-encoding", "br")]);
    let server = [
        frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]),
        frame(HEADERS, END_HEADERS, 1, &head),
        frame(DATA, 0, 1, &body[..12]),
        frame(DATA, END_STREAM, 1, &body[12..]),
    ];
    told(&[Turn::Bytes(Client, hello()), Turn::Bytes(Server, server.concat())])
        .must(&["http2/brotli/json", "$.text=hello from brotli"]);
}

#[test]
fn grpc_web_text_and_events() {
    use base64::Engine;
    let base64 = |b: &[u8]| base64::engine::general_purpose::STANDARD.encode(b);
    let body = base64(b"\0\0\0\0\x0d\x0a\x0bfirst words") + &base64(b"\x80\0\0\0\x0fgrpc-status: 0\n");
    let media = "application/grpc-web-text+proto";
    let events =
        b"\xef\xbb\xbf: hi\r\ndata: one\r\ndata: more\r\n\r\nevent: chat\ndata:{\"text\":\"two\"}\n\n";
    let client = [
        hello(),
        frame(HEADERS, END_HEADERS, 1, &post("g.example", "/s/m", media)),
        frame(DATA, 0, 1, &body.as_bytes()[..9]),
        frame(DATA, END_STREAM, 1, &body.as_bytes()[9..]),
        frame(HEADERS, END_HEADERS, 3, &post("e.example", "/events", "text/event-stream")),
        frame(DATA, 0, 3, &events[..16]),
        frame(DATA, END_STREAM, 3, &events[16..]),
    ];
    let told = told(&[Turn::Bytes(Client, client.concat())]);
    assert!(told.quiet(), "{:#?}", told.0);
    told.must(&[
        "http2/grpc/protobuf",
        "1=first words",
        "trailers=grpc-status: 0",
        "data=one\nmore",
        "http2/sse e.example/events",
        "event=chat",
        "$.text=two",
    ]);
}

/// Damage of every kind to a busy connection: nothing may panic, and every byte stands in a ledger
/// (the engine asserts that for each layer).
#[test]
fn damage_is_harmless() {
    let one = post("a.example", "/one", "application/grpc");
    let ask = block(&[(":method", "CONNECT"), (":protocol", "websocket"), (":path", "/chat")]);
    let client = [
        hello(),
        frame(HEADERS, END_HEADERS, 1, &one),
        frame(DATA, PADDED, 1, b"\x02\0\0\0\0\x04\x0a\x02hi\0\0"),
        frame(HEADERS, 0, 3, &ask[..9]),
        frame(CONTINUATION, END_HEADERS, 3, &ask[9..]),
        frame(DATA, 0, 3, b"\x81\x84\0\0\0\0ping"),
        frame(HEADERS, END_HEADERS, 5, &post("e.example", "/e", "text/event-stream")),
        frame(DATA, END_STREAM, 5, b"data: a\n\n"),
        frame(RST_STREAM, 0, 1, &[0; 4]),
    ]
    .concat();
    let server = [
        frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]),
        frame(PUSH_PROMISE, END_HEADERS | PADDED, 1, &[&[1u8, 0, 0, 0, 2][..], &one, &[0]].concat()),
        frame(HEADERS, END_HEADERS, 3, &[0x88]),
        frame(DATA, 0, 3, b"\x81\x04pong"),
        frame(GOAWAY, 0, 0, b"\0\0\0\x03\0\0\0\0see you"),
    ]
    .concat();
    let mut seed = 1u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    for _ in 0..3000 {
        let (mut c, mut s) = (client.clone(), server.clone());
        for _ in 0..random(4) {
            let at = random(c.len());
            c[at] = random(256) as u8;
            let at = random(s.len());
            s[at] = random(256) as u8;
        }
        let (cut, lost) = (random(c.len()), random(40));
        let (head, tail) = c.split_at(cut);
        let tail = tail.get(lost..).unwrap_or_default();
        let half = random(s.len());
        told(&[
            Turn::Bytes(Client, head.to_vec()),
            Turn::Bytes(Server, s[..half].to_vec()),
            Turn::Gap(if random(2) == 0 { Client } else { Server }, lost as u64),
            Turn::Bytes(Client, tail.to_vec()),
            Turn::Bytes(Server, s[half..].to_vec()),
        ]);
    }
}
