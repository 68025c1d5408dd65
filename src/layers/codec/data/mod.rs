//! Structured data in bytes: one reader a file, one tree, and one way to hand its fields on, so that a
//! field has the same path whatever it was written in.

mod bson;
mod cbor;
mod der;
mod msgpack;
mod plist;
mod plist_xml;
mod thrift;
mod tree;

pub(super) use bson::SPEC as BSON;
pub(super) use cbor::SPEC as CBOR;
pub(super) use der::SPEC as DER;
pub(super) use msgpack::SPEC as MSGPACK;
pub(super) use plist::SPEC as PLIST;
pub(super) use plist_xml::SPEC as PLIST_XML;
pub(super) use thrift::SPEC as THRIFT;

use crate::peel::{Input, Out, Peeler, Step};
use tree::Data;

/// Items of one buffer: what is beyond is not read, and the buffer is none of ours.
const MOST: usize = 50_000;
/// Items inside one another.
const DEEPEST: usize = 32;

/// A layer that reads a whole buffer into a tree and hands on what is in it.
struct Whole(for<'a> fn(&'a [u8]) -> Option<Data<'a>>);

impl Peeler for Whole {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(data) = (self.0)(input.bytes) else { return Step::again(0) };
        data.give(input.side, out);
        Step::again(input.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::TABLE;
    use crate::peel::{Form, Guess, Probe};

    /// Numbers that look random and are the same every time.
    pub struct Noise(pub u64);

    impl Noise {
        pub fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
        }
        pub fn bytes(&mut self, n: usize) -> Vec<u8> {
            (0..n).map(|_| (self.next() >> 32) as u8).collect()
        }
    }

    fn claims(bytes: &[u8], stated: bool) -> Vec<(&'static str, Guess)> {
        let probe = Probe { stated, ..Probe::alone(bytes, 443) };
        let rows = TABLE.iter().filter(|s| s.forms.contains(&Form::Binary));
        rows.filter_map(|s| Some((s.name, (s.probe?)(&probe)))).filter(|(_, g)| *g >= Guess::Maybe).collect()
    }

    /// No codec takes noise: neither from the start nor behind the first bytes that ciphertexts have.
    /// `NOISE` sets another number of buffers.
    #[test]
    fn random_bytes_are_no_codec() {
        let rounds = std::env::var("NOISE").ok().and_then(|n| n.parse().ok()).unwrap_or(6_000);
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
        let mut taken = std::collections::BTreeMap::new();
        for _ in 0..rounds {
            let len = 16 + (noise.next() >> 33) as usize % 497;
            let bytes = noise.bytes(len);
            for (name, guess) in claims(&bytes, false) {
                *taken.entry((name, guess)).or_insert(0) += 1;
            }
        }
        println!("{rounds} random buffers of 16 to 512 bytes, taken: {taken:?}");
        assert!(taken.values().sum::<usize>() * 10_000 <= rounds, "{taken:?}");
        assert!(!taken.keys().any(|(_, g)| *g == Guess::Sure), "{taken:?}");
    }
}
