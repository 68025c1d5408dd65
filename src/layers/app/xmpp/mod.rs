//! XMPP (RFC 6120, 6121): streams on TCP and WebSocket (RFC 7395), STARTTLS, and compression (XEP-0138), and
//! stanzas in BOSH bodies (XEP-0124).

mod cut;
mod stanza;

use super::starttls;
use crate::model::{PerSide, Side};
use crate::peel::{
    AfterGap, CutWhy, Eats, End, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step,
};
use cut::{Cutter, Piece};

const NOTES: &[&str] = &["xmpp-stanza-malformed", "xmpp-stanza-too-long", "xmpp-resynchronised"];

/// Streams.
pub static SPEC: Spec = Spec {
    name: "xmpp",
    title: "XMPP (RFC 6120)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| match h {
        Hint::Alpn(a) => a == "xmpp-client" || a == "xmpp-server",
        Hint::Upgrade(u) => u.eq_ignore_ascii_case("xmpp"),
        _ => false,
    },
    shapes: &[],
    probe: Some(probe),
    facts: &["xmpp.to", "xmpp.starttls"],
    notes: NOTES,
    open: || Box::new(Xmpp::default()),
};

/// Stanzas in the body of an HTTP message.
pub static BODY: Spec = Spec {
    name: "xmpp-stanzas",
    title: "XMPP stanzas in a BOSH body (XEP-0124)",
    family: Family::App,
    eats: Eats::Message,
    forms: &[Form::Text, Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(|p| match body_starts(p.bytes) {
        true => Guess::Sure,
        false => Guess::No,
    }),
    facts: &["xmpp.to", "xmpp.starttls"],
    notes: NOTES,
    open: || Box::new(Xmpp::default()),
};

const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
const COMPRESS: &str = "http://jabber.org/protocol/compress";

fn find(bytes: &[u8], what: &str) -> bool {
    memchr::memmem::find(bytes, what.as_bytes()).is_some()
}

/// The bytes behind white space, a byte order mark and an XML declaration; `None` if the declaration
/// does not end.
fn behind_prolog(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if !bytes.starts_with(b"<?xml") {
        return Some(bytes);
    }
    let end = memchr::memmem::find(bytes, b"?>")?;
    Some(bytes.get(end + 2..).unwrap_or_default().trim_ascii_start())
}

fn body_starts(bytes: &[u8]) -> bool {
    let rest = behind_prolog(bytes).unwrap_or_default();
    let tag = memchr::memchr(b'>', rest).and_then(|end| rest.get(..end)).unwrap_or_default();
    tag.starts_with(b"<body") && find(tag, "http://jabber.org/protocol/httpbind")
}

/// A start tag says it: the stream's, or an element of one of the protocol's namespaces. Stanzas without
/// a namespace of their own, as in a stream whose start was not recorded, fit by name and attributes.
fn probe(p: &Probe<'_>) -> Guess {
    let more = if p.end { Guess::No } else { Guess::More };
    let refuse =
        if p.stated && p.bytes.first().is_none_or(|b| *b == b'<') { Guess::Maybe } else { Guess::No };
    if p.bytes.is_empty() {
        return more.max(refuse);
    }
    let Some(rest) = behind_prolog(p.bytes) else {
        return if p.bytes.len() < 512 { more.max(refuse) } else { refuse };
    };
    let start = rest.get(..5.min(rest.len())).unwrap_or_default();
    if rest.is_empty() || b"<?xml".starts_with(start) && rest.len() < 5 {
        return if p.bytes.len() < 512 { more.max(refuse) } else { refuse };
    }
    if !rest.starts_with(b"<") {
        return refuse;
    }
    let (tag, whole) = match memchr::memchr(b'>', rest) {
        Some(end) => (rest.get(..end).unwrap_or_default(), true),
        None => (rest, false),
    };
    let named = tag.get(1).is_some_and(|b| b.is_ascii_alphabetic());
    let namespaces = [
        "http://etherx.jabber.org/streams",
        "jabber:client",
        "jabber:server",
        "jabber:component:accept",
        "urn:ietf:params:xml:ns:xmpp-",
        "urn:xmpp:sm:",
        "urn:xmpp:sasl:2",
    ];
    if named && namespaces.iter().any(|n| find(tag, n)) {
        return Guess::Sure;
    }
    if !whole {
        return if named && tag.len() < 1000 { more.max(refuse) } else { refuse };
    }
    let stanza = [&b"<message "[..], b"<presence ", b"<iq "].iter().any(|n| tag.starts_with(n));
    let addressed = [" to=", " from=", " id=", " type="].iter().any(|a| find(tag, a));
    if stanza && addressed { Guess::Maybe } else { refuse }
}

#[derive(Default)]
struct Xmpp {
    cutters: PerSide<Cutter>,
    /// A client asked for TLS; nothing but TLS may follow.
    asked: bool,
    /// TLS or compression began.
    over: bool,
}

impl Peeler for Xmpp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if self.asked && input.side == Side::Client && self.unanswered(&input) {
            self.begin_tls(out);
        }
        let limit = out.limits().message;
        let mut at = 0;
        while let Some(rest) = input.bytes.get(at..).filter(|r| !r.is_empty() && !self.over) {
            let (n, piece) = self.cutters[input.side].next(rest, limit);
            at += n;
            if let Some(piece) = piece {
                self.piece(piece, input.side, out);
                // What follows may be TLS already, however the bytes come.
                if self.asked && input.side == Side::Client {
                    break;
                }
            }
        }
        Step::again(at)
    }

    fn gap(&mut self, side: Side, _len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        out.note("xmpp-resynchronised");
        self.unfinished(side, CutWhy::Gap, out);
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if !self.over {
            self.unfinished(side, CutWhy::Unfinished, out);
        }
    }
}

