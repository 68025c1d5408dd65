//! URL-encoded forms and query strings (WHATWG URL, application/x-www-form-urlencoded).

use crate::peel::{Child, Eats, Family, Form as How, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The row.
pub static SPEC: Spec = Spec {
    name: "form",
    title: "URL-encoded form",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[How::Text],
    answers: |h| matches!(h, Hint::ContentType(t) if t == "application/x-www-form-urlencoded"),
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Form),
};

/// `name=value` pairs joined by `&`, with nothing that must be escaped.
fn probe(p: &Probe<'_>) -> Guess {
    if p.stated {
        return Guess::Maybe;
    }
    let legal = |b: &u8| b.is_ascii_alphanumeric() || b"-._~%+=&*[]:/,@!$'();".contains(b);
    let pairs = p.bytes.split(|b| *b == b'&');
    let named = |pair: &[u8]| {
        let name = pair.split(|b| *b == b'=').next().unwrap_or_default();
        !name.is_empty() && name.len() < 64 && name.len() < pair.len()
    };
    let plausible = p.bytes.contains(&b'=') && p.bytes.contains(&b'&') && p.bytes.iter().all(legal);
    if plausible && pairs.into_iter().all(named) { Guess::Maybe } else { Guess::No }
}

struct Form;

impl Peeler for Form {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        for pair in input.bytes.split(|b| *b == b'&') {
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let (name, value) = (&pair[..at], pair.get(at + 1..).unwrap_or_default());
            let name = String::from_utf8_lossy(&decode(name)).into_owned();
            if let Some(message) = dns(&name, value) {
                let child = Child::message().field(&name);
                let child = child.hint(Hint::ContentType("application/dns-message".into()));
                out.message(child, input.side, &message);
                continue;
            }
            out.item(&name, How::Text, input.side, &decode(value));
        }
        Step::again(input.bytes.len())
    }
}

/// A name look-up in a query (RFC 8484 section 4.1): base64url without padding of a DNS query, whose
/// counts are fixed: one question, no answer, no name server (RFC 1035 section 4.1.1).
fn dns(name: &str, value: &[u8]) -> Option<Vec<u8>> {
    if name != "dns" {
        return None;
    }
    let message = URL_SAFE_NO_PAD.decode(value).ok()?;
    (message.len() > 16 && message.get(4..10) == Some(&[0, 1, 0, 0, 0, 0])).then_some(message)
}

fn decode(bytes: &[u8]) -> Vec<u8> {
    super::escaped::percent(bytes, b' ')
}
