//! Speed of the randomness battery: `cargo bench --bench randomness`.

use divan::Bencher;
use divan::counter::BytesCount;
use plainsight::evidence::randomness::{Histogram, measure};

fn main() {
    divan::main();
}

fn noise(n: usize) -> Vec<u8> {
    let mut s = 7u64;
    (0..n)
        .map(|_| {
            s = s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (s >> 56) as u8
        })
        .collect()
}

#[divan::bench(args = [64, 256, 4096, 65536])]
fn histogram(bencher: Bencher, n: usize) {
    let data = noise(n);
    bencher.counter(BytesCount::new(n)).bench(|| {
        let mut h = Histogram::default();
        h.add(divan::black_box(&data));
        h
    });
}

#[divan::bench(args = [64, 256, 4096, 65536])]
fn whole_battery(bencher: Bencher, n: usize) {
    let data = noise(n);
    bencher.counter(BytesCount::new(n)).bench(|| measure(divan::black_box(&data)));
}
