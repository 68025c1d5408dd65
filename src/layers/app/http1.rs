//! HTTP/1.1 (RFC 9112): requests and responses, pipelined, chunked, upgraded.

use crate::model::{PerSide, Side};
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Guess, Handle, Hint, Input, Out, Peeler, Probe, Spec, Step, Then,
};
use aho_corasick::AhoCorasick;
use memchr::memmem;
use std::collections::VecDeque;
use std::sync::LazyLock;

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

const METHODS: [&[u8]; 14] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"CONNECT ",
    b"TRACE ",
    b"PROPFIND ",
    b"REPORT ",
    b"SEARCH ",
    b"MERGE ",
    b"LOCK ",
];
const HEAD_LIMIT: usize = 64 << 10;
const HEADERS: usize = 128;
/// Bytes in which the first line names its version.
const FIRST_LINE: usize = 2000;

fn starts(bytes: &[u8], word: &[u8]) -> Guess {
    let n = bytes.len().min(word.len());
    match bytes.first().is_none_or(|b| Some(b) == word.first()) && bytes[..n] == word[..n] {
        false => Guess::No,
        true if n == word.len() => Guess::Sure,
        true => Guess::More,
    }
}

fn probe(p: &Probe<'_>) -> Guess {
    if starts(p.bytes, b"HTTP/1.") == Guess::Sure {
        return Guess::Sure;
    }
    let line = &p.bytes[..memchr::memchr(b'\n', p.bytes).unwrap_or(p.bytes.len())];
    // No more than is waited for, so that a longer line is the same whole and in pieces.
    let line = &line[..line.len().min(FIRST_LINE)];
    match METHODS.iter().map(|m| starts(p.bytes, m)).max() {
        // SIP and RTSP share the methods' look; the version tells.
        Some(Guess::Sure) if line.len() == p.bytes.len() && !p.end && line.len() < FIRST_LINE => Guess::More,
        Some(Guess::Sure) if has_version(line) => Guess::Sure,
        Some(Guess::Sure) => Guess::No,
        Some(Guess::More) => Guess::More,
        _ => starts(p.bytes, b"HTTP/1."),
    }
}

/// Names the protocol in every first line.
const VERSION: &[u8] = b"HTTP/1.";

/// What a request or a response begins with.
static BEGINNINGS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new(METHODS.iter().chain([&VERSION])).expect("a short list of words makes an automaton")
});

fn has_version(line: &[u8]) -> bool {
    memmem::find(line, VERSION).is_some()
}

/// What frames the current body (RFC 9112 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Length(u64),
    Chunk(u64),
    /// The line that ends a chunk's data.
    ChunkEnd,
    Trailer,
    UntilClose,
}

#[derive(Default)]
struct Half {
    body: Option<Body>,
    child: Option<Handle>,
    lost: bool,
}

/// What a response needs to know of its request.
struct Asked {
    method: String,
    host: String,
    path: String,
}

#[derive(Default)]
struct Http1 {
    halves: PerSide<Half>,
    asked: VecDeque<Asked>,
    /// After CONNECT or an upgrade: everything belongs to this child.
    tunnel: Option<Handle>,
    upgrade: Option<String>,
}

