//! HTTP/1.1 (RFC 9112): requests and responses, pipelined, chunked, upgraded.

mod body;
mod phrase;
mod probe;

use super::http::{self, Asked, Head};
use crate::model::{PerSide, Side};
use crate::peel::{AfterGap, Child, Eats, Family, Form, Handle, Hint, Input, Out, Peeler, Spec, Step};
use body::Body;
use probe::probe;
use std::collections::VecDeque;

/// The row.
pub static SPEC: Spec = Spec {
    name: "http1",
    title: "HTTP/1.1 (RFC 9112)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary, Form::Text],
    answers: |h| matches!(h, Hint::Alpn(a) if a == "http/1.1" || a == "http/1.0"),
    shapes: &[],
    probe: Some(probe),
    facts: &["http.method", "http.status", "http.tunnel"],
    notes: &[
        "http-head-malformed",
        "http-head-too-long",
        "http-chunk-malformed",
        "http-body-cut-by-gap",
        "http-resynchronised",
    ],
    open: || Box::new(Http1::default()),
};

/// Longest head, and longest trailer.
const HEAD_LIMIT: usize = 64 << 10;
const HEADERS: usize = 128;
/// Requests that wait for their responses.
const PIPELINED: usize = 256;

#[derive(Default)]
struct Half {
    body: Option<Body>,
    child: Option<Handle>,
    lost: bool,
}

#[derive(Default)]
struct Http1 {
    halves: PerSide<Half>,
    asked: VecDeque<Asked>,
    upgrade: Option<String>,
}

impl Peeler for Http1 {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let side = input.side;
        match self.halves[side].body {
            Some(body) => self.body(side, body, &input, out),
            None => self.head(side, &input, out),
        }
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        self.body_gap(side, len, out);
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        self.finish_body(side, out);
    }
}

impl Http1 {
    fn head(&mut self, side: Side, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let bytes = input.bytes;
        if self.halves[side].lost {
            return self.find_head(side, bytes, out);
        }
        let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if blank > 0 {
            return Step::again(blank);
        }
        // No further than the limit, so that it is as long in one piece as in several.
        let Some(end) = head_end(bytes.get(..=HEAD_LIMIT).unwrap_or(bytes)) else {
            if bytes.len() > HEAD_LIMIT {
                return Step::die("http-head-too-long");
            }
            return Step::more(0, bytes.len() + 1);
        };
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let done = match bytes.starts_with(b"HTTP/") {
            true => {
                let mut r = httparse::Response::new(&mut headers);
                let parsed = r.parse(&bytes[..end]).is_ok();
                parsed.then(|| {
                    self.response(side, r.code.unwrap_or(0), &read(r.headers), out);
                    phrase::show(bytes, side, out);
                })
            }
            false => {
                let mut r = httparse::Request::new(&mut headers);
                let parsed = r.parse(&bytes[..end]).is_ok();
                let (method, path) = (r.method.unwrap_or(""), r.path.unwrap_or(""));
                parsed.then(|| self.request(side, method, path, &read(r.headers), out))
            }
        };
        if done.is_none() {
            out.note("http-head-malformed");
            self.halves[side].lost = true;
            return Step::again(1);
        }
        Step::again(end)
    }

    /// After a loss: the next plausible head.
    fn find_head(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) -> Step {
        match probe::next_head(bytes) {
            Some(at) => {
                self.halves[side].lost = false;
                out.note("http-resynchronised");
                Step::again(at)
            }
            None => {
                Step::more(bytes.len().saturating_sub(HEAD_LIMIT / 4), bytes.len().min(HEAD_LIMIT / 4) + 1)
            }
        }
    }

    fn request(&mut self, side: Side, method: &str, target: &str, head: &Head<'_>, out: &mut Out<'_, '_>) {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let asked = Asked {
            method: method.to_owned(),
            host: head.value("host").unwrap_or_default(),
            path: path.to_owned(),
            protocol: None,
        };
        out.begin_message();
        out.fact("http.method", method);
        asked.label(out);
        http::target(target, side, out);
        head.items(side, out);
        self.upgrade = head.value("upgrade");
        self.open_body(side, Body::announced(head, None), head, &asked, out);
        if self.asked.len() < PIPELINED {
            self.asked.push_back(asked);
        }
    }

    fn response(&mut self, side: Side, status: u16, head: &Head<'_>, out: &mut Out<'_, '_>) {
        let interim = (100..200).contains(&status) && status != 101;
        let asked = if interim { self.asked.front().cloned() } else { self.asked.pop_front() };
        let asked = asked.unwrap_or_default();
        out.begin_message();
        out.fact("http.status", u64::from(status));
        asked.label(out);
        head.items(side, out);
        if status == 101 {
            let token = head.value("upgrade").or_else(|| self.upgrade.take()).unwrap_or_default();
            let child = Child::stream().hint(Hint::Upgrade(token));
            let child = child.label("host", &asked.host).label("path", &asked.path);
            return out.hand_over(head.agreed(child));
        }
        if asked.method == "CONNECT" && (200..300).contains(&status) {
            // The target is where the stream goes (RFC 9110 section 9.3.6); the Host field may be the proxy.
            let host = asked.path.rsplit_once(':').map_or(asked.path.as_str(), |(host, _)| host);
            out.fact("http.tunnel", asked.path.as_str());
            return out.hand_over(Child::stream().label("host", host.trim_matches(['[', ']'])));
        }
        let bodiless = interim || status == 204 || status == 304 || asked.method == "HEAD";
        let body = if bodiless { None } else { Body::announced(head, Some(Body::UntilClose)) };
        self.open_body(side, body, head, &asked, out);
    }
}

fn read<'a>(headers: &'a [httparse::Header<'a>]) -> Head<'a> {
    headers.iter().map(|h| (h.name.as_bytes(), Some(h.value))).collect()
}

/// Length of the first line with its end.
fn line_end(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', bytes).map(|at| at + 1)
}

/// Length of a head with the empty line that ends it.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(n) = line_end(&bytes[from..]) {
        from += n;
        match &bytes[from..] {
            [b'\n', ..] => return Some(from + 1),
            [b'\r', b'\n', ..] => return Some(from + 2),
            _ => {}
        }
    }
    None
}
