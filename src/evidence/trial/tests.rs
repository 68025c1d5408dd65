//! Vectors of other implementations, and what must open nothing.

use super::*;
use crate::evidence::Content;
use crate::model::Timestamp;
use ring::aead::{self, LessSafeKey, Nonce, UnboundKey};

fn field(bytes: Vec<u8>, nearby: Vec<Vec<u8>>) -> Field {
    let conversation =
        ConversationKey { endpoint: String::new(), path: String::new(), content: Content::Opaque };
    Field {
        origin: Origin::at(Timestamp(0)),
        conversation,
        guard: Guard::Confidential,
        format: None,
        named: Named::Nothing,
        bytes,
        nearby,
        nonce: None,
        rounds: None,
    }
}

pub fn candidate(secret: Secret) -> Candidate {
    Candidate {
        origin: Origin::at(Timestamp(0)),
        endpoint: String::new(),
        stood: Stood::Alone,
        guard: Guard::Confidential,
        secret,
    }
}

fn sealed(key: &[u8; 32], nonce: [u8; 12], text: &[u8]) -> Vec<u8> {
    let sealer = LessSafeKey::new(UnboundKey::new(&aead::AES_256_GCM, key).unwrap());
    let mut body = text.to_vec();
    sealer
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aead::Aad::empty(), &mut body)
        .unwrap();
    body
}

fn key() -> [u8; 32] {
    std::array::from_fn(|i| (i * 37 + 11) as u8)
}

#[test]
fn a_key_in_sight_opens_what_it_sealed_and_nothing_else() {
    let (key, nonce) = (key(), *b"twelve bytes");
    let body = sealed(&key, nonce, b"see you at noon");
    let (text, tag) = body.split_at(body.len() - 16);
    let fields = [
        field([nonce.as_slice(), &body].concat(), vec![]),
        field(body.clone(), vec![nonce.to_vec()]),
        field([&[1u8], nonce.as_slice(), &body].concat(), vec![]),
        field([nonce.as_slice(), tag, text].concat(), vec![]),
        field([body.as_slice(), &nonce].concat(), vec![]),
        field(text.to_vec(), vec![nonce.to_vec(), tag.to_vec()]),
        field(vec![0x5a; 60], vec![]),
    ];
    let candidates = [candidate(Secret::Key(key.to_vec()))];
    let (opened, untried) = try_all(&candidates, &fields, WORK);
    assert_eq!(opened.iter().map(|o| o.field).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert!(opened.iter().all(|o| o.plain.bytes == b"see you at noon" && o.plain.authentic));
    assert!(untried.is_empty());
    let (_, untried) = try_all(&candidates, &fields, 1);
    let all: Vec<&Field> = fields.iter().filter(|f| is_ciphertext(f)).collect();
    assert_eq!(untried, all, "what the bound left untried is told");
    let link = [candidate(Secret::Key([nonce.as_slice(), &key].concat()))];
    assert_eq!(try_all(&link, &[field(body, vec![])], WORK).0.len(), 1);
}

/// Digits of a hexadecimal text, for vectors.
fn hex(text: &str) -> Vec<u8> {
    let digit = |b: u8| (b as char).to_digit(16).unwrap() as u8;
    let text: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    text.chunks(2).map(|p| digit(p[0]) << 4 | digit(p[1])).collect()
}

fn only(secret: Secret, field: Field) -> Plain {
    let (mut opened, _) = try_all(&[candidate(secret)], &[field], WORK);
    opened.pop().expect("opened").plain
}

#[test]
fn every_cipher_opens_a_vector_of_another_implementation() {
    for line in include_str!("vectors.txt").lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        let [name, key, nearby, bytes] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let nearby: Vec<Vec<u8>> = nearby.split(',').filter(|n| *n != "-").map(hex).collect();
        let plain = only(Secret::Key(hex(key)), field(hex(bytes), nearby));
        assert_eq!(plain.bytes, b"we meet at noon under the old bridge", "{name}");
        assert!(plain.how.to_lowercase().starts_with(&name.to_lowercase()), "{name}: {}", plain.how);
    }
}

