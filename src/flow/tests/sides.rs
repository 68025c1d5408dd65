//! Which end is the client.

use super::*;
use crate::flow::Opening;

fn client_of(w: &mut Wire) -> Endpoint {
    w.finish();
    w.seen.closed[0].key.client
}

#[test]
fn the_sender_of_a_syn_is_the_client_whatever_the_ports() {
    let mut w = Wire::new();
    (w.client.port, w.server.port) = (80, 60_000);
    w.tcp(Side::Client, 1, 0, SYN, b"");
    assert_eq!(client_of(&mut w), w.client);
    assert_eq!(w.seen.closed[0].opening, Opening::Seen);
}

#[test]
fn the_sender_of_a_syn_ack_is_the_server() {
    let mut w = Wire::new();
    (w.client.port, w.server.port) = (80, 60_000);
    w.tcp(Side::Server, 1, 9, SYN | ACK, b"");
    assert_eq!(client_of(&mut w), w.client);
}

#[test]
fn midstream_the_lower_port_is_the_server() {
    for first in Side::BOTH {
        let mut w = Wire::new();
        (w.client.port, w.server.port) = (50_000, 40_000);
        w.tcp(first, 1, 1, ACK, b"x");
        assert_eq!(client_of(&mut w), w.client);
        assert_eq!(w.seen.closed[0].opening, Opening::MidStream);
    }
}

#[test]
fn midstream_a_servers_port_beats_a_lower_one() {
    let mut w = Wire::new();
    (w.client.port, w.server.port) = (2000, 5222);
    w.tcp(Side::Server, 1, 1, ACK, b"x");
    assert_eq!(client_of(&mut w), w.client);
}

#[test]
fn midstream_on_equal_ports_the_first_sender_is_the_client() {
    let mut w = Wire::new();
    (w.client.port, w.server.port) = (7000, 7000);
    w.tcp(Side::Server, 1, 1, ACK, b"x");
    assert_eq!(client_of(&mut w), w.server);
}

#[test]
fn the_first_sender_of_udp_is_the_client() {
    let mut w = Wire::new();
    (w.client.port, w.server.port) = (40_000, 50_000);
    w.udp(Side::Client, b"a");
    w.udp(Side::Server, b"b");
    assert_eq!(client_of(&mut w), w.client);
    assert_eq!(
        w.seen.events[1..3],
        [Event::Datagram(Side::Client, b"a".to_vec(), 0), Event::Datagram(Side::Server, b"b".to_vec(), 0),]
    );
}

#[test]
fn a_udp_answer_seen_first_comes_from_the_server() {
    for port in [53, 443, 3478, 5060] {
        let mut w = Wire::new();
        w.server.port = port;
        w.udp(Side::Server, b"answer");
        assert_eq!(client_of(&mut w), w.client);
    }
}

#[test]
fn two_ipv6_ends_and_their_ipv4_twins_are_different_flows() {
    let mut w = Wire::new();
    w.udp(Side::Client, b"four");
    w.client.ip = IpAddr::V6(Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped());
    w.server.ip = IpAddr::V6(Ipv4Addr::new(10, 0, 0, 2).to_ipv6_mapped());
    w.udp(Side::Client, b"six");
    w.udp(Side::Server, b"six");
    assert_eq!((w.opens(), w.table.flows()), (2, 2));
}
