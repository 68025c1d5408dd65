//! Handshake messages: what they say, and which keys they bring into use.

use super::hello::{ClientHello, ServerHello, encrypted_alpn, leaf_certificate};
use super::hkdf::expand_label;
use super::opener::Opener;
use super::suite::{Cipher, Suite, suite};
use super::transcript::Transcript;
use super::{Epoch, LONGEST_MESSAGE, Tls, message_head};
use crate::keys::Label;
use crate::model::Side;
use crate::peel::{Out, Why};

impl Tls {
    /// Bytes of the handshake protocol of one side, cut anywhere.
    pub(super) fn handshake(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) {
        let mut held = std::mem::take(&mut self.halves[side].messages);
        // Most messages are whole in their record.
        let mut left = match held.is_empty() {
            true => bytes,
            false => {
                held.extend_from_slice(bytes);
                held.as_slice()
            }
        };
        while let Some((kind, len)) = message_head(left) {
            if len > LONGEST_MESSAGE {
                out.note("tls-handshake-too-long");
                return;
            }
            let Some((message, rest)) = left.split_at_checked(len) else { break };
            self.keep_message(side, kind, message, out);
            self.message(side, kind, &message[4..], out);
            left = rest;
        }
        let left = left.len();
        if held.is_empty() {
            held.extend_from_slice(&bytes[bytes.len() - left..]);
        } else {
            held.drain(..held.len() - left);
        }
        self.halves[side].messages = if left > 0 { held } else { Vec::new() };
    }

    /// Keeps what secrets are derived from, as long as it may be needed.
    fn keep_message(&mut self, side: Side, kind: u8, message: &[u8], out: &Out<'_, '_>) {
        const HELLO_REQUEST: u8 = 0;
        let again = side == Side::Client && kind == 1 && self.server.is_some();
        if again {
            // A renegotiation hashes its own messages only (RFC 5246 section 7.4.9).
            self.transcript = Transcript::default();
        }
        if !out.keys().derives() || kind == HELLO_REQUEST {
            return;
        }
        self.transcript.push(side, message);
        if side == Side::Client && kind == 16 {
            self.transcript.close(side);
        }
        if side == Side::Server && (kind == 14 || kind == 20) {
            self.transcript.close(side);
        }
    }

    pub(super) fn message(&mut self, side: Side, kind: u8, body: &[u8], out: &mut Out<'_, '_>) {
        match kind {
            1 => self.client_hello(body, out),
            2 => self.server_hello(body, out),
            5 => self.next_epoch(side, Epoch::Handshake, out),
            8 => {
                if let Some(alpn) = encrypted_alpn(body) {
                    self.selected(alpn, out);
                }
            }
            4 if side == Side::Server && !self.is_13() => self.new_ticket(body, out),
            11 => {
                if let Some(der) = leaf_certificate(body, self.is_13()) {
                    self.certificate_facts(side, der, out);
                }
            }
            12 => self.key_exchange_facts(body, out),
            16 => self.exchange = Some(body.to_vec()),
            20 if self.is_13() => {
                if side == Side::Server {
                    self.derive_traffic();
                }
                self.next_epoch(side, Epoch::Traffic, out);
            }
            24 if self.is_13() => self.update_key(side, out),
            _ => {}
        }
    }

    fn client_hello(&mut self, body: &[u8], out: &mut Out<'_, '_>) {
        if let Some(hello) = ClientHello::read(body) {
            self.greeted(hello, out);
        }
    }

    /// The client said hello.
    pub(super) fn greeted(&mut self, hello: ClientHello, out: &mut Out<'_, '_>) {
        for side in Side::BOTH {
            self.halves[side].whole = !self.halves[side].lost;
        }
        self.client_facts(&hello, out);
        (self.exchange, self.master, self.ticket) = (None, None, None);
        if let Some(sni) = &hello.sni {
            out.label("sni", sni);
        }
        self.client = Some(hello);
        self.prove_psk(out);
        if self.server.is_none() && self.client.as_ref().is_some_and(|h| h.early_data) {
            self.halves.client.epoch = Epoch::Early;
        }
    }

