//! One stream: its type, its frames (RFC 9114 sections 6 and 7) and its bodies.

use super::http::Asked;
use super::qpack::{Decoder, Missing, Section};
use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{Child, Handle, Out};

/// Longest frame that is needed whole (field sections, settings).
const LONGEST: u64 = 1 << 20;

/// What a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Requests, responses and pushes.
    Message,
    Control,
    Encoder,
    /// Bytes of an extension (WebTransport).
    Raw,
    /// Acknowledgements of the QPACK decoder, reserved types.
    Ignored,
}

/// What remains of the frame at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Data(u64),
    Skip(u64),
}

#[derive(Default)]
pub(super) struct Half {
    pub buffer: Vec<u8>,
    pub ended: bool,
    /// A field section waits for the dynamic table.
    pub blocked: bool,
    pub closed: bool,
    left: Option<Left>,
    lost: bool,
    /// A head has been seen: what follows are trailers.
    pub headed: bool,
    pub body: Option<Handle>,
    /// How the body is to be opened when its first byte comes.
    pub later: Option<Child>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Stream {
    kind: Option<Kind>,
    pub halves: PerSide<Half>,
    pub asked: Asked,
    /// After an extended CONNECT: DATA of both sides.
    pub tunnel: Option<Handle>,
}

/// Whether to go on with what is left of the buffer.
enum Next {
    On,
    Wait,
}

impl Stream {
    /// Whether the stream belongs to the connection and not to a request.
    pub fn is_connection_wide(&self) -> bool {
        matches!(self.kind, Some(Kind::Control | Kind::Encoder | Kind::Ignored))
    }

    /// Whether a frame of a request or response was cut off.
    pub fn is_unfinished(&self, side: Side) -> bool {
        let half = &self.halves[side];
        self.kind == Some(Kind::Message)
            && (!half.buffer.is_empty() || matches!(half.left, Some(Left::Data(_))))
    }

    /// Works through the buffer of one side. True if the dynamic table grew.
    pub fn advance(
        &mut self,
        side: Side,
        id: u64,
        qpack: &mut PerSide<Decoder>,
        missing: Missing,
        out: &mut Out<'_, '_>,
    ) -> bool {
        let buffer = std::mem::take(&mut self.halves[side].buffer);
        let mut c = Cursor::new(&buffer);
        let mut inserted = false;
        if self.kind.is_none() {
            self.kind = if id & 2 == 0 { Some(Kind::Message) } else { unidirectional(&mut c) };
        }
        match self.kind {
            None => {}
            Some(Kind::Message | Kind::Control) => {
                while let Some(Next::On) = self.step(side, &mut c, qpack, missing, out) {}
            }
            Some(Kind::Encoder) => {
                let before = c.left();
                let lost = qpack[side].lost;
                let used = qpack[side].instructions(c.rest());
                c.take(used);
                inserted = c.left() < before;
                if qpack[side].lost && !lost {
                    out.note("http3-qpack-lost");
                }
            }
            Some(Kind::Raw) => {
                let child = self.raw(out);
                out.feed(child, side, c.rest());
                c.take(c.left());
            }
            Some(Kind::Ignored) => {
                c.take(c.left());
            }
        }
        self.halves[side].buffer = c.rest().to_vec();
        inserted
    }

    fn raw(&mut self, out: &mut Out<'_, '_>) -> Handle {
        *self.tunnel.get_or_insert_with(|| out.open(Child::stream()))
    }

    /// One frame, or as much of it as is there.
    fn step(
        &mut self,
        side: Side,
        c: &mut Cursor<'_>,
        qpack: &mut PerSide<Decoder>,
        missing: Missing,
        out: &mut Out<'_, '_>,
    ) -> Option<Next> {
        if c.is_empty() {
            return None;
        }
        if self.halves[side].lost {
            c.take(c.left());
            return None;
        }
        match self.halves[side].left {
            Some(left) => {
                self.rest(side, left, c, out);
                return Some(Next::On);
            }
            None if self.kind == Some(Kind::Raw) => {
                let child = self.raw(out);
                out.feed(child, side, c.rest());
                c.take(c.left());
                return None;
            }
            None => {}
        }
        let mut ahead = *c;
        let kind = ahead.quic_varint()?;
        let len = ahead.quic_varint()?;
        match kind {
            0 if self.kind == Some(Kind::Message) => self.halves[side].left = Some(Left::Data(len)),
            // WebTransport: the rest of the stream, behind the session's id.
            0x41 if self.kind == Some(Kind::Message) && !self.halves[side].headed => {
                self.kind = Some(Kind::Raw)
            }
            1 | 4 | 5 | 7 if len <= LONGEST => {
                let body = ahead.take(len as usize)?;
                if let Next::Wait = self.frame(side, kind, body, qpack, missing, out) {
                    return Some(Next::Wait);
                }
            }
            1 | 4 | 5 | 7 => {
                out.note("http3-frame-too-long");
                self.halves[side].left = Some(Left::Skip(len));
            }
            _ => self.halves[side].left = Some(Left::Skip(len)),
        }
        if self.halves[side].left.is_some_and(|l| matches!(l, Left::Data(0) | Left::Skip(0))) {
            self.halves[side].left = None;
        }
        *c = ahead;
        Some(Next::On)
    }

