//! Packets whose keys need a secret: opened, kept until their keys may be there, or left closed.

use super::super::keys::{Suite, Version};
use super::{Connection, Space};
use crate::keys::Label;
use crate::model::Side;
use crate::peel::{Out, Why};

/// Packets that wait for keys, and their bytes.
const WAITING: usize = 64;
const WAITING_BYTES: usize = 128 << 10;

/// A packet that came before its keys.
pub(super) struct Waiting {
    pub side: Side,
    pub space: Space,
    version: Version,
    pub packet: Vec<u8>,
    at: usize,
}

impl Connection {
    /// A packet whose keys need a secret.
    pub(super) fn protected(
        &mut self,
        side: Side,
        space: Space,
        version: Version,
        packet: &[u8],
        at: usize,
        out: &mut Out<'_, '_>,
    ) {
        self.seen_protected = true;
        match self.try_open(side, space, version, packet, at, out) {
            Opened::Plain(plain) => {
                self.opened |= space != Space::Handshake;
                self.frames(side, space, &plain, out);
            }
            Opened::Wait if self.may_wait(packet.len(), out) => {
                self.waiting_bytes += packet.len();
                self.waiting.push(Waiting { side, space, version, packet: packet.to_vec(), at });
            }
            Opened::Wait => {
                out.declare_sealed(packet.len() as u64);
                self.stay_sealed(side, space, packet.len(), Why::NoKey);
            }
            Opened::Sealed(why) => {
                if why == Why::BadTag {
                    out.note("quic-bad-tag");
                }
                out.declare_sealed(packet.len() as u64);
                self.stay_sealed(side, space, packet.len(), why);
            }
        }
    }

    /// Keys may still come: a hello may have been overtaken by what follows it.
    fn may_wait(&self, len: usize, out: &Out<'_, '_>) -> bool {
        let hope = !out.keys().is_empty() && (self.hello.is_none() || !self.suite_known);
        hope && self.waiting.len() < WAITING && self.waiting_bytes + len <= WAITING_BYTES
    }

    pub(super) fn stay_sealed(&mut self, side: Side, space: Space, len: usize, why: Why) {
        let half = &mut self.halves[side];
        if space == Space::Handshake {
            half.sealed_handshake += len as u64;
        } else {
            half.sealed += len as u64;
            half.why = half.why.or(Some(why));
        }
    }

    fn try_open(
        &mut self,
        side: Side,
        space: Space,
        version: Version,
        packet: &[u8],
        at: usize,
        out: &mut Out<'_, '_>,
    ) -> Opened {
        let label = match (space, side == self.opener) {
            (Space::Early, _) => Label::ClientEarly,
            (Space::Handshake, true) => Label::ClientHandshake,
            (Space::Handshake, false) => Label::ServerHandshake,
            (_, true) => Label::ClientTraffic,
            (_, false) => Label::ServerTraffic,
        };
        if self.hello.is_none() {
            self.search(label, version, packet, at, out);
        }
        let Some(hello) = &self.hello else { return Opened::Wait };
        let Some(secret) = out.keys().secret(&hello.random, label) else { return Opened::Sealed(Why::NoKey) };
        let one;
        let suites = match (space, self.suite) {
            // 0-RTT uses the suite of the session that is resumed, which may be another.
            (Space::Early, _) | (_, None) if !self.suite_known || space == Space::Early => {
                Suite::of_length(secret.len())
            }
            (_, Some(suite)) => {
                one = [suite];
                &one
            }
            (_, None) => return Opened::Sealed(Why::Unsupported),
        };
        let half = &mut self.halves[side];
        let number_space = match space {
            Space::Initial => 0,
            Space::Handshake => 1,
            Space::Early | Space::Application => 2,
        };
        let traffic = match space {
            Space::Early => &mut half.early,
            Space::Handshake => &mut half.handshake,
            Space::Initial | Space::Application => &mut half.traffic,
        };
        let expected = half.expected[number_space];
        match traffic.open(secret, suites, version, packet, at, expected, space == Space::Application) {
            Some((plain, number)) => {
                half.expected[number_space] = expected.max(number.saturating_add(1));
                if half.traffic.take_updated() && !std::mem::replace(&mut self.updated, true) {
                    out.fact("quic.key_update", true);
                }
                Opened::Plain(plain)
            }
            None if !self.suite_known => Opened::Wait,
            None => Opened::Sealed(Why::BadTag),
        }
    }

    /// Tries the packets that wait, after a hello came.
    pub fn retry_waiting(&mut self, out: &mut Out<'_, '_>) {
        for w in std::mem::take(&mut self.waiting) {
            self.waiting_bytes = self.waiting_bytes.saturating_sub(w.packet.len());
            self.protected(w.side, w.space, w.version, &w.packet, w.at, out);
        }
    }
}

enum Opened {
    Plain(Vec<u8>),
    /// Keys may come later.
    Wait,
    Sealed(Why),
}
