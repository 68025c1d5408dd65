//! Gaps: when they are declared, where they stand, and the bounds on waiting.

use super::*;
use crate::flow::PATIENCE;

#[test]
fn an_acknowledged_hole_is_given_up_after_some_packets() {
    let mut w = Wire::opened();
    w.says(0, b"ab");
    w.says(5, b"fg");
    w.acks(7);
    for _ in 0..PATIENCE - 1 {
        w.acks(7);
        assert_eq!(w.text(Side::Client), "ab");
    }
    w.acks(7);
    assert_eq!(w.text(Side::Client), "ab???fg");
    w.finish();
}

#[test]
fn an_acknowledged_hole_may_still_be_filled() {
    let mut w = Wire::opened();
    w.says(5, b"fg");
    w.acks(7);
    w.says(0, b"abcde");
    assert_eq!(w.text(Side::Client), "abcdefg");
    assert!(w.finish().0.is_empty());
}

#[test]
fn a_hole_that_nobody_acknowledged_waits_for_the_retransmission() {
    let mut w = Wire::opened();
    for i in 1..100 {
        w.says(i * 2, b"xx");
        w.acks(0);
    }
    assert_eq!(w.text(Side::Client), "");
    w.says(0, b"xx");
    assert_eq!(w.text(Side::Client), "xx".repeat(100));
}

#[test]
fn closing_gives_up_every_hole() {
    let mut w = Wire::opened();
    w.says(1, b"b");
    w.says(3, b"d");
    w.finish();
    assert_eq!(w.text(Side::Client), "?b?d");
}

#[test]
fn one_direction_alone_is_put_in_order() {
    let mut w = Wire::new();
    w.tcp(Side::Server, 500, 101, SYN | ACK, b"");
    w.tcp(Side::Server, 504, 110, ACK, b"de");
    w.tcp(Side::Server, 501, 110, ACK, b"abc");
    w.tcp(Side::Server, 506, 110, FIN | ACK, b"");
    w.finish();
    assert_eq!(w.text(Side::Server), "abcde.");
    assert_eq!(w.closes(), [Close::EndOfCapture]);
    assert_eq!(w.seen.closed[0].unseen.client, 9);
}

#[test]
fn a_cut_becomes_a_gap_at_its_place() {
    let mut w = Wire::opened();
    w.cut(Side::Client, 101, 501, ACK, b"ab", 3);
    assert_eq!(w.text(Side::Client), "ab");
    w.says(5, b"fg");
    assert_eq!(w.text(Side::Client), "ab???fg");
    w.finish();
    assert_eq!(w.seen.closed[0].lost.client, 3);
}

#[test]
fn a_cut_is_given_up_before_the_answer_that_acknowledges_it() {
    let mut w = Wire::opened();
    w.cut(Side::Client, 101, 501, ACK, b"ab", 3);
    w.tcp(Side::Server, 501, 106, ACK, b"yes");
    let gap = w.seen.events.iter().position(|e| matches!(e, Event::Gap(..)));
    let answer = w.seen.events.iter().position(|e| matches!(e, Event::Data(Side::Server, ..)));
    assert!(gap.is_some() && gap < answer);
}

#[test]
fn a_fuller_copy_fills_a_cut() {
    let mut w = Wire::opened();
    w.cut(Side::Client, 101, 501, ACK, b"ab", 4);
    w.says(0, b"abcd");
    w.says(0, b"abcdef");
    w.says(6, b"g");
    assert_eq!(w.text(Side::Client), "abcdefg");
    w.finish();
    assert_eq!(w.seen.closed[0].lost.client, 0);
}

#[test]
fn a_headers_only_capture_is_all_gaps() {
    let mut w = Wire::opened();
    w.cut(Side::Client, 101, 501, ACK, b"", 10);
    w.cut(Side::Client, 111, 501, ACK, b"", 10);
    w.cut(Side::Client, 121, 501, FIN | ACK, b"", 5);
    assert_eq!(w.text(Side::Client), format!("{}.", "?".repeat(25)));
}

#[test]
fn a_fin_behind_a_lost_tail_is_reached_through_a_gap() {
    let mut w = Wire::opened();
    w.says(0, b"ab");
    w.tcp(Side::Client, 106, 501, FIN | ACK, b"");
    assert_eq!(w.text(Side::Client), "ab");
    for _ in 0..=PATIENCE {
        w.tcp(Side::Server, 501, 107, ACK, b"");
    }
    assert_eq!(w.text(Side::Client), "ab???.");
    w.finish();
    assert_eq!(w.seen.closed[0].unseen.client, 0);
}

#[test]
fn a_segment_out_of_every_window_is_dropped_and_noted() {
    let mut w = Wire::opened();
    w.tcp(Side::Client, 101 + (1 << 30), 501, ACK, b"far");
    w.says(0, b"near");
    assert_eq!(w.text(Side::Client), "near");
    assert_eq!(count(&w.finish(), "tcp-out-of-window"), 1);
}

#[test]
fn one_flow_holds_no_more_than_its_bound() {
    let limits = Limits { reorder_flow: 16 << 10, ..Limits::default() };
    let mut w = Wire::with(&limits);
    w.handshake(100, 500);
    for i in 0..5000u32 {
        w.says(1 + i * 2, b"x");
        assert!(w.table.held() <= limits.reorder_flow);
    }
    let notes = w.finish();
    assert_eq!(w.text(Side::Client), "?x".repeat(5000));
    assert!(count(&notes, "tcp-reorder-limit") > 0);
}

#[test]
fn all_flows_hold_no_more_than_the_total() {
    let limits = Limits { reorder_total: 32 << 10, ..Limits::default() };
    let mut w = Wire::with(&limits);
    for round in 0..20u32 {
        for port in 0..200 {
            w.client.port = 20_000 + port;
            if round == 0 {
                w.handshake(100, 500);
            }
            w.says(1 + round * 20, b"0123456789");
            assert!(w.table.held() <= limits.reorder_total);
        }
    }
    w.finish();
    for info in &w.seen.closed {
        assert_eq!((info.delivered.client, info.lost.client), (200, 191));
    }
}

#[test]
fn a_piece_larger_than_the_bound_is_handed_on_behind_a_gap() {
    let limits = Limits { reorder_flow: 10, reorder_total: 10, ..Limits::default() };
    let mut w = Wire::with(&limits);
    w.handshake(100, 500);
    w.says(1, b"more than ten bytes");
    assert_eq!(w.text(Side::Client), "?more than ten bytes");
    assert_eq!(w.table.held(), 0);
}

#[test]
fn a_cut_repeat_that_reaches_beyond_the_fin_stops_there() {
    let mut w = Wire::opened();
    w.says(0, b"abcd");
    w.tcp(Side::Client, 107, 501, FIN | ACK, b"");
    w.cut(Side::Client, 101, 501, ACK, b"a", 50);
    let notes = w.finish();
    assert_eq!(w.text(Side::Client), "abcd??.");
    assert_eq!(count(&notes, "tcp-data-after-fin"), 1);
}
