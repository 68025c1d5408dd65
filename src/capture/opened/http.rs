//! An exchange of HTTP as a recorder keeps it, written as HTTP/1.1 (RFC 9112): what the head says about the
//! form of the body on its way is replaced by what is true of the body that was kept.

use super::Said;
use crate::model::{Side, Timestamp};
use std::fmt::Write as _;

/// A request or response.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Bytes of the body that were not kept.
    pub lost: u64,
    /// The body is as the reader saw it, and not as it was packed for its way.
    pub unpacked: bool,
}

impl Message {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The bytes of the message, at a time.
    fn said(self, time: Timestamp, side: Side, start: &str, bodiless: bool) -> Said {
        let mut head = format!("{}\r\n", one_line(start));
        for (name, value) in &self.headers {
            if dropped(name, self.unpacked) {
                continue;
            }
            // A HAR joins fields of one name by line feeds.
            for value in value.split('\n') {
                let _ = write!(head, "{}: {}\r\n", one_line(name), one_line(value));
            }
        }
        let length = self.body.len() as u64 + self.lost;
        if !bodiless {
            let _ = write!(head, "content-length: {length}\r\n");
        }
        head.push_str("\r\n");
        Said { time, side, bytes: [head.into_bytes(), self.body].concat(), lost: self.lost }
    }
}

/// Fields that speak of the way and not of the message.
fn dropped(name: &str, unpacked: bool) -> bool {
    let is = |known: &[&str]| known.iter().any(|k| name.eq_ignore_ascii_case(k));
    name.starts_with(':')
        || is(&["content-length", "transfer-encoding", "sec-websocket-extensions"])
        || unpacked && is(&["content-encoding"])
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// A request: its method, and its target with the host that it is for.
pub(super) fn request(
    time: Timestamp,
    method: &str,
    target: &str,
    host: String,
    mut message: Message,
    socket: bool,
) -> Said {
    if message.header("host").is_none() && !host.is_empty() {
        message.headers.insert(0, ("host".to_owned(), host));
    }
    if socket {
        upgrade(&mut message);
    }
    let target = if target.is_empty() { "/" } else { target };
    let bodiless = message.body.is_empty() && message.lost == 0;
    message.said(time, Side::Client, &format!("{method} {} HTTP/1.1", target.replace(' ', "%20")), bodiless)
}

/// A response with its status.
pub(super) fn response(
    time: Timestamp,
    status: u16,
    reason: &str,
    mut message: Message,
    socket: bool,
) -> Said {
    let status = if socket { 101 } else { status.clamp(100, 599) };
    if socket {
        upgrade(&mut message);
    }
    let bodiless = matches!(status, 100..200 | 204 | 304);
    if bodiless {
        (message.body, message.lost) = (Vec::new(), 0);
    }
    message.said(time, Side::Server, &format!("HTTP/1.1 {status} {reason}"), bodiless)
}

/// A WebSocket over HTTP/2 or 3 has no such fields (RFC 8441).
fn upgrade(message: &mut Message) {
    for (name, value) in [("upgrade", "websocket"), ("connection", "Upgrade")] {
        if message.header(name).is_none() {
            message.headers.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// One WebSocket message as one frame (RFC 6455 section 5.2), masked with zeros where a client sends it.
pub(super) fn frame(time: Timestamp, side: Side, opcode: u8, payload: &[u8]) -> Said {
    let mask = if side == Side::Client { 0x80 } else { 0 };
    let mut bytes = vec![0x80 | opcode & 15];
    match payload.len() {
        n @ ..126 => bytes.push(mask | n as u8),
        n @ 126..=0xffff => {
            bytes.push(mask | 126);
            bytes.extend((n as u16).to_be_bytes());
        }
        n => {
            bytes.push(mask | 127);
            bytes.extend((n as u64).to_be_bytes());
        }
    }
    if side == Side::Client {
        bytes.extend([0; 4]);
    }
    bytes.extend_from_slice(payload);
    Said { time, side, bytes, lost: 0 }
}
