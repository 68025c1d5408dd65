//! Hashes that change with every sealed message: one of what was sealed lets whoever gets it compare it with what he
//! suspects. Hashes of the ciphertext tell nobody anything.

use super::collector::Collector;
use super::{Evidence, Kind, Polarity, Strength};
use crate::bytes::unhex;
use crate::peel::{Family, Form, Hashes, Leaf, NodeRef};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The finding.
pub const CONTENT_HASH: &str = "content-hash";

/// Hashes of one message, and values of it that they are compared with.
#[derive(Debug, Clone, Default)]
pub(super) struct Hashed {
    named: Vec<(Evidence, Vec<u8>)>,
    /// Hashes of the long values.
    known: Vec<Vec<u8>>,
}

/// Kept of one message.
const NAMED: usize = 8;
const KNOWN: usize = 8 * 6;
/// Bytes of a value that is compared.
const VALUE: std::ops::RangeInclusive<usize> = 48..=16_384;

impl Hashed {
    /// Those that are of no value in the message.
    pub fn foreign(&self) -> impl Iterator<Item = &Evidence> {
        self.named.iter().filter(|(_, raw)| !self.known.contains(raw)).map(|(e, _)| e)
    }
}

impl Collector {
    /// A field that is called a hash (`called`), and values that it may be of.
    pub(super) fn hashed(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, called: bool) {
        let whole = leaf.total == leaf.bytes.len() as u64;
        if node.scope() == 0 || node.family() != Some(Family::Codec) || leaf.form == Form::Plain || !whole {
            return;
        }
        if let Some(raw) = called.then(|| digest_in(leaf)).flatten() {
            let detail = "a hash beside every sealed message, each time another".to_owned();
            let kind = Kind::Weak { finding: CONTENT_HASH.to_owned(), detail };
            let e = self.evidence(node, leaf, kind, Strength::Weak, Polarity::Neutral);
            let named = &mut self.message(node, leaf.at).hashed.named;
            if named.len() < NAMED {
                named.push((e, raw));
            }
        } else if VALUE.contains(&leaf.bytes.len()) && !leaf.bytes.contains(&b' ') {
            let known = &mut self.message(node, leaf.at).hashed.known;
            if known.len() >= KNOWN {
                return;
            }
            let core = leaf.bytes.trim_ascii().strip_suffix(b"=").unwrap_or(leaf.bytes);
            let core = core.strip_suffix(b"=").unwrap_or(core);
            let decoded = STANDARD_NO_PAD.decode(core).or_else(|_| URL_SAFE_NO_PAD.decode(core)).ok();
            for value in std::iter::once(leaf.bytes).chain(decoded.as_deref()) {
                known.extend(Hashes::of(value).named().map(|(_, raw)| raw.to_vec()));
            }
        }
    }
}

/// A digest of 16, 20, 32 or 64 bytes in hexadecimal or base64.
fn digest_in(leaf: &Leaf<'_>) -> Option<Vec<u8>> {
    let text = leaf.text()?.trim();
    let core = text.trim_end_matches('=');
    match core.len() {
        32 | 40 | 64 | 128 if core.bytes().all(|b| b.is_ascii_hexdigit()) => unhex(core),
        22 | 27 | 43 | 86 => STANDARD_NO_PAD.decode(core).or_else(|_| URL_SAFE_NO_PAD.decode(core)).ok(),
        _ => None,
    }
}

/// Whether a field is called the hash of something that is not known to be sealed itself, or no message.
pub(super) fn is_hash(field: &str) -> bool {
    let last = field.rsplit(['.', '>']).find(|n| !n.is_empty()).unwrap_or("").to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| last.contains(w));
    has(&["hash", "digest", "sha256", "sha1", "md5", "checksum", "sha512"])
        && !has(&[
            "cipher", "enc", "key", "file", "blob", "attach", "commit", "build", "prev", "parent", "chain",
        ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hashes_are_told_from_those_of_what_is_sealed_or_no_message() {
        for field in ["$.messages[0].content_hash", "$.md5", "$.textDigest"] {
            assert!(is_hash(field), "{field}");
        }
        for field in ["$.ciphertext_hash", "$.key_digest", "$.attachmentHash", "$.id", "$.prev_hash"] {
            assert!(!is_hash(field), "{field}");
        }
    }
}
