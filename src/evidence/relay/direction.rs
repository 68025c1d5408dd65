//! One direction between two ends: what was sent at the one is looked for in what arrived at the other.

use super::chunks::{Index, Same};
use super::tally::{Tally, record};
use super::{Outcome, Recording, Relayed, Way, events};
use crate::evidence::{Content, ConversationKey, Evidence, Parcel, Vantage};
use crate::model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// One message as it was sent: a ciphertext, or one for each device.
pub struct Event<'a> {
    members: Vec<usize>,
    pub first: &'a Parcel,
    size: u64,
}

/// One direction.
pub struct Direction<'a> {
    from: Vantage,
    sent: Vec<&'a Parcel>,
    pub events: Vec<Event<'a>>,
    pub arrived: Vec<&'a Parcel>,
    /// For each arrived parcel, what it was sent as.
    matched: Vec<Option<(usize, Same)>>,
    /// Copies of what the receiving end had sent itself, by conversation.
    echoes: BTreeMap<&'a ConversationKey, u32>,
    /// Readable messages that were sent and that arrived.
    pub texts: (Vec<&'a Parcel>, Vec<&'a Parcel>),
}

fn sealed(p: &&Parcel) -> bool {
    p.conversation.content != Content::Text
}

impl<'a> Direction<'a> {
    /// What `from` sent `there`, beside what arrived `here`.
    pub fn new(from: Vantage, there: &'a Recording, here: &'a Recording) -> Self {
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
    pub fn text_delays(&self) -> Vec<i64> {
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
    pub fn delays(&self) -> Vec<i64> {
        let pairs = self.arrived.iter().zip(&self.matched);
        let whole = pairs.filter_map(|(a, m)| m.filter(|(_, s)| *s == Same::Whole).map(|(p, _)| (a, p)));
        whole
            .filter_map(|(a, p)| Some(a.origin.time.0.saturating_sub(self.sent.get(p)?.origin.time.0)))
            .collect()
    }

    /// Leaves out what arrived before the other end began to record: it may have been sent before.
    pub fn keep_common(&mut self, span: Option<(Timestamp, Timestamp)>, ahead: Option<i64>) {
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
    pub fn evidence(&self, ahead: Option<i64>) -> Vec<(Vantage, ConversationKey, Evidence)> {
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
