//! Words that a server chooses freely where nobody looks: the reason phrase of a status line (RFC 9112 section 4).

use crate::model::Side;
use crate::peel::{Form, Out};

/// What servers write there of themselves: RFC 9110 section 15 and what came before and beside it.
const USUAL: &[&str] = &[
    "accepted",
    "already reported",
    "authentication required",
    "bad gateway",
    "bad request",
    "client closed request",
    "conflict",
    "connection established",
    "content too large",
    "continue",
    "created",
    "early hints",
    "expectation failed",
    "failed dependency",
    "forbidden",
    "found",
    "gateway time-out",
    "gateway timeout",
    "gone",
    "http version not supported",
    "im used",
    "insufficient storage",
    "internal server error",
    "length required",
    "locked",
    "loop detected",
    "method not allowed",
    "misdirected request",
    "moved",
    "moved permanently",
    "moved temporarily",
    "multi-status",
    "multiple choices",
    "network authentication required",
    "no content",
    "non-authoritative information",
    "not acceptable",
    "not extended",
    "not found",
    "not implemented",
    "not modified",
    "object moved",
    "ok",
    "partial content",
    "payload too large",
    "payment required",
    "permanent redirect",
    "precondition failed",
    "precondition required",
    "processing",
    "proxy authentication required",
    "range not satisfiable",
    "request entity too large",
    "request header fields too large",
    "request time-out",
    "request timeout",
    "requested range not satisfiable",
    "reset content",
    "see other",
    "service unavailable",
    "switching protocols",
    "temporary redirect",
    "too many requests",
    "unauthorized",
    "unprocessable entity",
    "unsupported media type",
];

/// Shows the phrase of a response's head where it is not one of the usual ones.
pub(super) fn show(head: &[u8], side: Side, out: &mut Out<'_, '_>) {
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
    let phrase = line.splitn(3, |b| *b == b' ').nth(2).unwrap_or_default().trim_ascii();
    if !phrase.is_empty() && !USUAL.iter().any(|known| phrase.eq_ignore_ascii_case(known.as_bytes())) {
        out.item("reason", Form::Text, side, phrase);
    }
}
