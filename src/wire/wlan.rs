//! IEEE 802.11 data frames in clear, behind whatever radio header the recorder wrote.

use super::link::{Next, Other, Step};
use super::view::View;
use crate::bytes::Cursor;

/// Whether the recorder padded the 802.11 header to a multiple of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    None,
    ToFour,
}

/// Radiotap: a length, bitmaps of what is present, and the flags that say whether there is padding.
pub(super) fn radiotap(v: View<'_>) -> Option<Step<'_>> {
    let mut c = v.cursor();
    if c.u8()? != 0 {
        return None;
    }
    c.u8()?;
    let length = usize::from(c.u16_le()?);
    let present = c.u32_le()?;
    if length < 8 {
        return None;
    }
    let flags = radiotap_flags(&mut c, present).unwrap_or(0);
    let padding = if flags & 0x20 != 0 { Padding::ToFour } else { Padding::None };
    Some(Step::Go(Next::Wlan(padding), v.skip(length)?))
}

fn radiotap_flags(c: &mut Cursor<'_>, present: u32) -> Option<u8> {
    let mut more = present;
    while more & 0x8000_0000 != 0 {
        more = c.u32_le()?;
    }
    if present & 2 == 0 {
        return None;
    }
    if present & 1 != 0 {
        // The time stamp is aligned to eight bytes from the header's start.
        c.take(c.consumed().wrapping_neg() % 8 + 8)?;
    }
    c.u8()
}

/// Prism: a fixed 144-byte header, or an AVS header under the same link type.
pub(super) fn prism(v: View<'_>) -> Option<Step<'_>> {
    let mut c = v.cursor();
    let magic = c.array::<4>()?;
    if magic == [0x80, 0x21, 0x10, 0x01] || magic == [0x80, 0x21, 0x10, 0x02] {
        return avs(v);
    }
    let raw = c.array::<4>()?;
    let length = u32::from_le_bytes(raw).min(u32::from_be_bytes(raw)) as usize;
    if !(24..=1024).contains(&length) {
        return None;
    }
    Some(Step::Go(Next::Wlan(Padding::None), v.skip(length)?))
}

/// AVS: a magic number and a length, most significant byte first.
pub(super) fn avs(v: View<'_>) -> Option<Step<'_>> {
    let mut c = v.cursor();
    c.u32()?;
    let length = c.u32()? as usize;
    if !(8..=1024).contains(&length) {
        return None;
    }
    Some(Step::Go(Next::Wlan(Padding::None), v.skip(length)?))
}

/// The MAC header (IEEE 802.11-2020 section 9.2).
pub(super) fn frame(v: View<'_>, padding: Padding) -> Option<Step<'_>> {
    let control = v.cursor().u16_le()?;
    let (kind, subtype) = ((control >> 2) & 3, (control >> 4) & 15);
    if control & 3 != 0 || kind != 2 {
        return Some(Step::Other(Other::NotIp));
    }
    if subtype & 4 != 0 {
        // Null data: power management without a body.
        return Some(Step::Other(Other::NotIp));
    }
    if control & 0x4000 != 0 {
        return Some(Step::Note("wlan-protected"));
    }
    let sequence = v.skip(22)?.cursor().u16_le()?;
    if control & 0x0400 != 0 || sequence & 15 != 0 {
        return Some(Step::Note("wlan-fragment"));
    }
    let mut header = 24;
    if control & 0x0300 == 0x0300 {
        header += 6;
    }
    let mut aggregate = false;
    if subtype & 8 != 0 {
        aggregate = v.byte(header)? & 0x80 != 0;
        header += 2;
        if control & 0x8000 != 0 {
            header += 4;
        }
    }
    if padding == Padding::ToFour {
        header = header.next_multiple_of(4);
    }
    let body = v.skip(header)?;
    if !aggregate {
        return Some(Step::Go(Next::Llc, body));
    }
    // A-MSDU: several packets in one frame, each behind 14 bytes; one frame yields one packet here,
    // so only an aggregate of one is opened.
    let length = usize::from(body.u16(12)?);
    if body.bytes.len() > (14 + length).next_multiple_of(4) + 14 {
        return Some(Step::Note("wlan-aggregate"));
    }
    Some(Step::Go(Next::Llc, body.skip(14)?.first(length)))
}
