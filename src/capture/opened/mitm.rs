//! Flows as mitmproxy saves them: one tnetstring after the other, each a dictionary. The versions of the
//! format name some members differently; what is read here has stood in all of them.

use super::http::{self, Message};
use super::tnetstring::{self, Item};
use super::{Read, Said, Session};
use crate::model::{Endpoint, Inside, Opened, Side, Timestamp};
use std::net::{IpAddr, Ipv4Addr};

/// Whether a file begins like one: the first key of the first dictionary.
pub(super) fn recognise(head: &[u8]) -> bool {
    let number = |text: &[u8]| -> Option<(usize, usize)> {
        let digits = text.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
        let value = std::str::from_utf8(text.get(..digits)?).ok()?.parse().ok()?;
        (text.get(digits) == Some(&b':')).then_some((value, digits + 1))
    };
    let key = || {
        let (_, at) = number(head)?;
        let (length, more) = number(head.get(at..)?)?;
        let key = head.get(at + more..)?.get(..length)?;
        let kind = head.get(at + more + length)?;
        Some(matches!(kind, b',' | b';') && key.iter().all(|b| b.is_ascii_lowercase() || *b == b'_'))
    };
    key() == Some(true)
}

/// Reads all flows, those before a break too.
pub(super) fn read(text: &[u8]) -> Read {
    let mut read = Read { name: super::MITMPROXY.to_owned(), ..Read::default() };
    let mut rest = text;
    while !rest.is_empty() {
        let Some((flow, next)) = tnetstring::read(rest) else {
            read.cut = true;
            break;
        };
        read.entries += 1;
        match session(read.entries, &flow) {
            Some(session) => read.sessions.push((read.entries, session)),
            None => read.unread += 1,
        }
        rest = next;
    }
    read
}

fn session(number: u64, flow: &Item<'_>) -> Option<Session> {
    let kind = flow.of("type").and_then(Item::text);
    let (client, server) = (flow.of("client_conn"), flow.of("server_conn"));
    let begun = |c: Option<&Item<'_>>| seconds(c?.of("timestamp_start"));
    let start = begun(client).or_else(|| begun(server));
    let (datagrams, inside, said, secure, named) = match kind.as_deref() {
        None | Some("http") => {
            let request = flow.of("request")?;
            let scheme = request.of("scheme").and_then(Item::text);
            let secure = scheme.as_deref() == Some("https");
            (false, Some(Inside::Http), exchange(flow, request)?, secure, destination(request))
        }
        Some("tcp") => (false, None, pieces(flow, start?)?, protected(client, server), None),
        Some("websocket") => (
            false,
            Some(Inside::WebSocket),
            sockets(flow.of("messages")?, start?),
            protected(client, server),
            None,
        ),
        Some("udp") if !protected(client, server) => (true, None, pieces(flow, start?)?, false, None),
        _ => return None,
    };
    let at = |c: Option<&Item<'_>>, names: &[&str]| names.iter().find_map(|n| endpoint(c?.of(n)?));
    let server_at = at(server, &["peername", "ip_address", "peer_address", "address"]);
    let port = named.or(server_at.map(|e| e.port))?;
    let ip = server_at.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |e| e.ip);
    // Several flows share a connection of the client's, and each is a connection here: no true port.
    let known = at(client, &["peername", "address"]).map(|e| e.ip);
    let mut caller = super::stranger(number);
    caller.ip = known.unwrap_or(caller.ip);
    Some(Session {
        client: caller,
        server: Endpoint { ip, port },
        opened: secure.then(|| opened(client, server, flow, inside)),
        datagrams,
        said,
    })
}

fn protected(client: Option<&Item<'_>>, server: Option<&Item<'_>>) -> bool {
    let tls = |c: &Item<'_>| {
        ["tls_established", "ssl_established", "tls"].iter().any(|n| c.of(n).is_some_and(Item::truth))
    };
    [client, server].into_iter().flatten().any(tls)
}

fn opened(
    client: Option<&Item<'_>>,
    server: Option<&Item<'_>>,
    flow: &Item<'_>,
    inside: Option<Inside>,
) -> Opened {
    // What the app asked for, and what the service agreed to.
    let text = |name: &str, first: Option<&Item<'_>>, then: Option<&Item<'_>>| {
        [first, then].into_iter().flatten().find_map(|c| c.of(name).and_then(Item::text))
    };
    let request = flow.of("request");
    let http = request.and_then(|r| r.of("http_version")).and_then(Item::text);
    Opened {
        sni: text("sni", client, server).or_else(|| request?.of("host").and_then(Item::text)),
        version: text("tls_version", server, client).map(|v| version(&v)),
        suite: text("cipher", server, client).or_else(|| text("cipher_name", server, client)),
        alpn: text("alpn", server, client).or_else(|| super::protocol(&http?)),
        inside,
    }
}

