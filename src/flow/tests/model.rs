//! Random streams against the plainest model: a string of bytes, some of them lost.

use super::*;
use proptest::prelude::*;

/// One segment of the stream: start and length.
type Span = (usize, usize);

/// A stream cut into touching spans, then disturbed: some longer, so that they overlap, some twice, and
/// moved a few places.
fn disturbed() -> impl Strategy<Value = (Vec<u8>, Vec<Span>, u32)> {
    (1usize..3000, any::<u64>(), prop_oneof![Just(u32::MAX), Just(u32::MAX - 700), any::<u32>()]).prop_map(
        |(len, seed, isn)| {
            let mut dice = Dice(seed | 1);
            let stream: Vec<u8> = (0..len).map(|_| dice.below(256) as u8).collect();
            let mut spans: Vec<(usize, Span)> = Vec::new();
            let mut at = 0;
            while at < len {
                let size = (1 + dice.below(90)).min(len - at);
                for _ in 0..1 + usize::from(dice.below(5) == 0) {
                    let back = dice.below(40).min(at);
                    let ahead = dice.below(40).min(len - at - size);
                    let place = spans.len() + dice.below(12);
                    spans.push((place, (at - back, size + back + ahead)));
                }
                at += size;
            }
            spans.sort_by_key(|(place, _)| *place);
            (stream, spans.into_iter().map(|(_, span)| span).collect(), isn)
        },
    )
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// Bytes delivered, with `None` for those in gaps.
fn delivered(w: &Wire, side: Side) -> Vec<Option<u8>> {
    let mut all = Vec::new();
    for event in &w.seen.events {
        match event {
            Event::Data(s, bytes, _) if *s == side => all.extend(bytes.iter().copied().map(Some)),
            Event::Gap(s, len) if *s == side => all.extend(std::iter::repeat_n(None, *len as usize)),
            _ => {}
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_lost_is_delivered_whole((stream, spans, isn) in disturbed(), acked in any::<bool>()) {
        let mut w = Wire::new();
        w.handshake(isn, 500);
        let first = isn.wrapping_add(1);
        let mut whole = 0;
        for (start, len) in spans {
            w.tcp(Side::Client, first.wrapping_add(start as u32), 501, ACK, &stream[start..start + len]);
            if acked {
                whole = delivered(&w, Side::Client).len();
                w.tcp(Side::Server, 501, first.wrapping_add(whole as u32), ACK, b"");
            }
        }
        let expected: Vec<_> = stream.iter().copied().map(Some).collect();
        prop_assert_eq!(delivered(&w, Side::Client), expected);
        prop_assert!(!acked || whole == stream.len());
        let notes = w.finish();
        prop_assert!(notes.0.is_empty(), "{:?}", notes);
    }

    #[test]
    fn with_losses_every_byte_is_data_or_gap_at_its_place(
        (stream, spans, isn) in disturbed(),
        seed in any::<u64>(),
        snapped in any::<bool>(),
        acks in 0usize..4,
        bound in prop_oneof![Just(1usize << 20), 300usize..4000],
    ) {
        let mut w = Wire::with(&Limits { reorder_flow: bound, ..Limits::default() });
        w.handshake(isn, 500);
        let first = isn.wrapping_add(1);
        let mut dice = Dice(seed | 1);
        let mut highest = 0;
        let mut known = vec![false; stream.len()];
        for (start, len) in spans {
            highest = highest.max(start + len);
            if dice.below(4) > 0 {
                // Some are cut short by the snap length.
                let kept = if snapped && dice.below(4) == 0 { dice.below(len + 1) } else { len };
                known[start..start + kept].fill(true);
                let payload = &stream[start..start + kept];
                w.cut(Side::Client, first.wrapping_add(start as u32), 501, ACK, payload, (len - kept) as u32);
            }
            prop_assert!(w.table.held() <= bound);
            if dice.below(4) < acks {
                w.tcp(Side::Server, 501, first.wrapping_add(highest as u32), ACK, b"");
            }
        }
        w.tcp(Side::Client, first.wrapping_add(stream.len() as u32), 501, FIN | ACK, b"");
        let notes = w.finish();
        let got = delivered(&w, Side::Client);
        prop_assert_eq!(got.len(), stream.len());
        for (i, byte) in got.iter().enumerate() {
            prop_assert!(byte.is_none_or(|byte| byte == stream[i] && known[i]), "at {}", i);
        }
        // Nothing that agreed with the stream is reported as differing.
        prop_assert_eq!(count(&notes, "tcp-overlap-differs"), 0);
        // Where no hole may be given up early, nothing that was captured is lost.
        if acks == 0 && bound == 1 << 20 && !snapped {
            prop_assert!(got.iter().zip(&known).all(|(byte, known)| byte.is_some() == *known));
        }
        prop_assert_eq!(w.seen.events.contains(&Event::End(Side::Client)), true);
    }

    #[test]
    fn any_segments_at_all_keep_the_bounds(
        segments in proptest::collection::vec(
            (any::<bool>(), 0u8..32, prop_oneof![0u32..200, any::<u32>()], prop_oneof![0u32..200, any::<u32>()],
             0usize..40, prop_oneof![4 => Just(0u32), 1 => 0u32..99], 0u16..3, -30i64..60),
            0..300,
        ),
    ) {
        let limits = Limits {
            reorder_flow: 700, reorder_total: 1000, flows: 2, tcp_idle: 50.0, ..Limits::default()
        };
        let mut w = Wire::with(&limits);
        let base = w.client.port;
        for (client, flags, seq, ack, len, missing, port, seconds) in segments {
            w.client.port = base + port;
            w.now += seconds * 1_000_000_000;
            let side = if client { Side::Client } else { Side::Server };
            w.cut(side, seq, ack, TcpFlags::from_byte(flags), &[7; 40][..len], missing);
            prop_assert!(w.table.held() <= limits.reorder_total);
            prop_assert!(w.table.flows() <= limits.flows);
        }
        w.finish();
        prop_assert_eq!(w.opens(), w.seen.closed.len());
        let sum = |f: fn(&Event) -> u64| w.seen.events.iter().map(f).sum::<u64>();
        let data = sum(|e| if let Event::Data(_, b, _) = e { b.len() as u64 } else { 0 });
        let gaps = sum(|e| if let Event::Gap(_, len) = e { *len } else { 0 });
        let totals = |f: fn(&Info) -> u64| w.seen.closed.iter().map(f).sum::<u64>();
        prop_assert_eq!(data, totals(|i| i.delivered.client + i.delivered.server));
        prop_assert_eq!(gaps, totals(|i| i.lost.client + i.lost.server));
        prop_assert!(data <= totals(|i| i.bytes.client + i.bytes.server));
    }
}
