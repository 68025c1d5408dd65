//! The keys of each epoch of one direction, and the numbers of the records they opened.

use super::super::hkdf::{Prefix, expand_label_of};
use super::super::opener::Opener;
use super::super::suite::{Cipher, Suite};
use super::record::{Plain, Unified};
use ring::aead::quic::{self, HeaderProtectionKey};
use std::ops::Range;

/// Epochs whose keys are kept; records of older ones were overtaken long ago.
const KEPT: usize = 4;

/// Numbers around the expected one that are tried where the unmasked one does not fit, and how many
/// records in a row that may happen to.
const AROUND: u64 = 8;
const PATIENCE: u32 = 256;

/// The keys of one epoch.
pub(super) struct Keys {
    pub epoch: u16,
    opener: Opener,
    /// DTLS 1.3: masks sequence numbers.
    mask: Option<HeaderProtectionKey>,
    /// DTLS 1.3: the traffic secret, from which the next epoch's follows.
    secret: Vec<u8>,
    /// The number after the highest that was opened.
    next: u64,
    /// Records in a row whose unmasked number did not fit.
    missed: u32,
}

impl Keys {
    /// For DTLS 1.0 and 1.2.
    pub fn plain(epoch: u16, opener: Opener) -> Self {
        Self { epoch, opener, mask: None, secret: Vec::new(), next: 0, missed: 0 }
    }

    /// For DTLS 1.3 (RFC 9147 sections 4.2.3 and 6.1).
    pub fn of_secret(epoch: u16, suite: &Suite, secret: Vec<u8>) -> Option<Self> {
        let opener = Opener::of_secret(Prefix::Dtls, suite, &secret)?;
        let (algorithm, len) = match suite.cipher {
            Cipher::Gcm(16) | Cipher::Ccm(16, _) => (&quic::AES_128, 16),
            Cipher::Gcm(_) | Cipher::Ccm(..) => (&quic::AES_256, 32),
            Cipher::ChaCha => (&quic::CHACHA20, 32),
            _ => return None,
        };
        let key = expand_label_of(Prefix::Dtls, suite.hash, &secret, "sn", &[], len);
        let mask = HeaderProtectionKey::new(algorithm, &key).ok();
        Some(Self { epoch, opener, mask, secret, next: 0, missed: 0 })
    }

    /// The keys after a KeyUpdate (RFC 8446 section 7.2 with the labels of DTLS).
    pub fn updated(&self, suite: &Suite) -> Option<Self> {
        let (hash, label) = (suite.hash, "traffic upd");
        let secret = expand_label_of(Prefix::Dtls, hash, &self.secret, label, &[], hash.len());
        Self::of_secret(self.epoch.checked_add(1)?, suite, secret)
    }

    /// Whether there is no encryption.
    pub fn is_null(&self) -> bool {
        matches!(self.opener, Opener::Null { .. })
    }

    /// Opens a record with a plain header in `buffer`, which holds its body.
    pub fn open_plain(&mut self, record: &Plain<'_>, buffer: &mut [u8]) -> Option<Range<usize>> {
        let [major, minor] = record.version;
        if record.kind == super::record::CID {
            return self.opener.open_with(|plain| with_id(record, plain), record.number, buffer);
        }
        // The opener takes the length from the plaintext.
        self.opener.open([record.kind, major, minor, 0, 0], record.number, buffer)
    }

    /// Opens a record with a unified header.
    pub fn open_unified(&mut self, record: &Unified<'_>, buffer: &mut [u8]) -> Option<Range<usize>> {
        let sample = record.body.get(..16)?;
        let mask = self.mask.as_ref()?.new_mask(sample).ok()?;
        let number: Vec<u8> = record.number.iter().zip(mask).map(|(n, m)| n ^ m).collect();
        let low = number.iter().fold(0u64, |all, b| all << 8 | u64::from(*b));
        let full = nearest(self.next, low, 8 * number.len() as u32);
        if let Some(range) = self.open_numbered(record, full, buffer) {
            self.missed = 0;
            return Some(range);
        }
        // Some ends are known to mask by another rule; the numbers that come next are few, and the tag
        // decides. (wolfSSL 5.5 with ChaCha20.)
        self.missed = self.missed.saturating_add(1);
        if self.missed > PATIENCE {
            return None;
        }
        (self.next.saturating_sub(AROUND)..self.next + AROUND).filter(|n| *n != full).find_map(|n| {
            buffer.copy_from_slice(record.body);
            self.open_numbered(record, n, buffer)
        })
    }

    /// Opens the record if this is its number.
    fn open_numbered(&mut self, record: &Unified<'_>, full: u64, buffer: &mut [u8]) -> Option<Range<usize>> {
        // The additional data is the header before its number was masked (section 4).
        let mut head = record.head.to_vec();
        let len = record.number.len();
        let low = full.to_be_bytes();
        head.get_mut(record.number_at..record.number_at + len)?.copy_from_slice(low.get(8 - len..)?);
        let range = self.opener.open_with(|_| head, full, buffer)?;
        self.next = self.next.max(full.saturating_add(1));
        Some(range)
    }
}

/// Keeps the newest epochs.
pub(super) fn keep(all: &mut Vec<Keys>, keys: Keys) {
    if all.len() >= KEPT {
        all.remove(0);
    }
    all.push(keys);
}

/// The number with these low bits that is closest to the one expected (RFC 9147 section 4.2.2).
fn nearest(expected: u64, low: u64, bits: u32) -> u64 {
    let window = 1u64 << bits;
    let candidate = expected & !(window - 1) | low;
    let distance = |n: u64| n.abs_diff(expected);
    let other = match candidate < expected {
        true => candidate.saturating_add(window),
        false => candidate.saturating_sub(window),
    };
    match distance(other) < distance(candidate) && other & (window - 1) == low {
        true => other,
        false => candidate,
    }
}

/// Additional data of a record with a connection id (RFC 9146 section 5.3).
fn with_id(record: &Plain<'_>, plain: usize) -> Vec<u8> {
    let mut aad = vec![0xff; 8];
    aad.extend([record.kind, record.id.len() as u8, record.kind]);
    aad.extend(record.version);
    aad.extend(record.number.to_be_bytes());
    aad.extend(record.id);
    aad.extend((plain as u16).to_be_bytes());
    aad
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_completed_to_the_nearest() {
        assert_eq!(nearest(0, 5, 8), 5);
        assert_eq!(nearest(0x1fe, 0x01, 8), 0x201);
        assert_eq!(nearest(0x202, 0xff, 8), 0x1ff);
        assert_eq!(nearest(0x1_0000, 0xfffe, 16), 0xfffe);
        assert_eq!(nearest(3, 0xff, 8), 0xff, "there is nothing below zero");
    }
}
