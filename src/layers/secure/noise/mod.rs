//! The Noise Protocol Framework (noiseprotocol.org, revision 34) as messengers use it: WhatsApp's framing,
//! which is unmistakable, and the framework's own, which is a guess unless a key names the connection.

mod bare;
mod handshake;
mod state;
#[cfg(test)]
mod tests;
mod transport;
mod whatsapp;

use crate::model::Side;
use crate::peel::{Eats, Family, Form, Hint, Out, Spec};
use handshake::Done;
use transport::Opener;

/// WhatsApp's framing.
pub static WHATSAPP: Spec = Spec {
    name: "noise-wa",
    title: "Noise as WhatsApp frames it (noiseprotocol.org, revision 34)",
    family: Family::Secure,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_: &Hint| false,
    shapes: &[],
    probe: Some(whatsapp::probe),
    facts: FACTS,
    notes: &["noise-frame-malformed", "noise-tag-wrong", "noise-frame-limit"],
    open: || Box::new(whatsapp::WhatsApp::default()),
};

/// Lengths of two bytes.
pub static BARE: Spec = Spec {
    name: "noise",
    title: "Noise Protocol Framework (noiseprotocol.org, revision 34)",
    family: Family::Secure,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_: &Hint| false,
    shapes: &[],
    probe: Some(bare::probe),
    facts: FACTS,
    notes: &["noise-tag-wrong"],
    open: || Box::new(bare::Bare::default()),
};

const FACTS: &[&str] = &["noise.framing", "noise.ephemeral", "noise.pattern", "noise.suite", "noise.opened"];

/// States once that messages are opened, and with what.
fn state_opened(opener: &Opener, side: Side, out: &mut Out<'_, '_>) {
    // The counter stands behind the message that was just opened.
    if opener.first(side) {
        out.fact("noise.opened", true);
        if let Some(cipher) = opener.cipher() {
            out.fact("noise.suite", cipher.name());
        }
    }
}

/// States what a followed handshake was.
fn followed(done: &Done, out: &mut Out<'_, '_>) {
    out.fact("noise.pattern", done.pattern.as_str());
    out.fact("noise.suite", done.suite.name().as_str());
}
