//! The link types of a capture: the LINKTYPE_ registry's numbers, as pcap and pcapng files carry them.

/// A LINKTYPE_ number: what the first byte of a frame belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LinkType(pub u16);

impl LinkType {
    /// IP whose payload was opened by the recorder ([`crate::model::Opened`]). This program's own number, which
    /// no capture file can state.
    pub const OPENED: Self = Self(u16::MAX);
    /// BSD loopback: the address family in four bytes, in the recording machine's byte order.
    pub const NULL: Self = Self(0);
    /// Ethernet II or IEEE 802.3.
    pub const ETHERNET: Self = Self(1);
    /// IEEE 802.5 token ring.
    pub const TOKEN_RING: Self = Self(6);
    /// SLIP with the 16-byte pseudo header of libpcap.
    pub const SLIP: Self = Self(8);
    /// PPP, with or without the HDLC-like address and control bytes.
    pub const PPP: Self = Self(9);
    /// FDDI.
    pub const FDDI: Self = Self(10);
    /// Raw IP as a DLT number of most systems, seen in files of old writers.
    pub const RAW_DLT: Self = Self(12);
    /// Raw IP as OpenBSD's DLT number.
    pub const RAW_OPENBSD: Self = Self(14);
    /// PPP in HDLC-like framing (RFC 1662) or Cisco HDLC.
    pub const PPP_HDLC: Self = Self(50);
    /// PPPoE session packets without their Ethernet header.
    pub const PPP_ETHER: Self = Self(51);
    /// LLC over ATM (RFC 2684).
    pub const ATM_RFC1483: Self = Self(100);
    /// IPv4 or IPv6, told apart by the version.
    pub const RAW: Self = Self(101);
    /// Cisco HDLC.
    pub const C_HDLC: Self = Self(104);
    /// IEEE 802.11 without radio information.
    pub const IEEE802_11: Self = Self(105);
    /// Linux classical IP over ATM.
    pub const LINUX_ATM_CLIP: Self = Self(106);
    /// Frame Relay.
    pub const FRELAY: Self = Self(107);
    /// OpenBSD loopback: as NULL, in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// IEEE 802.11 behind a Prism header.
    pub const IEEE802_11_PRISM: Self = Self(119);
    /// IEEE 802.11 behind a radiotap header.
    pub const IEEE802_11_RADIOTAP: Self = Self(127);
    /// IP over IEEE 1394 as Apple records it.
    pub const APPLE_IP_OVER_IEEE1394: Self = Self(138);
    /// Private use; macOS once wrote PKTAP under this number.
    pub const USER2: Self = Self(149);
    /// IEEE 802.11 behind an AVS header.
    pub const IEEE802_11_AVS: Self = Self(163);
    /// PPP as pppd records it: the address byte says the direction.
    pub const PPP_PPPD: Self = Self(166);
    /// Per-packet information header, with the link type inside.
    pub const PPI: Self = Self(192);
    /// PPP behind a direction byte.
    pub const PPP_WITH_DIR: Self = Self(204);
    /// Cisco HDLC behind a direction byte.
    pub const C_HDLC_WITH_DIR: Self = Self(205);
    /// Frame Relay behind a direction byte.
    pub const FRELAY_WITH_DIR: Self = Self(206);
    /// IPv4 only.
    pub const IPV4: Self = Self(228);
    /// IPv6 only.
    pub const IPV6: Self = Self(229);
    /// Linux netfilter log messages.
    pub const NFLOG: Self = Self(239);
    /// Apple's PKTAP, with process names and the link type inside.
    pub const PKTAP: Self = Self(258);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// The link type that a capture file states.
    pub(super) fn stated(number: u16) -> Self {
        // The number of this program's own means nothing in a file.
        Self(number.min(u16::MAX - 1))
    }
}
