//! HTTP/3 (RFC 9114) over the records that the QUIC layer hands on: stream id (8 bytes), flags (1: end,
//! 2: reset, 4: the length counts lost bytes and none follow, 8: a datagram), length (4), then the bytes.

mod message;
mod qpack;
mod stream;
mod table;
#[cfg(test)]
mod tests;

use super::{http, huffman};
use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{AfterGap, Eats, Family, Form, Hint, Input, Out, Peeler, Spec, Step};
use qpack::{Decoder, Missing};
use std::collections::BTreeMap;
use stream::Stream;

/// The row.
pub static SPEC: Spec = Spec {
    name: "http3",
    title: "HTTP/3 (RFC 9114)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Alpn(a) if a == "h3" || a.starts_with("h3-")),
    shapes: &[],
    probe: None,
    facts: &["http.method", "http.status", "http3.protocol", "http3.goaway"],
    notes: &[
        "http3-frame-too-long",
        "http3-fields-malformed",
        "http3-fields-missing",
        "http3-stream-lost",
        "http3-stream-limit",
        "http3-qpack-lost",
        "http-body-cut-by-gap",
    ],
    open: || Box::new(Http3::default()),
};

const FIN: u8 = 1;
const RESET: u8 = 2;
const LOST: u8 = 4;
const DATAGRAM: u8 = 8;
/// Streams kept at once; the oldest is closed first.
const STREAMS: usize = 4096;

/// State of one connection.
#[derive(Default)]
struct Http3 {
    streams: BTreeMap<u64, Stream>,
    /// What each side's encoder built.
    qpack: PerSide<Decoder>,
}

impl Peeler for Http3 {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let mut c = Cursor::new(input.bytes);
        let (Some(id), Some(flags), Some(len)) = (c.u64(), c.u8(), c.u32()) else { return Step::more(0, 13) };
        if flags & LOST != 0 {
            self.lost(input.side, id, u64::from(len), out);
            return Step::again(13);
        }
        let Some(bytes) = c.take(len as usize) else { return Step::more(0, 13 + len as usize) };
        match flags & DATAGRAM != 0 {
            true => self.datagram(input.side, bytes, out),
            false => self.piece(input.side, id, flags, bytes, out),
        }
        Step::again(c.consumed())
    }

    fn gap(&mut self, _side: Side, _len: u64, _out: &mut Out<'_, '_>) -> AfterGap {
        AfterGap::Die
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let ids: Vec<u64> = self.streams.keys().copied().collect();
        for id in ids {
            self.advance(side, id, Missing::LeaveOut, out);
            if let Some(stream) = self.streams.get_mut(&id) {
                if stream.is_unfinished(side) {
                    out.note("http3-stream-lost");
                }
                stream.close(side, out);
            }
        }
    }
}

impl Http3 {
    fn piece(&mut self, side: Side, id: u64, flags: u8, bytes: &[u8], out: &mut Out<'_, '_>) {
        if self.streams.len() >= STREAMS && !self.streams.contains_key(&id) {
            out.note("http3-stream-limit");
            // The control and QPACK streams have the smallest ids of their types: they stay.
            let oldest = self.streams.iter().find(|(_, s)| !s.is_connection_wide()).map(|(id, _)| *id);
            if let Some(mut stream) = oldest.and_then(|id| self.streams.remove(&id)) {
                Side::BOTH.iter().for_each(|s| stream.close(*s, out));
            }
        }
        let half = &mut self.streams.entry(id).or_default().halves[side];
        half.buffer.extend_from_slice(bytes);
        half.ended |= flags & (FIN | RESET) != 0;
        let full = half.buffer.len() > out.limits().message;
        self.advance(side, id, if full { Missing::LeaveOut } else { Missing::Wait }, out);
    }

    /// Works through what a stream holds, and closes it when it is done.
    fn advance(&mut self, side: Side, id: u64, missing: Missing, out: &mut Out<'_, '_>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let inserted = stream.advance(side, id, &mut self.qpack, missing, out);
        if stream.halves[side].ended && !stream.halves[side].blocked {
            stream.close(side, out);
        }
        let bidirectional = id & 2 == 0;
        if stream.halves.client.closed && stream.halves.server.closed
            || stream.halves[side].closed && !bidirectional
        {
            self.streams.remove(&id);
        }
        if inserted {
            self.unblock(side, out);
        }
    }

    /// Streams that waited for entries of the dynamic table go on (RFC 9204 section 2.1.2).
    fn unblock(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let ids: Vec<u64> =
            self.streams.iter().filter(|(_, s)| s.halves[side].blocked).map(|(id, _)| *id).collect();
        for id in ids {
            self.advance(side, id, Missing::Wait, out);
        }
    }

    fn lost(&mut self, side: Side, id: u64, len: u64, out: &mut Out<'_, '_>) {
        let stream = self.streams.entry(id).or_default();
        let encoder = stream.gap(side, id, len, out);
        if encoder {
            out.note("http3-qpack-lost");
            self.qpack[side].lost = true;
            self.unblock(side, out);
        }
    }

    /// An HTTP datagram (RFC 9297): a quarter of its request's stream id, then the payload.
    fn datagram(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) {
        let mut c = Cursor::new(bytes);
        if c.quic_varint().is_none() {
            return;
        }
        out.begin_message();
        out.item("datagram", Form::Binary, side, c.rest());
    }
}
