//! Contract tests that run for every layer of every table, and for the engine around them: splitting
//! the input anywhere gives the same events, every byte stands in one ledger bucket, truncation never
//! panics, output is bounded, only declared facts and notes are used (debug assertions in the engine).

use plainsight::keys::KeyStore;
use plainsight::layers::REGISTRY;
use plainsight::model::Side;
use plainsight::peel::{Eats, Exchange, Recorder, Surroundings, Unit};

fn run(said: &Exchange, keys: &KeyStore, cut: impl Fn(&[u8]) -> Vec<usize>) -> Recorder {
    let mut pieces = Vec::new();
    for (side, bytes) in &said.turns {
        let mut from = 0;
        // A datagram is whole by nature.
        let cuts = if said.unit == Unit::Datagram { Vec::new() } else { cut(bytes) };
        for to in cuts.into_iter().chain([bytes.len()]) {
            pieces.push((*side, &bytes[from..to]));
            from = to;
        }
    }
    let mut around = Surroundings { keys, ..Surroundings::new(&REGISTRY, said.server_port) };
    around.record(said.tree(&REGISTRY), &pieces)
}

fn text(name: &str, server_port: u16, turns: &[(Side, &[u8])]) -> (String, Exchange) {
    let turns = turns.iter().map(|(s, b)| (*s, b.to_vec())).collect();
    let (unit, layer, keylog) = (Unit::Stream, None, String::new());
    (name.to_owned(), Exchange { unit, layer, server_port, keylog, turns })
}

/// Every file of `tests/exchanges/`, so that a new layer's is one file. Keep it under 4 KB: every cut of it is
/// tried.
fn folder() -> Vec<(String, Exchange)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchanges");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("tests/exchanges").flatten().map(|e| e.path()).collect();
    files.sort();
    let read = |p: &std::path::PathBuf| {
        let name = p.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, Exchange::read(&std::fs::read_to_string(p).expect("text")))
    };
    files.iter().map(read).collect()
}

fn exchanges() -> Vec<(String, Exchange)> {
    let mut all = folder();
    all.extend(spelled());
    all
}

