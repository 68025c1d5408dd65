//! HPACK (RFC 7541) as a bystander decodes it: entries that were added before the reader joined, or
//! that were lost, are unknown, and a reference to one yields a placeholder instead of an error.
//!
//! The crates at hand decode as an endpoint does and give up at the first unknown reference; hence
//! this decoder.

use super::huffman;
use super::statics::STATIC;
use std::collections::VecDeque;
use std::sync::Arc;

/// Size of the dynamic table until the encoder says otherwise (RFC 9113 section 6.5.2).
const DEFAULT: usize = 4096;
/// Largest dynamic table that is followed. Browsers announce 64 KiB.
const LARGEST: usize = 1 << 20;
/// What a table entry costs beyond its octets (RFC 7541 section 4.1).
const OVERHEAD: usize = 32;
/// Octets of names and values that one header list may come to.
const LIST_BYTES: usize = 1 << 20;
/// Fields that one header list may hold.
const LIST_FIELDS: usize = 1024;

/// A part of a field; `None` where the dynamic table entry is not known.
pub(super) type Part = Option<Arc<[u8]>>;

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub name: Part,
    pub value: Part,
}

/// What a header block came to.
#[derive(Debug, Default)]
pub(super) struct List {
    pub fields: Vec<Field>,
    /// References to entries that are not known.
    pub unknown: usize,
    /// The list was longer than is kept.
    pub cut: bool,
    /// The block broke off or is not HPACK; what came before is in `fields`.
    pub broken: bool,
}

/// The decoder of one direction.
#[derive(Debug)]
pub(super) struct Decoder {
    /// Newest first.
    entries: VecDeque<Field>,
    size: usize,
    max: usize,
    /// Whether entries may exist that were not seen.
    partial: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { entries: VecDeque::new(), size: 0, max: DEFAULT, partial: false }
    }
}

fn cost(field: &Field) -> usize {
    let len = |p: &Part| p.as_ref().map_or(0, |b| b.len());
    len(&field.name) + len(&field.value) + OVERHEAD
}

impl Decoder {
    /// The state is not known from here on: joined late, or a block was lost. The table may be
    /// larger than the default then, so that nothing is dropped too early.
    pub(super) fn forget(&mut self) {
        *self = Self { max: self.max.max(64 << 10), partial: true, ..Self::default() };
    }

    /// Decodes one whole header block.
    pub(super) fn decode(&mut self, block: &[u8]) -> List {
        let mut list = List::default();
        let mut spent = 0;
        let mut reader = Reader(block);
        while !reader.0.is_empty() {
            let Some(step) = self.step(&mut reader) else {
                list.broken = true;
                break;
            };
            let Some(field) = step else { continue };
            list.unknown += usize::from(field.name.is_none() || field.value.is_none());
            spent += cost(&field);
            match list.fields.len() < LIST_FIELDS && spent <= LIST_BYTES {
                true => list.fields.push(field),
                false => list.cut = true,
            }
        }
        if list.broken {
            self.forget();
        }
        list
    }

    /// One representation (RFC 7541 section 6): a field, or none for a size update.
    fn step(&mut self, r: &mut Reader<'_>) -> Option<Option<Field>> {
        let first = *r.0.first()?;
        if first & 0x80 != 0 {
            return match r.integer(7)? {
                0 => None,
                index => self.entry(index).map(Some),
            };
        }
        if first & 0xe0 == 0x20 {
            let size = r.integer(5)?;
            if size > LARGEST {
                return None;
            }
            self.resize(size);
            return Some(None);
        }
        let added = first & 0x40 != 0;
        let name = match r.integer(if added { 6 } else { 4 })? {
            0 => Some(r.string()?.into()),
            index => self.entry(index)?.name,
        };
        let field = Field { name, value: Some(r.string()?.into()) };
        if added {
            self.add(field.clone());
        }
        Some(Some(field))
    }

    fn entry(&self, index: usize) -> Option<Field> {
        if let Some((name, value)) = STATIC.get(index.checked_sub(1)?) {
            return Some(Field { name: Some(name.as_bytes().into()), value: Some(value.as_bytes().into()) });
        }
        match self.entries.get(index - STATIC.len() - 1) {
            Some(field) => Some(field.clone()),
            None if self.partial && index <= LARGEST / OVERHEAD => Some(Field { name: None, value: None }),
            None => None,
        }
    }

    fn add(&mut self, field: Field) {
        self.size += cost(&field);
        self.entries.push_front(field);
        self.shrink();
    }

    fn resize(&mut self, max: usize) {
        self.max = max;
        if max == 0 {
            self.partial = false;
        }
        self.shrink();
    }

    /// Drops the oldest entries until the table fits; a field larger than the table empties it.
    fn shrink(&mut self) {
        while self.size > self.max {
            let Some(old) = self.entries.pop_back() else { break };
            self.size -= cost(&old);
            // What was never seen is older and was dropped before it.
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// An integer with an `n`-bit prefix (RFC 7541 section 5.1), below 2^28.
    fn integer(&mut self, n: u8) -> Option<usize> {
        let mask = (1usize << n) - 1;
        let mut value = usize::from(self.octet()?) & mask;
        if value < mask {
            return Some(value);
        }
        for shift in [0, 7, 14, 21] {
            let octet = self.octet()?;
            value += usize::from(octet & 0x7f) << shift;
            if octet & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A string literal (RFC 7541 section 5.2).
    fn string(&mut self) -> Option<Vec<u8>> {
        let huffman = self.0.first()? & 0x80 != 0;
        let len = self.integer(7)?;
        let (raw, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        if huffman { huffman::decode(raw) } else { Some(raw.to_vec()) }
    }
}
