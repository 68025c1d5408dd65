//! What mail, directory and chat protocols have in common when they go over to TLS, or to compression.

use crate::peel::{Child, Hint, Input, Out};

/// TLS follows on both sides.
pub(super) fn begin(out: &mut Out<'_, '_>) {
    out.hand_over(Child::stream().hint(Hint::Upgrade("starttls".into())));
}

/// Whether a record of TLS begins here: what granted it may not have been recorded.
pub(super) fn begins(input: &Input<'_>) -> bool {
    matches!(input.bytes, [0x16, 3, ..])
}

/// The same session goes on, each side as one deflate stream.
pub(super) fn compress(layer: &'static str, out: &mut Out<'_, '_>) {
    out.hand_over(Child::stream().hint(Hint::Upgrade("deflate-stream".into())).hint(Hint::Layer(layer)));
}
