//! Mails and other MIME entities (RFC 5322, RFC 2045 to 2049): header fields, texts, parts, attachments.

pub(super) mod body;
pub(super) mod head;

use crate::model::Side;
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use head::Field;

/// The row.
pub static SPEC: Spec = Spec {
    name: "mime",
    title: "MIME messages (RFC 5322, RFC 2045)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text, Form::Binary],
    answers: |h| matches!(h, Hint::ContentType(t) if matches!(t.as_str(), "message/rfc822" | "message/global")),
    shapes: &[],
    probe: Some(probe),
    facts: &["mime.type"],
    notes: &["mime-depth-limit", "mime-charset-unknown", "mime-no-boundary"],
    open: || Box::new(Mime),
};

/// Multiparts inside one another.
const DEEPEST: usize = 12;

/// Fields that hardly anything but a mail begins with; one of them and another field make a mail.
const TELLING: [&str; 9] = [
    "content-type",
    "mime-version",
    "message-id",
    "return-path",
    "received",
    "delivered-to",
    "from",
    "dkim-signature",
    "content-transfer-encoding",
];

fn probe(p: &Probe<'_>) -> Guess {
    if p.stated {
        return Guess::Maybe;
    }
    let window = &p.bytes[..p.bytes.len().min(16 << 10)];
    let end = window.iter().take(41).position(|b| !(b.is_ascii_alphanumeric() || *b == b'-'));
    if end.and_then(|at| window.get(at)) != Some(&b':') {
        return Guess::No;
    }
    let (fields, at) = head::split(window);
    let told = |f: &&Field| TELLING.contains(&f.name.as_str());
    let begins = fields.first().as_ref().is_some_and(told);
    let mail = fields.iter().filter(told).count() >= 2
        || fields.first().is_some_and(|f| f.name == "content-type" && f.value.contains('/'));
    if begins && mail && at > 0 && at < p.bytes.len() { Guess::Sure } else { Guess::No }
}

struct Mime;

impl Peeler for Mime {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let (fields, at) = head::split(input.bytes);
        for field in &fields {
            header(&format!("header.{}", field.name), field, input.side, out);
            match field.name.as_str() {
                "from" => out.label("from", &head::decoded(&field.value)),
                "to" => out.label("to", &head::decoded(&field.value)),
                _ => {}
            }
        }
        entity(&fields, &input.bytes[at..], 0, "text/plain", input.side, out);
        Step::again(input.bytes.len())
    }
}

fn header(name: &str, field: &Field, side: Side, out: &mut Out<'_, '_>) {
    if !field.value.is_empty() {
        out.item(name, Form::Text, side, head::decoded(&field.value).as_bytes());
    }
}

/// Hands on the body of an entity by its type.
fn entity(fields: &[Field], raw: &[u8], depth: usize, default: &str, side: Side, out: &mut Out<'_, '_>) {
    let stated = head::value(fields, "content-type").unwrap_or(default);
    let kind = match head::bare(stated) {
        k if k.contains('/') => k,
        _ => "text/plain".to_owned(),
    };
    out.fact("mime.type", kind.as_str());
    let encoding = head::value(fields, "content-transfer-encoding").map(head::bare).unwrap_or_default();
    if kind.starts_with("multipart/") {
        return multipart(stated, &kind, raw, depth, side, out);
    }
    let bytes = body::transfer_decoded(raw, &encoding);
    let disposition = head::value(fields, "content-disposition").unwrap_or("");
    let name = head::parameter(disposition, "filename").or_else(|| head::parameter(stated, "name"));
    if let Some(name) = &name {
        out.item("filename", Form::Text, side, head::decoded(name).as_bytes());
    }
    if bytes.trim_ascii().is_empty() {
        return;
    }
    let armored = bytes.trim_ascii_start().starts_with(b"-----BEGIN ");
    match kind.as_str() {
        "application/pgp-encrypted" => out.item("pgp-control", Form::Plain, side, &bytes),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
            out.item("smime", Form::Binary, side, &bytes)
        }
        _ if kind.starts_with("text/") => {
            let charset = head::parameter(stated, "charset").unwrap_or_default();
            text(&kind, &bytes, &charset, side, out);
        }
        _ if armored => armor(&bytes, side, out),
        _ => {
            let form = if looks_like_text(&kind) { Form::Text } else { Form::Binary };
            let mut child = Child::message().form(form).field("attachment").label("content_type", stated);
            if let Some(name) = &name {
                child = child.label("filename", name);
            }
            out.message(child.hint(Hint::ContentType(kind)), side, &bytes);
        }
    }
}

