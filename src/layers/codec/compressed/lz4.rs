//! LZ4: frames (lz4_Frame_format.md), and single blocks behind their decompressed size as libraries write
//! them. Read strictly: the last byte of the input ends the last sequence.

use crate::bytes::Cursor;

/// Begins a frame.
pub(super) const MAGIC: &[u8] = &[0x04, 0x22, 0x4d, 0x18];

/// The frames or the one block that fill `bytes`.
pub(super) fn undo(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    match bytes.starts_with(MAGIC) {
        true => frames(bytes, limit),
        false => sized(bytes, limit),
    }
}

fn frames(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut c = Cursor::new(bytes);
    let mut plain = Vec::new();
    while !c.is_empty() && plain.len() < limit {
        if c.rest().starts_with(MAGIC) {
            frame(&mut c, &mut plain, limit)?;
            continue;
        }
        // Frames to pass over: any of sixteen magics, then a length.
        let magic = c.u32_le()?;
        let length = c.u32_le()? as usize;
        if magic & 0xffff_fff0 != 0x184d_2a50 {
            return None;
        }
        c.take(length)?;
    }
    Some(plain)
}

fn frame(c: &mut Cursor<'_>, plain: &mut Vec<u8>, limit: usize) -> Option<()> {
    c.take(MAGIC.len())?;
    let (flags, sizes) = (c.u8()?, c.u8()?);
    if flags >> 6 != 1 || flags & 0x02 != 0 || sizes & 0x8f != 0 {
        return None;
    }
    // Content size, dictionary, header checksum.
    c.take(if flags & 0x08 != 0 { 8 } else { 0 })?;
    c.take(if flags & 0x01 != 0 { 4 } else { 0 })?;
    c.u8()?;
    let start = plain.len();
    loop {
        let size = c.u32_le()?;
        if size == 0 {
            break;
        }
        let block = c.take((size & 0x7fff_ffff) as usize)?;
        match size >> 31 {
            1 => plain.extend_from_slice(block),
            _ => sequences(block, plain, start, limit)?,
        }
        c.take(if flags & 0x10 != 0 { 4 } else { 0 })?;
        if plain.len() >= limit {
            plain.truncate(limit);
            return Some(());
        }
    }
    c.take(if flags & 0x04 != 0 { 4 } else { 0 })?;
    Some(())
}

/// One block whose size stands before it, in either byte order.
fn sized(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let (size, block) = bytes.split_first_chunk::<4>()?;
    let most = block.len().saturating_mul(255);
    [u32::from_le_bytes(*size), u32::from_be_bytes(*size)].into_iter().find_map(|size| {
        let size = usize::try_from(size).ok().filter(|n| (1..=most).contains(n))?;
        let mut plain = Vec::new();
        sequences(block, &mut plain, 0, limit)?;
        (plain.len() == size || plain.len() >= limit && size > limit).then_some(plain)
    })
}

/// Undoes the sequences of a block (lz4_Block_format.md). Offsets reach back to `start`. Output beyond the
/// limit is cut.
fn sequences(block: &[u8], plain: &mut Vec<u8>, start: usize, limit: usize) -> Option<()> {
    let mut c = Cursor::new(block);
    loop {
        let token = c.u8()?;
        let literals = length(&mut c, token >> 4)?;
        plain.extend_from_slice(c.take(literals)?);
        if c.is_empty() {
            return Some(());
        }
        let offset = usize::from(c.u16_le()?);
        let copied = length(&mut c, token & 15)? + 4;
        let from = plain.len().checked_sub(offset).filter(|from| offset > 0 && *from >= start)?;
        if plain.len() + copied > limit {
            plain.resize(limit.max(plain.len()), 0);
            return Some(());
        }
        for at in from..from + copied {
            let b = *plain.get(at)?;
            plain.push(b);
        }
    }
}

fn length(c: &mut Cursor<'_>, nibble: u8) -> Option<usize> {
    let mut n = usize::from(nibble);
    if nibble == 15 {
        loop {
            let more = c.u8()?;
            n += usize::from(more);
            if more != 255 {
                break;
            }
        }
    }
    Some(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "see you see you see you!" as one match and literals.
    const BLOCK: &[u8] = b"\x8csee you \x08\x00\x10!";

    #[test]
    fn blocks_and_frames_end_where_their_input_ends() {
        let sized = [&24u32.to_le_bytes()[..], BLOCK].concat();
        let text = b"see you see you see you ";
        let mut plain = Vec::new();
        sequences(BLOCK, &mut plain, 0, 1000).unwrap();
        assert_eq!(plain, [&text[..], b"!"].concat());
        assert_eq!(undo(&sized, 1000), None);
        let right = [&25u32.to_le_bytes()[..], BLOCK].concat();
        assert_eq!(undo(&right, 1000).as_deref(), Some(&plain[..]));
        let frame =
            [MAGIC, &[0x60, 0x40, 0x82], &(BLOCK.len() as u32).to_le_bytes(), BLOCK, &[0; 4]].concat();
        assert_eq!(undo(&frame, 1000).as_deref(), Some(&plain[..]));
        for cut in 0..frame.len() {
            assert!(undo(&frame[..cut], 1000).is_none_or(|p| p.is_empty()));
        }
        // A match from before the start, and a bomb.
        assert_eq!(sequences(b"\x10a\x02\x00\x10b", &mut Vec::new(), 0, 1000), None);
        let bomb = [&[0x1f, b'a', 1, 0][..], &[255; 4000], &[0]].concat();
        let mut plain = Vec::new();
        sequences(&bomb, &mut plain, 0, 1000);
        assert!(plain.len() <= 1000);
    }
}
