//! One connection: its identifiers, its packets and what becomes of those that stay closed.

mod protected;

use super::assembly::Assembly;
use super::hello::ClientHello;
use super::keys::{Keys, Suite, Version, whole_number};
use super::packet::{Kind, Long};
use super::streams::Streams;
use super::traffic::Traffic;
use crate::model::{PerSide, Side};
use crate::peel::{By, End, Form, Out, Why};
use protected::Waiting;

/// Connection ids remembered per side.
const IDS: usize = 64;
/// Destination ids of the client's first packets that Initial keys may come from.
const ORIGINS: usize = 8;

/// A packet number space (RFC 9000 section 12.3), and 0-RTT, which has keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Initial,
    Early,
    Handshake,
    Application,
}

/// What one side sends.
#[derive(Default)]
pub(super) struct Half {
    /// Ids that this side chose for itself: the other side's packets carry them.
    ids: Vec<Vec<u8>>,
    /// One more than the largest packet number, by number space.
    expected: [u64; 3],
    pub crypto: [Assembly; 3],
    pub messages: [Vec<u8>; 3],
    pub early: Traffic,
    pub handshake: Traffic,
    pub traffic: Traffic,
    /// Bytes of application and of handshake packets that stay closed.
    sealed: u64,
    sealed_handshake: u64,
    why: Option<Why>,
    reset_tokens: Vec<[u8; 16]>,
}

pub(super) struct Connection {
    /// The side of the flow that opened the connection.
    pub opener: Side,
    pub version: Version,
    /// The version that was stated as a fact.
    pub stated: Option<Version>,
    origins: Vec<Vec<u8>>,
    /// The origin whose keys opened the last Initial packet.
    origin: Option<Vec<u8>>,
    initial: Vec<(Version, Vec<u8>, Keys, Keys)>,
    pub halves: PerSide<Half>,
    pub hello: Option<ClientHello>,
    pub suite: Option<Suite>,
    pub suite_known: bool,
    pub alpn: Option<String>,
    pub streams: Streams,
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    pub opened: bool,
    seen_protected: bool,
    /// A key update was seen.
    updated: bool,
    pub searches: u32,
    /// It began in an earlier flow.
    pub migrated: bool,
    /// Ids that later flows were not told of yet.
    pub untold: Vec<(Side, Vec<u8>)>,
}

