//! The input of the flow table: what one packet says at the transport layer.

use std::ops::BitOr;

/// The flags of a TCP header that matter for ordering (RFC 9293 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct TcpFlags(u8);

impl TcpFlags {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// The sender is done.
    pub const FIN: Self = Self(1);
    /// The sequence number is an initial one.
    pub const SYN: Self = Self(2);
    /// The connection is destroyed.
    pub const RST: Self = Self(4);
    /// The acknowledgement number is valid.
    pub const ACK: Self = Self(16);

    /// From the flag byte of a TCP header; other flags are dropped.
    pub fn from_byte(byte: u8) -> Self {
        Self(byte & (1 | 2 | 4 | 16))
    }

    /// True if all flags of `other` are set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for TcpFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpSegment<'a> {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number, meaningful with [`TcpFlags::ACK`].
    pub ack: u32,
    /// Flags.
    pub flags: TcpFlags,
    /// Captured payload.
    pub payload: &'a [u8],
    /// Payload bytes after `payload` that were on the wire but not captured.
    pub missing: u32,
}

impl TcpSegment<'_> {
    /// The sequence number of the first payload byte: a SYN takes one number before it.
    pub(super) fn payload_seq(&self) -> u32 {
        self.seq.wrapping_add(u32::from(self.flags.has(TcpFlags::SYN)))
    }

    /// True if it occupies sequence space beyond a SYN.
    pub(super) fn says_something(&self) -> bool {
        !self.payload.is_empty() || self.missing > 0 || self.flags.has(TcpFlags::FIN)
    }
}

/// One packet's worth of transport payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment<'a> {
    /// A TCP segment.
    Tcp(TcpSegment<'a>),
    /// A UDP datagram.
    Udp {
        /// Captured payload.
        payload: &'a [u8],
        /// Payload bytes after it that were on the wire but not captured.
        missing: u32,
    },
    /// An SCTP packet with its common header.
    Sctp {
        /// Captured bytes.
        payload: &'a [u8],
        /// Bytes after them that were on the wire but not captured.
        missing: u32,
    },
}

impl Segment<'_> {
    /// Captured payload bytes.
    pub(super) fn payload_len(&self) -> usize {
        match self {
            Segment::Tcp(s) => s.payload.len(),
            Segment::Udp { payload, .. } | Segment::Sctp { payload, .. } => payload.len(),
        }
    }
}
