//! How simple-obfs (a plugin of Shadowsocks) begins, which puts on the look of an upgrade to WebSocket or of a TLS
//! session resumed by its ticket. Its own row, and those of HTTP and TLS that it would be taken for, ask here.
//!
//! What decides is what the imitated protocols never do. An upgrade to WebSocket has no body (RFC 6455 section
//! 4.1), and the answer to its key is a SHA-1, 20 bytes; 16 random ones stand there instead. No TLS library
//! puts the session's ticket before all other extensions, sends application data behind its hello alone, or writes
//! version 1.0 on the record of a ServerHello of 1.2.

use crate::model::Side;
use crate::peel::{Guess, Probe};

/// Whether these streams are in disguise.
pub(super) fn probe(p: &Probe<'_>) -> Guess {
    let (client, server) = match p.side {
        Side::Client => (p.bytes, p.other),
        Side::Server => (p.other, p.bytes),
    };
    let told = match client.first() {
        Some(b'G') => upgrade(client, server, p.end),
        Some(&HANDSHAKE) => resumption(client, server, p.end),
        _ => Guess::No,
    };
    if p.end && told == Guess::More { Guess::No } else { told }
}

/// Longest head that is waited for.
pub(super) const HEAD: usize = 2000;
const FIELDS: usize = 32;
/// The fields of the plugin's own request, in their order. What speaks the same and is written in another
/// language has them in another one.
const OWN: [&str; 6] = ["host", "user-agent", "upgrade", "connection", "sec-websocket-key", "content-length"];

/// A request to upgrade that has a body, and an answer that does not answer its key.
fn upgrade(client: &[u8], server: &[u8], end: bool) -> Guess {
    const METHOD: &[u8] = b"GET ";
    if !METHOD.starts_with(client.get(..METHOD.len()).unwrap_or(client)) {
        return Guess::No;
    }
    let Some(head) = head(client) else {
        return if client.len() < HEAD { Guess::More } else { Guess::No };
    };
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    if request.parse(head).is_err() {
        return Guess::No;
    }
    let fields = &*request.headers;
    let body = field(fields, "content-length").and_then(|v| v.parse().ok()).is_some_and(|n: u64| n > 0);
    if !body || !to_websocket(fields) || !field(fields, "sec-websocket-key").is_some_and(is_nonce) {
        return Guess::No;
    }
    match server {
        [] if !end => Guess::More,
        // Nobody answered: only the very request is proof enough.
        [] => {
            if is_own(fields) && client.len() > head.len() {
                Guess::Sure
            } else {
                Guess::No
            }
        }
        _ => answer(server),
    }
}

fn answer(server: &[u8]) -> Guess {
    const STATUS: &[u8] = b"HTTP/1.1 101 ";
    if !STATUS.starts_with(server.get(..STATUS.len()).unwrap_or(server)) {
        return Guess::No;
    }
    let Some(head) = head(server) else {
        return if server.len() < HEAD { Guess::More } else { Guess::No };
    };
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let whole = response.parse(head).is_ok();
    let random = field(response.headers, "sec-websocket-accept").is_some_and(is_nonce);
    if whole && random && to_websocket(response.headers) { Guess::Sure } else { Guess::No }
}

/// A head with the empty line that ends it.
pub(super) fn head(bytes: &[u8]) -> Option<&[u8]> {
    let end = memchr::memmem::find(bytes.get(..HEAD).unwrap_or(bytes), b"\r\n\r\n")?;
    bytes.get(..end + 4)
}

/// The host that a request names.
pub(super) fn host(head: &[u8]) -> Option<String> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    request.parse(head).ok()?;
    field(request.headers, "host").map(str::to_owned)
}

fn field<'a>(fields: &[httparse::Header<'a>], name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|f| f.name.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(found.value).ok().map(str::trim)
}