#[test]
fn envelopes_open_with_their_secrets() {
    for line in include_str!("envelopes.txt").lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        let [format, kind, secret, bytes] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let secret = match kind {
            "key" => Secret::Key(hex(secret)),
            "password" => Secret::Password(secret.to_owned()),
            material => Secret::Material { format: material.to_owned(), bytes: hex(secret) },
        };
        let envelope = Field { format: Some(format.to_owned()), ..field(hex(bytes), vec![]) };
        let plain = only(secret, envelope);
        let text = String::from_utf8_lossy(&plain.bytes).into_owned();
        assert!(text.contains("we meet at noon under the old bridge"), "{format}: {text}");
        assert!(plain.authentic && reads(&plain.bytes).is_some(), "{format}");
    }
}

#[test]
fn a_password_that_is_too_costly_to_stretch_leaves_its_envelope_untried() {
    let lines = include_str!("envelopes.txt").lines().filter(|l| l.starts_with("openpgp-message password"));
    let bytes = lines.filter_map(|l| l.split_whitespace().nth(3)).map(hex);
    let sealed = |b: Vec<u8>| Field { format: Some("openpgp-message".into()), ..field(b, vec![]) };
    let fields: Vec<Field> = bytes.map(sealed).collect();
    let password = [candidate(Secret::Password("swordfish".into()))];
    // Enough for every other trial: what is missing is the work for stretching alone.
    let (opened, untried) = try_all(&password, &fields, 60_000);
    assert!(fields.len() > 2 && opened.len() + untried.len() == fields.len() && !untried.is_empty());
    assert!(try_all(&password, &fields, WORK).1.is_empty());
}

#[test]
fn a_password_opens_what_was_made_of_it() {
    let digest = ring::digest::digest(&ring::digest::SHA256, b"swordfish");
    let key: [u8; 32] = digest.as_ref().try_into().unwrap();
    let nonce = *b"another once";
    let body = [nonce.as_slice(), &sealed(&key, nonce, b"under the bridge")].concat();
    assert_eq!(only(Secret::Password("swordfish".into()), field(body, vec![])).bytes, b"under the bridge");
    let (salt, rounds) = (b"salt and more".to_vec(), 1000);
    let mut key = [0u8; 32];
    let algorithm = ring::pbkdf2::PBKDF2_HMAC_SHA256;
    ring::pbkdf2::derive(
        algorithm,
        std::num::NonZeroU32::new(rounds).unwrap(),
        &salt,
        b"swordfish",
        &mut key,
    );
    let body = [nonce.as_slice(), &sealed(&key, nonce, b"under the bridge")].concat();
    let beside = Field { rounds: Some(rounds), ..field(body.clone(), vec![salt]) };
    assert_eq!(only(Secret::Password("swordfish".into()), beside).bytes, b"under the bridge");
    let alone = field(body, vec![]);
    assert!(try_all(&[candidate(Secret::Password("swordfish".into()))], &[alone], WORK).0.is_empty());
}

/// Modes without a tag must not be fooled by chance: no random key opens any random field.
#[test]
fn chance_opens_nothing() {
    let candidates: Vec<Candidate> = (0..64).map(|i| candidate(Secret::Key(noise(i, 32)))).collect();
    let fields: Vec<Field> = (0..64)
        .map(|i| {
            field(noise(1000 + i, 32 + 16 * (i as usize % 8)), vec![noise(2000 + i, 16), noise(3000 + i, 12)])
        })
        .collect();
    assert!(try_all(&candidates, &fields, WORK).0.is_empty());
}

