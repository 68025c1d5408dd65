//! Two made recordings compared.

use super::*;
use crate::evidence::{Content, Kind};
use crate::model::{Origin, Side, digest16};

/// Bytes that look random and are the same every time.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(next).collect()
}

/// A message that was sent at this second.
pub fn parcel(seconds: i64, bytes: Vec<u8>) -> Parcel {
    let origin = Origin {
        flow: "tcp".into(),
        length: bytes.len() as u64,
        digest: digest16(&bytes),
        ..Origin::at(Timestamp::new(seconds, 0))
    };
    let content = Content::Envelope("P".into());
    let conversation = ConversationKey { endpoint: "a:1".into(), path: "tls".into(), content };
    Parcel { origin, conversation, scope: seconds as u64, size: bytes.len() as u64, bytes }
}

fn at_other(p: &Parcel, late: i64, bytes: Vec<u8>) -> Parcel {
    let mut p = p.clone();
    p.origin = Origin {
        side: Side::Server,
        time: Timestamp(p.origin.time.0 + late),
        digest: digest16(&bytes),
        ..p.origin
    };
    p.size = bytes.len() as u64;
    p.bytes = bytes;
    p
}

fn recording(parcels: Vec<Parcel>) -> Recording {
    Recording { parcels, identities: Vec::new(), span: Some((Timestamp(0), Timestamp::new(1000, 0))) }
}

fn sent() -> Vec<Parcel> {
    [3i64, 4, 9, 17, 18, 40]
        .iter()
        .enumerate()
        .map(|(i, s)| parcel(*s, noise(i as u64, 100 + 30 * i)))
        .collect()
}

fn outcome(c: &Comparison, vantage: Vantage, way: Way) -> Relayed {
    let of = |(v, _, e): &(Vantage, ConversationKey, Evidence)| match &e.kind {
        Kind::Relay(r) if *v == vantage && r.way == way => Some(Relayed::clone(r)),
        _ => None,
    };
    c.evidence.iter().find_map(of).expect("evidence")
}

const LATE: i64 = 2_030_000_000;

#[test]
fn the_same_bytes_come_through() {
    let sent = sent();
    let arrived: Vec<Parcel> = sent.iter().map(|p| at_other(p, LATE, p.bytes.clone())).collect();
    let c = compare(&recording(sent), &recording(arrived));
    let out = outcome(&c, Vantage::Sender, Way::Sent);
    assert_eq!((out.outcome, out.messages, out.same, out.missing()), (Outcome::Unchanged, 6, 6, 0));
    let came = outcome(&c, Vantage::Receiver, Way::Received);
    assert_eq!((came.same, came.missing(), came.growth), (6, 0, Some(0)));
    assert_eq!(c.clock.map(|c| (c.ahead, c.by)), Some((LATE, Fit::OneWay)));
}

#[test]
fn other_bytes_at_the_same_times_with_like_sizes_were_sealed_again() {
    let sent = sent();
    let other = |(i, p): (usize, &Parcel)| at_other(p, LATE, noise(70 + i as u64, p.bytes.len() + 16));
    let arrived: Vec<Parcel> = sent.iter().enumerate().map(other).collect();
    let c = compare(&recording(sent.clone()), &recording(arrived));
    assert_eq!(outcome(&c, Vantage::Sender, Way::Sent).outcome, Outcome::Changed);
    assert_eq!(outcome(&c, Vantage::Receiver, Way::Received).outcome, Outcome::Changed);
    // Unrelated traffic shows nothing.
    let stray = |(i, p): (usize, &Parcel)| {
        at_other(p, (i as i64 * i as i64 % 5) * 3_000_000_000, noise(70 + i as u64, 64))
    };
    let arrived: Vec<Parcel> = sent.iter().enumerate().map(stray).collect();
    let c = compare(&recording(sent), &recording(arrived));
    assert_eq!(outcome(&c, Vantage::Sender, Way::Sent).outcome, Outcome::Unclear);
}

#[test]
fn one_ciphertext_for_each_device_is_one_message_and_no_re_encryption() {
    let mut sent = sent();
    let more: Vec<Parcel> = sent
        .iter()
        .map(|p| Parcel {
            bytes: noise(900 + p.scope, p.bytes.len()),
            origin: Origin { digest: format!("d{}", p.scope), ..p.origin.clone() },
            ..p.clone()
        })
        .collect();
    let arrived: Vec<Parcel> = sent.iter().map(|p| at_other(p, LATE, p.bytes.clone())).collect();
    sent.extend(more);
    sent.sort();
    let c = compare(&recording(sent), &recording(arrived));
    let out = outcome(&c, Vantage::Sender, Way::Sent);
    assert_eq!((out.messages, out.same, out.fanned, out.missing()), (6, 6, 6, 0));
}