fn to_websocket(fields: &[httparse::Header<'_>]) -> bool {
    field(fields, "upgrade").is_some_and(|v| v.eq_ignore_ascii_case("websocket"))
}

/// Base64 of 16 bytes, in either alphabet.
fn is_nonce(text: &str) -> bool {
    let digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
    text.len() == 24 && text.strip_suffix("==").is_some_and(|t| t.as_bytes().iter().all(digit))
}

fn is_own(fields: &[httparse::Header<'_>]) -> bool {
    let names = fields.iter().map(|f| f.name.to_ascii_lowercase());
    names.eq(OWN) && field(fields, "user-agent").is_some_and(|v| v.starts_with("curl/7."))
}

const HANDSHAKE: u8 = 0x16;
/// The suites of its hello, which were a library's default once.
const SUITES: [u8; 56] = [
    0xc0, 0x2c, 0xc0, 0x30, 0x00, 0x9f, 0xcc, 0xa9, 0xcc, 0xa8, 0xcc, 0xaa, 0xc0, 0x2b, 0xc0, 0x2f, 0x00,
    0x9e, 0xc0, 0x24, 0xc0, 0x28, 0x00, 0x6b, 0xc0, 0x23, 0xc0, 0x27, 0x00, 0x67, 0xc0, 0x0a, 0xc0, 0x14,
    0x00, 0x39, 0xc0, 0x09, 0xc0, 0x13, 0x00, 0x33, 0x00, 0x9d, 0x00, 0x9c, 0x00, 0x3d, 0x00, 0x3c, 0x00,
    0x35, 0x00, 0x2f, 0x00, 0xff,
];
/// Where the ticket stands in the record, and what stands around it.
const TICKET: usize = 142;
/// Type and length of its extension, and the name's extension up to the name.
const AROUND: usize = 4 + 9;
/// Extensions behind the name: point formats, groups, signatures, encrypt-then-MAC, extended master secret.
const OTHERS: usize = 66;
const OTHER_CODES: [(usize, u8); 5] = [(0, 0x0b), (8, 0x0a), (22, 0x0d), (58, 0x16), (62, 0x17)];
/// The server's hello, its ChangeCipherSpec and the head of the record behind it.
pub(super) const FLIGHT: usize = 96 + 6 + 5;
const SESSION: std::ops::Range<usize> = 44..76;

/// What a client's hello shows of the disguise.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hello {
    /// Of the whole record.
    pub len: usize,
    /// Where the first bytes of what is carried stand in it.
    pub ticket: std::ops::Range<usize>,
    /// Where the name of a host stands in it.
    pub name: std::ops::Range<usize>,
}

fn resumption(client: &[u8], server: &[u8], end: bool) -> Guess {
    let hello = match hello(client) {
        Ok(Some(hello)) if client.len() >= hello.len => hello,
        // More of it than is looked at: what comes before the ticket tells.
        Ok(Some(_)) if end => return Guess::Sure,
        Ok(_) => return Guess::More,
        Err(Other) => return Guess::No,
    };
    match (server, client.get(hello.len..).unwrap_or_default()) {
        ([], []) if end => Guess::Sure,
        ([], []) => Guess::More,
        ([], next) if !agrees(next, 0, &DATA) => Guess::No,
        ([], next) if next.len() < DATA.len() => Guess::More,
        ([], _) => Guess::Sure,
        _ if !answers(client, server) => Guess::No,
        _ if server.len() < FLIGHT && !end => Guess::More,
        _ => Guess::Sure,
    }
}

/// What the bytes of a record of application data begin with.
pub(super) const DATA: [u8; 3] = [0x17, 3, 3];
/// The bytes are something else.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Other;

/// Whether `bytes` from `at` on, as far as they go, are these.
fn agrees(bytes: &[u8], at: usize, these: &[u8]) -> bool {
    bytes.iter().skip(at).zip(these).all(|(a, b)| a == b)
}

/// The hello that `client` begins with; `None` if it is too short to tell.
pub(super) fn hello(client: &[u8]) -> Result<Option<Hello>, Other> {
    let fixed: [(usize, &[u8]); 7] = [
        (0, &[HANDSHAKE, 3, 1]),
        (5, &[1, 0]),
        (9, &[3, 3]),
        (43, &[32]),
        (76, &[0, 56]),
        (78, &SUITES),
        (134, &[1, 0]),
    ];
    if !fixed.iter().all(|(at, these)| agrees(client, *at, these)) || !agrees(client, 138, &[0, 0x23]) {
        return Err(Other);
    }
    let number = |at: usize| Some(usize::from(u16::from_be_bytes(*client.get(at..)?.first_chunk()?)));
    let (Some(record), Some(message), Some(extensions), Some(ticket)) =
        (number(3), number(7), number(136), number(TICKET - 2))
    else {
        return Ok(None);
    };
    let name = extensions.checked_sub(AROUND + OTHERS + ticket).filter(|n| (1..=255).contains(n));
    let Some(name) = name.filter(|_| ticket > 0 && message + 4 == record && extensions + 133 == record)
    else {
        return Err(Other);
    };
    let (after, len) = (TICKET + ticket, record + 5);
    let short = name as u8;
    let wide = |n: usize| (n as u16).to_be_bytes();
    let [[a, b], [c, d]] = [wide(name + 5), wide(name + 3)];
    let others = OTHER_CODES.iter().all(|(at, code)| agrees(client, len - OTHERS + at, &[0, *code]));
    if !agrees(client, after, &[0, 0, a, b, c, d, 0, 0, short]) || !others {
        return Err(Other);
    }
    Ok(Some(Hello { len, ticket: TICKET..after, name: after + 9..after + 9 + name }))
}

/// Whether the server's first bytes, as far as they go, are the plugin's answer to that hello. Its extensions are not
/// counted in their length.
fn answers(client: &[u8], server: &[u8]) -> bool {
    let session = client.get(SESSION).unwrap_or_default();
    let fixed: [(usize, &[u8]); 8] = [
        (0, &[HANDSHAKE, 3, 1, 0, 91, 2, 0, 0, 87, 3, 3]),
        (43, &[32]),
        (SESSION.start, session),
        (76, &[0xcc, 0xa8, 0, 0]),
        (81, &[0xff, 1, 0, 1, 0]),
        (86, &[0, 0x17, 0, 0]),
        (90, &[0, 0x0b, 0, 2, 1, 0]),
        (96, &[0x14, 3, 3, 0, 1, 1, HANDSHAKE, 3, 3]),
    ];
    fixed.iter().all(|(at, these)| agrees(server, *at, these))
        && server.get(80).is_none_or(|n| matches!(n, 0 | 15))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::REGISTRY;
    use crate::peel::{Exchange, Recorder, Surroundings, Tree, Unit};

    fn turns(text: &str) -> Vec<(Side, Vec<u8>)> {
        Exchange::read(text).turns
    }

    fn layers(turns: &[(Side, Vec<u8>)]) -> Vec<String> {
        let seen: Recorder = Surroundings::new(&REGISTRY, 80).record(Tree::new(Unit::Stream), turns);
        let name =
            |l: &String| l.strip_prefix("layer ").map(|l| l.split(' ').next().unwrap_or_default().to_owned());
        seen.lines.iter().filter_map(name).collect()
    }

    fn upgrade(more: &str, accept: &str) -> Vec<(Side, Vec<u8>)> {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}"
        );
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        vec![
            (Side::Client, request.into_bytes()),
            (Side::Server, [response.as_bytes(), b"\x81\x02hi"].concat()),
        ]
    }

    const RIGHT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    const RANDOM: &str = "c0gzZlHcsHT/XEkZSpToKg==";

    #[test]
    fn an_upgrade_is_a_disguise_by_its_body_and_an_answer_that_is_none() {
        let body = "Content-Length: 4\r\n\r\n\x07\x08\x0e\x0f";
        assert_eq!(layers(&upgrade(body, RANDOM)), ["simple-obfs"]);
        // Broken software, and odd, is what it says that it is.
        for (more, accept) in
            [("\r\n", RIGHT), ("\r\n", RANDOM), (body, RIGHT), ("Content-Length: 0\r\n\r\n", RANDOM)]
        {
            assert_eq!(layers(&upgrade(more, accept))[0], "http1", "{more:?} {accept}");
        }
        let mut refused = upgrade(body, RANDOM);
        refused[1].1 = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec();
        assert_eq!(layers(&refused)[0], "http1");
        refused.truncate(1);
        assert_eq!(layers(&refused)[0], "http1");
    }

    #[test]
    fn a_hello_is_a_disguise_by_its_extensions_and_what_follows() {
        let said = turns(include_str!("../../tests/exchanges/simple-obfs-tls.txt"));
        assert_eq!(layers(&said), ["simple-obfs"]);
        let whole = hello(&said[0].1).unwrap().unwrap();
        assert_eq!(&said[0].1[whole.name], b"www.example.com");
        // A server that answers as TLS does, and a client that goes on as TLS does.
        let mut answered = said.clone();
        answered[1].1[2] = 3;
        assert_eq!(layers(&answered), ["tls"]);
        let changed = vec![said[0].clone(), (Side::Client, vec![20, 3, 3, 0, 1, 1])];
        assert_eq!(layers(&changed), ["tls"]);
        let went_on = vec![said[0].clone(), (Side::Client, vec![23, 3, 3, 0, 1, 1])];
        assert_eq!(layers(&went_on), ["simple-obfs"]);
        // Another length, suite, extension or session.
        for at in [4, 8, 79, 137, 139, 141, said[0].1.len() - 1 - 7] {
            let mut other = said.clone();
            other[0].1[at] ^= 1;
            assert_eq!(hello(&other[0].1), Err(Other), "{at}");
        }
        let mut other = said.clone();
        other[1].1[50] ^= 1;
        assert_eq!(layers(&other), ["tls"]);
    }

    #[test]
    fn a_first_message_longer_than_what_is_looked_at_is_told_by_what_stands_before_it() {
        let mut head = turns(include_str!("../../tests/exchanges/simple-obfs-tls.txt"))[0].1[..142].to_vec();
        let ticket = 5000usize;
        let lengths = [(3, 133 + 94 + ticket), (7, 129 + 94 + ticket), (136, 94 + ticket), (140, ticket)];
        for (at, n) in lengths {
            head[at..at + 2].copy_from_slice(&(n as u16).to_be_bytes());
        }
        let long = [&head[..], &vec![0x5a; ticket]].concat();
        assert_eq!(layers(&[(Side::Client, long)]), ["simple-obfs"]);
        let body = format!("Content-Length: 5000\r\n\r\n{}", "\u{7}".repeat(5000));
        let mut own = upgrade(&body, RANDOM);
        let agent = b"Host: a.example\r\nUser-Agent: curl/7.40.0\r\n";
        let text = String::from_utf8(own[0].1.clone()).unwrap();
        own[0].1 = text.replace("Host: a.example\r\n", std::str::from_utf8(agent).unwrap()).into_bytes();
        assert_eq!(layers(&own), ["simple-obfs"]);
        assert_eq!(
            layers(&upgrade(&body, RANDOM))[0],
            "http1",
            "only the very request, where nobody answered"
        );
    }
}
