//! Where the bytes of a flow go while one packet is worked on.

use super::{Handler, Info};
use crate::model::{Arrival, Notes, Side};

/// Where a stream's output goes: the handler, the flow's figures and the notes.
pub(super) struct Sink<'a, H: Handler> {
    pub(super) handler: &'a mut H,
    pub(super) state: &'a mut H::State,
    pub(super) info: &'a mut Info,
    pub(super) notes: &'a mut Notes,
    /// The packet being worked on.
    pub(super) at: Arrival,
}

impl<H: Handler> Sink<'_, H> {
    /// Bytes, with the arrival of the frame that carried them.
    pub(super) fn data(&mut self, side: Side, bytes: &[u8], at: Arrival) {
        self.info.delivered[side] += bytes.len() as u64;
        self.handler.data(self.state, self.info, side, bytes, at);
    }

    pub(super) fn gap(&mut self, side: Side, len: u64) {
        self.info.lost[side] += len;
        self.handler.gap(self.state, self.info, side, len, self.at);
    }

    pub(super) fn end(&mut self, side: Side) {
        self.handler.end_side(self.state, self.info, side, self.at);
    }

    pub(super) fn note(&mut self, code: &str) {
        self.notes.add(code, Some(self.at.frame));
    }
}
