//! Opening records where the keys in use must be found: early data, one-sided and mid-stream captures,
//! records behind a loss. The tag decides; every search is bounded.

use super::opener::Opener;
use super::suite::suite;
use super::{APPLICATION, Epoch, Tls, header};
use crate::keys::Label;
use crate::model::Side;
use crate::peel::{Input, Out, Step, Why};
use std::ops::Range;

/// Sequence numbers tried ahead after a loss.
const AHEAD: u64 = 1024;
/// Sequence numbers tried with each secret of the log for a session whose handshake is missing.
const WINDOW: u64 = 256;
/// Records opened at most in one search.
const TRIALS: u64 = 60_000;

type Opened = Option<(Option<u8>, Range<usize>)>;

impl Tls {
    /// Opens a protected record, with the keys in use or with those that a search finds.
    pub(super) fn open(
        &mut self,
        side: Side,
        head: [u8; 5],
        body: &[u8],
        buffer: &mut [u8],
        out: &mut Out<'_, '_>,
    ) -> Opened {
        let inner = if self.is_13() { None } else { Some(head[0]) };
        let half = &mut self.halves[side];
        if let Some(opener) = &mut half.opener {
            if let Some(range) = opener.open(head, half.seq, buffer) {
                half.seq += 1;
                half.attempts = 0;
                return Some((inner, range));
            }
            buffer.copy_from_slice(body);
        }
        if !self.is_13() {
            let half = &mut self.halves[side];
            half.seq += u64::from(half.opener.is_some());
            return None;
        }
        if self.halves[side].attempts > 4 || self.halves[side].why.is_some() {
            return None;
        }
        self.search(side, head, body, buffer, out).map(|range| (None, range))
    }

    /// Tries every secret that may belong to this side.
    fn search(
        &mut self,
        side: Side,
        head: [u8; 5],
        body: &[u8],
        buffer: &mut [u8],
        out: &Out<'_, '_>,
    ) -> Option<Range<usize>> {
        let mut left = TRIALS;
        if let Some(client) = &self.client {
            let random = client.random;
            let epochs: &[(Label, Epoch)] = match side {
                Side::Client => &[
                    (Label::ClientEarly, Epoch::Early),
                    (Label::ClientHandshake, Epoch::Handshake),
                    (Label::ClientTraffic, Epoch::Traffic),
                ],
                Side::Server => {
                    &[(Label::ServerHandshake, Epoch::Handshake), (Label::ServerTraffic, Epoch::Traffic)]
                }
            };
            for (label, epoch) in epochs {
                let Some(secret) = out.keys().secret(&random, *label) else { continue };
                let window = if *epoch == Epoch::Traffic { WINDOW } else { 4 };
                if let Some(found) =
                    self.try_secret(side, secret, *epoch, window, head, body, buffer, &mut left)
                {
                    return Some(found);
                }
            }
            return None;
        }
        let label = if side == Side::Client { Label::ClientTraffic } else { Label::ServerTraffic };
        for (_, secret) in out.keys().all(label) {
            if let Some(found) =
                self.try_secret(side, secret, Epoch::Traffic, WINDOW, head, body, buffer, &mut left)
            {
                return Some(found);
            }
        }
        None
    }

    #[allow(clippy::too_many_arguments)] // one trial's facts, none of which belong together
    fn try_secret(
        &mut self,
        side: Side,
        secret: &[u8],
        epoch: Epoch,
        window: u64,
        head: [u8; 5],
        body: &[u8],
        buffer: &mut [u8],
        left: &mut u64,
    ) -> Option<Range<usize>> {
        let known = self.server.as_ref().map(|s| s.suite);
        let all: &[u16] = if secret.len() == 48 { &[0x1302] } else { &[0x1301, 0x1303, 0x1304, 0x1305] };
        for code in all.iter().filter(|c| known.is_none_or(|k| k == **c)) {
            let Some(mut opener) = suite(*code).and_then(|s| Opener::tls13(s, secret)) else { continue };
            for seq in 0..window {
                *left = left.checked_sub(1)?;
                buffer.copy_from_slice(body);
                if let Some(range) = opener.open(head, seq, buffer) {
                    let half = &mut self.halves[side];
                    half.opener = Some(opener);
                    half.seq = seq + 1;
                    half.epoch = epoch;
                    half.secret = secret.to_vec();
                    half.attempts = 0;
                    return Some(range);
                }
            }
        }
        buffer.copy_from_slice(body);
        None
    }

    /// After a loss: finds the next record boundary, by a tag where a key is in use, else by a
    /// plausible header.
    pub(super) fn resynchronise(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let side = input.side;
        let bytes = input.bytes;
        let mut seal = |this: &mut Self, n: usize| {
            this.halves[side].sealed += n as u64;
            out.declare_sealed(n as u64);
        };
        for at in 0..bytes.len() {
            let rest = &bytes[at..];
            let Some((head, len)) = header(rest).filter(|(h, _)| h[..3] == [APPLICATION, 3, 3]) else {
                if rest.len() < 5 && !input.end {
                    seal(self, at);
                    return Step::more(at, 5);
                }
                continue;
            };
            let Some(body) = rest.get(5..5 + len) else {
                if input.end {
                    continue;
                }
                seal(self, at);
                return Step::more(at, 5 + len);
            };
            if self.resume(side, head, body) {
                self.halves[side].lost = false;
                seal(self, at);
                out.note("tls-resynchronised");
                return Step::again(at);
            }
        }
        seal(self, bytes.len());
        Step::again(bytes.len())
    }

    /// Whether this is the boundary; sets the sequence number where a key tells it.
    fn resume(&mut self, side: Side, head: [u8; 5], body: &[u8]) -> bool {
        let half = &mut self.halves[side];
        let Some(opener) = &mut half.opener else {
            half.why.get_or_insert(Why::NoKey);
            return head[1..3] == [3, 3] && body.len() > 16;
        };
        let mut buffer = body.to_vec();
        for seq in half.seq..half.seq.saturating_add(AHEAD) {
            buffer.copy_from_slice(body);
            if opener.open(head, seq, &mut buffer).is_some() {
                half.seq = seq;
                return true;
            }
        }
        false
    }
}
