//! What is kept for trials, within bounds, and what the bounds left out: a secret or a ciphertext that was
//! given up limits the conversations that it may have opened. Joining is commutative and associative.

use super::{Candidate, Field, Named, Secret, Stood};
use crate::evidence::ConversationKey;
use crate::model::Notes;
use crate::peel::Guard;
use rustc_hash::FxHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

/// Different secrets that are tried.
const CANDIDATES: usize = 1024;
/// Opaque fields that they are tried on: the earliest.
const FIELDS: usize = 1024;
/// Fields that are called something else than a ciphertext, likewise.
const ASIDE: usize = 512;
/// Bytes of the fields that are kept.
const FIELD_BYTES: usize = 4 << 20;
/// Conversations of which given up ciphertexts are counted one by one.
const COUNTED: usize = 16_384;

/// What a ciphertext takes to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lock {
    /// A message of a group session.
    Group,
    /// A token under a key (JWE).
    Token,
    /// An OpenPGP message under a password.
    OpenPgp,
    /// A bare ciphertext.
    Bare,
}

impl Lock {
    /// Every lock.
    const ALL: [Lock; 4] = [Lock::Group, Lock::Token, Lock::OpenPgp, Lock::Bare];

    /// Of a field of that format, if any secret is tried on it.
    pub fn of(format: Option<&str>) -> Option<Lock> {
        match format {
            None => Some(Lock::Bare),
            Some(f) if f.starts_with("jwe") => Some(Lock::Token),
            Some(f) if f.starts_with("openpgp") => Some(Lock::OpenPgp),
            Some(f) => super::groups::opens(f).then_some(Lock::Group),
        }
    }

    /// Whether a secret of this sort is tried on it.
    pub fn takes(self, sort: Sort) -> bool {
        match sort {
            Sort::Key => matches!(self, Lock::Token | Lock::Bare),
            Sort::Password => matches!(self, Lock::OpenPgp | Lock::Bare),
            Sort::Material => self == Lock::Group,
        }
    }
}

/// What sort of secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// Bytes of a symmetric key.
    Key,
    /// A password.
    Password,
    /// Key material of a known format.
    Material,
}

impl Sort {
    /// Of a secret.
    pub fn of(secret: &Secret) -> Sort {
        match secret {
            Secret::Key(_) => Sort::Key,
            Secret::Password(_) => Sort::Password,
            Secret::Material { .. } => Sort::Material,
        }
    }
}

/// What the bounds left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenUp {
    /// Sightings of secrets, by sort.
    secrets: BTreeMap<Sort, u64>,
    /// Ciphertexts, by conversation.
    fields: BTreeMap<(ConversationKey, Lock), u64>,
    /// Ciphertexts of conversations beyond those that are counted one by one.
    others: u64,
    /// Sightings of what is called something else than a secret, by sort: less likely, and as untried.
    misnamed: BTreeMap<Sort, u64>,
}

impl GivenUp {
    /// Counts a secret. What is called something else is counted apart: silence of it limits as much.
    pub fn secret(&mut self, stood: Stood, sort: Sort, times: u64) {
        let secrets = if stood == Stood::Misnamed { &mut self.misnamed } else { &mut self.secrets };
        *secrets.entry(sort).or_default() += times;
    }

    /// Counts ciphertexts of a conversation. Which conversations are told apart depends on their names
    /// alone, not on the order of joining.
    pub fn field(&mut self, conversation: ConversationKey, lock: Lock, times: u64) {
        *self.fields.entry((conversation, lock)).or_default() += times;
        if self.fields.len() > COUNTED {
            self.others += self.fields.pop_last().map_or(0, |(_, n)| n);
        }
    }

    /// Joins another's.
    pub fn merge(&mut self, other: GivenUp) {
        for (sort, n) in other.secrets {
            *self.secrets.entry(sort).or_default() += n;
        }
        for (sort, n) in other.misnamed {
            *self.misnamed.entry(sort).or_default() += n;
        }
        for ((conversation, lock), n) in other.fields {
            self.field(conversation, lock, n);
        }
        self.others += other.others;
    }
}

/// Which conversations a bound concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concerned {
    /// These.
    These(BTreeSet<ConversationKey>),
    /// Too many to name: every conversation with ciphertexts.
    All,
}

/// The order in which secrets are kept: the likeliest first, and among equals by a number that favours nobody
/// and does not depend on when or how often a secret was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    stood: Stood,
    number: u64,
    secret: Secret,
    guard: Guard,
    endpoint: String,
}

impl Rank {
    fn of(c: &Candidate) -> Self {
        let mut hasher = FxHasher::default();
        match &c.secret {
            Secret::Key(bytes) | Secret::Material { bytes, .. } => bytes.hash(&mut hasher),
            Secret::Password(word) => word.hash(&mut hasher),
        }
        c.endpoint.hash(&mut hasher);
        Rank {
            stood: c.stood,
            number: hasher.finish(),
            secret: c.secret.clone(),
            guard: c.guard,
            endpoint: c.endpoint.clone(),
        }
    }
}

/// Secrets and ciphertexts of a recording.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// Each with its first sighting and how many there were.
    secrets: BTreeMap<Rank, (Candidate, u64)>,
    fields: Vec<Field>,
    /// Fields that are called something else than a ciphertext.
    aside: Vec<Field>,
    given_up: GivenUp,
}

