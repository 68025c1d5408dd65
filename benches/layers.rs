//! Layers by themselves: `cargo bench --bench layers`. TLS 1.3 records with their keys, codecs, the search
//! for planted texts.

mod schedule;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use plainsight::evidence::{Canaries, Canary};
use plainsight::keys::KeyStore;
use plainsight::layers::REGISTRY;
use plainsight::model::{Arrival, Ledger, Side, Value};
use plainsight::peel::{Leaf, NodeRef, Sink, Surroundings, Tree, Unit};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::HKDF_SHA256;
use schedule::expand;
use std::fmt::Write as _;
use std::io::Write as _;

fn main() {
    divan::main();
}

/// Counts what it is told, so that nothing is optimised away.
#[derive(Default)]
struct Count {
    leaves: u64,
    facts: u64,
}

impl Sink for Count {
    fn layer(&mut self, _: &NodeRef<'_>, _: Arrival) {}
    fn fact(&mut self, _: &NodeRef<'_>, _: &'static str, _: Value, _: Arrival) {
        self.facts += 1;
    }
    fn leaf(&mut self, _: &NodeRef<'_>, leaf: &Leaf<'_>) {
        self.leaves += leaf.total;
    }
    fn done(&mut self, _: &NodeRef<'_>, _: &Ledger) {}
    fn note(&mut self, _: &NodeRef<'_>, _: &'static str, _: Arrival) {}
}

fn peel(unit: Unit, turns: &[(Side, Vec<u8>)], keys: &KeyStore) -> u64 {
    let mut around = Surroundings { keys, ..Surroundings::new(&REGISTRY, 443) };
    let (mut sink, mut tree) = (Count::default(), Tree::new(unit));
    let mut env = around.env(&mut sink);
    for (side, bytes) in turns {
        for piece in bytes.chunks(1400) {
            tree.feed(&mut env, *side, piece);
        }
    }
    tree.finish(&mut env);
    sink.leaves + sink.facts
}

/// One side's records under one secret (RFC 8446 section 5.2).
struct Sealer {
    key: LessSafeKey,
    iv: Vec<u8>,
    number: u64,
}

impl Sealer {
    fn new(secret: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_128_GCM, &expand(HKDF_SHA256, secret, "key", 16)).expect("16 bytes");
        Self { key: LessSafeKey::new(key), iv: expand(HKDF_SHA256, secret, "iv", 12), number: 0 }
    }

    fn record(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut inner = [content, &[kind]].concat();
        let mut record = vec![23, 3, 3];
        record.extend((inner.len() as u16 + 16).to_be_bytes());
        let mut nonce: [u8; 12] = self.iv.as_slice().try_into().expect("12 bytes");
        nonce[4..].iter_mut().zip(self.number.to_be_bytes()).for_each(|(n, b)| *n ^= b);
        self.number += 1;
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, Aad::from(&record), &mut inner).expect("sealed");
        record.extend(inner);
        record
    }
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    message
}

fn hello_record(kind: u8, random: u8, middle: &[u8], extensions: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([random; 32]);
    body.push(0);
    body.extend(middle);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let message = handshake(kind, &body);
    let mut record = vec![22, 3, 1];
    record.extend((message.len() as u16).to_be_bytes());
    record.extend(message);
    record
}

