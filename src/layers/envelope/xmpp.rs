//! OpenPGP in XMPP stanzas (XEP-0027, XEP-0373), and `aesgcm:` links whose key is in clear (XEP-0454).

use super::grammar::encoding::base64_lines;
use super::grammar::notice;
use super::grammar::xml;
use super::{Class, Envelope, Form, Recogniser, Tier, recognise_as};

/// Stanzas with OpenPGP.
pub const STANZAS: Recogniser =
    Recogniser { format_family: "xmpp-openpgp", title: "OpenPGP in XMPP", tries: Form::Text, recognise };
/// Links to encrypted files.
pub const LINKS: Recogniser = Recogniser {
    format_family: "aesgcm-link",
    title: "aesgcm: links in clear",
    tries: Form::Text,
    recognise: link,
};

const OLD: &str = "jabber:x:encrypted";
const NEW: &str = "urn:xmpp:openpgp:0";

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    let mentions = |name: &str| memchr::memmem::find(bytes, name.as_bytes()).is_some();
    if bytes.first() != Some(&b'<') || !(mentions(OLD) || mentions(NEW) || mentions("jabber:x:signed")) {
        return None;
    }
    let root = xml::parse(std::str::from_utf8(bytes).ok()?)?;
    let (element, format) =
        root.all().into_iter().find_map(|e| match (e.namespace.as_str(), e.name.as_str()) {
            (OLD, "x") => Some((e, "xep-0027")),
            (NEW, "openpgp") => Some((e, "xep-0373")),
            ("jabber:x:signed", "x") => Some((e, "xep-0027-signed")),
            _ => None,
        })?;
    // XEP-0027 keeps the armor's checksum line but none of its headers.
    let text = element.text.trim();
    let body = match text.rsplit_once('\n') {
        Some((body, sum)) if sum.len() == 5 && sum.starts_with('=') => body,
        _ => text,
    };
    let bytes = base64_lines(body)?;
    let inner = recognise_as("openpgp", &bytes)?;
    let leak = root.all().into_iter().filter(|e| matches!(e.name.as_str(), "body" | "subject")).any(|e| {
        let text = e.text.trim();
        !text.is_empty() && !notice::is_fallback(text)
    });
    let claims = inner.class.claim() > 0;
    let envelope = Envelope { format, ..inner }
        .maybe("from", root.attribute("from"))
        .maybe("to", root.attribute("to"))
        .decoded(bytes);
    let why = (leak && claims).then_some("text stands readable in <body> or <subject> beside the ciphertext");
    Some(envelope.broken_if(why))
}

/// A link whose fragment is IV and key, seen where it can be seen, gives the file away.
fn link(bytes: &[u8]) -> Option<Envelope> {
    // With words around it the text is a message that a person can read; a rule finds the link there.
    if !bytes.starts_with(b"aesgcm://") || bytes.iter().any(|b| b.is_ascii_whitespace()) {
        return None;
    }
    let hash = bytes.iter().position(|&b| b == b'#')?;
    let fragment = bytes.get(hash + 1..)?;
    let secret = matches!(fragment.len(), 88 | 96) && fragment.iter().all(u8::is_ascii_hexdigit);
    secret.then(|| {
        Envelope::new("aesgcm-link", "OMEMO media sharing", Class::SecretKey, Tier::T1)
            .because("the link to an encrypted file carries its key in clear")
    })
}
