//! DTLS against exchanges of our own: opened whole, and under loss, doubling, disorder and wrong keys.

use crate::keys::KeyStore;
use crate::model::Side;
use crate::peel::{Exchange, Surroundings, Tree, Unit};

fn psk() -> Exchange {
    Exchange::read(include_str!("../../../../../tests/exchanges/dtls12-psk.txt"))
}

fn newest() -> Exchange {
    Exchange::read(include_str!("../../../../../tests/exchanges/dtls13.txt"))
}

fn peel(turns: &[(Side, Vec<u8>)], keys: &str) -> Vec<String> {
    let mut store = KeyStore::default();
    store.add_keylog(keys.as_bytes(), "");
    let mut around = Surroundings { keys: &store, ..Surroundings::new(&crate::layers::REGISTRY, 4433) };
    around.record(Tree::new(Unit::Datagram), turns).lines
}

fn count(lines: &[String], what: &str) -> usize {
    lines.iter().filter(|l| l.contains(what)).count()
}

const TEXTS: [&str; 2] = ["leaf dtls/json", "Confidential"];

#[test]
fn the_texts_come_out_with_keys_and_stay_sealed_without() {
    let e = psk();
    let lines = peel(&e.turns, &e.keylog);
    assert!(TEXTS.iter().all(|t| count(&lines, t) > 0), "{lines:#?}");
    assert_eq!(count(&lines, "leaf dtls/json >$.text"), 3, "{lines:#?}");
    assert_eq!(count(&lines, "tls.version=DTLS 1.2"), 1);
    assert_eq!(count(&lines, "Sealed"), 0);
    let closed = peel(&e.turns, "");
    assert_eq!(count(&closed, "Sealed(Transport, NoKey)"), 2, "{closed:#?}");
    assert_eq!(count(&closed, "json"), 0);
}

#[test]
fn dtls_13_opens_with_masked_numbers_and_its_own_labels() {
    let e = newest();
    let lines = peel(&e.turns, &e.keylog);
    assert_eq!(count(&lines, "tls.version=DTLS 1.3"), 1, "{lines:#?}");
    assert_eq!(count(&lines, "leaf dtls/"), 0, "the texts are no structure: {lines:#?}");
    assert_eq!(count(&lines, "Clear 14 "), 1, "hello wolfssl! has fourteen bytes: {lines:#?}");
    assert_eq!(count(&lines, "Clear 22 "), 1, "and the answer twenty-two: {lines:#?}");
    assert_eq!(count(&lines, "dtls-bad-tag"), 0);
    assert!(count(&peel(&e.turns, ""), "Sealed(Transport, NoKey)") > 0);
}

#[test]
fn secrets_of_one_side_open_that_side_only() {
    let e = newest();
    let half: String =
        e.keylog.lines().filter(|l| l.starts_with("CLIENT")).map(|l| format!("{l}\n")).collect();
    let lines = peel(&e.turns, &half);
    assert_eq!((count(&lines, "Clear 14 "), count(&lines, "Clear 22 ")), (1, 0), "{lines:#?}");
    assert_eq!(count(&lines, "Server Sealed(Transport, NoKey)"), 1, "{lines:#?}");
}

#[test]
fn wrong_secrets_are_told_from_missing_ones() {
    for e in [psk(), newest()] {
        let wrong: String = e
            .keylog
            .lines()
            .filter_map(|l| l.rsplit_once(' '))
            .map(|(head, secret)| format!("{head} {}\n", "5a".repeat(secret.len() / 2)))
            .collect();
        let lines = peel(&e.turns, &wrong);
        assert_eq!(count(&lines, "Sealed(Transport, BadTag)"), 2, "{lines:#?}");
        assert_eq!(count(&lines, "Confidential"), 0);
    }
}

#[test]
fn doubled_and_swapped_datagrams_change_nothing_that_is_said() {
    for e in [psk(), newest()] {
        let facts = |lines: &[String]| -> Vec<String> {
            let mut all: Vec<_> = lines.iter().filter(|l| l.contains("fact dtls tls.")).cloned().collect();
            all.sort();
            all.dedup();
            all
        };
        let plain = facts(&peel(&e.turns, &e.keylog));
        let doubled: Vec<_> = e.turns.iter().flat_map(|t| [t.clone(), t.clone()]).collect();
        assert_eq!(facts(&peel(&doubled, &e.keylog)), plain);
        for at in 0..e.turns.len() - 1 {
            if e.turns[at].0 == e.turns[at + 1].0 {
                let mut swapped = e.turns.clone();
                swapped.swap(at, at + 1);
                assert_eq!(facts(&peel(&swapped, &e.keylog)), plain, "{at}");
            }
        }
    }
}

#[test]
fn a_session_from_the_same_port_again_is_another() {
    let (one, two) = (psk(), Exchange::read(include_str!("../../../../../tests/exchanges/dtls12-ecdsa.txt")));
    let turns = [one.turns, two.turns].concat();
    let lines = peel(&turns, &(one.keylog + &two.keylog));
    assert_eq!(count(&lines, "leaf dtls/json >$.text"), 6, "{lines:#?}");
    assert_eq!(count(&lines, "tls.suite="), 2);
}

#[test]
fn either_side_of_the_flow_may_be_the_client() {
    let e = psk();
    let turned: Vec<_> = e.turns.iter().map(|(s, b)| (s.other(), b.clone())).collect();
    let lines = peel(&turned, &e.keylog);
    assert_eq!(count(&lines, "leaf dtls/json >$.text"), 3, "{lines:#?}");
}

#[test]
fn noise_is_not_taken() {
    let mut x = 0x1234_5678_9abc_def1u64;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    };
    for first in [20u8, 22, 23, 25, 0x2c, 0x3f] {
        for _ in 0..2000 {
            let mut datagram: Vec<u8> = (0..next() % 200 + 1).map(|_| (next() >> 32) as u8).collect();
            datagram[0] = first;
            let lines = peel(&[(Side::Client, datagram)], "");
            assert_eq!(count(&lines, "layer dtls"), 0);
        }
    }
}
