//! Snappy: the stream of chunks (framing_format.txt) and the raw form (format_description.txt). The raw form
//! says its decompressed size and must come out at exactly that size with its last byte.

use crate::bytes::Cursor;

/// Begins a stream.
pub(super) const MAGIC: &[u8] = b"\xff\x06\0\0sNaPpY";

/// What fills `bytes`, chunks or raw.
pub(super) fn undo(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    match bytes.starts_with(MAGIC) {
        true => chunks(bytes, limit),
        false => raw(bytes, limit),
    }
}

fn chunks(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut c = Cursor::new(bytes);
    let mut plain = Vec::new();
    while !c.is_empty() && plain.len() < limit {
        let kind = c.u8()?;
        let size = c.array::<3>()?;
        let body = c.take(u32::from_le_bytes([size[0], size[1], size[2], 0]) as usize)?;
        match kind {
            // Data behind four bytes of checksum.
            0 => plain.extend(raw(body.get(4..)?, limit)?),
            1 => plain.extend_from_slice(body.get(4..)?),
            0x80..=0xff => {}
            _ => return None,
        }
    }
    plain.truncate(limit);
    Some(plain)
}

fn raw(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut c = Cursor::new(bytes);
    // The size has 32 bits at most.
    let size = u32::try_from(c.shortest_varint()?).ok()? as usize;
    // An element of three bytes copies 64 at most.
    if size == 0 || size > c.left().saturating_mul(32) {
        return None;
    }
    let mut plain = Vec::new();
    while !c.is_empty() {
        let tag = c.u8()?;
        let high = usize::from(tag >> 2);
        if tag & 3 == 0 {
            let literals = match high {
                60 => usize::from(c.u8()?),
                61 => usize::from(c.u16_le()?),
                62 => {
                    let n = c.array::<3>()?;
                    u32::from_le_bytes([n[0], n[1], n[2], 0]) as usize
                }
                63 => c.u32_le()? as usize,
                short => short,
            };
            plain.extend_from_slice(c.take(literals.checked_add(1)?)?);
        } else {
            let (length, offset) = match tag & 3 {
                1 => ((high & 7) + 4, usize::from(tag >> 5) << 8 | usize::from(c.u8()?)),
                2 => (high + 1, usize::from(c.u16_le()?)),
                _ => (high + 1, c.u32_le()? as usize),
            };
            let from = plain.len().checked_sub(offset).filter(|_| offset > 0)?;
            for at in from..from + length {
                let b = *plain.get(at)?;
                plain.push(b);
            }
        }
        if plain.len() > size {
            return None;
        }
        if plain.len() >= limit {
            plain.truncate(limit);
            return Some(plain);
        }
    }
    (plain.len() == size).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "see you see you see you!" as a literal, a copy and a literal.
    const RAW: &[u8] = b"\x18\x1csee you \x3a\x08\x00\x00!";

    #[test]
    fn raw_and_chunks_end_where_their_input_ends() {
        let text = b"see you see you see you!";
        let body = b"\x18\x1csee you \x3a\x08\x00\x04!!";
        assert_eq!(raw(body, 1000), None);
        assert_eq!(raw(RAW, 1000).as_deref(), Some(&text[..]));
        for cut in 0..RAW.len() {
            assert_eq!(raw(&RAW[..cut], 1000), None);
        }
        let mut stream = MAGIC.to_vec();
        stream.extend([0, (RAW.len() + 4) as u8, 0, 0, 1, 2, 3, 4]);
        stream.extend(RAW);
        stream.extend([1, 7, 0, 0, 1, 2, 3, 4, b'b', b'y', b'e']);
        assert_eq!(undo(&stream, 1000).as_deref(), Some(&b"see you see you see you!bye"[..]));
        assert_eq!(undo(&stream[..stream.len() - 1], 1000), None);
        assert_eq!(raw(b"\x05\x05\x00", 1000), None);
    }
}
