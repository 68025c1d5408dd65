//! Layers that carry an application's exchange.

mod dns;
mod http1;
mod irc;
mod lines;
mod mqtt;
mod sip;
mod websocket;
mod xmpp;

use crate::peel::Spec;

/// The rows, most distinctive first; what fits almost any text comes last.
pub static TABLE: &[&Spec] = &[
    &http1::SPEC,
    &sip::UDP,
    &sip::TCP,
    &mqtt::SPEC,
    &xmpp::SPEC,
    &xmpp::BODY,
    &irc::SPEC,
    &dns::UDP,
    &dns::TCP,
    &websocket::SPEC,
    &lines::SPEC,
];