impl Peeler for Http1 {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let side = input.side;
        if let Some(tunnel) = self.tunnel {
            out.feed(tunnel, side, input.bytes);
            return Step::again(input.bytes.len());
        }
        match self.halves[side].body {
            Some(body) => self.body(side, body, &input, out),
            None => self.head(side, &input, out),
        }
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        if let Some(tunnel) = self.tunnel {
            out.gap(tunnel, side, len);
            return AfterGap::Continue;
        }
        let half = &mut self.halves[side];
        if let Some(child) = half.child {
            out.gap(child, side, len);
        }
        match &mut half.body {
            Some(Body::Length(left) | Body::Chunk(left)) if *left >= len => {
                out.note("http-body-cut-by-gap");
                *left -= len;
                match half.body {
                    Some(Body::Length(0)) => self.finish_body(side, out),
                    Some(Body::Chunk(0)) => half.body = Some(Body::ChunkEnd),
                    _ => {}
                }
            }
            Some(Body::UntilClose) => {}
            _ => {
                self.finish_body(side, out);
                self.halves[side].lost = true;
            }
        }
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some(tunnel) = self.tunnel {
            out.close(tunnel, side);
        }
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
                parsed.then(|| self.response(side, r.code.unwrap_or(0), r.headers, out))
            }
            false => {
                let mut r = httparse::Request::new(&mut headers);
                let parsed = r.parse(&bytes[..end]).is_ok();
                parsed
                    .then(|| self.request(side, r.method.unwrap_or(""), r.path.unwrap_or(""), r.headers, out))
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
        let plausible = |at: &usize| {
            let rest = &bytes[*at..];
            rest.starts_with(VERSION) || has_version(&rest[..rest.len().min(FIRST_LINE)])
        };
        match BEGINNINGS.find_overlapping_iter(bytes).map(|found| found.start()).find(plausible) {
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

    fn request(
        &mut self,
        side: Side,
        method: &str,
        target: &str,
        headers: &[httparse::Header<'_>],
        out: &mut Out<'_, '_>,
    ) {
        let host = header(headers, "host").unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        out.begin_message();
        out.fact("http.method", method);
        out.label("host", &host);
        out.label("method", method);
        out.label("path", path);
        out.item("target", Form::Text, side, target.as_bytes());
        if !query.is_empty() {
            let child = Child::message().form(Form::Text).hint(Hint::Layer("form")).field("query");
            out.message(child, side, query.as_bytes());
        }
        self.fields(side, headers, out);
        if self.asked.len() < 256 {
            self.asked.push_back(Asked {
                method: method.to_owned(),
                host: host.clone(),
                path: path.to_owned(),
            });
        }
        self.upgrade = header(headers, "upgrade");
        let body = match framing(headers) {
            Framing::Chunked => Some(Body::Chunk(0)),
            Framing::Length(n) => Some(Body::Length(n)),
            Framing::None => None,
        };
        self.open_body(side, body, headers, &host, path, method, out);
    }

    fn response(&mut self, side: Side, status: u16, headers: &[httparse::Header<'_>], out: &mut Out<'_, '_>) {
        let interim = (100..200).contains(&status) && status != 101;
        let asked = if interim { None } else { self.asked.pop_front() };
        let asked =
            asked.unwrap_or(Asked { method: String::new(), host: String::new(), path: String::new() });
        out.begin_message();
        out.fact("http.status", u64::from(status));
        for (name, value) in [("host", &asked.host), ("method", &asked.method), ("path", &asked.path)] {
            if !value.is_empty() {
                out.label(name, value);
            }
        }
        self.fields(side, headers, out);
        if status == 101 {
            let token = header(headers, "upgrade").or_else(|| self.upgrade.take()).unwrap_or_default();
            let mut child = Child::stream()
                .hint(Hint::Upgrade(token))
                .label("host", &asked.host)
                .label("path", &asked.path);
            for name in ["sec-websocket-extensions", "sec-websocket-protocol"] {
                if let Some(value) = header(headers, name) {
                    child = child.label(static_name(name), &value);
                }
            }
            self.tunnel = Some(out.open(child));
            return;
        }
        if asked.method == "CONNECT" && (200..300).contains(&status) {
            // The target is where the stream goes (RFC 9110 section 9.3.6); the Host field may be the proxy.
            let host = asked.path.rsplit_once(':').map_or(asked.path.as_str(), |(host, _)| host);
            out.fact("http.tunnel", asked.path.as_str());
            self.tunnel = Some(out.open(Child::stream().label("host", host.trim_matches(['[', ']']))));
            return;
        }
        let bodiless = interim || status == 204 || status == 304 || asked.method == "HEAD";
        let body = match framing(headers) {
            _ if bodiless => None,
            Framing::Chunked => Some(Body::Chunk(0)),
            Framing::Length(n) => Some(Body::Length(n)),
            Framing::None => Some(Body::UntilClose),
        };
        self.open_body(side, body, headers, &asked.host, &asked.path, &asked.method, out);
    }

    fn fields(&mut self, side: Side, headers: &[httparse::Header<'_>], out: &mut Out<'_, '_>) {
        for h in headers {
            if !h.value.is_empty() {
                let field = format!("header.{}", h.name.to_ascii_lowercase());
                out.item(&field, Form::Text, side, h.value);
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // what a body needs to know of its head
    fn open_body(
        &mut self,
        side: Side,
        body: Option<Body>,
        headers: &[httparse::Header<'_>],
        host: &str,
        path: &str,
        method: &str,
        out: &mut Out<'_, '_>,
    ) {
        let half = &mut self.halves[side];
        half.body = body.filter(|b| *b != Body::Length(0));
        if half.body.is_none() {
            return;
        }
        let media = header(headers, "content-type").unwrap_or_default();
        let mut child = Child::message().label("host", host).label("path", path).label("method", method);
        for coding in header(headers, "content-encoding").unwrap_or_default().split(',').rev() {
            let coding = coding.trim().to_ascii_lowercase();
            if !coding.is_empty() && coding != "identity" {
                child = child.hint(Hint::Encoding(coding));
            }
        }
        let bare = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        if !bare.is_empty() {
            // What is compressed is octets, whatever comes out.
            let coded =
                header(headers, "content-encoding").is_some_and(|c| !c.eq_ignore_ascii_case("identity"));
            let form = if coded { Form::Binary } else { form_of(&bare) };
            child = child.label("content_type", &media).form(form).hint(Hint::ContentType(bare));
        }
        if let Some(coding) = header(headers, "grpc-encoding") {
            child = child.label("grpc_encoding", &coding);
        }
        half.child = Some(out.open(child));
    }

    fn body(&mut self, side: Side, body: Body, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let bytes = input.bytes;
        match body {
            Body::UntilClose => {
                self.give(side, bytes, out);
                Step::again(bytes.len())
            }
            Body::Length(left) => {
                let n = left.min(bytes.len() as u64) as usize;
                self.give(side, &bytes[..n], out);
                let left = left - n as u64;
                self.halves[side].body = Some(Body::Length(left));
                if left == 0 {
                    self.finish_body(side, out);
                }
                Step::again(n)
            }
            Body::Chunk(0) => self.chunk_head(side, bytes, out),
            Body::Chunk(left) => {
                let n = left.min(bytes.len() as u64) as usize;
                self.give(side, &bytes[..n], out);
                let left = left - n as u64;
                self.halves[side].body = Some(if left == 0 { Body::ChunkEnd } else { Body::Chunk(left) });
                Step::again(n)
            }
            Body::ChunkEnd => match line_end(bytes) {
                Some(n) => {
                    self.halves[side].body = Some(Body::Chunk(0));
                    Step::again(n)
                }
                None => Step::more(0, bytes.len() + 1),
            },
            Body::Trailer => match line_end(bytes.get(..=HEAD_LIMIT).unwrap_or(bytes)) {
                Some(n) => {
                    if bytes[..n].iter().all(|b| matches!(b, b'\r' | b'\n')) {
                        self.finish_body(side, out);
                    }
                    Step::again(n)
                }
                None if bytes.len() > HEAD_LIMIT => Step::die("http-head-too-long"),
                None => Step::more(0, bytes.len() + 1),
            },
        }
    }

    fn chunk_head(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) -> Step {
        let Some(n) = line_end(bytes) else {
            return if bytes.len() > 4096 {
                Step::die("http-chunk-malformed")
            } else {
                Step::more(0, bytes.len() + 1)
            };
        };
        let digits: String =
            bytes[..n].iter().take_while(|b| b.is_ascii_hexdigit()).map(|b| *b as char).collect();
        match u64::from_str_radix(&digits, 16) {
            Ok(0) => self.halves[side].body = Some(Body::Trailer),
            Ok(len) => self.halves[side].body = Some(Body::Chunk(len)),
            Err(_) => {
                out.note("http-chunk-malformed");
                self.finish_body(side, out);
                self.halves[side].lost = true;
                return Step { consumed: n, then: Then::Again };
            }
        }
        Step::again(n)
    }

    fn give(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) {
        if let Some(child) = self.halves[side].child {
            out.feed(child, side, bytes);
        }
    }

    fn finish_body(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let half = &mut self.halves[side];
        half.body = None;
        if let Some(child) = half.child.take() {
            out.close(child, side);
        }
    }
}

fn static_name(name: &str) -> &'static str {
    match name {
        "sec-websocket-extensions" => "ws_extensions",
        _ => "ws_protocol",
    }
}

enum Framing {
    Chunked,
    Length(u64),
    None,
}

fn framing(headers: &[httparse::Header<'_>]) -> Framing {
    if header(headers, "transfer-encoding").is_some_and(|v| v.to_ascii_lowercase().contains("chunked")) {
        return Framing::Chunked;
    }
    match header(headers, "content-length").and_then(|v| v.trim().parse().ok()) {
        Some(n) => Framing::Length(n),
        None => Framing::None,
    }
}

fn header(headers: &[httparse::Header<'_>], name: &str) -> Option<String> {
    let found = headers.iter().find(|h| h.name.eq_ignore_ascii_case(name))?;
    Some(String::from_utf8_lossy(found.value).into_owned())
}

/// Text for media types that are characters.
fn form_of(media: &str) -> Form {
    let text = media.starts_with("text/")
        || ["json", "xml", "javascript", "x-www-form-urlencoded", "x-ndjson"]
            .iter()
            .any(|t| media.ends_with(t));
    if text { Form::Text } else { Form::Binary }
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
