//! Reordering, repeats and overlap, nothing lost.

use super::*;

#[test]
fn in_order_bytes_come_at_once() {
    let mut w = Wire::opened();
    w.says(0, b"ab");
    w.says(2, b"cd");
    assert_eq!(w.text(Side::Client), "abcd");
    let notes = w.finish();
    assert!(notes.0.is_empty(), "{notes:?}");
}

#[test]
fn swapped_segments_are_put_in_order_with_the_frame_that_carried_them() {
    let mut w = Wire::opened();
    w.says(2, b"cd");
    w.says(4, b"ef");
    assert_eq!(w.text(Side::Client), "");
    w.says(0, b"ab");
    let data: Vec<_> = w.seen.events.iter().filter(|e| matches!(e, Event::Data(..))).cloned().collect();
    let expected = [(b"ab", 6), (b"cd", 4), (b"ef", 5)];
    assert_eq!(data, expected.map(|(b, f)| Event::Data(Side::Client, b.to_vec(), f)));
}

#[test]
fn every_packet_twice_changes_nothing() {
    let mut w = Wire::new();
    for flags in [(100, 0, SYN, Side::Client), (500, 101, SYN | ACK, Side::Server)] {
        for _ in 0..2 {
            w.tcp(flags.3, flags.0, flags.1, flags.2, b"");
        }
    }
    for (from, text) in [(0, b"one "), (4, b"two ")] {
        w.says(from, text);
        w.says(from, text);
    }
    for _ in 0..2 {
        w.tcp(Side::Client, 109, 501, FIN | ACK, b"");
    }
    for _ in 0..2 {
        w.tcp(Side::Server, 501, 110, FIN | ACK, b"");
    }
    for _ in 0..2 {
        w.tcp(Side::Client, 110, 502, ACK, b"");
    }
    assert_eq!((w.text(Side::Client).as_str(), w.text(Side::Server).as_str()), ("one two .", "."));
    let notes = w.finish();
    assert_eq!((w.opens(), w.closes()), (1, vec![Close::Fin]));
    assert!(notes.0.is_empty(), "{notes:?}");
}

#[test]
fn partial_overlap_is_trimmed() {
    let mut w = Wire::opened();
    w.says(0, b"abcd");
    w.says(2, b"cdef");
    w.says(8, b"ij");
    w.says(5, b"fghijkl");
    assert_eq!(w.text(Side::Client), "abcdefghijkl");
    assert!(w.finish().0.is_empty());
}

#[test]
fn a_resegmented_retransmission_covers_several_pieces() {
    let mut w = Wire::opened();
    w.says(2, b"c");
    w.says(6, b"g");
    w.says(4, b"e");
    w.says(0, b"abcdefgh");
    assert_eq!(w.text(Side::Client), "abcdefgh");
    assert!(w.finish().0.is_empty());
}

#[test]
fn overlap_that_differs_is_noted_and_the_first_copy_wins() {
    let mut w = Wire::opened();
    w.says(4, b"good");
    w.says(4, b"evil");
    w.says(0, b"all ");
    assert_eq!(w.text(Side::Client), "all good");
    assert_eq!(count(&w.finish(), "tcp-overlap-differs"), 1);
}

#[test]
fn a_filler_does_not_overwrite_what_waits() {
    let mut w = Wire::opened();
    w.says(4, b"good");
    w.says(0, b"all evil!");
    assert_eq!(w.text(Side::Client), "all good!");
    assert_eq!(count(&w.finish(), "tcp-overlap-differs"), 1);
}

#[test]
fn a_retransmission_that_differs_from_delivered_bytes_is_noted() {
    let mut w = Wire::opened();
    w.says(0, b"the message");
    w.says(0, b"the massage");
    w.says(4, b"message and");
    assert_eq!(w.text(Side::Client), "the message and");
    assert_eq!(count(&w.finish(), "tcp-overlap-differs"), 1);
}

#[test]
fn tiny_segments_in_reverse() {
    let mut w = Wire::opened();
    let text: Vec<u8> = (0..200).map(|i| b'a' + i % 26).collect();
    for (i, byte) in text.iter().enumerate().rev() {
        w.says(i as u32, &[*byte]);
    }
    assert_eq!(w.text(Side::Client).into_bytes(), text);
    assert!(w.finish().0.is_empty());
}