#[test]
fn a_private_key_is_known_by_its_public_key() {
    // RFC 7748 section 6.1.
    let private = hex("77076d0a7318a57d3c16c17251b26645 5d1e8e2c8a4a5f1b0c0a2f2f2f2f2f2f");
    let scalar: [u8; 32] = private.as_slice().try_into().unwrap();
    let public = x25519_dalek::x25519(scalar, x25519_dalek::X25519_BASEPOINT_BYTES);
    let bundle = field([&[5u8][..], &public].concat(), vec![]);
    let seen = private_keys(&[candidate(Secret::Key(private))], &[bundle, field(vec![9; 33], vec![])]);
    assert_eq!(seen.len(), 1);
    assert!(
        private_keys(&[candidate(Secret::Key(key().to_vec()))], &[field(vec![9; 33], vec![])]).is_empty()
    );
}

fn noise(seed: u32, n: usize) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    (0u32..).flat_map(|i| Sha256::digest([seed.to_be_bytes(), i.to_be_bytes()].concat())).take(n).collect()
}

/// Three hundred values that are called nothing and three hundred that are called something else stand
/// before it, and the work does not suffice for all of them.
#[test]
fn a_key_behind_three_hundred_decoys_is_found_where_it_is_called_one() {
    let nonce = *b"twelve bytes";
    let message = |n: u8| [nonce.as_slice(), &sealed(&key(), nonce, &[n; 200])].concat();
    let fields: Vec<Field> = (0..40).map(|n| field(message(n), vec![])).collect();
    let decoy = |n: u32, stood| Candidate { stood, ..candidate(Secret::Key(noise(n, 32))) };
    let called = Candidate { stood: Stood::Called, ..candidate(Secret::Key(key().to_vec())) };
    let mut candidates: Vec<Candidate> = (0..300).map(|n| decoy(n, Stood::Alone)).collect();
    candidates.extend((300..600).map(|n| decoy(n, Stood::Misnamed)));
    candidates.push(called);
    let (opened, untried) = try_all(&candidates, &fields, WORK / 16);
    assert_eq!((opened.len(), untried.len()), (fields.len(), 0));
    // Called nothing, it is found as well where the work suffices, and told as untried where it does not.
    candidates[600].stood = Stood::Alone;
    let (opened, untried) = try_all(&candidates, &fields, WORK);
    assert_eq!((opened.len(), untried.len()), (fields.len(), 0));
    let (opened, untried) = try_all(&candidates, &fields, WORK / 1000);
    assert_eq!((opened.len(), untried.len()), (0, fields.len()));
}

#[test]
fn fields_that_the_work_left_untried_are_told_whatever_the_keys_are_called() {
    let fields: Vec<Field> = (0..40).map(|n| field(noise(900 + n, 200), vec![])).collect();
    let decoy = |n| Candidate { stood: Stood::Misnamed, ..candidate(Secret::Key(noise(n, 32))) };
    let decoys: Vec<Candidate> = (0..100).map(decoy).collect();
    assert_eq!(try_all(&decoys, &fields, 1).1.len(), fields.len());
    // Enough for some of the fields, and enough for all.
    let some = try_all(&decoys, &fields, WORK / 4).1.len();
    assert!((1..fields.len()).contains(&some), "{some} fields");
    assert!(try_all(&decoys, &fields, WORK).1.is_empty());
}

#[test]
fn the_sighting_that_says_most_counts() {
    let nonce = *b"twelve bytes";
    let body = [nonce.as_slice(), &sealed(&key(), nonce, b"see you at noon")].concat();
    let mut field = field(body, vec![]);
    field.conversation.endpoint = "chat.a.example:443".into();
    field.guard = Guard::Open;
    let seen = |endpoint: &str, guard| Candidate {
        endpoint: endpoint.into(),
        guard,
        ..candidate(Secret::Key(key().to_vec()))
    };
    let candidates = [
        seen("b.example:443", Guard::Confidential),
        seen("keys.a.example:443", Guard::Confidential),
        seen("b.example:80", Guard::Open),
    ];
    let best = |all: &[Candidate]| try_all(all, std::slice::from_ref(&field), WORK).0[0].candidate;
    assert_eq!((best(&candidates), best(&candidates[..2])), (2, 1));
}