    fn rest(&mut self, side: Side, left: Left, c: &mut Cursor<'_>, out: &mut Out<'_, '_>) {
        let (Left::Data(n) | Left::Skip(n)) = left;
        let now = n.min(c.left() as u64);
        let bytes = c.take(now as usize).unwrap_or_default();
        let rest = n - now;
        self.halves[side].left = match left {
            _ if rest == 0 => None,
            Left::Data(_) => Some(Left::Data(rest)),
            Left::Skip(_) => Some(Left::Skip(rest)),
        };
        if matches!(left, Left::Data(_)) {
            self.body(side, bytes, out);
        }
    }

    fn body(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) {
        if let Some(tunnel) = self.tunnel {
            return out.feed(tunnel, side, bytes);
        }
        let half = &mut self.halves[side];
        if half.body.is_none()
            && let Some(child) = half.later.take()
        {
            out.begin_message();
            half.body = Some(out.open(child));
        }
        // DATA without a head that could be read: still somebody's content.
        let body = *half.body.get_or_insert_with(|| out.open(Child::message()));
        out.feed(body, side, bytes);
    }

    fn frame(
        &mut self,
        side: Side,
        kind: u64,
        body: &[u8],
        qpack: &mut PerSide<Decoder>,
        missing: Missing,
        out: &mut Out<'_, '_>,
    ) -> Next {
        let mut c = Cursor::new(body);
        match kind {
            1 => return self.fields(side, body, qpack, missing, false, out),
            5 => {
                c.quic_varint();
                return self.fields(side, c.rest(), qpack, missing, true, out);
            }
            4 => {
                while let (Some(name), Some(value)) = (c.quic_varint(), c.quic_varint()) {
                    // SETTINGS_QPACK_MAX_TABLE_CAPACITY binds the other side's encoder.
                    if name == 1 {
                        qpack[side.other()].most = Some(value);
                    }
                }
            }
            _ => out.fact("http3.goaway", true),
        }
        Next::On
    }

    fn fields(
        &mut self,
        side: Side,
        section: &[u8],
        qpack: &PerSide<Decoder>,
        missing: Missing,
        promise: bool,
        out: &mut Out<'_, '_>,
    ) -> Next {
        self.halves[side].blocked = false;
        match qpack[side].section(section, missing) {
            Section::Blocked => {
                self.halves[side].blocked = true;
                return Next::Wait;
            }
            Section::Malformed => out.note("http3-fields-malformed"),
            Section::Fields(fields, absent) => {
                if absent > 0 {
                    out.note("http3-fields-missing");
                }
                match promise {
                    true => self.promised(side, &fields, out),
                    false => self.message(side, &fields, out),
                }
            }
        }
        Next::On
    }

    /// Bytes of this stream are missing. True if it was an encoder's.
    pub fn gap(&mut self, side: Side, id: u64, len: u64, out: &mut Out<'_, '_>) -> bool {
        if self.kind.is_none() && id & 2 == 0 {
            self.kind = Some(Kind::Message);
        }
        match self.kind {
            Some(Kind::Encoder) => return true,
            Some(Kind::Raw) => {
                let child = self.raw(out);
                out.gap(child, side, len);
                return false;
            }
            Some(Kind::Ignored) => return false,
            Some(Kind::Message | Kind::Control) | None => {}
        }
        let half = &mut self.halves[side];
        match half.left {
            Some(Left::Data(n)) if n >= len && half.buffer.is_empty() => {
                out.note("http-body-cut-by-gap");
                half.left = Some(Left::Data(n - len)).filter(|_| n > len);
                if let Some(child) = self.tunnel.or(half.body) {
                    out.gap(child, side, len);
                }
            }
            Some(Left::Skip(n)) if n >= len => half.left = Some(Left::Skip(n - len)).filter(|_| n > len),
            _ => {
                out.note("http3-stream-lost");
                if let Some(child) = self.tunnel.or(half.body) {
                    out.gap(child, side, len);
                }
                half.lost = true;
                half.buffer.clear();
            }
        }
        false
    }

    /// Nothing follows on `side`.
    pub fn close(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let half = &mut self.halves[side];
        if std::mem::replace(&mut half.closed, true) {
            return;
        }
        if let Some(body) = half.body.take() {
            out.close(body, side);
        }
        if let Some(tunnel) = self.tunnel {
            out.close(tunnel, side);
        }
    }
}

/// The type of a unidirectional stream (RFC 9114 section 6.2, RFC 9204 section 4.2).
fn unidirectional(c: &mut Cursor<'_>) -> Option<Kind> {
    let mut ahead = *c;
    let kind = match ahead.quic_varint()? {
        0 => Kind::Control,
        1 => {
            ahead.quic_varint()?;
            Kind::Message
        }
        2 => Kind::Encoder,
        0x54 => {
            ahead.quic_varint()?;
            Kind::Raw
        }
        _ => Kind::Ignored,
    };
    *c = ahead;
    Some(kind)
}
