//! The transports of MTProto on a stream (core.telegram.org/mtproto/mtproto-transports): how packets are
//! told apart.

use crate::bytes::Cursor;
use crate::model::Side;

/// A transport. The client's first bytes name it; the full one has no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `ef`; lengths in words of four bytes.
    Abridged,
    /// `eeeeeeee`; lengths in four bytes.
    Intermediate,
    /// `dddddddd`; the same with up to 15 random bytes behind each packet.
    Padded,
    /// A length, a sequence number and a checksum around each packet.
    Full,
}

impl Transport {
    /// The name as documented.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Abridged => "abridged",
            Transport::Intermediate => "intermediate",
            Transport::Padded => "padded intermediate",
            Transport::Full => "full",
        }
    }

    /// Bytes that open a connection.
    pub fn magic(self) -> &'static [u8] {
        match self {
            Transport::Abridged => &[0xef],
            Transport::Intermediate => &[0xee; 4],
            Transport::Padded => &[0xdd; 4],
            Transport::Full => &[],
        }
    }

    /// The transport whose name stands inside an obfuscated connection's head.
    pub fn tagged(tag: &[u8]) -> Option<Self> {
        match tag {
            [0xef, 0xef, 0xef, 0xef] => Some(Transport::Abridged),
            [0xee, 0xee, 0xee, 0xee] => Some(Transport::Intermediate),
            [0xdd, 0xdd, 0xdd, 0xdd] => Some(Transport::Padded),
            _ => None,
        }
    }
}

/// What the next bytes of a side are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// More bytes are needed to tell.
    Short,
    /// A packet of `len` bytes behind `head` bytes, with `tail` bytes after it.
    Packet {
        /// Bytes before it.
        head: usize,
        /// Its bytes, padding included.
        len: usize,
        /// Bytes behind it.
        tail: usize,
    },
    /// The server's short word that it has got a packet; four bytes.
    QuickAck,
    /// No such transport.
    Wrong,
}

/// Longest packet that any client or server sends, generously.
const LONGEST: usize = 1 << 25;
/// The full transport's length and sequence number, and its checksum.
const FULL_HEAD: usize = 8;
const FULL_TAIL: usize = 4;

/// Reads a frame's head.
pub fn frame(transport: Transport, side: Side, bytes: &[u8]) -> Frame {
    let read = match transport {
        Transport::Abridged => abridged(side, bytes),
        Transport::Intermediate | Transport::Padded => intermediate(transport, side, bytes),
        Transport::Full => full(bytes),
    };
    match read {
        Some(Frame::Packet { len, .. }) if !(4..=LONGEST).contains(&len) => Frame::Wrong,
        Some(frame) => frame,
        None => Frame::Short,
    }
}

fn abridged(side: Side, bytes: &[u8]) -> Option<Frame> {
    let mut c = Cursor::new(bytes);
    let first = c.u8()?;
    // The top bit asks for a quick acknowledgement, and is one when the server sets it.
    if side == Side::Server && first & 0x80 != 0 {
        return Some(Frame::QuickAck);
    }
    let words = match first & 0x7f {
        0x7f => {
            let [a, b, d] = c.array::<3>()?;
            u32::from_le_bytes([a, b, d, 0]) as usize
        }
        n => usize::from(n),
    };
    Some(Frame::Packet { head: c.consumed(), len: words * 4, tail: 0 })
}

fn intermediate(transport: Transport, side: Side, bytes: &[u8]) -> Option<Frame> {
    let length = Cursor::new(bytes).u32_le()?;
    if side == Side::Server && length >> 31 != 0 {
        return Some(Frame::QuickAck);
    }
    let len = (length & 0x7fff_ffff) as usize;
    let whole_words = len.is_multiple_of(4) || transport == Transport::Padded;
    Some(if whole_words { Frame::Packet { head: 4, len, tail: 0 } } else { Frame::Wrong })
}

fn full(bytes: &[u8]) -> Option<Frame> {
    let mut c = Cursor::new(bytes);
    let length = c.u32_le()? as usize;
    let Some(len) = length.checked_sub(FULL_HEAD + FULL_TAIL).filter(|_| length.is_multiple_of(4)) else {
        return Some(Frame::Wrong);
    };
    Some(Frame::Packet { head: FULL_HEAD, len, tail: FULL_TAIL })
}

/// Whether a whole frame of the full transport carries its checksum.
pub fn full_checks(frame: &[u8]) -> bool {
    let Some((covered, sum)) = frame.split_last_chunk::<FULL_TAIL>() else { return false };
    let mut crc = flate2::Crc::new();
    crc.update(covered);
    crc.sum() == u32::from_le_bytes(*sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Side::{Client, Server};

    #[test]
    fn every_transport_frames_its_packets() {
        let packet = |head, len, tail| Frame::Packet { head, len, tail };
        assert_eq!(frame(Transport::Abridged, Client, &[0x0a]), packet(1, 40, 0));
        assert_eq!(frame(Transport::Abridged, Client, &[0x8a]), packet(1, 40, 0), "asks for a quick ack");
        assert_eq!(frame(Transport::Abridged, Server, &[0x8a]), Frame::QuickAck);
        assert_eq!(frame(Transport::Abridged, Client, &[0x7f, 0x80, 0, 0]), packet(4, 512, 0));
        assert_eq!(frame(Transport::Abridged, Client, &[0x7f, 0x80, 0]), Frame::Short);
        assert_eq!(frame(Transport::Abridged, Client, &[0]), Frame::Wrong);
        assert_eq!(frame(Transport::Intermediate, Client, &[40, 0, 0, 0x80]), packet(4, 40, 0));
        assert_eq!(frame(Transport::Intermediate, Server, &[40, 0, 0, 0x80]), Frame::QuickAck);
        assert_eq!(frame(Transport::Intermediate, Client, &[41, 0, 0, 0]), Frame::Wrong);
        assert_eq!(frame(Transport::Padded, Client, &[41, 0, 0, 0]), packet(4, 41, 0));
        assert_eq!(frame(Transport::Padded, Client, &[0xff; 4]), Frame::Wrong, "a length that cannot be");
        assert_eq!(frame(Transport::Full, Client, &[52, 0, 0, 0]), packet(8, 40, 4));
        assert_eq!(frame(Transport::Full, Client, &[11, 0, 0, 0]), Frame::Wrong);
    }
}