impl Xmpp {
    /// TLS without a recorded `proceed`: the server's side may be missing.
    fn unanswered(&self, input: &Input<'_>) -> bool {
        self.cutters.client.idle() && input.bytes.first() == Some(&0x16)
    }

    fn begin_tls(&mut self, out: &mut Out<'_, '_>) {
        self.over = true;
        out.fact("xmpp.starttls", true);
        starttls::begin(out);
    }

    fn piece(&mut self, piece: Piece, side: Side, out: &mut Out<'_, '_>) {
        out.begin_message();
        match piece {
            Piece::Header(tag) => self.header(&tag, side, out),
            Piece::Stanza(xml) => self.stanza(&xml, side, out),
            Piece::Overlong(total, shown) => {
                out.note("xmpp-stanza-too-long");
                out.leaf("stanza", Form::Text, side, total, End::Cut(CutWhy::Limit), &shown);
            }
        }
    }

    fn header(&mut self, tag: &[u8], side: Side, out: &mut Out<'_, '_>) {
        if let (Side::Client, Some(to)) = (side, stanza::root(tag).to) {
            out.fact("xmpp.to", to);
        }
        stanza::hand_on(tag, side, out);
    }

    fn stanza(&mut self, xml: &[u8], side: Side, out: &mut Out<'_, '_>) {
        let root = stanza::root(xml);
        out.label("from", root.from.as_deref().unwrap_or(""));
        out.label("to", root.to.as_deref().unwrap_or(""));
        if !stanza::hand_on(xml, side, out) {
            out.note("xmpp-stanza-malformed");
        }
        match (root.name.as_str(), root.namespace == TLS, side) {
            ("starttls", true, Side::Client) => self.asked = true,
            ("proceed", true, Side::Server) => self.begin_tls(out),
            ("compressed", _, Side::Server) if root.namespace == COMPRESS => {
                self.over = true;
                starttls::compress("xmpp", out);
            }
            _ => {}
        }
    }

    /// Shows what is left of an element whose end never came.
    fn unfinished(&mut self, side: Side, why: CutWhy, out: &mut Out<'_, '_>) {
        let cutter = &mut self.cutters[side];
        let (total, shown) = cutter.unfinished();
        if total > 0 {
            let shown = shown.get(..shown.len().min(out.limits().sample)).unwrap_or_default();
            out.begin_message();
            out.leaf("stanza", Form::Text, side, total, End::Cut(why), shown);
        }
        cutter.reset();
    }
}

#[cfg(test)]
mod tests;
