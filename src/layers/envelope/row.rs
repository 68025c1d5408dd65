//! The envelopes as layers: rows that offer bytes, text, JSON objects, protobuf messages and what a carrier
//! names to the recognisers.

use super::around::around;
use super::content::readable;
use super::keyed;
use super::{
    Class, Envelope, Form as Wants, RECOGNISERS, Tier, recognise_as, recognise_binary, recognise_text,
};
use crate::model::{Value, digest16};
use crate::peel::{By, Eats, End, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step, Why};

/// Envelopes in bytes.
pub static BINARY: Spec = Spec {
    name: "envelope",
    title: "End-to-end envelopes in bytes",
    family: Family::Envelope,
    eats: Eats::Message,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(|p| guess(recognise_binary(p.bytes))),
    facts: FACTS,
    notes: &[],
    open: || Box::new(Reader { wants: Wants::Binary, carrier: None }),
};

/// Envelopes in text: armor, compact tokens, stanzas.
pub static TEXT: Spec = Spec {
    name: "envelope-text",
    title: "End-to-end envelopes in text",
    family: Family::Envelope,
    eats: Eats::Message,
    forms: &[Form::Text],
    answers: |h| matches!(h, Hint::Namespace(n) if NAMESPACES.contains(&n.as_str())),
    shapes: &[],
    probe: Some(whole_text_guess),
    facts: FACTS,
    notes: &[],
    open: || Box::new(Reader { wants: Wants::Text, carrier: None }),
};

/// Envelopes that are one JSON object.
pub static OBJECT: Spec = Spec {
    name: "envelope-object",
    title: "End-to-end envelopes in JSON objects",
    family: Family::Envelope,
    eats: Eats::Message,
    forms: &[Form::Text],
    answers: |_| false,
    shapes: &[
        &["ciphertext"],
        &["cipher_text"],
        &["ct"],
        &["cipher"],
        &["encrypted"],
        &["encrypted_data"],
        &["enc"],
        &["iv"],
        &["nonce"],
        &["type", "content"],
        &["kind", "pubkey"],
        &["payload", "signature"],
        &["payload", "signatures"],
        &["device_keys"],
        &["session_data"],
        &["kty"],
        &["method", "params"],
    ],
    // Whole texts that nobody names are asked of the row above.
    probe: Some(|p| if p.stated { text_guess(p) } else { Guess::No }),
    facts: FACTS,
    notes: &[],
    open: || Box::new(Reader { wants: Wants::Text, carrier: None }),
};

/// Envelopes that are one protobuf message, wherever the layer that reads protobuf meets one.
pub static MESSAGE: Spec = Spec {
    name: "envelope-message",
    title: "End-to-end envelopes in protobuf messages",
    family: Family::Envelope,
    eats: Eats::Message,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[&["protobuf message"]],
    // Whole messages that nobody names are asked of the first row.
    probe: Some(|p| if p.stated { guess(recognise_binary(p.bytes)) } else { Guess::No }),
    facts: FACTS,
    notes: &[],
    open: || Box::new(Reader { wants: Wants::Binary, carrier: None }),
};

/// Frames with too little structure of their own, under the media type that names them.
pub static CARRIED: Spec = Spec {
    name: "envelope-carried",
    title: "End-to-end envelopes that their carrier names",
    family: Family::Envelope,
    eats: Eats::Message,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::ContentType(t) if t == MULTI_RECIPIENT),
    shapes: &[],
    probe: Some(|p| {
        let fits = p.stated && recognise_as("signal", p.bytes).is_some();
        if fits { Guess::Sure } else { Guess::No }
    }),
    facts: FACTS,
    notes: &[],
    open: || Box::new(Reader { wants: Wants::Binary, carrier: Some("signal") }),
};

/// One ciphertext for many recipients (Signal-Server).
const MULTI_RECIPIENT: &str = "application/vnd.signal-messenger.mrm";

const NAMESPACES: &[&str] =
    &["eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2", "urn:xmpp:openpgp:0", "jabber:x:encrypted"];

const FACTS: &[&str] = &["envelope.is", "envelope.shows"];

/// The third tier stands only where a carrier names it; here nobody does.
fn guess(found: Option<Envelope>) -> Guess {
    match found {
        Some(e) if e.tier < Tier::T3 => Guess::Sure,
        _ => Guess::No,
    }
}

