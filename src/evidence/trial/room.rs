//! What one flow may keep for trials, and what it has kept of it.

use super::{Candidate, Named, Secret, Stood};
use crate::peel::Guard;
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// Fields of one sort, and bytes of them, that one flow keeps.
const FIELDS: usize = 256;
const BYTES: usize = 256 << 10;

/// What one flow has kept. Envelopes, bare ciphertexts and what is called something else do not take each
/// other's room; neither do secrets that stood there differently.
#[derive(Debug, Clone, Default)]
pub struct Room {
    fields: [Held; 3],
    /// The secrets, by a number for each, and how they stood there.
    secrets: FxHashMap<u64, Stood>,
    stood: [usize; Stood::ALL.len()],
}

#[derive(Debug, Clone, Copy, Default)]
struct Held {
    fields: usize,
    bytes: usize,
}

impl Room {
    /// Takes the room of one more field, if there is so much.
    pub fn takes(&mut self, format: Option<&str>, named: Named, bytes: usize) -> bool {
        let sort = match (format, named) {
            (Some(_), _) => 0,
            (None, Named::Other) => 1,
            (None, _) => 2,
        };
        let Some(held) = self.fields.get_mut(sort) else { return false };
        if held.fields >= FIELDS || held.bytes + bytes > BYTES {
            return false;
        }
        held.fields += 1;
        held.bytes += bytes;
        true
    }

    /// Whether a secret is to be added to those that are kept: once, and where it stood likeliest. One that
    /// was kept as less likely goes out for it.
    pub fn takes_secret(
        &mut self,
        candidates: &mut Vec<Candidate>,
        secret: &Secret,
        guard: Guard,
        stood: Stood,
    ) -> Taken {
        let mut hasher = FxHasher::default();
        (secret, guard).hash(&mut hasher);
        let number = hasher.finish();
        let known = self.secrets.get(&number).copied();
        if known.is_some_and(|known| known <= stood) {
            return Taken::Known;
        }
        let Some(held) = self.stood.get_mut(stood as usize).filter(|held| **held < stood.room()) else {
            return if known.is_some() { Taken::Known } else { Taken::Full };
        };
        *held += 1;
        if let Some(held) = known.and_then(|known| self.stood.get_mut(known as usize)) {
            *held -= 1;
            candidates.retain(|c| c.secret != *secret || c.guard != guard);
        }
        self.secrets.insert(number, stood);
        Taken::New
    }
}

/// What becomes of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is kept already.
    Known,
    /// There is room for it.
    New,
    /// There is none.
    Full,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::trial::tests::candidate;

    #[test]
    fn a_secret_is_kept_once_and_where_it_stood_likeliest() {
        let (mut room, mut kept) = (Room::default(), Vec::new());
        let mut see = |n: u16, stood| {
            let secret = Secret::Key(n.to_be_bytes().repeat(8));
            let taken = room.takes_secret(&mut kept, &secret, Guard::Confidential, stood);
            if taken == Taken::New {
                kept.push(Candidate { stood, ..candidate(secret) });
            }
            (taken, kept.len())
        };
        assert_eq!(see(0, Stood::Misnamed), (Taken::New, 1));
        assert_eq!(see(0, Stood::Misnamed), (Taken::Known, 1));
        assert_eq!(see(0, Stood::Called), (Taken::New, 1));
        assert_eq!(see(0, Stood::Alone), (Taken::Known, 1));
        let misnamed = Stood::Misnamed.room();
        for n in 1..=misnamed as u16 {
            assert_eq!(see(n, Stood::Misnamed).0, Taken::New);
        }
        assert_eq!(see(5000, Stood::Misnamed), (Taken::Full, misnamed + 1));
        assert_eq!(see(5000, Stood::Called), (Taken::New, misnamed + 2));
    }

    #[test]
    fn so_many_fields_and_bytes_of_them_are_kept_of_each_sort() {
        let mut room = Room::default();
        assert!((0..FIELDS).all(|_| room.takes(None, Named::Other, 32)));
        assert!(!room.takes(None, Named::Other, 32) && room.takes(None, Named::Nothing, 32));
        assert!(room.takes(Some("jwe-compact"), Named::Nothing, BYTES));
        assert!(!room.takes(Some("jwe-compact"), Named::Nothing, 1));
    }
}
