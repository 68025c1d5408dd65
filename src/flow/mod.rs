//! Packets in, ordered two-sided flows out: the flow table, TCP reordering and UDP flows.
//!
//! [`Table`] takes one transport segment at a time, in capture order, and tells a [`Handler`] what
//! each flow said. It never looks at what the bytes mean.
//!
//! # TCP
//!
//! - In-order bytes are handed on as the borrowed slice, without a copy. Bytes beyond a hole wait.
//! - A hole becomes a gap when the peer has acknowledged past it, something beyond it waits, and
//!   [`PATIENCE`] further packets of the flow did not fill it; when the waiting bytes exceed
//!   [`Limits::reorder_flow`](crate::model::Limits::reorder_flow) or `reorder_total`; or when the flow closes.
//! - Where copies overlap, the first copy captured wins. Copies that disagree are noted as
//!   `tcp-overlap-differs`; against bytes already handed on only the last [`TAIL`] can be compared.
//!   An endpoint may have preferred the other copy (RFC 9293 leaves it open), so the note matters.
//! - `missing` bytes (snap length) are a gap at their place as soon as the peer has acknowledged
//!   them or anything beyond them comes, unless a fuller copy comes first.
//! - A flow without its opening starts at the first payload seen. That payload is held back for up
//!   to [`SETTLE`] more packets of the same side (or the first of the other), so that segments
//!   swapped right at the start are not lost. Payload that comes even later is noted as
//!   `tcp-before-start`.
//! - Order between the sides is file order except for what a hole holds back: nothing is delayed
//!   to wait for the other side. A response whose request is late in the file is therefore handed
//!   on first, and its request as soon as it comes.
//! - The [`Arrival`] of bytes is that of the frame that carried them, so it may be earlier than that
//!   of bytes handed on before, when those filled a hole. A gap has the arrival of the packet that
//!   made it certain.
//! - On every side, bytes handed on plus bytes in gaps are the position in the stream.
//!
//! # Both
//!
//! - Idle flows are closed by capture time. A flow that is idle too long is split by its own
//!   packets, unless a segment goes on where its TCP stream was; the sweep of the others only returns
//!   memory earlier. A time that jumps back closes nothing, and one single time far ahead does not
//!   move the sweep's clock.
//! - A closed TCP flow is remembered for [`LINGER`] seconds, so that late copies do not look like a
//!   new flow.

mod list;
mod pair;
mod segment;
mod sink;
mod slots;
mod stream;
mod table;
mod tail;
mod tcp;
#[cfg(test)]
mod tests;
mod waiting;

pub use segment::{Segment, TcpFlags, TcpSegment};
pub use table::Table;

use crate::model::{Arrival, FlowKey, PerSide, Side};
use std::sync::Arc;

/// Packets of a flow that may pass before an acknowledged hole is given up.
pub const PATIENCE: u8 = 8;

/// Packets of the same side that may pass before the start of a flow without opening is settled.
pub const SETTLE: u8 = 2;

/// Bytes already handed on that are kept to compare repeats with.
pub const TAIL: usize = 16;

/// Seconds of capture time that a closed TCP flow is remembered.
pub const LINGER: f64 = 60.0;

/// How the flow came into view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Opening {
    /// TCP with a SYN, or UDP.
    Seen,
    /// TCP that was under way when the capture began.
    MidStream,
}

/// Why a flow was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Close {
    /// Both sides sent all their bytes and a FIN.
    Fin,
    /// A RST that fits the sequence.
    Reset,
    /// Nothing came for the idle time.
    Idle,
    /// Least recently used when the table was full.
    Evicted,
    /// The capture ended.
    EndOfCapture,
    /// The same pair of endpoints began anew.
    Reused,
}

/// What is known of a flow apart from its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// Ordinal of the flow in this table, by its first packet, from 0.
    pub id: u64,
    /// Its endpoints.
    pub key: FlowKey,
    /// The first packet.
    pub first: Arrival,
    /// The latest packet.
    pub last: Arrival,
    /// Packets of each side, repeats included.
    pub packets: PerSide<u64>,
    /// Payload bytes captured on each side, repeats included.
    pub bytes: PerSide<u64>,
    /// TCP payload bytes handed on in order, or UDP payload bytes.
    pub delivered: PerSide<u64>,
    /// Bytes declared as gaps (TCP) or cut off datagrams (UDP).
    pub lost: PerSide<u64>,
    /// Set at the close: TCP bytes that the peer acknowledged after the last byte this side is
    /// known to have sent; they were never captured and no gap was declared for them. May count
    /// the sequence number of an unseen FIN.
    pub unseen: PerSide<u64>,
    /// How it came into view.
    pub opening: Opening,
    /// The app that owns it, if the capture names one.
    pub app: Option<Arc<str>>,
    /// The recorder had taken off the protection of the way.
    pub opened: bool,
    /// Why it was closed, once it is.
    pub closed: Option<Close>,
}

/// What the recorder knew of a packet apart from its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The app that it belongs to.
    pub app: Option<&'a Arc<str>>,
    /// It had taken off the protection of the way.
    pub opened: bool,
}

/// What is done with the bytes of flows. The calls for one flow begin with `open`, end with
/// `close`, and come in an order that depends on the packets alone.
pub trait Handler {
    /// What the handler keeps for one flow.
    type State;

    /// A new flow.
    fn open(&mut self, info: &Info) -> Self::State;

    /// The next in-order TCP bytes of `side`, never empty.
    fn data(&mut self, state: &mut Self::State, info: &Info, side: Side, bytes: &[u8], at: Arrival);

    /// The next `len` TCP bytes of `side` will never come.
    fn gap(&mut self, state: &mut Self::State, info: &Info, side: Side, len: u64, at: Arrival);

    /// A UDP payload, of which the last `missing` bytes were not captured.
    fn datagram(
        &mut self,
        state: &mut Self::State,
        info: &Info,
        side: Side,
        bytes: &[u8],
        missing: u32,
        at: Arrival,
    );

    /// The FIN of `side` was reached: no more bytes of it will follow.
    fn end_side(&mut self, state: &mut Self::State, info: &Info, side: Side, at: Arrival);

    /// The flow is over.
    fn close(&mut self, state: Self::State, info: &Info, why: Close);
}