fn spelled() -> Vec<(String, Exchange)> {
    use Side::{Client, Server};
    vec![
        text("nothing known", 4711, &[(Client, b"\x00\x01\x02\x03 zzz"), (Server, b"\xff\xfe\xfd")]),
        text(
            "http",
            80,
            &[
                (Client, b"POST /send HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n{\"text\":\"see you at six\"}"),
                (Server, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
            ],
        ),
        text(
            "http2",
            443,
            &[
                (Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00*\x04\x00\x00\x00\x00\x00\x00\x01\x00\x00\x10\x00\x00\x02\x00\x00\x00\x01\x00\x04\x00\x00\xff\xff\x00\x05\x00\x00@\x00\x00\x08\x00\x00\x00\x00\x00\x03\x00\x00\x00d\x00\x06\x00\x01\x00\x00\x00\x00*\x01\x04\x00\x00\x00\x01\x83\x87A\x87\x1a\xe5\xf2:k\xa0\xbfD\x89a\x05\xaaO\xf2\xc3\x9e\x98\x1d_\x8b\x1du\xd0b\r&=LtA\xeaz\x85H\xe8\xea\xc0\x7f\x00\x00\x10\x00\x00\x00\x00\x00\x01{\"text\":\"see you\x00\x00\x16\x01\x04\x00\x00\x00\x03\x83\x87\xc1D\x83a\x0cS_\x8b\x1du\xd0b\r&=LMed\xc0\x00\x00\x0c\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\r\n\x0bfirst"),
                (Server, b"\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x00*\x04\x00\x00\x00\x00\x00\x00\x01\x00\x00\x10\x00\x00\x02\x00\x00\x00\x00\x00\x04\x00\x00\xff\xff\x00\x05\x00\x00@\x00\x00\x08\x00\x00\x00\x00\x00\x03\x00\x00\x00d\x00\x06\x00\x01\x00\x00"),
                (Client, b"\x00\x00\x00\x04\x01\x00\x00\x00\x00"),
                (Client, b"\x00\x00\r\x00\x09\x00\x00\x00\x01\x03 at six\"}\x00\x00\x00\x00\x00\x06\x00\x01\x00\x00\x00\x03 words"),
                (Server, b"\x00\x00\x0e\x01\x04\x00\x00\x00\x03\x88_\x8b\x1du\xd0b\r&=LMed\x00\x00\x09\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x04\n\x02ok\x00\x00\x0c\x01\x05\x00\x00\x00\x03@\x88\x9a\xca\xc8\xb2\x124\xda\x8f\x81\x07\x00\x00\x0f\x01\x04\x00\x00\x00\x01\x88_\x8cI|\xa5\x82\xf7-IY\x09\xb0\xa3\xa7\x00\x00\x1c\x00\x01\x00\x00\x00\x01data: one\n\ndata: {\"a\":\"b\"}\n\n\x00\x00\x0b\x07\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00bye"),
            ],
        ),
        text("json lines", 5000, &[(Client, b"{\"from\":\"a\",\"text\":\"hi\"}\n{\"from\":\"a\",\"text\":\"bye now\"}\n"), (Server, b"{\"ok\":true}\n")]),
        text(
            "xmpp",
            5222,
            &[
                (Client, b"<?xml version='1.0'?><stream:stream to='x.example' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"),
                (Server, b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"),
                (Client, b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>"),
                (Server, b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
                (Client, b"<message to='b@x.example'><body>see &lt;you&gt; <![CDATA[at </body> six]]></body></message> <r xmlns='urn:xmpp:sm:3'/>"),
                (Server, b"<message from='b@x.example'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><encrypted xmlns='eu.siacs.conversations.axolotl'><payload>AAAA</payload></encrypted></message></forwarded></sent></message></stream:stream>"),
            ],
        ),
        text(
            "xmpp starttls",
            5222,
            &[
                (Client, b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
                (Server, b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
                (Client, b"\x16\x03\x01\x00\x05hello"),
                (Server, b"\x15\x03\x03\x00\x02\x02\x28"),
            ],
        ),
        text(
            "irc",
            6667,
            &[
                (Client, b"CAP LS 302\r\nNICK al\r\nUSER al 0 * :Al Smith\r\n"),
                (Server, b":irc.example NOTICE * :*** Looking up your hostname\r\n:irc.example 001 al :Welcome\r\n"),
                (Client, b"PRIVMSG #room :see you at \x0304,01six\x0f\r\nTOPIC #room :summer\r\n"),
                (Server, b"@time=2026-01-01T00:00:00Z :bo!b@h.example PRIVMSG al :\x01ACTION waves to everybody\x01\r\n:bo!b@h.example QUIT :gone for today"),
            ],
        ),
        text(
            "form data",
            80,
            &[(Client, b"POST /u HTTP/1.1\r\nHost: a.example\r\nContent-Type: multipart/form-data; boundary=xyz\r\nContent-Length: 120\r\n\r\n--xyz\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nsee you at six\r\n--xyz\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--xyz--")],
        ),
        text(
            "smtp",
            25,
            &[
                (Server, b"220 mx.example ESMTP\r\n"),
                (Client, b"EHLO a.example\r\n"),
                (Server, b"250-mx.example\r\n250 AUTH PLAIN LOGIN\r\n"),
                (Client, b"AUTH LOGIN\r\n"),
                (Server, b"334 VXNlcm5hbWU6\r\n"),
                (Client, b"YWxpY2U=\r\n"),
                (Server, b"334 UGFzc3dvcmQ6\r\n"),
                (Client, b"aHVudGVyMi1odW50ZXIy\r\n"),
                (Server, b"235 ok\r\n"),
                (Client, b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n"),
                (Server, b"250 ok\r\n250 ok\r\n354 go\r\n"),
                (Client, b"Subject: =?utf-8?Q?gr=C3=BC=C3=9Fe?=\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nsee you\r\n..at six\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>see you=\r\n</p>\r\n--b--\r\n.\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nBDAT 22 LAST\r\nSubject: x\r\n\r\n.\r\nlast\nQUIT\r\n"),
                (Server, b"250 queued\r\n250 ok\r\n250 ok\r\n250 queued\r\n221 bye\r\n"),
            ],
        ),
        text(
            "imap",
            143,
            &[
                (Server, b"* OK ready\r\n"),
                (Client, b"a1 LOGIN {3+}\r\nbob \"pw \\\"1\\\"\"\r\na2 FETCH 1 (FLAGS BODY[])\r\n"),
                (Server, b"a1 OK in\r\n* 1 FETCH (FLAGS (\\Seen) BODY[] {26}\r\nSubject: x\r\n\r\nsee you {3}\n)\r\na2 OK done\r\n"),
                (Client, b"a3 APPEND Sent {19}\r\n"),
                (Server, b"+ go\r\n"),
                (Client, b"Subject: y\r\n\r\nhello\r\na4 STARTTLS\r\n"),
                (Server, b"a3 OK\r\na4 OK begin\r\n"),
                (Client, b"\x16\x03\x01\x00\x02zz"),
            ],
        ),
        text(
            "pop3",
            110,
            &[
                (Server, b"+OK ready\r\n"),
                (Client, b"USER bob\r\nPASS hunter2\r\nLIST\r\nRETR 1\r\nQUIT\r\n"),
                (Server, b"+OK\r\n+OK\r\n+OK 1\r\n1 20\r\n.\r\n+OK 20 octets\r\nSubject: x\r\n\r\n..see you\r\n.\r\n+OK bye\r\n"),
            ],
        ),
    ]
}

#[test]
fn splitting_the_input_anywhere_changes_nothing() {
    for (name, said) in exchanges() {
        let keys = said.keys();
        let whole = run(&said, &keys, |_| vec![]);
        for n in [1usize, 2, 3, 7, 64] {
            let cut = run(&said, &keys, |b| (1..b.len()).filter(|i| i % n == 0).collect());
            assert_eq!(whole.lines, cut.lines, "{name} cut every {n} bytes");
        }
    }
}

/// Longer than a line, a head or a frame may be in most rows: what a limit cuts off is the same, too.
#[test]
fn splitting_what_is_too_long_changes_nothing() {
    let long = |fill: u8, end: &[u8]| [b"220 a ".as_slice(), &[fill; 200 << 10], end].concat();
    let inputs = [long(b'x', b"\r\nEHLO b\r\n"), long(b' ', b"\n"), long(0, b"\0"), long(0xff, b"\n")];
    for spec in REGISTRY.specs().filter(|s| s.eats == Eats::Stream) {
        for bytes in &inputs {
            let turns = vec![(Side::Server, bytes.clone()), (Side::Client, bytes.clone())];
            let (layer, keys) = (Some(spec.name.to_owned()), KeyStore::default());
            let said = Exchange { layer, turns, ..text("too long", 443, &[]).1 };
            let whole = run(&said, &keys, |_| vec![]);
            let cut = run(&said, &keys, |b| (1..b.len()).filter(|i| i % 999 == 0).collect());
            assert!(whole.lines == cut.lines, "{} is cut elsewhere in pieces", spec.name);
            assert!(whole.root.balances(), "{}", spec.name);
        }
    }
}

#[test]
fn every_byte_stands_in_one_bucket() {
    for (name, said) in exchanges() {
        let fed: u64 = said.turns.iter().map(|(_, b)| b.len() as u64).sum();
        let root = run(&said, &said.keys(), |_| vec![]).root;
        assert_eq!(root.fed, fed, "{name}");
        assert!(root.balances(), "{name}: {root:?}");
    }
}

#[test]
fn truncation_at_every_byte_is_harmless() {
    for (_, said) in exchanges() {
        let keys = said.keys();
        for (turn, (_, bytes)) in said.turns.iter().enumerate() {
            for keep in 0..bytes.len() {
                let mut turns = said.turns[..=turn].to_vec();
                turns[turn].1.truncate(keep);
                let cut = Exchange { turns, ..said.clone() };
                assert!(run(&cut, &keys, |_| vec![]).root.balances());
            }
        }
    }
}

#[test]
fn names_are_unique_and_probes_survive_any_bytes() {
    let mut seen = std::collections::BTreeSet::new();
    for spec in REGISTRY.specs() {
        assert!(seen.insert(spec.name), "two layers are called {}", spec.name);
        assert!(
            !spec.title.is_empty()
                && spec.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        );
    }
}
