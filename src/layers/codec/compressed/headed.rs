//! Compressed bytes behind a header that no layer knows: a length (as Qt's `qCompress` writes it), a type, or both.
//! The compression must begin with its magic, end where the input does with its digest right, and leave text.

use super::{Wrapper, convincing, flate, is_zlib};
use std::io::Read;

/// Octets of a header at most.
const HEADER: usize = 20;
/// Octets of compression at least: with fewer a digest may agree by chance.
const LEAST: usize = 16;

pub(super) fn undo(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    if bytes.len() > MOST {
        return None;
    }
    (1..=HEADER).find_map(|at| {
        let rest = bytes.get(at..).filter(|rest| rest.len() >= LEAST)?;
        let plain = match rest {
            [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 => gunzip(rest, limit)?,
            // The levels that writers use; other windows than the whole are rare.
            [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] if is_zlib(rest) => flate(Wrapper::Zlib, rest, limit)?,
            _ => return None,
        };
        (plain.len() < limit && convincing(&plain)).then_some(plain)
    })
}

/// Longer inputs are files, which have names.
const MOST: usize = 1 << 20;

/// One member with its digest, and nothing behind it.
fn gunzip(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut rest = bytes;
    flate2::bufread::GzDecoder::new(&mut rest).take(limit as u64).read_to_end(&mut plain).ok()?;
    rest.is_empty().then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const SAID: &[u8] = b"{\"from\":\"alice\",\"text\":\"meet me at the north pier at seven\"}";

    fn zlib() -> Vec<u8> {
        let mut z = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        z.write_all(SAID).unwrap();
        z.finish().unwrap()
    }

    fn gzip() -> Vec<u8> {
        let mut z = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        z.write_all(SAID).unwrap();
        z.finish().unwrap()
    }

    #[test]
    fn a_header_before_compression_is_passed_over() {
        for body in [zlib(), gzip()] {
            for header in
                [&b"\x01"[..], &(SAID.len() as u32).to_be_bytes(), &[0, 0, 0, 99, 0, 16, 0, 2, 0, 0, 0, 5]]
            {
                assert_eq!(undo(&[header, &body].concat(), 4096).as_deref(), Some(SAID));
            }
        }
    }

    #[test]
    fn damage_and_what_follows_are_no_compression() {
        for body in [zlib(), gzip()] {
            let mut damaged = [&b"\x01"[..], &body].concat();
            *damaged.last_mut().unwrap() ^= 1;
            assert_eq!(undo(&damaged, 4096), None);
            assert_eq!(undo(&[&b"\x01"[..], &body, b"more"].concat(), 4096), None);
            assert_eq!(undo(&body, 4096), None, "no header");
        }
    }
}
