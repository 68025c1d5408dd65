//! What HTTP/2 costs: header blocks with Huffman code and a dynamic table, and plain bodies.
//! Figures are bytes of the connection per second.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use plainsight::layers::REGISTRY;
use plainsight::model::Side;
use plainsight::peel::{Sink, Surroundings, Tree, Unit};

fn main() {
    divan::main();
}

struct Silent;
impl Sink for Silent {}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// A request of RFC 7541 appendix C.4.3 with its first field added anew each time.
const BLOCK: &[u8] = b"\x82\x87\x85\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn run(bytes: &[u8]) -> u64 {
    let (mut around, mut sink) = (Surroundings::new(&REGISTRY, 443), Silent);
    let mut tree = Tree::new(Unit::Stream);
    let mut env = around.env(&mut sink);
    for segment in bytes.chunks(1400) {
        tree.feed(&mut env, Side::Client, segment);
    }
    tree.finish(&mut env);
    bytes.len() as u64
}

/// Requests without bodies.
#[divan::bench]
fn requests(bencher: Bencher<'_, '_>) {
    let mut bytes = PREFACE.to_vec();
    for id in 0..2000 {
        bytes.extend(frame(1, 5, 2 * id + 1, BLOCK));
    }
    bencher
        .counter(BytesCount::new(bytes.len()))
        .counter(ItemsCount::new(2000usize))
        .bench(|| run(black_box(&bytes)));
}

/// Uploads of 64 KiB in full frames that no inner layer knows.
#[divan::bench]
fn bodies(bencher: Bencher<'_, '_>) {
    let mut bytes = PREFACE.to_vec();
    let data: Vec<u8> = (0..16_384u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for id in 0..64 {
        bytes.extend(frame(1, 4, 2 * id + 1, BLOCK));
        for part in 0..4 {
            bytes.extend(frame(0, u8::from(part == 3), 2 * id + 1, &data));
        }
    }
    bencher.counter(BytesCount::new(bytes.len())).bench(|| run(black_box(&bytes)));
}
