//! Two vantages: what left one end is looked for at the other, in both directions.
//!
//! Equal bytes exclude that somebody between opened and sealed them again. Different bytes at the same
//! times and with sizes that follow one another show that somebody did. Anything else shows nothing.

mod chunks;
mod clock;
mod direction;
mod events;
mod identities;
mod tally;

pub use clock::{Clock, Fit};
pub use identities::Compared;

use super::{ConversationKey, Evidence, Identity, Parcel, Vantage};
use crate::model::Timestamp;
use direction::Direction;
use serde::{Deserialize, Serialize};

/// What one end recorded.
#[derive(Debug, Default)]
pub struct Recording {
    /// Its messages, earliest first.
    pub parcels: Vec<Parcel>,
    /// Identity keys on their way to and from it.
    pub identities: Vec<Identity>,
    /// First and last frame.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// Which way messages went, as the conversation's own end sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Sent here, looked for at the other end.
    Sent,
    /// Received here, looked for in what the other end sent.
    Received,
}

/// What became of a conversation's messages on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Some came through with the same bytes.
    Unchanged,
    /// None did, and others of like sizes came at the same times.
    Changed,
    /// None did, and readable messages stand in their place at the other end.
    Readable,
    /// Nothing can be said.
    Unclear,
}

/// Counts of one conversation and one way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Relayed {
    /// Which way.
    pub way: Way,
    /// The conversation at the other end that most of it was found in.
    pub peer: Option<ConversationKey>,
    /// What became of it.
    pub outcome: Outcome,
    /// Messages looked for while both ends recorded.
    pub messages: u32,
    /// Of these, found with every byte.
    pub same: u32,
    /// Of these, found as a part of a larger whole.
    pub recut: u32,
    /// Of these, paired by time and size with other bytes.
    pub changed: u32,
    /// Messages sent in several ciphertexts, one for each device.
    pub fanned: u32,
    /// Copies of what this end sent itself.
    pub echoes: u32,
    /// Median delay in milliseconds; after the clocks were fitted, if they could be.
    pub delay_ms: Option<i64>,
    /// Bytes that most messages grew by on the way.
    pub growth: Option<i64>,
}

impl Relayed {
    /// Messages that came through.
    pub fn arrived(&self) -> u32 {
        self.same + self.recut
    }

    /// Messages of which nothing is known.
    pub fn missing(&self) -> u32 {
        self.messages.saturating_sub(self.arrived() + self.changed)
    }
}

/// What the comparison of two recordings shows.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The clocks, if anything was there to fit them by.
    pub clock: Option<Clock>,
    /// Evidence, with the end and the conversation it belongs to.
    pub evidence: Vec<(Vantage, ConversationKey, Evidence)>,
    /// Keys of identities, by kind.
    pub identities: Vec<Compared>,
    /// Messages kept at each end.
    pub kept: (usize, usize),
}

/// Compares what two ends recorded.
pub fn compare(sender: &Recording, receiver: &Recording) -> Comparison {
    let mut forth = Direction::new(Vantage::Sender, sender, receiver);
    let mut back = Direction::new(Vantage::Receiver, receiver, sender);
    let mut clock = clock::by_pairs(&forth.delays(), &back.delays())
        .or_else(|| clock::by_pairs(&forth.text_delays(), &back.text_delays()));
    if clock.is_none() {
        let times = |all: &[&Parcel]| all.iter().map(|p| p.origin.time).collect::<Vec<_>>();
        let sent: Vec<Timestamp> = forth.events.iter().map(|e| e.first.origin.time).collect();
        let arrived: Vec<Timestamp> = [times(&forth.arrived), times(&forth.texts.1)].concat();
        clock = clock::by_events(&sent, &arrived);
    }
    // Seen from each direction, the clock of the receiving end.
    let ahead = clock.map(|c| c.ahead);
    forth.keep_common(sender.span, ahead);
    back.keep_common(receiver.span, ahead.map(|a| -a));
    let mut evidence = forth.evidence(ahead);
    evidence.extend(back.evidence(ahead.map(|a| -a)));
    let (found, identities) = identities::compare(sender, receiver);
    evidence.extend(found);
    Comparison { clock, evidence, identities, kept: (sender.parcels.len(), receiver.parcels.len()) }
}

#[cfg(test)]
mod tests;
