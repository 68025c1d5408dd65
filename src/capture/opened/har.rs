//! HAR 1.2 (w3c.github.io/web-performance/specs/HAR), as browsers, proxies and test tools write it: requests
//! and responses after all protection and packing, with WebSocket messages in Chrome's and mitmproxy's way.

use super::http::{self, Message};
use super::{Read, Said, Session};
use crate::model::{Endpoint, Inside, Opened, Side, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// Whether a file begins like one: an object whose first member is `log`.
pub(super) fn recognise(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let member = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let value = member.and_then(|m| m.strip_prefix(b"\"log\""));
    value.is_some_and(|v| v.trim_ascii_start().starts_with(b":"))
}

/// Bytes of one entry, and values in it, in which text counts as it would outside: each takes much more room
/// than its text may.
const ENTRY: usize = 32 << 20;
const VALUES: usize = 3 << 20;

/// Reads all entries, those before a break too.
pub(super) fn read(text: &[u8]) -> Read {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut read = Read { name: super::HAR.to_owned(), ..Read::default() };
    let mut json = serde_json::Deserializer::from_slice(text);
    let done = Place::Top(&mut read).deserialize(&mut json);
    read.cut = done.is_err();
    read
}

/// Where in the document an entry is looked for. Everything else is passed over without being kept.
enum Place<'r> {
    Top(&'r mut Read),
    Log(&'r mut Read),
    Entries(&'r mut Read),
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self {
            Place::Entries(_) => deserializer.deserialize_seq(self),
            Place::Top(_) | Place::Log(_) => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a HAR log")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match (&mut self, key.as_str()) {
                (Place::Top(read), "log") => map.next_value_seed(Place::Log(read))?,
                (Place::Log(read), "entries") => map.next_value_seed(Place::Entries(read))?,
                (Place::Log(read), "creator") => {
                    let creator: Value = map.next_value()?;
                    let word = |k: &str| creator[k].as_str().unwrap_or_default().trim().to_owned();
                    read.name =
                        format!("{} by {} {}", super::HAR, word("name"), word("version")).trim().to_owned();
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Place::Entries(read) = self else { return Ok(()) };
        while let Some(entry) = seq.next_element::<&RawValue>()? {
            read.entries += 1;
            match value(entry.get()).and_then(|v| session(read.entries, &v)) {
                Some(session) => read.sessions.push((read.entries, session)),
                None => read.unread += 1,
            }
        }
        Ok(())
    }
}

/// An entry that fits the bounds; else what it was for, with all of it lost.
fn value(entry: &str) -> Option<Value> {
    let values = memchr::memchr_iter(b',', entry.as_bytes()).count();
    if entry.len() <= ENTRY && values <= VALUES {
        return serde_json::from_str(entry).ok();
    }
    let outline: Outline = serde_json::from_str(entry).ok()?;
    let request = json!({
        "method": outline.request.method, "url": outline.request.url, "bodySize": entry.len()});
    Some(json!({ "startedDateTime": outline.begin, "request": request }))
}

/// As much of an entry as takes no room.
#[derive(Deserialize)]
struct Outline {
    #[serde(rename = "startedDateTime")]
    begin: String,
    request: Asked,
}

#[derive(Deserialize)]
struct Asked {
    method: String,
    url: String,
}

fn session(number: u64, entry: &Value) -> Option<Session> {
    let (request, response) = (&entry["request"], &entry["response"]);
    let (scheme, host, port, target) = parts(request["url"].as_str()?)?;
    let begin = Timestamp::from_rfc3339(entry["startedDateTime"].as_str()?)?;
    let took = entry["time"].as_f64().filter(|t| t.is_finite() && *t > 0.0).unwrap_or(0.0);
    let end = Timestamp(begin.0.saturating_add((took * 1e6) as i64));
    let socket = matches!(scheme, "ws" | "wss") || entry["_webSocketMessages"].is_array();
    let method = request["method"].as_str()?;
    let status = response["status"].as_u64().unwrap_or(0);
    let body = posted(request);
    let mut said = vec![http::request(begin, method, target, authority(host, port, scheme), body, socket)];
    if status > 0 || socket {
        let reason = response["statusText"].as_str().unwrap_or_default();
        // A socket is open long before its entry ends.
        let time = if socket { begin } else { end };
        said.push(http::response(time, status.min(999) as u16, reason, answered(response), socket));
    }
    for message in entry["_webSocketMessages"].as_array().into_iter().flatten() {
        said.extend(frame(message, begin));
    }
    let secure = matches!(scheme, "https" | "wss");
    let text = |v: &Value| v.as_str().filter(|t| !t.is_empty()).map(str::to_owned);
    let details = &entry["_securityDetails"];
    let version = text(&details["protocol"]);
    let ip = entry["serverIPAddress"].as_str().map(|ip| ip.trim_matches(['[', ']']));
    let known = ip.and_then(|ip| ip.parse().ok());
    Some(Session {
        client: super::stranger(number),
        server: Endpoint { ip: known.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), port },
        opened: secure.then(|| Opened {
            sni: Some(host.trim_matches(['[', ']']).to_owned()),
            version,
            suite: None,
            alpn: super::protocol(request["httpVersion"].as_str().unwrap_or_default()),
            inside: Some(Inside::Http),
        }),
        datagrams: false,
        said,
    })
}

/// Scheme, host, port and the rest of an address of the schemes that a HAR records.
fn parts(url: &str) -> Option<(&str, &str, u16, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let default = match scheme {
        "http" | "ws" => 80,
        "https" | "wss" => 443,
        _ => return None,
    };
    let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(cut);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, a)| a);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, default),
    };
    let target = target.split('#').next().unwrap_or_default();
    (!host.is_empty()).then_some((scheme, host, port, target))
}

