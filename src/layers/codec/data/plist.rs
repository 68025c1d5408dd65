//! Binary property lists (`bplist00`, CoreFoundation's CFBinaryPList.c), with the references of keyed
//! archives followed, so that an archived object has the fields that its class gave it.

use super::tree::Data;
use super::{DEEPEST, MOST, Whole};
use crate::peel::{Eats, Family, Form, Guess, Hint, Probe, Spec};
use std::borrow::Cow;

/// The row.
pub static SPEC: Spec = Spec {
    name: "bplist",
    title: "Binary property list",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Binary, Form::Text],
    answers: |h| match h {
        Hint::ContentType(t) => {
            matches!(
                t.as_str(),
                "application/x-bplist" | "application/x-apple-binary-plist" | "application/x-apple-plist"
            )
        }
        _ => false,
    },
    shapes: &[],
    probe: Some(|p: &Probe<'_>| if read(p.bytes).is_some() { Guess::Sure } else { Guess::No }),
    facts: &[],
    notes: &[],
    open: || Box::new(Whole(read)),
};

const MAGIC: &[u8] = b"bplist0";
/// The name under which both forms of property list keep a reference of a keyed archive.
const REFERENCE: &str = "CF$UID";

fn read(bytes: &[u8]) -> Option<Data<'_>> {
    file(bytes).map(unarchived)
}

fn file(bytes: &[u8]) -> Option<Data<'_>> {
    if !bytes.starts_with(MAGIC) {
        return None;
    }
    let trailer_at = bytes.len().checked_sub(32)?;
    let trailer = bytes.get(trailer_at..)?;
    let (offset_size, reference_size) = (usize::from(*trailer.get(6)?), usize::from(*trailer.get(7)?));
    let number = |at: usize| usize::try_from(big_endian(trailer.get(at..at + 8)?)?).ok();
    let (count, top, table) = (number(8)?, number(16)?, number(24)?);
    let table = bytes.get(table..trailer_at)?;
    let sizes = (1..=8).contains(&offset_size) && (1..=8).contains(&reference_size);
    if !sizes || count > MOST || top >= count || table.len() < count * offset_size {
        return None;
    }
    let mut file = File { bytes, table, offset_size, reference_size, left: MOST };
    file.object(top, 0)
}

fn big_endian(bytes: &[u8]) -> Option<u64> {
    (bytes.len() <= 8).then(|| bytes.iter().fold(0, |n, &b| n << 8 | u64::from(b)))
}

struct File<'a> {
    bytes: &'a [u8],
    table: &'a [u8],
    offset_size: usize,
    reference_size: usize,
    /// Objects may be shared: each copy is paid for.
    left: usize,
}

