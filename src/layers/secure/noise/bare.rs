//! Noise messages with a length of two bytes in front, as the framework's own document and most programs
//! frame them. Nothing in the bytes names Noise: without a key that names the client's ephemeral key it is
//! a guess by sizes, and what follows stays unexplained.

use super::handshake::{self, KEY};
use super::state::TAG;
use super::transport::Opener;
use crate::bytes::{Cursor, hex};
use crate::model::{Bucket, PerSide, Side};
use crate::peel::{AfterGap, By, Child, End, Form, Guess, Input, Out, Peeler, Probe, Step, Why};

/// The responder's answer in XX: an ephemeral key, a sealed long-term key, a tag.
const XX_ANSWER: usize = KEY + KEY + TAG + TAG;
/// The initiator's last words in XX.
const XX_LAST: usize = KEY + TAG + TAG;
/// Messages that a handshake has at most.
const HANDSHAKE: usize = 3;

fn message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut c = Cursor::new(bytes);
    let body = c.vec16()?;
    Some((body, c.rest()))
}

/// The highest bit of a canonical public key is clear (RFC 7748 section 5).
fn may_be_key(bytes: &[u8]) -> bool {
    let text = bytes.iter().take(KEY).all(|b| b.is_ascii_graphic() || *b == b' ');
    bytes.get(KEY - 1).is_some_and(|b| b & 0x80 == 0) && !text
}

/// The probe of the row.
pub fn probe(p: &Probe<'_>) -> Guess {
    let (client, server) = match p.side {
        Side::Client => (p.bytes, p.other),
        Side::Server => (p.other, p.bytes),
    };
    let begins = |b: &[u8]| Cursor::new(b).u16().is_some_and(|n| usize::from(n) >= KEY);
    if let Some(key) = client.get(2..2 + KEY).and_then(|k| k.first_chunk::<KEY>())
        && begins(client)
        && p.keys.messengers().noise_knows(key)
    {
        return Guess::Sure;
    }
    if !client.starts_with(&[0, KEY as u8]) {
        return Guess::No;
    }
    let Some((hello, after)) = message(client) else {
        return if p.end { Guess::No } else { Guess::More };
    };
    let last = message(after).map_or(after.is_empty(), |(m, _)| m.len() >= XX_LAST);
    if !may_be_key(hello) || !last {
        return Guess::No;
    }
    match message(server) {
        Some((answer, _)) if answer.len() >= XX_ANSWER && may_be_key(answer) => Guess::Maybe,
        Some(_) => Guess::No,
        None if p.end => Guess::No,
        None => Guess::More,
    }
}

/// State of one connection.
#[derive(Default)]
pub struct Bare {
    messages: Vec<Vec<u8>>,
    ephemeral: Option<[u8; KEY]>,
    opener: Option<Opener>,
    /// Whether a key names this connection.
    named: bool,
    over: bool,
    sealed: PerSide<u64>,
    refused: PerSide<bool>,
}

impl Peeler for Bare {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(length) = input.bytes.first_chunk::<2>() else {
            return if input.end { Step::skip(0, 1, Bucket::Cut) } else { Step::more(0, 2) };
        };
        let total = 2 + usize::from(u16::from_be_bytes(*length));
        if self.over && !self.named {
            self.sealed[input.side] += total as u64;
            return Step::skip(0, total as u64, Bucket::Opaque);
        }
        let Some(body) = input.bytes.get(2..total) else {
            return match input.end {
                true => Step::skip(0, input.bytes.len() as u64, Bucket::Cut),
                false => Step::more(0, total),
            };
        };
        self.take(input.side, body, out);
        Step::again(total)
    }

    fn gap(&mut self, _: Side, _: u64, _: &mut Out<'_, '_>) -> AfterGap {
        AfterGap::Die
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let total = std::mem::take(&mut self.sealed[side]);
        if total == 0 {
            return;
        }
        // A guess by sizes is no ground for saying that anything is protected.
        let end = match (self.named, self.refused[side]) {
            (false, _) => End::Opaque,
            (true, true) => End::Sealed(By::Transport, Why::BadTag),
            (true, false) => End::Sealed(By::Transport, Why::NoKey),
        };
        out.leaf("", Form::Binary, side, total, end, &[]);
    }
}

impl Bare {
    fn take(&mut self, side: Side, body: &[u8], out: &mut Out<'_, '_>) {
        if self.ephemeral.is_none() {
            self.begin(body, out);
        }
        if let Some(opener) = &mut self.opener
            && let Some(plain) = opener.open(side, body)
        {
            self.over = true;
            super::state_opened(opener, side, out);
            out.begin_message();
            return out.message(Child::message().confidential(), side, &plain);
        }
        if !self.over && self.messages.len() < HANDSHAKE {
            return self.handshake(body, out);
        }
        self.over = true;
        self.sealed[side] += body.len() as u64;
        if self.opener.is_some() {
            self.refused[side] = true;
            out.note("noise-tag-wrong");
        }
        out.declare_sealed(body.len() as u64);
    }

    fn begin(&mut self, body: &[u8], out: &mut Out<'_, '_>) {
        let Some(key) = body.first_chunk::<KEY>() else { return };
        self.ephemeral = Some(*key);
        self.named = out.keys().messengers().noise_knows(key);
        self.opener = out.keys().messengers().noise_transport(key).map(Opener::logged);
        out.fact("noise.ephemeral", hex(key).as_str());
        if !self.named {
            out.fact("noise.pattern", "XX, by sizes alone");
        }
    }

    /// One more message of the handshake; transport messages of a shorter one are told by their tags.
    fn handshake(&mut self, body: &[u8], out: &mut Out<'_, '_>) {
        self.messages.push(body.to_vec());
        if self.messages.len() == HANDSHAKE && self.opener.is_none() {
            self.over = true;
        }
        let Some(key) = self.ephemeral.filter(|_| self.named && self.opener.is_none()) else { return };
        let keys = out.keys().messengers();
        let prologue = keys.noise_prologue(&key).map(<[u8]>::to_vec).unwrap_or_default();
        let Some(done) = handshake::follow(&self.messages, &[&prologue], keys) else { return };
        super::followed(&done, out);
        for (i, payload) in done.payloads.iter().enumerate().filter(|(_, p)| !p.is_empty()) {
            let side = if i % 2 == 0 { Side::Client } else { Side::Server };
            out.begin_message();
            out.message(Child::message().confidential().field("handshake"), side, payload);
        }
        self.opener = Some(Opener::derived(&done));
        self.over = true;
    }
}
