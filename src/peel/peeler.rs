//! What a layer implements and the words that pass between it, the engine and the observers.

use super::{Hashes, NodeRef, Out};
use crate::model::{Arrival, Bucket, Ledger, Side, Value};
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;

/// How the outer layer sees bytes it hands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Characters (a JSON string, a header, a text frame), UTF-8 unless a layer says otherwise.
    Text,
    /// Octets.
    Binary,
    /// A number, a truth, a timestamp: shown, never peeled.
    Plain,
}

/// The unit in which a child will be fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Both sides, in order, cut anywhere, until closed.
    Stream,
    /// Each feed is one datagram.
    Datagram,
    /// One side only; the message is whole when it is closed.
    Message,
}

/// Whether what a layer hands on was confidential on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guard {
    /// Readable by whoever sees the outer bytes.
    Open,
    /// Needed a secret that is not in the outer bytes.
    Confidential,
}

/// Bytes of one side that were not consumed yet.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Who sent them.
    pub side: Side,
    /// All unconsumed bytes (streams), or the whole datagram or message.
    pub bytes: &'a [u8],
    /// Position of the first byte in this side's input of this layer.
    pub offset: u64,
    /// True when nothing follows on this side.
    pub end: bool,
    /// Arrival of the newest byte.
    pub at: Arrival,
}

/// A line of text, as [`Input::line`] finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// What stands before its end.
    pub text: &'a [u8],
    /// Bytes that it takes up, its end among them.
    pub taken: usize,
    /// Where it ends.
    pub ends: LineEnd,
}

/// Where a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// At a line feed, with or without a carriage return.
    Feed,
    /// At the limit: the rest of the line follows.
    Limit,
    /// At the end of the input.
    Input,
}

/// Which part of a line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// What stands before the limit.
    Head,
    /// What stands behind the limit, or behind lost bytes.
    Rest,
}

impl Line<'_> {
    /// Which part of a line it is. `goes_on` remembers for each side whether the next one is a rest.
    pub fn part(&self, goes_on: &mut bool) -> Part {
        let cut = self.ends == LineEnd::Limit;
        match (std::mem::replace(goes_on, cut), cut) {
            (true, _) => Part::Rest,
            (false, true) => Part::Head,
            (false, false) => Part::Whole,
        }
    }
}

impl<'a> Input<'a> {
    /// The first line, of `longest` bytes at the most. `Err` is the step that waits for more.
    ///
    /// No line feed is looked for beyond the limit, so that a line is as long in one piece as in several.
    pub fn line(&self, longest: usize) -> Result<Line<'a>, Step> {
        let window = self.bytes.get(..=longest).unwrap_or(self.bytes);
        let (end, taken, ends) = match memchr::memchr(b'\n', window) {
            Some(at) => (at, at + 1, LineEnd::Feed),
            None if window.len() > longest => (longest, longest, LineEnd::Limit),
            None if self.end => (window.len(), window.len(), LineEnd::Input),
            None => return Err(Step::more(0, window.len() + 1)),
        };
        let text = window.get(..end).unwrap_or_default();
        let text = if ends == LineEnd::Limit { text } else { text.strip_suffix(b"\r").unwrap_or(text) };
        Ok(Line { text, taken, ends })
    }
}

/// What a peeler answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are done with. More than was given counts as all of it.
    pub consumed: usize,
    /// What next.
    pub then: Then,
}

/// What a peeler wants after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Call again once more bytes are there: at least `need` unconsumed ones in total.
    More {
        /// Unconsumed bytes wanted, counted from the consumed position.
        need: usize,
    },
    /// Call again at once if any bytes are left.
    Again,
    /// Pass over the next `len` bytes of this side without showing them; count them as `bucket`.
    Skip {
        /// Bytes to pass over.
        len: u64,
        /// Where they are counted.
        bucket: Bucket,
    },
    /// Never show the rest of this side; count it as `bucket`.
    Rest(Bucket),
    /// The bytes are not this protocol, or state is lost for good. The code becomes a note.
    Die(&'static str),
}

impl Step {
    /// Consumed `n`, call again at once if more is there.
    pub fn again(n: usize) -> Self {
        Self { consumed: n, then: Then::Again }
    }
    /// Consumed `n`, wait for `need` bytes beyond that.
    pub fn more(n: usize, need: usize) -> Self {
        Self { consumed: n, then: Then::More { need } }
    }
    /// Consumed `n`, then pass over `len` bytes.
    pub fn skip(n: usize, len: u64, bucket: Bucket) -> Self {
        Self { consumed: n, then: Then::Skip { len, bucket } }
    }
    /// Give up with a note.
    pub fn die(code: &'static str) -> Self {
        Self { consumed: 0, then: Then::Die(code) }
    }
}

/// What a peeler does about lost bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterGap {
    /// It can go on with the bytes behind the gap; unconsumed ones before it are dropped.
    Continue,
    /// It cannot.
    Die,
}

