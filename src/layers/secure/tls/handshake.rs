//! Handshake messages: what they say, and which keys they bring into use.

use super::hello::{ClientHello, ServerHello, encrypted_alpn, leaf_certificate};
use super::opener::{Material, Opener, needs};
use super::schedule::{Hash, expand_label, prf10, prf12};
use super::suite::{Cipher, Suite, suite};
use super::{Epoch, LONGEST_MESSAGE, Tls, message_head};
use crate::keys::Label;
use crate::model::Side;
use crate::peel::{Out, Why};

impl Tls {
    /// Bytes of the handshake protocol of one side, cut anywhere.
    pub(super) fn handshake(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) {
        let mut held = std::mem::take(&mut self.halves[side].messages);
        held.extend_from_slice(bytes);
        let mut from = 0;
        while let Some((kind, len)) = message_head(&held[from..]) {
            if len > LONGEST_MESSAGE {
                out.note("tls-handshake-too-long");
                return;
            }
            let Some(message) = held.get(from..from + len) else { break };
            self.message(side, kind, &message[4..], out);
            from += len;
        }
        held.drain(..from);
        self.halves[side].messages = held;
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
            11 => {
                if let Some(der) = leaf_certificate(body, self.is_13()) {
                    self.certificate_facts(side, der, out);
                }
            }
            12 => self.key_exchange_facts(body, out),
            16 => {
                self.premaster = encrypted_premaster(body)
                    .and_then(|e| out.keys().premaster(e))
                    .unwrap_or_default()
                    .to_vec()
            }
            20 if self.is_13() => self.next_epoch(side, Epoch::Traffic, out),
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
        if let Some(sni) = &hello.sni {
            out.label("sni", sni);
        }
        self.client = Some(hello);
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
            return;
        }
        if let Some(alpn) = hello.alpn.clone() {
            self.selected(alpn, out);
        }
        let version = hello.version;
        self.server = Some(hello);
        if version >= 0x0304 {
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
        let secret = self.random().and_then(|r| out.keys().secret(&r, label)).map(<[u8]>::to_vec);
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
        let (hash, len) = if suite.sha384 { (Hash::Sha384, 48) } else { (Hash::Sha256, 32) };
        half.secret = expand_label(hash, &half.secret, "traffic upd", len);
        half.opener = Opener::tls13(suite, &half.secret);
        half.seq = 0;
        out.fact("tls.key_update", true);
    }

    /// TLS 1.2 and older: what the side sends from here on is protected with the key block's keys.
    pub(super) fn change_cipher(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let opener = self.key_block(side, out);
        let unsupported = self.suite().is_none_or(|s| s.cipher == Cipher::Other);
        let half = &mut self.halves[side];
        half.changed = true;
        half.seq = 0;
        half.messages.clear();
        half.why = (opener.is_none() && unsupported).then_some(Why::Unsupported);
        half.opener = opener;
        if half.why.is_some() {
            out.note("tls-suite-unsupported");
        }
    }

    pub(super) fn key_block(&self, side: Side, out: &Out<'_, '_>) -> Option<Opener> {
        let (client, server, suite) = (self.client.as_ref()?, self.server.as_ref()?, self.suite()?);
        let (mac, key, iv) = needs(suite.cipher)?;
        if let Cipher::Null(mac_len) = suite.cipher {
            return Some(Opener::Null { mac_len });
        }
        let master = self.master(out)?;
        let seed = [server.random, client.random].concat();
        let length = 2 * (mac + key + iv);
        let block = match server.version {
            0x0303 => {
                let hash = if suite.sha384 { Hash::Sha384 } else { Hash::Sha256 };
                prf12(hash, &master, "key expansion", &seed, length)
            }
            _ => prf10(&master, "key expansion", &seed, length),
        };
        let part = |start: usize, each: usize| match side {
            Side::Client => block.get(start..start + each),
            Side::Server => block.get(start + each..start + 2 * each),
        };
        let material =
            Material { mac: part(0, mac)?, key: part(2 * mac, key)?, iv: part(2 * (mac + key), iv)? };
        Opener::tls12(suite, server.version, &material, server.encrypt_then_mac)
    }

    /// TLS 1.2 and older: the master secret, if the log has it or what it is made of.
    pub(super) fn master(&self, out: &Out<'_, '_>) -> Option<Vec<u8>> {
        match out.keys().secret(&self.client.as_ref()?.random, Label::Master) {
            Some(master) => Some(master.to_vec()),
            None => self.master_of_premaster(out),
        }
    }

    /// The master secret where the log has the premaster secret only (RFC 5246 section 8.1). Sessions
    /// with the extended master secret (RFC 7627) would need the whole handshake for it.
    fn master_of_premaster(&self, out: &Out<'_, '_>) -> Option<Vec<u8>> {
        let (client, server) = (self.client.as_ref()?, self.server.as_ref()?);
        let premaster = match self.premaster.is_empty() {
            true => out.keys().secret(&client.random, Label::Premaster)?,
            false => &self.premaster,
        };
        let seed = [client.random, server.random].concat();
        let hash = if self.suite()?.sha384 { Hash::Sha384 } else { Hash::Sha256 };
        Some(match server.version {
            0x0303 => prf12(hash, premaster, "master secret", &seed, 48),
            _ => prf10(premaster, "master secret", &seed, 48),
        })
    }
}

/// First bytes of the encrypted premaster secret of a ClientKeyExchange with RSA.
fn encrypted_premaster(body: &[u8]) -> Option<&[u8; 8]> {
    let (len, rest) = body.split_first_chunk::<2>()?;
    (usize::from(u16::from_be_bytes(*len)) == rest.len()).then(|| rest.first_chunk()).flatten()
}
