//! Recorded TLS sessions of every family of suites and key exchanges (`tests/sessions/`, made by the script
//! there): each must give up its text with the keys that its file names, keep it without them, and say the
//! same however the bytes are cut.

use plainsight::bytes::unhex;
use plainsight::keys::{KeyFault, KeyStore};
use plainsight::layers::REGISTRY;
use plainsight::model::{Side, digest16};
use plainsight::peel::{Surroundings, Tree, Unit};
use std::path::{Path, PathBuf};

#[derive(Default)]
struct Session {
    keys: KeyStore,
    flows: Vec<Vec<(Side, Vec<u8>)>>,
    /// The leaf that must come out, by length and digest.
    want: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions")
}

fn read(path: &Path) -> Session {
    let mut session = Session::default();
    for line in std::fs::read_to_string(path).unwrap().lines().filter(|l| !l.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let side = if word == ">" { Side::Client } else { Side::Server };
        match word {
            "k" => assert!(session.keys.add_keylog(rest.as_bytes(), "").malformed.is_empty()),
            "rsa" => {
                let pem = std::fs::read(folder().join(rest)).unwrap();
                assert_eq!(session.keys.add_rsa(&pem, None), Ok(1));
            }
            "psk" => assert!(session.keys.add_psk(rest)),
            "flow" => session.flows.push(Vec::new()),
            "want" => session.want = format!(" Clear {} {}", rest.len(), digest16(rest.as_bytes())),
            ">" | "<" => session.flows.last_mut().unwrap().push((side, unhex(rest).unwrap())),
            _ => panic!("{}: {line}", path.display()),
        }
    }
    session
}

/// What each flow comes to, with one memory for all, as between the same two hosts.
fn peel(session: &Session, keys: &KeyStore, chunk: usize) -> Vec<Vec<String>> {
    let mut around = Surroundings { keys, ..Surroundings::new(&REGISTRY, 443) };
    let mut one = |turns: &Vec<(Side, Vec<u8>)>| {
        let pieces: Vec<_> =
            turns.iter().flat_map(|(s, bytes)| bytes.chunks(chunk).map(|b| (*s, b))).collect();
        around.record(Tree::new(Unit::Stream), &pieces).lines
    };
    session.flows.iter().map(&mut one).collect()
}

fn sessions() -> Vec<(String, Session)> {
    let mut files: Vec<_> = std::fs::read_dir(folder()).unwrap().flatten().map(|e| e.path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "txt"));
    files.sort();
    files.iter().map(|p| (p.file_stem().unwrap().to_string_lossy().into_owned(), read(p))).collect()
}

