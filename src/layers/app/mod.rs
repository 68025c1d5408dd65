//! Layers that carry an application's exchange.

mod dns;
mod dotted;
mod http1;
mod imap;
mod lines;
mod login;
mod mqtt;
mod pop3;
mod sip;
mod smtp;
mod websocket;

use crate::peel::Spec;

/// The rows, most distinctive first; what fits almost any text comes last.
pub static TABLE: &[&Spec] = &[
    &http1::SPEC,
    &smtp::SPEC,
    &imap::SPEC,
    &pop3::SPEC,
    &sip::UDP,
    &sip::TCP,
    &mqtt::SPEC,
    &dns::UDP,
    &dns::TCP,
    &websocket::SPEC,
    &lines::SPEC,
];
