//! `apns-security-v3`: a command, a length of four bytes, and fields of a number, a length of two bytes and
//! a value.

use super::{MESSAGE, address, command, payload};
use crate::bytes::Cursor;
use crate::model::{Bucket, Side};
use crate::peel::{AfterGap, Form, Guess, Input, Out, Peeler, Probe, Step};

/// Command and length.
const HEAD: usize = 5;
/// Longest packet that can be meant.
const LONGEST: usize = 16 << 20;

/// Without a stated name: a push message whose fields fill it exactly, with a topic and a token first.
pub fn probe(p: &Probe<'_>) -> Guess {
    if p.stated {
        return Guess::Maybe;
    }
    let mut c = Cursor::new(p.bytes);
    if c.u8() != Some(MESSAGE) {
        return Guess::No;
    }
    let Some(length) = c.u32() else { return if p.end { Guess::No } else { Guess::More } };
    let head = matches!(c.rest(), [1, 0, 20 | 32, ..]);
    let Some(body) = c.take(length as usize).filter(|_| length < 1 << 20) else {
        let may_come = (head || c.left() < 3) && (64..1 << 11).contains(&length) && !p.end;
        return if may_come { Guess::More } else { Guess::No };
    };
    let mut c = Cursor::new(body);
    let mut lengths = Vec::new();
    while let (Some(id), Some(value)) = (c.u8(), c.vec16()) {
        lengths.push((id, value.len()));
    }
    let named = matches!(lengths.as_slice(), [(1, 20), (2, 32), (3, _), ..] | [(1, 32), (2, 20), (3, _), ..]);
    if named && c.is_empty() { Guess::Sure } else { Guess::No }
}

/// State of one connection: none.
pub struct Courier;

impl Peeler for Courier {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let mut c = Cursor::new(input.bytes);
        let (Some(kind), Some(length)) = (c.u8(), c.u32()) else {
            return match input.end {
                true => Step::skip(0, input.bytes.len() as u64, Bucket::Cut),
                false => Step::more(0, HEAD),
            };
        };
        let length = length as usize;
        if kind > 0x3f || length > LONGEST {
            return Step::die("apns-packet-malformed");
        }
        let Some(body) = c.take(length) else {
            return match (input.end, HEAD + length <= out.limits().buffer) {
                (true, _) => Step::skip(0, input.bytes.len() as u64, Bucket::Cut),
                (false, true) => Step::more(0, HEAD + length),
                (false, false) => {
                    out.note("apns-packet-limit");
                    Step::skip(0, (HEAD + length) as u64, Bucket::Cut)
                }
            };
        };
        out.begin_message();
        if fields(kind, body, input.side, out).is_none() {
            out.note("apns-packet-malformed");
        }
        Step::again(HEAD + length)
    }

    fn gap(&mut self, _: Side, _: u64, _: &mut Out<'_, '_>) -> AfterGap {
        AfterGap::Die
    }
}

fn fields(kind: u8, body: &[u8], side: Side, out: &mut Out<'_, '_>) -> Option<()> {
    let name = command(kind);
    let mut c = Cursor::new(body);
    while !c.is_empty() {
        let (id, value) = (c.u8()?, c.vec16()?);
        match (kind, id) {
            // Topic and token change places with the direction.
            (MESSAGE, 1 | 2) => address(name, value, side, out),
            (MESSAGE, 3) => payload(value, side, out),
            (0x07, 1) | (0x08, 3) | (0x0b, 1) => address(name, value, side, out),
            (0x09, 1..=5) => address(name, value, side, out),
            (MESSAGE, 6) => {
                // Nanoseconds since 1970.
                let time = Cursor::new(value).u64().map_or(0, |ns| ns / 1_000_000_000);
                out.item("message.timestamp", Form::Plain, side, time.to_string().as_bytes());
            }
            _ => {}
        }
    }
    Some(())
}
