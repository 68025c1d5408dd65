//! TLS 1.3 with an external pre-shared key (RFC 8446 sections 2.2 and 7.1). Where the key alone makes the
//! session's secrets (psk_ke), the key opens all of it; with a key exchange beside it (psk_dhe_ke) the
//! key opens early data only.

use super::Tls;
use super::hkdf::{Hash, expand_label_with};
use crate::keys::Label;
use crate::peel::Out;

/// A pre-shared key that a ClientHello proves to be offered.
pub(super) struct Early {
    /// Its place in the offer.
    index: usize,
    hash: Hash,
    /// Early secret, later the handshake secret.
    secret: Vec<u8>,
}

/// Keys tried against one ClientHello.
const MOST: usize = 64;

impl Tls {
    /// Looks for the pre-shared key that a binder of the client was made with, which gives the key of
    /// early data at once.
    pub(super) fn prove_psk(&mut self, out: &Out<'_, '_>) {
        self.early = None;
        let Some(client) = self.client.as_ref().filter(|c| !c.binders.is_empty()) else { return };
        let (random, count) = (client.random, client.binders.len().min(16));
        for hash in [Hash::Sha256, Hash::Sha384] {
            let Some(seen) = self.transcript.hello(hash, self.retried, client.binders_len) else { return };
            for psk in out.keys().psks().iter().take(MOST) {
                let secret = hash.mac(&vec![0; hash.len()], psk);
                let binder = binder(hash, &secret, &seen);
                let Some(index) = client.binders.iter().take(count).position(|b| *b == binder) else {
                    continue;
                };
                let whole = self.transcript.hello(hash, self.retried, 0).unwrap_or_default();
                let early = derive(hash, &secret, "c e traffic", &whole);
                self.early = Some(Early { index, hash, secret });
                self.own = vec![(Label::ClientEarly, early)];
                self.source = out.keys().secret(&random, Label::ServerTraffic).is_none().then_some(SOURCE);
                return;
            }
        }
    }

    /// The server took the key, and no other key exchange is mixed in.
    pub(super) fn derive_handshake(&mut self) {
        let Some(server) = self.server.as_ref() else { return };
        let alone = server.psk && server.group.is_none();
        let taken = |e: &&mut Early| alone && e.index == usize::from(server.psk_index);
        let Some(early) = self.early.as_mut().filter(taken) else { return };
        let hash = early.hash;
        let Some(seen) = self.transcript.server(hash, self.retried) else { return };
        early.secret = next(hash, &early.secret);
        self.own.push((Label::ClientHandshake, derive(hash, &early.secret, "c hs traffic", &seen)));
        self.own.push((Label::ServerHandshake, derive(hash, &early.secret, "s hs traffic", &seen)));
    }

    /// The server's Finished is the last message that the keys of application data depend on.
    pub(super) fn derive_traffic(&mut self) {
        let Some(early) = &self.early else { return };
        let hash = early.hash;
        let ready = self.own.iter().any(|(l, _)| *l == Label::ServerHandshake);
        let Some(seen) = self.transcript.server(hash, self.retried).filter(|_| ready) else { return };
        let master = next(hash, &early.secret);
        self.own.push((Label::ClientTraffic, derive(hash, &master, "c ap traffic", &seen)));
        self.own.push((Label::ServerTraffic, derive(hash, &master, "s ap traffic", &seen)));
    }
}

const SOURCE: &str = "pre-shared key";

/// `Derive-Secret` with the hash of the messages already made.
fn derive(hash: Hash, secret: &[u8], label: &str, seen: &[u8]) -> Vec<u8> {
    expand_label_with(hash, secret, label, seen, hash.len())
}

/// The next secret of the schedule where nothing is mixed in.
fn next(hash: Hash, secret: &[u8]) -> Vec<u8> {
    let salt = derive(hash, secret, "derived", &hash.digest(&[]));
    hash.mac(&salt, &vec![0; hash.len()])
}

/// The binder of an external key over the hash of a hello without its binders (section 4.2.11.2).
fn binder(hash: Hash, early: &[u8], seen: &[u8]) -> Vec<u8> {
    let key = derive(hash, early, "ext binder", &hash.digest(&[]));
    hash.mac(&expand_label_with(hash, &key, "finished", &[], hash.len()), seen)
}
