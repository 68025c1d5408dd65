//! Layers that protect a connection between two hosts. Opening them needs a secret.

mod hello;
mod hkdf;
mod mmtls;
mod mtproto;
mod noise;
mod obfs;
mod opened;
mod quic;
mod suite;
mod tls;
mod tunnel;
mod zrtp;

use crate::peel::Spec;

/// The rows, most distinctive first.
pub static TABLE: &[&Spec] = &[
    &quic::SPEC,
    &tls::DTLS,
    // Made to look like TLS: told from it by a secret at hand alone.
    &mtproto::FAKE_TLS,
    // Made to look like TLS, or like HTTP: told from them by what they never do.
    &obfs::SPEC,
    &tls::SPEC,
    &zrtp::SPEC,
    &noise::WHATSAPP,
    &mmtls::SPEC,
    &mtproto::STREAM,
    &mtproto::PACKET,
    &mtproto::OBFUSCATED,
    &noise::BARE,
    tunnel::SSH,
    tunnel::WIREGUARD,
    tunnel::OPENVPN_UDP,
    tunnel::OPENVPN_TCP,
    tunnel::IPSEC,
    &opened::SPEC,
];
