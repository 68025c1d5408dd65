//! Layers that protect a connection between two hosts. Opening them needs a secret.

mod quic;
mod tls;
mod tunnel;

use crate::peel::Spec;

/// The rows, most distinctive first.
pub static TABLE: &[&Spec] = &[
    &quic::SPEC,
    &tls::SPEC,
    tunnel::SSH,
    tunnel::WIREGUARD,
    tunnel::OPENVPN_UDP,
    tunnel::OPENVPN_TCP,
    tunnel::IPSEC,
];