impl<'a> File<'a> {
    fn object(&mut self, index: usize, depth: usize) -> Option<Data<'a>> {
        self.left = self.left.checked_sub(1)?;
        if depth > DEEPEST {
            return None;
        }
        let entry = index.checked_mul(self.offset_size)?;
        let offset = self.table.get(entry..entry.checked_add(self.offset_size)?)?;
        let at = usize::try_from(big_endian(offset)?).ok()?;
        let marker = *self.bytes.get(at)?;
        let (kind, low) = (marker >> 4, marker & 15);
        let width = 1usize << low.min(6);
        match kind {
            0 => Some(match low {
                8 | 9 => Data::plain(low == 9),
                _ => Data::Nothing,
            }),
            1 if low <= 4 => {
                let digits = self.slice(at + 1, width)?;
                let value = digits.iter().fold(0u128, |n, &b| n << 8 | u128::from(b));
                // Eight bytes are signed, fewer are not.
                Some(if low == 3 { Data::plain(value as u64 as i64) } else { Data::plain(value) })
            }
            2 | 3 => Some(Data::plain(real(self.slice(at + 1, width)?)?)),
            8 => {
                let n = big_endian(self.slice(at + 1, usize::from(low) + 1)?)?;
                Some(Data::Map(vec![(REFERENCE.to_owned(), Data::plain(n))]))
            }
            4..=7 | 10 | 12 | 13 => self.container(kind, at, low, depth),
            _ => None,
        }
    }

    fn container(&mut self, kind: u8, at: usize, low: u8, depth: usize) -> Option<Data<'a>> {
        let (count, start) = self.count(at, low)?;
        match kind {
            4 => Some(Data::bytes(self.slice(start, count)?)),
            5 | 7 => Some(Data::text(std::str::from_utf8(self.slice(start, count)?).ok()?)),
            6 => {
                let pairs = self.slice(start, count.checked_mul(2)?)?.chunks_exact(2);
                let units: Vec<u16> =
                    pairs.filter_map(|p| Some(u16::from_be_bytes([*p.first()?, *p.get(1)?]))).collect();
                Some(Data::Text(Cow::Owned(String::from_utf16_lossy(&units))))
            }
            13 => {
                let references = self.references(start, count.checked_mul(2)?)?;
                let (keys, values) = references.split_at_checked(count)?;
                let pairs = keys.iter().zip(values);
                pairs
                    .map(|(k, v)| Some((self.object(*k, depth + 1)?.into_key(), self.object(*v, depth + 1)?)))
                    .collect::<Option<_>>()
                    .map(Data::Map)
            }
            _ => {
                let items = self.references(start, count)?;
                items.into_iter().map(|i| self.object(i, depth + 1)).collect::<Option<_>>().map(Data::List)
            }
        }
    }

    /// A count in the marker, or in the integer object after it.
    fn count(&self, at: usize, low: u8) -> Option<(usize, usize)> {
        if low != 15 {
            return Some((usize::from(low), at + 1));
        }
        let marker = *self.bytes.get(at + 1)?;
        let width = 1usize << (marker & 15).min(4);
        let number = big_endian(self.slice(at + 2, width)?)?;
        (marker >> 4 == 1).then_some((usize::try_from(number).ok()?, at + 2 + width))
    }

    fn slice(&self, start: usize, length: usize) -> Option<&'a [u8]> {
        self.bytes.get(start..start.checked_add(length)?)
    }

    fn references(&self, start: usize, count: usize) -> Option<Vec<usize>> {
        let all = self.slice(start, count.checked_mul(self.reference_size)?)?;
        all.chunks_exact(self.reference_size).map(|r| usize::try_from(big_endian(r)?).ok()).collect()
    }
}

