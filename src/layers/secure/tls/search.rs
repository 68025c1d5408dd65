//! Opening records where the keys in use must be found: early data, one-sided and mid-stream captures,
//! records behind a loss. The tag decides; every search is bounded.

use super::hkdf::expand_label;
use super::opener::Opener;
use super::suite::{Cipher, suite};
use super::{APPLICATION, Epoch, LONGEST, Tls, header};
use crate::keys::Label;
use crate::model::Side;
use crate::peel::{Input, Out, Step, Why};
use std::ops::Range;

/// Sequence numbers tried ahead after a loss.
const AHEAD: u64 = 1024;
/// Sequence numbers tried with each secret of the log for a session whose handshake is missing.
const WINDOW: u64 = 256;
/// Bytes (with a fixed cost for each trial) that searches of one flow may decrypt in all.
const WORK: u64 = 128 << 20;
/// Records that nothing opens before a side is given up.
pub(super) const PATIENCE: u32 = 64;

type Opened = Option<(Option<u8>, Range<usize>)>;

/// One record that is to be opened.
struct Trial<'a> {
    side: Side,
    head: [u8; 5],
    body: &'a [u8],
    buffer: &'a mut [u8],
}

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
                half.missed = 0;
                return Some((inner, range));
            }
            buffer.copy_from_slice(body);
        }
        if !self.halves[side].candidates.is_empty()
            && let Some(range) = self.pick(side, head, body, buffer, out)
        {
            return Some((inner, range));
        }
        let mut trial = Trial { side, head, body, buffer };
        if !self.is_13() {
            let half = &mut self.halves[side];
            half.seq += u64::from(half.opener.is_some());
            return None;
        }
        if let Some(range) = self.behind_damage(&mut trial) {
            return Some((None, range));
        }
        let half = &mut self.halves[side];
        half.missed = half.missed.saturating_add(1);
        if half.missed > PATIENCE || half.why.is_some() {
            return None;
        }
        self.search(&mut trial, out).map(|range| (None, range))
    }

    /// Damaged records that came before were counted by the sender but not here.
    fn behind_damage(&mut self, trial: &mut Trial<'_>) -> Option<Range<usize>> {
        let half = &self.halves[trial.side];
        let (from, missed) = (half.seq, u64::from(half.missed.min(PATIENCE)));
        let mut opener = self.halves[trial.side].opener.take()?;
        let found = self.numbers(&mut opener, trial, from + 1..from + 1 + missed);
        let half = &mut self.halves[trial.side];
        half.opener = Some(opener);
        let (seq, range) = found?;
        half.seq = seq + 1;
        half.missed = 0;
        Some(range)
    }

    /// Tries sequence numbers; spends the flow's budget.
    fn numbers(
        &mut self,
        opener: &mut Opener,
        trial: &mut Trial<'_>,
        numbers: Range<u64>,
    ) -> Option<(u64, Range<usize>)> {
        for seq in numbers {
            let cost = 512 + trial.body.len() as u64;
            if self.work.saturating_add(cost) > WORK {
                return None;
            }
            self.work += cost;
            trial.buffer.copy_from_slice(trial.body);
            if let Some(range) = opener.open(trial.head, seq, trial.buffer) {
                return Some((seq, range));
            }
        }
        trial.buffer.copy_from_slice(trial.body);
        None
    }

    /// Tries every secret that may belong to this side of a TLS 1.3 session.
    fn search(&mut self, trial: &mut Trial<'_>, out: &Out<'_, '_>) -> Option<Range<usize>> {
        if let Some(random) = self.random() {
            return self.search_session(trial, &random, out);
        }
        let keys = out.keys();
        let label = if trial.side == Side::Client { Label::ClientTraffic } else { Label::ServerTraffic };
        for (random, _) in keys.all(label) {
            if let Some(found) = self.search_session(trial, random, out) {
                self.found = Some(*random);
                return Some(found);
            }
        }
        None
    }

    fn search_session(
        &mut self,
        trial: &mut Trial<'_>,
        random: &[u8; 32],
        out: &Out<'_, '_>,
    ) -> Option<Range<usize>> {
        let epochs: &[(Label, Epoch)] = match trial.side {
            Side::Client => &[
                (Label::ClientEarly, Epoch::Early),
                (Label::ClientHandshake, Epoch::Handshake),
                (Label::ClientTraffic, Epoch::Traffic),
            ],
            Side::Server => {
                &[(Label::ServerHandshake, Epoch::Handshake), (Label::ServerTraffic, Epoch::Traffic)]
            }
        };
        let half = &self.halves[trial.side];
        let (now, exact) = (half.epoch, half.whole && self.client.is_some());
        for (label, epoch) in epochs.iter().filter(|(_, e)| *e >= now) {
            let Some(secret) = self.secret(random, *label, out) else { continue };
            // Where the side was seen from its start, a new epoch starts at zero.
            let window = match epoch {
                _ if exact => 1,
                Epoch::Traffic => WINDOW,
                _ => 4,
            };
            if let Some(found) = self.try_secret(trial, &secret, *epoch, window) {
                return Some(found);
            }
        }
        None
    }

    fn try_secret(
        &mut self,
        trial: &mut Trial<'_>,
        secret: &[u8],
        epoch: Epoch,
        window: u64,
    ) -> Option<Range<usize>> {
        let known = self.server.as_ref().map(|s| s.suite);
        let all: &[u16] = if secret.len() == 48 { &[0x1302] } else { &[0x1301, 0x1303, 0x1304, 0x1305] };
        for code in all.iter().filter(|c| known.is_none_or(|k| k == **c)) {
            let Some(mut opener) = suite(*code).and_then(|s| Opener::tls13(s, secret)) else { continue };
            let Some((seq, range)) = self.numbers(&mut opener, trial, 0..window) else { continue };
            let half = &mut self.halves[trial.side];
            half.opener = Some(opener);
            half.seq = seq + 1;
            half.epoch = epoch;
            half.secret = secret.to_vec();
            half.suite = Some(*code);
            half.missed = 0;
            return Some(range);
        }
        None
    }

    /// After a loss: finds the next record boundary, by a tag where a key is in use, else by a
    /// plausible header.
    pub(super) fn resynchronise(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let side = input.side;
        let bytes = input.bytes;
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match boundary(rest) {
                None => at += 1,
                Some(need) if rest.len() < need && !input.end => {
                    self.pass(side, at, out);
                    return Step::more(at, need);
                }
                Some(need) => {
                    let Some((head, body)) =
                        rest.split_first_chunk::<5>().zip(rest.get(5..need)).map(|((h, _), b)| (*h, b))
                    else {
                        at += 1;
                        continue;
                    };
                    if self.resume(side, head, body, out) {
                        self.halves[side].lost = false;
                        self.pass(side, at, out);
                        out.note("tls-resynchronised");
                        return Step::again(at);
                    }
                    at += 1;
                }
            }
        }
        self.pass(side, bytes.len(), out);
        Step::again(bytes.len())
    }

    fn pass(&mut self, side: Side, len: usize, out: &mut Out<'_, '_>) {
        self.halves[side].sealed += len as u64;
        out.declare_sealed(len as u64);
    }

    /// Whether this is the boundary; sets keys and sequence number where the tag tells them.
    fn resume(&mut self, side: Side, head: [u8; 5], body: &[u8], out: &mut Out<'_, '_>) -> bool {
        if !self.is_13() && self.halves[side].opener.is_none() {
            // The ChangeCipherSpec was lost; what stands in records of application data is protected.
            self.change_cipher(side, out);
        }
        if out.keys().is_empty() || self.halves[side].why == Some(Why::Unsupported) || self.unkeyed(side, out)
        {
            return body.len() > 16;
        }
        let mut buffer = body.to_vec();
        let mut trial = Trial { side, head, body, buffer: &mut buffer };
        if let Some(mut opener) = self.halves[side].opener.take() {
            let from = self.halves[side].seq;
            let by_tag = !matches!(opener, Opener::Null { .. } | Opener::Rc4 { .. });
            let found = match by_tag {
                true => self.numbers(&mut opener, &mut trial, from..from.saturating_add(AHEAD)).map(|f| f.0),
                false => Some(from),
            };
            self.halves[side].opener = Some(opener);
            if let Some(seq) = found {
                self.halves[side].seq = seq;
                return true;
            }
        }
        if self.next_generation(&mut trial, out) {
            return true;
        }
        if self.halves[side].epoch != Epoch::Traffic && self.is_13() && self.search(&mut trial, out).is_some()
        {
            // The search counted this record, which will be shown again.
            self.halves[side].seq = self.halves[side].seq.saturating_sub(1);
            return true;
        }
        false
    }

    /// Whether the session is known and the log holds nothing for it.
    fn unkeyed(&self, side: Side, out: &Out<'_, '_>) -> bool {
        let half = &self.halves[side];
        let labels = [
            Label::Master,
            Label::ClientHandshake,
            Label::ServerHandshake,
            Label::ClientTraffic,
            Label::ServerTraffic,
        ];
        half.opener.is_none()
            && half.candidates.is_empty()
            && self.random().is_some_and(|r| labels.iter().all(|l| self.secret(&r, *l, out).is_none()))
    }

    /// A KeyUpdate was lost with the missing bytes (RFC 8446 section 7.2).
    fn next_generation(&mut self, trial: &mut Trial<'_>, out: &mut Out<'_, '_>) -> bool {
        let half = &self.halves[trial.side];
        let code = half.suite.or(self.server.as_ref().map(|s| s.suite));
        let Some(suite) = code.and_then(suite).filter(|s| s.code >> 8 == 0x13 && s.cipher != Cipher::Other)
        else {
            return false;
        };
        if half.epoch != Epoch::Traffic || half.secret.is_empty() {
            return false;
        }
        let hash = suite.hash;
        let secret = expand_label(hash, &half.secret, "traffic upd", hash.len());
        let Some(mut opener) = Opener::tls13(suite, &secret) else { return false };
        let Some((seq, _)) = self.numbers(&mut opener, trial, 0..WINDOW) else { return false };
        let half = &mut self.halves[trial.side];
        half.opener = Some(opener);
        half.secret = secret;
        half.seq = seq;
        out.fact("tls.key_update", true);
        true
    }
}

/// Bytes needed to judge whether a protected record starts here; `None` if none does.
fn boundary(rest: &[u8]) -> Option<usize> {
    const START: [u8; 3] = [APPLICATION, 3, 3];
    let seen = rest.len().min(3);
    if rest.get(..seen) != START.get(..seen)
        && rest.get(..seen) != [APPLICATION, 3, 1].get(..seen)
        && rest.get(..seen) != [APPLICATION, 3, 2].get(..seen)
    {
        return None;
    }
    if rest.len() < 5 {
        return Some(5);
    }
    header(rest).filter(|(_, len)| *len <= LONGEST).map(|(_, len)| 5 + len)
}
