//! Streams of a connection, put in order and handed on: HTTP/3 as one child with framed records,
//! anything else as one child a stream.
//!
//! A record of the HTTP/3 child: stream id (8 bytes), flags (1: end, 2: reset, 4: the length counts lost
//! bytes and no bytes follow, 8: a DATAGRAM frame), length (4), all most significant first, then the bytes.

use super::assembly::{Assembly, Last, Piece};
use crate::model::{PerSide, Side};
use crate::peel::{Child, Handle, Hint, Out};
use std::collections::BTreeMap;

/// Streams kept at once; the oldest is forgotten first.
const STREAMS: usize = 4096;
/// Bytes out of order of one direction of a stream.
const HELD: usize = 1 << 20;
/// Bytes out of order of all streams of a connection.
const HELD_TOTAL: usize = 4 << 20;

const FIN: u8 = 1;
const RESET: u8 = 2;
const LOST: u8 = 4;
const DATAGRAM: u8 = 8;

#[derive(Default)]
struct Stream {
    parts: PerSide<Assembly>,
    closed: PerSide<bool>,
    child: Option<Handle>,
}

impl Stream {
    /// Whether nothing can follow. Bit 1 of the id tells streams with one side (RFC 9000 section 2.1).
    fn finished(&self, id: u64) -> bool {
        match id & 2 == 0 {
            true => self.closed.client && self.closed.server,
            false => self.closed.client || self.closed.server,
        }
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Streams {
    open: BTreeMap<u64, Stream>,
    /// By stream type: ids up to here are forgotten.
    floor: [Option<u64>; 4],
    /// The HTTP/3 child.
    shared: Option<Handle>,
    datagrams: Option<Handle>,
    closed: PerSide<bool>,
    /// Bytes out of order of all streams.
    held: usize,
}

fn is_http3(alpn: Option<&str>) -> bool {
    alpn.is_some_and(|a| a == "h3" || a.starts_with("h3-"))
}

impl Streams {
    #[allow(clippy::too_many_arguments)] // the parts of one frame
    pub fn data(
        &mut self,
        side: Side,
        id: u64,
        offset: u64,
        data: &[u8],
        fin: bool,
        alpn: Option<&str>,
        out: &mut Out<'_, '_>,
    ) {
        let Some(stream) = self.stream(id, out) else { return };
        if stream.closed[side] {
            return;
        }
        let before = stream.parts[side].held();
        stream.parts[side].insert(offset, data, fin);
        let after = stream.parts[side].held();
        self.held = (self.held + after).saturating_sub(before);
        self.pump(side, id, Last::No, alpn, out);
    }

    /// RESET_STREAM: what came until now is all there will be.
    pub fn reset(&mut self, side: Side, id: u64, alpn: Option<&str>, out: &mut Out<'_, '_>) {
        let Some(stream) = self.stream(id, out) else { return };
        if stream.closed[side] {
            return;
        }
        self.pump(side, id, Last::Yes, alpn, out);
        if self.open.get(&id).is_some_and(|s| !s.closed[side]) {
            self.close(side, id, RESET, alpn, out);
        }
    }

    pub fn datagram(&mut self, side: Side, data: &[u8], alpn: Option<&str>, out: &mut Out<'_, '_>) {
        if is_http3(alpn) {
            return self.record(side, 0, DATAGRAM, data, out);
        }
        let child = *self.datagrams.get_or_insert_with(|| out.open(Child::datagrams().confidential()));
        out.feed(child, side, data);
    }

    /// Nothing follows on `side`: what is held goes out with its gaps.
    pub fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let alpn = self.shared.map(|_| "h3");
        let ids: Vec<u64> = self.open.keys().copied().collect();
        for id in ids {
            let unfinished = self.open.get(&id).is_some_and(|s| !s.closed[side]);
            if unfinished {
                self.pump(side, id, Last::Yes, alpn, out);
            }
            if let Some(stream) = self.open.get_mut(&id)
                && !std::mem::replace(&mut stream.closed[side], true)
                && let Some(child) = stream.child
            {
                out.close(child, side);
            }
        }
        self.closed[side] = true;
        for child in [self.shared, self.datagrams].into_iter().flatten() {
            out.close(child, side);
        }
    }

    /// The stream of that id, unless it was forgotten.
    fn stream(&mut self, id: u64, out: &mut Out<'_, '_>) -> Option<&mut Stream> {
        if !self.open.contains_key(&id) {
            if self.floor[(id & 3) as usize].is_some_and(|f| id <= f) {
                return None;
            }
            if self.open.len() >= STREAMS {
                self.forget(out);
            }
        }
        Some(self.open.entry(id).or_default())
    }

    /// Makes room: a finished stream, else the oldest with two sides. Those with one side carry the state
    /// of the whole connection in HTTP/3.
    fn forget(&mut self, out: &mut Out<'_, '_>) {
        let finished = self.open.iter().find(|(id, s)| s.finished(**id)).map(|(id, _)| *id);
        let oldest = finished.or_else(|| self.open.keys().find(|id| **id & 2 == 0).copied());
        let Some(id) = oldest.or_else(|| self.open.keys().next().copied()) else { return };
        let Some(stream) = self.open.remove(&id) else { return };
        if finished.is_none() {
            out.note("quic-stream-limit");
        }
        let held = stream.parts.client.held() + stream.parts.server.held();
        self.held = self.held.saturating_sub(held);
        let floor = &mut self.floor[(id & 3) as usize];
        *floor = (*floor).max(Some(id));
        if let Some(child) = stream.child {
            Side::BOTH.iter().for_each(|s| out.close(child, *s));
        }
    }

    /// Hands on what is in order.
    fn pump(&mut self, side: Side, id: u64, last: Last, alpn: Option<&str>, out: &mut Out<'_, '_>) {
        let limit = if self.held > HELD_TOTAL { 0 } else { HELD };
        while let Some(piece) = self.open.get_mut(&id).and_then(|s| s.parts[side].take(limit, last)) {
            if let Piece::Data(data) = &piece {
                self.held = self.held.saturating_sub(data.len());
            }
            match piece {
                Piece::Data(data) if is_http3(alpn) => self.record(side, id, 0, &data, out),
                Piece::Data(data) => {
                    let child = self.child(id, alpn, out);
                    out.feed(child, side, &data);
                }
                Piece::Gap(len) => self.gap(side, id, len, alpn, out),
            }
        }
        if self.open.get(&id).is_some_and(|s| s.parts[side].done() && !s.closed[side]) {
            self.close(side, id, FIN, alpn, out);
        }
    }

    fn gap(&mut self, side: Side, id: u64, len: u64, alpn: Option<&str>, out: &mut Out<'_, '_>) {
        out.note("quic-stream-gap");
        if !is_http3(alpn) {
            let child = self.child(id, alpn, out);
            return out.gap(child, side, len);
        }
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        let child = self.shared(out);
        out.feed(child, side, &head(id, LOST, len));
    }

    fn close(&mut self, side: Side, id: u64, flag: u8, alpn: Option<&str>, out: &mut Out<'_, '_>) {
        let Some(stream) = self.open.get_mut(&id) else { return };
        stream.closed[side] = true;
        self.held = self.held.saturating_sub(stream.parts[side].held());
        stream.parts[side] = Assembly::default();
        if is_http3(alpn) {
            return self.record(side, id, flag, &[], out);
        }
        if let Some(child) = stream.child {
            out.close(child, side);
        }
    }

    fn shared(&mut self, out: &mut Out<'_, '_>) -> Handle {
        *self
            .shared
            .get_or_insert_with(|| out.open(Child::stream().confidential().hint(Hint::Alpn("h3".into()))))
    }

    fn record(&mut self, side: Side, id: u64, flags: u8, data: &[u8], out: &mut Out<'_, '_>) {
        if self.closed[side] {
            return;
        }
        let child = self.shared(out);
        let mut record = head(id, flags, data.len() as u32).to_vec();
        record.extend_from_slice(data);
        out.feed(child, side, &record);
    }

    fn child(&mut self, id: u64, alpn: Option<&str>, out: &mut Out<'_, '_>) -> Handle {
        let stream = self.open.entry(id).or_default();
        if let Some(child) = stream.child {
            return child;
        }
        let mut child = Child::stream().confidential().label("quic_stream", &id.to_string());
        if let Some(alpn) = alpn {
            child = child.hint(Hint::Alpn(alpn.to_owned()));
        }
        let handle = out.open(child);
        stream.child = Some(handle);
        handle
    }
}

fn head(id: u64, flags: u8, len: u32) -> [u8; 13] {
    let mut head = [0; 13];
    head[..8].copy_from_slice(&id.to_be_bytes());
    head[8] = flags;
    head[9..].copy_from_slice(&len.to_be_bytes());
    head
}
