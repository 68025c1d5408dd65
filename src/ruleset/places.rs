//! Which rules look at a place, remembered. Traffic comes back to the same few fields (a header, a key of
//! an object) again and again, while matching every glob of every rule against a path is slow.

use super::Subject;
use super::compile::clean;
use crate::model::Side;
use crate::peel::{Form, Guard};
use rustc_hash::{FxHashMap, FxHasher};
use std::cell::RefCell;
use std::hash::{Hash, Hasher};

/// Places that a thread remembers; then it begins anew.
const REMEMBERED: usize = 4096;
/// A longer path (keys may come from the traffic) is worked out every time.
const LONGEST: usize = 512;

/// Everything that the choice of rules depends on.
struct Place {
    serial: u64,
    side: Side,
    guard: Guard,
    form: Form,
    layers: Box<str>,
    field: Box<str>,
    rules: Box<[u16]>,
}

#[derive(Default)]
struct Places {
    known: FxHashMap<u64, Place>,
    field: String,
}

thread_local! {
    static PLACES: RefCell<Places> = RefCell::default();
}

/// Calls `ask` for every rule that looks at the subject's place; `find` works them out from the cleaned
/// field path where they are not known.
pub(super) fn looking(
    serial: u64,
    subject: &Subject<'_>,
    find: impl Fn(&str) -> Vec<u16>,
    ask: &mut impl FnMut(u16),
) {
    PLACES.with_borrow_mut(|places| {
        let Places { known, field } = places;
        field.clear();
        clean(subject.field, field);
        let hash = hash(serial, subject, field);
        if let Some(place) = known.get(&hash)
            && place.is(serial, subject, field)
        {
            return place.rules.iter().for_each(|r| ask(*r));
        }
        let rules = find(field);
        rules.iter().for_each(|r| ask(*r));
        if field.len() + subject.layers.len() > LONGEST {
            return;
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let place = Place {
            serial,
            side: subject.side,
            guard: subject.guard,
            form: subject.form,
            layers: subject.layers.into(),
            field: field.as_str().into(),
            rules: rules.into(),
        };
        known.insert(hash, place);
    });
}

fn hash(serial: u64, subject: &Subject<'_>, field: &str) -> u64 {
    let mut hasher = FxHasher::default();
    serial.hash(&mut hasher);
    (subject.side, subject.guard, subject.form).hash(&mut hasher);
    subject.layers.hash(&mut hasher);
    field.hash(&mut hasher);
    hasher.finish()
}

impl Place {
    fn is(&self, serial: u64, subject: &Subject<'_>, field: &str) -> bool {
        self.serial == serial
            && (self.side, self.guard, self.form) == (subject.side, subject.guard, subject.form)
            && *self.layers == *subject.layers
            && *self.field == *field
    }
}
