//! The whole way from a file to a judgement: `cargo bench --bench pipeline`. Figures are bytes of capture
//! per second with one thread that peels.

mod made;

use divan::Bencher;
use divan::counter::BytesCount;
use made::{Made, Path};
use plainsight::audit::{self, Plan};
use std::net::Ipv4Addr;

fn main() {
    divan::main();
}

fn path(n: u32, port: u16) -> Path {
    Path {
        from: (Ipv4Addr::from_bits(0x0a00_0000 + n % 5000), 20_000 + (n / 5000) as u16),
        to: (Ipv4Addr::from_bits(0xc0a8_0000 + n % 97), port),
    }
}

fn noise(n: usize, seed: u32) -> Vec<u8> {
    let mut s = u64::from(seed) << 8 | 7;
    (0..n)
        .map(|_| {
            s = s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (s >> 56) as u8
        })
        .collect()
}

/// Chats over HTTP, one connection each.
fn chats(made: &mut Made, n: u32) {
    let body = format!(
        r#"{{"type":"m.room.message","sender":"@user{n}:example.org","content":{{"body":"see you at the old bridge, {n}","msgtype":"m.text"}}}}"#
    );
    let ask = format!(
        "POST /_matrix/client/v3/rooms/send/{n} HTTP/1.1\r\nHost: chat.example.org\r\nUser-Agent: Talk/1.2\r\n\
         Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"event_id\":\"$a\"}";
    made.connection(path(n, 80), &[ask.as_bytes(), answer.as_bytes()]);
}

/// Bytes of no known protocol, over TCP and in datagrams.
fn unknown(made: &mut Made, n: u32) {
    made.connection(path(n, 7000), &[&noise(900, n), &noise(20_000, n + 1)]);
    for i in 0..12 {
        let way = path(n, 7001);
        made.udp(if i % 2 == 0 { way } else { way.back() }, &noise(200 + 40 * i, n + i as u32));
    }
}

fn audit(bencher: Bencher<'_, '_>, each: fn(&mut Made, u32), count: u32) {
    let mut made = Made::default();
    (0..count).for_each(|n| each(&mut made, n));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), made.bytes()).expect("written");
    let plan = Plan { captures: vec![file.path().to_owned()], ..Plan::default() };
    bencher
        .counter(BytesCount::new(made.bytes().len()))
        .bench_local(|| audit::run(&plan, &|_| ()).expect("the capture is read").summary);
}

#[divan::bench(sample_count = 5)]
fn chats_over_http(bencher: Bencher<'_, '_>) {
    audit(bencher, chats, 20_000);
}

#[divan::bench(sample_count = 5)]
fn unknown_protocols(bencher: Bencher<'_, '_>) {
    audit(bencher, unknown, 1_000);
}
