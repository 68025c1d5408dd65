//! Counts of one conversation and one way, and the evidence they make.

use super::chunks::Same;
use super::{Outcome, Relayed, Way};
use crate::evidence::{ConversationKey, Evidence, Kind, Parcel, Polarity, Strength};
use crate::model::Origin;
use crate::peel::Guard;
use std::collections::BTreeMap;

/// Counts while matches are gone through.
#[derive(Default)]
pub(super) struct Tally {
    same: u32,
    recut: u32,
    pub fanned: u32,
    delays: Vec<i64>,
    growths: Vec<i64>,
    peers: BTreeMap<ConversationKey, u32>,
}

impl Tally {
    /// One match.
    pub fn add(&mut self, same: Same, sent: &Parcel, arrived: &Parcel, peer: &ConversationKey) {
        match same {
            Same::Whole => self.same += 1,
            Same::Recut => self.recut += 1,
        }
        self.delays.push(arrived.origin.time.0.saturating_sub(sent.origin.time.0));
        self.growths.push(arrived.size as i64 - sent.size as i64);
        *self.peers.entry(peer.clone()).or_default() += 1;
    }

    /// The counts of one conversation and one way.
    pub fn relayed(mut self, way: Way, messages: usize, echoes: u32, ahead: Option<i64>) -> Relayed {
        self.delays.sort_unstable();
        self.growths.sort_unstable();
        let middle = |all: &[i64]| all.get(all.len() / 2).copied();
        let peer = self.peers.into_iter().max_by_key(|(k, n)| (*n, std::cmp::Reverse(k.clone())));
        let arrived = self.same + self.recut;
        Relayed {
            way,
            peer: peer.map(|(k, _)| k),
            outcome: if arrived > 0 { Outcome::Unchanged } else { Outcome::Unclear },
            messages: u32::try_from(messages).unwrap_or(u32::MAX),
            same: self.same,
            recut: self.recut,
            changed: 0,
            fanned: self.fanned,
            echoes,
            delay_ms: middle(&self.delays).map(|d| d.saturating_sub(ahead.unwrap_or(0)) / 1_000_000),
            growth: middle(&self.growths),
        }
    }
}

/// The counts as evidence: equal bytes speak for the claim, changed ones against it.
pub(super) fn record(relayed: Relayed, origin: &Origin) -> Evidence {
    let (strength, polarity) = match relayed.outcome {
        Outcome::Unchanged => (Strength::Strong, Polarity::For),
        Outcome::Changed | Outcome::Readable => (Strength::Strong, Polarity::Against),
        Outcome::Unclear => (Strength::Weak, Polarity::Neutral),
    };
    Evidence {
        kind: Kind::Relay(Box::new(relayed)),
        strength,
        polarity,
        guard: Guard::Confidential,
        origin: origin.clone(),
        count: 1,
        shown: None,
    }
}
