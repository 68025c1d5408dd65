//! Short messages that were probed lately, with what came of it. The same header values, names and words
//! come back all the time, and asking every layer about them again would be most of the work. Probes see
//! nothing but what is compared here, so the answer is the same.

use super::{Form, Spec};
use crate::model::{Side, Trust};
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// Longer messages hardly come back.
const LONGEST: usize = 256;
/// Places; a message takes the place of the last one with the same.
const PLACES: usize = 1024;

/// What a message was taken for.
pub(super) type Taken = Option<(&'static Spec, Trust)>;

/// What a probe sees of a whole message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub bytes: &'a [u8],
    pub form: Form,
    pub side: Side,
    pub server_port: u16,
}

#[derive(Debug)]
struct Known {
    bytes: Box<[u8]>,
    form: Form,
    side: Side,
    server_port: u16,
    taken: Taken,
}

/// The messages.
#[derive(Debug, Default)]
pub(super) struct Recent {
    places: Vec<Option<Known>>,
}

impl Recent {
    /// What an equal message was taken for.
    pub fn find(&self, seen: &Seen<'_>) -> Option<Taken> {
        let known = self.places.get(place(seen)?)?.as_ref()?;
        let same = *known.bytes == *seen.bytes
            && (known.form, known.side, known.server_port) == (seen.form, seen.side, seen.server_port);
        same.then_some(known.taken)
    }

    /// Keeps what a message was taken for.
    pub fn keep(&mut self, seen: &Seen<'_>, taken: Taken) {
        let Some(place) = place(seen) else { return };
        if self.places.is_empty() {
            self.places.resize_with(PLACES, || None);
        }
        let Seen { bytes, form, side, server_port } = *seen;
        if let Some(at) = self.places.get_mut(place) {
            *at = Some(Known { bytes: bytes.into(), form, side, server_port, taken });
        }
    }
}

fn place(seen: &Seen<'_>) -> Option<usize> {
    if seen.bytes.len() > LONGEST {
        return None;
    }
    let mut hasher = FxHasher::default();
    hasher.write(seen.bytes);
    hasher.write_u32(u32::from(seen.server_port) << 8 | (seen.form as u32) << 4 | seen.side as u32);
    Some((hasher.finish() >> 20) as usize % PLACES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_equal_message_has_an_equal_answer() {
        let mut recent = Recent::default();
        let seen = Seen { bytes: b"text/html", form: Form::Text, side: Side::Server, server_port: 80 };
        assert!(recent.find(&seen).is_none());
        recent.keep(&seen, None);
        assert_eq!(recent.find(&seen), Some(None));
        for other in [
            Seen { bytes: b"text/htm", ..seen },
            Seen { form: Form::Binary, ..seen },
            Seen { side: Side::Client, ..seen },
            Seen { server_port: 25, ..seen },
        ] {
            assert!(recent.find(&other).is_none(), "{other:?}");
        }
        let long = [b'x'; LONGEST + 1];
        recent.keep(&Seen { bytes: &long, ..seen }, None);
        assert!(recent.find(&Seen { bytes: &long, ..seen }).is_none());
    }
}
