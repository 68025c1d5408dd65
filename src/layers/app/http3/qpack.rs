//! Field compression for HTTP/3 (RFC 9204): the decoder of what one side sends.

use super::huffman;
use super::table::STATIC;
use crate::bytes::Cursor;
use std::collections::VecDeque;

/// A field line: name and value.
pub(super) type Field = (Vec<u8>, Vec<u8>);

/// Largest dynamic table that is kept, whatever the peer asks for.
const CAPACITY: u64 = 1 << 20;
/// Field lines of one section.
const LINES: usize = 1024;
/// Bytes of all lines of one section; a short reference may stand for a long entry.
const SECTION: usize = 1 << 20;

/// What a field section came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// The lines, and how many refer to entries that are not there.
    Fields(Vec<Field>, usize),
    /// It refers to entries that have not come yet.
    Blocked,
    Malformed,
}

/// What to do about entries that have not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Wait,
    LeaveOut,
}

/// The dynamic table of one side's encoder.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    entries: VecDeque<Field>,
    size: u64,
    capacity: u64,
    inserted: u64,
    /// The other side's SETTINGS_QPACK_MAX_TABLE_CAPACITY.
    pub most: Option<u64>,
    /// Bytes of the encoder stream are missing: numbers of entries mean nothing any more.
    pub lost: bool,
}

