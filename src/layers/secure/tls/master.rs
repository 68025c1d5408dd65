//! Master secrets of TLS 1.2 and older: from the log, from a premaster secret, from a private key, from a
//! pre-shared key, or from the session that this one resumes.

use super::Tls;
use super::hkdf::Hash;
use super::opener::{Material, Opener, needs};
use super::schedule::{prf10, prf12};
use super::suite::Cipher;
use crate::bytes::Cursor;
use crate::keys::Label;
use crate::model::Side;
use crate::peel::Out;
use ring::digest as ring_digest;

/// A secret that may be the session's, and where it comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Master {
    pub secret: Vec<u8>,
    /// Words for the fact `tls.secret`.
    pub from: &'static str,
}

/// Secrets that are tried at most for one handshake.
const MOST: usize = 64;
/// Topics under which a session leaves its secret to later flows.
const BY_ID: &str = "tls-session-id";
const BY_TICKET: &str = "tls-ticket";

impl Tls {
    /// Secrets that this handshake may have come to, likeliest first.
    pub(super) fn masters(&self, out: &Out<'_, '_>) -> Vec<Master> {
        if let Some(master) = &self.master {
            return vec![master.clone()];
        }
        let Some(client) = &self.client else { return Vec::new() };
        if let Some(secret) = out.keys().secret(&client.random, Label::Master) {
            return vec![Master { secret: secret.to_vec(), from: "key log" }];
        }
        if self.exchange.is_none() {
            return self.resumed(out);
        }
        let of = |(premaster, from): (Vec<u8>, &'static str)| {
            Some(Master { secret: self.master_of(&premaster)?, from })
        };
        self.premasters(out).into_iter().take(MOST).filter_map(of).collect()
    }

    /// What an earlier session left under the id or the ticket that the client showed (RFC 5246 section
    /// 7.3, RFC 5077 section 3.1). Which of the two the server took is for the tag to say.
    fn resumed(&self, out: &Out<'_, '_>) -> Vec<Master> {
        let (Some(client), Some(server)) = (&self.client, &self.server) else { return Vec::new() };
        let mut found = Vec::new();
        if !client.ticket.is_empty() {
            found.extend(out.recall(BY_TICKET, &name_of(&client.ticket)));
        }
        if !server.session.is_empty() && server.session == client.session {
            found.extend(out.recall(BY_ID, &server.session));
        }
        found.into_iter().map(|s| Master { secret: s.to_vec(), from: "earlier session" }).collect()
    }

    /// The session's secret is known: later sessions may go on from it.
    pub(super) fn settle(&mut self, master: Master, out: &mut Out<'_, '_>) {
        if let Some(server) = self.server.as_ref().filter(|s| !s.session.is_empty()) {
            out.remember(BY_ID, &server.session, &master.secret[..]);
        }
        if let Some(name) = self.ticket {
            out.remember(BY_TICKET, &name, &master.secret[..]);
        }
        self.source = Some(master.from);
        self.master = Some(master);
    }

    /// A NewSessionTicket of TLS 1.2.
    pub(super) fn new_ticket(&mut self, body: &[u8], out: &mut Out<'_, '_>) {
        let mut c = Cursor::new(body);
        let Some(ticket) = c.u32().and_then(|_| c.vec16()).filter(|t| !t.is_empty()) else { return };
        let name = name_of(ticket);
        self.ticket = Some(name);
        if let Some(master) = &self.master {
            out.remember(BY_TICKET, &name, &master.secret[..]);
        }
    }

