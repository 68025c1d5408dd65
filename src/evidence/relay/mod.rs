//! Two vantages: what left one end is looked for at the other, in both directions.
//!
//! Equal bytes exclude that somebody between opened and sealed them again. Different bytes at the same
//! times and with sizes that follow one another show that somebody did. Anything else shows nothing.

mod chunks;
mod clock;
mod events;
mod identities;
mod tally;

pub use clock::{Clock, Fit};
pub use identities::Compared;

use super::{Content, ConversationKey, Evidence, Identity, Parcel, Vantage};
use crate::model::Timestamp;
use chunks::{Index, Same};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tally::{Tally, record};

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

/// One message as it was sent: a ciphertext, or one for each device.
struct Event<'a> {
    members: Vec<usize>,
    first: &'a Parcel,
    size: u64,
}

/// One direction.
struct Direction<'a> {
    from: Vantage,
    sent: Vec<&'a Parcel>,
    events: Vec<Event<'a>>,
    arrived: Vec<&'a Parcel>,
    /// For each arrived parcel, what it was sent as.
    matched: Vec<Option<(usize, Same)>>,
    /// Copies of what the receiving end had sent itself, by conversation.
    echoes: BTreeMap<&'a ConversationKey, u32>,
    texts: (Vec<&'a Parcel>, Vec<&'a Parcel>),
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

fn sealed(p: &&Parcel) -> bool {
    p.conversation.content != Content::Text
}