#[test]
fn every_session_gives_up_its_text_with_its_keys() {
    let all = sessions();
    assert!(all.len() >= 40, "only {} sessions", all.len());
    let mut wrong = Vec::new();
    for (name, session) in &all {
        for (number, lines) in peel(session, &session.keys, usize::MAX).iter().enumerate() {
            let text = lines.join("\n");
            let resumed = name.starts_with("resumed") && number == 1;
            let sealed = ["BadTag", "NoKey", "Unsupported"].iter().any(|w| text.contains(w));
            if !text.contains(&session.want) || sealed || resumed != text.contains("tls.resumed=true") {
                wrong.push(format!("== {name}, flow {number}\n{text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn without_keys_they_stay_sealed_unless_nothing_was_encrypted() {
    for (name, session) in sessions() {
        let text = peel(&session, &KeyStore::default(), usize::MAX).concat().join("\n");
        assert_eq!(text.contains(&session.want), name.contains("-null-"), "{name}\n{text}");
    }
}

#[test]
fn cutting_changes_nothing() {
    for (name, session) in sessions() {
        let whole = peel(&session, &session.keys, usize::MAX);
        assert!(whole == peel(&session, &session.keys, 11), "{name}");
    }
}

#[test]
fn other_private_keys_and_other_pre_shared_keys_open_nothing() {
    let mut other = KeyStore::default();
    assert!(other.add_psk("ffeeddccbbaa"));
    for (name, session) in sessions() {
        let text = peel(&session, &other, usize::MAX).concat().join("\n");
        assert_eq!(text.contains(&session.want), name.contains("-null-"), "{name}\n{text}");
    }
}

#[test]
fn the_source_of_the_secret_is_told() {
    for (name, source) in [
        ("rsa-aes128-gcm", "RSA private key"),
        ("psk-aes128-gcm", "pre-shared key"),
        ("tls13-psk-ke", "pre-shared key"),
        ("resumed-id", "earlier session"),
        ("ecdhe-aes128-gcm", "key log"),
        ("ecdhe-null-sha", "not needed"),
    ] {
        let session = read(&folder().join(format!("{name}.txt")));
        let text = peel(&session, &session.keys, usize::MAX).pop().unwrap().join("\n");
        assert!(text.contains(&format!("tls.secret={source}")), "{name}\n{text}");
    }
}

#[test]
fn key_files_that_are_of_no_use_say_why() {
    let fault = |data: &[u8], password| KeyStore::default().add_rsa(data, password).unwrap_err();
    assert_eq!(fault(b"hello", None), KeyFault::Unknown);
    assert_eq!(fault(b"", None), KeyFault::Unknown);
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    assert_eq!(fault(old.as_bytes(), None), KeyFault::OldPem);
    for (file, want) in [("ec.pem", KeyFault::NotRsa), ("certificate.pem", KeyFault::Public)] {
        assert_eq!(fault(&std::fs::read(folder().join("keys").join(file)).unwrap(), None), want, "{file}");
    }
    for file in ["pkcs8-encrypted.pem", "pkcs8-encrypted.der", "modern.p12", "old.p12"] {
        let data = std::fs::read(folder().join("keys").join(file)).unwrap();
        assert_eq!(fault(&data, None), KeyFault::Encrypted, "{file}");
        assert_eq!(fault(&data, Some("wrong")), KeyFault::Password, "{file}");
        assert_eq!(KeyStore::default().add_rsa(&data, Some("open sesame")), Ok(1), "{file}");
    }
    for file in ["pkcs1.pem", "pkcs1.der", "pkcs8.der", "pkcs12-without-password.p12"] {
        let data = std::fs::read(folder().join("keys").join(file)).unwrap();
        assert_eq!(KeyStore::default().add_rsa(&data, None), Ok(1), "{file}");
    }
}

/// One segment a turn, each flow from a port of its own.
fn capture(flows: &[Vec<(Side, Vec<u8>)>], file: &Path) {
    use plainsight::capture::{LinkType, PcapngWriter};
    let mut bytes = Vec::new();
    let mut writer = PcapngWriter::new(&mut bytes, "test").unwrap();
    let interface = writer.interface(LinkType(101), 0, "test").unwrap();
    let mut second = 0;
    for (number, turns) in flows.iter().enumerate() {
        let mut seq = [1u32, 1u32];
        for (side, payload) in turns {
            let client = *side == Side::Client;
            let (a, b) = ([10, 0, 0, 1], [10, 0, 0, 2]);
            let (ports, at) = ([50_000 + number as u16, 443], usize::from(!client));
            let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0];
            packet.extend(if client { [a, b].concat() } else { [b, a].concat() });
            packet.extend(ports[at].to_be_bytes());
            packet.extend(ports[1 - at].to_be_bytes());
            packet.extend(seq[at].to_be_bytes());
            packet.extend(seq[1 - at].to_be_bytes());
            packet.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
            packet.extend(payload);
            let len = (packet.len() as u16).to_be_bytes();
            packet[2..4].copy_from_slice(&len);
            seq[at] += payload.len() as u32;
            second += 1;
            let time = plainsight::model::Timestamp::new(second, 0);
            writer.frame(interface, time, &packet, packet.len() as u32).unwrap();
        }
    }
    drop(writer);
    std::fs::write(file, bytes).unwrap();
}

/// Bytes that an audit of these flows opens.
fn opened(flows: &[Vec<(Side, Vec<u8>)>], keys: &KeyStore, threads: usize) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.pcapng");
    capture(flows, &file);
    let plan = plainsight::audit::Plan {
        captures: vec![file],
        keys: std::sync::Arc::new(keys.clone()),
        threads,
        ..plainsight::audit::Plan::default()
    };
    plainsight::audit::run(&plan, &|_| {}).unwrap().keys.opened
}

#[test]
fn an_audit_opens_resumed_sessions_with_any_number_of_threads() {
    for name in ["resumed-ticket", "resumed-id", "resumed-tls10-id", "resumed-rsa-key"] {
        let session = read(&folder().join(format!("{name}.txt")));
        let first = opened(&session.flows[..1], &session.keys, 1);
        let both = opened(&session.flows, &session.keys, 1);
        assert!(first > 0 && both > first, "{name}: {first} of the first, {both} of both");
        assert_eq!(opened(&session.flows, &session.keys, 3), both, "{name}");
        assert_eq!(opened(&session.flows[1..], &session.keys, 1), 0, "{name} by itself");
    }
}