fn looks_like_text(kind: &str) -> bool {
    ["json", "xml", "javascript", "message/delivery-status", "rfc822", "pgp-keys", "pgp-signature"]
        .iter()
        .any(|t| kind.ends_with(t))
}

fn multipart(stated: &str, kind: &str, raw: &[u8], depth: usize, side: Side, out: &mut Out<'_, '_>) {
    let Some(boundary) = head::parameter(stated, "boundary").filter(|b| !b.is_empty()) else {
        out.note("mime-no-boundary");
        return text("text/plain", raw, "", side, out);
    };
    if depth >= DEEPEST {
        out.note("mime-depth-limit");
        return out.item("part", Form::Text, side, raw);
    }
    let default = if kind == "multipart/digest" { "message/rfc822" } else { "text/plain" };
    let (parts, around) = body::parts(raw, &boundary);
    for piece in around {
        out.item("around", Form::Text, side, piece);
    }
    for part in parts {
        let (fields, at) = head::split(part);
        for field in &fields {
            header(&format!("part.header.{}", field.name), field, side, out);
        }
        entity(&fields, &part[at..], depth + 1, default, side, out);
    }
}

/// A text, in UTF-8. Armor inside it is handed on by itself, what stands around it as text.
fn text(kind: &str, bytes: &[u8], charset: &str, side: Side, out: &mut Out<'_, '_>) {
    let (text, known) = body::text(bytes, charset);
    if !known {
        out.note("mime-charset-unknown");
    }
    if kind == "text/html" {
        // The page itself holds links and attributes, which are content as well.
        out.item("page", Form::Text, side, text.as_bytes());
        return out.item(kind, Form::Text, side, body::html_text(&text).as_bytes());
    }
    for piece in around_armor(&text) {
        out.item(kind, Form::Text, side, piece.as_bytes());
    }
}

fn armor(bytes: &[u8], side: Side, out: &mut Out<'_, '_>) {
    let text = String::from_utf8_lossy(bytes);
    for piece in around_armor(&text) {
        out.item("armor", Form::Text, side, piece.as_bytes());
    }
}

/// Cuts a text into armored blocks and what stands before, between and after them. Blank pieces are
/// left out.
fn around_armor(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = block_start(rest) {
        let Some(len) = block_len(&rest[at..]) else { break };
        let (before, from) = rest.split_at(at);
        let (block, after) = from.split_at(len);
        pieces.extend([before, block]);
        rest = after;
        if pieces.len() > 64 {
            break;
        }
    }
    pieces.push(rest);
    pieces.retain(|p| !p.trim().is_empty());
    pieces
}

/// Where a line begins with the head of a block.
fn block_start(text: &str) -> Option<usize> {
    text.match_indices("-----BEGIN ").map(|(i, _)| i).find(|i| *i == 0 || text.as_bytes()[i - 1] == b'\n')
}

/// Length of the block at the start of `block`, with its last line. A signed text ends with its
/// signature.
fn block_len(block: &str) -> Option<usize> {
    let label = block.get(11..)?.split("-----").next()?;
    let label = if label == "PGP SIGNED MESSAGE" { "PGP SIGNATURE" } else { label };
    let tail = format!("-----END {label}-----");
    block.find(&tail).map(|n| n + tail.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn armor_is_cut_out_of_a_text() {
        let text = "hello\n-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\nbye\n";
        let pieces = around_armor(text);
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[0], "hello\n");
        assert!(pieces[1].starts_with("-----BEGIN") && pieces[1].ends_with("MESSAGE-----"));
        assert_eq!(pieces[2], "\nbye\n");
        assert_eq!(around_armor("> -----BEGIN PGP MESSAGE-----"), ["> -----BEGIN PGP MESSAGE-----"]);
        assert_eq!(around_armor("-----BEGIN PGP MESSAGE-----\nopen").len(), 1);
    }
}