/// A version of TLS as others write it.
fn version(name: &str) -> String {
    match name {
        "TLSv1" => "TLS 1.0".to_owned(),
        _ => name.replace("TLSv", "TLS ").replace("SSLv", "SSL "),
    }
}

fn seconds(item: Option<&Item<'_>>) -> Option<Timestamp> {
    Timestamp::from_seconds(item?.number()?)
}

fn endpoint(item: &Item<'_>) -> Option<Endpoint> {
    // Old versions wrap the pair in a dictionary.
    let pair = item.of("address").unwrap_or(item).list();
    let ip = pair.first()?.text()?.trim_start_matches("::ffff:").parse().ok()?;
    let port = pair.get(1)?.number()?;
    (0.0..=65_535.0).contains(&port).then_some(Endpoint { ip, port: port as u16 })
}

fn destination(request: &Item<'_>) -> Option<u16> {
    let port = request.of("port")?.number()?;
    (0.0..=65_535.0).contains(&port).then_some(port as u16)
}

fn exchange(flow: &Item<'_>, request: &Item<'_>) -> Option<Vec<Said>> {
    let text = |i: &Item<'_>, name: &str| i.of(name).and_then(Item::text);
    let messages = flow.of("websocket").and_then(|w| w.of("messages"));
    let begin = seconds(request.of("timestamp_start"))?;
    let target = text(request, "path").unwrap_or_default();
    let host = text(request, "authority").or_else(|| text(request, "host")).unwrap_or_default();
    let method = text(request, "method")?;
    let socket = messages.is_some();
    let mut said = vec![http::request(begin, &method, &target, host, message(request), socket)];
    if let Some(response) = flow.of("response") {
        let time = seconds(response.of("timestamp_start")).unwrap_or(begin);
        let status = response.of("status_code").or_else(|| response.of("code")).and_then(Item::number)?;
        let reason = text(response, "reason").or_else(|| text(response, "msg")).unwrap_or_default();
        said.push(http::response(time, status as u16, &reason, message(response), socket));
    }
    said.extend(messages.into_iter().flat_map(|m| sockets(m, begin)));
    Some(said)
}

/// Body and head, the trailers with it: a reader of HTTP/1.1 does not expect them behind a body of known length.
fn message(part: &Item<'_>) -> Message {
    let fields = ["headers", "trailers"].iter().filter_map(|name| part.of(name)).flat_map(Item::list);
    let pair = |field: &Item<'_>| match field.list() {
        [name, value, ..] => Some((name.text()?, value.text().unwrap_or_default())),
        _ => None,
    };
    let body = part.of("content").and_then(Item::bytes).unwrap_or_default().to_vec();
    let mut message = Message { headers: fields.filter_map(pair).collect(), body, ..Message::default() };
    // A body that was streamed through was not kept.
    if part.of("content").is_none() {
        message.lost = message.header("content-length").and_then(|n| n.trim().parse().ok()).unwrap_or(0);
    }
    message
}

/// Messages of a WebSocket: opcode, whether the client sent it, the payload, the time.
fn sockets(messages: &Item<'_>, begin: Timestamp) -> Vec<Said> {
    let one = |message: &Item<'_>| {
        let [opcode, from_client, payload, time, ..] = message.list() else { return None };
        let side = if from_client.truth() { Side::Client } else { Side::Server };
        let time = seconds(Some(time)).unwrap_or(begin);
        Some(http::frame(time, side, opcode.number()? as u8, payload.bytes()?))
    };
    messages.list().iter().filter_map(one).collect()
}

/// Bytes of a TCP or UDP flow: whether the client sent them, the bytes, the time.
fn pieces(flow: &Item<'_>, begin: Timestamp) -> Option<Vec<Said>> {
    let one = |message: &Item<'_>| {
        let [from_client, bytes, time, ..] = message.list() else { return None };
        let side = if from_client.truth() { Side::Client } else { Side::Server };
        let time = seconds(Some(time)).unwrap_or(begin);
        Some(Said { time, side, bytes: bytes.bytes()?.to_vec(), lost: 0 })
    };
    Some(flow.of("messages")?.list().iter().filter_map(one).collect())
}
