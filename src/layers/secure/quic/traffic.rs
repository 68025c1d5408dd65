//! The keys of one side and one kind of packet: found by trial, updated with the key phase
//! (RFC 9001 section 6).

use super::keys::{Keys, Suite, Version, whole_number};

/// Key updates that may have been lost in a row.
const AHEAD: u32 = 4;
/// Packets in a row that no key opened, after which only the keys at hand are tried.
const FAILURES: u32 = 32;

/// Upper parts of a packet number that are tried where it is not known. Senders use more bytes for a number
/// the more packets are under way, so few are enough.
const WINDOWS: u64 = 64;

/// See the module.
#[derive(Default)]
pub(super) struct Traffic {
    /// The keys that header protection belongs to.
    first: Option<Keys>,
    /// Keys in use after updates; `None` while the first ones are.
    current: Option<Keys>,
    previous: Option<Keys>,
    next: Option<Keys>,
    generation: u64,
    updated: bool,
    failures: u32,
    /// Nothing was opened yet of a connection that is far on its way.
    joined: bool,
}

impl Traffic {
    /// Of a connection whose beginning another flow holds.
    pub fn joined() -> Self {
        Self { joined: true, ..Self::default() }
    }

    /// Whether an update was seen since the last call.
    pub fn take_updated(&mut self) -> bool {
        std::mem::take(&mut self.updated)
    }

    /// Opens a packet; yields its payload and number. `phased` packets carry a key phase.
    #[allow(clippy::too_many_arguments)] // a packet and what its keys come from
    pub fn open(
        &mut self,
        secret: &[u8],
        suites: &[Suite],
        version: Version,
        packet: &[u8],
        at: usize,
        expected: u64,
        phased: bool,
    ) -> Option<(Vec<u8>, u64)> {
        if self.first.is_some() {
            return self.open_known(packet, at, expected, phased);
        }
        if self.failures >= FAILURES {
            return None;
        }
        let other = if version == Version::V2 { Version::V1(1) } else { Version::V2 };
        for version in [version, other] {
            for suite in suites {
                self.first = Keys::new(version, *suite, secret);
                if let Some(found) = self.open_known(packet, at, expected, phased) {
                    self.failures = 0;
                    return Some(found);
                }
            }
        }
        self.first = None;
        self.failures += 1;
        None
    }

    fn open_known(
        &mut self,
        packet: &[u8],
        at: usize,
        expected: u64,
        phased: bool,
    ) -> Option<(Vec<u8>, u64)> {
        if self.joined {
            return self.open_joined(packet, at, phased);
        }
        let first = self.first.as_ref()?;
        let unmasked = first.unmask(packet, at)?;
        let number = whole_number(expected, unmasked.short, unmasked.length);
        let with = |keys: &Keys| keys.open(packet, at, unmasked, number).map(|plain| (plain, number));
        let phase = unmasked.first & 4 != 0;
        let same = !phased || phase == (self.generation % 2 == 1);
        if same {
            let found = with(self.current.as_ref().unwrap_or(first));
            if found.is_some() || !phased {
                return found;
            }
        } else {
            if let Some(found) = self.previous.as_ref().and_then(with) {
                return Some(found);
            }
            if self.next.is_none() {
                self.next = self.current.as_ref().unwrap_or(first).updated();
            }
            if let Some(found) = self.next.as_ref().and_then(with) {
                self.advance();
                return Some(found);
            }
        }
        if self.failures >= FAILURES {
            return None;
        }
        let found = self.search(same, packet, at, unmasked, number);
        self.failures = if found.is_some() { 0 } else { self.failures + 1 };
        found
    }

    /// Neither the upper part of the packet's number nor the generation of its keys is known: the tag decides.
    fn open_joined(&mut self, packet: &[u8], at: usize, phased: bool) -> Option<(Vec<u8>, u64)> {
        let first = self.first.as_ref()?;
        let unmasked = first.unmask(packet, at)?;
        let phase = u64::from(unmasked.first & 4 != 0);
        let mut later = None;
        for generation in 0..=u64::from(AHEAD) {
            let keys = later.as_ref().unwrap_or(first);
            if !phased || generation % 2 == phase {
                let number = |window: u64| unmasked.short + (window << (8 * unmasked.length));
                let opened = |n: u64| keys.open(packet, at, unmasked, n).map(|plain| (plain, n));
                if let Some(found) = (0..WINDOWS).map(number).find_map(opened) {
                    self.joined = false;
                    (self.generation, self.current) = (generation, later);
                    return Some(found);
                }
            }
            later = Some(keys.updated()?);
        }
        None
    }

    /// The generation after the one in use becomes the one in use.
    fn advance(&mut self) {
        let old = std::mem::replace(&mut self.current, self.next.take());
        // The first generation has no second copy; it is made again from its secret when needed.
        self.previous = old.or_else(|| self.first.as_ref().and_then(Keys::again));
        self.generation += 1;
        self.updated = true;
    }

    /// Generations further on, where all packets of one or more were lost.
    fn search(
        &mut self,
        same: bool,
        packet: &[u8],
        at: usize,
        unmasked: super::keys::Unmasked,
        number: u64,
    ) -> Option<(Vec<u8>, u64)> {
        let mut keys = self.current.as_ref().or(self.first.as_ref())?.updated()?;
        for step in 1..=AHEAD {
            // Only every other generation has the packet's phase.
            if (step % 2 == 0) == same
                && let Some(plain) = keys.open(packet, at, unmasked, number)
            {
                self.previous = None;
                self.next = None;
                self.current = Some(keys);
                self.generation += u64::from(step);
                self.updated = true;
                return Some((plain, number));
            }
            keys = keys.updated()?;
        }
        None
    }
}
