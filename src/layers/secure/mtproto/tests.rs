//! MTProto over its transports, opened and closed.

use super::crypto::tests::seal;
use super::framing::Transport;
use super::obfuscated::tests::obfuscate;
use crate::keys::{AUTH_KEY, KeyStore, auth_key_id};
use crate::layers::REGISTRY;
use crate::model::Side;
use crate::peel::{Exchange, Recorder, Surroundings, Tree, Unit};

const BRIDGE: &str = "see you at the old bridge";
const FOLDER: &str = "bring the blue folder";
const KEY: [u8; AUTH_KEY] = [0x4d; AUTH_KEY];

/// How the recorder shows a text: its length and digest.
fn shown(lines: &str, text: &str) -> bool {
    lines.contains(&format!("Clear {} {}", text.len(), crate::model::digest16(text.as_bytes())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn with_key() -> KeyStore {
    let mut keys = KeyStore::default();
    let line = format!("MTPROTO_AUTH_KEY {} {}", hex(&auth_key_id(&KEY)), hex(&KEY));
    assert_eq!(keys.add_keylog(line.as_bytes(), "test").secrets, 1);
    keys
}

fn run(unit: Unit, keys: &KeyStore, turns: &[(Side, Vec<u8>)]) -> Recorder {
    Surroundings { keys, ..Surroundings::new(&REGISTRY, 443) }.record(Tree::new(unit), turns)
}

/// `messages.sendMessage` to oneself, in a container, under a layer.
fn request(text: &str) -> Vec<u8> {
    let mut inner = Vec::new();
    for word in [0xda9b_0d0du32, 228, 0xfef4_8f62, 0, 0x7da0_7ec9] {
        inner.extend(word.to_le_bytes());
    }
    inner.push(text.len() as u8);
    inner.extend(text.as_bytes());
    inner.resize(inner.len().next_multiple_of(4), 0);
    inner.extend([8; 8]);
    let mut body = [0x73f1_f8dcu32, 1, 1, 1, 1, inner.len() as u32].map(u32::to_le_bytes).concat();
    body.extend(inner);
    body
}

fn framed(transport: Transport, number: u32, packet: &[u8]) -> Vec<u8> {
    match transport {
        Transport::Abridged if packet.len() < 0x7f * 4 => [&[(packet.len() / 4) as u8], packet].concat(),
        Transport::Abridged => {
            let words = ((packet.len() / 4) as u32).to_le_bytes();
            [&[0x7f, words[0], words[1], words[2]], packet].concat()
        }
        Transport::Intermediate => [&(packet.len() as u32).to_le_bytes(), packet].concat(),
        Transport::Padded => [&(packet.len() as u32 + 7).to_le_bytes(), packet, &[0xa7; 7]].concat(),
        Transport::Full => {
            let mut frame = (packet.len() as u32 + 12).to_le_bytes().to_vec();
            frame.extend(number.to_le_bytes());
            frame.extend(packet);
            let mut crc = flate2::Crc::new();
            crc.update(&frame);
            frame.extend(crc.sum().to_le_bytes());
            frame
        }
    }
}

const ALL: [Transport; 4] =
    [Transport::Abridged, Transport::Intermediate, Transport::Padded, Transport::Full];

fn client(transport: Transport) -> Vec<u8> {
    let mut bytes = transport.magic().to_vec();
    for (number, text) in [BRIDGE, FOLDER].iter().enumerate() {
        let packet = seal(&KEY, Side::Client, &request(text));
        bytes.extend(framed(transport, number as u32, &packet));
    }
    bytes
}

#[test]
fn every_transport_is_opened_with_its_key() {
    for transport in ALL {
        let reply = framed(transport, 0, &seal(&KEY, Side::Server, &[0xc5, 0x73, 0x77, 0x34]));
        let turns = [(Side::Client, client(transport)), (Side::Server, reply)];
        let lines = run(Unit::Stream, &with_key(), &turns).lines.join("\n");
        assert!(shown(&lines, BRIDGE), "{transport:?}\n{lines}");
        assert!(shown(&lines, FOLDER), "{transport:?}\n{lines}");
        assert!(lines.contains("mtproto/telegram"), "{transport:?}\n{lines}");
    }
}

#[test]
fn without_its_key_everything_stays_sealed_and_names_the_key() {
    for transport in ALL {
        let reply = framed(transport, 0, &seal(&KEY, Side::Server, &[0; 8]));
        let sink = run(
            Unit::Stream,
            &KeyStore::default(),
            &[(Side::Client, client(transport)), (Side::Server, reply)],
        );
        let lines = sink.lines.join("\n");
        assert!(lines.contains(&hex(&auth_key_id(&KEY))), "{transport:?}\n{lines}");
        assert!(!shown(&lines, BRIDGE) && lines.contains("NoKey"), "{transport:?}\n{lines}");
    }
}

#[test]
fn a_damaged_packet_is_refused_and_the_next_one_is_read() {
    let mut bytes = client(Transport::Intermediate);
    bytes[4 + 4 + 40] ^= 1;
    let lines = run(Unit::Stream, &with_key(), &[(Side::Client, bytes)]).lines.join("\n");
    assert!(lines.contains("mtproto-message-key-wrong") && lines.contains("BadTag"), "{lines}");
    assert!(!shown(&lines, BRIDGE) && shown(&lines, FOLDER), "{lines}");
}

#[test]
fn obfuscation_is_undone_without_any_key_and_opened_with_one() {
    for (tag, transport) in [(0xef, ALL[0]), (0xee, ALL[1]), (0xdd, ALL[2])] {
        let framed = client(transport).split_off(transport.magic().len());
        let wire = obfuscate(tag, &framed, None);
        let closed =
            run(Unit::Stream, &KeyStore::default(), &[(Side::Client, wire.clone())]).lines.join("\n");
        assert!(closed.contains(&hex(&auth_key_id(&KEY))), "{closed}");
        let open = run(Unit::Stream, &with_key(), &[(Side::Client, wire)]).lines.join("\n");
        assert!(open.contains("mtproto-obfuscated/mtproto/telegram"), "{open}");
        assert!(shown(&open, FOLDER), "{open}");
    }
}

/// TDLib's own bytes, through a proxy of others (`tests/exchanges/`).
#[test]
fn a_real_client_behind_the_look_of_tls_is_known_with_the_secret_alone() {
    let said = Exchange::read(include_str!("../../../../tests/exchanges/mtproxy-tls-tdlib.txt"));
    let (keys, turns) = (said.keys(), said.turns);
    let lines = run(Unit::Stream, &keys, &turns).lines.join("\n");
    for part in [
        "mtproxy.sni=www.example.org",
        "mtproto.obfuscation=with a proxy's secret",
        "mtproto.transport=padded intermediate",
        "mtproto.exchange=req_pq_multi",
        "mtproto.exchange=resPQ",
        "mtproto.exchange=req_DH_params",
    ] {
        assert!(lines.contains(part), "{part}\n{lines}");
    }
    assert!(!lines.contains("note") && !lines.contains("Sealed"), "{lines}");
    let mut other = KeyStore::default();
    other.add_keylog(b"MTPROXY_SECRET ee10112233445566778899aabbccddeeff", "test");
    for keys in [other, KeyStore::default()] {
        let lines = run(Unit::Stream, &keys, &turns).lines.join("\n");
        assert!(lines.contains("layer tls") && !lines.contains("mtpro"), "{lines}");
    }
}

#[test]
fn random_bytes_and_other_protocols_are_not_taken() {
    let mut seed = 0x1234_5678_9abc_def1u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed.to_le_bytes()[0]
    };
    let starts: [&[u8]; 6] =
        [&[], &[0xef], &[0xee; 4], &[0xdd; 4], &[0xef, 0xbb, 0xbf], &[0x40, 0, 0, 0, 0, 0, 0, 0]];
    for round in 0..400 {
        for start in starts {
            let mut bytes = start.to_vec();
            bytes.extend((0..300 + round).map(|_| random()));
            let lines = run(Unit::Stream, &with_key(), &[(Side::Client, bytes)]).lines.join("\n");
            // Four bytes of a name and a length that fits are worth a guess and no more.
            assert!(!lines.contains("mtproto") || start.len() == 4 && !lines.contains("Proven"), "{lines}");
        }
    }
}
