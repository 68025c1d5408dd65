//! Noise sessions that an independent implementation made (`tests/exchanges/`), opened and closed.

use crate::keys::KeyStore;
use crate::layers::REGISTRY;
use crate::model::{Side, digest16};
use crate::peel::{Exchange, Surroundings, Tree};

/// Runs an exchange; `bend` may change its keys and turns.
fn run(name: &str, bend: impl FnOnce(&mut Vec<String>, &mut Vec<(Side, Vec<u8>)>)) -> String {
    let file = format!("{}/tests/exchanges/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).expect(&file);
    let mut said = Exchange::read(&text);
    let mut lines: Vec<String> = said.keylog.lines().map(str::to_owned).collect();
    bend(&mut lines, &mut said.turns);
    let mut keys = KeyStore::default();
    keys.add_keylog(lines.join("\n").as_bytes(), "test");
    let mut around = Surroundings { keys: &keys, ..Surroundings::new(&REGISTRY, said.server_port) };
    around.record(Tree::new(said.unit), &said.turns).lines.join("\n")
}

fn shown(lines: &str, text: &str) -> bool {
    lines.contains(&format!("Clear {} {}", text.len(), digest16(text.as_bytes())))
}

const BRIDGE: &str = "see you at the old bridge at noon";
const FOLDER: &str = "bring the blue folder with you";
const MARKET: &str = "the market opens at eight tomorrow";

#[test]
fn keys_of_either_end_or_of_the_transport_open_every_message() {
    for name in ["noise-xx-private", "noise-ik-private", "noise-xk-responder", "noise-xk-transport"] {
        let lines = run(name, |_, _| {});
        assert!(shown(&lines, BRIDGE) && shown(&lines, FOLDER), "{name}\n{lines}");
        assert!(lines.contains("noise/json Proven Confidential"), "{name}\n{lines}");
        assert!(!lines.contains("Sealed"), "{name}\n{lines}");
    }
}

#[test]
fn patterns_with_a_pre_shared_key_open_with_it_and_not_without() {
    for (name, pattern) in [
        ("noise-ikpsk1-private", "IKpsk1"),
        ("noise-ikpsk2-private", "IKpsk2"),
        ("noise-xxpsk3-responder", "XXpsk3"),
        ("noise-nnpsk0-private", "NNpsk0"),
        ("noise-nnpsk0-responder", "NNpsk0"),
        ("noise-kkpsk2-responder", "KKpsk2"),
    ] {
        let lines = run(name, |_, _| {});
        assert!(shown(&lines, BRIDGE) && shown(&lines, FOLDER), "{name}\n{lines}");
        assert!(lines.contains(&format!("noise.pattern={pattern}")), "{name}\n{lines}");
        assert!(!lines.contains("Sealed"), "{name}\n{lines}");
        let lines = run(name, |keys, _| keys.retain(|k| !k.starts_with("NOISE_PSK")));
        assert!(!shown(&lines, BRIDGE) && lines.contains("Sealed"), "{name}\n{lines}");
        let lines = run(name, |keys, _| {
            let psk = keys.iter_mut().find(|k| k.starts_with("NOISE_PSK")).unwrap();
            let last = if psk.ends_with('0') { "1" } else { "0" };
            psk.replace_range(psk.len() - 1.., last);
        });
        assert!(!shown(&lines, BRIDGE) && lines.contains("Sealed"), "{name}\n{lines}");
    }
}

#[test]
fn without_a_key_bare_noise_is_a_guess_and_claims_no_protection() {
    let lines = run("noise-xx-closed", |_, _| {});
    assert!(lines.contains("layer noise Guessed Open"), "{lines}");
    assert!(lines.contains("Opaque") && !lines.contains("Sealed"), "{lines}");
}

#[test]
fn wrong_keys_are_refused_by_the_tags() {
    let lines = run("noise-xx-private", |keys, _| {
        let bent = keys[0].rfind(' ').unwrap() + 1;
        let digit = if &keys[0][bent + 4..bent + 5] == "0" { "1" } else { "0" };
        keys[0].replace_range(bent + 4..bent + 5, digit);
    });
    assert!(!shown(&lines, BRIDGE) && lines.contains("Sealed"), "{lines}");
    let lines = run("noise-xk-transport", |_, turns| {
        let last = turns[3].1.len() - 1;
        turns[3].1[last] ^= 1;
    });
    assert!(!shown(&lines, BRIDGE) && !shown(&lines, FOLDER) && lines.contains("BadTag"), "{lines}");
}

#[test]
fn whatsapp_stanzas_show_ciphertext_and_channel_texts() {
    for name in ["noise-wa-private", "noise-wa-transport"] {
        let lines = run(name, |_, _| {});
        assert!(shown(&lines, MARKET), "{name}\n{lines}");
        assert!(lines.contains("signal-message"), "{name}\n{lines}");
        assert!(lines.contains("noise-wa/whatsapp-xml"), "{name}\n{lines}");
    }
    let lines = run("noise-wa-closed", |_, _| {});
    assert!(lines.contains("noise-wa") && lines.contains("Sealed(Transport, NoKey)"), "{lines}");
    assert!(!lines.contains("signal"), "{lines}");
}

#[test]
fn random_bytes_are_not_noise() {
    let mut seed = 0x9876_5432_1234_5671u64;
    let mut random = |n: usize| -> Vec<u8> {
        (0..n)
            .map(|_| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                seed.to_le_bytes()[0]
            })
            .collect()
    };
    for round in 0..300 {
        for start in [&b""[..], b"WA", b"WA\x06\x03", b"ED\0\x01", &[0, 32]] {
            let client = [start, &random(40 + round)].concat();
            let server = random(200);
            let lines = run("noise-xx-closed", |_, turns| {
                *turns = vec![(Side::Client, client), (Side::Server, server)];
            });
            assert!(!lines.contains("noise"), "{start:?}\n{lines}");
        }
    }
}
