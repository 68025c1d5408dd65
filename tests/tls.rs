//! What a TLS session yields when it is damaged, cut or given the wrong keys.

use plainsight::keys::KeyStore;
use plainsight::layers::REGISTRY;
use plainsight::model::Side;
use plainsight::peel::{Exchange, Recorder, Surroundings, Tree, Unit};

const SESSION: &str = include_str!("exchanges/tls13-key-update.txt");

/// Bytes of one side, or how many of them are lost.
enum Turn {
    Bytes(Side, Vec<u8>),
    Lost(Side, u64),
}

fn turns() -> Vec<(Side, Vec<u8>)> {
    Exchange::read(SESSION).turns
}

fn keylog() -> String {
    Exchange::read(SESSION).keylog
}

fn peel(turns: Vec<Turn>, keylog: &str) -> String {
    let mut keys = KeyStore::default();
    keys.add_keylog(keylog.as_bytes(), "test");
    let mut around = Surroundings { keys: &keys, ..Surroundings::new(&REGISTRY, 443) };
    let (mut sink, mut tree) = (Recorder::default(), Tree::new(Unit::Stream));
    let mut env = around.env(&mut sink);
    for turn in turns {
        match turn {
            Turn::Bytes(side, bytes) => tree.feed(&mut env, side, &bytes),
            Turn::Lost(side, len) => tree.gap(&mut env, side, len),
        }
    }
    tree.finish(&mut env);
    assert!(sink.root.balances());
    sink.lines.join("\n")
}

fn whole() -> Vec<Turn> {
    turns().into_iter().map(|(s, b)| Turn::Bytes(s, b)).collect()
}

fn leaves(text: &str) -> usize {
    text.lines().filter(|l| l.starts_with("leaf tls/")).count()
}

#[test]
fn the_key_log_opens_the_session_through_its_key_updates() {
    let text = peel(whole(), &keylog());
    assert!(text.contains("tls.opened=true") && text.contains("tls.key_update=true"), "{text}");
    assert!(!text.contains("Sealed") && leaves(&text) > 3, "{text}");
}

#[test]
fn other_keys_leave_it_sealed_for_want_of_a_key() {
    let other = format!("CLIENT_TRAFFIC_SECRET_0 {} {}", "11".repeat(32), "22".repeat(48));
    let text = peel(whole(), &other);
    assert!(text.contains("Sealed(Transport, NoKey)") && text.contains("tls.opened=false"), "{text}");
    assert_eq!(leaves(&text), 0, "{text}");
}

#[test]
fn secrets_of_one_side_open_that_side_alone() {
    for (kept, left_out) in [(Side::Client, Side::Server), (Side::Server, Side::Client)] {
        let missing = format!("{left_out:?}_TRAFFIC").to_ascii_uppercase();
        let half: Vec<String> =
            keylog().lines().filter(|l| !l.starts_with(&missing)).map(str::to_owned).collect();
        let text = peel(whole(), &half.join("\n"));
        assert!(text.contains(&format!("{left_out:?} Sealed(Transport, NoKey)")), "{text}");
        let opened: Vec<&str> = text.lines().filter(|l| l.starts_with("leaf tls/")).collect();
        assert!(!opened.is_empty() && opened.iter().all(|l| l.contains(&format!(" {kept:?} "))), "{text}");
    }
}

/// The last turns of the client, from before the end: application data under the last keys.
fn client_data() -> usize {
    let turns = turns();
    let sent: Vec<usize> = (0..turns.len())
        .filter(|i| turns[*i].0 == Side::Client && turns[*i].1.first() == Some(&23))
        .collect();
    sent[sent.len() / 2]
}

#[test]
fn one_damaged_record_does_not_end_the_session() {
    let all = leaves(&peel(whole(), &keylog()));
    let mut turns = whole();
    if let Turn::Bytes(_, bytes) = &mut turns[client_data()] {
        bytes[9] ^= 1;
    }
    let text = peel(turns, &keylog());
    assert!(text.contains("tls-bad-tag") && text.contains("Sealed(Transport, BadTag)"), "{text}");
    assert!(leaves(&text) * 2 >= all, "{} of {all}\n{text}", leaves(&text));
}

#[test]
fn a_lost_segment_does_not_end_the_session() {
    let all = leaves(&peel(whole(), &keylog()));
    let mut turns = whole();
    let at = client_data();
    if let Turn::Bytes(side, bytes) = &turns[at] {
        turns[at] = Turn::Lost(*side, bytes.len() as u64);
    }
    let text = peel(turns, &keylog());
    assert!(text.contains("tls-lost-record") && text.contains("tls-resynchronised"), "{text}");
    assert!(leaves(&text) * 2 >= all, "{} of {all}\n{text}", leaves(&text));
}

#[test]
fn a_session_without_its_handshake_is_opened() {
    let turns = whole();
    let from = turns
        .iter()
        .position(|t| matches!(t, Turn::Bytes(Side::Client, b) if b.first() == Some(&23)))
        .unwrap();
    let text = peel(turns.into_iter().skip(from).collect(), &keylog());
    assert!(text.contains("tls.opened=true") && leaves(&text) > 0, "{text}");
}