fn authority(host: &str, port: u16, scheme: &str) -> String {
    match (scheme, port) {
        ("http" | "ws", 80) | ("https" | "wss", 443) => host.to_owned(),
        _ => format!("{host}:{port}"),
    }
}

fn headers(message: &Value) -> Vec<(String, String)> {
    let word = |h: &Value, k: &str| h[k].as_str().map(str::to_owned);
    let all = message["headers"].as_array().into_iter().flatten();
    all.filter_map(|h| Some((word(h, "name")?, word(h, "value").unwrap_or_default()))).collect()
}

/// A text, or what its base64 stands for.
fn decoded(text: &str, encoding: &Value) -> Vec<u8> {
    let packed = encoding.as_str() == Some("base64");
    packed
        .then(|| STANDARD.decode(text.trim_end()).ok())
        .flatten()
        .unwrap_or_else(|| text.as_bytes().to_vec())
}

fn posted(request: &Value) -> Message {
    let data = &request["postData"];
    let mut message = Message { headers: headers(request), unpacked: true, ..Message::default() };
    match data["text"].as_str() {
        Some(text) if !text.is_empty() => message.body = decoded(text, &data["encoding"]),
        _ => {
            // Some writers keep the fields of a form and not its text.
            let fields = data["params"].as_array().into_iter().flatten();
            let pair =
                |p: &Value| Some(format!("{}={}", p["name"].as_str()?, p["value"].as_str().unwrap_or("")));
            message.body = fields.filter_map(pair).collect::<Vec<_>>().join("&").into_bytes();
            if message.body.is_empty() {
                message.lost = request["bodySize"].as_u64().unwrap_or(0);
            }
        }
    }
    if message.header("content-type").is_none()
        && let Some(kind) = data["mimeType"].as_str()
    {
        message.headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    message
}

fn answered(response: &Value) -> Message {
    let content = &response["content"];
    let mut message = Message { headers: headers(response), unpacked: true, ..Message::default() };
    match content["text"].as_str() {
        Some(text) => message.body = decoded(text, &content["encoding"]),
        None => message.lost = content["size"].as_u64().unwrap_or(0),
    }
    message
}

fn frame(message: &Value, begin: Timestamp) -> Option<Said> {
    let side = if message["type"].as_str()? == "send" { Side::Client } else { Side::Server };
    let opcode = message["opcode"].as_u64().unwrap_or(1) as u8;
    let data = message["data"].as_str()?;
    let time = message["time"].as_f64().and_then(Timestamp::from_seconds).unwrap_or(begin).max(begin);
    let payload = match opcode {
        // What is no text is in base64.
        2.. => STANDARD.decode(data).unwrap_or_else(|_| data.as_bytes().to_vec()),
        _ => data.as_bytes().to_vec(),
    };
    Some(http::frame(time, side, opcode, &payload))
}
