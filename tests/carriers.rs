//! SCTP straight over IP (protocol 132) and over UDP (RFC 6951): the same packets come to the same messages.

use std::process::Command;

/// A capture of raw IPv4 packets (LINKTYPE_RAW), of each the protocol, whether the client sends it, and the body.
fn pcap(packets: &[(u8, bool, Vec<u8>)]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0];
    for (n, (proto, by_client, body)) in packets.iter().enumerate() {
        let total = 20 + body.len();
        file.extend((n as u32).to_le_bytes());
        file.extend([0; 4]);
        file.extend((total as u32).to_le_bytes());
        file.extend((total as u32).to_le_bytes());
        file.extend([0x45, 0]);
        file.extend((total as u16).to_be_bytes());
        file.extend([0, 1, 0, 0, 64, *proto, 0, 0, 10, 0, 0]);
        file.extend(if *by_client { [1, 10, 0, 0, 2] } else { [2, 10, 0, 0, 1] });
        file.extend(body);
    }
    file
}

/// The lines that `peel` says of them, with texts.
fn peel(name: &str, packets: &[(u8, bool, Vec<u8>)]) -> String {
    let file = format!("{}/carriers-{name}.pcap", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, pcap(packets)).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_plainsight"))
        .args(["peel", "--json", "--reveal", &file])
        .output()
        .expect("the program starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Packets of `tests/exchanges/sctp.txt`: pieces out of order, bundled, sent twice and lost.
fn exchange() -> Vec<(bool, Vec<u8>)> {
    let said = plainsight::peel::Exchange::read(include_str!("exchanges/sctp.txt"));
    said.turns.into_iter().map(|(side, bytes)| (side == plainsight::model::Side::Client, bytes)).collect()
}

fn in_udp(packet: &[u8]) -> Vec<u8> {
    let mut udp = [9899u16.to_be_bytes(), 9899u16.to_be_bytes()].concat();
    udp.extend((8 + packet.len() as u16).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(packet);
    udp
}

/// One DATA chunk with a whole message, between ports of the registry; no checksum.
fn data(tsn: u32, stream: u8, payload: u32, bytes: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x0f, 0x1c, 0x0f, 0x1c, 0, 0, 0, 7, 0, 0, 0, 0, 0, 3];
    packet.extend((16 + bytes.len() as u16).to_be_bytes());
    packet.extend(tsn.to_be_bytes());
    packet.extend([0, stream, 0, 0]);
    packet.extend(payload.to_be_bytes());
    packet.extend(bytes);
    packet.resize(packet.len().next_multiple_of(4), 0);
    packet
}

fn leaves(lines: &str) -> Vec<&str> {
    lines.lines().filter_map(|l| Some(l.split_once("\"text\":")?.1.split_once('}')?.0)).collect()
}

#[test]
fn over_ip_and_over_udp_it_says_the_same() {
    let packets = exchange();
    let over_ip: Vec<_> = packets.iter().map(|(c, p)| (132, *c, p.clone())).collect();
    let over_udp: Vec<_> = packets.iter().map(|(c, p)| (17, *c, in_udp(p))).collect();
    let (ip, udp) = (peel("ip", &over_ip), peel("udp", &over_udp));
    assert!(ip.contains("\"transport\":\"sctp\"") && ip.contains("10.0.0.1:5000"), "{ip}");
    assert!(udp.contains("\"transport\":\"udp\""), "{udp}");
    assert!(ip.contains("see you under the old bridge at noon"), "{ip}");
    assert_eq!(leaves(&ip), leaves(&udp));
    assert!(leaves(&ip).len() > 5 && ip.contains("sctp-gap"), "{ip}");
}

#[test]
fn an_association_joined_late_is_followed_and_other_protocols_are_told_by_number() {
    let text = b"meet me behind the station at nine tonight";
    let mut packets = vec![
        data(10, 0, 46, &[1, 0, 0, 20, 0x80, 0, 1, 1, 0, 0, 0, 0, 9, 9, 9, 9, 8, 8, 8, 8]),
        data(12, 1, 0, text),
        data(11, 0, 3, &[1, 0, 3, 1, 0, 0, 0, 8]),
        data(12, 1, 0, text),
    ];
    // Filled in by the network card after the recorder saw it.
    packets[1][8] = 0x5a;
    let lines = peel("late", &packets.into_iter().map(|p| (132, true, p)).collect::<Vec<_>>());
    assert_eq!(lines.matches("meet me behind the station").count(), 1, "{lines}");
    for fact in ["46", "3"] {
        let told = "\"name\":\"sctp.payload\"";
        let found = lines.lines().any(|l| l.contains(told) && l.contains(&format!("\"value\":{fact}")));
        assert!(found, "{fact}\n{lines}");
    }
}

#[test]
fn what_is_no_packet_is_harmless_and_counted() {
    let bodies =
        [vec![], vec![1, 2, 3], vec![0; 12], vec![0xff; 300], data(1, 0, 0, b"hello")[..20].to_vec()];
    let packets: Vec<_> = bodies.into_iter().map(|b| (132, true, b)).collect();
    let lines = peel("broken", &packets);
    assert!(lines.contains("sctp-malformed"), "{lines}");
}
