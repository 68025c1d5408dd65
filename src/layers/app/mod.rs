//! Layers that carry an application's exchange.

mod amqp;
mod amqp1;
mod apns;
mod coap;
mod dgw;
mod dns;
mod dotted;
mod grpc;
mod http;
mod http1;
mod http2;
mod http3;
mod huffman;
mod imap;
mod irc;
mod ldap;
mod lines;
mod local;
mod login;
mod mqtt;
mod msnp;
mod msrp;
mod mumble;
mod nats;
mod oscar;
mod pop3;
mod query;
mod resp;
mod rtp;
mod sctp;
mod signal_ws;
mod sip;
mod smpp;
mod smtp;
mod socks;
mod sse;
mod starttls;
mod stomp;
mod stun;
mod telegram;
mod websocket;
mod whatsapp;
mod xmpp;
mod ymsg;

use crate::peel::Spec;

/// Subprotocols of WebSocket whose messages are lines of IRC without their end (IRCv3 WebSocket).
const IRC_SUBPROTOCOLS: [&str; 2] = ["text.ircv3.net", "binary.ircv3.net"];

/// The rows, most distinctive first.
pub static TABLE: &[&Spec] = &[
    &http1::SPEC,
    &socks::SPEC,
    &socks::UDP,
    &ldap::SPEC,
    &smtp::SPEC,
    &imap::SPEC,
    &pop3::SPEC,
    &sip::UDP,
    &sip::TCP,
    &msrp::SPEC,
    &stun::DATAGRAMS,
    &stun::STREAM,
    &rtp::CONTROL,
    &rtp::MEDIA,
    &sctp::SPEC,
    &mqtt::SPEC,
    &amqp::SPEC,
    &amqp1::SPEC,
    &nats::SPEC,
    &resp::SPEC,
    &mumble::SPEC,
    &stomp::SPEC,
    &dns::UDP,
    &dns::TCP,
    &coap::SPEC,
    &http3::SPEC,
    &http2::SPEC,
    &grpc::SPEC,
    &sse::SPEC,
    &xmpp::SPEC,
    &xmpp::BODY,
    &irc::SPEC,
    &signal_ws::SPEC,
    &dgw::SPEC,
    &websocket::SPEC,
    &apns::SECURITY,
    &apns::PACK,
    &telegram::SPEC,
    &telegram::REQUEST,
    &whatsapp::SPEC,
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
    &query::SPEC,
    &lines::SPEC,
];
