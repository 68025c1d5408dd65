//! Transport Layer Security 1.0 to 1.3, and its kin over datagrams, read by a bystander who may hold the
//! session's secrets.

mod blocks;
mod certificate;
mod dtls;
mod facts;
mod fingerprint;
mod handshake;
mod master;
mod opener;
mod psk;
mod schedule;
mod search;
mod ssl3;
mod transcript;

use super::hello::{self, ClientHello, ServerHello};
use super::{hkdf, suite};
use crate::bytes::Cursor;
use crate::keys::Label;
use crate::layers::imitation;
use crate::model::{Bucket, PerSide, Side};
use crate::peel::{
    AfterGap, By, Child, Eats, End, Family, Form, Guess, Handle, Hint, Input, Out, Peeler, Probe, Spec, Step,
    Why,
};
pub use dtls::SPEC as DTLS;
use master::Master;
use opener::Opener;
use psk::Early;
use transcript::Transcript;

/// The row.
pub static SPEC: Spec = Spec {
    name: "tls",
    title: "Transport Layer Security (RFC 8446, RFC 5246)",
    family: Family::Secure,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Upgrade(t) if t.eq_ignore_ascii_case("tls/1.0") || t.eq_ignore_ascii_case("starttls")),
    shapes: &[],
    probe: Some(probe),
    facts: facts::NAMES,
    notes: &[
        "tls-bad-record",
        "tls-bad-tag",
        "tls-suite-unsupported",
        "tls-lost-record",
        "tls-resynchronised",
        "tls-handshake-too-long",
    ],
    open: || Box::new(Tls::default()),
};

const HANDSHAKE: u8 = 22;
const APPLICATION: u8 = 23;
/// Longest record body: 2^14 and the most that protection may add (RFC 5246 section 6.2.3).
const LONGEST: usize = (1 << 14) + 2048;
/// Longest handshake message that is put together.
const LONGEST_MESSAGE: usize = 1 << 18;

/// A record header, if it is plausible.
fn header(bytes: &[u8]) -> Option<([u8; 5], usize)> {
    let (head, _) = bytes.split_first_chunk::<5>()?;
    let [kind, major, minor, ..] = *head;
    let len = usize::from(u16::from_be_bytes([head[3], head[4]]));
    let plausible = (20..=24).contains(&kind)
        && major == 3
        && minor <= 4
        && len <= LONGEST
        && (len > 0 || kind == APPLICATION);
    plausible.then_some((*head, len))
}

fn probe(p: &Probe<'_>) -> Guess {
    let Some(first) = p.bytes.first() else { return Guess::More };
    if !(20..=23).contains(first) || p.bytes.get(1).is_some_and(|b| *b != 3) {
        return Guess::No;
    }
    let Some((head, len)) = header(p.bytes) else {
        return if p.bytes.len() < 5 && !p.end { Guess::More } else { Guess::No };
    };
    match (head[0], p.bytes.get(5)) {
        (HANDSHAKE, None) => Guess::More,
        // Whether MTProxy is in disguise here, only a whole hello tells.
        (HANDSHAKE, Some(1))
            if p.bytes.len() < 5 + len && !p.end && !p.keys.messengers().mtproxies().is_empty() =>
        {
            Guess::More
        }
        (HANDSHAKE, Some(1 | 2)) if imitation::probe(p) == Guess::More => Guess::More,
        (HANDSHAKE, Some(1 | 2)) => Guess::Sure,
        _ => match p.bytes.get(5 + len..) {
            // A second record right behind the first is no accident.
            Some(next) if next.len() >= 5 => {
                if header(next).is_some() {
                    Guess::Sure
                } else {
                    Guess::No
                }
            }
            _ if p.end => Guess::Maybe,
            _ if 5 + len >= 2000 => Guess::Maybe,
            _ => Guess::More,
        },
    }
}

/// Which keys a side's records are protected with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Epoch {
    #[default]
    Clear,
    Early,
    Handshake,
    Traffic,
}

#[derive(Default)]
struct Half {
    epoch: Epoch,
    /// TLS 1.2: a ChangeCipherSpec was seen.
    changed: bool,
    opener: Option<Opener>,
    /// Keys of which the first record behind a ChangeCipherSpec picks one.
    candidates: Vec<(Opener, Master)>,
    seq: u64,
    /// Traffic secret in use, for KeyUpdate.
    secret: Vec<u8>,
    messages: Vec<u8>,
    sealed: u64,
    why: Option<Why>,
    /// Bytes were lost: the next record boundary must be found.
    lost: bool,
    /// Records in a row that did not open.
    missed: u32,
    /// The side was seen from its start without loss.
    whole: bool,
    /// TLS 1.3 suite that a search found.
    suite: Option<u16>,
    /// Notes about bad tags so far.
    bad: u32,
    closed: bool,
}