fn real(bytes: &[u8]) -> Option<f64> {
    match bytes.len() {
        4 => Some(f64::from(f32::from_be_bytes(bytes.try_into().ok()?))),
        8 => Some(f64::from_be_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}

/// A keyed archive as the objects that were archived; anything else as it is.
pub(super) fn unarchived(data: Data<'_>) -> Data<'_> {
    let (Some(Data::List(objects)), Some(top)) = (data.at("$objects"), data.at("$top")) else {
        return data;
    };
    if data.at("$archiver").is_none() {
        return data;
    }
    Archive { objects, left: MOST }.followed(top, 0)
}

struct Archive<'t, 'a> {
    objects: &'t [Data<'a>],
    /// Objects may be shared or hold one another: each copy is paid for.
    left: usize,
}

impl<'a> Archive<'_, 'a> {
    fn followed(&mut self, data: &Data<'a>, depth: usize) -> Data<'a> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || depth > DEEPEST {
            return Data::Nothing;
        }
        match data {
            Data::List(list) => Data::List(list.iter().map(|d| self.followed(d, depth + 1)).collect()),
            Data::Map(pairs) => match pairs.as_slice() {
                [(name, Data::Plain(n))] if name == REFERENCE => {
                    let target = n.parse::<usize>().ok().filter(|n| *n > 0).and_then(|n| self.objects.get(n));
                    target.map_or(Data::Nothing, |d| self.followed(d, depth + 1))
                }
                pairs => self.object(pairs, depth),
            },
            Data::Text(t) if t == "$null" => Data::Nothing,
            other => other.clone(),
        }
    }

    /// Foundation's own classes are read as what they stand for.
    fn object(&mut self, pairs: &[(String, Data<'a>)], depth: usize) -> Data<'a> {
        let value = |name: &str| pairs.iter().find(|(k, _)| k == name).map(|(_, v)| v);
        for name in ["NS.string", "NS.bytes", "NS.data", "NS.time"] {
            if let Some(inner) = value(name) {
                return self.followed(inner, depth + 1);
            }
        }
        match (value("NS.keys"), value("NS.objects")) {
            (Some(Data::List(keys)), Some(Data::List(values))) => {
                let pairs = keys.iter().zip(values);
                Data::Map(
                    pairs
                        .map(|(k, v)| (self.followed(k, depth + 1).into_key(), self.followed(v, depth + 1)))
                        .collect(),
                )
            }
            (None, Some(values)) => self.followed(values, depth + 1),
            _ => {
                let fields = pairs.iter().filter(|(k, _)| k != "$class");
                Data::Map(fields.map(|(k, v)| (k.clone(), self.followed(v, depth + 1))).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of these objects, the first of them on top.
    fn written(objects: &[&[u8]]) -> Vec<u8> {
        let mut file = b"bplist00".to_vec();
        let mut table = Vec::new();
        for object in objects {
            table.push(file.len() as u8);
            file.extend_from_slice(object);
        }
        let at = file.len() as u64;
        file.extend_from_slice(&table);
        file.extend_from_slice(&[0, 0, 0, 0, 0, 0, 1, 1]);
        file.extend_from_slice(&(objects.len() as u64).to_be_bytes());
        file.extend_from_slice(&0u64.to_be_bytes());
        file.extend_from_slice(&at.to_be_bytes());
        file
    }

    #[test]
    fn objects_read_under_their_names() {
        let file = written(&[
            b"\xd3\x01\x02\x03\x04\x05\x06",
            b"\x54text",
            b"\x51n",
            b"\x51d",
            b"\x62\x00\xe9\x00t",
            b"\x10\x07",
            b"\x42\x00\xff",
        ]);
        let data = read(&file).unwrap();
        assert_eq!(data.at("text").and_then(Data::as_text), Some("ét"));
        assert_eq!(data.at("n"), Some(&Data::plain(7)));
        assert_eq!(data.at("d"), Some(&Data::bytes(&[0, 255])));
        for cut in 0..file.len() {
            assert_eq!(read(&file[..cut]), None);
        }
        // An array that holds itself.
        assert_eq!(read(&written(&[b"\xa1\x00"])), None);
    }

    #[test]
    fn a_keyed_archive_is_read_as_what_was_archived() {
        let reference = |n: u64| Data::Map(vec![(REFERENCE.to_owned(), Data::plain(n))]);
        let map = |pairs: Vec<(&str, Data<'static>)>| {
            Data::Map(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
        };
        let objects = Data::List(vec![
            Data::text("$null"),
            map(vec![
                ("body", reference(2)),
                ("gone", reference(0)),
                ("again", reference(1)),
                ("$class", reference(3)),
            ]),
            map(vec![("NS.string", reference(4)), ("$class", reference(3))]),
            map(vec![("$classname", Data::text("Message"))]),
            Data::text("see you"),
        ]);
        let archive = map(vec![
            ("$archiver", Data::text("NSKeyedArchiver")),
            ("$top", map(vec![("root", reference(1))])),
            ("$objects", objects),
        ]);
        let root = unarchived(archive);
        let message = root.at("root").unwrap();
        assert_eq!(message.at("body").and_then(Data::as_text), Some("see you"));
        assert_eq!(message.at("gone"), Some(&Data::Nothing));
    }
}
