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
    let mine = walk(transport, Side::Client, rest, p);
    let theirs = walk(transport, Side::Server, server, p);
    if mine.wrong || theirs.wrong {
        return Guess::No;
    }
    let agree = mine.id.is_some() && mine.id == theirs.id;
    if mine.sure || theirs.sure || agree {
        return Guess::Sure;
    }
    match (p.end, mine.packets) {
        (false, _) => Guess::More,
        // One packet behind four bytes of a name; behind one byte it could be anything.
        (true, 1..) if magic.len() == 4 => Guess::Maybe,
        _ => Guess::No,
    }
}

/// What a walk over the frames of a side came to.
#[derive(Default)]
struct Walk {
    packets: usize,
    id: Option<[u8; 8]>,
    sure: bool,
    wrong: bool,
}

fn walk(transport: Transport, side: Side, bytes: &[u8], p: &Probe<'_>) -> Walk {
    let padding = if transport == Transport::Padded { 15 } else { 0 };
    let mut walk = Walk::default();
    let mut rest = bytes;
    for _ in 0..64 {
        if rest.is_empty() {
            break;
        }
        let (head, len) = match frame(transport, side, rest) {
            Frame::Short => break,
            Frame::Wrong => return Walk { wrong: true, ..Walk::default() },
            Frame::QuickAck => (0, 4),
            Frame::Packet { head, len, tail } => (head, len + tail),
        };
        let Some((this, next)) = rest.split_at_checked(head + len) else {
            walk.begun(rest.get(head..head + 8), len, padding);
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
    fn begun(&mut self, id: Option<&[u8]>, len: usize, padding: usize) {
        let Some(id) = id.and_then(|id| <[u8; 8]>::try_from(id).ok()).filter(|id| *id != [0; 8]) else {
            return;
        };
        if may_be_sealed(len, padding) {
            self.packets += 1;
            self.sure |= self.id == Some(id);
            self.id.get_or_insert(id);
        } else {
            self.wrong = true;
        }
    }

    fn packet(&mut self, packet: &[u8], padding: usize, p: &Probe<'_>) {
        self.packets += 1;
        match outside(packet, padding) {
            Outside::Clear { step: Some(_), .. } => self.sure = true,
            Outside::Sealed { id, .. } => {
                self.sure |= self.id == Some(id) || p.keys.messengers().mtproto(&id).is_some();
                self.id = Some(id);
            }
            Outside::Code(-999..=-1) if self.packets == 1 => {}
            Outside::Clear { .. } => {}
            Outside::Code(_) | Outside::Neither => self.wrong = true,
        }
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
