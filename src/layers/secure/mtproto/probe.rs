//! Whether a stream is MTProto. A transport's name alone is short, so a packet of the key exchange, a
//! checksum, or the same key identifier in two packets has to bear it out.

use super::framing::{Frame, Transport, frame, full_checks};
use super::packet::{Outside, may_be_sealed, outside};
use crate::model::Side;
use crate::peel::{Guess, Probe};

/// Longest first packet that is waited for.
const FIRST: usize = 2000;

/// The probe of the row.
pub fn stream(p: &Probe<'_>) -> Guess {
    let (client, server) = match p.side {
        Side::Client => (p.bytes, p.other),
        Side::Server => (p.other, p.bytes),
    };
    let Some(first) = client.first() else { return Guess::No };
    let transport = match first {
        0xef => Transport::Abridged,
        0xee => Transport::Intermediate,
        0xdd => Transport::Padded,
        _ => return full(client, p),
    };
    let magic = transport.magic();
    if client.len() < magic.len() {
        let so_far = magic.starts_with(client) && !p.end;
        return if so_far { Guess::More } else { Guess::No };
    }
    let Some(rest) = client.strip_prefix(magic) else { return Guess::No };
    let (earlier, later) = match p.side {
        Side::Client => (server, rest),
        Side::Server => (rest, server),
    };
    let before = walk(transport, p.side.other(), earlier, None, p);
    let now = walk(transport, p.side, later, before.id, p);
    let client = if p.side == Side::Client { &now } else { &before };
    match before.told.or(now.told) {
        Some(told) => told,
        None if !p.end => Guess::More,
        // One packet behind four bytes of a name; behind one byte it could be anything.
        None if magic.len() == 4 && client.packets > 0 => Guess::Maybe,
        None => Guess::No,
    }
}

/// What a walk over the frames of a side came to. It ends with the first packet that tells, so that the bytes
/// behind it change nothing.
#[derive(Default)]
struct Walk {
    packets: usize,
    /// The key of the last encrypted packet, of either side.
    id: Option<[u8; 8]>,
    /// Sure of MTProto, or that it is none.
    told: Option<Guess>,
}

fn walk(transport: Transport, side: Side, bytes: &[u8], id: Option<[u8; 8]>, p: &Probe<'_>) -> Walk {
    let padding = if transport == Transport::Padded { 15 } else { 0 };
    let mut walk = Walk { id, ..Walk::default() };
    let mut rest = bytes;
    for _ in 0..64 {
        if rest.is_empty() || walk.told.is_some() {
            break;
        }
        let (head, len) = match frame(transport, side, rest) {
            Frame::Short => break,
            Frame::Wrong => {
                walk.told = Some(Guess::No);
                break;
            }
            Frame::QuickAck => (0, 4),
            Frame::Packet { head, len, tail } => (head, len + tail),
        };
        let Some((this, next)) = rest.split_at_checked(head + len) else {
            walk.begun(rest.get(head..head + 8), len, padding, p);
            break;
        };
        if head > 0 {
            walk.packet(this.get(head..).unwrap_or_default(), padding, p);
        }
        rest = next;
    }
    walk
}

impl Walk {
    /// A packet that goes beyond what is in sight: its length and its key still say something.
    fn begun(&mut self, id: Option<&[u8]>, len: usize, padding: usize, p: &Probe<'_>) {
        let Some(id) = id.and_then(|id| <[u8; 8]>::try_from(id).ok()).filter(|id| *id != [0; 8]) else {
            return;
        };
        match may_be_sealed(len, padding) {
            true => self.sealed(id, p),
            false => self.told = Some(Guess::No),
        }
        self.packets += 1;
    }

    fn packet(&mut self, packet: &[u8], padding: usize, p: &Probe<'_>) {
        self.packets += 1;
        match outside(packet, padding) {
            Outside::Clear { step: Some(_), .. } => self.told = Some(Guess::Sure),
            Outside::Sealed { id, .. } => self.sealed(id, p),
            Outside::Code(-999..=-1) if self.packets == 1 => {}
            Outside::Clear { .. } => {}
            Outside::Code(_) | Outside::Neither => self.told = Some(Guess::No),
        }
    }

    /// The same key twice, or one that is at hand.
    fn sealed(&mut self, id: [u8; 8], p: &Probe<'_>) {
        if self.id == Some(id) || p.keys.messengers().mtproto(&id).is_some() {
            self.told = Some(Guess::Sure);
        }
        self.id = Some(id);
    }
}

/// The full transport: the first packet bears number zero and a checksum.
fn full(client: &[u8], p: &Probe<'_>) -> Guess {
    let Some(number) = client.get(4..8) else {
        // A length of one or two thousand at most leaves its upper bytes zero.
        let plausible = client.get(2..).is_none_or(|high| high.iter().all(|b| *b == 0));
        let could = plausible && client.first().is_some_and(|b| b % 4 == 0);
        return if could && !p.end { Guess::More } else { Guess::No };
    };
    let Frame::Packet { head, len, tail } = frame(Transport::Full, Side::Client, client) else {
        return Guess::No;
    };
    if number != [0; 4] || len < 20 || head + len + tail > FIRST {
        return Guess::No;
    }
    match client.get(..head + len + tail) {
        Some(whole) if full_checks(whole) => {
            match outside(whole.get(head..head + len).unwrap_or_default(), 0) {
                Outside::Clear { .. } | Outside::Sealed { .. } => Guess::Sure,
                _ => Guess::No,
            }
        }
        Some(_) => Guess::No,
        None if p.end => Guess::No,
        None => Guess::More,
    }
}

/// A message that is one packet, as the HTTP transport carries them: a step of the key exchange, or a key
/// that is at hand.
pub fn packet(p: &Probe<'_>) -> Guess {
    match outside(p.bytes, 0) {
        Outside::Clear { step: Some(_), .. } => Guess::Sure,
        Outside::Sealed { id, .. } if p.keys.messengers().mtproto(&id).is_some() => Guess::Sure,
        _ => Guess::No,
    }
}
