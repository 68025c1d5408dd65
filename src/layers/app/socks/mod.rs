//! SOCKS 5 (RFC 1928, RFC 1929) and SOCKS 4 and 4a: a proxy is told where to connect, then carries the
//! stream, which is handed on as it is. Datagrams that go by the proxy are in `udp.rs`.

mod udp;

use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Guess, Handle, Input, Out, Peeler, Probe, Spec, Step,
};
use std::net::{Ipv4Addr, Ipv6Addr};

pub use udp::SPEC as UDP;

/// The row.
pub static SPEC: Spec = Spec {
    name: "socks",
    title: "SOCKS 4, 4a and 5 (RFC 1928)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &["socks.version", "socks.target", "socks.refused", "socks.relay"],
    notes: &["socks-malformed", "socks-login-unknown"],
    open: || Box::new(Socks::default()),
};

const V4: u8 = 4;
const V5: u8 = 5;
/// The command that asks for a relay of datagrams (RFC 1928 section 4).
const ASSOCIATE: u8 = 3;
/// Version of the messages of a login by name and password (RFC 1929).
const LOGIN: u8 = 1;
/// Longest name of a user or host.
const LONGEST: usize = 255;

/// What reading the start of a side came to.
enum Read<T> {
    Whole(T, usize),
    Short,
    Wrong,
}

/// Two bytes of the server that answer the client's offer, or a reply of version 4 that answers its
/// request, are what makes it sure.
fn probe(p: &Probe<'_>) -> Guess {
    let (client, server) = match p.side {
        Side::Client => (p.bytes, p.other),
        Side::Server => (p.other, p.bytes),
    };
    let offer = match client.first() {
        // A proxy never speaks first.
        None if p.side == Side::Server => return Guess::No,
        None => return Guess::More,
        Some(&V5) => offer(client),
        Some(&V4) => return probe4(client, server, p.end),
        Some(_) => return Guess::No,
    };
    let Read::Whole(methods, n) = offer else {
        return if matches!(offer, Read::Short) && !p.end { Guess::More } else { Guess::No };
    };
    // Behind the offer stands nothing, a login or an early request.
    let next = client.get(n..).unwrap_or_default();
    if !matches!(next.first(), None | Some(&LOGIN | &V5)) {
        return Guess::No;
    }
    match server {
        [V5, method, ..] if methods.contains(method) || *method == 0xff => Guess::Sure,
        [] | [V5] if !p.end => Guess::More,
        _ => Guess::No,
    }
}

fn probe4(client: &[u8], server: &[u8], end: bool) -> Guess {
    match request4(client) {
        Read::Short if !end => Guess::More,
        Read::Short | Read::Wrong => Guess::No,
        Read::Whole(..) => match server {
            [0, 0x5a..=0x5d, _, _, _, _, _, _, ..] => Guess::Sure,
            [] | [0] if !end => Guess::More,
            [0, 0x5a..=0x5d, ..] if !end => Guess::More,
            _ => Guess::No,
        },
    }
}

/// The methods of login that a client offers: known ones, each once.
fn offer(bytes: &[u8]) -> Read<&[u8]> {
    let mut c = Cursor::new(bytes);
    let (Some(V5), Some(count)) = (c.u8(), c.u8()) else { return Read::Short };
    if count == 0 || count > 10 {
        return Read::Wrong;
    }
    let Some(methods) = c.take(usize::from(count)) else { return Read::Short };
    let known = |m: &u8| *m <= 9 || *m >= 0x80 && *m < 0xff;
    let once = |(i, m): (usize, &u8)| !methods[..i].contains(m);
    match methods.iter().all(known) && methods.iter().enumerate().all(once) {
        true => Read::Whole(methods, c.consumed()),
        false => Read::Wrong,
    }
}

/// A request or reply of version 5: command or result, and the address.
fn request5(bytes: &[u8]) -> Read<(u8, String)> {
    let mut c = Cursor::new(bytes);
    let (Some(version), Some(command), Some(zero), Some(kind)) = (c.u8(), c.u8(), c.u8(), c.u8()) else {
        return Read::Short;
    };
    if version != V5 || zero != 0 {
        return Read::Wrong;
    }
    if !matches!(kind, 1 | 3 | 4) {
        return Read::Wrong;
    }
    match address(kind, &mut c) {
        Some(target) => Read::Whole((command, target), c.consumed()),
        None => Read::Short,
    }
}

