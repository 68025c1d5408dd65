//! STUN and TURN (RFC 8489, RFC 8656; RFC 3489): how ends of a call learn their addresses, and the relay
//! that carries what they say, which is passed through to what is inside.

mod message;

use crate::model::Side;
use crate::peel::{Child, Eats, Family, Form, Guess, Handle, Hint, Input, Out, Peeler, Probe, Spec, Step};
use message::{Class, Message, channel, classic_length, length, read};
use std::net::SocketAddr;

macro_rules! row {
    ($static:ident, $name:literal, $eats:expr, $probe:expr) => {
        /// The row.
        pub static $static: Spec = Spec {
            name: $name,
            title: "STUN and TURN (RFC 8489, RFC 8656)",
            family: Family::App,
            eats: $eats,
            forms: &[Form::Binary],
            answers: |h| {
                $name == "stun-tcp"
            && matches!(h, Hint::Alpn(a) if a == "stun.turn" || a == "stun.nat-discovery")
            },
            shapes: &[],
            probe: Some($probe),
            facts: &[
                "stun.message",
                "stun.mapped",
                "stun.relayed",
                "stun.peer",
                "stun.software",
                "stun.realm",
                "stun.error",
                "stun.role",
            ],
            notes: &["stun-peer-limit", "stun-malformed"],
            open: || Box::new(Stun::default()),
        };
    };
}

row!(DATAGRAMS, "stun", Eats::Datagram, probe);
row!(STREAM, "stun-tcp", Eats::Stream, stream_probe);

/// Peers behind one relay that are told apart.
const PEERS: usize = 64;
/// Kinds of message that are told once each.
const KINDS: usize = 32;

const USERNAME: u16 = 0x0006;
const ERROR: u16 = 0x0009;
const CHANNEL_NUMBER: u16 = 0x000c;
const XOR_PEER: u16 = 0x0012;
const DATA: u16 = 0x0013;
const REALM: u16 = 0x0014;
const XOR_RELAYED: u16 = 0x0016;
const MAPPED: u16 = 0x0001;
const XOR_MAPPED: u16 = 0x0020;
const SOFTWARE: u16 = 0x8022;
const CONTROLLED: u16 = 0x8029;
const CONTROLLING: u16 = 0x802a;
const CHANNEL_BIND: u16 = 0x009;

fn probe(p: &Probe<'_>) -> Guess {
    let fits = read(p.bytes).is_some() || p.known && channel(p.bytes).is_some();
    if fits { Guess::Sure } else { Guess::No }
}

fn stream_probe(p: &Probe<'_>) -> Guess {
    let magic = [0x21, 0x12, 0xa4, 0x42];
    if p.bytes.first().is_some_and(|b| *b > 0x3f) {
        return Guess::No;
    }
    match p.bytes.get(4..8) {
        Some(cookie) if cookie == magic && length(p.bytes).is_some() => Guess::Sure,
        None if !p.end => Guess::More,
        _ => Guess::No,
    }
}

/// State of one association with a server or a peer.
#[derive(Default)]
struct Stun {
    told: Vec<u16>,
    /// What is relayed, by peer; channels stand beside the peers they were bound to.
    peers: Vec<(Option<SocketAddr>, Option<u16>, Handle)>,
}

impl Peeler for Stun {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let bytes = input.bytes;
        if input.end
            && let Some(message) = read(bytes)
        {
            self.message(input.side, &message, out);
            return Step::again(message.len);
        }
        // Over a stream several follow each other, padded to words (RFC 8656 section 12.5).
        let need = match bytes.first() {
            Some(0x40..=0x4f) => match bytes.get(2..4).and_then(|l| l.try_into().ok()) {
                Some(length) => Some(4 + usize::from(u16::from_be_bytes(length))),
                None if !input.end => return Step::more(0, 4),
                None => None,
            },
            Some(_) => length(bytes).or_else(|| classic_length(bytes)),
            None => return Step::again(0),
        };
        match need {
            None if bytes.len() < 20 && !input.end => Step::more(0, 20),
            None => Step::die("stun-malformed"),
            Some(n) if bytes.len() < n && !input.end => Step::more(0, n.next_multiple_of(4)),
            Some(n) => self.framed(input, n, out),
        }
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        self.peers.iter().for_each(|(.., child)| out.close(*child, side));
    }
}

impl Stun {
    /// One message of `len` bytes at the start of the input.
    fn framed(&mut self, input: Input<'_>, len: usize, out: &mut Out<'_, '_>) -> Step {
        let whole = input.bytes.get(..len).unwrap_or(input.bytes);
        let padded = len.next_multiple_of(4);
        if let Some((number, data)) = channel(whole) {
            if input.bytes.len() < padded && !input.end {
                return Step::more(0, padded);
            }
            let child = self.child(None, Some(number), out);
            out.feed(child, input.side, data);
            return Step::again(padded.min(input.bytes.len()));
        }
        match read(whole) {
            Some(message) => self.message(input.side, &message, out),
            None => return Step::die("stun-malformed"),
        }
        Step::again(len)
    }

