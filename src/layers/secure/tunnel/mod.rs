//! Tunnels and remote shells whose content nobody here opens: recognised by the structure of their
//! handshakes, told by what the handshake leaves readable, then sealed. Never by how random bytes look.

mod ipsec;
mod openvpn;
mod ssh;
mod wireguard;

use crate::model::{PerSide, Side};
use crate::peel::{By, End, Form, Out, Spec, Why};

/// The rows.
pub static SSH: &Spec = &ssh::SPEC;
/// See above.
pub static WIREGUARD: &Spec = &wireguard::SPEC;
/// See above.
pub static OPENVPN_UDP: &Spec = &openvpn::UDP;
/// See above.
pub static OPENVPN_TCP: &Spec = &openvpn::TCP;
/// See above.
pub static IPSEC: &Spec = &ipsec::SPEC;

/// Ciphertext of a flow, counted per side and shown as one leaf when the side ends.
#[derive(Default)]
struct Closed {
    bytes: PerSide<u64>,
    sample: PerSide<Vec<u8>>,
}

/// Bytes kept for whoever wants to compare.
const SAMPLE: usize = 256;

impl Closed {
    fn add(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) {
        out.declare_sealed(bytes.len() as u64);
        self.bytes[side] += bytes.len() as u64;
        let room = SAMPLE.saturating_sub(self.sample[side].len());
        self.sample[side].extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn show(&mut self, side: Side, why: Why, out: &mut Out<'_, '_>) {
        let total = std::mem::take(&mut self.bytes[side]);
        if total > 0 {
            let sample = std::mem::take(&mut self.sample[side]);
            out.leaf("", Form::Binary, side, total, End::Sealed(By::Transport, why), &sample);
        }
    }
}
