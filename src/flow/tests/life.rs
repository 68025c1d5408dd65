//! How flows end: FIN, RST, reuse, idleness, eviction, the end of the capture.

use super::*;

fn goodbye(w: &mut Wire) {
    w.tcp(Side::Client, 101, 501, FIN | ACK, b"");
    w.tcp(Side::Server, 501, 102, FIN | ACK, b"");
    w.tcp(Side::Client, 102, 502, ACK, b"");
}

fn limits() -> Limits {
    Limits { tcp_idle: 100.0, udp_idle: 10.0, ..Limits::default() }
}

#[test]
fn two_fins_close_and_late_copies_open_nothing() {
    let mut w = Wire::opened();
    goodbye(&mut w);
    w.tcp(Side::Server, 501, 102, FIN | ACK, b"");
    assert_eq!((w.opens(), w.closes()), (1, vec![Close::Fin]));
    assert!(w.finish().0.is_empty());
    assert_eq!(w.closes(), [Close::Fin]);
}

#[test]
fn a_fin_waits_for_the_bytes_before_it() {
    let mut w = Wire::opened();
    w.tcp(Side::Client, 103, 501, FIN | ACK, b"cd");
    assert_eq!(w.text(Side::Client), "");
    w.says(0, b"ab");
    assert_eq!(w.text(Side::Client), "abcd.");
}

#[test]
fn one_fin_leaves_the_other_side_open() {
    let mut w = Wire::opened();
    w.tcp(Side::Client, 101, 501, FIN | ACK, b"");
    w.tcp(Side::Server, 501, 102, ACK, b"still here");
    assert_eq!((w.text(Side::Server).as_str(), w.closes().len()), ("still here", 0));
}

#[test]
fn data_after_fin_is_dropped_and_noted() {
    let mut w = Wire::opened();
    w.tcp(Side::Client, 101, 501, FIN | ACK, b"last");
    w.says(4, b"ghost");
    w.says(2, b"stghost");
    assert_eq!(w.text(Side::Client), "last.");
    assert_eq!(count(&w.finish(), "tcp-data-after-fin"), 2);
}

#[test]
fn a_fin_inside_known_bytes_is_ignored() {
    let mut w = Wire::opened();
    w.says(0, b"abcd");
    w.tcp(Side::Client, 102, 501, FIN | ACK, b"");
    w.says(4, b"ef");
    assert_eq!(w.text(Side::Client), "abcdef");
    assert_eq!(count(&w.finish(), "tcp-fin-inside"), 1);
}

#[test]
fn a_reset_in_sequence_closes_after_what_waits() {
    let mut w = Wire::opened();
    w.says(2, b"cd");
    w.tcp(Side::Server, 501, 105, RST | ACK, b"");
    assert_eq!((w.text(Side::Client).as_str(), w.closes()), ("??cd", vec![Close::Reset]));
}

#[test]
fn a_reset_out_of_sequence_is_ignored() {
    let mut w = Wire::opened();
    w.says(0, b"ab");
    w.tcp(Side::Client, 50, 0, RST, b"");
    w.tcp(Side::Client, 0x7000_0000, 0, RST, b"");
    w.tcp(Side::Server, 0x9000_0000, 103, RST | ACK, b"");
    w.says(2, b"cd");
    assert_eq!(w.text(Side::Client), "abcd");
    assert_eq!(count(&w.finish(), "tcp-reset-ignored"), 3);
    assert_eq!((w.opens(), w.closes()), (1, vec![Close::EndOfCapture]));
}

#[test]
fn a_reset_that_answers_a_syn_closes() {
    let mut w = Wire::new();
    w.tcp(Side::Client, 100, 0, SYN, b"");
    w.tcp(Side::Server, 0, 77, RST | ACK, b"");
    assert!(w.closes().is_empty());
    w.tcp(Side::Server, 0, 101, RST | ACK, b"");
    assert_eq!(w.closes(), [Close::Reset]);
}

