//! `apns-pack-v1`: messages packed against a table of keys and one of values, each direction with its own.
//! The tables grow with every message, so a recording that lacks one cannot be read any further.

use super::plist::Value;
use super::{MESSAGE, address, command, payload};
use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{AfterGap, Form, Input, Out, Peeler, Step};
use std::collections::VecDeque;

/// Keys that the table holds.
const KEYS: usize = 32;
/// Room of the table of values, and what each costs beside its bytes.
const VALUES: usize = 0x1000;
const COST: usize = 0x20;
/// Values inside one another.
const DEPTH: usize = 8;
/// Values of one message.
const PARTS: usize = 20_000;
/// Longest message that can be meant.
const LONGEST: usize = 1 << 20;

/// One direction's tables, newest first.
#[derive(Default)]
struct Tables {
    keys: VecDeque<Value>,
    values: VecDeque<(Value, usize)>,
    held: usize,
}

impl Tables {
    fn keep_key(&mut self, key: Value) {
        self.keys.push_front(key);
        self.keys.truncate(KEYS);
    }

    fn keep_value(&mut self, value: Value, size: usize) {
        self.held += size + COST;
        self.values.push_front((value, size));
        while self.held > VALUES
            && let Some((_, size)) = self.values.pop_back()
        {
            self.held -= size + COST;
        }
    }
}

/// State of one connection.
#[derive(Default)]
pub struct Packed {
    tables: PerSide<Tables>,
}

impl Peeler for Packed {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let mut c = Cursor::new(input.bytes);
        let head = c.u8().zip(prefixed(&mut c, 8));
        let Some((kind, length)) = head else {
            return match input.end || input.bytes.len() > 16 {
                true => Step::die("apns-packet-malformed"),
                false => Step::more(0, input.bytes.len() + 1),
            };
        };
        if kind > 0x3f || length > LONGEST {
            return Step::die("apns-pack-state-lost");
        }
        let total = c.consumed() + length;
        let Some(body) = c.take(length) else {
            return match input.end {
                true => Step::die("apns-pack-state-lost"),
                false => Step::more(0, total),
            };
        };
        let mut reader = Reader { c: Cursor::new(body), tables: &mut self.tables[input.side], left: PARTS };
        match reader.attributes() {
            Some(attributes) => show(kind, &attributes, input.side, out),
            // An entry that is not in a table: the recording lacks an earlier message.
            None => return Step::die("apns-pack-state-lost"),
        }
        Step::again(total)
    }

    fn gap(&mut self, _: Side, _: u64, out: &mut Out<'_, '_>) -> AfterGap {
        out.note("apns-pack-state-lost");
        AfterGap::Die
    }
}

fn show(kind: u8, attributes: &[(u8, Value)], side: Side, out: &mut Out<'_, '_>) {
    let name = command(kind);
    out.begin_message();
    for (id, value) in attributes {
        match (kind, id, value) {
            (MESSAGE, 1 | 2, Value::Data(bytes)) => address(name, bytes, side, out),
            (MESSAGE, 3, Value::Data(bytes)) => payload(bytes, side, out),
            (MESSAGE, 3, value) => payload(&value.to_binary(), side, out),
            (0x07, 1, Value::Data(bytes)) | (0x08, 3, Value::Data(bytes)) => address(name, bytes, side, out),
            (_, _, Value::Text(text)) => {
                out.item(&format!("{name}.{id}"), Form::Text, side, text.as_bytes());
            }
            _ => {}
        }
    }
}

/// A number in the lower `bits` of a byte, or behind it in groups of seven bits.
fn prefixed(c: &mut Cursor<'_>, bits: u32) -> Option<usize> {
    let first = c.u8()?;
    continued(c, first, ((1u32 << bits) - 1) as u8)
}

