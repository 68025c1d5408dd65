//! Binary property lists as data, with the references of keyed archives followed, so that an archived object
//! has the fields that its class gave it.

use super::tree::Data;
use super::{DEEPEST, MOST, Whole};
use crate::layers::bplist;
use crate::peel::{Eats, Family, Form, Guess, Hint, Probe, Spec};
use bplist::{File, Object};
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

/// The name under which both forms of property list keep a reference of a keyed archive.
const REFERENCE: &str = "CF$UID";

fn read(bytes: &[u8]) -> Option<Data<'_>> {
    file(bytes).map(unarchived)
}

fn file(bytes: &[u8]) -> Option<Data<'_>> {
    let file = File::read(bytes).filter(|f| f.count <= MOST)?;
    Reader { file, left: MOST }.object(file.top, 0)
}

struct Reader<'a> {
    file: File<'a>,
    /// Objects may be shared: each copy is paid for.
    left: usize,
}

/// What an object costs that copies so many bytes.
fn cost(bytes: usize) -> usize {
    1 + bytes / 64
}

/// Bytes that a copy of it takes.
fn size(data: &Data<'_>) -> usize {
    match data {
        Data::Text(text) => text.len(),
        Data::Bytes(bytes) => bytes.len(),
        Data::Plain(text) => text.len(),
        _ => 0,
    }
}

impl<'a> Reader<'a> {
    fn pay(&mut self, bytes: usize) -> Option<()> {
        self.left = self.left.checked_sub(cost(bytes))?;
        Some(())
    }

    fn object(&mut self, number: usize, depth: usize) -> Option<Data<'a>> {
        self.pay(0)?;
        if depth > DEEPEST {
            return None;
        }
        Some(match self.file.object(number)? {
            Object::Nothing => Data::Nothing,
            Object::Truth(truth) => Data::plain(truth),
            Object::Integer(n, 8) => Data::plain(n as u64 as i64),
            Object::Integer(n, _) => Data::plain(n),
            Object::Real(n) => Data::plain(n),
            Object::Data(bytes, _) => Data::bytes(bytes),
            Object::Text(text) => Data::text(text),
            Object::Wide(units) => {
                self.pay(2 * units.len())?;
                Data::Text(Cow::Owned(String::from_utf16_lossy(&units)))
            }
            Object::Uid(n) => Data::Map(vec![(REFERENCE.to_owned(), Data::plain(n))]),
            Object::Array(items) => {
                let items = items.into_iter().map(|i| self.object(i, depth + 1));
                Data::List(items.collect::<Option<_>>()?)
            }
            Object::Dictionary(pairs) => {
                let pairs = pairs.into_iter().map(|(key, value)| {
                    let key = self.object(key, depth + 1)?;
                    self.pay(size(&key))?;
                    Some((key.into_key(), self.object(value, depth + 1)?))
                });
                Data::Map(pairs.collect::<Option<_>>()?)
            }
            Object::Unknown => return None,
        })
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
    fn pay(&mut self, bytes: usize) -> bool {
        self.left = self.left.saturating_sub(cost(bytes));
        self.left > 0
    }

    fn followed(&mut self, data: &Data<'a>, depth: usize) -> Data<'a> {
        let copied = match data {
            Data::Text(Cow::Owned(_)) | Data::Bytes(Cow::Owned(_)) | Data::Plain(_) => size(data),
            _ => 0,
        };
        if !self.pay(copied) || depth > DEEPEST {
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
                let pairs = keys.iter().zip(values).map_while(|(k, v)| {
                    let key = self.followed(k, depth + 1);
                    self.pay(size(&key)).then(|| (key.into_key(), self.followed(v, depth + 1)))
                });
                Data::Map(pairs.collect())
            }
            (None, Some(values)) => self.followed(values, depth + 1),
            _ => {
                let fields = pairs.iter().filter(|(k, _)| k != "$class");
                let fields = fields
                    .map_while(|(k, v)| self.pay(k.len()).then(|| (k.clone(), self.followed(v, depth + 1))));
                Data::Map(fields.collect())
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

    /// A string of 60,000 characters, and a list or a dictionary that names it 20,000 times.
    fn crowded(string: u8, list: u8) -> Vec<u8> {
        const TIMES: usize = 20_000;
        let each = if list == 0xd0 { 2 } else { 1 };
        let mut file = b"bplist00".to_vec();
        file.extend([list | 15, 0x12]);
        file.extend((TIMES as u32).to_be_bytes());
        file.extend(std::iter::repeat_n(1, each * TIMES));
        let at = file.len() as u32;
        file.extend([string | 15, 0x12]);
        file.extend(60_000u32.to_be_bytes());
        file.extend(std::iter::repeat_n(b'a', if string == 0x60 { 120_000 } else { 60_000 }));
        let table = file.len() as u64;
        file.extend([8, at].map(u32::to_be_bytes).concat());
        file.extend([0, 0, 0, 0, 0, 0, 4, 1]);
        file.extend([2, 0, table].map(u64::to_be_bytes).concat());
        file
    }

    #[test]
    fn copies_of_one_long_string_are_paid_for_by_their_length() {
        assert!(read(&crowded(0x60, 0xa0)).is_none(), "a gigabyte of characters");
        assert!(read(&crowded(0x50, 0xd0)).is_none(), "a gigabyte of names");
        assert!(read(&crowded(0x50, 0xa0)).is_some(), "text that stays where it is costs nothing");
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
