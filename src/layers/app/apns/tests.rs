//! Push messages of our own making, plain and packed, down to the envelope inside.

use crate::bytes::unhex;
use crate::layers::REGISTRY;
use crate::model::Side;
use crate::peel::{Surroundings, Tree, Unit};

fn sample(name: &str) -> Vec<u8> {
    let text = include_str!("../../../../tests/messengers/apns.txt");
    let hex = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' ')).expect(name);
    unhex(hex).expect(name)
}

fn run(unit: Unit, bytes: &[u8]) -> String {
    Surroundings::new(&REGISTRY, 5223).record(Tree::new(unit), &[(Side::Client, bytes)]).lines.join("\n")
}

#[test]
fn plain_messages_reach_the_envelope() {
    for (name, claimed) in [
        ("imsg.apns.pair-ec", true),
        ("imsg.apns.inbound", true),
        // Its signature is noise, not DER: called `pair`, it is not taken for one.
        ("imsg.apns.pair", false),
    ] {
        let lines = run(Unit::Stream, &sample(name));
        assert!(lines.contains("layer apns Proven"), "{name}\n{lines}");
        assert_eq!(lines.contains("imessage-pair"), claimed, "{name}\n{lines}");
    }
}

#[test]
fn packed_messages_reach_the_envelope_with_their_tables() {
    let stream = sample("imsg.apns.pack1");
    let payloads = super::pack::tests::payloads(&stream).expect("both messages");
    assert_eq!(payloads.len(), 2);
    let lines = payloads.iter().map(|p| run(Unit::Message, p)).collect::<Vec<_>>();
    assert!(lines[0].contains("imessage-pair-ec"), "{}", lines[0]);
    // What the second calls `pair-ec` is noise: its fields are told, and it is not taken for an envelope.
    assert!(lines[1].contains("$.dtl[0].tP") && !lines[1].contains("imessage-pair"), "{}", lines[1]);
    assert_eq!(super::pack::tests::payloads(&stream[608..]), None, "the second needs the first");
}

#[test]
fn topics_are_known_by_their_hash() {
    let madrid = [
        0xe4, 0xe6, 0xd9, 0x52, 0x95, 0x41, 0x68, 0xd0, 0xa5, 0xdb, 0x02, 0xdb, 0xaf, 0x27, 0xcc, 0x35, 0xfc,
        0x18, 0xd1, 0x59,
    ];
    assert_eq!(super::topic(&madrid), Some("com.apple.madrid"));
    assert_eq!(super::topic(&[0; 20]), None);
}
