//! Binary formats in text clothes: OpenPGP armor, PEM of CMS, age and saltpack armor, S/MIME bodies. The
//! label on the armor proves nothing; what it wraps is read.

use super::grammar::encoding::base64_lines;
use super::{Class, Envelope, Form, Recogniser, Tier, recognise_as};

/// Armored blocks anywhere in a text.
pub const BLOCKS: Recogniser =
    Recogniser { format_family: "armor", title: "Armored messages", tries: Form::Text, recognise };
/// Mail with a CMS body.
pub const SMIME: Recogniser =
    Recogniser { format_family: "smime", title: "S/MIME bodies", tries: Form::Text, recognise: smime };

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    if bytes.len() < 40 {
        return None;
    }
    let at = memchr::memmem::find(bytes, b"-----BEGIN ")?;
    let text = std::str::from_utf8(bytes).ok()?;
    let (label, rest) = text.get(at + 11..)?.split_once("-----")?;
    let (body, after) = rest.split_once("-----END ")?;
    if !after.starts_with(label) && label != "PGP SIGNED MESSAGE" {
        return None;
    }
    match label {
        "PGP SIGNED MESSAGE" => {
            Some(Envelope::new("openpgp-cleartext-signed", "OpenPGP", Class::SignedOnly, Tier::T1))
        }
        "PGP MESSAGE" | "PGP PUBLIC KEY BLOCK" | "PGP PRIVATE KEY BLOCK" | "PGP SIGNATURE" => {
            read(openpgp_body(body)?, "openpgp")
        }
        "CMS" | "PKCS7" => read(base64_lines(body)?, "cms"),
        "AGE ENCRYPTED FILE" => read(base64_lines(body)?, "age"),
        _ => None,
    }
}

fn read(bytes: Vec<u8>, family: &str) -> Option<Envelope> {
    Some(recognise_as(family, &bytes)?.decoded(bytes))
}

/// Headers, an empty line, base64, and a checksum line that may be missing (RFC 9580 section 6.2).
fn openpgp_body(body: &str) -> Option<Vec<u8>> {
    let mut lines = body.trim_start_matches(['\r', '\n', ' ', '\t']).lines().peekable();
    while lines.peek().is_some_and(|l| l.contains(": ")) {
        lines.next();
    }
    let data: String = lines.map(str::trim).filter(|l| !(l.len() == 5 && l.starts_with('='))).collect();
    base64_lines(&data)
}

/// A message whose content type is `application/pkcs7-mime` (RFC 8551); its label may lie about the kind.
fn smime(bytes: &[u8]) -> Option<Envelope> {
    let head = bytes.get(..4096).unwrap_or(bytes);
    memchr::memmem::find(head, b"pkcs7-mime")?;
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, body) = text.split_once("\r\n\r\n").or_else(|| text.split_once("\n\n"))?;
    read(base64_lines(body)?, "cms")
}
