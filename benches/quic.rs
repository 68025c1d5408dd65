//! What QUIC 1-RTT costs: packets of a download opened with the secrets of a key log in memory, their frames
//! read and the stream put together. `cargo bench --bench quic`. Figures are bytes of the datagrams per second.

mod schedule;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use plainsight::keys::KeyStore;
use plainsight::layers::REGISTRY;
use plainsight::model::Side;
use plainsight::peel::{Recorder, Sink, Surroundings, Tree, Unit};
use ring::aead::quic::{self, HeaderProtectionKey};
use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;
use schedule::{Len, expand};
use std::fmt::Write as _;

fn main() {
    divan::main();
}

/// The three AEADs of RFC 9001 section 5.3 that `ring` has.
#[derive(Debug, Clone, Copy)]
enum Suite {
    Aes128,
    Aes256,
    ChaCha20,
}

impl Suite {
    fn code(self) -> u16 {
        match self {
            Suite::Aes128 => 0x1301,
            Suite::Aes256 => 0x1302,
            Suite::ChaCha20 => 0x1303,
        }
    }

    /// The hash and the length of its secrets, the length of a key, and both ciphers.
    fn parts(self) -> (hkdf::Algorithm, usize, usize, &'static aead::Algorithm, &'static quic::Algorithm) {
        match self {
            Suite::Aes128 => (hkdf::HKDF_SHA256, 32, 16, &aead::AES_128_GCM, &quic::AES_128),
            Suite::Aes256 => (hkdf::HKDF_SHA384, 48, 32, &aead::AES_256_GCM, &quic::AES_256),
            Suite::ChaCha20 => (hkdf::HKDF_SHA256, 32, 32, &aead::CHACHA20_POLY1305, &quic::CHACHA20),
        }
    }
}

/// One side's packets under one secret (RFC 9001 section 5).
struct Sealer {
    key: LessSafeKey,
    iv: Vec<u8>,
    header: HeaderProtectionKey,
    number: u32,
}

impl Sealer {
    fn new(suite: Suite, secret: &[u8]) -> Self {
        let (hash, _, length, cipher, mask) = suite.parts();
        let key = UnboundKey::new(cipher, &expand(hash, secret, "quic key", length)).expect("its length");
        let hp = expand(hash, secret, "quic hp", length);
        Self {
            key: LessSafeKey::new(key),
            iv: expand(hash, secret, "quic iv", 12),
            header: HeaderProtectionKey::new(mask, &hp).expect("its length"),
            number: 0,
        }
    }

    /// A packet behind its header; the number has four bytes.
    fn packet(&mut self, header: &[u8], frames: &[u8]) -> Vec<u8> {
        let at = header.len();
        let mut packet = [header, &self.number.to_be_bytes()].concat();
        let mut nonce: [u8; 12] = self.iv.as_slice().try_into().expect("12 bytes");
        nonce[8..].iter_mut().zip(self.number.to_be_bytes()).for_each(|(n, b)| *n ^= b);
        self.number += 1;
        let mut body = frames.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, Aad::from(&packet), &mut body).expect("sealed");
        packet.extend(body);
        let mask = self.header.new_mask(&packet[at + 4..at + 20]).expect("a sample");
        packet[0] ^= mask[0] & if header[0] & 0x80 != 0 { 0x0f } else { 0x1f };
        packet[at..at + 4].iter_mut().zip(&mask[1..]).for_each(|(b, m)| *b ^= m);
        packet
    }
}

const CLIENT_ID: &[u8] = b"client-1";
const SERVER_ID: &[u8] = b"server-1";
const ORIGIN: &[u8] = b"original";
/// RFC 9001 section 5.2.
const SALT: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
    0xbb, 0x7f, 0x0a,
];

/// An Initial packet with one handshake message in a CRYPTO frame.
fn initial(side: Side, message: &[u8]) -> Vec<u8> {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &SALT);
    let mut common = [0; 32];
    let label = if side == Side::Client { "client in" } else { "server in" };
    let info = [&[0, 32, 6 + label.len() as u8], &b"tls13 "[..], label.as_bytes(), &[0]].concat();
    let filled = salt.extract(ORIGIN).expand(&[&info], Len(32)).and_then(|o| o.fill(&mut common));
    filled.expect("a length that fits");
    let length = message.len() as u16;
    let mut frames = vec![0x06, 0];
    frames.extend((0x4000 | length).to_be_bytes());
    frames.extend(message);
    frames.resize(frames.len().max(1100), 0);
    let (to, from) = if side == Side::Client { (ORIGIN, CLIENT_ID) } else { (CLIENT_ID, SERVER_ID) };
    let mut header = vec![0xc3, 0, 0, 0, 1, 8];
    header.extend(to);
    header.push(8);
    header.extend(from);
    header.push(0);
    header.extend((0x4000 | (frames.len() as u16 + 20)).to_be_bytes());
    Sealer::new(Suite::Aes128, &common).packet(&header, &frames)
}