    fn server_hello(&mut self, body: &[u8], out: &mut Out<'_, '_>) {
        let Some(hello) = ServerHello::read(body) else { return };
        self.server_facts(&hello, out);
        if hello.retry {
            // The client says hello again; early data is refused (RFC 8446 section 4.2.10).
            self.halves.client.epoch = Epoch::Clear;
            self.halves.client.opener = None;
            self.retried = true;
            return;
        }
        if let Some(alpn) = hello.alpn.clone() {
            self.selected(alpn, out);
        }
        let version = hello.version;
        self.server = Some(hello);
        if version >= 0x0304 {
            self.derive_handshake();
            self.next_epoch(Side::Server, Epoch::Handshake, out);
            if self.halves.client.epoch != Epoch::Early {
                self.next_epoch(Side::Client, Epoch::Handshake, out);
            }
        }
    }

    fn selected(&mut self, alpn: String, out: &mut Out<'_, '_>) {
        out.fact("tls.alpn_selected", alpn.as_str());
        self.alpn = Some(alpn);
    }

    pub(super) fn suite(&self) -> Option<&'static Suite> {
        suite(self.server.as_ref()?.suite)
    }

    /// Takes the keys of the next epoch into use, if they are at hand.
    pub(super) fn next_epoch(&mut self, side: Side, epoch: Epoch, out: &mut Out<'_, '_>) {
        let label = match (side, epoch) {
            (Side::Client, Epoch::Handshake) => Label::ClientHandshake,
            (Side::Server, Epoch::Handshake) => Label::ServerHandshake,
            (Side::Client, Epoch::Traffic) => Label::ClientTraffic,
            (Side::Server, Epoch::Traffic) => Label::ServerTraffic,
            (_, Epoch::Early | Epoch::Clear) => Label::ClientEarly,
        };
        let secret = self.random().and_then(|r| self.secret(&r, label, out));
        let suite = self.suite();
        let half = &mut self.halves[side];
        half.epoch = epoch;
        half.seq = 0;
        half.opener = None;
        let Some(secret) = secret else { return };
        half.opener = suite.and_then(|s| Opener::tls13(s, &secret));
        if half.opener.is_none() && suite.is_some_and(|s| s.cipher == Cipher::Other) {
            half.why = Some(Why::Unsupported);
            out.note("tls-suite-unsupported");
        }
        half.secret = secret;
    }

    /// RFC 8446 section 7.2.
    fn update_key(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let found = self.halves[side].suite.and_then(suite);
        let Some(suite) = self.suite().or(found) else { return };
        let half = &mut self.halves[side];
        let hash = suite.hash;
        half.secret = expand_label(hash, &half.secret, "traffic upd", hash.len());
        half.opener = Opener::tls13(suite, &half.secret);
        half.seq = 0;
        out.fact("tls.key_update", true);
    }

    /// TLS 1.2 and older: what the side sends from here on is protected with the key block's keys.
    pub(super) fn change_cipher(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let cipher = self.suite().map_or(Cipher::Other, |s| s.cipher);
        let mut candidates = self.key_block(side, out);
        let half = &mut self.halves[side];
        half.changed = true;
        half.seq = 0;
        half.messages.clear();
        half.why = (cipher == Cipher::Other).then_some(Why::Unsupported);
        half.opener = match cipher {
            Cipher::Null(mac_len) => Some(Opener::Null { mac_len }),
            _ => None,
        };
        if half.why.is_some() {
            out.note("tls-suite-unsupported");
        }
        // The log names the session, so that a tag which it does not open is damage or a wrong log.
        // Other secrets are tried, and the first record decides.
        let named = candidates.first().is_some_and(|(_, m)| m.from == "key log" || self.master.is_some());
        match candidates.pop() {
            Some((opener, master)) if named && candidates.is_empty() => {
                self.halves[side].opener = Some(opener);
                self.settle(master, out);
            }
            Some(last) => {
                candidates.push(last);
                self.halves[side].candidates = candidates;
            }
            None => {}
        }
    }

    /// Picks the keys that open the first record of a side, if any do.
    pub(super) fn pick(
        &mut self,
        side: Side,
        head: [u8; 5],
        body: &[u8],
        buffer: &mut [u8],
        out: &mut Out<'_, '_>,
    ) -> Option<std::ops::Range<usize>> {
        for (mut opener, master) in std::mem::take(&mut self.halves[side].candidates) {
            buffer.copy_from_slice(body);
            let Some(range) = opener.open(head, 0, buffer) else { continue };
            let half = &mut self.halves[side];
            half.opener = Some(opener);
            half.seq = 1;
            self.settle(master, out);
            return Some(range);
        }
        None
    }
}
