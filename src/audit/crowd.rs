//! Conversations by key, as many as are kept apart; the others are joined by protocol and content. Which
//! are kept depends on the keys alone, so that joining flows and shards in any order gives the same.

use crate::evidence::{Content, ConversationKey, Draft, OTHERS};
use crate::model::Limits;
use rustc_hash::FxHasher;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// Conversations of one standing that are kept apart: those that carry messages, those that nobody could
/// open or name, and the background.
const APART: [usize; 3] = [12_000, 2_000, 2_000];

/// Protocols and contents under which those that are not kept apart are told: who nests protocols can make
/// any number of paths.
const JOINED: usize = 1000;

/// All conversations.
#[derive(Debug, Clone, Default)]
pub(super) struct Crowd {
    standings: [BTreeMap<Place, Draft>; 3],
    joined: BTreeMap<ConversationKey, Draft>,
}

/// The order in which conversations are kept: services with a name before bare addresses, and among equals
/// by a number that favours nobody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rank: u64,
    key: ConversationKey,
}

impl Place {
    fn of(key: &ConversationKey) -> Self {
        Self { rank: Self::rank(key), key: key.clone() }
    }

    fn rank(key: &ConversationKey) -> u64 {
        let mut hasher = FxHasher::default();
        key.hash(&mut hasher);
        let bare = key.endpoint.starts_with(|c: char| c.is_ascii_digit() || c == '[');
        u64::from(bare) << 63 | hasher.finish() >> 1
    }
}

fn standing(content: &Content) -> usize {
    match content {
        Content::Sealed => 1,
        Content::Background | Content::Unknown => 2,
        _ => 0,
    }
}

impl Crowd {
    /// Adds what a flow or a shard has of a conversation.
    pub fn add(&mut self, draft: Draft, limits: &Limits) {
        let standing = standing(&draft.key.content);
        if draft.key.endpoint == OTHERS {
            return self.join(draft, limits);
        }
        let apart = &mut self.standings[standing];
        // Most of a crowd come after the last that is kept: told by the number alone.
        let beyond = |last: &Place| last.rank < Place::rank(&draft.key);
        if apart.len() >= APART[standing] && apart.last_key_value().is_some_and(|(last, _)| beyond(last)) {
            return self.join(draft, limits);
        }
        let place = Place::of(&draft.key);
        if let Some(known) = apart.get_mut(&place) {
            return known.merge(draft, limits.evidence);
        }
        if apart.len() < APART[standing] {
            apart.insert(place, draft);
            return;
        }
        // Whoever is last in the order gives way. It was last for every order of coming.
        let gone = match apart.last_entry() {
            Some(last) if *last.key() > place => {
                let gone = last.remove();
                apart.insert(place, draft);
                gone
            }
            _ => draft,
        };
        self.join(gone, limits);
    }

    fn join(&mut self, mut draft: Draft, limits: &Limits) {
        draft.key.endpoint = OTHERS.into();
        draft.facts.clear();
        // What trials and comparisons find later is said of conversations by name; these have none any more.
        draft.limited = true;
        self.put_joined(draft, limits);
        let excess = |joined: &BTreeMap<ConversationKey, Draft>| {
            let last = joined.last_key_value().filter(|_| joined.len() > JOINED);
            last.is_some_and(|(key, _)| !key.path.is_empty())
        };
        while excess(&self.joined)
            && let Some((_, mut last)) = self.joined.pop_last()
        {
            last.key.path = String::new();
            self.put_joined(last, limits);
        }
    }

    fn put_joined(&mut self, draft: Draft, limits: &Limits) {
        match self.joined.get_mut(&draft.key) {
            Some(known) => known.merge(draft, limits.evidence),
            None => {
                self.joined.insert(draft.key.clone(), draft);
            }
        }
    }

    /// The conversation of that key, if it is kept apart.
    pub fn find(&mut self, key: &ConversationKey) -> Option<&mut Draft> {
        self.standings[standing(&key.content)].get_mut(&Place::of(key))
    }

