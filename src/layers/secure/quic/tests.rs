//! Vectors of RFC 9001 appendix A, and packets put together out of order.

use super::assembly::{Assembly, Last, Piece};
use super::frame::{self, Frame};
use super::hello::{ClientHello, ServerHello, encrypted_alpn};
use super::keys::{Keys, Suite, Version, whole_number};
use super::messages::{message, reset_token};
use super::packet::{Head, Kind, head};
use crate::bytes::Cursor;

fn unhex(text: &str) -> Vec<u8> {
    let text: String = text.split_whitespace().collect();
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

const DCID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

/// Appendix A.3: the server's Initial.
const SERVER_INITIAL: &str = "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a
    5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9
    c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc4
    2158407dd074ee";

#[test]
fn opens_the_servers_initial_of_rfc_9001() {
    let packet = unhex(SERVER_INITIAL);
    let Some(Head::Long(long)) = head(&packet) else { panic!("no long header") };
    assert_eq!((long.kind, long.scid), (Kind::Initial, unhex("f067a5502a4262b5").as_slice()));
    let (client, server) = Keys::initial(Version::V1(1), &DCID).unwrap();
    let unmasked = server.unmask(long.packet, long.number_at).unwrap();
    assert_eq!((unmasked.first, unmasked.length, unmasked.short), (0xc1, 2, 1));
    let plain = server.open(long.packet, long.number_at, unmasked, 1).unwrap();
    let mut c = Cursor::new(&plain);
    assert_eq!(frame::next(&mut c), Some(Frame::Other));
    let Some(Frame::Crypto { offset: 0, data }) = frame::next(&mut c) else { panic!("no CRYPTO frame") };
    let (kind, body, _) = message(data).unwrap();
    let hello = ServerHello::read(body).map(|h| (h.suite, h.group));
    assert_eq!((kind, hello), (2, Some((0x1301, Some(0x1d)))));
    let wrong = client.unmask(long.packet, long.number_at).unwrap();
    assert!(client.open(long.packet, long.number_at, wrong, wrong.short).is_none());
}

/// Appendix A.2: the header protection of the client's Initial, whose mask must match its sample.
#[test]
fn unmasks_the_clients_initial_of_rfc_9001() {
    let mut packet = unhex("c000000001088394c8f03e5157080000449e7b9aec34");
    packet.extend(unhex("d1b1c98dd7689fb8ec11d242b123dc9b"));
    let (client, _) = Keys::initial(Version::V1(1), &DCID).unwrap();
    let unmasked = client.unmask(&packet, 18).unwrap();
    assert_eq!((unmasked.first, unmasked.length, unmasked.short), (0xc3, 4, 2));
}

/// Appendix A.5: a short header with ChaCha20-Poly1305.
#[test]
fn opens_the_short_header_of_rfc_9001() {
    let secret = unhex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
    let packet = unhex("4cfe4189655e5cd55c41f69080575d7999c25a5bfb");
    let keys = Keys::new(Version::V1(1), Suite::ChaCha20, &secret).unwrap();
    let unmasked = keys.unmask(&packet, 1).unwrap();
    assert_eq!((unmasked.first, unmasked.length, unmasked.short), (0x42, 3, 0xbff4));
    let number = whole_number(654_360_560, unmasked.short, unmasked.length);
    assert_eq!(number, 654_360_564);
    assert_eq!(keys.open(&packet, 1, unmasked, number).unwrap(), [1]);
    assert!(keys.updated().unwrap().open(&packet, 1, unmasked, number).is_none());
}

/// RFC 9000 appendix A.3.
#[test]
fn completes_packet_numbers() {
    assert_eq!(whole_number(0xa82f_30eb, 0x9b32, 2), 0xa82f_9b32);
    assert_eq!(whole_number(0x1_00, 0xff, 1), 0xff);
    assert_eq!(whole_number(0, 0xffff_ffff, 4), 0xffff_ffff);
}

/// RFC 9369 appendix A.1 and A.3: the keys of version 2 open its server Initial's header.
#[test]
fn version_2_has_keys_of_its_own() {
    let packet = unhex(
        "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf87263017915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140",
    );
    let Some(Head::Long(long)) = head(&packet) else { panic!("no long header") };
    assert_eq!((long.kind, long.version), (Kind::Initial, Version::V2));
    let (_, server) = Keys::initial(Version::V2, &DCID).unwrap();
    let unmasked = server.unmask(long.packet, long.number_at).unwrap();
    assert!(server.open(long.packet, long.number_at, unmasked, unmasked.short).is_some());
}

#[test]
fn pieces_come_out_in_order_once() {
    let mut a = Assembly::default();
    a.insert(4, b"efgh", true);
    assert_eq!(a.take(100, Last::No), None);
    a.insert(2, b"cdef", false);
    a.insert(0, b"ab", false);
    a.insert(0, b"ab", false);
    let mut all = Vec::new();
    while let Some(piece) = a.take(100, Last::No) {
        match piece {
            Piece::Data(d) => all.extend(d),
            Piece::Gap(n) => panic!("a gap of {n}"),
        }
    }
    assert_eq!((all.as_slice(), a.done()), (b"abcdefgh".as_slice(), true));
}

#[test]
fn what_never_comes_is_a_gap_when_the_bound_is_reached() {
    let mut a = Assembly::default();
    a.insert(10, &[7; 50], false);
    assert_eq!(a.take(50, Last::No), None);
    a.insert(60, &[7; 1], false);
    assert_eq!(a.take(50, Last::No), Some(Piece::Gap(10)));
    assert_eq!(a.take(50, Last::No), Some(Piece::Data(vec![7; 50])));
    a.insert(u64::MAX, b"x", true);
    a.insert(70, b"z", false);
    assert_eq!(a.take(50, Last::No), Some(Piece::Data(vec![7])));
    assert_eq!(a.take(50, Last::Yes), Some(Piece::Gap(9)));
}

/// Damaged input ends in `None`, never in a panic.
#[test]
fn any_cut_and_any_flipped_byte_is_survived() {
    let packet = unhex(SERVER_INITIAL);
    let (_, server) = Keys::initial(Version::V1(1), &DCID).unwrap();
    for cut in 0..packet.len() {
        assert!(!matches!(head(&packet[..cut]), Some(Head::Long(_))), "a packet cut at {cut} passed");
        server.unmask(&packet[..cut], 18);
    }
    for at in 0..packet.len() {
        let mut damaged = packet.clone();
        damaged[at] ^= 0x55;
        let Some(Head::Long(long)) = head(&damaged) else { continue };
        let Some(unmasked) = server.unmask(long.packet, long.number_at) else { continue };
        assert!(server.open(long.packet, long.number_at, unmasked, unmasked.short).is_none(), "byte {at}");
    }
    let mut c = Cursor::new(&packet);
    while frame::next(&mut c).is_some() {}
    for cut in 0..packet.len() {
        let _ = (
            ClientHello::read(&packet[cut..]),
            ServerHello::read(&packet[cut..]),
            encrypted_alpn(&packet[cut..]),
        );
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However a stream is cut, repeated and shuffled, it comes out once and whole.
        #[test]
        fn any_order_of_pieces_gives_the_stream(
            text in prop::collection::vec(any::<u8>(), 1..200),
            pieces in prop::collection::vec((any::<prop::sample::Index>(), 1usize..40), 0..60)
        ) {
            let mut a = Assembly::default();
            let mut out = Vec::new();
            let whole = [(0, text.len())];
            let cuts = pieces.iter().map(|(at, len)| (at.index(text.len()), *len));
            for (from, len) in cuts.chain(whole) {
                let to = (from + len).min(text.len());
                a.insert(from as u64, &text[from..to], to == text.len());
                while let Some(piece) = a.take(1 << 20, Last::No) {
                    match piece {
                        Piece::Data(d) => out.extend(d),
                        Piece::Gap(n) => prop_assert!(false, "a gap of {}", n),
                    }
                }
            }
            prop_assert_eq!(out, text);
            prop_assert!(a.done());
            prop_assert_eq!(a.held(), 0);
        }

        /// Payloads without sense end; they never panic and never read beyond their end.
        #[test]
        fn any_payload_ends(bytes in prop::collection::vec(prop_oneof![0u8..0x32, any::<u8>()], 0..120)) {
            let mut c = Cursor::new(&bytes);
            let mut frames = 0;
            while frame::next(&mut c).is_some() {
                frames += 1;
            }
            prop_assert!(frames <= bytes.len());
            let _ = (head(&bytes).is_some(), reset_token(&bytes), message(&bytes));
        }

        /// A number cut to its low bytes is found again near what is expected.
        #[test]
        fn near_packet_numbers_are_completed(expected in 0u64..1 << 40, ahead in 0u64..100) {
            let number = expected + ahead;
            prop_assert_eq!(whole_number(expected, number & 0xff, 1), number);
            prop_assert_eq!(whole_number(expected, number & 0xffff, 2), number);
        }
    }
}
