//! More flows and conversations than the bounds allow: what is evicted and joined must not depend on the
//! number of threads.

#[path = "../benches/made.rs"]
mod made;

use made::{ACK, Made, Path, SYN};
use plainsight::audit::{self, Plan};
use plainsight::model::Limits;
use std::net::Ipv4Addr;

/// Clients that speak to servers in turns, so that hundreds of flows are open at once, each of them several
/// times; few of them end.
fn crowded() -> Made {
    let mut made = Made::default();
    let path = |n: u32, port: u16| Path {
        from: (Ipv4Addr::from_bits(0x0a00_0000 + n / 3), 20_000 + (n % 3) as u16),
        to: (Ipv4Addr::from_bits(0xc0a8_0000 + n), port),
    };
    for n in 0..400 {
        made.tcp(path(n, 80), 100, 0, SYN, &[]);
        made.tcp(path(n, 80).back(), 900, 101, SYN | ACK, &[]);
    }
    for turn in 0..4u32 {
        for n in 0..400 {
            let text = format!(
                "POST /send HTTP/1.1\r\nHost: chat{n}.example\r\nContent-Type: application/json\r\n\
                 Content-Length: 42\r\n\r\n{{\"body\":\"see you at the bridge, number {turn}\"}}"
            );
            made.tcp(path(n, 80), 101 + turn * text.len() as u32, 901, ACK, text.as_bytes());
            made.udp(path(n, 9999), &[turn as u8, n as u8, 0xa7, 0x11, 0x93, 0xfe, 0x80, 0x05, 0xc4]);
            let gone = [n as u8 ^ 0x5a; 40];
            made.tcp(path(n + 5000, 4000 + turn as u16), 1, 1, ACK, &gone);
        }
    }
    for n in 0..5000 {
        made.udp(path(n + 9000, 7777), &[0xc7, n as u8, 0x99, 0xf1, 0x80, 0xfe, 0x03, 0xd2]);
    }
    made
}

fn report(file: &std::path::Path, flows: usize, threads: usize) -> (String, serde_json::Value) {
    let plan = Plan {
        captures: vec![file.to_owned()],
        limits: Limits { flows, ..Limits::default() },
        threads,
        ..Plan::default()
    };
    let report = audit::run(&plan, &|_| ()).expect("the capture is read").report();
    let value = serde_json::to_value(&report).expect("a report is JSON");
    (serde_json::to_string_pretty(&value).expect("JSON"), value)
}

#[test]
fn the_number_of_threads_changes_nothing_beyond_the_bounds() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), crowded().bytes()).expect("written");
    for flows in [160, 4_000, 1_000_000] {
        let (one, value) = report(file.path(), flows, 1);
        let noted =
            |code: &str| value["notes"].as_array().is_some_and(|n| n.iter().any(|n| n["code"] == code));
        assert_eq!(noted("flow-evicted"), flows < 1_000_000, "{flows}");
        assert!(noted("conversation-limit"), "{flows}");
        for threads in [2, 3, 7, 40] {
            let (other, _) = report(file.path(), flows, threads);
            assert!(one == other, "{threads} threads and {flows} flows report something else");
        }
    }
}
