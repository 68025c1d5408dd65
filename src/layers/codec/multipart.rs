//! Multipart bodies outside mails (RFC 2046 section 5.1, RFC 7578): form data, batches of requests.

use super::mime::{body, head};
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "multipart",
    title: "Multipart bodies (RFC 2046, RFC 7578)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Binary, Form::Text],
    answers: |h| matches!(h, Hint::ContentType(t) if t.starts_with("multipart/")),
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &["multipart-no-boundary"],
    open: || Box::new(Multipart),
};

fn probe(p: &Probe<'_>) -> Guess {
    if p.stated {
        return Guess::Maybe;
    }
    let Some(boundary) = first_boundary(p.bytes) else { return Guess::No };
    let rest = p.bytes.get(boundary.len() + 2..).unwrap_or_default().trim_ascii_start();
    let headed = rest.get(..8).is_some_and(|w| w.eq_ignore_ascii_case(b"content-"));
    if headed && boundary.len() >= 8 { Guess::Sure } else { Guess::No }
}

/// What the first line says after its two hyphens.
fn first_boundary(bytes: &[u8]) -> Option<String> {
    if !bytes.starts_with(b"--") {
        return None;
    }
    let line = bytes[..bytes.len().min(256)].split(|b| *b == b'\n').next()?.trim_ascii_end();
    let name = line.strip_prefix(b"--").filter(|n| !n.is_empty() && n.len() <= 72)?;
    let legal = name.iter().all(|b| matches!(b, 0x21..=0x7e));
    legal.then(|| String::from_utf8_lossy(name).into_owned())
}

struct Multipart;

impl Peeler for Multipart {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let stated = out.context("content_type").and_then(|c| head::parameter(&c, "boundary"));
        let fits = |b: &String| memchr::memmem::find(input.bytes, format!("--{b}").as_bytes()).is_some();
        let Some(boundary) = stated.filter(fits).or_else(|| first_boundary(input.bytes)) else {
            out.note("multipart-no-boundary");
            out.item("", Form::Text, input.side, input.bytes);
            return Step::again(input.bytes.len());
        };
        let (parts, around) = body::parts(input.bytes, &boundary);
        for piece in around {
            out.item("around", Form::Text, input.side, piece);
        }
        for (i, bytes) in parts.into_iter().enumerate() {
            part(i, bytes, &input, out);
        }
        Step::again(input.bytes.len())
    }
}

/// Hands on one part: its header fields, its file's name, and its body under the name of the form's
/// field, so that the field's meaning is known by it.
fn part(i: usize, bytes: &[u8], input: &Input<'_>, out: &mut Out<'_, '_>) {
    let (fields, at) = head::split(bytes);
    for field in fields.iter().filter(|f| !f.value.is_empty()) {
        let name = format!("part[{i}].header.{}", field.name);
        out.item(&name, Form::Text, input.side, field.value.as_bytes());
    }
    let disposition = head::value(&fields, "content-disposition").unwrap_or("");
    let name = head::parameter(disposition, "name").filter(|n| !n.is_empty());
    if let Some(file) = head::parameter(disposition, "filename").filter(|f| !f.is_empty()) {
        out.item(&format!("part[{i}].filename"), Form::Text, input.side, file.as_bytes());
    }
    let encoding = head::value(&fields, "content-transfer-encoding").unwrap_or("");
    let plain = body::transfer_decoded(&bytes[at..], encoding);
    if plain.is_empty() {
        return;
    }
    let stated = head::value(&fields, "content-type").unwrap_or("text/plain");
    let kind = head::bare(stated);
    let text = std::str::from_utf8(&plain).is_ok();
    let field = match &name {
        Some(name) => format!("part[{i}].{name}"),
        None => format!("part[{i}].body"),
    };
    let child = Child::message()
        .form(if text { Form::Text } else { Form::Binary })
        .field(&field)
        .label("content_type", stated)
        .label("name", name.as_deref().unwrap_or(""));
    out.message(child.hint(Hint::ContentType(kind)), input.side, &plain);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_read_from_the_first_line() {
        assert_eq!(first_boundary(b"--abc123\r\nx").as_deref(), Some("abc123"));
        assert_eq!(first_boundary(b"--\r\n"), None);
        assert_eq!(first_boundary(b"-- two words\r\n"), None);
        assert_eq!(first_boundary(b""), None);
    }
}
