//! Tunnels: GRE, and those that hide in UDP. UDP tunnels are known by port and believed only where
//! what is inside parses as a packet; else the datagram stays what it is.

use super::link::Next;
use super::view::View;

/// GRE (RFC 2784, 2890), NVGRE (RFC 7637), PPTP's version 1 (RFC 2637), ERSPAN.
pub(super) fn gre(v: View<'_>) -> Option<(Next, View<'_>)> {
    let mut c = v.cursor();
    let flags = c.u16()?;
    let kind = c.u16()?;
    let routed = flags & 0x4000 != 0;
    if routed || flags & 7 > 1 {
        return None;
    }
    if flags & 0x8000 != 0 {
        c.take(4)?;
    }
    if flags & 0x2000 != 0 {
        c.take(4)?;
    }
    let sequenced = flags & 0x1000 != 0;
    if sequenced {
        c.take(4)?;
    }
    if flags & 7 == 1 && flags & 0x0080 != 0 {
        c.take(4)?;
    }
    let rest = v.after(&c)?;
    match kind {
        // ERSPAN type I has no header of its own, type II has 8 bytes.
        0x88be if !sequenced => Some((Next::Ethernet, rest)),
        0x88be => Some((Next::Ethernet, rest.skip(8)?)),
        // ERSPAN type III: 12 bytes, and 8 more where the last bit is set.
        0x22eb => {
            let more = usize::from(rest.byte(11)? & 1) * 8;
            Some((Next::Ethernet, rest.skip(12 + more)?))
        }
        // WCCP: version 2 puts four bytes in front of the packet.
        0x883e if rest.byte(0)? >> 4 != 4 => Some((Next::Ip, rest.skip(4)?)),
        0x883e => Some((Next::Ip, rest)),
        _ => Some((Next::Ether(kind), rest)),
    }
}

/// TaZmen Sniffer Protocol, in which routers mirror what they see.
const TZSP: u16 = 37008;

/// What a UDP datagram carries, where it is a tunnel. `cut` says how many bytes of the frame were
/// not captured, so that a cut inner packet is still believed.
#[inline]
pub(super) fn in_udp(ports: (u16, u16), v: View<'_>, cut: usize) -> Option<(Next, View<'_>)> {
    let known = |p: u16| matches!(p, 1701 | 2152 | 3544 | 4754 | 4789 | 6081 | 6635 | 8472 | TZSP);
    let port = match ports {
        (_, target) if known(target) => target,
        // Answers of tunnels that use one port for both ends.
        (source @ (1701 | 2152 | 3544), _) => source,
        _ => return None,
    };
    let (next, inner) = match port {
        4789 | 8472 => vxlan(v)?,
        6081 => geneve(v)?,
        2152 => (Next::Ip, gtp_u(v)?),
        3544 => (Next::Ip, teredo(v)?),
        1701 => (Next::Ppp, l2tp(v)?),
        4754 => gre(v)?,
        TZSP => (Next::Ethernet, tzsp(v)?),
        _ => (Next::Mpls, v),
    };
    plausible(next, inner, cut, 0).then_some((next, inner))
}

/// RFC 7348: the I flag, everything reserved zero.
fn vxlan(v: View<'_>) -> Option<(Next, View<'_>)> {
    let [flags, a, b, c, _, _, _, last] = v.cursor().array()?;
    ([flags, a, b, c, last] == [8, 0, 0, 0, 0]).then_some((Next::Ethernet, v.skip(8)?))
}

/// RFC 8926.
fn geneve(v: View<'_>) -> Option<(Next, View<'_>)> {
    let first = v.byte(0)?;
    let kind = v.u16(2)?;
    if first >> 6 != 0 || v.byte(7)? != 0 {
        return None;
    }
    Some((Next::Ether(kind), v.skip(8 + usize::from(first & 0x3f) * 4)?))
}

