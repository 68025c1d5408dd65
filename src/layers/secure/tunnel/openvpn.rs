//! OpenVPN over UDP and TCP, recognised by its first packets: opcode, session id, and an acknowledgement
//! list and packet number that start at nothing (the project's protocol description; `ssl_pkt.h`). With
//! tls-auth or tls-crypt a replay number and a time stand before them.

use super::Closed;
use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{AfterGap, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step, Why};

macro_rules! row {
    ($static:ident, $name:literal, $eats:expr, $probe:expr, $open:expr) => {
        /// The row.
        pub static $static: Spec = Spec {
            name: $name,
            title: "OpenVPN",
            family: Family::Secure,
            eats: $eats,
            forms: &[Form::Binary],
            answers: |h| matches!(h, Hint::Layer($name)),
            shapes: &[],
            probe: Some($probe),
            facts: &["openvpn.handshake", "openvpn.control"],
            notes: &["openvpn-packet-malformed", "openvpn-session-differs"],
            open: $open,
        };
    };
}

row!(UDP, "openvpn", Eats::Datagram, udp_probe, || Box::new(Datagrams(OpenVpn::default())));
row!(TCP, "openvpn-tcp", Eats::Stream, tcp_probe, || Box::new(Framed(OpenVpn::default())));

#[derive(Clone, Copy, PartialEq, Eq)]
enum Opcode {
    /// Starts a session.
    Reset(Side),
    Control,
    Ack,
    Data,
}

fn opcode(first: u8) -> Option<Opcode> {
    match first >> 3 {
        1 | 7 | 10 => Some(Opcode::Reset(Side::Client)),
        2 | 8 => Some(Opcode::Reset(Side::Server)),
        3 | 4 | 11 => Some(Opcode::Control),
        5 => Some(Opcode::Ack),
        6 | 9 => Some(Opcode::Data),
        _ => None,
    }
}

/// How control packets are protected, where a packet that starts a session tells.
fn first_packet(bytes: &[u8]) -> Option<&'static str> {
    let mut c = Cursor::new(bytes);
    let first = c.u8()?;
    // A session starts with key 0.
    let Opcode::Reset(_) = opcode(first).filter(|_| first & 7 == 0)? else { return None };
    c.u64().filter(|session| *session != 0)?;
    let rest = c.rest();
    if starts(rest) {
        return Some("no tls-auth");
    }
    // tls-auth: a digest of one of the usual sizes, then replay number and time.
    let signed =
        |digest: usize| rest.get(digest..).is_some_and(|r| replay(r) && r.get(8..).is_some_and(starts));
    if [16, 20, 28, 32, 48, 64].into_iter().any(signed) {
        return Some("tls-auth");
    }
    // tls-crypt: replay number and time, a tag of 32 bytes, and the same fields encrypted.
    let body = rest.len().checked_sub(8 + 32)?;
    let whole = matches!(body, 5 | 17) || first >> 3 == 10 && body > 200;
    (whole && replay(rest)).then_some("tls-crypt")
}

/// No acknowledgement and packet 0, or one acknowledgement of packet 0 with the peer's session.
fn starts(rest: &[u8]) -> bool {
    match rest {
        [0, 0, 0, 0, 0] => true,
        [1, 0, 0, 0, 0, session @ .., 0, 0, 0, 0] => session.len() == 8 && session.iter().any(|b| *b != 0),
        _ => false,
    }
}

/// The first replay number and a time between 2001 and 2096.
fn replay(rest: &[u8]) -> bool {
    let mut c = Cursor::new(rest);
    let (number, time) = (c.u32(), c.u32());
    matches!(number, Some(1 | 0x0f00_0001))
        && time.is_some_and(|t| (1_000_000_000..4_000_000_000).contains(&t))
}

