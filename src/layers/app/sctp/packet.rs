//! A packet: the common header with its checksum, and the chunks behind it (RFC 9260 section 3).

use crate::bytes::Cursor;

/// Chunk types that matter here (RFC 9260 section 3.2, RFC 3758, RFC 8260).
pub(super) const DATA: u8 = 0x00;
pub(super) const INIT: u8 = 0x01;
pub(super) const INIT_ACK: u8 = 0x02;
pub(super) const SACK: u8 = 0x03;
pub(super) const ABORT: u8 = 0x06;
pub(super) const SHUTDOWN: u8 = 0x07;
pub(super) const I_DATA: u8 = 0x40;
pub(super) const FORWARD_TSN: u8 = 0xc0;
pub(super) const I_FORWARD_TSN: u8 = 0xc2;

/// What the checksum says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checksum {
    /// CRC-32C of the packet.
    Right,
    /// Left out where a lower layer has a better one (RFC 9653).
    Zero,
    Wrong,
}

/// A packet whose chunks fill it exactly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    pub source: u16,
    pub target: u16,
    /// What the receiver asked for in its INIT or INIT ACK.
    pub tag: u32,
    whole: &'a [u8],
    chunks: &'a [u8],
}

/// One chunk without its padding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub kind: u8,
    pub flags: u8,
    pub body: &'a [u8],
}

impl<'a> Packet<'a> {
    /// `None` unless ports are there and chunks of known types, with their lengths and their padding of zeros,
    /// end where the packet does. INIT stands alone and its tag is zero, no other's is.
    pub fn read(whole: &'a [u8]) -> Option<Self> {
        let mut c = Cursor::new(whole);
        let (source, target, tag) = (c.u16()?, c.u16()?, c.u32()?);
        c.u32()?;
        let packet = Self { source, target, tag, whole, chunks: c.rest() };
        let (mut rest, mut count, mut init) = (packet.chunks, 0, false);
        while !rest.is_empty() {
            let (chunk, behind) = split(rest)?;
            known(chunk.kind).then_some(())?;
            init |= chunk.kind == INIT;
            (rest, count) = (behind, count + 1);
        }
        let alone = !init || count == 1;
        (source != 0 && target != 0 && count > 0 && alone && init == (tag == 0)).then_some(packet)
    }

    pub fn checksum(&self) -> Checksum {
        let stated = self.whole.get(8..12).and_then(|s| s.try_into().ok()).map_or(0, u32::from_le_bytes);
        let parts = [self.whole.get(..8).unwrap_or(&[]), &[0; 4], self.chunks];
        match crc32c(&parts) {
            sum if sum == stated => Checksum::Right,
            _ if stated == 0 => Checksum::Zero,
            _ => Checksum::Wrong,
        }
    }

    pub fn chunks(&self) -> impl Iterator<Item = Chunk<'a>> + use<'a> {
        let mut rest = self.chunks;
        std::iter::from_fn(move || {
            let (chunk, behind) = split(rest)?;
            rest = behind;
            Some(chunk)
        })
    }
}

/// The first chunk and what follows it. The last one's padding may be left out.
fn split(bytes: &[u8]) -> Option<(Chunk<'_>, &[u8])> {
    let mut c = Cursor::new(bytes);
    let (kind, flags, length) = (c.u8()?, c.u8()?, usize::from(c.u16()?));
    let body = c.take(length.checked_sub(4)?)?;
    let padding = c.take((length.next_multiple_of(4) - length).min(c.left()))?;
    padding.iter().all(|b| *b == 0).then_some((Chunk { kind, flags, body }, c.rest()))
}

/// The IANA registry of chunk types as of 2024: RFC 9260, 4895, 5061, 6525, 4820, 3758, 8260.
fn known(kind: u8) -> bool {
    matches!(kind, 0..=15 | 0x40 | 0x80 | 0x81 | 0x82 | 0x84 | 0xc0 | 0xc1 | 0xc2)
}

/// A piece of a user's message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Data<'a> {
    pub tsn: u32,
    pub stream: u16,
    pub unordered: bool,
    /// The message among those of its stream: MID of I-DATA, SSN of DATA.
    pub message: u32,
    /// The piece among those of its message: FSN, which DATA does not have.
    pub piece: Option<u32>,
    /// Payload protocol identifier; with I-DATA only the first piece has it.
    pub protocol: u32,
    pub begins: bool,
    pub ends: bool,
    pub bytes: &'a [u8],
}

impl<'a> Data<'a> {
    /// RFC 9260 section 3.3.1, RFC 8260 section 2.1.
    pub fn read(chunk: &Chunk<'a>) -> Option<Self> {
        let mut c = Cursor::new(chunk.body);
        let (tsn, stream) = (c.u32()?, c.u16()?);
        let (unordered, begins, ends) = (chunk.flags & 4 != 0, chunk.flags & 2 != 0, chunk.flags & 1 != 0);
        let (message, piece, protocol) = if chunk.kind == I_DATA {
            c.u16()?;
            match (c.u32()?, c.u32()?) {
                (message, protocol) if begins => (message, Some(0), protocol),
                (message, piece) => (message, Some(piece), 0),
            }
        } else {
            (u32::from(c.u16()?), None, c.u32()?)
        };
        Some(Self { tsn, stream, unordered, message, piece, protocol, begins, ends, bytes: c.rest() })
    }
}

/// The TSN that the sender of an INIT or INIT ACK begins with (RFC 9260 section 3.3.2).
pub(super) fn initial(body: &[u8]) -> Option<u32> {
    let mut c = Cursor::new(body);
    c.take(12)?;
    c.u32()
}

/// The number that SACK, SHUTDOWN and FORWARD TSN begin with: everything up to it is done with.
pub(super) fn cumulative(body: &[u8]) -> Option<u32> {
    Cursor::new(body).u32()
}

/// CRC-32C (RFC 9260 appendix A), reflected, a byte at a time.
fn crc32c(parts: &[&[u8]]) -> u32 {
    static TABLE: [u32; 256] = table();
    let step = |crc: u32, b: &u8| crc >> 8 ^ TABLE[usize::from(crc as u8 ^ b)];
    !parts.iter().flat_map(|p| p.iter()).fold(u32::MAX, step)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let (mut crc, mut bit) = (n as u32, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[n] = crc;
        n += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc_32c() {
        // RFC 3720 appendix B.4.
        assert_eq!(crc32c(&[&[0; 16], &[0; 16]]), 0x8a91_36aa);
    }
}