    /// The conversations that are kept apart.
    pub fn apart(&self) -> impl Iterator<Item = &Draft> {
        self.standings.iter().flat_map(BTreeMap::values)
    }

    /// The same, to be added to.
    pub fn apart_mut(&mut self) -> impl Iterator<Item = &mut Draft> {
        self.standings.iter_mut().flat_map(BTreeMap::values_mut)
    }

    /// Flows whose conversations were joined.
    pub fn joined(&self) -> u64 {
        self.joined.values().map(|d| d.flows).sum()
    }

    /// All of them, in a fixed order.
    pub fn into_drafts(self) -> impl Iterator<Item = Draft> {
        self.standings.into_iter().flat_map(BTreeMap::into_values).chain(self.joined.into_values())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn draft(n: u32, content: Content, at: i64) -> Draft {
        let key = ConversationKey {
            endpoint: format!("10.0.{}.{}:443", n >> 8, n & 255),
            path: "tls".into(),
            content,
        };
        Draft { messages: 1, flows: 1, server: key.endpoint.clone(), ..Draft::new(key, Timestamp(at)) }
    }

    fn all(drafts: impl Iterator<Item = Draft>) -> Vec<Draft> {
        let limits = Limits::default();
        let mut crowd = Crowd::default();
        drafts.for_each(|d| crowd.add(d, &limits));
        crowd.into_drafts().collect()
    }

    #[test]
    fn who_is_kept_apart_does_not_depend_on_who_came_first() {
        let limits = Limits::default();
        let many =
            || (0..5000u32).flat_map(|n| [(n, 0), (n, 7)]).map(|(n, at)| draft(n, Content::Sealed, at));
        let forwards = all(many());
        let backwards = all(many().collect::<Vec<_>>().into_iter().rev());
        assert_eq!(forwards, backwards);
        assert_eq!(forwards.len(), APART[1] + 1);
        assert_eq!(forwards.last().map(|d| (d.key.endpoint.as_str(), d.flows)), Some((OTHERS, 6000)));
        // Two shards that split the flows of every conversation.
        let (mut one, mut two) = (Crowd::default(), Crowd::default());
        for (i, d) in many().enumerate() {
            if i % 3 == 0 { one.add(d, &limits) } else { two.add(d, &limits) }
        }
        for d in two.into_drafts() {
            one.add(d, &limits);
        }
        assert_eq!(one.joined(), 6000);
        assert_eq!(one.into_drafts().collect::<Vec<_>>(), forwards);
    }

    #[test]
    fn paths_of_those_that_are_joined_have_a_bound_in_any_order() {
        let of = |n: u32| {
            let content = if n.is_multiple_of(2) { Content::Text } else { Content::Background };
            let key = ConversationKey { endpoint: OTHERS.into(), path: format!("p{}", n / 2), content };
            Draft { flows: 1, ..Draft::new(key, Timestamp(0)) }
        };
        let forwards = all((0..6000).map(of));
        assert_eq!(forwards, all((0..6000).rev().map(of)));
        assert!(forwards.len() <= JOINED);
        assert_eq!(forwards.iter().map(|d| d.flows).sum::<u64>(), 6000);
    }

    #[test]
    fn who_is_joined_makes_no_claim_and_who_is_apart_may() {
        let many = 0..APART[0] as u32 + 3;
        let kept = all(many.map(|n| draft(n, Content::Envelope("P".into()), 0)));
        let limited: Vec<&Draft> = kept.iter().filter(|d| d.limited).collect();
        assert_eq!(
            limited.iter().map(|d| (d.key.endpoint.as_str(), d.flows)).collect::<Vec<_>>(),
            [(OTHERS, 3)]
        );
    }

    #[test]
    fn a_named_service_is_kept_before_bare_addresses() {
        let named = ConversationKey {
            endpoint: "chat.example:443".into(),
            path: "tls".into(),
            content: Content::Sealed,
        };
        let last = Draft::new(named.clone(), Timestamp(9));
        let kept = all((0..4000).map(|n| draft(n, Content::Sealed, 0)).chain([last]));
        assert!(kept.iter().any(|d| d.key == named));
    }
}