/// An integer with a prefix of `bits` bits (RFC 7541 section 5.1).
fn integer(c: &mut Cursor<'_>, bits: u32) -> Option<u64> {
    let mask = (1u64 << bits) - 1;
    let mut value = u64::from(c.u8()?) & mask;
    if value < mask {
        return Some(value);
    }
    for shift in (0..56).step_by(7) {
        let byte = c.u8()?;
        value = value.checked_add(u64::from(byte & 0x7f) << shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A string whose length has a prefix of `bits` bits, with the Huffman bit above it. The outer `None`
/// means that bytes are missing, the inner one that the code is broken.
fn string(c: &mut Cursor<'_>, bits: u32) -> Option<Option<Vec<u8>>> {
    let coded = c.peek()? >> bits & 1 == 1;
    let len = integer(c, bits)?;
    let raw = c.take(usize::try_from(len).ok()?)?;
    Some(if coded { huffman::decode(raw) } else { Some(raw.to_vec()) })
}

fn fixed(index: u64) -> Option<Field> {
    let (name, value) = STATIC.get(usize::try_from(index).ok()?)?;
    Some((name.as_bytes().to_vec(), value.as_bytes().to_vec()))
}

impl Decoder {
    fn entry(&self, absolute: u64) -> Option<&Field> {
        let first = self.inserted.checked_sub(self.entries.len() as u64)?;
        self.entries.get(usize::try_from(absolute.checked_sub(first)?).ok()?)
    }

    fn recent(&self, relative: u64) -> Option<Field> {
        self.entry(self.inserted.checked_sub(relative.checked_add(1)?)?).cloned()
    }

    fn insert(&mut self, field: Field) {
        self.size += weight(&field);
        self.entries.push_back(field);
        self.inserted += 1;
        self.evict();
    }

    fn evict(&mut self) {
        while self.size > self.capacity {
            let Some(old) = self.entries.pop_front() else { return };
            self.size -= weight(&old);
        }
    }

    /// Takes encoder instructions (RFC 9204 section 4.3); answers how many bytes were whole ones.
    pub fn instructions(&mut self, bytes: &[u8]) -> usize {
        let mut c = Cursor::new(bytes);
        let mut used = 0;
        while !self.lost && self.instruction(&mut c).is_some() {
            used = c.consumed();
        }
        if self.lost { bytes.len() } else { used }
    }

    fn instruction(&mut self, c: &mut Cursor<'_>) -> Option<()> {
        let first = c.peek()?;
        let field = match first {
            0x80.. => {
                let index = integer(c, 6)?;
                let value = string(c, 7)?;
                let name = if first & 0x40 != 0 { fixed(index) } else { self.recent(index) };
                name.zip(value).map(|((name, _), value)| (name, value))
            }
            0x40.. => {
                let name = string(c, 5)?;
                name.zip(string(c, 7)?)
            }
            0x20.. => {
                self.capacity = integer(c, 5)?.min(CAPACITY);
                self.evict();
                return Some(());
            }
            _ => {
                let index = integer(c, 5)?;
                self.recent(index)
            }
        };
        match field {
            Some(field) => self.insert(field),
            None => self.lost = true,
        }
        Some(())
    }

    /// Required Insert Count (RFC 9204 section 4.5.1.1).
    fn required(&self, encoded: u64) -> Option<u64> {
        if encoded == 0 {
            return Some(0);
        }
        // Where the settings were missed, the count is taken not to have wrapped.
        let Some(entries) = self.most.map(|m| m / 32) else { return Some(encoded - 1) };
        let full = entries.checked_mul(2)?;
        if encoded > full {
            return None;
        }
        let most = self.inserted.checked_add(entries)?;
        let required = (most / full * full).checked_add(encoded - 1)?;
        if required <= most {
            return Some(required).filter(|r| *r > 0);
        }
        required.checked_sub(full).filter(|r| *r > 0)
    }

    /// Decodes a field section (RFC 9204 section 4.5).
    pub fn section(&self, bytes: &[u8], missing: Missing) -> Section {
        let mut c = Cursor::new(bytes);
        let Some(required) = integer(&mut c, 8).and_then(|e| self.required(e)) else {
            return Section::Malformed;
        };
        let negative = c.peek().is_some_and(|b| b & 0x80 != 0);
        let Some(delta) = integer(&mut c, 7) else { return Section::Malformed };
        let base = match negative {
            true => required.checked_sub(delta).and_then(|b| b.checked_sub(1)),
            false => required.checked_add(delta),
        };
        let Some(base) = base else { return Section::Malformed };
        if required > self.inserted && missing == Missing::Wait && !self.lost {
            return Section::Blocked;
        }
        let (mut fields, mut absent, mut bytes) = (Vec::new(), 0, 0);
        while !c.is_empty() && fields.len() < LINES && bytes < SECTION {
            match self.line(&mut c, base) {
                Some(Some(field)) => {
                    bytes += field.0.len() + field.1.len();
                    fields.push(field);
                }
                Some(None) => absent += 1,
                None => return Section::Malformed,
            }
        }
        Section::Fields(fields, absent)
    }

    /// One field line; inner `None` where it refers to what is not there.
    fn line(&self, c: &mut Cursor<'_>, base: u64) -> Option<Option<Field>> {
        let first = c.peek()?;
        let dynamic =
            |absolute: Option<u64>| absolute.filter(|_| !self.lost).and_then(|a| self.entry(a)).cloned();
        let before = |index: u64| dynamic(index.checked_add(1).and_then(|i| base.checked_sub(i)));
        let after = |index: u64| dynamic(base.checked_add(index));
        Some(match first {
            0x80.. => {
                let index = integer(c, 6)?;
                if first & 0x40 != 0 { fixed(index) } else { before(index) }
            }
            0x40.. => {
                let index = integer(c, 4)?;
                let value = string(c, 7)?;
                let name = if first & 0x10 != 0 { fixed(index) } else { before(index) };
                name.zip(value).map(|((name, _), value)| (name, value))
            }
            0x20.. => {
                let name = string(c, 3)?;
                name.zip(string(c, 7)?)
            }
            0x10.. => after(integer(c, 4)?),
            _ => {
                let name = after(integer(c, 3)?);
                let value = string(c, 7)?;
                name.zip(value).map(|((name, _), value)| (name, value))
            }
        })
    }
}

/// Size of an entry (RFC 9204 section 3.2.1).
fn weight(field: &Field) -> u64 {
    (field.0.len() + field.1.len() + 32) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        let text: String = text.split_whitespace().collect();
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    fn fields(list: &[(&str, &str)]) -> Section {
        Section::Fields(list.iter().map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec())).collect(), 0)
    }

    /// RFC 9204 appendix B, one section after the other on one connection.
    #[test]
    fn decodes_the_examples_of_rfc_9204() {
        let mut d = Decoder { most: Some(220), ..Decoder::default() };
        let b1 = unhex("0000 510b 2f69 6e64 6578 2e68 746d 6c");
        assert_eq!(d.section(&b1, Missing::Wait), fields(&[(":path", "/index.html")]));

        let b2 = unhex("0381 10 11");
        assert_eq!(d.section(&b2, Missing::Wait), Section::Blocked);
        let encoder =
            unhex("3fbd01 c00f 7777 772e 6578 616d 706c 652e 636f 6d c10c 2f73 616d 706c 652f 7061 7468");
        let (early, late) = encoder.split_at(10);
        let used = d.instructions(early);
        let rest = [&early[used..], late].concat();
        assert_eq!(d.instructions(&rest), rest.len());
        assert_eq!(
            d.section(&b2, Missing::Wait),
            fields(&[(":authority", "www.example.com"), (":path", "/sample/path")])
        );
        assert_eq!(d.size, 106);

        let b3 = unhex("4a63 7573 746f 6d2d 6b65 790c 6375 7374 6f6d 2d76 616c 7565");
        assert_eq!(d.instructions(&b3), b3.len());
        assert_eq!(d.size, 160);

        assert_eq!(d.instructions(&[0x02]), 1);
        let b4 = unhex("0500 80 c1 81");
        assert_eq!(
            d.section(&b4, Missing::Wait),
            fields(&[(":authority", "www.example.com"), (":path", "/"), ("custom-key", "custom-value")])
        );
        assert_eq!(d.size, 217);

        let b5 = unhex("810d 6375 7374 6f6d 2d76 616c 7565 32");
        assert_eq!(d.instructions(&b5), b5.len());
        assert_eq!((d.size, d.inserted, d.entries.len()), (215, 5, 4));
    }

    #[test]
    fn a_lost_encoder_stream_leaves_out_what_it_named() {
        let d = Decoder { lost: true, ..Decoder::default() };
        let section = unhex("0381 10 c1");
        assert_eq!(
            d.section(&section, Missing::Wait),
            match fields(&[(":path", "/")]) {
                Section::Fields(f, _) => Section::Fields(f, 1),
                other => other,
            }
        );
    }

    #[test]
    fn bounds_hold_on_numbers_without_sense() {
        let d = Decoder { most: Some(u64::MAX), ..Decoder::default() };
        let section = unhex("ffffffffffffffff7f ffffffffffffffff7f");
        assert!(matches!(d.section(&section, Missing::LeaveOut), Section::Malformed | Section::Fields(..)));
        assert_eq!(
            Decoder { most: Some(0), ..Decoder::default() }.section(&[5, 0], Missing::Wait),
            Section::Malformed
        );
    }
}
