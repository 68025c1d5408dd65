//! Layers that carry an application's exchange.

mod dns;
mod grpc;
mod http1;
mod http2;
mod http3;
mod irc;
mod lines;
mod mqtt;
mod sip;
mod sse;
mod websocket;
mod xmpp;

use crate::peel::Spec;

/// The rows, most distinctive first.
pub static TABLE: &[&Spec] = &[
    &http1::SPEC,
    &sip::UDP,
    &sip::TCP,
    &mqtt::SPEC,
    &dns::UDP,
    &dns::TCP,
    &http3::SPEC,
    &http2::SPEC,
    &grpc::SPEC,
    &sse::SPEC,
    &xmpp::SPEC,
    &xmpp::BODY,
    &irc::SPEC,
    &websocket::SPEC,
    &lines::SPEC,
];
