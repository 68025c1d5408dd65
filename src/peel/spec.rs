//! The table row of a layer and the registry that joins the tables.

use super::{Form, Peeler};
use crate::keys::KeyStore;
use crate::model::Side;

/// What a layer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Protects a connection (TLS, QUIC, Noise, MTProto).
    Secure,
    /// Carries an application's exchange (HTTP, WebSocket, XMPP, DNS).
    App,
    /// Encodes or compresses (gzip, base64, JSON, protobuf).
    Codec,
    /// An end-to-end envelope (Signal, Olm, OpenPGP).
    Envelope,
}

/// The unit of input that a layer understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Eats {
    /// Bytes in order, cut anywhere. Also serves whole messages.
    Stream,
    /// Datagrams, one at a time, of either side.
    Datagram,
    /// One message, whole, of one side. Also serves datagrams.
    Message,
}

/// How an outer layer names an inner one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Hint {
    /// TLS or QUIC application protocol (RFC 7301), compared exactly.
    Alpn(String),
    /// Upgrade token or WebSocket subprotocol, compared without case.
    Upgrade(String),
    /// Media type without parameters, in lower case (`application/json`); a row may end in `*`, or
    /// start with `*+` to match a structured syntax suffix (RFC 6839).
    ContentType(String),
    /// Content or transfer coding (`gzip`), without case.
    Encoding(String),
    /// A layer by its own name in the table.
    Layer(&'static str),
    /// XML namespace of the element handed over.
    Namespace(String),
}

/// What a probe thinks of the bytes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guess {
    /// Certainly not this layer.
    No,
    /// Cannot tell yet: ask again with more bytes of this side.
    More,
    /// Fits, and would fit other things too.
    Maybe,
    /// Distinctive structure or checksum holds.
    Sure,
}

/// What a probe may look at.
#[derive(Debug, Clone, Copy)]
pub struct Probe<'a> {
    /// Bytes so far on `side` (at most `Limits::probe` of a stream; a whole message or datagram).
    pub bytes: &'a [u8],
    /// Who sent them.
    pub side: Side,
    /// Bytes so far of the other side (streams only).
    pub other: &'a [u8],
    /// True when no more bytes of this side will come.
    pub end: bool,
    /// How the outer layer sees the bytes.
    pub form: Form,
    /// Transport port of the flow's server.
    pub server_port: u16,
    /// True when the outer layer states that it is this layer: only bytes that cannot be it are refused.
    pub stated: bool,
    /// True when this flow already holds an instance of the probed layer (datagrams only).
    pub known: bool,
    /// The beginnings of the latest datagrams before this one, of both sides, oldest first (datagrams only):
    /// for protocols that only several packets give away.
    pub before: &'a [Before],
    /// The secrets at hand: a name that stands in the bytes and in a key log is no accident.
    pub keys: &'a KeyStore,
}

impl<'a> Probe<'a> {
    /// Bytes that stand alone: a client's, with nothing before or behind them and nobody who says what they are.
    pub fn alone(bytes: &'a [u8], server_port: u16) -> Self {
        Self {
            bytes,
            side: Side::Client,
            other: &[],
            end: true,
            form: Form::Binary,
            server_port,
            stated: false,
            known: false,
            before: &[],
            keys: KeyStore::none(),
        }
    }
}

/// The beginning of an earlier datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// Who sent it.
    pub side: Side,
    /// Its first bytes; zeros where it was shorter.
    pub head: [u8; 16],
    /// Its length.
    pub len: usize,
}

impl Before {
    /// Of a datagram.
    pub fn of(side: Side, bytes: &[u8]) -> Self {
        let mut head = [0; 16];
        head.iter_mut().zip(bytes).for_each(|(h, b)| *h = *b);
        Self { side, head, len: bytes.len() }
    }
}

/// One row of a layer table. The tables are plain static slices; listings, docs, contract tests and
/// fuzzing follow from them.
pub struct Spec {
    /// Stable short name, part of layer paths (`tls`, `http1`).
    pub name: &'static str,
    /// Name for people, with the defining document.
    pub title: &'static str,
    /// What it is for.
    pub family: Family,
    /// What it eats.
    pub eats: Eats,
    /// Forms of content it may be probed on.
    pub forms: &'static [Form],
    /// True when a stated hint names this layer.
    pub answers: fn(&Hint) -> bool,
    /// Keys that a JSON object (or local element names that an XML element) must hold to be offered
    /// whole; empty for none.
    pub shapes: &'static [&'static [&'static str]],
    /// Bounded look at the first bytes; `None` if only a hint can choose this layer.
    pub probe: Option<fn(&Probe<'_>) -> Guess>,
    /// Facts it may state, by name.
    pub facts: &'static [&'static str],
    /// Notes it may make, by code.
    pub notes: &'static [&'static str],
    /// A fresh instance.
    pub open: fn() -> Box<dyn Peeler>,
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spec({})", self.name)
    }
}

impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// All tables, in the order in which equal guesses are preferred.
#[derive(Debug, Clone, Copy)]
pub struct Registry {
    /// The tables.
    pub tables: &'static [&'static [&'static Spec]],
}

impl Registry {
    /// Every row in order.
    pub fn specs(&self) -> impl Iterator<Item = &'static Spec> + use<> {
        self.tables.iter().flat_map(|t| t.iter().copied())
    }

    /// The row of that name.
    pub fn find(&self, name: &str) -> Option<&'static Spec> {
        self.specs().find(|s| s.name == name)
    }

    /// The first row that answers to `hint`.
    pub fn answering(&self, hint: &Hint) -> Option<&'static Spec> {
        match hint {
            Hint::Layer(name) => self.find(name),
            _ => self.specs().find(|s| (s.answers)(hint)),
        }
    }
}