/// Host and port behind the kind of their address (RFC 1928 section 5).
fn address(kind: u8, c: &mut Cursor<'_>) -> Option<String> {
    let host = match kind {
        1 => Ipv4Addr::from(c.array::<4>()?).to_string(),
        3 => String::from_utf8_lossy(c.vec8()?).to_ascii_lowercase(),
        4 => Ipv6Addr::from(c.array::<16>()?).to_string(),
        _ => return None,
    };
    Some(target(&host, c.u16()?))
}

fn target(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// A request of version 4, with the host's name where the address says that the proxy looks it up (4a).
fn request4(bytes: &[u8]) -> Read<(String, Vec<u8>)> {
    let mut c = Cursor::new(bytes);
    let (Some(version), Some(command)) = (c.u8(), c.u8()) else { return Read::Short };
    if version != V4 || !matches!(command, 1 | 2) {
        return Read::Wrong;
    }
    let (Some(port), Some(ip)) = (c.u16(), c.array::<4>()) else { return Read::Short };
    if port == 0 {
        return Read::Wrong;
    }
    let user = match text(&mut c) {
        Read::Whole(user, _) => user,
        Read::Short => return Read::Short,
        Read::Wrong => return Read::Wrong,
    };
    let named = ip[..3] == [0; 3] && ip[3] != 0;
    if !named {
        return Read::Whole((target(&Ipv4Addr::from(ip).to_string(), port), user), c.consumed());
    }
    match text(&mut c) {
        Read::Whole(host, _) if !host.is_empty() => {
            let host = String::from_utf8_lossy(&host).to_ascii_lowercase();
            Read::Whole((target(&host, port), user), c.consumed())
        }
        Read::Short => Read::Short,
        _ => Read::Wrong,
    }
}

/// Printable bytes up to a zero.
fn text(c: &mut Cursor<'_>) -> Read<Vec<u8>> {
    let mut held = Vec::new();
    while let Some(b) = c.u8() {
        match b {
            0 => return Read::Whole(held, 0),
            b if b < 0x20 || held.len() >= LONGEST => return Read::Wrong,
            b => held.push(b),
        }
    }
    Read::Short
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Start,
    /// Version 5: behind the offer, where a login may stand.
    Login,
    Tunnel,
}

#[derive(Default)]
struct Socks {
    stages: PerSide<Stage>,
    tunnel: Option<Handle>,
    refused: bool,
    /// Datagrams will go by the proxy.
    associates: bool,
}

impl Peeler for Socks {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let (side, bytes) = (input.side, input.bytes);
        if self.stages[side] == Stage::Tunnel {
            let tunnel = *self.tunnel.get_or_insert_with(|| out.open(Child::stream()));
            out.feed(tunnel, side, bytes);
            return Step::again(bytes.len());
        }
        let read = match side {
            Side::Client => self.client(bytes, out),
            Side::Server => self.server(bytes, out),
        };
        match read {
            Read::Whole((), n) => Step::again(n),
            Read::Short if bytes.len() <= 4 + 2 * LONGEST => Step::more(0, bytes.len() + 1),
            Read::Short | Read::Wrong => Step::die("socks-malformed"),
        }
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        match self.tunnel {
            Some(tunnel) if self.stages[side] == Stage::Tunnel => {
                out.gap(tunnel, side, len);
                AfterGap::Continue
            }
            _ => AfterGap::Die,
        }
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some(tunnel) = self.tunnel {
            out.close(tunnel, side);
        }
    }
}

impl Socks {
    fn client(&mut self, bytes: &[u8], out: &mut Out<'_, '_>) -> Read<()> {
        match (self.stages.client, bytes.first()) {
            (Stage::Start, Some(&V4)) => match request4(bytes) {
                Read::Whole((target, user), n) => {
                    out.fact("socks.version", "4");
                    out.begin_message();
                    if !user.is_empty() {
                        out.item("auth.user", Form::Text, Side::Client, &user);
                    }
                    self.asked(&target, out);
                    Read::Whole((), n)
                }
                Read::Short => Read::Short,
                Read::Wrong => Read::Wrong,
            },
            (Stage::Start, _) => match offer(bytes) {
                Read::Whole(_, n) => {
                    out.fact("socks.version", "5");
                    self.stages.client = Stage::Login;
                    Read::Whole((), n)
                }
                Read::Short => Read::Short,
                Read::Wrong => Read::Wrong,
            },
            (_, Some(&LOGIN)) => login(bytes, out),
            (..) => match request5(bytes) {
                Read::Whole((ASSOCIATE, _), n) => {
                    // The address is where the client will send from, and often unknown to it.
                    self.associates = true;
                    self.stages.client = Stage::Tunnel;
                    Read::Whole((), n)
                }
                Read::Whole((_, target), n) => {
                    self.asked(&target, out);
                    Read::Whole((), n)
                }
                Read::Short => Read::Short,
                Read::Wrong => Read::Wrong,
            },
        }
    }

