//! Frames of opened packets, and the handshake that they carry.

use super::assembly::{Last, Piece};
use super::connection::{Connection, Space};
use super::frame::{self, Frame};
use super::hello::{ClientHello, ServerHello, encrypted_alpn};
use super::keys::Suite;
use super::messages;
use super::suite::{group_name, post_quantum, suite_name};
use crate::bytes::Cursor;
use crate::model::Side;
use crate::peel::Out;

/// Longest handshake message that is put together.
const LONGEST: usize = 1 << 16;

impl Connection {
    /// The payload of an opened packet.
    pub(super) fn frames(&mut self, side: Side, space: Space, plain: &[u8], out: &mut Out<'_, '_>) {
        let mut c = Cursor::new(plain);
        while !c.is_empty() {
            let Some(frame) = frame::next(&mut c) else {
                out.note("quic-bad-frame");
                return;
            };
            self.frame(side, space, frame, out);
        }
    }

    fn frame(&mut self, side: Side, space: Space, frame: Frame<'_>, out: &mut Out<'_, '_>) {
        match frame {
            Frame::Crypto { offset, data } => self.crypto(side, space, offset, data, out),
            Frame::Stream { id, offset, data, fin } => {
                self.choose_protocol();
                self.streams.data(side, id, offset, data, fin, self.alpn.as_deref(), out);
            }
            Frame::Reset { id } => {
                self.choose_protocol();
                self.streams.reset(side, id, self.alpn.as_deref(), out);
            }
            Frame::Datagram(data) => {
                self.choose_protocol();
                self.streams.datagram(side, data, self.alpn.as_deref(), out);
            }
            Frame::ConnectionId { id, token } => {
                self.learn(side, id);
                self.learn_token(side, token);
            }
            Frame::Close { code, reason } => {
                let reason = String::from_utf8_lossy(reason);
                let text =
                    if reason.is_empty() { format!("{code:#x}") } else { format!("{code:#x} {reason}") };
                out.fact("quic.close", text);
            }
            Frame::Other => {}
        }
    }

    /// Without EncryptedExtensions the client's first offer is the best guess (0-RTT has no other).
    fn choose_protocol(&mut self) {
        if self.alpn.is_none() {
            self.alpn = self.hello.as_ref().and_then(|h| h.alpn.first().cloned());
        }
    }

    fn crypto(&mut self, side: Side, space: Space, offset: u64, data: &[u8], out: &mut Out<'_, '_>) {
        let level = match space {
            Space::Initial => 0,
            Space::Handshake => 1,
            // Tickets and nothing else that matters.
            Space::Early | Space::Application => return,
        };
        let half = &mut self.halves[side];
        half.crypto[level].insert(offset, data, false);
        while let Some(piece) = half.crypto[level].take(LONGEST, Last::No) {
            match piece {
                Piece::Data(data) => half.messages[level].extend_from_slice(&data),
                Piece::Gap(_) => half.messages[level].clear(),
            }
        }
        let held = std::mem::take(&mut half.messages[level]);
        let mut rest = held.as_slice();
        while let Some((kind, body, used)) = messages::message(rest) {
            self.message(side, kind, body, out);
            rest = rest.get(used..).unwrap_or_default();
        }
        if rest.len() <= LONGEST {
            self.halves[side].messages[level] = rest.to_vec();
        }
    }

    fn message(&mut self, side: Side, kind: u8, body: &[u8], out: &mut Out<'_, '_>) {
        match kind {
            1 if side == self.opener => {
                let Some(hello) = ClientHello::read(body) else { return };
                self.client_facts(&hello, out);
                self.hello = Some(hello);
                self.retry_waiting(out);
            }
            2 if side != self.opener => {
                let Some(hello) = ServerHello::read(body) else { return };
                self.suite = Suite::read(hello.suite);
                self.suite_known = true;
                self.server_facts(hello.suite, hello.group, out);
                self.retry_waiting(out);
            }
            8 if side != self.opener => {
                if let Some(token) = messages::reset_token(body) {
                    self.learn_token(side, token);
                }
                if let Some(alpn) = encrypted_alpn(body) {
                    out.fact("quic.alpn_selected", alpn.as_str());
                    self.alpn = Some(alpn);
                }
            }
            _ => {}
        }
    }

    pub(super) fn client_facts(&mut self, hello: &ClientHello, out: &mut Out<'_, '_>) {
        if self.hello.as_ref() == Some(hello) {
            return;
        }
        self.state_version(out);
        if let Some(sni) = &hello.sni {
            out.fact("quic.sni", sni.as_str());
            out.label("sni", sni);
        }
        if !hello.alpn.is_empty() {
            out.fact("quic.alpn", hello.alpn.iter().map(String::as_str).collect::<Vec<_>>());
        }
        if hello.ech {
            out.fact("quic.ech", "offered");
        }
        if hello.early_data {
            out.fact("quic.early_data", true);
        }
    }

    fn state_version(&mut self, out: &mut Out<'_, '_>) {
        if self.stated != Some(self.version) {
            self.stated = Some(self.version);
            out.fact("quic.version", self.version.name());
        }
    }

    pub(super) fn server_facts(&mut self, suite: u16, group: Option<u16>, out: &mut Out<'_, '_>) {
        self.state_version(out);
        if self.suite.is_none() {
            out.note("quic-suite-unsupported");
        }
        out.fact("quic.suite", suite_name(suite));
        if let Some(group) = group {
            out.fact("quic.group", group_name(group));
            out.fact("quic.post_quantum", post_quantum(group));
        }
    }
}
