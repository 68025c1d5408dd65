//! Media in clear, sealed and unknown; noise is not taken for it.

use crate::model::Side;
use crate::peel::{Exchange, Recorder, Surroundings, Tree, Unit};

fn noise(seed: u64) -> impl FnMut() -> u8 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
    }
}

fn peel(unit: Unit, turns: &[(Side, Vec<u8>)], around: &mut Surroundings<'_>) -> Vec<String> {
    record(unit, turns, around).lines
}

fn record(unit: Unit, turns: &[(Side, Vec<u8>)], around: &mut Surroundings<'_>) -> Recorder {
    around.record(Tree::new(unit), turns)
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

/// Hosts that told each other nothing yet.
fn strangers() -> Surroundings<'static> {
    Surroundings::new(&crate::layers::REGISTRY, 4000)
}

/// Hosts whose ends described a call so.
fn described(line: &str) -> Surroundings<'static> {
    let text = format!("v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nm=audio 4000 RTP/AVP 0 96\r\n{line}\r\n");
    let invite = format!(
        "INVITE sip:b@b.example SIP/2.0\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    let mut around = strangers();
    peel(Unit::Datagram, &[(Side::Client, invite.into_bytes())], &mut around);
    around
}

#[test]
fn voice_in_the_clear_is_told_by_its_payloads() {
    let turns = Exchange::read(include_str!("../../../../tests/exchanges/rtp.txt")).turns;
    let lines = peel(Unit::Datagram, &turns, &mut strangers());
    assert!(has(&lines, "rtp.codec=PCMU/8000"), "{lines:#?}");
    assert!(has(&lines, "rtp.protection=none"));
}

#[test]
fn what_may_be_ciphertext_is_called_so_only_where_the_ends_said_it() {
    let turns = sealed(0, 40);
    let protection = |around: &mut Surroundings<'_>| {
        let lines = peel(Unit::Datagram, &turns, around);
        let line = lines.iter().find_map(|l| l.split_once("rtp.protection="));
        line.map(|(_, p)| p.to_owned()).unwrap_or_default()
    };
    assert_eq!(protection(&mut strangers()), "unknown");
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

/// Text in SRTP, made with another implementation: the sequence number turns for the fourth time on the way.
const TYPED: [&str; 9] = [
    "8062fffd00000000cafebabee17f81dbe70755254c97cbca968e",
    "8062fffe0000012ccafebabea52700bf6b08b3c010ab54c72248",
    "8062ffff00000258cafebabea66e0265e89125d2ef9f49e791",
    "8062000000000384cafebabe80b179ba87bcc3766cc89a781fe4",
    "80620001000004b0cafebabe6880725b54ab6c0bed9c025fa0",
    "80620002000005dccafebabedef1cd2766cf70144d72c8774f959169e6",
    "8062000300000708cafebabe96f0d5b5e96e9679a368ebc839",
    "8062000400000834cafebabe1b1a78e8dd91725b2ece9e5069",
    "8062000500000960cafebabe4ea4bf0bb11058b738310c6f14",
];
/// A receiver's report with a canonical name, under the same keys.
const REPORT: &str = "81c90007cafebabe0cf0636864b66fe6796a5cc73e81ba5ae466bca60318cdd109a21f7c1beee6f7722c4df5762b7649d700fac7cea6ed0b80000007c168e42f347967fbdaf9";
const KEY: &str = "4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvm";

fn call(key: &str, packets: &[&str]) -> Recorder {
    let crypto = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31\r\na=rtpmap:98 t140/1000");
    let datagram = |p: &&str| (Side::Client, crate::bytes::unhex(p).unwrap());
    let turns: Vec<_> = packets.iter().map(datagram).collect();
    record(Unit::Datagram, &turns, &mut described(&crypto))
}

fn leaf(sink: &Recorder, text: &str) -> bool {
    let digest = crate::model::digest16(text.as_bytes());
    sink.lines.iter().any(|l| l.contains("Text Client Clear") && l.ends_with(&digest))
}

#[test]
fn media_opens_with_the_key_in_its_signalling_and_text_in_it_is_read() {
    let sink = call(KEY, &TYPED);
    // The first two packets came before it was clear that this is media.
    assert!(leaf(&sink, "at the old bridge") && leaf(&sink, "at six"), "{:#?}", sink.lines);
    assert!(has(&sink.lines, "rtp.protection=SRTP keyed by SDES"));
    assert!(has(&sink.lines, "call.media=opened, SDES, t140/1000"), "{:#?}", sink.lines);
    // Those who weigh who saw the key still get packets to try it on.
    assert!(has(&sink.lines, "leaf rtp >media"));
}

#[test]
fn media_stays_closed_under_another_key() {
    let sink = call(&KEY.replace('4', "5"), &TYPED);
    assert!(!leaf(&sink, "at the old bridge"), "{:#?}", sink.lines);
    assert!(has(&sink.lines, "call.media=srtp, SDES, t140/1000"));
}

#[test]
fn a_damaged_packet_of_an_open_stream_is_said() {
    let mut packets = TYPED;
    let damaged = TYPED[5].replace("de", "df");
    packets[5] = &damaged;
    let sink = call(KEY, &packets);
    assert!(has(&sink.lines, "note rtp srtp-bad-tag") && !leaf(&sink, "at the old bridge"));
}

#[test]
fn control_packets_open_with_the_key_of_the_media() {
    let sink = call(KEY, &[REPORT]);
    assert!(has(&sink.lines, "rtcp.opened=SDES") && leaf(&sink, "ann@b.example"), "{:#?}", sink.lines);
    let sink = call(&KEY.replace('4', "5"), &[REPORT]);
    assert!(has(&sink.lines, "rtcp.sealed=true") && !leaf(&sink, "ann@b.example"));
}

#[test]
fn packets_that_come_twice_or_in_another_order_are_media_still() {
    let once = sealed(96, 40);
    let twice: Vec<_> = once.iter().flat_map(|turn| [turn.clone(), turn.clone()]).collect();
    let swapped: Vec<_> = once.chunks(2).flat_map(|pair| pair.iter().rev().cloned()).collect();
    for turns in [twice, swapped] {
        let lines = peel(Unit::Datagram, &turns, &mut strangers());
        assert!(has(&lines, "layer rtp"), "{lines:#?}");
    }
    let same: Vec<_> = std::iter::repeat_n(once[0].clone(), 40).collect();
    assert!(!has(&peel(Unit::Datagram, &same, &mut strangers()), "layer rtp"));
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
        let lines = peel(Unit::Datagram, &turns, &mut strangers());
        assert!(!has(&lines, "layer rtp") && !has(&lines, "layer rtcp"), "{lines:#?}");
    }
}