fn udp_probe(p: &Probe<'_>) -> Guess {
    match p.bytes.first().and_then(|b| opcode(*b)) {
        Some(_) if p.known || p.stated => Guess::Sure,
        Some(Opcode::Reset(_)) if first_packet(p.bytes).is_some() => Guess::Sure,
        _ => Guess::No,
    }
}

fn tcp_probe(p: &Probe<'_>) -> Guess {
    let mut c = Cursor::new(p.bytes);
    let Some(len) = c.u16() else {
        return if p.end || p.bytes.first().is_some_and(|b| *b > 8) { Guess::No } else { Guess::More };
    };
    if !(14..=2048).contains(&len) || c.peek().is_some_and(|b| !matches!(opcode(b), Some(Opcode::Reset(_)))) {
        return Guess::No;
    }
    match c.take(usize::from(len)) {
        Some(packet) if first_packet(packet).is_some() => Guess::Sure,
        Some(_) => Guess::No,
        None if p.end => Guess::No,
        None => Guess::More,
    }
}

#[derive(Default)]
struct OpenVpn {
    closed: Closed,
    sessions: PerSide<Option<u64>>,
}

impl OpenVpn {
    /// One packet; false if it is none.
    fn packet(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) -> bool {
        let mut c = Cursor::new(bytes);
        let Some(opcode) = c.u8().and_then(opcode) else { return false };
        if opcode == Opcode::Data {
            self.closed.add(side, c.rest(), out);
            return true;
        }
        let Some(session) = c.u64() else { return false };
        if let Opcode::Reset(from) = opcode {
            self.sessions[side] = Some(session);
            out.fact("openvpn.handshake", if from == Side::Client { "client" } else { "server" });
            if let Some(how) = first_packet(bytes) {
                out.fact("openvpn.control", how);
            }
        } else if self.sessions[side].is_some_and(|known| known != session) {
            out.note("openvpn-session-differs");
        }
        // Control packets carry TLS records, in the open or sealed again by tls-crypt: not message content.
        true
    }
}

struct Datagrams(OpenVpn);

impl Peeler for Datagrams {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        match self.0.packet(input.side, input.bytes, out) {
            true => Step::again(input.bytes.len()),
            false => Step::die("openvpn-packet-malformed"),
        }
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        self.0.closed.show(side, Why::NoKey, out);
    }
}

struct Framed(OpenVpn);

impl Peeler for Framed {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let mut c = Cursor::new(input.bytes);
        let Some(packet) = c.vec16() else {
            let need = Cursor::new(input.bytes).u16().map_or(2, |n| 2 + usize::from(n));
            return Step::more(0, need);
        };
        match self.0.packet(input.side, packet, out) {
            true => Step::again(c.consumed()),
            false => Step::die("openvpn-packet-malformed"),
        }
    }

    fn gap(&mut self, _side: Side, _len: u64, _out: &mut Out<'_, '_>) -> AfterGap {
        AfterGap::Die
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        self.0.closed.show(side, Why::NoKey, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_packets_are_told_apart() {
        let sid = [9u8; 8];
        let plain = [&[0x38][..], &sid, &[0; 5]].concat();
        assert_eq!(first_packet(&plain), Some("no tls-auth"));
        let server = [&[0x40][..], &sid, &[1, 0, 0, 0, 0], &[3; 8], &[0; 4]].concat();
        assert_eq!(first_packet(&server), Some("no tls-auth"));
        let stamp = [0, 0, 0, 1, 0x66, 0, 0, 0];
        let signed = [&[0x38][..], &sid, &[5; 20], &stamp, &[0; 5]].concat();
        assert_eq!(first_packet(&signed), Some("tls-auth"));
        let crypt = [&[0x38][..], &sid, &stamp, &[5; 37]].concat();
        assert_eq!(first_packet(&crypt), Some("tls-crypt"));
        for wrong in [&plain[..13], &[0x39; 14], &[0x38; 14], &crypt[..53]] {
            assert_eq!(first_packet(wrong), None);
        }
    }
}
