//! The streams of a connection: each a request with its response, or a tunnel.

use super::head::{self, Kind};
use super::hpack::List;
use super::http::{self, Asked, Head};
use crate::model::{PerSide, Side};
use crate::peel::{Child, Handle, Out};
use std::collections::BTreeMap;

/// Streams followed at once; the oldest that one side has ended gives way, else the oldest.
const STREAMS: usize = 1024;
/// Bytes kept of a tunnel whose answer has not come yet.
const EARLY: usize = 64 << 10;

/// How far one side of a stream is.
#[derive(Debug, Clone, Copy, Default)]
enum Way {
    /// No head yet.
    #[default]
    Idle,
    /// Its body goes to this child.
    Body(Handle),
    /// What it sends belongs to the tunnel.
    Tunnel,
    Done,
}

#[derive(Debug, Default)]
struct Stream {
    asked: Asked,
    ways: PerSide<Way>,
    tunnel: Option<Handle>,
    /// Sent into a tunnel that is not open yet.
    early: Vec<u8>,
}

/// All open streams of a connection.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: BTreeMap<u32, Stream>,
    /// Whose message was begun last: what is handed on belongs to it.
    latest: Option<(u32, Side)>,
    /// The request that an upgrade from HTTP/1.1 made, answered on stream 1 (RFC 7540 section 3.2).
    pub upgraded: Option<Asked>,
}

impl Streams {
    /// A header list of `side` on stream `id`.
    pub fn headers(&mut self, id: u32, side: Side, list: &List, out: &mut Out<'_, '_>) {
        self.make_room(id, out);
        let head = head::read(list);
        let kind = head::kind(&head);
        let upgraded = if id == 1 { self.upgraded.take() } else { None };
        let stream = self.open.entry(id).or_default();
        match (kind, upgraded) {
            (Kind::Request, _) => stream.asked = head.asked(),
            (_, Some(asked)) => stream.asked = asked,
            _ => {}
        }
        let trailers = kind == Kind::Other && !matches!(stream.ways[side], Way::Idle);
        if !trailers || self.latest != Some((id, side)) {
            self.latest = Some((id, side));
            out.begin_message();
        }
        let asked = stream.asked.clone();
        asked.label(out);
        match kind {
            Kind::Request => {
                out.fact("http.method", asked.method.as_str());
                http::target(&head.value(":path").unwrap_or_default(), side, out);
            }
            Kind::Response(status) => out.fact("http.status", u64::from(status)),
            Kind::Other => {}
        }
        head.items(side, out);
        let interim = matches!(kind, Kind::Response(100..200));
        if !trailers && !interim {
            stream.answer(kind, side, &head, out);
        }
    }

    /// The request that a server promises to answer on stream `id`.
    pub fn promise(&mut self, id: u32, side: Side, list: &List, out: &mut Out<'_, '_>) {
        self.make_room(id, out);
        let head = head::read(list);
        let asked = head.asked();
        self.latest = Some((id, side.other()));
        out.begin_message();
        asked.label(out);
        http::target(&head.value(":path").unwrap_or_default(), side, out);
        head.items(side, out);
        let stream = self.open.entry(id).or_default();
        stream.asked = asked;
        stream.ways[side.other()] = Way::Done;
    }

    /// Data of `side` on stream `id`.
    pub fn data(&mut self, id: u32, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) {
        if bytes.is_empty() {
            return;
        }
        self.make_room(id, out);
        let stream = self.open.entry(id).or_default();
        match (stream.ways[side], stream.tunnel) {
            (Way::Body(child), _) => out.feed(child, side, bytes),
            (Way::Tunnel, Some(tunnel)) => out.feed(tunnel, side, bytes),
            (Way::Tunnel, None) => {
                let room = EARLY.saturating_sub(stream.early.len()).min(bytes.len());
                stream.early.extend_from_slice(&bytes[..room]);
                if room < bytes.len() {
                    out.note("http2-tunnel-unanswered");
                }
            }
            (Way::Idle | Way::Done, _) => {
                out.note("http2-data-without-head");
                self.latest = Some((id, side));
                out.begin_message();
                let child = out.open(stream.asked.labelled(Child::message()));
                stream.ways[side] = Way::Body(child);
                out.feed(child, side, bytes);
            }
        }
    }

