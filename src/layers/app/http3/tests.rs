//! Connections as the QUIC layer hands them on, driven through the engine.

use crate::layers::REGISTRY;
use crate::model::Side;
use crate::peel::{
    Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Registry, Spec, Step, Surroundings, Tree,
    Unit,
};
use proptest::prelude::*;

/// A layer that stands in for QUIC: each datagram is a record of the shared child, behind a side byte.
static CARRIER: Spec = Spec {
    name: "carrier",
    title: "test",
    family: Family::Secure,
    eats: Eats::Datagram,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(|_| Guess::Sure),
    facts: &[],
    notes: &[],
    open: || Box::new(Carrier { child: None }),
};

struct Carrier {
    child: Option<crate::peel::Handle>,
}

impl Peeler for Carrier {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let child =
            *self.child.get_or_insert_with(|| out.open(Child::stream().hint(Hint::Alpn("h3".into()))));
        out.feed(child, input.side, input.bytes);
        Step::again(input.bytes.len())
    }
    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some(child) = self.child {
            out.close(child, side);
        }
    }
}

static TABLES: &[&[&Spec]] = &[&[&CARRIER, &super::SPEC]];

fn record(id: u64, flags: u8, bytes: &[u8]) -> Vec<u8> {
    let mut r = id.to_be_bytes().to_vec();
    r.push(flags);
    r.extend((bytes.len() as u32).to_be_bytes());
    r.extend(bytes);
    r
}

fn run(records: &[(Side, Vec<u8>)]) -> Vec<String> {
    let registry = Registry { tables: TABLES };
    Surroundings::new(&registry, 443).record(Tree::new(Unit::Datagram), records).lines
}

/// `:method GET`, `:path` and `:authority` by reference to the dynamic table, then the table itself.
#[test]
fn a_request_waits_for_the_dynamic_table() {
    let settings = record(3, 0, &[0x00, 0x04, 0x03, 0x01, 0x40, 0xdc]);
    let head = [0x01, 0x05, 0x03, 0x81, 0x10, 0x11, 0xd1];
    let mut encoder = vec![0x02, 0x3f, 0xbd, 0x01, 0xc0, 0x0f];
    encoder.extend(b"www.example.com");
    encoder.extend([0xc1, 0x0c]);
    encoder.extend(b"/sample/path");
    let lines = run(&[
        (Side::Server, settings),
        (Side::Client, record(0, 1, &head)),
        (Side::Client, record(2, 0, &encoder[..9])),
        (Side::Client, record(2, 0, &encoder[9..])),
    ]);
    assert!(lines.iter().any(|l| l == "fact carrier/http3 http.method=GET"), "{lines:#?}");
    assert_eq!(lines.iter().filter(|l| l.contains(">target")).count(), 1, "{lines:#?}");
    assert!(lines.iter().any(|l| l.contains("header.host") && l.contains(" 15 ")), "{lines:#?}");
    assert!(!lines.iter().any(|l| l.starts_with("note")), "{lines:#?}");
}

/// Two requests whose frames alternate, and a body cut into records.
#[test]
fn bodies_of_interleaved_streams_stay_apart() {
    // POST, then DATA of 6 and 4 bytes.
    let post = [0x01, 0x03, 0x00, 0x00, 0xd4];
    let lines = run(&[
        (Side::Client, record(0, 0, &post)),
        (Side::Client, record(4, 0, &post)),
        (Side::Client, record(0, 0, &[0x00, 0x06, b'a', b'b', b'c'])),
        (Side::Client, record(4, 1, &[0x00, 0x04, b'w', b'x', b'y', b'z'])),
        (Side::Client, record(0, 1, b"def")),
    ]);
    let bodies: Vec<_> = lines.iter().filter(|l| l.starts_with("leaf") && l.contains("http3 >")).collect();
    assert_eq!(bodies.len(), 2, "{lines:#?}");
    assert!(
        bodies.iter().any(|l| l.contains("Clear 6 ")) && bodies.iter().any(|l| l.contains("Clear 4 ")),
        "{lines:#?}"
    );
}

#[test]
fn a_lost_encoder_stream_still_lets_requests_through() {
    let lost = {
        let mut r = record(2, 4, &[]);
        r[12] = 9;
        r
    };
    let lines = run(&[
        (Side::Client, record(2, 0, &[0x02])),
        (Side::Client, lost),
        (Side::Client, record(0, 1, &[0x01, 0x05, 0x03, 0x81, 0x10, 0x11, 0xd1])),
    ]);
    assert!(lines.iter().any(|l| l.ends_with("http.method=GET")), "{lines:#?}");
    assert!(lines.iter().any(|l| l.ends_with("http3-qpack-lost")), "{lines:#?}");
    assert!(lines.iter().any(|l| l.ends_with("http3-fields-missing")), "{lines:#?}");
}

proptest! {
    /// Any records, on few streams so that they meet.
    #[test]
    fn survives_any_records(
        pieces in prop::collection::vec((any::<bool>(), 0u64..8, 0u8..16, prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..40)), 0..40)
    ) {
        let records: Vec<_> = pieces
            .iter()
            .map(|(client, id, flags, bytes)| (if *client { Side::Client } else { Side::Server }, record(*id, *flags, bytes)))
            .collect();
        run(&records);
        let cut: Vec<_> = records.iter().flat_map(|(s, r)| r.chunks(7).map(|c| (*s, c.to_vec()))).collect();
        run(&cut);
    }

    /// Whatever a datagram holds, the layer above it survives.
    #[test]
    fn the_whole_registry_survives_datagrams(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut long = vec![0xc0, 0, 0, 0, 1];
        long.extend(&bytes);
        let turns = [long, bytes].map(|datagram| (Side::Client, datagram));
        Surroundings::new(&REGISTRY, 443).record(Tree::new(Unit::Datagram), &turns);
    }
}