/// Protocol state of one instance of a layer. Must not panic on any input.
pub trait Peeler: Send {
    /// Takes the next bytes of one side. Not called any more after [`Out::hand_over`].
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step;

    /// `len` bytes of `side` are missing here. Pass it on to stream children with [`Out::gap`].
    /// Not called any more after [`Out::hand_over`].
    fn gap(&mut self, _side: Side, _len: u64, _out: &mut Out<'_, '_>) -> AfterGap {
        AfterGap::Die
    }

    /// Nothing follows on `side`. Unconsumed bytes were shown with `end` set before. Close children.
    fn end(&mut self, _side: Side, _out: &mut Out<'_, '_>) {}
}

/// Who sealed a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A transport layer, whose other end is the provider or a proxy.
    Transport,
    /// An end-to-end envelope.
    App,
}

/// Why a sealed leaf stayed sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// No key for it was given.
    NoKey,
    /// A key was tried and the tag refused it.
    BadTag,
    /// The algorithm is not implemented.
    Unsupported,
}

/// Why a leaf is incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CutWhy {
    /// A limit was reached.
    Limit,
    /// Bytes were lost.
    Gap,
    /// The parser gave up.
    Dead,
    /// The capture ended in the middle.
    Unfinished,
}

/// How a leaf ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// Reads as text or plain values.
    Clear,
    /// Nobody could explain it.
    Opaque,
    /// Known ciphertext that was not opened.
    Sealed(By, Why),
    /// Incomplete.
    Cut(CutWhy),
}

/// Bytes that are not taken apart further.
#[derive(Debug, Clone)]
pub struct Leaf<'a> {
    /// Field path inside the node's layer (`$.body`, `header.cookie`, `3.1`), or empty.
    pub field: &'a str,
    /// How the layer sees it.
    pub form: Form,
    /// Who sent it.
    pub side: Side,
    /// The bytes, at most `Limits::sample` of a stream.
    pub bytes: &'a [u8],
    /// How many there were.
    pub total: u64,
    /// How it ended.
    pub end: End,
    /// When it was complete.
    pub at: Arrival,
    /// Of the whole, where `bytes` are not all and the sink asked for it ([`Sink::wants_hashes`]).
    pub hashes: Option<&'a Hashes>,
    /// [`Leaf::text`], once it was asked for.
    pub known: TextOf<'a>,
}

/// Whether the bytes of a leaf are text: many ask, and one look is enough.
#[derive(Debug, Clone, Default)]
pub struct TextOf<'a>(OnceCell<Option<&'a str>>);

impl<'a> Leaf<'a> {
    /// The bytes, where they are UTF-8.
    pub fn text(&self) -> Option<&'a str> {
        *self.known.0.get_or_init(|| std::str::from_utf8(self.bytes).ok())
    }
}

/// Where the engine tells what it learned. All calls of one flow come in order.
pub trait Sink {
    /// A layer was chosen for a node.
    fn layer(&mut self, _node: &NodeRef<'_>, _at: Arrival) {}
    /// A layer states a fact.
    fn fact(&mut self, _node: &NodeRef<'_>, _name: &'static str, _value: Value, _at: Arrival) {}
    /// Whether to hash a leaf of this node that is longer than what is kept of it, by how it begins.
    fn wants_hashes(&self, _node: &NodeRef<'_>, _side: Side, _head: &[u8]) -> bool {
        false
    }
    /// Whether to call [`Sink::fact`] for a fact of this node.
    fn wants_fact(&self, _node: &NodeRef<'_>, _name: &'static str) -> bool {
        true
    }
    /// Bytes that are not taken apart further.
    fn leaf(&mut self, _node: &NodeRef<'_>, _leaf: &Leaf<'_>) {}
    /// Bytes that a node was fed, before anything happens to them. Only if [`Sink::wants_bytes`].
    /// `field` is the field path for one-shot items, else empty.
    fn bytes(
        &mut self,
        _node: &NodeRef<'_>,
        _field: &str,
        _side: Side,
        _offset: u64,
        _bytes: &[u8],
        _at: Arrival,
    ) {
    }
    /// Whether to call [`Sink::bytes`].
    fn wants_bytes(&self) -> bool {
        false
    }
    /// Bytes that a layer shows whole beside what it states of them: an envelope as it stood, a secret
    /// that lies open. `name` is the format.
    fn exhibit(
        &mut self,
        _node: &NodeRef<'_>,
        _name: &'static str,
        _side: Side,
        _bytes: &[u8],
        _at: Arrival,
    ) {
    }
    /// A node ended with this ledger.
    fn done(&mut self, _node: &NodeRef<'_>, _ledger: &Ledger) {}
    /// Something odd, by code.
    fn note(&mut self, _node: &NodeRef<'_>, _code: &'static str, _at: Arrival) {}
}