fn text_guess(probe: &Probe<'_>) -> Guess {
    match std::str::from_utf8(probe.bytes) {
        Ok(text) => guess(recognise_text(text)),
        Err(_) => Guess::No,
    }
}

/// A home-made object is left to the layer that reads JSON: what stands beside the ciphertext (a nonce, a salt,
/// the key itself) then has its place as well, and the object is met again by its shape.
fn whole_text_guess(probe: &Probe<'_>) -> Guess {
    let found = std::str::from_utf8(probe.bytes).ok().and_then(recognise_text);
    guess(found.filter(|e| e.format != keyed::FORMAT))
}

struct Reader {
    wants: Wants,
    /// The family that the carrier names.
    carrier: Option<&'static str>,
}

impl Peeler for Reader {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let found = match (self.carrier, self.wants) {
            (Some(family), _) => recognise_as(family, input.bytes).map(named),
            (None, Wants::Binary) => recognise_binary(input.bytes),
            (None, Wants::Text) => std::str::from_utf8(input.bytes).ok().and_then(recognise_text),
        };
        let Some(envelope) = found else { return Step::again(0) };
        let tier = match envelope.tier {
            Tier::T1 => 1u64,
            Tier::T2 => 2,
            Tier::T3 => 3,
        };
        out.fact(
            "envelope.is",
            Value::List(vec![
                envelope.format.into(),
                envelope.protocol.into(),
                class(envelope.class).into(),
                tier.into(),
                envelope.why.unwrap_or("").into(),
            ]),
        );
        for (name, value) in &envelope.facts {
            out.fact("envelope.shows", Value::List(vec![(*name).into(), value.clone()]));
        }
        let whole = envelope.decoded.as_deref().unwrap_or(input.bytes);
        // Shorter ones are counters of some scheme, which may begin anew with every key.
        if let Some(nonce) = envelope.nonce.clone().and_then(|r| whole.get(r)).filter(|n| n.len() >= 8) {
            out.fact("envelope.shows", Value::List(vec!["nonce".into(), digest16(nonce).into()]));
        }
        // A token is opened with its header as it was written, so it is shown as it stood.
        let shown = if envelope.format.starts_with("jwe") { input.bytes } else { whole };
        out.exhibit(envelope.format, input.side, shown);
        if let Some(content) = readable(&envelope, input.bytes, whole, out.limits().message) {
            // What is not encrypted is read like the field that held it.
            let form = if std::str::from_utf8(&content).is_ok() { Form::Text } else { Form::Binary };
            out.item("", form, input.side, &content);
        }
        // The fields of a JSON object are read one by one anyway.
        if self.wants == Wants::Text && !input.bytes.trim_ascii_start().starts_with(b"{") {
            for piece in std::str::from_utf8(input.bytes).map(around).unwrap_or_default() {
                out.item("", Form::Text, input.side, piece.as_bytes());
            }
        }
        let sealed = envelope.ciphertext.clone().and_then(|r| whole.get(r)).unwrap_or_default();
        let len = sealed.len() as u64;
        if len > 0 && envelope.class.claim() > 0 {
            let end = End::Sealed(By::App, Why::NoKey);
            out.leaf("ciphertext", Form::Binary, input.side, len, end, sealed);
        }
        Step::again(input.bytes.len())
    }
}

/// What a carrier names needs less structure of its own.
fn named(envelope: Envelope) -> Envelope {
    Envelope { tier: envelope.tier.min(Tier::T2), ..envelope }
}

/// The class in words, as evidence carries it.
fn class(class: Class) -> &'static str {
    match class {
        Class::E2eeMessage => "e2ee-message",
        Class::E2eeHandshake => "e2ee-handshake",
        Class::Symmetric => "symmetric",
        Class::SecretKey => "secret-key",
        Class::PublicKey => "public-key",
        Class::SignedOnly => "signed-only",
        Class::NotEncrypted => "not-encrypted",
        Class::Broken => "broken",
        Class::TransportCrypto => "transport-crypto",
    }
}

/// Recognisers by name, for listings.
pub fn families() -> impl Iterator<Item = (&'static str, &'static str)> {
    RECOGNISERS.iter().map(|r| (r.format_family, r.title))
}
