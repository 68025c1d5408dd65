//! The handshake's messages, from either end of the session, and what each changes.

use super::assembly::{Assembly, Message, Overdue};
use super::{Dtls, Half};
use crate::bytes::Cursor;
use crate::layers::secure::tls::Tls;
use crate::layers::secure::tls::hello::{ClientHello, encrypted_srtp};
use crate::model::Side;
use crate::peel::Out;

/// Handshake messages that are treated here; the rest is as in TLS.
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const VERIFY_REQUEST: u8 = 3;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const KEY_UPDATE: u8 = 24;

impl Dtls {
    /// A ClientHello with a random that was not heard before begins a handshake, which counts its messages
    /// from zero: under protection it renegotiates, in clear it is another session (RFC 6347 section 4.2.8).
    pub(super) fn begin(&mut self, side: Side, epoch: u16, fragment: &[u8], out: &mut Out<'_, '_>) {
        let Some(random) = first_hello(fragment) else { return };
        let other = self.tls.client.as_ref().is_some_and(|c| c.random != random);
        if !other {
            return;
        }
        Side::BOTH.into_iter().for_each(|s| self.halves[s].messages = Assembly::default());
        if epoch > 0 {
            return;
        }
        if let Some(child) = self.child.take() {
            Side::BOTH.into_iter().for_each(|s| out.close(child, s));
        }
        self.tls.last_facts(out);
        self.tls = Tls::default();
        self.exported = false;
        self.client = side;
        for half in [&mut self.halves.client, &mut self.halves.server] {
            *half = Half { sealed: half.sealed, bad: half.bad, why: half.why, ..Half::default() };
        }
    }

    /// Reads the handshake messages that are complete.
    pub(super) fn said(&mut self, side: Side, overdue: Overdue, out: &mut Out<'_, '_>) {
        while let Some(message) = self.halves[side].messages.next(overdue) {
            self.message(side, &message, out);
        }
    }

    fn message(&mut self, side: Side, message: &Message, out: &mut Out<'_, '_>) {
        let (kind, body) = (message.kind, message.body.as_slice());
        match kind {
            CLIENT_HELLO => {
                self.client = side;
                if let Some(hello) = ClientHello::read_datagram(body) {
                    self.tls.greeted(hello, out);
                }
            }
            SERVER_HELLO => {
                self.client = side.other();
                self.tls.message(Side::Server, kind, body, out);
                self.agree_ids();
            }
            VERIFY_REQUEST => out.fact("dtls.cookie", true),
            // The next epoch's keys are made when a record asks for them.
            KEY_UPDATE => {}
            ENCRYPTED_EXTENSIONS => {
                self.srtp = encrypted_srtp(body);
                self.tls.message(Side::Server, kind, body, out);
            }
            _ => {
                if kind == CERTIFICATE {
                    self.compare_fingerprint(body, out);
                }
                self.tls.message(self.role(side), kind, body, out);
            }
        }
        self.export(out);
    }

    /// Which end of the session a side of the flow is.
    pub(super) fn role(&self, side: Side) -> Side {
        if side == self.client { Side::Client } else { Side::Server }
    }

    /// Connection ids are in use where both hellos speak of them; each end says what it wants to see
    /// (RFC 9146 section 3).
    fn agree_ids(&mut self) {
        let (Some(client), Some(server)) = (&self.tls.client, &self.tls.server) else { return };
        let (Some(to_client), Some(to_server)) = (&client.connection_id, &server.connection_id) else {
            return;
        };
        let side = self.client;
        (self.halves[side].id, self.halves[side.other()].id) = (to_server.len(), to_client.len());
    }
}

/// The random of a ClientHello that is the first message of its handshake, from its first fragment.
fn first_hello(fragment: &[u8]) -> Option<[u8; 32]> {
    let mut c = Cursor::new(fragment);
    let (kind, _, seq, from, _) = (c.u8()?, c.u24()?, c.u16()?, c.u24()?, c.u24()?);
    if kind != CLIENT_HELLO || seq != 0 || from != 0 {
        return None;
    }
    c.u16()?;
    c.array()
}
