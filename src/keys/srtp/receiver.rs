//! One stream of media under its keys: it keeps count of how often the sequence number wrapped.

use super::{Packet, Session};

/// Keys of one source, and where its packets are.
pub struct Receiver {
    session: Session,
    /// Length of the key identifier behind every payload.
    identifier: usize,
    /// How often the sequence number has wrapped, and the highest one since.
    rollover: u32,
    highest: u16,
}

/// A recording may begin late: so many turns of the sequence number are tried. With 50 packets a second it
/// turns every 22 minutes.
const LATE: u32 = 64;
/// Turns that a hole in the recording may hide.
const HOLE: u32 = 2;

impl Receiver {
    /// The keys with a packet that they open, and its payload.
    pub fn begin(session: Session, packet: &Packet<'_>) -> Option<(Self, Vec<u8>)> {
        let found = |id: &usize| Some((*id, session.find(packet, *id, LATE)?));
        let (identifier, rollover) = session.identifiers().iter().find_map(found)?;
        let payload = session.open(packet, identifier, rollover)?;
        Some((Self { session, identifier, rollover, highest: packet.number }, payload))
    }

    /// The payload of a later packet, if its tag is right.
    pub fn open(&mut self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let likely = self.estimate(packet.number);
        let open = |rollover: u32| Some((rollover, self.session.open(packet, self.identifier, rollover)?));
        let (rollover, payload) = (0..=HOLE).find_map(|more| likely.checked_add(more).and_then(open))?;
        if (rollover, packet.number) > (self.rollover, self.highest) {
            (self.rollover, self.highest) = (rollover, packet.number);
        }
        Some(payload)
    }

    /// The turn that a sequence number most likely belongs to (RFC 3711 appendix A).
    fn estimate(&self, number: u16) -> u32 {
        const HALF: u16 = 0x8000;
        if self.highest < HALF && number.saturating_sub(self.highest) > HALF {
            self.rollover.saturating_sub(1)
        } else if self.highest >= HALF && self.highest - HALF > number {
            self.rollover.saturating_add(1)
        } else {
            self.rollover
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Profile;
    use super::super::session::tests::unhex;
    use super::*;

    const KEY: &str = "e1f97a0d3e018be0d64fa32c06de4139";
    const SALT: &str = "0ec675ad498afeebb6960b3aabe6";

    fn session(profile: Profile) -> Session {
        Session::new(profile, &unhex(KEY), &unhex(SALT)).unwrap()
    }

    fn open(receiver: &mut Receiver, packet: &str) -> Option<Vec<u8>> {
        receiver.open(&Packet::read(&unhex(packet)).unwrap())
    }

    #[test]
    fn a_packet_opens_and_a_damaged_one_does_not() {
        let sealed = unhex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb");
        let packet = Packet::read(&sealed).unwrap();
        let (mut receiver, text) = Receiver::begin(session(Profile::Counter(16, 10)), &packet).unwrap();
        assert_eq!(text, [0xab; 16]);
        for at in [3, 5, 14, 30] {
            let mut damaged = sealed.clone();
            damaged[at] ^= 4;
            assert_eq!(receiver.open(&Packet::read(&damaged).unwrap()), None, "{at}");
        }
        assert!(Receiver::begin(session(Profile::Counter(16, 4)), &packet).is_none());
    }

    /// Made with another implementation; an identifier of one octet stands before the tags.
    #[test]
    fn the_turns_of_the_sequence_number_are_found_and_followed() {
        let late = unhex("800fffffdecafbadcafebabe2ae170ec74e7bc01e9d3fce7e3a1a15da627");
        let packet = Packet::read(&late).unwrap();
        let (mut receiver, text) = Receiver::begin(session(Profile::Counter(16, 10)), &packet).unwrap();
        assert_eq!((text.as_slice(), receiver.rollover), (&b"see you"[..], 5));
        for (packet, rollover) in [
            ("800f0002decafbadcafebabec2ef4eb4262f15010a6c409ec1757428d6e1", 6),
            // From before the turn.
            ("800ffffedecafbadcafebabef82b2837459b39013cdf9032b5d71d2f59cd", 6),
            // Behind a hole of more than a turn, and of two.
            ("800f9c40decafbadcafebabece028b5086052d01836ec70cd61869a868b7", 7),
            ("800f0064decafbadcafebabecfa7bb349014ed01ccc76f04998377d6f6ac", 9),
        ] {
            assert_eq!(open(&mut receiver, packet).as_deref(), Some(&b"see you"[..]), "{packet}");
            assert_eq!(receiver.rollover, rollover, "{packet}");
        }
    }
}
