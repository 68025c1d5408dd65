//! Layers that carry an application's exchange.

mod grpc;
mod http1;
mod http2;
mod lines;
mod sse;
mod websocket;

use crate::peel::Spec;

/// The rows, most distinctive first; what fits almost any text comes last.
pub static TABLE: &[&Spec] =
    &[&http2::SPEC, &http1::SPEC, &websocket::SPEC, &grpc::SPEC, &sse::SPEC, &lines::SPEC];
