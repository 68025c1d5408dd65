//! Link layers: from a frame's first byte to the IP header. Each step takes one header off.

use super::ppp;
use super::view::View;
use super::wlan;
use crate::capture::LinkType;
use etherparse::{Ethernet2HeaderSlice, SingleVlanHeaderSlice};

/// What the next bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// IPv4 or IPv6, told apart by the version.
    Ip,
    Ethernet,
    /// What an EtherType announces.
    Ether(u16),
    /// IEEE 802.2 logical link control.
    Llc,
    /// MPLS labels.
    Mpls,
    /// PPP with or without address and control bytes.
    Ppp,
    /// PPPoE session header.
    PppoeSession,
    Chdlc,
    FrameRelay,
    Wlan(wlan::Padding),
    Radiotap,
    Prism,
    Avs,
    Ppi,
    Null,
    Sll,
    Sll2,
    Nflog,
    Pktap,
    /// A header of known size without anything of interest.
    Behind(u8, Inner),
}

/// What stands behind a [`Next::Behind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inner {
    Ip,
    Llc,
    Ppp,
    Chdlc,
    FrameRelay,
}

/// What a step found.
pub(super) enum Step<'a> {
    /// More to take off.
    Go(Next, View<'a>),
    /// A link type given inside (PPI, PKTAP).
    Link(LinkType, View<'a>),
    /// Rightly no IP packet.
    Other(Other),
    /// Something worth a note.
    Note(&'static str),
}

/// Frames that carry no IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    Arp,
    NotIp,
}

/// The first step for a link type.
#[inline]
pub(super) fn first(link: LinkType) -> Option<Next> {
    Some(match link {
        LinkType::ETHERNET => Next::Ethernet,
        LinkType::OPENED
        | LinkType::RAW
        | LinkType::RAW_DLT
        | LinkType::RAW_OPENBSD
        | LinkType::IPV4
        | LinkType::IPV6 => Next::Ip,
        LinkType::NULL | LinkType::LOOP => Next::Null,
        LinkType::LINUX_SLL => Next::Sll,
        LinkType::LINUX_SLL2 => Next::Sll2,
        LinkType::PPP | LinkType::PPP_HDLC => Next::Ppp,
        LinkType::PPP_WITH_DIR => Next::Behind(1, Inner::Ppp),
        LinkType::PPP_PPPD => Next::Behind(2, Inner::Ppp),
        LinkType::PPP_ETHER => Next::PppoeSession,
        LinkType::C_HDLC => Next::Chdlc,
        LinkType::C_HDLC_WITH_DIR => Next::Behind(1, Inner::Chdlc),
        LinkType::FRELAY => Next::FrameRelay,
        LinkType::FRELAY_WITH_DIR => Next::Behind(1, Inner::FrameRelay),
        LinkType::IEEE802_11 => Next::Wlan(wlan::Padding::None),
        LinkType::IEEE802_11_RADIOTAP => Next::Radiotap,
        LinkType::IEEE802_11_PRISM => Next::Prism,
        LinkType::IEEE802_11_AVS => Next::Avs,
        LinkType::PPI => Next::Ppi,
        LinkType::NFLOG => Next::Nflog,
        LinkType::PKTAP | LinkType::USER2 => Next::Pktap,
        LinkType::ATM_RFC1483 | LinkType::LINUX_ATM_CLIP => Next::Llc,
        LinkType::FDDI => Next::Behind(13, Inner::Llc),
        LinkType::TOKEN_RING => Next::Behind(14, Inner::Llc),
        LinkType::SLIP => Next::Behind(16, Inner::Ip),
        LinkType::APPLE_IP_OVER_IEEE1394 => Next::Behind(18, Inner::Ip),
        _ => return None,
    })
}

/// Takes one header off; `None` where it is cut or makes no sense.
#[inline]
pub(super) fn step(next: Next, v: View<'_>) -> Option<Step<'_>> {
    match next {
        Next::Ethernet => {
            let ether = Ethernet2HeaderSlice::from_slice(v.bytes).ok()?;
            by_type(ether.ether_type().0, v.skip(14)?)
        }
        Next::Ether(kind) => by_type(kind, v),
        Next::Ip => Some(Step::Go(Next::Ip, v)),
        Next::Llc => llc(v),
        Next::Mpls => mpls(v),
        Next::Ppp => ppp::framing(v),
        Next::PppoeSession => ppp::pppoe(v),
        Next::Chdlc => by_type(v.u16(2)?, v.skip(4)?),
        Next::FrameRelay => frame_relay(v),
        Next::Wlan(padding) => wlan::frame(v, padding),
        Next::Radiotap => wlan::radiotap(v),
        Next::Prism => wlan::prism(v),
        Next::Avs => wlan::avs(v),
        Next::Ppi => ppi(v),
        Next::Null => null(v),
        Next::Sll => cooked(v.u16(14)?, v.skip(16)?),
        Next::Sll2 => cooked(v.u16(0)?, v.skip(20)?),
        Next::Nflog => nflog(v),
        Next::Pktap => pktap(v),
        Next::Behind(n, inner) => Some(Step::Go(inner.into(), v.skip(n.into())?)),
    }
}

impl From<Inner> for Next {
    fn from(inner: Inner) -> Self {
        match inner {
            Inner::Ip => Self::Ip,
            Inner::Llc => Self::Llc,
            Inner::Ppp => Self::Ppp,
            Inner::Chdlc => Self::Chdlc,
            Inner::FrameRelay => Self::FrameRelay,
        }
    }
}

/// What an EtherType or an 802.3 length announces.
#[inline]
fn by_type(kind: u16, v: View<'_>) -> Option<Step<'_>> {
    Some(match kind {
        0x0800 | 0x86dd => Step::Go(Next::Ip, v),
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
            let tag = SingleVlanHeaderSlice::from_slice(v.bytes).ok()?;
            Step::Go(Next::Ether(tag.ether_type().0), v.skip(4)?)
        }
        0x0806 | 0x8035 => Step::Other(Other::Arp),
        0x8847 | 0x8848 => Step::Go(Next::Mpls, v),
        0x8864 => Step::Go(Next::PppoeSession, v),
        0x880b => Step::Go(Next::Ppp, v),
        0x6558 => Step::Go(Next::Ethernet, v),
        // VN-Tag and 802.1BR tags: a tag, then the EtherType of what follows.
        0x8926 => Step::Go(Next::Ether(v.u16(4)?), v.skip(6)?),
        0x893f => Step::Go(Next::Ether(v.u16(6)?), v.skip(8)?),
        0x88e5 => Step::Note("macsec-protected"),
        0..=1500 => Step::Go(Next::Llc, v.first(kind.into())),
        _ => Step::Other(Other::NotIp),
    })
}

/// IEEE 802.2 with or without SNAP (RFC 1042); also the routed protocols of RFC 2684.
fn llc(v: View<'_>) -> Option<Step<'_>> {
    let [dsap, ssap, control] = v.cursor().array()?;
    match (dsap, ssap, control) {
        (0xaa, 0xaa, 0x03) => snap(v.skip(3)?),
        (0x06, 0x06, 0x03) => Some(Step::Go(Next::Ip, v.skip(3)?)),
        _ => Some(Step::Other(Other::NotIp)),
    }
}

fn snap(v: View<'_>) -> Option<Step<'_>> {
    let oui: [u8; 3] = v.cursor().array()?;
    let kind = v.u16(3)?;
    match oui {
        // RFC 1042 and the bridge tunnel encapsulation of IEEE 802.1H.
        [0, 0, 0] | [0, 0, 0xf8] if kind > 1500 => by_type(kind, v.skip(5)?),
        // RFC 2427: bridged Ethernet with (1) or without (7) its check sequence.
        [0, 0x80, 0xc2] if matches!(kind, 1 | 7) => Some(Step::Go(Next::Ethernet, v.skip(5)?)),
        _ => Some(Step::Other(Other::NotIp)),
    }
}

/// RFC 3032 labels; what follows is told by its first nibble, as RFC 4928 describes.
fn mpls(v: View<'_>) -> Option<Step<'_>> {
    let mut rest = v;
    for _ in 0..16 {
        let bottom = rest.byte(2)? & 1 == 1;
        rest = rest.skip(4)?;
        if bottom {
            return Some(match rest.byte(0)? >> 4 {
                4 | 6 => Step::Go(Next::Ip, rest),
                // A pseudowire's control word (RFC 4385), most often in front of Ethernet.
                0 => Step::Go(Next::Ethernet, rest.skip(4)?),
                _ => Step::Go(Next::Ethernet, rest),
            });
        }
    }
    None
}

/// RFC 2427, or Cisco's way with an EtherType after the address.
fn frame_relay(v: View<'_>) -> Option<Step<'_>> {
    let address = v.bytes.iter().take(4).position(|b| b & 1 == 1)? + 1;
    let rest = v.skip(address)?;
    if rest.byte(0)? != 0x03 {
        return by_type(rest.u16(0)?, rest.skip(2)?);
    }
    // An optional zero byte aligns what follows.
    let pad = usize::from(rest.byte(1)? == 0);
    let rest = rest.skip(1 + pad)?;
    match rest.byte(0)? {
        0xcc | 0x8e => Some(Step::Go(Next::Ip, rest.skip(1)?)),
        0x80 => snap(rest.skip(1)?),
        0xcf => Some(Step::Go(Next::Ppp, rest.skip(1)?)),
        _ => Some(Step::Other(Other::NotIp)),
    }
}

/// BSD loopback: an address family in either byte order, whose IPv6 number depends on the system.
fn null(v: View<'_>) -> Option<Step<'_>> {
    let bytes: [u8; 4] = v.cursor().array()?;
    let rest = v.skip(4)?;
    let family = u32::from_be_bytes(bytes).min(u32::from_le_bytes(bytes));
    match family {
        2 | 10 | 23 | 24 | 26 | 28 | 30 => Some(Step::Go(Next::Ip, rest)),
        // Some writers put an EtherType here.
        0x600..=0xffff => by_type(family as u16, rest),
        _ => Some(Step::Other(Other::NotIp)),
    }
}

/// Linux cooked capture; small protocol numbers are Linux's own (linux/if_ether.h).
fn cooked(protocol: u16, v: View<'_>) -> Option<Step<'_>> {
    match protocol {
        4 => Some(Step::Go(Next::Llc, v)),
        0..=0x5ff => Some(Step::Other(Other::NotIp)),
        _ => by_type(protocol, v),
    }
}

fn ppi(v: View<'_>) -> Option<Step<'_>> {
    let mut c = v.cursor();
    c.take(2)?;
    let length = usize::from(c.u16_le()?);
    let link = u16::try_from(c.u32_le()?).ok()?;
    if length < 8 {
        return None;
    }
    Some(Step::Link(LinkType(link), v.skip(length)?))
}

/// Netfilter log: attributes, of which number 9 is the packet.
fn nflog(v: View<'_>) -> Option<Step<'_>> {
    let family = v.byte(0)?;
    let mut rest = v.skip(4)?;
    if !matches!(family, 2 | 10) {
        return Some(Step::Other(Other::NotIp));
    }
    for _ in 0..64 {
        let mut c = rest.cursor();
        // The length is in the recording machine's order; a length that cannot be is swapped.
        let raw = c.array::<2>()?;
        let kind = c.array::<2>()?;
        let little = u16::from_le_bytes(raw);
        let (size, kind) = match usize::from(little) {
            n if n >= 4 && n <= rest.bytes.len() => (n, u16::from_le_bytes(kind)),
            _ => (usize::from(u16::from_be_bytes(raw)), u16::from_be_bytes(kind)),
        };
        if size < 4 {
            return None;
        }
        if kind & 0x7fff == 9 {
            return Some(Step::Go(Next::Ip, rest.first(size).skip(4)?));
        }
        rest = rest.skip(size.next_multiple_of(4))?;
    }
    None
}

fn pktap(v: View<'_>) -> Option<Step<'_>> {
    let mut c = v.cursor();
    let length = c.u32_le()? as usize;
    let kind = c.u32_le()?;
    let link = u16::try_from(c.u32_le()?).ok()?;
    if kind != 1 || !(60..=512).contains(&length) {
        return Some(Step::Other(Other::NotIp));
    }
    Some(Step::Link(LinkType(link), v.skip(length)?))
}
