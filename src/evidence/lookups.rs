//! Names of addresses, from name look-ups. Which are kept does not depend on the order in which they come.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// One name of each address, for so many addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookups(BTreeMap<IpAddr, String>);

/// Addresses kept of an audit, and of one flow: a resolver's may last for ever.
pub const ADDRESSES: usize = 50_000;
pub(super) const FLOW: usize = 4096;

impl Lookups {
    /// Keeps a name of an address: the first in alphabetical order. Beyond `most` addresses the last in order
    /// are given up.
    pub fn add(&mut self, ip: IpAddr, name: String, most: usize) {
        if let Some(known) = self.0.get_mut(&ip) {
            if name < *known {
                *known = name;
            }
            return;
        }
        self.0.insert(ip, name);
        if self.0.len() > most {
            self.0.pop_last();
        }
    }

    /// The name of an address.
    pub fn get(&self, ip: &IpAddr) -> Option<&String> {
        self.0.get(ip)
    }

    /// Adds another flow's or shard's.
    pub fn merge(&mut self, other: Lookups, most: usize) {
        other.0.into_iter().for_each(|(ip, name)| self.add(ip, name, most));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn what_is_kept_is_bounded_and_the_same_in_any_order() {
        let host = |n: u32| IpAddr::V4(Ipv4Addr::from_bits(n));
        let of = |all: &mut dyn Iterator<Item = u32>| {
            let mut names = Lookups::default();
            all.for_each(|n| names.add(host(n / 2), format!("h{}.example", n % 2), 100));
            names
        };
        let (up, down) = (of(&mut (0..1000)), of(&mut (0..1000).rev()));
        assert_eq!(up, down);
        assert_eq!(up.0.len(), 100);
        assert_eq!(up.get(&host(99)).map(String::as_str), Some("h0.example"));
        let (mut one, two) = (of(&mut (0..700)), of(&mut (300..1000)));
        one.merge(two, 100);
        assert_eq!(one, up);
    }
}
