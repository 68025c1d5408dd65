//! Record headers of DTLS: the plain one of 1.0 and 1.2 (RFC 6347 section 4.1), the one with a connection
//! id (RFC 9146 section 4) and the unified one of 1.3 (RFC 9147 section 4).

use crate::bytes::Cursor;

/// Content types that only DTLS has: a record with a connection id, and an acknowledgement.
pub(super) const CID: u8 = 25;
const ACK: u8 = 26;
/// DTLS 1.0, 1.2 and 1.3, and what OpenSSL spoke before DTLS had a number; Cisco's VPN still does.
const VERSIONS: [[u8; 2]; 4] = [[0xfe, 0xff], [0xfe, 0xfd], [0xfe, 0xfc], [1, 0]];
/// Longest record body.
const LONGEST: usize = (1 << 14) + 2048;

/// One record of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// With a plain header, or one with a connection id.
    Plain(Plain<'a>),
    /// With a unified header.
    Unified(Unified<'a>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain<'a> {
    pub kind: u8,
    pub version: [u8; 2],
    pub epoch: u16,
    /// Epoch and sequence number as one, as the MAC sees them.
    pub number: u64,
    pub id: &'a [u8],
    pub body: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unified<'a> {
    /// The header as it stands, with the masked sequence number.
    pub head: &'a [u8],
    /// Where the sequence number stands in it, and its one or two bytes.
    pub number_at: usize,
    pub number: &'a [u8],
    /// Low bits of the epoch.
    pub epoch: u8,
    pub body: &'a [u8],
}

/// Whether the first byte is that of a unified header.
pub(super) fn is_unified(first: u8) -> bool {
    first & 0xe0 == 0x20
}

/// The next record of a datagram; `id` is the length of the connection ids on their way in this direction.
pub(super) fn read<'a>(c: &mut Cursor<'a>, id: usize) -> Option<Record<'a>> {
    match c.peek()? {
        first if is_unified(first) => unified(c, id).map(Record::Unified),
        _ => plain(c, id).map(Record::Plain),
    }
}

fn plain<'a>(c: &mut Cursor<'a>, id: usize) -> Option<Plain<'a>> {
    let kind = c.u8().filter(|k| (20..=ACK).contains(k))?;
    let version: [u8; 2] = c.array()?;
    if !VERSIONS.contains(&version) {
        return None;
    }
    let number = c.u64()?;
    let id = if kind == CID { c.take(id)? } else { &[] };
    let body = c.vec16()?;
    let fits = body.len() <= LONGEST && !body.is_empty();
    fits.then_some(Plain { kind, version, epoch: (number >> 48) as u16, number, id, body })
}

fn unified<'a>(c: &mut Cursor<'a>, id: usize) -> Option<Unified<'a>> {
    let all = c.rest();
    let before = c.consumed();
    let first = c.u8()?;
    if first & 0x10 != 0 {
        c.take(id)?;
    }
    let number_at = c.consumed() - before;
    let number = c.take(if first & 0x08 != 0 { 2 } else { 1 })?;
    let len = if first & 0x04 != 0 { usize::from(c.u16()?) } else { c.left() };
    let head = all.get(..c.consumed() - before)?;
    let body = c.take(len)?;
    // Sixteen bytes are needed to mask the number; no AEAD's tag leaves fewer (section 4.2.3).
    let fits = (16..=LONGEST).contains(&len);
    fits.then_some(Unified { head, number_at, number, epoch: first & 3, body })
}

/// Whether the whole datagram is records with plain headers; in a record with a connection id any length
/// of it may be the right one.
pub(super) fn is_whole(datagram: &[u8]) -> bool {
    let exact = |id: usize| {
        let mut c = Cursor::new(datagram);
        while !c.is_empty() {
            // Behind a plain record a unified one may fill the datagram up.
            if c.consumed() > 0 && c.peek().is_some_and(is_unified) {
                return true;
            }
            match plain(&mut c, id) {
                Some(p) if p.kind != 22 || p.epoch > 0 || is_handshake(p.body) => {}
                _ => return false,
            }
        }
        true
    };
    match datagram.first() {
        None => false,
        Some(&CID) => (0..=32).any(exact),
        Some(_) => exact(0),
    }
}

/// The head of a handshake message's fragment that fits its record.
fn is_handshake(body: &[u8]) -> bool {
    let mut c = Cursor::new(body);
    let (Some(_), Some(len), Some(_), Some(from), Some(part)) = (c.u8(), c.u24(), c.u16(), c.u24(), c.u24())
    else {
        return false;
    };
    from.saturating_add(part) <= len && part as usize <= c.left()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_unified_header_with_all_its_parts() {
        // C, S and L set, epoch 3 (RFC 9147 figure 4), with a connection id of two bytes.
        let mut bytes = vec![0x3f, 0xaa, 0xbb, 0x12, 0x34, 0x00, 0x10];
        bytes.extend([7; 16]);
        bytes.push(0x16);
        let mut c = Cursor::new(&bytes);
        let Some(Record::Unified(u)) = read(&mut c, 2) else { panic!("no record") };
        assert_eq!((u.number, u.number_at, u.epoch, u.body.len()), (&[0x12, 0x34][..], 3, 3, 16));
        assert_eq!(u.head, &bytes[..7]);
        assert_eq!(c.left(), 1);
        // Without a length it reaches to the end of the datagram.
        let short = [&[0x22, 0x99][..], &[1; 20]].concat();
        let Some(Record::Unified(u)) = read(&mut Cursor::new(&short), 0) else { panic!("no record") };
        assert_eq!((u.number, u.body.len(), u.epoch), (&[0x99][..], 20, 2));
    }

    #[test]
    fn only_datagrams_that_are_records_to_the_end_are_whole() {
        let alert = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 5, 0, 2, 2, 40];
        assert!(is_whole(&alert));
        assert!(is_whole(&[alert, alert].concat()));
        assert!(!is_whole(&[&alert[..], &[0]].concat()));
        assert!(!is_whole(&alert[..14]));
    }
}