/// State of one connection.
#[derive(Default)]
struct Tls {
    halves: PerSide<Half>,
    client: Option<ClientHello>,
    server: Option<ServerHello>,
    child: Option<Handle>,
    alpn: Option<String>,
    buffer: Vec<u8>,
    weak: Vec<&'static str>,
    opened: bool,
    encrypted_seen: bool,
    /// Client random of the session whose secret a search found.
    found: Option<[u8; 32]>,
    /// Work spent by searches.
    work: u64,
    /// Handshake messages, where secrets may have to be derived from them.
    transcript: Transcript,
    /// A HelloRetryRequest was seen.
    retried: bool,
    /// TLS 1.2 and older: the body of the ClientKeyExchange. A resumption has none.
    exchange: Option<Vec<u8>>,
    /// TLS 1.2 and older: the modulus of the server's RSA certificate.
    modulus: Option<Vec<u8>>,
    /// TLS 1.2 and older: the secret in use, once it is known.
    master: Option<Master>,
    /// Digest of the ticket that the server gave in this handshake.
    ticket: Option<[u8; 32]>,
    /// TLS 1.3: the pre-shared key that the client proved to have.
    early: Option<Early>,
    /// TLS 1.3: secrets that follow from it.
    own: Vec<(Label, Vec<u8>)>,
    /// Where the secret in use comes from.
    source: Option<&'static str>,
}

impl Peeler for Tls {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let side = input.side;
        if self.halves[side].lost {
            return self.resynchronise(&input, out);
        }
        let Some((head, len)) = header(input.bytes) else {
            if input.bytes.len() < 5 {
                return if input.end {
                    self.seal_rest(side, input.bytes.len(), out)
                } else {
                    Step::more(0, 5)
                };
            }
            return self.no_record(&input, out);
        };
        let whole = input.bytes.get(5..5 + len);
        if self.hopeless(side, head[0], out) {
            self.halves[side].sealed += 5 + len as u64;
            return Step::skip(0, 5 + len as u64, Bucket::Sealed);
        }
        let Some(body) = whole else {
            return if input.end {
                self.seal_rest(side, input.bytes.len(), out)
            } else {
                Step::more(0, 5 + len)
            };
        };
        self.record(side, head, body, out);
        Step::again(5 + len)
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        out.note("tls-lost-record");
        self.halves[side].lost = true;
        self.halves[side].whole = false;
        self.halves[side].messages.clear();
        if let Some(child) = self.child {
            out.gap(child, side, len);
        }
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let half = &mut self.halves[side];
        if half.sealed > 0 {
            let why = half.why.unwrap_or(if half.bad > 0 { Why::BadTag } else { Why::NoKey });
            let end = End::Sealed(By::Transport, why);
            let total = std::mem::take(&mut half.sealed);
            out.leaf("", Form::Binary, side, total, end, &[]);
        }
        half.closed = true;
        if let Some(child) = self.child {
            out.close(child, side);
        }
        if self.halves.client.closed && self.halves.server.closed {
            self.last_facts(out);
        }
    }
}

impl Tls {
    /// Whether nothing can ever open this side's records, so that they need not be shown.
    fn hopeless(&self, side: Side, kind: u8, out: &Out<'_, '_>) -> bool {
        let half = &self.halves[side];
        kind == APPLICATION && half.opener.is_none() && (half.why.is_some() || out.keys().is_empty())
    }

    /// Bytes that are no record: in a session under way they are damage, else this is not TLS.
    fn no_record(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let side = input.side;
        if self.client.is_none() && self.server.is_none() && !self.opened {
            return Step::die("tls-bad-record");
        }
        out.note("tls-bad-record");
        self.halves[side].lost = true;
        self.halves[side].whole = false;
        self.halves[side].messages.clear();
        if let Some(child) = self.child {
            out.gap(child, side, 1);
        }
        self.resynchronise(input, out)
    }

    /// The client random that names the session's secrets.
    fn random(&self) -> Option<[u8; 32]> {
        self.client.as_ref().map(|c| c.random).or(self.found)
    }

    /// A secret of this session, from the log or derived.
    fn secret(&self, random: &[u8; 32], label: Label, out: &Out<'_, '_>) -> Option<Vec<u8>> {
        if let Some(logged) = out.keys().secret(random, label) {
            return Some(logged.to_vec());
        }
        let mine = self.random() == Some(*random);
        self.own.iter().find(|(l, _)| mine && *l == label).map(|(_, s)| s.clone())
    }

