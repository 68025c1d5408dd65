//! The byte ledger: every byte that is fed to a flow lands in exactly one bucket.

use serde::{Deserialize, Serialize};

/// Where a byte of a layer's input went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// Understood by a layer: framing, or content that was handed to a layer above.
    Parsed,
    /// A leaf that reads as text or plain values.
    Clear,
    /// A leaf that nobody could explain.
    Opaque,
    /// Ciphertext that a known layer could not open.
    Sealed,
    /// Given up: a dead parser's rest, a limit, an unfinished unit at the end of the capture.
    Cut,
}

/// Byte counts of one layer, one flow or one conversation. Gaps (`lost`) were never captured and
/// stand beside the buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Bytes that were fed in.
    pub fed: u64,
    /// See [`Bucket::Parsed`].
    pub parsed: u64,
    /// See [`Bucket::Clear`].
    pub clear: u64,
    /// See [`Bucket::Opaque`].
    pub opaque: u64,
    /// See [`Bucket::Sealed`].
    pub sealed: u64,
    /// See [`Bucket::Cut`].
    pub cut: u64,
    /// Bytes that the capture lost (sequence gaps, snap length), not part of `fed`.
    pub lost: u64,
}

impl Ledger {
    /// Adds `n` bytes to a bucket.
    pub fn count(&mut self, bucket: Bucket, n: u64) {
        match bucket {
            Bucket::Parsed => self.parsed += n,
            Bucket::Clear => self.clear += n,
            Bucket::Opaque => self.opaque += n,
            Bucket::Sealed => self.sealed += n,
            Bucket::Cut => self.cut += n,
        }
    }

    /// True when every fed byte stands in exactly one bucket.
    pub fn balances(&self) -> bool {
        self.fed == self.parsed + self.clear + self.opaque + self.sealed + self.cut
    }

    /// Adds another ledger to this one.
    pub fn merge(&mut self, other: &Ledger) {
        self.fed += other.fed;
        self.parsed += other.parsed;
        self.clear += other.clear;
        self.opaque += other.opaque;
        self.sealed += other.sealed;
        self.cut += other.cut;
        self.lost += other.lost;
    }
}
