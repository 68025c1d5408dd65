//! QUIC connections that go on from another port (`tests/migrations/`): the later flow is taken for what it
//! is, opens with the same secrets, and stays closed without them. A file is made by aioquic's client and
//! server, key log lines (`k`) and the datagrams of each `flow` (`>` and `<`).

use plainsight::bytes::unhex;
use plainsight::keys::KeyStore;
use plainsight::layers::REGISTRY;
use plainsight::model::{Side, digest16};
use plainsight::peel::{Surroundings, Tree, Unit};
use std::path::Path;

struct Moved {
    name: String,
    keys: KeyStore,
    flows: Vec<Vec<(Side, Vec<u8>)>>,
}

fn recordings() -> Vec<Moved> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/migrations");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().map(|e| e.path()).collect();
    files.sort();
    files.iter().map(|p| read(p)).collect()
}

fn read(path: &Path) -> Moved {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut moved = Moved { name, keys: KeyStore::default(), flows: Vec::new() };
    for line in std::fs::read_to_string(path).unwrap().lines().filter(|l| !l.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let side = if word == ">" { Side::Client } else { Side::Server };
        match word {
            "k" => assert!(moved.keys.add_keylog(rest.as_bytes(), "").malformed.is_empty()),
            "flow" => moved.flows.push(Vec::new()),
            ">" | "<" => moved.flows.last_mut().unwrap().push((side, unhex(rest).unwrap())),
            _ => panic!("{}: {line}", path.display()),
        }
    }
    moved
}

/// What each flow comes to, with one memory for all, as between the same two hosts.
fn peel(flows: &[Vec<(Side, Vec<u8>)>], keys: &KeyStore) -> Vec<String> {
    let mut around = Surroundings { keys, ..Surroundings::new(&REGISTRY, 443) };
    let mut one = |turns: &Vec<_>| around.record(Tree::new(Unit::Datagram), turns).lines.join("\n");
    flows.iter().map(&mut one).collect()
}

fn leaf(text: &str) -> String {
    format!(" Clear {} {}", text.len(), digest16(text.as_bytes()))
}

#[test]
fn the_later_flow_opens_with_the_secrets_of_the_first() {
    for moved in recordings() {
        let seen = peel(&moved.flows, &moved.keys);
        let (first, later) = (&seen[0], &seen[1]);
        assert!(!first.contains("quic.migrated"), "{}\n{first}", moved.name);
        for text in ["after the move: bring the red umbrella", "it was noted after the move"] {
            assert!(later.contains(&leaf(text)), "{}: {text}\n{later}", moved.name);
        }
        for fact in ["quic.migrated=true", "quic.sni=chat.example.test", "quic.opened=true", "TLS_AES"] {
            assert!(later.contains(fact), "{}: {fact}\n{later}", moved.name);
        }
        assert!(!later.contains("bad-tag") && !later.contains("Sealed"), "{}\n{later}", moved.name);
    }
}

/// The id that it had tells where it went on; a fresh one was given in what stays closed, so that nobody can
/// follow.
#[test]
fn without_secrets_it_is_known_by_an_old_id_and_closed() {
    for moved in recordings() {
        let later = &peel(&moved.flows, &KeyStore::default())[1];
        let known = later.contains("quic.migrated=true") && later.contains("Sealed(Transport, NoKey)");
        assert_eq!(known, moved.name == "rebinding", "{}\n{later}", moved.name);
        assert!(!later.contains("Clear"), "{later}");
    }
}

#[test]
fn alone_it_is_nobodys() {
    for moved in recordings() {
        let alone = &peel(&moved.flows[1..], &moved.keys)[0];
        assert!(!alone.contains("quic."), "{alone}");
    }
}