/// 3GPP TS 29.281 section 5.1: version 1, message type 255 (G-PDU), extension headers skipped.
fn gtp_u(v: View<'_>) -> Option<View<'_>> {
    let mut c = v.cursor();
    let flags = c.u8()?;
    if flags >> 4 != 3 || c.u8()? != 255 {
        return None;
    }
    let length = usize::from(c.u16()?);
    c.u32()?;
    let v = v.first(8 + length);
    let mut at = 8;
    if flags & 7 == 0 {
        return v.skip(at);
    }
    at += 4;
    let mut extension = v.byte(11)?;
    for _ in 0..16 {
        if extension == 0 || flags & 4 == 0 {
            return v.skip(at);
        }
        let size = usize::from(v.byte(at)?) * 4;
        extension = v.byte(at + size.checked_sub(1)?)?;
        at += size;
    }
    None
}

/// RFC 4380 section 5.1.1: optional authentication and origin indications, then IPv6.
fn teredo(v: View<'_>) -> Option<View<'_>> {
    let mut rest = v;
    if rest.u16(0)? == 1 {
        let client = usize::from(rest.byte(2)?);
        let auth = usize::from(rest.byte(3)?);
        rest = rest.skip(4 + client + auth + 9)?;
    }
    if rest.u16(0)? == 0 {
        rest = rest.skip(8)?;
    }
    (rest.byte(0)? >> 4 == 6).then_some(rest)
}

/// Version 1, a packet that was received or is to be sent, Ethernet inside; then tags up to an end tag.
fn tzsp(v: View<'_>) -> Option<View<'_>> {
    let mut c = v.cursor();
    if c.u8()? != 1 || c.u8()? > 1 || c.u16()? != 1 {
        return None;
    }
    loop {
        match c.u8()? {
            0 => {}
            1 => return v.after(&c),
            _ => {
                let length = usize::from(c.u8()?);
                c.take(length)?;
            }
        }
    }
}

/// RFC 2661 section 3.1: data messages of version 2.
fn l2tp(v: View<'_>) -> Option<View<'_>> {
    let mut c = v.cursor();
    let flags = c.u16()?;
    if flags & 0x8000 != 0 || flags & 0x000f != 2 {
        return None;
    }
    if flags & 0x4000 != 0 {
        c.u16()?;
    }
    c.u32()?;
    if flags & 0x0800 != 0 {
        c.u32()?;
    }
    if flags & 0x0200 != 0 {
        let pad = usize::from(c.u16()?);
        c.take(pad)?;
    }
    v.after(&c)
}

/// Whether bytes read as the packet that they are said to be.
fn plausible(next: Next, v: View<'_>, cut: usize, depth: u8) -> bool {
    if depth > 6 {
        return false;
    }
    match next {
        Next::Ip => ip(v, cut).unwrap_or(false),
        Next::Ether(0x0806) => v.bytes.len() >= 28 && v.u16(2).is_some_and(|p| p == 0x0800),
        Next::Ether(_) | Next::Ethernet | Next::Ppp | Next::Mpls => match super::link::step(next, v) {
            Some(super::link::Step::Go(inner, rest)) => plausible(inner, rest, cut, depth + 1),
            Some(super::link::Step::Other(super::link::Other::Arp)) => v.bytes.len() >= 42,
            _ => false,
        },
        Next::PppoeSession | Next::Llc => match super::link::step(next, v) {
            Some(super::link::Step::Go(inner, rest)) => plausible(inner, rest, cut, depth + 1),
            _ => false,
        },
        _ => false,
    }
}

fn ip(v: View<'_>, cut: usize) -> Option<bool> {
    let first = v.byte(0)?;
    let room = v.bytes.len() + cut;
    if first >> 4 == 4 {
        let header = usize::from(first & 15) * 4;
        let total = usize::from(v.u16(2)?);
        return Some(header >= 20 && total >= header && total <= room);
    }
    let length = usize::from(v.u16(4)?) + 40;
    let next = v.byte(6)?;
    let usual = matches!(next, 0 | 4 | 6 | 17 | 41 | 43 | 44 | 47 | 50 | 51 | 58 | 60 | 132);
    Some(first >> 4 == 6 && usual && length <= room)
}
