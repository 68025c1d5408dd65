//! Layers that carry an application's exchange.

mod http1;
mod http2;
mod lines;
mod websocket;

use crate::peel::Spec;

/// The rows, most distinctive first; what fits almost any text comes last.
pub static TABLE: &[&Spec] = &[&http2::SPEC, &http1::SPEC, &websocket::SPEC, &lines::SPEC];