    /// `len` bytes of data of `side` on stream `id` are missing.
    pub fn gap(&mut self, id: u32, side: Side, len: u64, out: &mut Out<'_, '_>) {
        let Some(stream) = self.open.get(&id) else { return };
        match (stream.ways[side], stream.tunnel) {
            (Way::Body(child), _) | (Way::Tunnel, Some(child)) => out.gap(child, side, len),
            _ => {}
        }
    }

    /// Something that belongs to no stream begins a message.
    pub fn interrupt(&mut self, out: &mut Out<'_, '_>) {
        self.latest = None;
        Asked::default().label(out);
    }

    /// Nothing follows of `side` on stream `id`: its end or a reset.
    pub fn finish(&mut self, id: u32, side: Side, out: &mut Out<'_, '_>) {
        let Some(stream) = self.open.get_mut(&id) else { return };
        stream.finish(side, out);
        if Side::BOTH.iter().all(|s| matches!(stream.ways[*s], Way::Done)) {
            stream.give_early(out);
            self.open.remove(&id);
        }
    }

    /// Bytes of `side` were lost across frames: any stream may be hit.
    pub fn lose(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) {
        for stream in self.open.values_mut() {
            match (stream.ways[side], stream.tunnel) {
                (Way::Body(child), _) => {
                    out.gap(child, side, len);
                    out.close(child, side);
                    stream.ways[side] = Way::Idle;
                }
                (Way::Tunnel, Some(tunnel)) => out.gap(tunnel, side, len),
                _ => {}
            }
        }
    }

    /// Nothing follows of `side` at all.
    pub fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let ids: Vec<u32> = self.open.keys().copied().collect();
        for id in ids {
            self.finish(id, side, out);
        }
    }

    fn make_room(&mut self, id: u32, out: &mut Out<'_, '_>) {
        if self.open.len() < STREAMS || self.open.contains_key(&id) {
            return;
        }
        out.note("http2-stream-limit");
        // Requests that nobody answers pile up; a tunnel or a subscription is open on both sides.
        let ended = |s: &Stream| Side::BOTH.iter().any(|side| matches!(s.ways[*side], Way::Done));
        let first = self.open.iter().find(|(_, s)| ended(s)).or_else(|| self.open.first_key_value());
        let Some(id) = first.map(|(id, _)| *id) else { return };
        if let Some(mut oldest) = self.open.remove(&id) {
            oldest.give_early(out);
            for side in Side::BOTH {
                oldest.finish(side, out);
            }
        }
    }
}

impl Stream {
    /// Opens what the head of `side` announces.
    fn answer(&mut self, kind: Kind, side: Side, head: &Head<'_>, out: &mut Out<'_, '_>) {
        if let Way::Body(child) = self.ways[side] {
            out.close(child, side);
        }
        let connect = self.asked.method == "CONNECT";
        self.ways[side] = match kind {
            Kind::Request if connect => Way::Tunnel,
            Kind::Response(200..300) if connect => {
                let tunnel = out.open(head::tunnel(head, &self.asked));
                self.tunnel = Some(tunnel);
                out.feed(tunnel, side.other(), &std::mem::take(&mut self.early));
                if matches!(self.ways[side.other()], Way::Done) {
                    out.close(tunnel, side.other());
                }
                Way::Tunnel
            }
            _ => Way::Body(out.open(self.asked.labelled(head.body()))),
        };
    }

    fn finish(&mut self, side: Side, out: &mut Out<'_, '_>) {
        match (self.ways[side], self.tunnel) {
            (Way::Body(child), _) | (Way::Tunnel, Some(child)) => out.close(child, side),
            _ => {}
        }
        self.ways[side] = Way::Done;
    }

    /// What was sent into a tunnel that nobody opened.
    fn give_early(&mut self, out: &mut Out<'_, '_>) {
        let early = std::mem::take(&mut self.early);
        if !early.is_empty() {
            out.note("http2-tunnel-unanswered");
            out.begin_message();
            out.message(self.asked.labelled(Child::message()), Side::Client, &early);
        }
    }
}