/// A number whose first byte is read already.
fn continued(c: &mut Cursor<'_>, first: u8, mask: u8) -> Option<usize> {
    let low = first & mask;
    if low != mask {
        return Some(usize::from(low));
    }
    let mut number = usize::from(mask);
    for shift in (0..28).step_by(7) {
        let b = c.u8()?;
        number += usize::from(b & 0x7f) << shift;
        if b & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

struct Reader<'a, 't> {
    c: Cursor<'a>,
    tables: &'t mut Tables,
    left: usize,
}

impl Reader<'_, '_> {
    fn attributes(&mut self) -> Option<Vec<(u8, Value)>> {
        let mut list = Vec::new();
        while !self.c.is_empty() {
            let tag = self.c.u8()?;
            let id = match self.key(tag)? {
                Value::Number(n) => u8::try_from(n).ok()?,
                Value::Text(key) => key.bytes().next().filter(|_| key.len() == 1)?,
                Value::Data(key) => *key.first().filter(|_| key.len() == 1)?,
                _ => return None,
            };
            list.push((id, self.tagged(tag, 0)?));
        }
        Some(list)
    }

    /// The key that a tag names, or brings with it.
    fn key(&mut self, tag: u8) -> Option<Value> {
        if tag & 0x20 != 0 {
            let index = continued(&mut self.c, tag, 0x1f)?;
            return self.tables.keys.get(index).cloned();
        }
        if tag & 0x10 == 0 {
            return Some(Value::Number(i128::from(tag & 0x0f)));
        }
        let length = continued(&mut self.c, tag, 0x0f)? + 1;
        let bytes = self.c.take(length)?;
        let key = match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => Value::Data(bytes.to_vec()),
        };
        self.tables.keep_key(key.clone());
        Some(key)
    }

    /// The value behind a tag: in the table, or here, and then perhaps to be kept.
    fn tagged(&mut self, tag: u8, depth: usize) -> Option<Value> {
        if tag & 0x80 != 0 {
            let index = prefixed(&mut self.c, 8)?;
            return self.tables.values.get(index).map(|(v, _)| v.clone());
        }
        let before = self.c.consumed();
        let value = self.value(depth)?;
        if tag & 0x40 != 0 {
            let size = match &value {
                Value::Data(data) => data.len(),
                Value::Text(text) => text.len(),
                _ => self.c.consumed() - before,
            };
            self.tables.keep_value(value.clone(), size);
        }
        Some(value)
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        let head = self.c.peek()?;
        match head >> 6 {
            0 => {
                let length = prefixed(&mut self.c, 6)?;
                self.c.take(length).map(|b| Value::Data(b.to_vec()))
            }
            1 => {
                let length = prefixed(&mut self.c, 5)?;
                let bytes = self.c.take(length)?;
                std::str::from_utf8(bytes).ok().map(|t| Value::Text(t.to_owned()))
            }
            2 => self.number(),
            _ if head & 0x20 != 0 => self.c.u8().map(|b| Value::Truth(b & 1 != 0)),
            _ if depth >= DEPTH => None,
            _ if head & 0x10 != 0 => {
                let count = prefixed(&mut self.c, 4)?;
                (0..count).map(|_| self.value(depth + 1)).collect::<Option<Vec<_>>>().map(Value::Array)
            }
            _ => {
                let count = prefixed(&mut self.c, 4)?;
                let mut pairs = Vec::new();
                for _ in 0..count {
                    let tag = self.c.u8()?;
                    let key = self.key(tag)?;
                    pairs.push((key, self.tagged(tag, depth + 1)?));
                }
                Some(Value::Dictionary(pairs))
            }
        }
    }

    fn number(&mut self) -> Option<Value> {
        let head = self.c.u8()?;
        if head & 0x20 == 0 {
            return Some(Value::Number(i128::from(head & 0x1f)));
        }
        let bytes = self.c.take(usize::from(head & 7) + 1)?;
        let magnitude = bytes.iter().fold(0i128, |n, b| n << 8 | i128::from(*b));
        Some(Value::Number(if head & 8 != 0 { -magnitude } else { magnitude }))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The payloads of packed messages in order, in binary form.
    pub fn payloads(stream: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut tables = Tables::default();
        let (mut c, mut found) = (Cursor::new(stream), Vec::new());
        while !c.is_empty() {
            c.u8()?;
            let length = prefixed(&mut c, 8)?;
            let mut reader = Reader { c: c.sub(length)?, tables: &mut tables, left: PARTS };
            let attributes = reader.attributes()?;
            found.extend(attributes.iter().filter(|(id, _)| *id == 3).map(|(_, v)| v.to_binary()));
        }
        Some(found)
    }

    #[test]
    fn nests_and_absurd_counts_end() {
        assert_eq!(
            payloads(&[0x0a, 100].iter().copied().chain([0x03]).chain([0xd1; 99]).collect::<Vec<_>>()),
            None
        );
        assert_eq!(payloads(b"\x0a\x06\x03\xdf\xff\xff\xff\x7f"), None);
        assert_eq!(payloads(b"\x0a\x02\x81\x00"), None, "an entry that no table has");
        assert_eq!(payloads(b"\x0a\xff\xff\xff\xff\xff"), None);
    }
}
