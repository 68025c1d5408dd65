//! Finding the session of packets whose handshake was not recorded. The tag decides; the search is bounded.

use super::connection::Connection;
use super::hello::ClientHello;
use super::keys::{Keys, Suite, Version};
use crate::keys::Label;
use crate::peel::Out;

/// Packets tried with every secret of the log, and secrets tried, where the ClientHello is missing.
const SEARCHES: u32 = 8;
const SECRETS: usize = 512;

impl Connection {
    /// Where the ClientHello was not recorded: finds the session among all secrets, by the tag.
    pub(super) fn search(
        &mut self,
        label: Label,
        version: Version,
        packet: &[u8],
        at: usize,
        out: &Out<'_, '_>,
    ) {
        if self.searches >= SEARCHES {
            return;
        }
        self.searches += 1;
        for (random, secret) in out.keys().all(label).take(SECRETS) {
            let opens = |suite: &Suite| {
                let keys = Keys::new(version, *suite, secret)?;
                let unmasked = keys.unmask(packet, at)?;
                keys.open(packet, at, unmasked, unmasked.short)
            };
            if Suite::of_length(secret.len()).iter().any(|s| opens(s).is_some()) {
                self.hello = Some(ClientHello { random: *random, ..ClientHello::default() });
                return;
            }
        }
    }
}
