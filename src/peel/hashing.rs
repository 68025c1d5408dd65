//! The usual hashes of a content that is longer than what is kept of it.

use md5::{Digest as _, Md5};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

/// Hashes that services are known to use as names of contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashes {
    /// SHA-256 (FIPS 180-4).
    pub sha256: [u8; 32],
    /// SHA-1 (FIPS 180-4).
    pub sha1: [u8; 20],
    /// MD5 (RFC 1321).
    pub md5: [u8; 16],
}

impl Hashes {
    /// Their names, in the order of [`Hashes::named`].
    pub const NAMES: [&str; 3] = ["SHA-256", "SHA-1", "MD5"];

    /// Of a whole content.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hashing = Hashing::default();
        hashing.add(bytes);
        hashing.finish()
    }

    /// Each with its name.
    pub fn named(&self) -> [(&'static str, &[u8]); 3] {
        let [sha256, sha1, md5] = Self::NAMES;
        [(sha256, &self.sha256), (sha1, &self.sha1), (md5, &self.md5)]
    }
}

/// Hashes under way.
#[derive(Clone)]
pub(super) struct Hashing {
    sha256: Context,
    sha1: Context,
    md5: Md5,
}

impl std::fmt::Debug for Hashing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hashing")
    }
}

impl Default for Hashing {
    fn default() -> Self {
        let (sha256, sha1) = (Context::new(&SHA256), Context::new(&SHA1_FOR_LEGACY_USE_ONLY));
        Self { sha256, sha1, md5: Md5::new() }
    }
}

impl Hashing {
    pub fn add(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.sha1.update(bytes);
        self.md5.update(bytes);
    }

    pub fn finish(self) -> Hashes {
        Hashes {
            sha256: sized(self.sha256.finish().as_ref()),
            sha1: sized(self.sha1.finish().as_ref()),
            md5: self.md5.finalize().into(),
        }
    }
}

/// A digest as an array; its length is that of its algorithm.
fn sized<const N: usize>(digest: &[u8]) -> [u8; N] {
    std::array::from_fn(|i| digest.get(i).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::hex;

    /// FIPS 180-4 examples and RFC 1321 appendix A.5, in pieces.
    #[test]
    fn pieces_make_the_known_digests_of_the_whole() {
        let mut hashing = Hashing::default();
        b"abc".iter().for_each(|b| hashing.add(&[*b]));
        let hashes = hashing.finish();
        assert_eq!(
            hashes.named().map(|(_, raw)| hex(raw)),
            [
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "a9993e364706816aba3e25717850c26c9cd0d89d",
                "900150983cd24fb0d6963f7d28e17f72",
            ]
        );
        assert_eq!(hashes, Hashes::of(b"abc"));
    }
}
