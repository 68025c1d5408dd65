//! QUIC versions 1 and 2 and the drafts (RFC 9000, 9001, 9369), read by a bystander who may hold the
//! session's secrets. Initial packets open without them.

mod assembly;
mod connection;
mod frame;
mod handshake;
mod keys;
mod messages;
mod migration;
mod packet;
mod search;
mod streams;
#[cfg(test)]
mod tests;
mod traffic;

use super::{hello, hkdf, suite};
use crate::model::{PerSide, Side};
use crate::peel::{By, Eats, End, Family, Form, Guess, Input, Out, Peeler, Probe, Spec, Step, Why};
use connection::Connection;
use packet::{Head, Kind, head};

/// The row.
pub static SPEC: Spec = Spec {
    name: "quic",
    title: "QUIC (RFC 9000, RFC 9369)",
    family: Family::Secure,
    eats: Eats::Datagram,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &[
        "quic.sni",
        "quic.alpn",
        "quic.alpn_selected",
        "quic.version",
        "quic.suite",
        "quic.group",
        "quic.post_quantum",
        "quic.ech",
        "quic.early_data",
        "quic.key_update",
        "quic.retry",
        "quic.close",
        "quic.opened",
        "quic.migrated",
    ],
    notes: &[
        "quic-bad-tag",
        "quic-bad-frame",
        "quic-no-connection",
        "quic-version-unknown",
        "quic-suite-unsupported",
        "quic-connection-limit",
        "quic-stream-gap",
        "quic-stream-limit",
        "quic-version-negotiation",
    ],
    open: || Box::new(Quic::default()),
};

/// Connections of one flow (same addresses and ports) that are kept.
const CONNECTIONS: usize = 32;

fn probe(p: &Probe<'_>) -> Guess {
    match head(p.bytes) {
        Some(Head::Long(long)) => match long.kind {
            Kind::Retry if long.token.len() < 16 => Guess::No,
            _ => Guess::Sure,
        },
        Some(Head::Negotiation { .. }) if p.bytes.len() % 4 == 3 || p.known => Guess::Maybe,
        Some(Head::Unknown { code }) if reserved(code) && p.bytes.len() >= 1200 => Guess::Sure,
        Some(Head::Unknown { code }) if p.known || google(code) => Guess::Maybe,
        // Anything may look like a short header: only its connection tells.
        Some(Head::Short) if p.known && p.bytes.len() >= 21 => match p.bytes.first() {
            Some(first) if first & 0x40 != 0 => Guess::Sure,
            _ => Guess::Maybe,
        },
        _ => Guess::No,
    }
}

/// Versions that are never spoken, sent to keep negotiation alive (RFC 9000 section 15).
fn reserved(code: u32) -> bool {
    code & 0x0f0f_0f0f == 0x0a0a_0a0a
}

/// Google's versions Q046 and later, which share the long header.
fn google(code: u32) -> bool {
    matches!(code.to_be_bytes(), [b'Q' | b'T', b'0', b'4' | b'5', b'0'..=b'9'])
}

/// The connections of one flow.
#[derive(Default)]
struct Quic {
    /// Boxed, as the oldest gives way to the newest and each is large.
    connections: Vec<Box<Connection>>,
    /// Bytes of versions that are not known here.
    unknown: PerSide<u64>,
    ended: usize,
}

impl Peeler for Quic {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let mut rest = input.bytes;
        // Several packets may share a datagram (RFC 9000 section 12.2); what follows the last is padding.
        while let Some(head) = head(rest) {
            let used = match head {
                Head::Long(long) => {
                    if let Some(connection) = self.of_long(input.side, &long, out) {
                        connection.long(input.side, &long, out);
                    }
                    long.packet.len()
                }
                // Zeros behind a packet fill the datagram up, outside any packet.
                Head::Short if rest.iter().all(|b| *b == 0) => rest.len(),
                Head::Short => {
                    self.short(input.side, rest, out);
                    rest.len()
                }
                Head::Negotiation { dcid } => {
                    out.note("quic-version-negotiation");
                    self.refuse(input.side, dcid, out);
                    rest.len()
                }
                Head::Unknown { .. } => {
                    out.note("quic-version-unknown");
                    self.unknown[input.side] += rest.len() as u64;
                    out.declare_sealed(rest.len() as u64);
                    rest.len()
                }
            };
            rest = rest.get(used.max(1)..).unwrap_or_default();
        }
        Step::again(input.bytes.len())
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        self.ended += 1;
        let unknown = std::mem::take(&mut self.unknown[side]);
        if unknown > 0 {
            out.leaf("", Form::Binary, side, unknown, End::Sealed(By::Transport, Why::Unsupported), &[]);
        }
        for connection in &mut self.connections {
            connection.end(side, out);
        }
        if self.ended == 2 {
            for connection in &mut self.connections {
                connection.last_facts(out);
            }
        }
    }
}

impl Quic {
    /// The connection that a long header belongs to; a client's Initial opens a new one.
    fn of_long(
        &mut self,
        side: Side,
        long: &packet::Long<'_>,
        out: &mut Out<'_, '_>,
    ) -> Option<&mut Connection> {
        let known = self.connections.iter().position(|c| c.owns(side, long));
        let known = known.or_else(|| self.connections.iter_mut().position(|c| c.opens(side, long)));
        if let Some(at) = known {
            return self.connections.get_mut(at).map(Box::as_mut);
        }
        // Ids given in closed packets are not known here. Only a client's Initial starts anew.
        let new = long.kind == Kind::Initial && self.connections.last().is_none_or(|c| c.opener == side);
        if !new && !self.connections.is_empty() {
            return self.connections.last_mut().map(Box::as_mut);
        }
        if self.connections.len() >= CONNECTIONS {
            out.note("quic-connection-limit");
            let mut oldest = self.connections.remove(0);
            Side::BOTH.iter().for_each(|s| oldest.end(*s, out));
        }
        self.connections.push(Box::new(Connection::new(side, long.version)));
        self.connections.last_mut().map(Box::as_mut)
    }

    /// The server takes none of the versions that were offered: the client begins anew, mostly with the same ids
    /// (RFC 9000 section 6.2), and what it said first counts no more.
    fn refuse(&mut self, side: Side, dcid: &[u8], out: &mut Out<'_, '_>) {
        if let Some(at) = self.connections.iter().position(|c| c.is_unanswered(side, dcid)) {
            let mut refused = self.connections.remove(at);
            Side::BOTH.iter().for_each(|s| refused.end(*s, out));
        }
    }

    /// A short header: the connection id tells, the tag decides.
    fn short(&mut self, side: Side, packet: &[u8], out: &mut Out<'_, '_>) {
        let mut named = self.connections.iter().rposition(|c| c.id_length(side, packet).is_some());
        if named.is_none() && self.moved_here(side, packet, out) {
            named = self.connections.len().checked_sub(1);
        }
        let Some(connection) = (match named {
            Some(at) => self.connections.get_mut(at),
            None => self.connections.last_mut(),
        }) else {
            if self.unknown.client + self.unknown.server == 0 {
                out.note("quic-no-connection");
            }
            self.unknown[side] += packet.len() as u64;
            out.declare_sealed(packet.len() as u64);
            return;
        };
        connection.short(side, packet, out);
    }
}