    /// Where the client wants to go; what it sends from here on is for there.
    fn asked(&mut self, target: &str, out: &mut Out<'_, '_>) {
        out.fact("socks.target", target);
        let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
        out.label("host", host.trim_matches(['[', ']']));
        self.stages.client = Stage::Tunnel;
    }

    fn server(&mut self, bytes: &[u8], out: &mut Out<'_, '_>) -> Read<()> {
        match (self.stages.server, bytes) {
            (Stage::Start, [0, result, rest @ ..]) => {
                if rest.len() < 6 {
                    return Read::Short;
                }
                self.answered(*result == 0x5a, out);
                Read::Whole((), 8)
            }
            (Stage::Start, [V5, method, ..]) => {
                self.stages.server = Stage::Login;
                if !matches!(method, 0 | 2 | 0xff) {
                    out.note("socks-login-unknown");
                }
                Read::Whole((), 2)
            }
            (Stage::Login, [LOGIN, _, ..]) => Read::Whole((), 2),
            (Stage::Start | Stage::Login, [_]) => Read::Short,
            (Stage::Login, _) => match request5(bytes) {
                Read::Whole((result, relay), n) => {
                    self.answered(result == 0, out);
                    if self.associates && result == 0 {
                        out.fact("socks.relay", relay.as_str());
                        udp::expect(out);
                    }
                    Read::Whole((), n)
                }
                Read::Short => Read::Short,
                Read::Wrong => Read::Wrong,
            },
            _ => Read::Wrong,
        }
    }

    fn answered(&mut self, granted: bool, out: &mut Out<'_, '_>) {
        self.refused |= !granted;
        if self.refused {
            out.fact("socks.refused", true);
        }
        self.stages.server = Stage::Tunnel;
    }
}

/// Name and password (RFC 1929 section 2).
fn login(bytes: &[u8], out: &mut Out<'_, '_>) -> Read<()> {
    let mut c = Cursor::new(bytes);
    c.u8();
    let (Some(user), Some(password)) = (c.vec8(), c.vec8()) else { return Read::Short };
    out.begin_message();
    out.item("auth.user", Form::Text, Side::Client, user);
    out.item("auth.password", Form::Text, Side::Client, password);
    Read::Whole((), c.consumed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(side: Side, bytes: &[u8], other: &[u8], end: bool) -> Guess {
        probe(&Probe { side, other, end, ..Probe::alone(bytes, 9050) })
    }

    #[test]
    fn an_offer_and_its_answer_make_it_sure() {
        assert_eq!(ask(Side::Client, &[5, 1, 0], &[], false), Guess::More);
        assert_eq!(ask(Side::Client, &[5, 1, 0], &[], true), Guess::No);
        assert_eq!(ask(Side::Server, &[5, 0], &[5, 1, 0], false), Guess::Sure);
        assert_eq!(ask(Side::Server, &[5, 2], &[5, 1, 0], false), Guess::No, "not offered");
        assert_eq!(ask(Side::Client, &[5, 2, 0, 0], &[], false), Guess::No, "offered twice");
        assert_eq!(ask(Side::Client, b"\x05\x01\x00hello", &[], false), Guess::No);
        let v4 = b"\x04\x01\x00\x50\x0a\x00\x00\x01me\0";
        assert_eq!(ask(Side::Server, &[0, 0x5a, 0, 80, 10, 0, 0, 1], v4, false), Guess::Sure);
        assert_eq!(ask(Side::Server, b"HTTP/1.1", v4, false), Guess::No);
    }

    #[test]
    fn noise_is_not_taken() {
        let mut state = 1u64;
        let mut noise = |n: usize| -> Vec<u8> {
            (0..n)
                .map(|_| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 56) as u8
                })
                .collect()
        };
        let taken = (0..200_000).filter(|_| {
            let (client, server) = (noise(24), noise(24));
            ask(Side::Server, &server, &client, false) >= Guess::Maybe
        });
        assert_eq!(taken.count(), 0);
    }
}
