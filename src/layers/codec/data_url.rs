//! Data URLs (RFC 2397): a link that holds what it leads to.

use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Spec, Step};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The row.
pub static SPEC: Spec = Spec {
    name: "data-url",
    title: "Data URL (RFC 2397)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text],
    answers: |_| false,
    shapes: &[],
    probe: Some(|p| if parsed(p.bytes).is_some() { Guess::Sure } else { Guess::No }),
    facts: &[],
    notes: &[],
    open: || Box::new(DataUrl),
};

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

struct DataUrl;

impl Peeler for DataUrl {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some((media, bytes)) = parsed(input.bytes) else { return Step::again(0) };
        let form = if std::str::from_utf8(&bytes).is_ok() { Form::Text } else { Form::Binary };
        let bare = media.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let child = Child::message().form(form).label("content_type", &media);
        out.message(child.hint(Hint::ContentType(bare)), input.side, &bytes);
        Step::again(input.bytes.len())
    }
}

/// Media type and content.
fn parsed(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    let rest = bytes.strip_prefix(b"data:")?;
    let comma = memchr::memchr(b',', rest.get(..rest.len().min(256))?)?;
    let media = std::str::from_utf8(rest.get(..comma)?).ok()?;
    let body = percent_undone(rest.get(comma + 1..)?.trim_ascii())?;
    let (media, body) = match media.strip_suffix(";base64") {
        Some(media) => (media, ENGINE.decode(&body).ok()?),
        None => (media, body),
    };
    let typed = media.is_empty()
        || media.starts_with(';')
        || media.split(';').next().is_some_and(|m| m.contains('/'));
    let media = if media.is_empty() { "text/plain" } else { media };
    (typed && !media.contains(' ') && !body.is_empty()).then(|| (media.to_owned(), body))
}

/// Escapes undone (RFC 3986 section 2.1); white space has no place in a link.
fn percent_undone(bytes: &[u8]) -> Option<Vec<u8>> {
    (!bytes.iter().any(u8::is_ascii_whitespace)).then(|| super::escaped::percent(bytes, b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_comes_out_with_its_type() {
        let got = parsed(b"data:text/plain;charset=utf-8;base64,c2VlIHlvdQ==").unwrap();
        assert_eq!(got, ("text/plain;charset=utf-8".into(), b"see you".to_vec()));
        assert_eq!(parsed(b"data:,see%20you").unwrap(), ("text/plain".into(), b"see you".to_vec()));
        for text in ["data: one, two", "data:image/png;base64,***", "data:text/plain,see you"] {
            assert_eq!(parsed(text.as_bytes()), None, "{text}");
        }
    }
}
