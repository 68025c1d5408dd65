//! Addresses and what names a flow.

use super::Side;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The transport protocol under a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// RFC 9293.
    Tcp,
    /// RFC 768.
    Udp,
    /// RFC 9260, straight over IP. Over UDP it is a layer of a UDP flow.
    Sctp,
}

/// An IP address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// The address; IPv4-mapped IPv6 addresses stay as the packet had them.
    pub ip: IpAddr,
    /// The port in host order.
    pub port: u16,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self { ip: IpAddr::V6(Ipv6Addr::UNSPECIFIED), port: 0 }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            IpAddr::V4(ip) => write!(f, "{ip}:{}", self.port),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{}", self.port),
        }
    }
}

/// A flow between two ends, with its direction known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FlowKey {
    /// The transport protocol.
    pub transport: Transport,
    /// The end that opened it (see [`Side`]).
    pub client: Endpoint,
    /// The other end.
    pub server: Endpoint,
}

impl FlowKey {
    /// The end on `side`.
    pub fn end(&self, side: Side) -> Endpoint {
        match side {
            Side::Client => self.client,
            Side::Server => self.server,
        }
    }
}

impl fmt::Display for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = match self.transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Sctp => "sctp",
        };
        write!(f, "{t} {} > {}", self.client, self.server)
    }
}
