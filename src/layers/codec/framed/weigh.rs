//! How far a stream bears out that it is frames. What counts is the contrast: a length that is no text, and
//! behind it, from its first byte on, text or structure that fills it. Evidence is counted in bits and as a
//! function of the bytes so far, so that the answer is the same however they were cut.

use super::packed::{self, Packed};
use super::shape::{Head, LONGEST, SHAPES, Shape};
use crate::bytes::Cursor;
use crate::layers::protobuf;
use protobuf::{Stop, Value};

/// Bits that make it sure. A length of four octets that is small has about 24, a body that is text 32 at most:
/// two such frames do, three of one octet do.
const SURE: u32 = 64;
/// Bytes of a side that are looked at, as many as the engine holds while a stream is undecided.
const WINDOW: usize = 2048;
/// Bytes of a body that are looked at.
const LOOK: usize = 256;
/// Frames without content in a row that are believed.
const EMPTY: u32 = 4;

/// What the bytes so far come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Shape(Shape),
    /// It may still become frames.
    Open,
    Nothing,
}

/// The shape that is sure first, counted in bytes of this side.
pub(super) fn race(own: &[u8], other: &[u8]) -> Found {
    let own = &own[..own.len().min(WINDOW)];
    let other = &other[..other.len().min(WINDOW)];
    let mut best: Option<(usize, Shape)> = None;
    let mut open = false;
    for shape in SHAPES {
        let Some(theirs) = Walk::whole(shape, other) else { continue };
        // A side that said its piece ends with a frame: a rest too short for a head tells of a length misread.
        if other.len() > theirs.at && shape.head(&other[theirs.at..]) == Head::Short {
            open = true;
            continue;
        }
        let limit = best.map_or(usize::MAX, |(at, _)| at);
        let mut walk = Walk { at: 0, empty: 0, ..theirs };
        loop {
            match walk.step(own) {
                Stepped::On(at) if walk.sure() => {
                    if at < limit {
                        best = Some((at, shape));
                    }
                    break;
                }
                Stepped::On(at) if at >= limit => break,
                Stepped::On(_) => {}
                Stepped::Short => {
                    open = true;
                    break;
                }
                Stepped::Wrong => break,
            }
        }
    }
    match best {
        Some((_, shape)) => Found::Shape(shape),
        None if open && own.len() < WINDOW => Found::Open,
        None => Found::Nothing,
    }
}

enum Stepped {
    /// A frame was weighed with the bytes up to here.
    On(usize),
    Short,
    Wrong,
}

/// On the way along one side in one shape.
struct Walk {
    shape: Shape,
    at: usize,
    frames: u32,
    /// Frames whose content is text or structure.
    told: u32,
    bits: u32,
    empty: u32,
    /// A body alone tells enough: text came out of it.
    plain: bool,
}

impl Walk {
    /// All of a side; `None` where it cannot be of this shape.
    fn whole(shape: Shape, bytes: &[u8]) -> Option<Self> {
        let mut walk = Self { shape, at: 0, frames: 0, told: 0, bits: 0, empty: 0, plain: false };
        loop {
            match walk.step(bytes) {
                Stepped::On(_) => {}
                Stepped::Short => return Some(walk),
                Stepped::Wrong => return None,
            }
        }
    }

    fn sure(&self) -> bool {
        (self.frames >= 2 || self.plain) && self.bits >= SURE
    }

    /// The next frame. One octet is so weak a length that every frame must tell something; elsewhere one in
    /// three need not.
    fn step(&mut self, bytes: &[u8]) -> Stepped {
        let rest = bytes.get(self.at..).unwrap_or_default();
        let (head, len) = match self.shape.head(rest) {
            Head::Short => return Stepped::Short,
            Head::Wrong => return Stepped::Wrong,
            Head::Body { at, len } => (at, usize::try_from(len.min(LONGEST)).unwrap_or(usize::MAX)),
        };
        if len == 0 {
            self.empty += 1;
            self.at += head;
            return if self.empty > EMPTY { Stepped::Wrong } else { Stepped::On(self.at) };
        }
        self.empty = 0;
        let body = rest.get(head..).unwrap_or_default();
        let most = if packed::begins(body) { packed::LOOK } else { LOOK };
        let Some(look) = body.get(..len.min(most)) else { return Stepped::Short };
        let seen = self.at + head + look.len();
        self.at += head + len;
        self.frames += 1;
        let packed = packed::weigh(look, len);
        let content = packed.map_or_else(|| weight(look, len), Packed::bits);
        let length = rest.get(..head).unwrap_or_default();
        // Where all is text a length is no contrast.
        let contrast = packed.is_some() || length.iter().any(|b| !(b' '..=b'~').contains(b));
        if content > 0 && contrast {
            self.told += 1;
            self.plain |= packed == Some(Packed::Text);
            self.bits += content + self.shape.bits().saturating_sub(len.max(16).ilog2() + 1);
        }
        let silent = self.frames - self.told;
        let narrow = self.shape.bits() == 8;
        // A few letters are neither here nor there.
        let wrong = if narrow { silent > 0 && content == 0 && len > 3 } else { silent > 1 + self.frames / 3 };
        if wrong { Stepped::Wrong } else { Stepped::On(seen) }
    }
}

/// Bits for what a body begins with: text, fields of a message with text in them.
fn weight(look: &[u8], len: usize) -> u32 {
    let text = text(look, len > look.len());
    if text > 0 {
        return text.min(32);
    }
    fields(look, len > look.len()).min(32)
}

/// Characters of a text, if it is one.
fn text(bytes: &[u8], cut: bool) -> u32 {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) if cut && e.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..e.valid_up_to()).unwrap_or_default()).unwrap_or("")
        }
        Err(_) => return 0,
    };
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.len() < 2 || text.chars().any(odd) { 0 } else { text.chars().count() as u32 }
}

/// Characters of the texts in the fields of a protobuf message, if the bytes are one to the end.
fn fields(bytes: &[u8], cut: bool) -> u32 {
    let mut c = Cursor::new(bytes);
    let mut letters = 0;
    while !c.is_empty() {
        match protobuf::field(&mut c) {
            Ok((1..=4096, Value::Bytes(b))) => letters += text(b, false).max(fields(b, false)),
            Ok((1..=4096, _)) => {}
            Err(Stop::Short) if cut => return letters,
            Ok(_) | Err(_) => return 0,
        }
    }
    letters
}