/// A session in which the server sends `records` full records of text.
fn session(records: usize) -> (Vec<(Side, Vec<u8>)>, KeyStore) {
    let secrets = [
        ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", [1u8; 32]),
        ("SERVER_HANDSHAKE_TRAFFIC_SECRET", [2; 32]),
        ("CLIENT_TRAFFIC_SECRET_0", [3; 32]),
        ("SERVER_TRAFFIC_SECRET_0", [4; 32]),
    ];
    let hex =
        |bytes: &[u8]| bytes.iter().fold(String::new(), |mut t, b| write!(t, "{b:02x}").map(|()| t).unwrap());
    let log: String =
        secrets.iter().map(|(label, s)| format!("{label} {} {}\n", hex(&[7; 32]), hex(s))).collect();
    let mut keys = KeyStore::default();
    keys.add_keylog(log.as_bytes(), "bench");
    let share = [&[0, 0x1d, 0, 32][..], &[9; 32]].concat();
    let client_share = [&[0, 51, 0, 38, 0, 36][..], &share].concat();
    let offered = [&[0, 43, 0, 3, 2, 3, 4][..], &client_share].concat();
    let chosen = [&[0, 43, 0, 2, 3, 4, 0, 51, 0, 36][..], &share].concat();
    let mut server = hello_record(2, 8, &[0x13, 1, 0], &chosen);
    let flight = [handshake(8, &[0, 0]), handshake(20, &[5; 32])].concat();
    server.extend(Sealer::new(&[2; 32]).record(22, &flight));
    let finished = Sealer::new(&[1; 32]).record(22, &handshake(20, &[5; 32]));
    let text = b"a line of a download that nobody planted anything in\n".repeat(310);
    let mut sealer = Sealer::new(&[4; 32]);
    let data: Vec<u8> = (0..records).flat_map(|_| sealer.record(23, &text[..16_384])).collect();
    let client = hello_record(1, 7, &[0, 2, 0x13, 1, 1, 0], &offered);
    (
        vec![(Side::Client, client), (Side::Server, server), (Side::Client, finished), (Side::Server, data)],
        keys,
    )
}

#[divan::bench(args = [true, false])]
fn tls13_records(bencher: Bencher<'_, '_>, with_keys: bool) {
    let (turns, keys) = session(256);
    let keys = if with_keys { keys } else { KeyStore::default() };
    let bytes: usize = turns.iter().map(|(_, b)| b.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| peel(Unit::Stream, black_box(&turns), &keys));
}

fn json() -> String {
    let item = |n: u32| {
        format!(
            r#"{{"id":{n},"sender":"@user{n}:example.org","content":{{"body":"see you at noon, {n}"}},"seen":true}}"#
        )
    };
    format!("[{}]", (0..500).map(item).collect::<Vec<_>>().join(","))
}

fn protobuf() -> Vec<u8> {
    let field = |n: u32| {
        let text = format!("see you at the old bridge, {n}");
        let mut inner = vec![0x08, 0x80, 0x01, 0x12, text.len() as u8];
        inner.extend(text.as_bytes());
        let mut outer = vec![0x0a, inner.len() as u8];
        outer.extend(inner);
        outer
    };
    (0..500).flat_map(field).collect()
}

fn message(bencher: Bencher<'_, '_>, bytes: Vec<u8>) {
    let keys = KeyStore::default();
    let turns = [(Side::Client, bytes)];
    bencher
        .counter(BytesCount::new(turns[0].1.len()))
        .bench_local(|| peel(Unit::Message, black_box(&turns), &keys));
}

#[divan::bench]
fn json_message(bencher: Bencher<'_, '_>) {
    message(bencher, json().into_bytes());
}

#[divan::bench]
fn gzip_of_json(bencher: Bencher<'_, '_>) {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(json().as_bytes()).expect("packed");
    message(bencher, packed.finish().expect("packed"));
}

#[divan::bench]
fn base64_in_json(bencher: Bencher<'_, '_>) {
    message(bencher, format!(r#"{{"data":"{}"}}"#, STANDARD.encode(json())).into_bytes());
}

#[divan::bench]
fn protobuf_message(bencher: Bencher<'_, '_>) {
    message(bencher, protobuf());
}

#[divan::bench]
fn canary_search(bencher: Bencher<'_, '_>) {
    let canary = |n: u32| Canary { text: format!("noon under the bridge {n}"), label: None, control: false };
    let canaries = Canaries::new((0..8).map(canary).collect());
    let text = json();
    bencher.counter(BytesCount::new(text.len())).bench(|| canaries.find(black_box(text.as_bytes())));
}
