//! Datagrams by way of a SOCKS 5 proxy (RFC 1928 section 7): each has the address of its other end in front.
//! The header is little to go by, so it is believed between hosts whose UDP ASSOCIATE was seen.

use super::address;
use crate::bytes::Cursor;
use crate::model::Side;
use crate::peel::{Child, Eats, Family, Form, Guess, Handle, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "socks-udp",
    title: "Datagrams by SOCKS 5 (RFC 1928 section 7)",
    family: Family::App,
    eats: Eats::Datagram,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &["socks.target"],
    notes: &["socks-datagram-malformed", "socks-datagram-fragment", "socks-datagram-limit"],
    open: || Box::new(Relayed::default()),
};

/// Other ends that are told apart.
const TARGETS: usize = 64;

/// Tells later flows between these hosts that datagrams with the header come: reserved, no fragment, and the
/// kind of address.
pub(super) fn expect(out: &mut Out<'_, '_>) {
    for kind in [1, 3, 4] {
        out.expect(SPEC.name, 0, &[0, 0, 0, kind], []);
    }
}

fn probe(p: &Probe<'_>) -> Guess {
    match read(p.bytes) {
        Some(_) if p.known => Guess::Sure,
        _ => Guess::No,
    }
}

/// The number of the fragment, the other end, and what is for it.
fn read(bytes: &[u8]) -> Option<(u8, String, &[u8])> {
    let mut c = Cursor::new(bytes);
    let ([0, 0], fragment, kind) = (c.array::<2>()?, c.u8()?, c.u8()?) else { return None };
    let target = address(kind, &mut c)?;
    Some((fragment, target, c.rest()))
}

/// One child for each other end.
#[derive(Default)]
struct Relayed {
    targets: Vec<(String, Handle)>,
}

impl Peeler for Relayed {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some((fragment, target, body)) = read(input.bytes) else {
            out.note("socks-datagram-malformed");
            return Step::again(0);
        };
        if fragment != 0 {
            // No proxy is known to put fragments together; what is in them cannot be told.
            out.note("socks-datagram-fragment");
            return Step::again(0);
        }
        let Some(child) = self.child(input.side, &target, out) else { return Step::again(0) };
        out.feed(child, input.side, body);
        Step::again(input.bytes.len())
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        for (_, child) in &self.targets {
            out.close(*child, side);
        }
    }
}

impl Relayed {
    fn child(&mut self, side: Side, target: &str, out: &mut Out<'_, '_>) -> Option<Handle> {
        if let Some((_, child)) = self.targets.iter().find(|(t, _)| t == target) {
            return Some(*child);
        }
        let port = |t: &str| t.rsplit_once(':').map(|(_, port)| port.to_owned());
        // A client names a host, the proxy answers with its address: the only one on that port is meant.
        let mut same = self.targets.iter().filter(|(t, _)| port(t) == port(target));
        if let (Side::Server, Some((_, child)), None) = (side, same.next(), same.next()) {
            return Some(*child);
        }
        if self.targets.len() >= TARGETS {
            out.note("socks-datagram-limit");
            return None;
        }
        out.fact("socks.target", target);
        let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
        let child = out.open(Child::datagrams().label("host", host.trim_matches(['[', ']'])));
        self.targets.push((target.to_owned(), child));
        Some(child)
    }
}
