//! The header of media packets.

/// An RTP packet (RFC 3550 section 5.1), sealed or not: its header is always readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// All of it.
    pub bytes: &'a [u8],
    /// Where the payload begins: behind sources and extension.
    pub payload_at: usize,
    /// Payload type.
    pub kind: u8,
    /// Set on the first packet of a talk spurt or the last of a picture.
    pub marker: bool,
    /// Sequence number.
    pub number: u16,
    /// Sampling instant.
    pub timestamp: u32,
    /// Who sends.
    pub source: u32,
}

impl<'a> Packet<'a> {
    /// Reads a header of version 2 whose parts fit. The payload types that RTCP would have are refused
    /// (RFC 5761 section 4).
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut c = crate::bytes::Cursor::new(bytes);
        let (first, second) = (c.u8()?, c.u8()?);
        let (kind, marker) = (second & 0x7f, second & 0x80 != 0);
        if first >> 6 != 2 || (64..96).contains(&kind) && marker {
            return None;
        }
        let (number, timestamp, source) = (c.u16()?, c.u32()?, c.u32()?);
        c.take(4 * usize::from(first & 15))?;
        if first & 0x10 != 0 {
            c.u16()?;
            let words = c.u16()?;
            c.take(4 * usize::from(words))?;
        }
        Some(Self { bytes, payload_at: c.consumed(), kind, marker, number, timestamp, source })
    }

    /// What follows the header: payload, padding, and a tag where there is one.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(self.payload_at..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::unhex;

    #[test]
    fn headers_with_sources_and_extensions_are_read_and_rtcp_is_not() {
        let mut bytes = unhex("91e0000100000002000000030000000400010001aabbccdd55").unwrap();
        let packet = Packet::read(&bytes).unwrap();
        assert_eq!((packet.payload(), packet.kind, packet.marker), (&[0x55][..], 96, true));
        bytes.truncate(20);
        assert_eq!(Packet::read(&bytes), None);
        assert_eq!(Packet::read(&unhex("80c8000100000002000000030000").unwrap()), None);
    }
}