impl Store {
    /// Adds what one flow kept, and what its own bounds left out.
    pub fn add(&mut self, candidates: Vec<Candidate>, fields: Vec<Field>, given_up: GivenUp) {
        for candidate in candidates {
            self.sighted(candidate, 1);
        }
        let (aside, fields): (Vec<Field>, Vec<Field>) =
            fields.into_iter().partition(|f| f.named == Named::Other);
        self.fields.extend(fields);
        self.aside.extend(aside);
        if self.fields.len() > 2 * FIELDS || self.aside.len() > 2 * ASIDE {
            self.cut_fields();
        }
        self.given_up.merge(given_up);
    }

    /// Joins another shard's.
    pub fn merge(&mut self, other: Store) {
        for (candidate, times) in other.secrets.into_values() {
            self.sighted(candidate, times);
        }
        self.add(Vec::new(), [other.fields, other.aside].concat(), other.given_up);
    }

    /// One that is given up was last in the order, and stays given up however often it is seen again.
    fn sighted(&mut self, candidate: Candidate, times: u64) {
        let (first, all) = self.secrets.entry(Rank::of(&candidate)).or_insert_with(|| (candidate.clone(), 0));
        *all += times;
        if (candidate.origin.time, &candidate) < (first.origin.time, first) {
            *first = candidate;
        }
        if self.secrets.len() > CANDIDATES
            && let Some((rank, (_, times))) = self.secrets.pop_last()
        {
            self.given_up.secret(rank.stood, Sort::of(&rank.secret), times);
        }
    }

    /// Keeps the earliest, whatever the order in which flows end. Those called something else are no loss.
    fn cut_fields(&mut self) {
        for field in cut(&mut self.fields, FIELDS) {
            if let Some(lock) = Lock::of(field.format.as_deref()) {
                self.given_up.field(field.conversation, lock, 1);
            }
        }
        for field in cut(&mut self.aside, ASIDE) {
            if let Some(lock) = Lock::of(field.format.as_deref()) {
                self.given_up.field(field.conversation, lock, 1);
            }
        }
    }

    /// Takes everything out: the secrets in the order in which they are tried, the fields, earliest first
    /// and those called something else last, and the conversations that a bound concerns. Each bound that
    /// left out what mattered is noted.
    pub fn take(&mut self, notes: &mut Notes) -> (Vec<Candidate>, Vec<Field>, Concerned) {
        self.cut_fields();
        let store = std::mem::take(self);
        let mut candidates: Vec<Candidate> = store.secrets.into_values().map(|(c, _)| c).collect();
        candidates.sort_by(|a, b| (a.stood, a.origin.time, a).cmp(&(b.stood, b.origin.time, b)));
        let fields = [store.fields, store.aside].concat();
        let concerned = concerned(&candidates, &fields, &store.given_up, notes);
        (candidates, fields, concerned)
    }
}

/// Cuts fields down to the earliest `most` that hold no more than so many bytes together, and returns the
/// others. What is cut from a part would be cut from the whole as well.
fn cut(fields: &mut Vec<Field>, most: usize) -> Vec<Field> {
    fields.sort_by(|a, b| (a.origin.time, a).cmp(&(b.origin.time, b)));
    let mut bytes = 0;
    let fits = |f: &Field| {
        bytes += f.bytes.len();
        bytes <= FIELD_BYTES
    };
    let kept = fields.iter().take(most).map(fits).take_while(|fits| *fits).count();
    fields.split_off(kept)
}

/// A ciphertext that was given up matters where some secret is of the sort that opens it; a secret that was
/// given up matters to every ciphertext of its sort.
fn concerned(candidates: &[Candidate], fields: &[Field], up: &GivenUp, notes: &mut Notes) -> Concerned {
    let kept: BTreeSet<Sort> = candidates.iter().map(|c| Sort::of(&c.secret)).collect();
    let lost: BTreeSet<Sort> = up.secrets.keys().chain(up.misnamed.keys()).copied().collect();
    let takes = |lock: Lock, sorts: &BTreeSet<Sort>| sorts.iter().any(|s| lock.takes(*s));
    let mut these = BTreeSet::new();
    for field in fields {
        if Lock::of(field.format.as_deref()).is_some_and(|l| takes(l, &lost)) {
            these.insert(field.conversation.clone());
        }
    }
    let mut untried = 0;
    for ((conversation, lock), n) in &up.fields {
        if takes(*lock, &kept) || takes(*lock, &lost) {
            untried += n;
            these.insert(conversation.clone());
        }
    }
    let locks: BTreeSet<Lock> = fields
        .iter()
        .filter_map(|f| Lock::of(f.format.as_deref()))
        .chain(up.fields.keys().map(|(_, lock)| *lock))
        .chain(Lock::ALL.into_iter().filter(|_| up.others > 0))
        .collect();
    for (code, given_up) in [("trial-key-limit", &up.secrets), ("trial-misnamed-limit", &up.misnamed)] {
        let matters = given_up.iter().filter(|(sort, _)| locks.iter().any(|l| l.takes(**sort)));
        notes.add_many(code, matters.map(|(_, n)| n).sum(), None);
    }
    let all = up.others > 0 && !(kept.is_empty() && lost.is_empty());
    notes.add_many("trial-field-limit", untried + if all { up.others } else { 0 }, None);
    if all { Concerned::All } else { Concerned::These(these) }
}

#[cfg(test)]
mod tests;