impl Connection {
    pub fn new(opener: Side, version: Version) -> Self {
        Self {
            opener,
            version,
            stated: None,
            origins: Vec::new(),
            origin: None,
            initial: Vec::new(),
            halves: PerSide::default(),
            hello: None,
            suite: None,
            suite_known: false,
            alpn: None,
            streams: Streams::default(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            opened: false,
            seen_protected: false,
            updated: false,
            searches: 0,
            migrated: false,
            untold: Vec::new(),
        }
    }

    /// Whether a packet of `side` belongs here, by its ids.
    pub fn owns(&self, side: Side, long: &Long<'_>) -> bool {
        let has = |side: Side, id: &[u8]| self.halves[side].ids.iter().any(|i| i == id);
        let theirs = &self.halves[side.other()];
        // The ids of both ends are known once each has sent a packet; an empty id says nothing.
        if !long.dcid.is_empty()
            && (has(side.other(), long.dcid) || self.origins.iter().any(|o| o == long.dcid))
        {
            return true;
        }
        if !long.scid.is_empty() && has(side, long.scid) {
            return true;
        }
        let answer = side != self.opener && theirs.ids.iter().any(|i| i.as_slice() == long.dcid);
        answer || (long.dcid.is_empty() && long.scid.is_empty())
    }

    /// Whether `side` may still refuse the version: it has not answered the client of this id.
    pub fn is_unanswered(&self, side: Side, client: &[u8]) -> bool {
        side != self.opener
            && self.halves[side].ids.is_empty()
            && self.halves[self.opener].ids.iter().any(|i| i == client)
    }

    /// Length of the connection id in a short header of `side`, if it is one of this connection.
    pub fn id_length(&self, side: Side, packet: &[u8]) -> Option<usize> {
        let ids = &self.halves[side.other()].ids;
        let rest = packet.get(1..)?;
        ids.iter().filter(|i| rest.starts_with(i)).map(Vec::len).max()
    }

    /// Whether the keys at hand open an Initial packet whose ids are not known.
    pub fn opens(&mut self, side: Side, long: &Long<'_>) -> bool {
        long.kind == Kind::Initial && self.open_initial(side, long).is_some()
    }

    /// The client's random, which names the session in key logs.
    pub fn random(&self) -> Option<[u8; 32]> {
        self.hello.as_ref().map(|h| h.random)
    }

    /// Learns an id that `side` chose for itself.
    pub fn learn(&mut self, side: Side, id: &[u8]) {
        let ids = &mut self.halves[side].ids;
        if ids.iter().any(|i| i == id) || id.len() > 20 {
            return;
        }
        if ids.len() >= IDS {
            ids.remove(0);
        }
        ids.push(id.to_vec());
        if self.untold.len() < IDS {
            self.untold.push((side, id.to_vec()));
        }
    }

    pub fn learn_token(&mut self, side: Side, token: &[u8]) {
        let tokens = &mut self.halves[side].reset_tokens;
        if let Ok(token) = token.try_into()
            && tokens.len() < IDS
        {
            tokens.push(token);
        }
    }

    /// A packet with a long header.
    pub fn long(&mut self, side: Side, long: &Long<'_>, out: &mut Out<'_, '_>) {
        match long.kind {
            Kind::Retry => {
                out.fact("quic.retry", true);
                self.learn(side, long.scid);
                self.restart();
            }
            Kind::Initial => self.initial(side, long, out),
            Kind::Early => {
                self.origin_of(side, long);
                self.protected(side, Space::Early, long.version, long.packet, long.number_at, out);
            }
            Kind::Handshake => {
                self.learn(side, long.scid);
                // In a recording of one side only, this tells the id that short headers will carry.
                self.learn(side.other(), long.dcid);
                self.version = long.version;
                self.protected(side, Space::Handshake, long.version, long.packet, long.number_at, out);
            }
        }
    }

    /// The client says hello again, maybe another one (RFC 9000 section 17.2.5.2).
    fn restart(&mut self) {
        for side in Side::BOTH {
            let half = &mut self.halves[side];
            half.crypto[0] = Assembly::default();
            half.messages[0].clear();
        }
        self.hello = None;
        self.suite_known = false;
    }

    fn origin_of(&mut self, side: Side, long: &Long<'_>) {
        if side != self.opener || self.origins.iter().any(|o| o == long.dcid) {
            return;
        }
        if self.origins.len() >= ORIGINS {
            self.origins.remove(1);
        }
        self.origins.push(long.dcid.to_vec());
    }

    fn initial(&mut self, side: Side, long: &Long<'_>, out: &mut Out<'_, '_>) {
        let mut opened = self.open_initial(side, long);
        if opened.is_none() {
            self.origin_of(side, long);
            opened = self.open_initial(side, long);
        }
        let Some((origin, plain)) = opened else {
            out.note("quic-bad-tag");
            out.declare_sealed(long.packet.len() as u64);
            return;
        };
        self.learn(side, long.scid);
        if side != self.opener {
            self.version = long.version;
        }
        if self.origin.as_ref().is_some_and(|o| *o != origin) && side == self.opener && !self.suite_known {
            // New Initial keys: a Retry, which the capture may have missed.
            self.restart();
        }
        self.origin = Some(origin);
        self.frames(side, Space::Initial, &plain, out);
    }

    /// Opens an Initial packet with the keys of any id that the client started with.
    fn open_initial(&mut self, side: Side, long: &Long<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
        for origin in self.origins.iter().rev() {
            if self.initial.iter().any(|(v, o, _, _)| *v == long.version && o == origin) {
                continue;
            }
            let Some((client, server)) = Keys::initial(long.version, origin) else { continue };
            if self.initial.len() >= 2 * ORIGINS {
                self.initial.remove(0);
            }
            self.initial.push((long.version, origin.clone(), client, server));
        }
        let expected = self.halves[side].expected[0];
        for (version, origin, client, server) in self.initial.iter().rev() {
            if *version != long.version {
                continue;
            }
            let keys = if side == self.opener { client } else { server };
            let Some(unmasked) = keys.unmask(long.packet, long.number_at) else { continue };
            let number = whole_number(expected, unmasked.short, unmasked.length);
            if let Some(plain) = keys.open(long.packet, long.number_at, unmasked, number) {
                self.halves[side].expected[0] = expected.max(number + 1);
                return Some((origin.clone(), plain));
            }
        }
        None
    }

    /// A packet with a short header.
    pub fn short(&mut self, side: Side, packet: &[u8], out: &mut Out<'_, '_>) {
        self.tell(out);
        let length = self.id_length(side, packet);
        // An id that was not seen being given is as long as the others.
        let length = length.or_else(|| self.halves[side.other()].ids.last().map(Vec::len)).unwrap_or(0);
        let tail = packet.last_chunk::<16>();
        if tail.is_some_and(|t| self.halves[side].reset_tokens.contains(t)) {
            return;
        }
        self.protected(side, Space::Application, self.version, packet, 1 + length, out);
    }

    pub fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        for w in std::mem::take(&mut self.waiting) {
            self.stay_sealed(w.side, w.space, w.packet.len(), Why::NoKey);
        }
        self.streams.end(side, out);
        let opened = self.opened;
        let half = &mut self.halves[side];
        let total = match (half.sealed, opened) {
            (0, true) => 0,
            (app, _) => app + half.sealed_handshake,
        };
        if total > 0 {
            let end = End::Sealed(By::Transport, half.why.unwrap_or(Why::NoKey));
            out.leaf("", Form::Binary, side, total, end, &[]);
        }
        half.sealed = 0;
        half.sealed_handshake = 0;
    }

    pub fn last_facts(&mut self, out: &mut Out<'_, '_>) {
        if self.seen_protected {
            out.fact("quic.opened", self.opened);
        }
    }
}
