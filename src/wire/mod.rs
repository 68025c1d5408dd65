//! From frames to transport packets: link layers, IP with its fragments, tunnels. The headers that
//! etherparse knows are read by etherparse; the rest is read here.
//!
//! Nothing is verified by checksum: network cards fill checksums in after the recorder saw the
//! packet, so honest captures are full of wrong ones.

mod app;
mod decoder;
mod fragment;
mod ip;
mod link;
mod ppp;
mod tunnel;
mod view;
mod wlan;

pub use decoder::{Counters, Decoder};

use crate::model::Endpoint;
use std::sync::Arc;

/// One TCP segment, UDP datagram or SCTP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Who sent it (of the innermost IP header, where there are several).
    pub source: Endpoint,
    /// Who it was sent to.
    pub target: Endpoint,
    /// The transport header.
    pub proto: Proto,
    /// What the transport carries.
    pub payload: Payload,
    /// Payload bytes that were on the wire but not captured.
    pub missing: u32,
    /// The app that sent or received it, where the recorder knew.
    pub app: Option<App>,
    /// The recorder had taken off the protection of the way ([`crate::model::Opened`]).
    pub opened: bool,
}

/// The transport header's fields that flows need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proto {
    /// RFC 9293.
    Tcp {
        /// Sequence number of the first payload byte (of the SYN, where there is one).
        seq: u32,
        /// Acknowledgement number; meaningful with the ACK flag.
        ack: u32,
        /// The control bits.
        flags: TcpFlags,
        /// The window as in the header, not scaled.
        window: u16,
    },
    /// RFC 768.
    Udp,
    /// RFC 9260; the payload is the whole packet, its common header included.
    Sctp,
}

/// TCP's control bits as in the header's 14th byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronize sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement number counts.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer counts.
    pub const URG: Self = Self(0x20);

    /// True where all bits of `other` are set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Where a packet's payload lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A range inside the frame's data.
    Frame {
        /// Index of the first byte.
        start: u32,
        /// Bytes.
        len: u32,
    },
    /// Put together from several frames.
    Owned(Box<[u8]>),
}

impl Payload {
    /// The bytes, given the frame that the packet was decoded from.
    pub fn bytes<'a>(&'a self, frame: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Frame { start, len } => {
                let start = *start as usize;
                frame.get(start..start.saturating_add(*len as usize)).unwrap_or_default()
            }
            Self::Owned(bytes) => bytes,
        }
    }
}

/// The app behind a packet, as the recorder saw it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct App {
    /// Android's user id of the app, or -1 where the recorder does not tell.
    pub uid: i32,
    /// The app's or process's name, possibly shortened by the recorder.
    pub name: Arc<str>,
}
