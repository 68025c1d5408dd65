//! Frame heads (RFC 9113 section 4.1), and how a run of frames is recognised by structure alone.

use crate::bytes::Cursor;
use crate::peel::{Guess, Probe};

/// What a client sends first (RFC 9113 section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Octets of a frame head.
pub(super) const HEAD: usize = 9;
/// Longest payload unless a peer allows more (RFC 9113 section 4.2).
pub(super) const USUAL: u32 = 16_384;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;
/// RFC 7838, RFC 8336 and RFC 9218.
const LATER: [u8; 3] = [0x0a, 0x0c, 0x10];

pub(super) const END_STREAM: u8 = 0x01;
pub(super) const END_HEADERS: u8 = 0x04;
pub(super) const PADDED: u8 = 0x08;
pub(super) const WITH_PRIORITY: u8 = 0x20;

/// A frame head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub len: u32,
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
}

impl Head {
    /// Reads the nine octets.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(bytes);
        let (len, kind, flags, stream) = (c.u24()?, c.u8()?, c.u8()?, c.u32()?);
        Some(Self { len, kind, flags, stream: stream & 0x7fff_ffff })
    }

    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether a peer that keeps to the rules may send it (RFC 9113 section 6).
    pub fn valid(&self) -> bool {
        match self.kind {
            DATA | HEADERS | CONTINUATION => self.stream != 0,
            PRIORITY => self.stream != 0 && self.len == 5,
            RST_STREAM => self.stream != 0 && self.len == 4,
            SETTINGS => self.stream == 0 && self.len.is_multiple_of(6) && (!self.has(1) || self.len == 0),
            PUSH_PROMISE => self.stream != 0 && self.len >= 4,
            PING => self.stream == 0 && self.len == 8,
            GOAWAY => self.stream == 0 && self.len >= 8,
            WINDOW_UPDATE => self.len == 4,
            _ => true,
        }
    }

    /// Narrower than [`Head::valid`]: what real senders do, for recognising frames in the middle.
    fn typical(&self) -> bool {
        let flags = match self.kind {
            DATA => END_STREAM | PADDED,
            HEADERS => END_STREAM | END_HEADERS | PADDED | WITH_PRIORITY,
            SETTINGS | PING => 1,
            PUSH_PROMISE => END_HEADERS | PADDED,
            CONTINUATION => END_HEADERS,
            _ => 0,
        };
        let known = self.kind <= CONTINUATION || LATER.contains(&self.kind);
        let odd = !matches!(self.kind, HEADERS | DATA) || self.stream < 1 << 24;
        known && odd && self.valid() && self.flags & !flags == 0 && self.len <= USUAL
    }
}

/// A typical frame head at the start of `bytes`, with the reserved bit clear.
fn typical(bytes: &[u8]) -> Option<Head> {
    let head = Head::read(bytes).filter(Head::typical)?;
    let reserved = bytes.get(5).is_some_and(|b| b & 0x80 != 0);
    (!reserved).then_some(head)
}

/// Typical frames one after the other at the start of `bytes`: how many are there whole, and whether
/// everything up to the end fits.
pub(super) struct Run {
    pub whole: usize,
    pub fits: bool,
}

/// Follows the frames at the start of `bytes`, at most 16 of them.
pub(super) fn run(bytes: &[u8]) -> Run {
    let (mut at, mut whole) = (0usize, 0);
    while whole < 16 {
        let Some(rest) = bytes.get(at..).filter(|r| !r.is_empty()) else { break };
        if rest.len() < HEAD {
            break;
        }
        let Some(head) = typical(rest) else { return Run { whole, fits: false } };
        at = at.saturating_add(HEAD + head.len as usize);
        whole += usize::from(at <= bytes.len());
    }
    Run { whole, fits: true }
}

