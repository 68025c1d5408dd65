//! Codecs that are one function: a whole message in, what it stands for out.

use crate::peel::{Form, Input, Out, Peeler, Step};

/// What came out and how it is to be seen.
pub(super) type Decoded = Option<(Vec<u8>, Form)>;

/// A message that does not decode stays what it is.
pub(super) struct Decoder(pub fn(&[u8]) -> Decoded);

impl Peeler for Decoder {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some((plain, form)) = (self.0)(input.bytes) else { return Step::again(0) };
        out.item("", form, input.side, &plain);
        Step::again(input.bytes.len())
    }
}
