//! Recognition by structure: no probe takes random bytes, and every exchange is taken by its own layer.

use plainsight::layers::REGISTRY;
use plainsight::peel::{Eats, Exchange, Guess, Probe, Unit};

/// Rows that are chosen by structure alone and must not steal what is not theirs.
const ROWS: [&str; 18] = [
    "simple-obfs",
    "ssh",
    "wireguard",
    "openvpn",
    "openvpn-tcp",
    "ipsec",
    "smpp",
    "msnp",
    "oscar",
    "ymsg",
    "nbns",
    "nbdgm",
    "ssdp",
    "dhcp",
    "dhcpv6",
    "ntp",
    "dropbox-lan",
    "spotify-lan",
];

/// Bytes that look random and are the same in every run.
struct Noise(u64);

impl Noise {
    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u8
    }
    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.byte()).collect()
    }
}

#[test]
fn random_bytes_are_nobodys() {
    let mut noise = Noise(42);
    let rows: Vec<_> = ROWS.iter().map(|n| REGISTRY.find(n).expect("a row of that name")).collect();
    // Sizes and ports that the rows themselves care about, and others.
    let sizes = [1, 4, 10, 14, 16, 26, 32, 42, 48, 54, 64, 92, 96, 148, 300, 1200];
    let ports = [9, 22, 67, 123, 137, 138, 443, 546, 1194, 1863, 1900, 2775, 4500, 5050, 5190, 40000];
    for round in 0..4000 {
        let bytes = noise.bytes(sizes[round % sizes.len()]);
        for row in &rows {
            let ask = row.probe.expect("a probe");
            for server_port in ports {
                let probe = Probe::alone(&bytes, server_port);
                assert!(ask(&probe) < Guess::Sure, "{} takes {} random bytes", row.name, bytes.len());
                if row.name != "ipsec" {
                    assert_eq!(ask(&probe), Guess::No, "{} guesses at random bytes", row.name);
                }
            }
        }
    }
}

/// ESP alone is a guess on its own port, and on no other.
#[test]
fn esp_is_guessed_on_its_port_only() {
    let row = REGISTRY.find("ipsec").expect("a row");
    let packet = [&[0xc1, 2, 3, 4, 0, 0, 0, 9][..], &[0x5a; 60]].concat();
    let ask = |server_port| row.probe.expect("a probe")(&Probe::alone(&packet, server_port));
    assert_eq!((ask(4500), ask(4501)), (Guess::Maybe, Guess::No));
}

#[test]
fn every_exchange_is_taken_by_its_own_row() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchanges");
    for name in ROWS {
        let text = std::fs::read_to_string(folder.join(format!("{name}.txt"))).expect(name);
        let said = Exchange::read(&text);
        let (_, bytes) = said.turns.first().expect("bytes");
        let datagram = said.unit == Unit::Datagram;
        let takes = |row: &&plainsight::peel::Spec| {
            let eats = if datagram { row.eats != Eats::Stream } else { row.eats == Eats::Stream };
            let probe = Probe::alone(bytes, said.server_port);
            eats && row.forms.contains(&probe.form) && row.probe.is_some_and(|p| p(&probe) == Guess::Sure)
        };
        let taker = REGISTRY.specs().find(|s| takes(s)).map(|s| s.name);
        assert_eq!(taker, Some(name), "who takes the first bytes of {name}");
    }
}
