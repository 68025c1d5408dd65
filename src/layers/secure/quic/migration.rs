//! Connections that go on from another port (RFC 9000 section 9): a flow leaves what it knows of a connection
//! under its connection ids, and a later flow between the same two hosts takes it up by them.
//!
//! Packet numbers, key phases and streams are not handed over: numbers and phases are found by trial, the tag
//! decides; of a stream that began before the move the beginning counts as lost in the later flow.

use super::Quic;
use super::connection::Connection;
use super::hello::ClientHello;
use super::keys::{Suite, Version};
use super::packet::prefixed;
use super::traffic::Traffic;
use crate::bytes::Cursor;
use crate::model::Side;
use crate::peel::Out;

/// Connection ids of short headers stand here.
const ID_AT: usize = 1;

impl Connection {
    /// Leaves the connection to later flows under the ids that were learned since the last call.
    pub(super) fn tell(&mut self, out: &mut Out<'_, '_>) {
        if self.untold.is_empty() {
            return;
        }
        for (side, id) in std::mem::take(&mut self.untold) {
            let state = self.state(side == self.opener);
            out.expect(super::SPEC.name, ID_AT, &id, state);
        }
    }

    /// What another flow needs, beginning with who chose the id.
    fn state(&self, by_opener: bool) -> Vec<u8> {
        let mut state = vec![u8::from(by_opener)];
        state.extend(self.version.code().to_be_bytes());
        state.extend(self.suite.map_or(0, Suite::code).to_be_bytes());
        state.push(u8::from(self.hello.is_some()));
        state.extend(self.hello.as_ref().map_or([0; 32], |h| h.random));
        let sni = self.hello.as_ref().and_then(|h| h.sni.as_deref());
        for text in [sni, self.alpn.as_deref()] {
            // An empty text stands for none.
            let text = text.unwrap_or_default().as_bytes();
            state.extend((0x8000_0000 | text.len() as u32).to_be_bytes());
            state.extend_from_slice(text);
        }
        state
    }

    /// The connection that an earlier flow left; `id` stood in a packet of `side`.
    fn restored(side: Side, id: &[u8], state: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(state);
        let by_opener = c.u8()? != 0;
        let version = Version::read(c.u32()?)?;
        let suite = Suite::read(c.u16()?);
        let hello = c.u8()? != 0;
        let random = c.array::<32>()?;
        let mut text = || {
            let text = std::str::from_utf8(prefixed(&mut c)?).ok()?;
            Some(text.to_owned()).filter(|t| !t.is_empty())
        };
        let (sni, alpn) = (text(), text());
        // The other side chose the id that `side` sends to.
        let opener = if by_opener { side.other() } else { side };
        let mut connection = Self::new(opener, version);
        connection.hello = hello.then_some(ClientHello { random, sni, ..ClientHello::default() });
        connection.suite = suite;
        connection.suite_known = suite.is_some();
        connection.alpn = alpn;
        for side in Side::BOTH {
            connection.halves[side].traffic = Traffic::joined();
        }
        connection.learn(side.other(), id);
        Some(connection)
    }

    fn restored_facts(&mut self, out: &mut Out<'_, '_>) {
        out.fact("quic.migrated", true);
        if let Some(hello) = self.hello.take() {
            self.client_facts(&hello, out);
            self.hello = Some(hello);
        }
        if let Some(suite) = self.suite {
            self.server_facts(suite.code(), None, out);
        }
        if let Some(alpn) = &self.alpn {
            out.fact("quic.alpn_selected", alpn.as_str());
        }
    }
}

impl Quic {
    /// Whether a packet belongs to a connection of an earlier flow; it is the last one here then.
    pub(super) fn moved_here(&mut self, side: Side, packet: &[u8], out: &mut Out<'_, '_>) -> bool {
        let Some((id, state)) = out.expected(packet) else { return false };
        let Some(mut connection) = Connection::restored(side, &id, &state) else { return false };
        let same = |c: &Connection| c.migrated && c.random() == connection.random();
        if let Some(known) = self.connections.last_mut().filter(|c| same(c)) {
            // An id of the same connection that this flow had not seen.
            known.learn(side.other(), &id);
            return true;
        }
        if self.connections.len() >= super::CONNECTIONS {
            return false;
        }
        connection.migrated = true;
        connection.restored_facts(out);
        self.connections.push(Box::new(connection));
        true
    }
}
