//! RTCP (RFC 3550 section 6): who takes part in a call, by canonical name, and how they are doing.

use crate::bytes::Cursor;
use crate::model::Side;
use crate::peel::{Child, Form, Guard, Out};

/// Whether the bytes are control packets to the end (RFC 3550 appendix A.2): each of version 2 and a known
/// type, long enough for what it counts, the first a report.
pub(super) fn is_compound(bytes: &[u8]) -> bool {
    let mut c = Cursor::new(bytes);
    let mut first = true;
    while !c.is_empty() {
        let Some(packet) = packet(&mut c) else { return false };
        // With reduced size anything may come first (RFC 5506), but then little else tells it from noise.
        if first && !matches!(packet.kind, 200 | 201 | 205 | 206) {
            return false;
        }
        first = false;
    }
    !first
}

/// Whether it is SRTCP (RFC 3711 section 3.4, RFC 7714 section 9.2): the header of a report in clear, of
/// exactly the length that its count asks for, and a word that says "encrypted" with a low count where the
/// usual tags would leave it.
pub(super) fn is_sealed(bytes: &[u8]) -> bool {
    let mut c = Cursor::new(bytes);
    let (Some(first), Some(kind), Some(words)) = (c.u8(), c.u8(), c.u16()) else { return false };
    let reports = u16::from(first & 31);
    let exact = match kind {
        200 => words == 6 + 6 * reports,
        201 => words == 1 + 6 * reports,
        _ => false,
    };
    let index = |from_end: usize| {
        let at = bytes.len().checked_sub(from_end)?;
        let word = Cursor::new(bytes.get(at..)?).u32()?;
        (at >= 4 * (usize::from(words) + 1) && word >> 16 == 0x8000).then_some(())
    };
    // Behind the index stand a tag of ten or four bytes, or nothing where the cipher authenticates.
    first >> 6 == 2 && exact && [14, 8, 4].into_iter().any(|n| index(n).is_some())
}

struct Control<'a> {
    kind: u8,
    count: u8,
    body: &'a [u8],
}

fn packet<'a>(c: &mut Cursor<'a>) -> Option<Control<'a>> {
    let (first, kind, words) = (c.u8()?, c.u8()?, c.u16()?);
    if first >> 6 != 2 || !(200..=207).contains(&kind) {
        return None;
    }
    let body = c.take(4 * usize::from(words))?;
    let count = first & 31;
    let least = match kind {
        200 => 24 + 24 * usize::from(count),
        201 => 4 + 24 * usize::from(count),
        202 => usize::from(count) * 4,
        203 => usize::from(count) * 4,
        205 | 206 => 8,
        _ => 4,
    };
    (body.len() >= least).then_some(Control { kind, count, body })
}

/// States what a compound packet says about its sender, and whom it was hidden from.
pub(super) fn read(side: Side, bytes: &[u8], guard: Guard, out: &mut Out<'_, '_>) {
    let mut c = Cursor::new(bytes);
    while let Some(control) = packet(&mut c) {
        match control.kind {
            202 => description(side, &control, guard, out),
            203 => out.fact("rtcp.bye", true),
            _ => {}
        }
    }
}

/// Source descriptions (RFC 3550 section 6.5).
fn description(side: Side, control: &Control<'_>, guard: Guard, out: &mut Out<'_, '_>) {
    let mut c = Cursor::new(control.body);
    for _ in 0..control.count {
        if c.u32().is_none() {
            return;
        }
        while let Some(kind) = c.u8().filter(|k| *k != 0) {
            let Some(text) = c.vec8() else { return };
            let name = match kind {
                1 => "sdes.cname",
                2 => "sdes.name",
                3 => "sdes.email",
                4 => "sdes.phone",
                5 => "sdes.loc",
                6 => "sdes.tool",
                7 => "sdes.note",
                _ => continue,
            };
            let child = Child::message().form(Form::Text).field(name);
            let child = if guard == Guard::Confidential { child.confidential() } else { child };
            out.message(child, side, text);
        }
        // Each chunk ends on a word.
        let over = c.consumed() % 4;
        if over > 0 && c.take(4 - over).is_none() {
            return;
        }
    }
}
