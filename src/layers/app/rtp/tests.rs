//! Media in clear, sealed and unknown; noise is not taken for it.

use crate::keys::KeyStore;
use crate::model::{Arrival, Limits, Side};
use crate::peel::{Env, Memory, Recorder, Tree, Unit};

fn noise(seed: u64) -> impl FnMut() -> u8 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
    }
}

fn peel(unit: Unit, turns: &[(Side, Vec<u8>)], memory: &mut Memory) -> Vec<String> {
    let (limits, mut sink, keys) = (Limits::default(), Recorder::default(), KeyStore::default());
    let mut tree = Tree::new(unit);
    let mut env = Env {
        registry: &crate::layers::REGISTRY,
        limits: &limits,
        keys: &keys,
        memory,
        sink: &mut sink,
        server_port: 4000,
        at: Arrival::default(),
    };
    turns.iter().for_each(|(side, bytes)| tree.feed(&mut env, *side, bytes));
    tree.finish(&mut env);
    assert!(sink.root.balances());
    sink.lines
}

fn has(lines: &[String], what: &str) -> bool {
    lines.iter().any(|l| l.contains(what))
}

/// Packets of one source with payloads of noise.
fn sealed(kind: u8, count: u16) -> Vec<(Side, Vec<u8>)> {
    let mut next = noise(7);
    let packet = |n: u16| {
        let mut bytes = vec![0x80, kind];
        bytes.extend(n.to_be_bytes());
        bytes.extend((u32::from(n) * 160).to_be_bytes());
        bytes.extend([1, 2, 3, 4]);
        bytes.extend((0..170).map(|_| next()));
        (Side::Client, bytes)
    };
    (1000..1000 + count).map(packet).collect()
}

fn described(line: &str) -> Memory {
    let text = format!("v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nm=audio 4000 RTP/AVP 0 96\r\n{line}\r\n");
    let invite = format!(
        "INVITE sip:b@b.example SIP/2.0\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    let mut memory = Memory::default();
    peel(Unit::Datagram, &[(Side::Client, invite.into_bytes())], &mut memory);
    memory
}

#[test]
fn voice_in_the_clear_is_told_by_its_payloads() {
    let text = include_str!("../../../../tests/exchanges/rtp.txt");
    let turns: Vec<_> = text
        .lines()
        .filter_map(|l| l.split_once(' '))
        .filter_map(|(word, hex)| {
            let side = match word {
                ">" => Side::Client,
                "<" => Side::Server,
                _ => return None,
            };
            let byte = |i: usize| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok();
            Some((side, (0..hex.len() / 2).map_while(byte).collect::<Vec<u8>>()))
        })
        .collect();
    let lines = peel(Unit::Datagram, &turns, &mut Memory::default());
    assert!(has(&lines, "rtp.codec=PCMU/8000"), "{lines:#?}");
    assert!(has(&lines, "rtp.protection=none"));
}

#[test]
fn what_may_be_ciphertext_is_called_so_only_where_the_ends_said_it() {
    let turns = sealed(0, 40);
    let protection = |memory: &mut Memory| {
        let lines = peel(Unit::Datagram, &turns, memory);
        let line = lines.iter().find_map(|l| l.split_once("rtp.protection="));
        line.map(|(_, p)| p.to_owned()).unwrap_or_default()
    };
    assert_eq!(protection(&mut Memory::default()), "unknown");
    assert_eq!(
        protection(&mut described("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AA")),
        "SRTP keyed by SDES"
    );
    assert_eq!(protection(&mut described("a=fingerprint:sha-256 AA")), "SRTP keyed by DTLS");
    assert_eq!(protection(&mut described("a=rtpmap:0 PCMU/8000")), "unknown", "PCM would show itself");
    assert_eq!(protection(&mut described("a=rtpmap:0 G729/8000")), "none", "the ends agreed on none");
    let lines = peel(Unit::Datagram, &sealed(96, 40), &mut described("a=rtpmap:96 opus/48000/2"));
    assert!(has(&lines, "rtp.codec=opus/48000/2"), "{lines:#?}");
}

#[test]
fn noise_is_taken_for_neither_media_nor_reports() {
    for seed in 0..40 {
        let mut next = noise(seed + 1);
        let turns: Vec<_> = (0..60)
            .map(|_| {
                let len = usize::from(next()) + 1;
                let mut bytes: Vec<u8> = (0..len).map(|_| next()).collect();
                bytes[0] = 0x80 | bytes[0] & 0x1f;
                if let Some(kind) = bytes.get_mut(1).filter(|_| seed % 2 == 0) {
                    *kind = 200;
                }
                (Side::Client, bytes)
            })
            .collect();
        let lines = peel(Unit::Datagram, &turns, &mut Memory::default());
        assert!(!has(&lines, "layer rtp") && !has(&lines, "layer rtcp"), "{lines:#?}");
    }
}
