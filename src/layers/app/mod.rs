//! Layers that carry an application's exchange.

use crate::peel::Spec;

/// The rows, most distinctive first.
pub static TABLE: &[&Spec] = &[];
