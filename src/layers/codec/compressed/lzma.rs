//! LZMA in its two containers: xz (xz-file-format.txt) and the older one that has hardly a header.

use super::{read, whole};
use crate::peel::{Guess, Probe};

pub(super) fn xz_probe(p: &Probe<'_>) -> Guess {
    if p.bytes.starts_with(b"\xfd7zXZ\0\0") { Guess::Sure } else { Guess::No }
}

/// The properties that nearly every writer leaves alone, a size of the dictionary that is a power of two, and a
/// length that is unknown or small; then the whole must come out convincingly.
pub(super) fn probe(p: &Probe<'_>) -> Guess {
    let Some((&[0x5d, d0, d1, d2, d3, ref length @ ..], _)) = p.bytes.split_first_chunk::<13>() else {
        return Guess::No;
    };
    let dictionary = u32::from_le_bytes([d0, d1, d2, d3]);
    let length: [u8; 8] = *length;
    let length = u64::from_le_bytes(length);
    let fits = dictionary.is_power_of_two() && (length == u64::MAX || length < 1 << 32);
    if fits { whole(p, undo) } else { Guess::No }
}

/// Dictionaries of the strongest presets are not allocated on a stranger's word.
const XZ_MEMORY: u32 = 24 << 10;

pub(super) fn unxz(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    read(lzma_rust2::XzReader::new_mem_limit(bytes, true, XZ_MEMORY), limit)
}

pub(super) fn undo(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    read(lzma_rust2::LzmaReader::new_mem_limit(bytes, XZ_MEMORY, None).ok()?, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_container_comes_back() {
        let packed = include_bytes!("said.lzma");
        assert_eq!(undo(packed, 4096).as_deref(), Some(&b"meet me at the north pier at seven, at seven"[..]));
    }
}
