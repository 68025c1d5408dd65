//! Packet headers in the clear (RFC 9000 section 17, RFC 8999, RFC 9369 section 3.2).

use super::keys::Version;
use crate::bytes::Cursor;

/// What a long header is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Initial,
    Early,
    Handshake,
    Retry,
}

/// A packet with a long header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Long<'a> {
    pub version: Version,
    pub kind: Kind,
    pub dcid: &'a [u8],
    pub scid: &'a [u8],
    pub token: &'a [u8],
    /// The packet alone, without those coalesced behind it.
    pub packet: &'a [u8],
    /// Where the packet number starts.
    pub number_at: usize,
}

/// What a datagram goes on with.
pub(super) enum Head<'a> {
    Long(Long<'a>),
    /// Version negotiation (RFC 9000 section 17.2.1).
    Negotiation {
        /// The id that the client chose for itself.
        dcid: &'a [u8],
    },
    /// A long header of a version that is not known here.
    Unknown {
        code: u32,
    },
    Short,
}

/// `n` bytes where `n` is a variable-length integer in front of them.
pub(super) fn prefixed<'a>(c: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let n = c.quic_varint()?;
    c.take(usize::try_from(n).ok()?)
}

/// Reads the head of the first packet of `bytes`.
pub(super) fn head(bytes: &[u8]) -> Option<Head<'_>> {
    let mut c = Cursor::new(bytes);
    let first = c.u8()?;
    if first & 0x80 == 0 {
        return Some(Head::Short);
    }
    let code = c.u32()?;
    let (dcid, scid) = (c.vec8()?, c.vec8()?);
    if code == 0 {
        return Some(Head::Negotiation { dcid });
    }
    let Some(version) = Version::read(code) else { return Some(Head::Unknown { code }) };
    if dcid.len() > 20 || scid.len() > 20 {
        return None;
    }
    let kinds = match version {
        Version::V1(_) => [Kind::Initial, Kind::Early, Kind::Handshake, Kind::Retry],
        Version::V2 => [Kind::Retry, Kind::Initial, Kind::Early, Kind::Handshake],
    };
    let kind = kinds[usize::from(first >> 4 & 3)];
    if kind == Kind::Retry {
        let token = c.rest();
        return Some(Head::Long(Long {
            version,
            kind,
            dcid,
            scid,
            token,
            packet: bytes,
            number_at: bytes.len(),
        }));
    }
    let token = if kind == Kind::Initial { prefixed(&mut c)? } else { &[] };
    let length = usize::try_from(c.quic_varint()?).ok()?;
    let number_at = c.consumed();
    let packet = bytes.get(..number_at.checked_add(length)?)?;
    (length >= 20).then_some(Head::Long(Long { version, kind, dcid, scid, token, packet, number_at }))
}
