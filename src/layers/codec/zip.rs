//! Zip archives (APPNOTE.TXT) that are there whole: members as they stand in the central directory, stored
//! or deflated. An encrypted member stays opaque.

use crate::bytes::Cursor;
use crate::model::Side;
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use std::io::Read;

/// The row.
pub static SPEC: Spec = Spec {
    name: "zip",
    title: "Zip archive",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Binary],
    answers: |h| match h {
        Hint::ContentType(t) => {
            t == "application/zip" || t.ends_with("+zip") || t == "application/x-zip-compressed"
        }
        _ => false,
    },
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &["zip-member-unsupported", "zip-members-limit"],
    open: || Box::new(Zip),
};

/// Members that are looked at.
const MOST: usize = 512;
/// Bytes of the record at the end, without its comment.
const END: usize = 22;

fn probe(p: &Probe<'_>) -> Guess {
    match p.bytes.starts_with(b"PK\x03\x04") && members(p.bytes).is_some() {
        true => Guess::Sure,
        false => Guess::No,
    }
}

struct Member<'a> {
    name: &'a [u8],
    flags: u16,
    method: u16,
    data: &'a [u8],
}

/// The members that the central directory names, if it is where the last record says.
fn members(bytes: &[u8]) -> Option<Vec<Member<'_>>> {
    let last = bytes.len().checked_sub(END)?;
    let first = last.saturating_sub(0xffff);
    let at = (first..=last).rev().find(|at| {
        let comment = bytes.len() - at - END;
        bytes.get(*at..at + 4) == Some(b"PK\x05\x06")
            && bytes.get(at + 20..at + 22).is_some_and(|n| n == (comment as u16).to_le_bytes())
    })?;
    let mut end = Cursor::new(bytes.get(at + 10..at + 20)?);
    let (count, size, offset) = (end.u16_le()?, end.u32_le()? as usize, end.u32_le()? as usize);
    let mut c = Cursor::new(bytes.get(offset..offset.checked_add(size)?)?);
    let mut list = Vec::new();
    for _ in 0..usize::from(count).min(MOST + 1) {
        list.push(member(&mut c, bytes)?);
    }
    (!list.is_empty()).then_some(list)
}

/// One entry of the central directory (section 4.3.12) with the data that its local header leads to.
fn member<'a>(c: &mut Cursor<'a>, bytes: &'a [u8]) -> Option<Member<'a>> {
    if c.u32_le()? != 0x0201_4b50 {
        return None;
    }
    c.take(4)?;
    let (flags, method) = (c.u16_le()?, c.u16_le()?);
    c.take(8)?;
    let packed = c.u32_le()? as usize;
    c.take(4)?;
    let lengths = [c.u16_le()?, c.u16_le()?, c.u16_le()?];
    c.take(8)?;
    let offset = c.u32_le()? as usize;
    let [name, extra, comment] = lengths.map(usize::from);
    let name = c.take(name)?;
    c.take(extra + comment)?;
    let mut local = Cursor::new(bytes.get(offset..)?);
    if local.u32_le()? != 0x0403_4b50 {
        return None;
    }
    local.take(22)?;
    let (own, more) = (usize::from(local.u16_le()?), usize::from(local.u16_le()?));
    local.take(own + more)?;
    Some(Member { name, flags, method, data: local.take(packed)? })
}

struct Zip;

impl Peeler for Zip {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(list) = members(input.bytes) else { return Step::again(0) };
        let mut left = out.limits().message;
        for (i, member) in list.iter().enumerate() {
            if i == MOST || left == 0 {
                out.note("zip-members-limit");
                break;
            }
            left = left.saturating_sub(give(i, member, left, input.side, out));
        }
        Step::again(input.bytes.len())
    }
}

/// Hands a member on. Returns how many bytes it had.
fn give(i: usize, member: &Member<'_>, left: usize, side: Side, out: &mut Out<'_, '_>) -> usize {
    let form = |bytes: &[u8]| if std::str::from_utf8(bytes).is_ok() { Form::Text } else { Form::Binary };
    out.item(&format!("member[{i}].filename"), form(member.name), side, member.name);
    let field = format!("member[{i}].file");
    if member.flags & 1 != 0 {
        out.item(&field, Form::Binary, side, member.data);
        return member.data.len();
    }
    let plain = match member.method {
        0 => member.data.to_vec(),
        8 => {
            let mut plain = Vec::new();
            let inflate = flate2::read::DeflateDecoder::new(member.data);
            // What came out before damage is worth having.
            let _ = inflate.take(left as u64).read_to_end(&mut plain);
            plain
        }
        _ => {
            out.note("zip-member-unsupported");
            member.data.to_vec()
        }
    };
    if !plain.is_empty() {
        let name = String::from_utf8_lossy(member.name).into_owned();
        let child = Child::message().form(form(&plain)).field(&field).label("name", &name);
        out.message(child, side, &plain);
    }
    plain.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive of one stored member.
    fn archive(name: &[u8], data: &[u8]) -> Vec<u8> {
        let (long, short) = (|n: usize| (n as u32).to_le_bytes(), |n: usize| (n as u16).to_le_bytes());
        // From the version needed to the length of the extra field.
        let shared =
            [&[10u8, 0][..], &[0; 12], &long(data.len()), &long(data.len()), &short(name.len()), &[0, 0]];
        let shared = shared.concat();
        let local = [b"PK\x03\x04", &shared[..], name, data].concat();
        let entry = [b"PK\x01\x02\x0a\0", &shared[..], &[0; 14], name].concat();
        let end =
            [b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &long(entry.len())[..], &long(local.len()), &[0, 0]].concat();
        [local, entry, end].concat()
    }

    #[test]
    fn members_come_from_the_central_directory() {
        let whole = archive(b"a.txt", b"see you");
        let list = members(&whole).unwrap();
        assert_eq!((list[0].name, list[0].data), (&b"a.txt"[..], &b"see you"[..]));
        for cut in 0..whole.len() {
            assert!(members(&whole[..cut]).is_none());
        }
    }
}