/// Whether frames go on at the start of `bytes`, after bytes were lost: one whole frame of a kind whose
/// head leaves little to chance, or two. `None` if more bytes are needed to tell. The answer rests on the
/// first bytes that settle it, so that it does not depend on how the input was cut.
pub(super) fn resumes(bytes: &[u8]) -> Option<bool> {
    let Some(first) = typical(bytes) else { return Some(false) };
    let after = HEAD + first.len as usize;
    let rest = bytes.get(after..)?;
    if matches!(first.kind, PRIORITY | RST_STREAM | SETTINGS | PING | WINDOW_UPDATE) {
        return Some(true);
    }
    if rest.len() < HEAD {
        return None;
    }
    let Some(second) = typical(rest) else { return Some(false) };
    rest.get(HEAD + second.len as usize..).map(|_| true)
}

/// Whether a side may begin with these bytes: SETTINGS, or in the middle a run of frames. `None` if more
/// bytes are needed to tell.
pub(super) fn begins(bytes: &[u8]) -> Option<bool> {
    match typical(bytes) {
        Some(head) if head.kind == SETTINGS => Some(true),
        Some(_) => resumes(bytes),
        None => Some(false),
    }
}

/// The settings of a first SETTINGS frame: registered or reserved for greasing, with lawful values.
fn lawful_settings(payload: &[u8]) -> bool {
    payload.chunks(6).all(|s| {
        let mut c = Cursor::new(s);
        match (c.u16(), c.u32()) {
            (Some(2 | 8), Some(v)) => v <= 1,
            (Some(4), Some(v)) => v < 1 << 31,
            (Some(5), Some(v)) => (USUAL..1 << 24).contains(&v),
            (Some(1 | 3 | 6 | 9), Some(_)) | (_, None) => true,
            (Some(id), Some(_)) => id & 0x0f0f == 0x0a0a,
            (None, Some(_)) => false,
        }
    })
}

/// Sure of the preface, of a first SETTINGS frame that says something, and of a longer run of frames.
pub(super) fn probe(p: &Probe<'_>) -> Guess {
    let n = p.bytes.len().min(PREFACE.len());
    if p.bytes[..n] == PREFACE[..n] {
        return if n == PREFACE.len() { Guess::Sure } else { Guess::More };
    }
    if p.bytes.len() < HEAD {
        // The length's first octet is zero in all that is typical.
        return if p.bytes[0] == 0 && !p.end && p.bytes.get(3).is_none_or(|k| *k <= 0x10) {
            Guess::More
        } else {
            Guess::No
        };
    }
    let Some(head) = typical(p.bytes) else { return Guess::No };
    let run = run(p.bytes);
    if !run.fits {
        return Guess::No;
    }
    let first = p.bytes.get(HEAD..).unwrap_or_default();
    let settings = head.kind == SETTINGS && head.flags == 0;
    if settings && !lawful_settings(&first[..first.len().min(head.len as usize)]) {
        return Guess::No;
    }
    let answers = p.other.starts_with(PREFACE);
    match run.whole {
        _ if answers => Guess::Sure,
        1.. if settings && head.len > 0 => Guess::Sure,
        4.. => Guess::Sure,
        2.. => Guess::Maybe,
        _ if p.end => Guess::No,
        _ if settings || head.kind <= HEADERS => Guess::More,
        _ => Guess::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Side;

    fn ask(bytes: &[u8]) -> Guess {
        probe(&Probe { side: Side::Server, end: false, ..Probe::alone(bytes, 80) })
    }

    #[test]
    fn the_preface_and_settings_are_sure() {
        assert_eq!(ask(PREFACE), Guess::Sure);
        assert_eq!(ask(&PREFACE[..10]), Guess::More);
        assert_eq!(ask(b"PRI * HTTP/1.1\r\n\r\n"), Guess::No);
        let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100];
        assert_eq!(ask(&settings), Guess::Sure);
        assert_eq!(ask(&settings[..12]), Guess::More);
        let unlawful = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 100];
        assert_eq!(ask(&unlawful), Guess::No);
        assert_eq!(ask(b"GET / HTTP/1.1\r\n"), Guess::No);
    }

    #[test]
    fn frames_resume_only_where_a_run_fits() {
        let run = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 0, 0, 5, b'h', b'i'];
        assert_eq!(resumes(&run), Some(true));
        assert_eq!(resumes(&run[1..]), Some(false));
        assert_eq!(resumes(&run[13..20]), Some(false));
    }
}