impl<'a> Direction<'a> {
    fn new(from: Vantage, there: &'a Recording, here: &'a Recording) -> Self {
        let part = |r: &'a Recording, sent: bool| {
            r.parcels.iter().filter(move |p| p.is_sent() == sent).partition::<Vec<&Parcel>, _>(sealed)
        };
        let ((sent, sent_texts), (arrived, arrived_texts)) = (part(there, true), part(here, false));
        let own: BTreeSet<&str> =
            here.parcels.iter().filter(|p| p.is_sent()).map(|p| p.origin.digest.as_str()).collect();
        let mut index = Index::new(sent.clone());
        let (mut came, mut matched, mut echoes) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut seen: BTreeSet<(&ConversationKey, &str)> = BTreeSet::new();
        for p in arrived {
            let digest = p.origin.digest.as_str();
            if own.contains(digest) {
                *echoes.entry(&p.conversation).or_default() += 1;
            } else if seen.insert((&p.conversation, digest)) {
                matched.push(index.find(p));
                came.push(p);
            }
        }
        let events = events(&sent);
        let texts = (sent_texts, arrived_texts);
        Self { from, sent, events, arrived: came, matched, echoes, texts }
    }

    /// Arrival less sending, of readable texts that were sent and arrived once.
    fn text_delays(&self) -> Vec<i64> {
        let mut times: BTreeMap<&str, (Vec<i64>, Vec<i64>)> = BTreeMap::new();
        for p in &self.texts.0 {
            times.entry(&p.origin.digest).or_default().0.push(p.origin.time.0);
        }
        for p in &self.texts.1 {
            times.entry(&p.origin.digest).or_default().1.push(p.origin.time.0);
        }
        let once = times.values().filter_map(|(sent, came)| match (&sent[..], &came[..]) {
            ([s], [c]) => Some(c.saturating_sub(*s)),
            _ => None,
        });
        once.collect()
    }

    /// Arrival less sending, of whole matches.
    fn delays(&self) -> Vec<i64> {
        let pairs = self.arrived.iter().zip(&self.matched);
        let whole = pairs.filter_map(|(a, m)| m.filter(|(_, s)| *s == Same::Whole).map(|(p, _)| (a, p)));
        whole
            .filter_map(|(a, p)| Some(a.origin.time.0.saturating_sub(self.sent.get(p)?.origin.time.0)))
            .collect()
    }

    /// Leaves out what arrived before the other end began to record: it may have been sent before.
    fn keep_common(&mut self, span: Option<(Timestamp, Timestamp)>, ahead: Option<i64>) {
        let (Some((first, _)), Some(ahead)) = (span, ahead) else { return };
        let begin = first.0.saturating_add(ahead);
        let keep: Vec<bool> = self
            .arrived
            .iter()
            .zip(&self.matched)
            .map(|(a, m)| m.is_some() || a.origin.time.0 >= begin)
            .collect();
        let mut kept = keep.iter();
        self.arrived.retain(|_| kept.next().copied().unwrap_or(true));
        let mut kept = keep.iter();
        self.matched.retain(|_| kept.next().copied().unwrap_or(true));
    }

    /// Evidence for the conversations at both ends of this direction.
    fn evidence(&self, ahead: Option<i64>) -> Vec<(Vantage, ConversationKey, Evidence)> {
        let to = match self.from {
            Vantage::Sender => Vantage::Receiver,
            Vantage::Receiver => Vantage::Sender,
        };
        let mut all = Vec::new();
        let keys: BTreeSet<&ConversationKey> = self.sent.iter().map(|p| &p.conversation).collect();
        for key in keys {
            all.extend(self.of_sent(key, ahead).map(|e| (self.from, key.clone(), e)));
        }
        let keys: BTreeSet<&ConversationKey> = self.arrived.iter().map(|p| &p.conversation).collect();
        for key in keys {
            all.extend(self.of_arrived(key, ahead).map(|e| (to, key.clone(), e)));
        }
        all
    }

    /// What became of the messages of a conversation that were sent.
    fn of_sent(&self, key: &ConversationKey, ahead: Option<i64>) -> Option<Evidence> {
        let events: Vec<&Event<'_>> = self.events.iter().filter(|e| e.first.conversation == *key).collect();
        let first = events.first()?.first;
        let mut tally = Tally::default();
        for e in &events {
            tally.fanned += u32::from(self.is_fanned(e));
            let found = self.matched.iter().zip(&self.arrived).filter_map(|(m, a)| m.map(|m| (m, *a)));
            let best = found.filter(|((p, _), _)| e.members.contains(p)).min_by_key(|((_, s), _)| *s);
            if let Some(((p, same), arrived)) = best {
                tally.add(same, self.sent.get(p).copied().unwrap_or(first), arrived, &arrived.conversation);
            }
        }
        let mut relayed = tally.relayed(Way::Sent, events.len(), 0, ahead);
        if relayed.arrived() == 0 {
            let sent: Vec<(Timestamp, u64)> = events.iter().map(|e| (e.first.origin.time, e.size)).collect();
            self.pair(&mut relayed, &sent, ahead, Way::Sent);
        }
        Some(record(relayed, &first.origin))
    }

    /// Whether a message went out in different ciphertexts.
    fn is_fanned(&self, e: &Event<'_>) -> bool {
        let mut digests = e.members.iter().filter_map(|m| self.sent.get(*m)).map(|p| &p.origin.digest);
        digests.any(|d| *d != e.first.origin.digest)
    }

    /// Where the messages of a conversation that arrived came from.
    fn of_arrived(&self, key: &ConversationKey, ahead: Option<i64>) -> Option<Evidence> {
        let here = || self.arrived.iter().zip(&self.matched).filter(|(a, _)| a.conversation == *key);
        let first = here().next()?.0;
        let mut tally = Tally::default();
        for (arrived, found) in here() {
            if let Some((p, same)) = found
                && let Some(sent) = self.sent.get(*p)
            {
                tally.add(*same, sent, arrived, &sent.conversation);
            }
        }
        let echoes = self.echoes.get(key).copied().unwrap_or(0);
        let mut relayed = tally.relayed(Way::Received, here().count(), echoes, ahead);
        if relayed.arrived() == 0 {
            let came: Vec<(Timestamp, u64)> = here().map(|(a, _)| (a.origin.time, a.size)).collect();
            self.pair(&mut relayed, &came, ahead, Way::Received);
        }
        Some(record(relayed, &first.origin))
    }

    /// Looks for messages of the same times and like sizes where no bytes came through.
    fn pair(&self, relayed: &mut Relayed, mine: &[(Timestamp, u64)], ahead: Option<i64>, way: Way) {
        let parcel = |p: &&Parcel| (p.origin.time, p.size);
        let (sealed, texts): (Vec<_>, Vec<_>) = match way {
            Way::Sent => {
                let free = self.arrived.iter().zip(&self.matched).filter(|(_, m)| m.is_none());
                (
                    free.map(|(a, _)| (a.origin.time, a.size, &a.conversation)).collect(),
                    self.texts.1.iter().map(parcel).collect(),
                )
            }
            Way::Received => {
                let used: BTreeSet<usize> = self.matched.iter().flatten().map(|(p, _)| *p).collect();
                let free = self.events.iter().filter(|e| !e.members.iter().any(|m| used.contains(m)));
                let free = free.map(|e| (e.first.origin.time, e.size, &e.first.conversation));
                (free.collect(), self.texts.0.iter().map(parcel).collect())
            }
        };
        let shift = |t: i64| match way {
            Way::Sent => t,
            Way::Received => -t,
        };
        let keys: BTreeSet<&ConversationKey> = sealed.iter().map(|(_, _, k)| *k).collect();
        for key in keys {
            let theirs: Vec<_> =
                sealed.iter().filter(|(_, _, k)| *k == key).map(|(t, s, _)| (*t, *s)).collect();
            if let Some(pairs) = events::follow(mine, &theirs, ahead.map(shift)) {
                (relayed.outcome, relayed.changed) = (Outcome::Changed, pairs);
                relayed.peer = Some(key.clone());
                return;
            }
        }
        if let Some(pairs) = events::follow(mine, &texts, ahead.map(shift)) {
            (relayed.outcome, relayed.changed) = (Outcome::Readable, pairs);
        }
    }
}

