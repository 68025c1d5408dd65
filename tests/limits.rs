//! What never ends stops at a limit with a note: what expands without measure, and what lies in one another.

use plainsight::layers::REGISTRY;
use plainsight::model::Side;
use plainsight::peel::{Hint, Recorder, Surroundings, Tree, Unit};
use std::io::Write as _;

fn peel(tree: Tree, turns: &[(Side, Vec<u8>)]) -> Recorder {
    Surroundings::new(&REGISTRY, 80).record(tree, turns)
}

fn notes(seen: &Recorder, code: &str) -> bool {
    seen.lines.iter().any(|l| l.starts_with("note ") && l.contains(code))
}

fn fetched(coding: &str, body: &[u8]) -> Vec<(Side, Vec<u8>)> {
    let request = b"GET /list HTTP/1.1\r\nHost: chat.example\r\n\r\n".to_vec();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    vec![(Side::Client, request), (Side::Server, [head.as_bytes(), body].concat())]
}

#[test]
fn what_expands_without_measure_is_cut() {
    let zeros = vec![b'0'; 64 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&zeros).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(&zeros).unwrap();
    for (coding, body) in [("gzip", gzip.finish().unwrap()), ("deflate", zlib.finish().unwrap())] {
        assert!(body.len() < 1 << 20);
        let seen = peel(Tree::new(Unit::Stream), &fetched(coding, &body));
        assert!(notes(&seen, "limit"), "{coding}: {:#?}", seen.lines);
        assert!(seen.root.balances());
    }
}

/// A text in so many messages of protobuf.
fn nested(levels: usize) -> Vec<u8> {
    (0..levels).fold(b"\x0a\x17see you by the old mill".to_vec(), |inner, _| {
        let mut n = inner.len();
        let mut message = vec![0x0a];
        while n >= 128 {
            message.push(n as u8 | 128);
            n >>= 7;
        }
        message.push(n as u8);
        [message, inner].concat()
    })
}

#[test]
fn messages_in_one_another_end_with_a_note_and_short_nests_are_read() {
    let tree = || Tree::stated(Unit::Message, Hint::ContentType("application/protobuf".into()));
    let text = |seen: &Recorder| seen.lines.iter().any(|l| l.starts_with("leaf") && l.contains("Clear 23"));
    let shallow = peel(tree(), &[(Side::Client, nested(10))]);
    assert!(text(&shallow) && !notes(&shallow, "limit"), "{:#?}", shallow.lines);
    let deep = peel(tree(), &[(Side::Client, nested(2000))]);
    assert!(!text(&deep) && notes(&deep, "limit"), "{:#?}", deep.lines);
    assert!(deep.root.balances());
}

#[test]
fn parts_of_a_mail_in_one_another_end_with_a_note() {
    let mail =
        (0..100).fold("Content-Type: text/plain\r\n\r\nsee you by the old mill\r\n".to_owned(), |part, n| {
            format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n{part}\r\n--b{n}--\r\n")
        });
    let tree = Tree::stated(Unit::Message, Hint::ContentType("message/rfc822".into()));
    let seen = peel(tree, &[(Side::Client, mail.into_bytes())]);
    assert!(notes(&seen, "mime-depth-limit"), "{:#?}", seen.lines);
    assert!(seen.root.balances());
}
