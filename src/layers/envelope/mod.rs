//! End-to-end envelopes: what only the ends of a conversation can open.

use crate::peel::Spec;

/// The rows, most distinctive first.
pub static TABLE: &[&Spec] = &[];