    fn message(&mut self, side: Side, message: &Message<'_>, out: &mut Out<'_, '_>) {
        out.begin_message();
        let peer = message.masked_address(XOR_PEER);
        if let (0x006 | 0x007, Class::Indication, Some(data)) =
            (message.method, message.class, message.attribute(DATA))
        {
            let child = self.child(peer, None, out);
            return out.feed(child, side, data);
        }
        if message.method == CHANNEL_BIND
            && let Some([high, low, ..]) = message.attribute(CHANNEL_NUMBER)
        {
            let number = u16::from_be_bytes([*high, *low]);
            self.bind(peer, number, out);
        }
        if !self.told.contains(&message.kind) && self.told.len() < KINDS {
            self.told.push(message.kind);
            self.facts(side, message, out);
        }
    }

    fn facts(&mut self, side: Side, message: &Message<'_>, out: &mut Out<'_, '_>) {
        out.fact("stun.message", message.name());
        let mapped = message.masked_address(XOR_MAPPED).or_else(|| message.address(MAPPED));
        let addresses = [
            ("stun.mapped", mapped),
            ("stun.relayed", message.masked_address(XOR_RELAYED)),
            ("stun.peer", message.masked_address(XOR_PEER)),
        ];
        for (name, address) in addresses {
            if let Some(address) = address {
                out.fact(name, address.to_string());
            }
        }
        for (name, attribute) in [("stun.software", SOFTWARE), ("stun.realm", REALM)] {
            if let Some(text) = message.attribute(attribute) {
                out.fact(name, String::from_utf8_lossy(text).trim_end_matches('\0'));
            }
        }
        if let Some([_, _, class, number, ..]) = message.attribute(ERROR) {
            out.fact("stun.error", u64::from(class & 7) * 100 + u64::from(*number));
        }
        if message.attribute(CONTROLLING).is_some() {
            out.fact("stun.role", "controlling");
        } else if message.attribute(CONTROLLED).is_some() {
            out.fact("stun.role", "controlled");
        }
        if let Some(name) = message.attribute(USERNAME) {
            out.item("username", Form::Text, side, name);
        }
    }

    fn bind(&mut self, peer: Option<SocketAddr>, number: u16, out: &mut Out<'_, '_>) {
        if self.peers.iter().any(|(_, n, _)| *n == Some(number)) {
            return;
        }
        match self.peers.iter_mut().find(|(p, n, _)| p.is_some() && *p == peer && n.is_none()) {
            Some((_, channel, _)) => *channel = Some(number),
            None => drop(self.open(peer, Some(number), out)),
        }
    }

    /// What is relayed to and from a peer, by its address or its channel.
    fn child(&mut self, peer: Option<SocketAddr>, number: Option<u16>, out: &mut Out<'_, '_>) -> Handle {
        let same = |(p, n, _): &&(Option<SocketAddr>, Option<u16>, Handle)| match number {
            Some(_) => *n == number,
            None => *p == peer,
        };
        match self.peers.iter().find(same) {
            Some((.., child)) => *child,
            None => self.open(peer, number, out),
        }
    }

    fn open(&mut self, peer: Option<SocketAddr>, number: Option<u16>, out: &mut Out<'_, '_>) -> Handle {
        if self.peers.len() >= PEERS {
            out.note("stun-peer-limit");
            return Handle::NONE;
        }
        let child = out.open(Child::datagrams());
        self.peers.push((peer, number, child));
        child
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peel::{Exchange, Surroundings, Tree};

    fn peel(text: &str) -> Vec<String> {
        let said = Exchange::read(text);
        let mut around = Surroundings::new(&crate::layers::REGISTRY, said.server_port);
        around.record(Tree::new(said.unit), &said.turns).lines
    }

    #[test]
    fn what_a_relay_carries_is_found_in_channels_and_indications() {
        let datagrams = peel(include_str!("../../../../tests/exchanges/turn.txt"));
        let stream = peel(include_str!("../../../../tests/exchanges/turn-tcp.txt"));
        for (lines, name) in [(datagrams, "stun"), (stream, "stun-tcp")] {
            let texts = lines.iter().filter(|l| l.starts_with(&format!("leaf {name}/json >$.text"))).count();
            assert_eq!(texts, 4, "{lines:#?}");
            for fact in [
                "stun.relayed=192.0.2.1:50000",
                "stun.mapped=198.51.100.7:33000",
                "stun.software=our relay",
                "stun.realm=relay.example",
                "stun.error=401",
                "stun.peer=192.0.2.15:4000",
            ] {
                assert!(lines.iter().any(|l| l.ends_with(fact)), "{fact}: {lines:#?}");
            }
        }
    }

    #[test]
    fn noise_is_not_taken() {
        let mut x = 99u64;
        for n in 0..20_000u64 {
            let bytes: Vec<u8> = (0..20 + n % 40)
                .map(|_| {
                    x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (x >> 56) as u8
                })
                .collect();
            assert!(read(&bytes).is_none());
        }
    }
}
