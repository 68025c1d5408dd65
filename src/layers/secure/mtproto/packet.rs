//! MTProto packets, however they were carried: the unencrypted ones of the key exchange, and encrypted ones,
//! which show the identifier of their key.

use super::crypto;
use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{By, Child, End, Form, Hint, Out, Why};
use std::collections::BTreeSet;

/// Identifiers of keys that one connection announces at most.
const IDS: usize = 32;

/// Messages of the key exchange (core.telegram.org/mtproto/auth_key), by constructor.
static EXCHANGE: &[(u32, &str)] = &[
    (0x6046_9778, "req_pq"),
    (0xbe7e_8ef1, "req_pq_multi"),
    (0x0516_2463, "resPQ"),
    (0xd712_e4be, "req_DH_params"),
    (0xd0e8_075c, "server_DH_params_ok"),
    (0x79cb_045d, "server_DH_params_fail"),
    (0xf504_5f1f, "set_client_DH_params"),
    (0x3bcb_f734, "dh_gen_ok"),
    (0x46dc_1fb9, "dh_gen_retry"),
    (0xa69d_ae02, "dh_gen_fail"),
    (0xd143_3f2e, "destroy_auth_key"),
];

/// What a packet is by its outside.
#[derive(Debug, PartialEq, Eq)]
pub enum Outside<'a> {
    /// A message in clear.
    Clear {
        /// Its step in the key exchange, if it is one.
        step: Option<&'static str>,
        /// The message, in TL.
        body: &'a [u8],
    },
    /// Encrypted under the key of that identifier, without padding of the transport.
    Sealed {
        /// Identifier of the authorization key.
        id: [u8; 8],
        /// The packet.
        packet: &'a [u8],
    },
    /// An error code of the server.
    Code(i32),
    /// Neither.
    Neither,
}

/// Least ciphertext: salt, session, message id, sequence number, length, a word, padding.
const LEAST: usize = 48;

/// Whether an encrypted packet can be of that length.
pub fn may_be_sealed(len: usize, padding: usize) -> bool {
    len >= crypto::HEAD + LEAST && (len - crypto::HEAD) % 16 <= padding
}

/// Reads the outside of a packet. `padded` bytes may follow what it says of itself.
pub fn outside(packet: &[u8], padding: usize) -> Outside<'_> {
    read(packet, padding).unwrap_or(Outside::Neither)
}

fn read(packet: &[u8], padding: usize) -> Option<Outside<'_>> {
    let mut c = Cursor::new(packet);
    if packet.len() <= 4 + padding && packet.len() < crypto::HEAD {
        return c.u32_le().map(|code| Outside::Code(code as i32));
    }
    let id: [u8; 8] = c.array()?;
    if id != [0; 8] {
        let extra = packet.len().checked_sub(crypto::HEAD)? % 16;
        let sealed = packet.get(..packet.len() - extra).filter(|_| may_be_sealed(packet.len(), padding))?;
        return Some(Outside::Sealed { id, packet: sealed });
    }
    let (_message_id, length) = (c.u64_le()?, c.u32_le()? as usize);
    let body = c.take(length)?;
    let constructor = Cursor::new(body).u32_le()?;
    let step = EXCHANGE.iter().find(|(id, _)| *id == constructor).map(|(_, name)| *name);
    (c.left() <= padding).then_some(Outside::Clear { step, body })
}

/// What a connection's packets came to.
#[derive(Default)]
pub struct Packets {
    ids: BTreeSet<[u8; 8]>,
    steps: BTreeSet<&'static str>,
    opened: bool,
    sealed: PerSide<u64>,
    bad: PerSide<u32>,
}

impl Packets {
    /// Takes one packet.
    pub fn take(&mut self, side: Side, packet: &[u8], padding: usize, out: &mut Out<'_, '_>) {
        match outside(packet, padding) {
            Outside::Clear { step: Some(step), .. } => {
                if self.steps.insert(step) {
                    out.fact("mtproto.exchange", step);
                }
            }
            Outside::Clear { step: None, body } => {
                out.begin_message();
                out.message(Child::message().hint(Hint::Layer("telegram")), side, body);
            }
            Outside::Sealed { id, packet } => self.sealed(side, id, packet, out),
            Outside::Code(code) => out.fact("mtproto.error", code.to_string().as_str()),
            Outside::Neither => out.note("mtproto-packet-malformed"),
        }
    }

    /// A packet that is passed over by its head alone.
    pub fn unseen(&mut self, side: Side, id: [u8; 8], len: u64, out: &mut Out<'_, '_>) {
        self.announce(side, id, out);
        self.sealed[side] += len;
    }

    fn sealed(&mut self, side: Side, id: [u8; 8], packet: &[u8], out: &mut Out<'_, '_>) {
        self.announce(side, id, out);
        let key = out.keys().messengers().mtproto(&id);
        let opened = key.map(|key| crypto::open(key, side, packet));
        match opened {
            Some(Some(opened)) => {
                if !std::mem::replace(&mut self.opened, true) {
                    out.fact("mtproto.opened", true);
                }
                out.begin_message();
                let child = Child::message().confidential().hint(Hint::Layer("telegram"));
                out.message(child, side, &opened.body);
            }
            refused => {
                if refused.is_some() {
                    self.bad[side] += 1;
                    out.note("mtproto-message-key-wrong");
                }
                self.sealed[side] += packet.len() as u64;
                out.declare_sealed(packet.len() as u64);
            }
        }
    }

    /// States the identifier of a key once.
    fn announce(&mut self, side: Side, id: [u8; 8], out: &mut Out<'_, '_>) {
        if self.ids.len() >= IDS || !self.ids.insert(id) {
            return;
        }
        let hex: String = id.iter().map(|b| format!("{b:02x}")).collect();
        out.fact("mtproto.auth_key_id", hex.as_str());
        out.begin_message();
        out.item("auth_key_id", Form::Plain, side, hex.as_bytes());
    }

    /// One leaf for all that stayed closed on a side.
    pub fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let total = std::mem::take(&mut self.sealed[side]);
        if total > 0 {
            let why = if self.bad[side] > 0 { Why::BadTag } else { Why::NoKey };
            out.leaf("", Form::Binary, side, total, End::Sealed(By::Transport, why), &[]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first message of a key exchange.
    pub fn req_pq() -> Vec<u8> {
        let mut packet = vec![0; 8];
        packet.extend_from_slice(&[1; 8]);
        packet.extend_from_slice(&20u32.to_le_bytes());
        packet.extend_from_slice(&0xbe7e_8ef1u32.to_le_bytes());
        packet.extend_from_slice(&[7; 16]);
        packet
    }

    #[test]
    fn the_outside_tells_what_a_packet_is() {
        let packet = req_pq();
        assert!(matches!(outside(&packet, 0), Outside::Clear { step: Some("req_pq_multi"), .. }));
        let mut padded = packet.clone();
        padded.extend_from_slice(&[9; 7]);
        assert_eq!(outside(&padded, 0), Outside::Neither);
        assert!(matches!(outside(&padded, 15), Outside::Clear { step: Some(_), .. }));
        let sealed = [3u8; 24 + 48 + 5];
        assert_eq!(outside(&sealed, 0), Outside::Neither);
        assert!(matches!(outside(&sealed, 15), Outside::Sealed { packet, .. } if packet.len() == 72));
        assert_eq!(outside(&(-404i32).to_le_bytes(), 0), Outside::Code(-404));
        let mut hostile = packet;
        hostile[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(outside(&hostile, 15), Outside::Neither);
    }
}
