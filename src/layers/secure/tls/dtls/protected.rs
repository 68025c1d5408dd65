//! Records under protection: which keys they need, and what becomes of those that nobody opens.

use super::Dtls;
use super::assembly::Overdue;
use super::epochs::{self, Keys};
use super::record::{CID, Plain, Unified};
use crate::keys::Label;
use crate::layers::secure::tls::inner_type;
use crate::layers::secure::tls::opener::Opener;
use crate::layers::secure::tls::suite::Cipher;
use crate::model::Side;
use crate::peel::{Out, Why};
use std::ops::Range;

impl Dtls {
    /// A record of the older form: in clear in the first epoch, under keys in later ones.
    pub(super) fn plain(&mut self, side: Side, record: &Plain<'_>, out: &mut Out<'_, '_>) {
        if record.epoch == 0 {
            return self.content(side, record.kind, 0, record.body, out);
        }
        self.protection_seen(out);
        let known = self.halves[side].keys.iter().any(|k| k.epoch == record.epoch);
        if !known {
            self.begin_epoch(side, record, out);
        }
        let outer = (record.kind != CID).then_some(record.kind);
        let open = |keys: &mut Keys, buffer: &mut [u8]| keys.open_plain(record, buffer);
        self.unprotect(side, record.epoch, outer, record.body, open, out);
    }

    /// A protected record of DTLS 1.3.
    pub(super) fn unified(&mut self, side: Side, record: &Unified<'_>, out: &mut Out<'_, '_>) {
        self.protection_seen(out);
        let epoch = epoch_of(self.halves[side].epoch, record.epoch);
        self.derive(side, epoch, out);
        let open = |keys: &mut Keys, buffer: &mut [u8]| keys.open_unified(record, buffer);
        self.unprotect(side, epoch, None, record.body, open, out);
    }

    /// What is protected comes behind the hellos; those that are missing were lost.
    fn protection_seen(&mut self, out: &mut Out<'_, '_>) {
        self.tls.encrypted_seen = true;
        Side::BOTH.into_iter().for_each(|s| self.said(s, Overdue::Yes, out));
    }

    /// Opens a record with the keys of its epoch, if there are any. Where no `outer` type counts, the type
    /// stands behind the content.
    fn unprotect(
        &mut self,
        side: Side,
        epoch: u16,
        outer: Option<u8>,
        body: &[u8],
        open: impl FnOnce(&mut Keys, &mut [u8]) -> Option<Range<usize>>,
        out: &mut Out<'_, '_>,
    ) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        buffer.extend_from_slice(body);
        let half = &mut self.halves[side];
        match half.keys.iter_mut().find(|k| k.epoch == epoch).map(|k| open(k, &mut buffer)) {
            Some(Some(range)) => {
                half.epoch = half.epoch.max(epoch);
                let plain = buffer.get(range).unwrap_or_default();
                let (kind, end) = outer.map_or_else(|| inner_type(plain), |kind| (kind, plain.len()));
                self.content(side, kind, epoch, plain.get(..end).unwrap_or_default(), out);
            }
            Some(None) => self.bad_tag(side, body.len(), out),
            None => self.no_key(side, body.len(), out),
        }
        self.buffer = buffer;
    }

    /// The keys of a new epoch, up to DTLS 1.2: of several that may be right, those that open its first
    /// record; a single one is kept whether it does or not.
    fn begin_epoch(&mut self, side: Side, record: &Plain<'_>, out: &mut Out<'_, '_>) {
        if let Some(Cipher::Null(mac_len)) = self.tls.suite().map(|s| s.cipher) {
            return epochs::keep(
                &mut self.halves[side].keys,
                Keys::plain(record.epoch, Opener::Null { mac_len }),
            );
        }
        let candidates = self.tls.key_block(self.role(side), out);
        let only = candidates.len() == 1;
        for (opener, master) in candidates {
            let mut keys = Keys::plain(record.epoch, opener);
            let mut trial = record.body.to_vec();
            let opens = keys.open_plain(record, &mut trial).is_some();
            if opens {
                self.tls.settle(master, out);
            }
            if opens || only {
                return epochs::keep(&mut self.halves[side].keys, keys);
            }
        }
    }

    /// DTLS 1.3: makes the keys of an epoch (RFC 9147 section 6.1), if its secret is at hand.
    fn derive(&mut self, side: Side, epoch: u16, out: &mut Out<'_, '_>) {
        if self.halves[side].keys.iter().any(|k| k.epoch == epoch) {
            return;
        }
        let Some(suite) = self.tls.suite() else { return };
        let label = match (self.role(side), epoch) {
            (Side::Client, 1) => Label::ClientEarly,
            (Side::Client, 2) => Label::ClientHandshake,
            (Side::Server, 2) => Label::ServerHandshake,
            (Side::Client, 3) => Label::ClientTraffic,
            (Side::Server, 3) => Label::ServerTraffic,
            _ => {
                let before = self.halves[side].keys.iter().find(|k| k.epoch.checked_add(1) == Some(epoch));
                if let Some(keys) = before.and_then(|k| k.updated(suite)) {
                    epochs::keep(&mut self.halves[side].keys, keys);
                    out.fact("tls.key_update", true);
                }
                return;
            }
        };
        let secret = self.tls.random().and_then(|r| out.keys().secret(&r, label)).map(<[u8]>::to_vec);
        if let Some(keys) = secret.and_then(|s| Keys::of_secret(epoch, suite, s)) {
            epochs::keep(&mut self.halves[side].keys, keys);
        }
    }

    fn bad_tag(&mut self, side: Side, len: usize, out: &mut Out<'_, '_>) {
        out.note("dtls-bad-tag");
        self.halves[side].bad += 1;
        self.seal(side, len, out);
    }

    fn no_key(&mut self, side: Side, len: usize, out: &mut Out<'_, '_>) {
        let unsupported =
            self.tls.server.is_some() && self.tls.suite().is_none_or(|s| s.cipher == Cipher::Other);
        if unsupported && self.halves[side].why.is_none() {
            self.halves[side].why = Some(Why::Unsupported);
            out.note("tls-suite-unsupported");
        }
        self.seal(side, len, out);
    }

    fn seal(&mut self, side: Side, len: usize, out: &mut Out<'_, '_>) {
        self.halves[side].sealed += len as u64;
        out.declare_sealed(len as u64);
    }
}

/// The epoch that a unified header's two bits stand for: the newest one possible (RFC 9147 section 4.2.2).
fn epoch_of(newest: u16, low: u8) -> u16 {
    let back = (newest.saturating_add(1) & 3).wrapping_sub(u16::from(low)) & 3;
    match newest.saturating_add(1).checked_sub(back) {
        Some(epoch) if epoch > 0 => epoch,
        _ => u16::from(low) + if low == 0 { 4 } else { 0 },
    }
}
