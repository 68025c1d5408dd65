//! Obfuscation that anybody undoes without a secret: repeating XOR, swapped halves of octets, bits in
//! reverse order, turned letters, text backwards. What comes out must read, or begin as a known format does;
//! otherwise nothing is claimed, and ciphertext never does.

mod letters;
mod octets;
mod words;

use super::decoded::{Decoded, Decoder};
use crate::peel::{Eats, Family, Form, Guess, Hint, Probe, Spec};

macro_rules! row {
    ($static:ident, $name:literal, $title:literal, $forms:expr, $undo:path) => {
        /// The row.
        pub static $static: Spec = Spec {
            name: $name,
            title: $title,
            family: Family::Codec,
            eats: Eats::Message,
            forms: $forms,
            answers: |h| matches!(h, Hint::Layer($name)),
            shapes: &[],
            probe: Some(|p| guess(p, $undo)),
            facts: &[],
            notes: &[],
            open: || Box::new(Decoder($undo)),
        };
    };
}

row!(XOR, "xor", "Repeating XOR, solved", &[Form::Binary], octets::xor);
row!(NIBBLES, "nibble-swap", "Swapped halves of octets", &[Form::Binary], octets::nibbles);
row!(BITS, "bit-reversal", "Bits of octets in reverse", &[Form::Binary], octets::bits);
row!(XOR_TEXT, "xor-text", "XOR of one octet that left text, solved", &[Form::Text], octets::low_xor);
row!(CAESAR, "caesar", "Turned letters (Caesar, ROT13), solved", &[Form::Text], letters::caesar);
row!(REVERSED, "reversed", "Text backwards", &[Form::Text], letters::reversed);

/// Bytes of one message that are looked at.
const MOST: usize = 64 << 10;
/// Octets under which a reading may be an accident.
const CERTAIN: usize = 32;

/// Text that was text before stays a guess, so that it is also shown as it was.
fn guess(p: &Probe<'_>, undo: fn(&[u8]) -> Decoded) -> Guess {
    if p.bytes.len() < 12 || p.bytes.len() > MOST || undo(p.bytes).is_none() {
        return Guess::No;
    }
    match p.form == Form::Binary && p.bytes.len() >= CERTAIN {
        true => Guess::Sure,
        false => Guess::Maybe,
    }
}