    /// Premaster secrets that the ClientKeyExchange may stand for.
    fn premasters(&self, out: &Out<'_, '_>) -> Vec<(Vec<u8>, &'static str)> {
        let keys = out.keys();
        let (Some(client), Some(suite)) = (&self.client, self.suite()) else { return Vec::new() };
        if let Some(logged) = keys.secret(&client.random, Label::Premaster) {
            return vec![(logged.to_vec(), "key log")];
        }
        let body = self.exchange.as_deref().unwrap_or_default();
        let kind = suite.name.trim_start_matches("TLS_").split("_WITH_").next().unwrap_or_default();
        match kind {
            "RSA" => {
                // SSL 3.0 has no length before the ciphertext.
                let sealed = Cursor::new(body).vec16().unwrap_or(body);
                let sealed = if self.ssl3() { body } else { sealed };
                self.decrypted(sealed, out)
            }
            "PSK" => {
                let of = |psk: &[u8]| with_psk(&vec![0; psk.len()], psk);
                keys.psks().iter().map(|p| (of(p), "pre-shared key")).collect()
            }
            "RSA_PSK" => {
                let mut c = Cursor::new(body);
                let Some(sealed) = c.vec16().and_then(|_| c.vec16()) else { return Vec::new() };
                let with = |(inner, from): (Vec<u8>, &'static str)| {
                    keys.psks().iter().map(move |p| (with_psk(&inner, p), from)).collect::<Vec<_>>()
                };
                self.decrypted(sealed, out).into_iter().flat_map(with).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The premaster secret of an RSA key exchange (RFC 5246 section 7.4.7.1).
    fn decrypted(&self, sealed: &[u8], out: &Out<'_, '_>) -> Vec<(Vec<u8>, &'static str)> {
        if let Some(logged) = sealed.first_chunk().and_then(|name| out.keys().premaster(name)) {
            return vec![(logged.to_vec(), "key log")];
        }
        // The certificate, if it was seen, says whose key it is; without it every key is tried.
        let fits = |modulus: &[u8]| self.modulus.as_deref().is_none_or(|m| m == modulus);
        let keys = out.keys().rsa().iter().filter(|k| fits(k.modulus())).take(MOST);
        keys.filter_map(|k| k.decrypt(sealed).filter(|p| p.len() == 48))
            .map(|p| (p, "RSA private key"))
            .collect()
    }

    /// The master secret of a premaster secret (RFC 5246 section 8.1, RFC 7627 section 4).
    fn master_of(&self, premaster: &[u8]) -> Option<Vec<u8>> {
        let (client, server, suite) = (self.client.as_ref()?, self.server.as_ref()?, self.suite()?);
        let hash = suite.hash;
        let (label, seed) = match server.extended_master {
            true => ("extended master secret", self.session_hash(server.version, hash)?),
            false => ("master secret", [client.random, server.random].concat()),
        };
        Some(match server.version {
            0x0303 => prf12(hash, premaster, label, &seed, 48),
            0x0300 => super::ssl3::derive(premaster, &seed, 48),
            _ => prf10(premaster, label, &seed, 48),
        })
    }

    fn session_hash(&self, version: u16, hash: Hash) -> Option<Vec<u8>> {
        let messages = self.transcript.session()?;
        Some(match version {
            0x0303 => hash.digest(&messages),
            _ => {
                let sha1 = ring_digest::digest(&ring_digest::SHA1_FOR_LEGACY_USE_ONLY, &messages);
                [&md5_of(&messages)[..], sha1.as_ref()].concat()
            }
        })
    }

    /// Openers of what a side sends from its ChangeCipherSpec on, one for each secret that may be right.
    pub(super) fn key_block(&self, side: Side, out: &Out<'_, '_>) -> Vec<(Opener, Master)> {
        let Some(suite) = self.suite() else { return Vec::new() };
        if matches!(suite.cipher, Cipher::Null(_) | Cipher::Other) {
            return Vec::new();
        }
        let opener = |m: Master| Some((self.opener_of(side, &m.secret)?, m));
        self.masters(out).into_iter().filter_map(opener).collect()
    }

    fn opener_of(&self, side: Side, master: &[u8]) -> Option<Opener> {
        let (client, server, suite) = (self.client.as_ref()?, self.server.as_ref()?, self.suite()?);
        let (mac, key, iv) = needs(suite.cipher)?;
        let seed = [server.random, client.random].concat();
        let length = 2 * (mac + key + iv);
        let block = match server.version {
            0x0303 => prf12(suite.hash, master, "key expansion", &seed, length),
            0x0300 => super::ssl3::derive(master, &seed, length),
            _ => prf10(master, "key expansion", &seed, length),
        };
        let part = |start: usize, each: usize| match side {
            Side::Client => block.get(start..start + each),
            Side::Server => block.get(start + each..start + 2 * each),
        };
        let material =
            Material { mac: part(0, mac)?, key: part(2 * mac, key)?, iv: part(2 * (mac + key), iv)? };
        Opener::tls12(suite, server.version, &material, server.encrypt_then_mac)
    }

    fn ssl3(&self) -> bool {
        self.server.as_ref().is_some_and(|s| s.version == 0x0300)
    }
}

/// RFC 4279 section 2: the other secret and the key, each behind its length.
fn with_psk(other: &[u8], psk: &[u8]) -> Vec<u8> {
    let length = |b: &[u8]| (b.len() as u16).to_be_bytes();
    [&length(other)[..], other, &length(psk)[..], psk].concat()
}

/// Tickets are long; their digest names them.
fn name_of(ticket: &[u8]) -> [u8; 32] {
    let mut name = [0; 32];
    name.copy_from_slice(ring_digest::digest(&ring_digest::SHA256, ticket).as_ref());
    name
}

fn md5_of(text: &[u8]) -> [u8; 16] {
    use md5::Digest as _;
    md5::Md5::digest(text).into()
}