fn hello(kind: u8, random: u8, middle: &[u8], extensions: &[u8]) -> Vec<u8> {
    let mut body = [&[3, 3][..], &[random; 32], &[0], middle].concat();
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut message = vec![kind, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    message
}

/// A STREAM frame with an offset, to the end of its packet.
fn stream(id: u8, offset: u32, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x0c, id];
    frame.extend((0x8000_0000 | offset).to_be_bytes());
    frame.extend(data);
    frame
}

/// A connection in which the server sends `packets` full packets of one stream under an ALPN that is not
/// HTTP/3: what is measured is the layer itself.
fn session(suite: Suite, packets: usize, bytes: impl Fn(usize) -> u8) -> (Vec<(Side, Vec<u8>)>, KeyStore) {
    let (_, length, ..) = suite.parts();
    let secret = |n: u8| vec![n; length];
    let hex = |b: &[u8]| b.iter().fold(String::new(), |mut t, b| write!(t, "{b:02x}").map(|()| t).unwrap());
    let line = |(label, n): (&str, u8)| format!("{label} {} {}\n", hex(&[7; 32]), hex(&secret(n)));
    let log: String = [("CLIENT_TRAFFIC_SECRET_0", 3), ("SERVER_TRAFFIC_SECRET_0", 4)].map(line).concat();
    let mut keys = KeyStore::default();
    keys.add_keylog(log.as_bytes(), "bench");
    let [high, low] = suite.code().to_be_bytes();
    let alpn = [0, 16, 0, 6, 0, 4, 3, b'b', b'e', b'n'];
    let versions = [0, 43, 0, 2, 3, 4];
    let mut turns = vec![
        (Side::Client, initial(Side::Client, &hello(1, 7, &[0, 2, high, low, 1, 0], &alpn))),
        (Side::Server, initial(Side::Server, &hello(2, 8, &[high, low, 0], &versions))),
    ];
    let short = |to: &[u8]| [&[0x43][..], to].concat();
    let mut ours = Sealer::new(suite, &secret(3));
    turns.push((Side::Client, ours.packet(&short(SERVER_ID), &stream(0, 0, b"a request of the bench\n"))));
    let mut theirs = Sealer::new(suite, &secret(4));
    for at in 0..packets {
        let data: Vec<u8> = (0..1340).map(|i| bytes(at * 1340 + i)).collect();
        turns.push((Side::Server, theirs.packet(&short(CLIENT_ID), &stream(0, at as u32 * 1340, &data))));
    }
    (turns, keys)
}

fn peel(turns: &[(Side, Vec<u8>)], keys: &KeyStore, sink: &mut dyn Sink) {
    let mut around = Surroundings { keys, ..Surroundings::new(&REGISTRY, 443) };
    let mut tree = Tree::new(Unit::Datagram);
    let mut env = around.env(sink);
    for (side, datagram) in turns {
        tree.feed(&mut env, *side, datagram);
    }
    tree.finish(&mut env);
}

struct Silent;
impl Sink for Silent {}

/// 4,096 packets of 1,372 bytes, with the secrets.
#[divan::bench(args = [Suite::Aes128, Suite::Aes256, Suite::ChaCha20])]
fn download(bencher: Bencher<'_, '_>, suite: Suite) {
    let noise = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 13) as u8;
    let (turns, keys) = session(suite, 4096, noise);
    let mut seen = Recorder::default();
    peel(&turns, &keys, &mut seen);
    let whole = format!(" {}", 4096 * 1340);
    let opened = seen.lines.iter().any(|l| l.starts_with("leaf") && l.contains(&whole));
    assert!(opened, "not opened: {:?}", seen.lines);
    let bytes: usize = turns.iter().map(|(_, b)| b.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| peel(black_box(&turns), &keys, &mut Silent));
}

/// The same without them.
#[divan::bench]
fn closed(bencher: Bencher<'_, '_>) {
    let (turns, _) = session(Suite::Aes128, 4096, |i| i as u8);
    let keys = KeyStore::default();
    let bytes: usize = turns.iter().map(|(_, b)| b.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| peel(black_box(&turns), &keys, &mut Silent));
}