#[test]
fn a_lone_reset_opens_no_flow() {
    let mut w = Wire::new();
    w.tcp(Side::Server, 5, 0, RST, b"");
    assert_eq!(w.opens(), 0);
    assert_eq!(count(&w.finish(), "tcp-stray-reset"), 1);
}

#[test]
fn bytes_after_a_reset_are_noted() {
    let mut w = Wire::opened();
    w.tcp(Side::Server, 501, 101, RST | ACK, b"");
    w.says(0, b"too late");
    assert_eq!((w.opens(), count(&w.finish(), "tcp-data-after-close")), (1, 1));
}

#[test]
fn a_repeated_syn_is_the_same_flow() {
    let mut w = Wire::new();
    w.tcp(Side::Client, 100, 0, SYN, b"");
    w.tcp(Side::Client, 100, 0, SYN, b"");
    w.tcp(Side::Server, 500, 101, SYN | ACK, b"");
    w.tcp(Side::Server, 500, 101, SYN | ACK, b"");
    w.says(0, b"ab");
    w.tcp(Side::Client, 100, 0, SYN, b"");
    assert_eq!((w.opens(), w.text(Side::Client).as_str()), (1, "ab"));
}

#[test]
fn a_new_syn_on_a_live_flow_begins_another() {
    let mut w = Wire::opened();
    w.says(0, b"old");
    w.tcp(Side::Client, 90_000, 0, SYN, b"");
    w.tcp(Side::Server, 70_000, 90_001, SYN | ACK, b"");
    w.tcp(Side::Client, 90_001, 70_001, ACK, b"new");
    w.finish();
    assert_eq!((w.text(Side::Client).as_str(), w.opens()), ("oldnew", 2));
    assert_eq!(w.closes(), [Close::Reused, Close::EndOfCapture]);
}

#[test]
fn a_new_syn_on_a_closed_flow_begins_another() {
    let mut w = Wire::opened();
    goodbye(&mut w);
    w.handshake(9_000, 8_000);
    w.tcp(Side::Client, 9_001, 8_001, ACK, b"again");
    w.finish();
    assert_eq!((w.text(Side::Client).as_str(), w.opens()), (".again", 2));
    assert_eq!(w.closes(), [Close::Fin, Close::EndOfCapture]);
}

#[test]
fn a_new_syn_ack_alone_begins_another() {
    let mut w = Wire::opened();
    w.tcp(Side::Server, 800_000, 900_001, SYN | ACK, b"");
    w.tcp(Side::Client, 900_001, 800_001, ACK, b"new");
    w.finish();
    assert_eq!((w.text(Side::Client).as_str(), w.opens()), ("new", 2));
}

#[test]
fn far_bytes_on_a_closed_flow_begin_another() {
    let mut w = Wire::opened();
    goodbye(&mut w);
    w.tcp(Side::Client, 1_000_000_000, 5, ACK, b"new");
    w.finish();
    assert_eq!((w.opens(), w.text(Side::Client).as_str()), (2, ".new"));
}

#[test]
fn both_may_open_at_once() {
    let mut w = Wire::new();
    w.tcp(Side::Client, 100, 0, SYN, b"");
    w.tcp(Side::Server, 500, 0, SYN, b"");
    w.tcp(Side::Client, 100, 501, SYN | ACK, b"");
    w.tcp(Side::Server, 500, 101, SYN | ACK, b"");
    w.says(0, b"hi");
    assert_eq!((w.opens(), w.text(Side::Client).as_str()), (1, "hi"));
}

#[test]
fn idle_flows_are_closed_by_the_time_of_others() {
    let mut w = Wire::with(&limits());
    w.udp(Side::Client, b"x");
    for port in 0..3 {
        w.client.port = 30_000 + port;
        w.now += 11_000_000_000;
        w.udp(Side::Client, b"x");
    }
    // The sweep's clock is one packet behind.
    assert_eq!(w.closes(), [Close::Idle, Close::Idle]);
}

