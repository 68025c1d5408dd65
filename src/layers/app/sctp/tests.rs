//! What must not be taken for SCTP, and hostile packets.

use super::packet::{Checksum, Packet};
use super::*;
use crate::peel::{Surroundings, Tree, Unit};

/// Runs datagrams of the client through an association that is stated.
fn peel(datagrams: impl Iterator<Item = Vec<u8>>) -> Vec<String> {
    let turns: Vec<_> = datagrams.map(|d| (Side::Client, d)).collect();
    let tree = Tree::stated(Unit::Datagram, Hint::Layer(SPEC.name));
    Surroundings::new(&crate::layers::REGISTRY, 9899).record(tree, &turns).lines
}

/// A packet without a checksum that holds one DATA chunk.
fn data(tag: u32, tsn: u32, flags: u8, payload: u32, bytes: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x13, 0x88, 0x13, 0x88];
    packet.extend(tag.to_be_bytes());
    packet.extend([0; 4]);
    packet.extend([0, flags]);
    packet.extend((16 + bytes.len() as u16).to_be_bytes());
    packet.extend(tsn.to_be_bytes());
    packet.extend([0, 1, 0, 0]);
    packet.extend(payload.to_be_bytes());
    packet.extend(bytes);
    packet.resize(packet.len().next_multiple_of(4), 0);
    packet
}

#[test]
fn noise_and_a_wrong_checksum_are_not_taken() {
    let ask = |bytes: &[u8], known| probe(&Probe { known, ..Probe::alone(bytes, 1) });
    let unchecked = data(7, 1, 3, 51, b"see you");
    assert_eq!(Packet::read(&unchecked).map(|p| p.checksum()), Some(Checksum::Zero));
    assert_eq!((ask(&unchecked, false), ask(&unchecked, true)), (Guess::No, Guess::Sure));
    let mut wrong = unchecked;
    wrong[8] = 1;
    assert_eq!((ask(&wrong, false), ask(&wrong, true)), (Guess::No, Guess::Maybe));
    let mut x = 99u64;
    for n in 0..20_000u64 {
        let mut bytes: Vec<u8> = (0..16 + n % 40)
            .map(|_| {
                x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (x >> 56) as u8
            })
            .collect();
        if n % 2 == 0 {
            bytes[12] = 0;
            let length = bytes.len() as u16 - 12;
            bytes[14..16].copy_from_slice(&length.to_be_bytes());
        }
        assert_eq!(ask(&bytes, false), Guess::No);
    }
}

#[test]
fn a_message_that_never_ends_and_channels_without_end_are_bounded() {
    let endless = (0..6000u32).map(|n| data(7, n, if n == 0 { 2 } else { 0 }, 51, &[b'x'; 1000]));
    let lines = peel(endless);
    assert!(lines.iter().any(|l| l.contains("sctp-message-limit")), "{:?}", lines.last());
    let open = |n: u32| {
        let mut packet = data(7, n, 3, 50, b"\x03\0\0\0\0\0\0\0\0\x01\0\x04cmqtt");
        packet[20..22].copy_from_slice(&(n as u16).to_be_bytes());
        packet
    };
    let lines = peel((0..5000).map(open));
    assert!(lines.iter().any(|l| l.contains("sctp-channel-limit")), "{:?}", lines.last());
}

#[test]
fn an_association_that_begins_anew_has_numbers_of_its_own() {
    let says = |tag, tsn| data(tag, tsn, 3, 51, b"see you at noon");
    let again = (0..40u32)
        .flat_map(|tag| [says(tag + 1, 500 * tag), says(tag + 1, 500 * tag), says(tag + 1, 500 * tag + 1)]);
    let lines = peel(again);
    let texts = lines.iter().filter(|l| l.starts_with("leaf sctp") && l.contains("message Text")).count();
    assert_eq!(texts, 80, "{lines:#?}");
}
