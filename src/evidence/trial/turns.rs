//! Which secret is tried on which field, in which order: first what is called a key, on every field; then,
//! field by field, what is called nothing; last what is called something else. The bound on work holds over
//! all of it, and what it left untried is told.

use super::{Budget, Candidate, Field, Named, Opened, Plain, Secret, Stood, is_ciphertext, open};
use crate::evidence::same_service;
use std::collections::{BTreeMap, BTreeSet};

/// Fields of the same bytes and surroundings: what opens one opens all of them, and what does not open one
/// opens none.
type Alike = Vec<usize>;

/// Tries every candidate on every field, within the budget: at most one opening per field. Beside what was
/// opened stand the fields that the bound left untried.
pub fn try_within<'f>(
    candidates: &[Candidate],
    fields: &'f [Field],
    budget: Budget,
) -> (Vec<Opened>, Vec<&'f Field>) {
    let mut run = Run { candidates, fields, sightings: sightings(candidates), budget, opened: Vec::new() };
    let [mut called, mut unnamed, mut misnamed] = order(candidates);
    let (aside, closed) = alike(fields);
    let (closed, mut untried) = run.round(closed, &mut called);
    let (closed, unreached) = run.round(closed, &mut unnamed);
    untried.extend(unreached);
    untried.extend(run.round(closed, &mut misnamed).1);
    let mut all = [called, unnamed, misnamed].concat();
    untried.extend(run.round(aside, &mut all).1);
    let mut opened = run.opened;
    opened.sort_by_key(|o| o.field);
    let mut untried: Vec<usize> = untried.concat();
    untried.sort_unstable();
    (opened, untried.into_iter().filter_map(|f| fields.get(f)).collect())
}

struct Run<'a> {
    candidates: &'a [Candidate],
    fields: &'a [Field],
    sightings: BTreeMap<&'a Secret, Vec<usize>>,
    budget: Budget,
    opened: Vec<Opened>,
}

impl Run<'_> {
    /// Tries some keys on some fields. Returns the fields that stayed closed, and those for which the work
    /// did not suffice.
    fn round(&mut self, fields: Vec<Alike>, keys: &mut [usize]) -> (Vec<Alike>, Vec<Alike>) {
        let (mut closed, mut unreached) = (Vec::new(), Vec::new());
        for alike in fields {
            match self.turn(&alike, keys) {
                Some((candidate, plain)) => self.add(&alike, candidate, &plain),
                None if self.budget.missed() => unreached.push(alike),
                None => closed.push(alike),
            }
        }
        (closed, unreached)
    }

    fn turn(&mut self, alike: &[usize], keys: &mut [usize]) -> Option<(usize, Plain)> {
        let field = self.fields.get(*alike.first()?)?;
        self.budget.begin();
        for place in 0..keys.len() {
            let candidate = *keys.get(place)?;
            if self.budget.is_spent() {
                return None;
            }
            if let Some(plain) = open(&self.candidates.get(candidate)?.secret, field, &mut self.budget) {
                // A key that opened one field most likely opens the next: it goes first.
                keys.get_mut(..=place)?.rotate_right(1);
                return Some((candidate, plain));
            }
        }
        None
    }

    /// Of several sightings of the secret the one counts that says most: the one that the most could see,
    /// at the service that has the field.
    fn add(&mut self, alike: &[usize], candidate: usize, plain: &Plain) {
        let Some(secret) = self.candidates.get(candidate).map(|c| &c.secret) else { return };
        let sightings = self.sightings.get(secret).cloned().unwrap_or_default();
        for field in alike {
            let Some(f) = self.fields.get(*field) else { continue };
            let says = |c: &usize| {
                let seen = self.candidates.get(*c)?;
                let elsewhere = !same_service(&seen.endpoint, &f.conversation.endpoint);
                Some((seen.guard.max(f.guard), elsewhere, *c))
            };
            let candidate = sightings.iter().copied().min_by_key(says).unwrap_or(candidate);
            self.opened.push(Opened { field: *field, candidate, plain: plain.clone() });
        }
    }
}

/// The places of every secret.
fn sightings(candidates: &[Candidate]) -> BTreeMap<&Secret, Vec<usize>> {
    let mut all: BTreeMap<&Secret, Vec<usize>> = BTreeMap::new();
    for (c, candidate) in candidates.iter().enumerate() {
        all.entry(&candidate.secret).or_default().push(c);
    }
    all
}

/// Every secret once, where it is likeliest: those called keys, those called nothing, those called
/// something else.
fn order(candidates: &[Candidate]) -> [Vec<usize>; 3] {
    let mut likely: Vec<usize> = (0..candidates.len()).collect();
    likely.sort_by_key(|c| candidates[*c].stood);
    let mut known = BTreeSet::new();
    likely.retain(|c| known.insert(&candidates[*c].secret));
    let of = |is: fn(Stood) -> bool| likely.iter().copied().filter(|c| is(candidates[*c].stood)).collect();
    [
        of(|s| s == Stood::Called),
        of(|s| matches!(s, Stood::Alone | Stood::InText)),
        of(|s| s == Stood::Misnamed),
    ]
}

/// The fields that may be ciphertexts, equal ones together: those that are called something else, and the
/// others.
fn alike(fields: &[Field]) -> (Vec<Alike>, Vec<Alike>) {
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    let mut all: Vec<Alike> = Vec::new();
    for (f, field) in fields.iter().enumerate().filter(|(_, f)| is_ciphertext(f)) {
        let what = (&field.bytes, &field.format, &field.nearby, &field.nonce, field.rounds);
        let place = *known.entry(what).or_insert(all.len());
        match all.get_mut(place) {
            Some(alike) => alike.push(f),
            None => all.push(vec![f]),
        }
    }
    all.into_iter().partition(|alike| alike.iter().all(|f| fields[*f].named == Named::Other))
}
