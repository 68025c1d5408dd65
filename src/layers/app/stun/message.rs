//! STUN messages and their attributes (RFC 8489 section 5), and the ChannelData of TURN (RFC 8656
//! section 12.4).

use crate::bytes::Cursor;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const COOKIE: u32 = 0x2112_a442;
/// Attributes of one message that are read.
const ATTRIBUTES: usize = 64;

/// What kind of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub kind: u16,
    pub class: Class,
    pub method: u16,
    /// Magic cookie and transaction id.
    pub id: [u8; 16],
    pub attributes: Vec<(u16, &'a [u8])>,
    /// Whether the cookie is there, and not RFC 3489's longer transaction id.
    pub modern: bool,
    pub len: usize,
}

/// Length of the message that begins here, if its head is one.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let mut c = Cursor::new(bytes);
    let (kind, len) = (c.u16()?, c.u16()?);
    (kind >> 14 == 0 && len.is_multiple_of(4) && c.u32()? == COOKIE).then_some(20 + usize::from(len))
}

/// The same for a head without the cookie (RFC 3489 section 11.1).
pub(super) fn classic_length(bytes: &[u8]) -> Option<usize> {
    let mut c = Cursor::new(bytes);
    let (kind, len, _) = (c.u16()?, c.u16()?, c.array::<16>()?);
    (is_classic(kind) && len.is_multiple_of(4)).then_some(20 + usize::from(len))
}

/// The types of RFC 3489: binding and shared secret.
fn is_classic(kind: u16) -> bool {
    matches!(kind, 0x0001 | 0x0101 | 0x0111 | 0x0002 | 0x0102 | 0x0112)
}

/// Reads a message that fills the bytes exactly.
pub(super) fn read(bytes: &[u8]) -> Option<Message<'_>> {
    let mut c = Cursor::new(bytes);
    let (kind, len, id) = (c.u16()?, c.u16()?, c.array::<16>()?);
    let modern = id.starts_with(&COOKIE.to_be_bytes());
    if kind >> 14 != 0 || usize::from(len) != c.left() || !modern && !is_classic(kind) {
        return None;
    }
    let mut attributes = Vec::new();
    while !c.is_empty() && attributes.len() < ATTRIBUTES {
        let (name, value) = (c.u16()?, c.vec16()?);
        let over = value.len() % 4;
        // Before the cookie every value was whole words (RFC 3489 section 11.2).
        if !modern && (over > 0 || !(1..=0x000b).contains(&name) && name < 0x8000) {
            return None;
        }
        if over > 0 {
            c.take((4 - over).min(c.left()))?;
        }
        attributes.push((name, value));
    }
    let class = match (kind >> 7 & 2) | (kind >> 4 & 1) {
        0 => Class::Request,
        1 => Class::Indication,
        2 => Class::Success,
        _ => Class::Error,
    };
    let method = kind & 0x000f | kind >> 1 & 0x0070 | kind >> 2 & 0x0f80;
    Some(Message { kind, class, method, id, attributes, modern, len: bytes.len() })
}

impl<'a> Message<'a> {
    pub fn attribute(&self, name: u16) -> Option<&'a [u8]> {
        self.attributes.iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
    }

    /// An address that stands as it is.
    pub fn address(&self, name: u16) -> Option<SocketAddr> {
        address(self.attribute(name)?, &[0; 16])
    }

    /// An address under the cookie and transaction id (RFC 8489 section 14.2).
    pub fn masked_address(&self, name: u16) -> Option<SocketAddr> {
        address(self.attribute(name)?, &self.id)
    }

    /// The method for people.
    pub fn name(&self) -> String {
        let method = match self.method {
            0x001 => "Binding",
            0x002 => "SharedSecret",
            0x003 => "Allocate",
            0x004 => "Refresh",
            0x006 => "Send",
            0x007 => "Data",
            0x008 => "CreatePermission",
            0x009 => "ChannelBind",
            0x00a => "Connect",
            0x00b => "ConnectionBind",
            0x00c => "ConnectionAttempt",
            _ => return format!("0x{:04x}", self.kind),
        };
        let class = match self.class {
            Class::Request => "request",
            Class::Indication => "indication",
            Class::Success => "success",
            Class::Error => "error",
        };
        format!("{method} {class}")
    }
}

fn address(value: &[u8], mask: &[u8; 16]) -> Option<SocketAddr> {
    let mut c = Cursor::new(value);
    let (family, port) = (*c.take(2)?.get(1)?, c.u16()?);
    let port = port ^ u16::from_be_bytes([mask[0], mask[1]]);
    let ip = match family {
        1 => {
            let [a, b, d, e] = c.array::<4>()?;
            IpAddr::V4(Ipv4Addr::new(a ^ mask[0], b ^ mask[1], d ^ mask[2], e ^ mask[3]))
        }
        2 => {
            let mut all = c.array::<16>()?;
            all.iter_mut().zip(mask).for_each(|(a, m)| *a ^= m);
            IpAddr::V6(Ipv6Addr::from(all))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// Channel number and data of a ChannelData message; over UDP its padding may be left out.
pub(super) fn channel(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let mut c = Cursor::new(bytes);
    let number = c.u16().filter(|n| (0x4000..0x5000).contains(n))?;
    let data = c.vec16()?;
    (c.left() < 4).then_some((number, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(t: &str) -> Vec<u8> {
        (0..t.len() / 2).map(|i| u8::from_str_radix(&t[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    /// RFC 5769 sections 2.1 and 2.3.
    #[test]
    fn reads_the_messages_of_rfc_5769() {
        let request = unhex(
            "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf",
        );
        let message = read(&request).unwrap();
        assert_eq!((message.name().as_str(), message.modern), ("Binding request", true));
        assert_eq!(message.attribute(0x0006), Some(&b"evtj:h6vY"[..]));
        assert_eq!(message.attribute(0x8022), Some(&b"STUN test client"[..]));
        let response = unhex(
            "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96",
        );
        let message = read(&response).unwrap();
        assert_eq!(message.masked_address(0x0020), Some("192.0.2.1:32853".parse().unwrap()));
        assert_eq!(message.class, Class::Success);
        assert_eq!(read(&response[..response.len() - 1]), None);
    }

    #[test]
    fn channels_carry_data_with_or_without_padding() {
        assert_eq!(channel(&[0x40, 1, 0, 3, 7, 8, 9, 0]), Some((0x4001, &[7, 8, 9][..])));
        assert_eq!(channel(&[0x40, 1, 0, 3, 7, 8, 9]), Some((0x4001, &[7, 8, 9][..])));
        assert_eq!(channel(&[0x50, 1, 0, 1, 7]), None);
        assert_eq!(channel(&[0x40, 1, 0, 9, 7]), None);
    }
}