#[test]
fn a_flow_is_split_by_its_own_pause() {
    let mut w = Wire::with(&limits());
    w.udp(Side::Client, b"x");
    w.now += 11_000_000_000;
    w.udp(Side::Client, b"y");
    assert_eq!((w.opens(), w.closes()), (2, vec![Close::Idle]));
}

#[test]
fn a_pause_or_a_clock_that_was_set_ends_no_connection_that_goes_on() {
    let mut w = Wire::with(&limits());
    w.handshake(100, 500);
    w.says(0, b"ab");
    w.now += 400_000_000_000;
    w.says(2, b"cd");
    assert_eq!((w.opens(), w.text(Side::Client).as_str(), w.closes().len()), (1, "abcd", 0));
    // Bytes from somewhere else are another connection's.
    w.now += 400_000_000_000;
    w.says(0x2000_0000, b"ef");
    assert_eq!((w.opens(), w.closes()), (2, vec![Close::Idle]));
}

#[test]
fn a_time_that_jumps_back_closes_nothing() {
    let mut w = Wire::with(&limits());
    for step in 0..20 {
        w.client.port = 30_000 + step;
        w.udp(Side::Client, b"x");
        w.now -= 3_600_000_000_000;
    }
    assert!(w.closes().is_empty());
}

#[test]
fn one_time_far_ahead_closes_no_other_flow() {
    let mut w = Wire::with(&limits());
    w.udp(Side::Client, b"x");
    w.client.port += 1;
    w.now += 1 << 60;
    w.udp(Side::Client, b"x");
    w.client.port += 1;
    w.now -= 1 << 60;
    w.udp(Side::Client, b"x");
    assert!(w.closes().is_empty());
}

#[test]
fn the_least_recently_used_flow_is_evicted() {
    let mut w = Wire::with(&Limits { flows: 3, ..Limits::default() });
    let first = w.client.port;
    for port in 0..3 {
        w.client.port = first + port;
        w.udp(Side::Client, b"x");
    }
    w.client.port = first;
    w.udp(Side::Client, b"x");
    w.client.port = first + 3;
    w.tcp(Side::Client, 1, 0, SYN, b"");
    assert_eq!(w.closes(), [Close::Evicted]);
    assert_eq!(w.seen.closed[0].key.client.port, first + 1);
    assert_eq!((w.table.flows(), count(&w.finish(), "flow-evicted")), (3, 1));
}

#[test]
fn closed_flows_make_room_first() {
    let mut w = Wire::with(&Limits { flows: 2, ..Limits::default() });
    w.udp(Side::Client, b"x");
    w.handshake(100, 500);
    goodbye(&mut w);
    w.client.port += 1;
    w.udp(Side::Client, b"x");
    assert_eq!(w.closes(), [Close::Fin]);
    assert!(w.finish().0.is_empty());
}

#[test]
fn the_end_closes_in_the_order_of_ids() {
    let mut w = Wire::new();
    for port in [5, 1, 9, 3] {
        w.client.port = 30_000 + port;
        w.handshake(1, 2);
    }
    w.client.port = 30_005;
    w.udp(Side::Client, b"x");
    w.finish();
    let ids: Vec<u64> = w.seen.closed.iter().map(|info| info.id).collect();
    assert_eq!(ids, [0, 1, 2, 3, 4]);
}

#[test]
fn an_end_that_talks_to_itself_does_no_harm() {
    let mut w = Wire::new();
    w.server = w.client;
    w.handshake(100, 500);
    w.says(0, b"hello");
    // Both directions look the same, so the two SYNs contradict each other and the bytes fit neither.
    let notes = w.finish();
    assert_eq!((w.opens(), count(&notes, "tcp-before-start")), (2, 1));
}
