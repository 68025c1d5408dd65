//! Layers that carry an application's exchange.

mod dns;
mod dotted;
mod grpc;
mod http1;
mod http2;
mod http3;
mod imap;
mod irc;
mod lines;
mod local;
mod login;
mod mqtt;
mod msnp;
mod oscar;
mod pop3;
mod sip;
mod smpp;
mod smtp;
mod sse;
mod websocket;
mod xmpp;
mod ymsg;

use crate::peel::Spec;

/// The rows, most distinctive first.
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
    &http3::SPEC,
    &http2::SPEC,
    &grpc::SPEC,
    &sse::SPEC,
    &xmpp::SPEC,
    &xmpp::BODY,
    &irc::SPEC,
    &websocket::SPEC,
    &smpp::SPEC,
    &msnp::SPEC,
    &oscar::SPEC,
    &ymsg::SPEC,
    &local::NBNS,
    &local::NBDGM,
    &local::SSDP,
    &local::DHCP,
    &local::DHCP6,
    &local::NTP,
    &local::DROPBOX,
    &local::SPOTIFY,
    &lines::SPEC,
];