/// Groups what was sent in one message of one flow.
fn events<'a>(sent: &[&'a Parcel]) -> Vec<Event<'a>> {
    let mut events: Vec<Event<'a>> = Vec::new();
    let mut places: BTreeMap<(&str, u64, &ConversationKey), usize> = BTreeMap::new();
    let mut digests: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, p) in sent.iter().enumerate() {
        let place = (p.origin.flow.as_str(), p.scope, &p.conversation);
        // A message that is sent again is the same message.
        let known = places.get(&place).or_else(|| digests.get(p.origin.digest.as_str())).copied();
        let at = known.unwrap_or(events.len());
        places.insert(place, at);
        digests.entry(&p.origin.digest).or_insert(at);
        match events.get_mut(at) {
            Some(e) => {
                e.members.push(i);
                e.size = e.size.max(p.size);
            }
            None => events.push(Event { members: vec![i], first: p, size: p.size }),
        }
    }
    events
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::evidence::Kind;
    use crate::model::{Origin, Side, Trust, digest16};

    /// Bytes that look random and are the same every time.
    pub fn noise(seed: u64, len: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
        let next = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..len).map(next).collect()
    }

    pub fn parcel(seconds: i64, bytes: Vec<u8>) -> Parcel {
        let origin = Origin {
            frame: Default::default(),
            time: Timestamp::new(seconds, 0),
            flow: "tcp".into(),
            side: Side::Client,
            layers: String::new(),
            field: String::new(),
            trust: Trust::Proven,
            length: bytes.len() as u64,
            digest: digest16(&bytes),
        };
        let content = Content::Envelope("P".into());
        let conversation = ConversationKey { endpoint: "a:1".into(), path: "tls".into(), content };
        Parcel { origin, conversation, scope: seconds as u64, size: bytes.len() as u64, bytes }
    }

    fn at_other(p: &Parcel, late: i64, bytes: Vec<u8>) -> Parcel {
        let mut p = p.clone();
        p.origin = Origin {
            side: Side::Server,
            time: Timestamp(p.origin.time.0 + late),
            digest: digest16(&bytes),
            ..p.origin
        };
        p.size = bytes.len() as u64;
        p.bytes = bytes;
        p
    }

    fn recording(parcels: Vec<Parcel>) -> Recording {
        Recording { parcels, identities: Vec::new(), span: Some((Timestamp(0), Timestamp::new(1000, 0))) }
    }

    fn sent() -> Vec<Parcel> {
        [3i64, 4, 9, 17, 18, 40]
            .iter()
            .enumerate()
            .map(|(i, s)| parcel(*s, noise(i as u64, 100 + 30 * i)))
            .collect()
    }

    fn outcome(c: &Comparison, vantage: Vantage, way: Way) -> Relayed {
        let of = |(v, _, e): &(Vantage, ConversationKey, Evidence)| match &e.kind {
            Kind::Relay(r) if *v == vantage && r.way == way => Some(Relayed::clone(r)),
            _ => None,
        };
        c.evidence.iter().find_map(of).expect("evidence")
    }

    const LATE: i64 = 2_030_000_000;

    #[test]
    fn the_same_bytes_come_through() {
        let sent = sent();
        let arrived: Vec<Parcel> = sent.iter().map(|p| at_other(p, LATE, p.bytes.clone())).collect();
        let c = compare(&recording(sent), &recording(arrived));
        let out = outcome(&c, Vantage::Sender, Way::Sent);
        assert_eq!((out.outcome, out.messages, out.same, out.missing()), (Outcome::Unchanged, 6, 6, 0));
        let came = outcome(&c, Vantage::Receiver, Way::Received);
        assert_eq!((came.same, came.missing(), came.growth), (6, 0, Some(0)));
        assert_eq!(c.clock.map(|c| (c.ahead, c.by)), Some((LATE, Fit::OneWay)));
    }

    #[test]
    fn other_bytes_at_the_same_times_with_like_sizes_were_sealed_again() {
        let sent = sent();
        let other = |(i, p): (usize, &Parcel)| at_other(p, LATE, noise(70 + i as u64, p.bytes.len() + 16));
        let arrived: Vec<Parcel> = sent.iter().enumerate().map(other).collect();
        let c = compare(&recording(sent.clone()), &recording(arrived));
        assert_eq!(outcome(&c, Vantage::Sender, Way::Sent).outcome, Outcome::Changed);
        assert_eq!(outcome(&c, Vantage::Receiver, Way::Received).outcome, Outcome::Changed);
        // Unrelated traffic shows nothing.
        let stray = |(i, p): (usize, &Parcel)| {
            at_other(p, (i as i64 * i as i64 % 5) * 3_000_000_000, noise(70 + i as u64, 64))
        };
        let arrived: Vec<Parcel> = sent.iter().enumerate().map(stray).collect();
        let c = compare(&recording(sent), &recording(arrived));
        assert_eq!(outcome(&c, Vantage::Sender, Way::Sent).outcome, Outcome::Unclear);
    }

    #[test]
    fn one_ciphertext_for_each_device_is_one_message_and_no_re_encryption() {
        let mut sent = sent();
        let more: Vec<Parcel> = sent
            .iter()
            .map(|p| Parcel {
                bytes: noise(900 + p.scope, p.bytes.len()),
                origin: Origin { digest: format!("d{}", p.scope), ..p.origin.clone() },
                ..p.clone()
            })
            .collect();
        let arrived: Vec<Parcel> = sent.iter().map(|p| at_other(p, LATE, p.bytes.clone())).collect();
        sent.extend(more);
        sent.sort();
        let c = compare(&recording(sent), &recording(arrived));
        let out = outcome(&c, Vantage::Sender, Way::Sent);
        assert_eq!((out.messages, out.same, out.fanned, out.missing()), (6, 6, 6, 0));
    }
}
