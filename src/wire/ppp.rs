//! PPP in its framings: HDLC-like (RFC 1662), PPPoE (RFC 2516), multilink (RFC 1990).

use super::link::{Next, Other, Step};
use super::view::View;

/// PPP with or without address and control bytes; Cisco HDLC also comes under these link types.
pub(super) fn framing(v: View<'_>) -> Option<Step<'_>> {
    match (v.byte(0)?, v.byte(1)?) {
        (0xff, 0x03) => protocol(v.skip(2)?),
        (0x0f | 0x8f, 0x00) => Some(Step::Go(Next::Chdlc, v)),
        _ => protocol(v),
    }
}

/// The PPPoE session header; its length rules out Ethernet padding.
pub(super) fn pppoe(v: View<'_>) -> Option<Step<'_>> {
    let mut c = v.cursor();
    let version = c.u8()?;
    let code = c.u8()?;
    c.u16()?;
    let length = usize::from(c.u16()?);
    if version != 0x11 {
        return None;
    }
    if code != 0 {
        return Some(Step::Other(Other::NotIp));
    }
    protocol(v.after(&c)?.first(length))
}

fn protocol(v: View<'_>) -> Option<Step<'_>> {
    let first = v.byte(0)?;
    // A first byte that is odd is a whole, compressed protocol number (RFC 1661 section 6.5).
    let (number, rest) = match first & 1 {
        1 => (u16::from(first), v.skip(1)?),
        _ => (v.u16(0)?, v.skip(2)?),
    };
    Some(match number {
        0x0021 | 0x0057 => Step::Go(Next::Ip, rest),
        0x0281 | 0x0283 => Step::Go(Next::Mpls, rest),
        0x003d => return multilink(rest),
        0x002d | 0x002f => Step::Note("ppp-headers-compressed"),
        0x0053 | 0x0055 => Step::Note("ppp-protected"),
        0x00fd | 0x00fb => Step::Note("ppp-compressed"),
        _ => Step::Other(Other::NotIp),
    })
}

/// Only packets that came as one piece; pieces of larger ones are noted.
fn multilink(v: View<'_>) -> Option<Step<'_>> {
    if v.byte(0)? & 0xc0 != 0xc0 {
        return Some(Step::Note("ppp-multilink-piece"));
    }
    let rest = v.skip(4)?;
    // No multilink inside multilink.
    match rest.byte(0)? {
        0x3d => None,
        0 if rest.byte(1)? == 0x3d => None,
        _ => protocol(rest),
    }
}
