//! Bodies that are compressed: what their beginning bears out.

use flate2::{Decompress, FlushDecompress, Status};

/// Bytes of a compressed body that are looked at.
pub(super) const LOOK: usize = 1024;
/// Characters that come out of the beginning of a body that goes on, if they are to tell something.
const TELLING: usize = 64;

/// What a compressed body shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packed {
    /// The magic only.
    Magic(u32),
    /// It ends exactly where the frame does.
    Whole,
    /// It goes on behind what was looked at, and begins with text.
    Text,
    /// It is damaged, or ends elsewhere.
    Broken,
}

impl Packed {
    /// Bits of evidence.
    pub fn bits(self) -> u32 {
        match self {
            Self::Magic(bits) => bits,
            Self::Whole => 40,
            Self::Text => 64,
            Self::Broken => 0,
        }
    }
}

/// Whether bytes begin like a compressed body.
pub(super) fn begins(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] | [0x1f, 0x8b, 8, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..]
    )
}

/// Weighs the beginning of a body of `len` bytes; `None` where it has no magic.
pub(super) fn weigh(look: &[u8], len: usize) -> Option<Packed> {
    Some(match look {
        // CMF and FLG are a multiple of 31, the method is deflate with the usual window (RFC 1950 section 2.2).
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, _, ..] if len > 8 => inflate(true, look, 0, len, 14),
        // A header without optional fields, and a trailer of eight bytes (RFC 1952 section 2.3).
        [0x1f, 0x8b, 8, 0, _, _, _, _, _, _, body @ ..] if len > 18 => inflate(false, body, 8, len - 10, 24),
        [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 && len > 18 => Packed::Magic(24),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Packed::Magic(30),
        _ => return None,
    })
}

/// `trailer` bytes follow the compressed ones, `len` is the length of both, of which some may not be there yet.
fn inflate(zlib: bool, bytes: &[u8], trailer: usize, len: usize, magic: u32) -> Packed {
    let (mut z, mut plain) = (Decompress::new(zlib), Vec::with_capacity(8 * LOOK));
    let whole = bytes.len() == len;
    let end = z.decompress_vec(bytes, &mut plain, FlushDecompress::Sync);
    let used = usize::try_from(z.total_in()).unwrap_or(usize::MAX);
    match end {
        Ok(Status::StreamEnd) if used.checked_add(trailer) == Some(len) => Packed::Whole,
        Ok(Status::StreamEnd) | Err(_) => Packed::Broken,
        // Unless so much comes out that the end was not reached, or one stream goes on from frame to frame (RFC 7692
        // section 7.2.1 has the same mark).
        Ok(_) if whole && plain.len() < plain.capacity() && !bytes.ends_with(&[0, 0, 0xff, 0xff]) => {
            Packed::Broken
        }
        Ok(_) if !whole && plain.len() >= TELLING && reads(&plain) => Packed::Text,
        Ok(_) => Packed::Magic(magic),
    }
}

/// UTF-8, cut anywhere, without control characters.
fn reads(plain: &[u8]) -> bool {
    let text = match std::str::from_utf8(plain) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() => {
            std::str::from_utf8(plain.get(..e.valid_up_to()).unwrap_or_default()).unwrap_or("\0")
        }
        Err(_) => return false,
    };
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use std::io::Write;

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn a_body_is_whole_only_where_its_frame_ends() {
        for body in [zlib(b"see you at the old bridge"), gzip(b"see you at the old bridge")] {
            assert_eq!(weigh(&body, body.len()), Some(Packed::Whole));
            let short = body.len() - 4;
            assert_eq!(weigh(&body[..short], short), Some(Packed::Broken));
            let long = [&body[..], &[0, 0]].concat();
            assert_eq!(weigh(&long, long.len()), Some(Packed::Broken));
        }
    }

    #[test]
    fn the_beginning_of_a_long_text_tells_and_that_of_noise_does_not() {
        let mut x = 7u32;
        let mut next = || {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 24) as u8
        };
        let noise: Vec<u8> = (0..4000).map(|_| next()).collect();
        let text: String = (0..800).map(|i| format!("{} and {}; ", noise[i], noise[i + 1])).collect();
        let body = zlib(text.as_bytes());
        assert!(body.len() > LOOK);
        assert_eq!(weigh(&body[..LOOK], body.len()), Some(Packed::Text));
        let body = zlib(&noise);
        assert_eq!(weigh(&body[..LOOK], body.len()), Some(Packed::Magic(14)));
        assert_eq!(weigh(&noise, noise.len()), None);
    }
}
