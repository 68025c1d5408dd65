//! Layers that carry an application's exchange.

mod dns;
mod dotted;
mod grpc;
mod http1;
mod http2;
mod http3;
mod imap;
mod irc;
mod ldap;
mod lines;
mod login;
mod mqtt;
mod pop3;
mod sip;
mod smtp;
mod socks;
mod sse;
mod websocket;
mod xmpp;

use crate::peel::Spec;

/// The rows, most distinctive first.
pub static TABLE: &[&Spec] = &[
    &http1::SPEC,
    &socks::SPEC,
    &ldap::SPEC,
    &smtp::SPEC,
    &imap::SPEC,
    &pop3::SPEC,
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