    /// An unfinished record at the end of a side.
    fn seal_rest(&mut self, side: Side, left: usize, out: &mut Out<'_, '_>) -> Step {
        let half = &mut self.halves[side];
        if half.epoch == Epoch::Clear && !half.changed {
            return Step { consumed: 0, then: crate::peel::Then::Rest(Bucket::Cut) };
        }
        half.sealed += left as u64;
        let _ = out;
        Step::skip(0, left as u64, Bucket::Sealed)
    }

    /// One whole record.
    fn record(&mut self, side: Side, head: [u8; 5], body: &[u8], out: &mut Out<'_, '_>) {
        let protected = match self.server.as_ref().map(|s| s.version) {
            Some(v) if v >= 0x0304 => head[0] == APPLICATION,
            _ if head[0] == APPLICATION => true,
            _ => self.halves[side].changed && head[0] != 20,
        };
        if head[0] == 20 {
            // Meaningful before TLS 1.3 only; there it is a filler (RFC 8446 appendix D.4).
            if self.server.as_ref().is_some_and(|s| s.version < 0x0304) {
                self.change_cipher(side, out);
            }
            return;
        }
        if !protected {
            return self.content(side, head[0], body, out);
        }
        self.encrypted_seen = true;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        buffer.extend_from_slice(body);
        match self.open(side, head, body, &mut buffer, out) {
            Some((kind, range)) => {
                let tls13 = self.is_13();
                let (kind, end) = match kind {
                    None if tls13 => inner_type(&buffer[range.clone()]),
                    _ => (head[0], range.len()),
                };
                let plain = &buffer[range.start..range.start + end];
                self.content(side, kind, plain, out);
            }
            None => self.stay_sealed(side, head, body.len(), out),
        }
        self.buffer = buffer;
    }

    fn is_13(&self) -> bool {
        self.server.as_ref().is_none_or(|s| s.version >= 0x0304)
    }

    /// A record that no key opened.
    fn stay_sealed(&mut self, side: Side, head: [u8; 5], len: usize, out: &mut Out<'_, '_>) {
        let application = head[0] == APPLICATION;
        let half = &mut self.halves[side];
        half.sealed += len as u64;
        // Refused early data is meant to be skipped, and its key is not the one in use.
        let bad = half.opener.is_some() && !(half.epoch == Epoch::Handshake && half.seq == 0);
        if bad {
            out.note("tls-bad-tag");
            half.bad += 1;
            if let Some(child) = self.child.filter(|_| application) {
                out.gap(child, side, len as u64);
            }
        }
        let half = &mut self.halves[side];
        if application && half.opener.is_none() && half.why.is_none() && half.missed > search::PATIENCE {
            half.why = Some(Why::NoKey);
        }
        // The engine counts the bytes as sealed; one leaf at the end of the side stands for all of them.
        out.declare_sealed(len as u64);
    }

    /// The content of a record, decrypted where it was encrypted.
    fn content(&mut self, side: Side, kind: u8, plain: &[u8], out: &mut Out<'_, '_>) {
        match kind {
            HANDSHAKE => self.handshake(side, plain, out),
            APPLICATION => {
                let child = self.child(out);
                out.feed(child, side, plain);
            }
            _ => {}
        }
    }

    /// The stream inside.
    fn child(&mut self, out: &mut Out<'_, '_>) -> Handle {
        if let Some(child) = self.child {
            return child;
        }
        let null = matches!(self.halves.client.opener, Some(Opener::Null { .. }))
            || matches!(self.halves.server.opener, Some(Opener::Null { .. }));
        let mut child = Child::stream();
        if !null {
            child = child.confidential();
        }
        if let Some(alpn) = &self.alpn {
            child = child.hint(Hint::Alpn(alpn.clone()));
        }
        self.opened = true;
        let handle = out.open(child);
        self.child = Some(handle);
        handle
    }
}

/// TLS 1.3: the type stands behind the content, before the padding (RFC 8446 section 5.4).
fn inner_type(plain: &[u8]) -> (u8, usize) {
    match plain.iter().rposition(|b| *b != 0) {
        Some(at) => (plain[at], at),
        None => (0, 0),
    }
}

/// Reads the head of a handshake message: type and whole length.
fn message_head(bytes: &[u8]) -> Option<(u8, usize)> {
    let mut c = Cursor::new(bytes);
    let (kind, len) = (c.u8()?, c.u24()?);
    Some((kind, 4 + len as usize))
}