#[test]
fn the_sequence_number_wraps() {
    let mut w = Wire::new();
    w.handshake(u32::MAX - 3, u32::MAX);
    let at = |n: u32| (u32::MAX - 2).wrapping_add(n);
    w.tcp(Side::Client, at(0), 0, ACK, b"ab");
    w.tcp(Side::Client, at(4), 0, ACK, b"ef");
    w.tcp(Side::Client, at(2), 0, ACK, b"cd");
    w.tcp(Side::Server, 0, at(6), ACK, b"xy");
    assert_eq!((w.text(Side::Client).as_str(), w.text(Side::Server).as_str()), ("abcdef", "xy"));
}

#[test]
fn data_in_the_syn_is_delivered() {
    let mut w = Wire::new();
    w.tcp(Side::Client, 100, 0, SYN, b"early");
    w.tcp(Side::Server, 500, 106, SYN | ACK, b"");
    w.tcp(Side::Client, 106, 501, ACK, b" late");
    assert_eq!((w.text(Side::Client).as_str(), w.opens()), ("early late", 1));
}

#[test]
fn bytes_before_the_start_are_dropped_and_noted() {
    let mut w = Wire::opened();
    w.tcp(Side::Client, 97, 501, ACK, b"zzzzab");
    assert_eq!(w.text(Side::Client), "ab");
    assert_eq!(count(&w.finish(), "tcp-before-start"), 1);
}

#[test]
fn keep_alive_probes_say_nothing() {
    let mut w = Wire::opened();
    w.tcp(Side::Client, 100, 501, ACK, b"\0");
    w.says(0, b"hello");
    w.tcp(Side::Client, 105, 501, ACK, b"\0");
    w.tcp(Side::Client, 105, 501, ACK, b"");
    w.says(5, b" there");
    assert_eq!(w.text(Side::Client), "hello there");
    assert!(w.finish().0.is_empty());
}

#[test]
fn zero_window_probes_are_the_next_byte() {
    let mut w = Wire::opened();
    w.says(0, b"full");
    w.says(4, b"m");
    w.says(4, b"m");
    w.says(4, b"more");
    assert_eq!(w.text(Side::Client), "fullmore");
    assert!(w.finish().0.is_empty());
}

#[test]
fn segments_swapped_at_a_midstream_start_are_kept() {
    let mut w = Wire::new();
    w.says(2, b"cd");
    w.says(0, b"ab");
    w.says(4, b"ef");
    assert_eq!(w.text(Side::Client), "abcdef");
    assert!(w.finish().0.is_empty());
}

#[test]
fn a_midstream_start_settles_when_the_other_side_speaks() {
    let mut w = Wire::new();
    w.says(0, b"question");
    w.tcp(Side::Server, 501, 109, ACK, b"answer");
    w.tcp(Side::Client, 109, 507, ACK, b"");
    let order: Vec<_> = w.seen.events.iter().filter(|e| matches!(e, Event::Data(..))).cloned().collect();
    let expected = [
        Event::Data(Side::Client, b"question".to_vec(), 1),
        Event::Data(Side::Server, b"answer".to_vec(), 2),
    ];
    assert_eq!(order, expected);
}

#[test]
fn a_single_midstream_packet_is_delivered_at_the_end() {
    let mut w = Wire::new();
    w.says(0, b"alone");
    w.finish();
    assert_eq!(w.text(Side::Client), "alone");
    assert_eq!(w.closes(), [Close::EndOfCapture]);
}

#[test]
fn a_late_syn_joins_the_flow_it_opened() {
    let mut w = Wire::new();
    w.says(0, b"ab");
    w.tcp(Side::Client, 100, 0, SYN, b"");
    w.says(2, b"cd");
    w.finish();
    assert_eq!((w.text(Side::Client).as_str(), w.opens()), ("abcd", 1));
}

#[test]
fn a_syn_ack_places_a_client_whose_syn_was_not_seen() {
    let mut w = Wire::new();
    w.tcp(Side::Server, 500, 101, SYN | ACK, b"");
    w.says(3, b"def");
    w.says(0, b"abc");
    assert_eq!(w.text(Side::Client), "abcdef");
    assert_eq!(w.finish().0.len(), 0);
    assert_eq!(w.seen.closed[0].key.server, w.server);
}

#[test]
fn a_response_is_not_held_back_for_a_request_that_is_late_in_the_file() {
    let mut w = Wire::opened();
    w.tcp(Side::Server, 501, 104, ACK, b"yes");
    w.says(0, b"ok?");
    assert_eq!((w.text(Side::Client).as_str(), w.text(Side::Server).as_str()), ("ok?", "yes"));
    assert!(matches!(w.seen.events[1], Event::Data(Side::Server, ..)));
}
