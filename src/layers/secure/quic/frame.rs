//! Frames (RFC 9000 section 19, RFC 9221).

use super::packet::prefixed;
use crate::bytes::Cursor;

/// A frame that matters to a bystander.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Crypto {
        offset: u64,
        data: &'a [u8],
    },
    Stream {
        id: u64,
        offset: u64,
        data: &'a [u8],
        fin: bool,
    },
    Reset {
        id: u64,
    },
    ConnectionId {
        id: &'a [u8],
        token: &'a [u8],
    },
    Datagram(&'a [u8]),
    /// Close by transport (false) or application.
    Close {
        code: u64,
        reason: &'a [u8],
    },
    /// Flow control, acknowledgements, padding.
    Other,
}

/// Reads the next frame; `None` at the end or where the bytes are no frame.
pub(super) fn next<'a>(c: &mut Cursor<'a>) -> Option<Frame<'a>> {
    let kind = c.quic_varint()?;
    match kind {
        0x02 | 0x03 => acknowledgement(c, kind == 3),
        0x04 => {
            let id = c.quic_varint()?;
            skip(c, 2)?;
            Some(Frame::Reset { id })
        }
        0x06 => Some(Frame::Crypto { offset: c.quic_varint()?, data: prefixed(c)? }),
        0x07 => prefixed(c).map(|_| Frame::Other),
        0x08..=0x0f => stream(c, kind),
        0x00 | 0x01 | 0x1e => Some(Frame::Other),
        0x05 | 0x11 | 0x15 => skip(c, 2),
        0x10 | 0x12 | 0x13 | 0x14 | 0x16 | 0x17 | 0x19 => skip(c, 1),
        0x18 => {
            skip(c, 2)?;
            Some(Frame::ConnectionId { id: c.vec8()?, token: c.take(16)? })
        }
        0x1a | 0x1b => c.take(8).map(|_| Frame::Other),
        0x1c => {
            let code = c.quic_varint()?;
            c.quic_varint()?;
            Some(Frame::Close { code, reason: prefixed(c)? })
        }
        0x1d => Some(Frame::Close { code: c.quic_varint()?, reason: prefixed(c)? }),
        0x30 => c.take(c.left()).map(Frame::Datagram),
        0x31 => prefixed(c).map(Frame::Datagram),
        // TIMESTAMP, IMMEDIATE_ACK, ACK_FREQUENCY, RESET_STREAM_AT (drafts).
        0x2f5 => skip(c, 1),
        0x1f | 0xac => Some(Frame::Other),
        0xaf => skip(c, 4),
        0x24 => {
            let id = c.quic_varint()?;
            skip(c, 3)?;
            Some(Frame::Reset { id })
        }
        _ => None,
    }
}

fn skip<'a>(c: &mut Cursor<'a>, integers: usize) -> Option<Frame<'a>> {
    for _ in 0..integers {
        c.quic_varint()?;
    }
    Some(Frame::Other)
}

fn acknowledgement<'a>(c: &mut Cursor<'a>, counts: bool) -> Option<Frame<'a>> {
    skip(c, 2)?;
    let ranges = c.quic_varint()?;
    c.quic_varint()?;
    for _ in 0..ranges {
        skip(c, 2)?;
    }
    if counts { skip(c, 3) } else { Some(Frame::Other) }
}

fn stream<'a>(c: &mut Cursor<'a>, kind: u64) -> Option<Frame<'a>> {
    let id = c.quic_varint()?;
    let offset = if kind & 4 != 0 { c.quic_varint()? } else { 0 };
    let data = if kind & 2 != 0 { prefixed(c)? } else { c.take(c.left())? };
    Some(Frame::Stream { id, offset, data, fin: kind & 1 != 0 })
}
