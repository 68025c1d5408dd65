//! PEM (RFC 7468): what stands in DER between its lines. Only a guess, so that rules see the text as well.

use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Spec, Step};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The row.
pub static SPEC: Spec = Spec {
    name: "pem",
    title: "PEM (RFC 7468)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text],
    answers: |h| matches!(h, Hint::ContentType(t) if t == "application/x-pem-file" || t == "application/pem-certificate-chain"),
    shapes: &[],
    probe: Some(|p| if blocks(p.bytes).is_empty() { Guess::No } else { Guess::Maybe }),
    facts: &[],
    notes: &[],
    open: || Box::new(Pem),
};

/// Blocks of one text that are read.
const MOST: usize = 64;

struct Pem;

impl Peeler for Pem {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        for (i, (label, der)) in blocks(input.bytes).iter().enumerate() {
            let child = Child::message().field(&format!("block[{i}]")).label("name", label);
            out.message(child.hint(Hint::Encoding("der".to_owned())), input.side, der);
        }
        Step::again(input.bytes.len())
    }
}

/// Labels and contents of all blocks that decode.
fn blocks(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let Some(at) = memchr::memmem::find(bytes, b"-----BEGIN ") else { return found };
    let Ok(text) = std::str::from_utf8(bytes.get(at..).unwrap_or_default()) else { return found };
    for piece in text.split("-----BEGIN ").skip(1).take(MOST) {
        let Some((label, rest)) = piece.split_once("-----") else { continue };
        let Some((body, _)) = rest.split_once(&format!("-----END {label}-----")) else { continue };
        let compact: String = body.chars().filter(|c| !c.is_whitespace()).collect();
        if let Ok(der) = STANDARD.decode(&compact)
            && !der.is_empty()
        {
            found.push((label.to_owned(), der));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_out_with_their_label() {
        let text =
            b"Subject: x\n-----BEGIN THING-----\nMAMC\nAQU=\n-----END THING-----\n-----BEGIN HALF-----\nMAMC";
        assert_eq!(blocks(text), [("THING".to_owned(), vec![0x30, 3, 2, 1, 5])]);
        assert!(blocks(b"-----BEGIN X-----\n***\n-----END X-----").is_empty());
    }
}
