//! Binary property lists, as APNs carries them: bounded, with the place of data.

use crate::layers::bplist;
use bplist::{File, Object};

const DEEPEST: usize = 16;
const MOST: usize = 50_000;

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub enum Plist<'a> {
    /// An integer of up to eight bytes.
    Integer(i64),
    /// Data and where it lies.
    Data(&'a [u8], usize),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Plist<'a>>),
    /// A dictionary in wire order.
    Dictionary(Vec<(String, Plist<'a>)>),
    /// Anything else.
    Other,
}

impl<'a> Plist<'a> {
    /// A dictionary's value.
    pub fn at(&self, key: &str) -> Option<&Plist<'a>> {
        match self {
            Plist::Dictionary(pairs) => pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The string, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Plist::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The data, if it is some.
    pub fn data(&self) -> Option<&'a [u8]> {
        match self {
            Plist::Data(data, _) => Some(data),
            _ => None,
        }
    }
}

/// The top object of a whole file.
pub fn parse(bytes: &[u8]) -> Option<Plist<'_>> {
    let file = File::read(bytes).filter(|f| f.count <= MOST)?;
    Reader { file, left: MOST }.object(file.top, 0)
}

struct Reader<'a> {
    file: File<'a>,
    /// Objects may be shared: what is copied out again and again has to be paid for.
    left: usize,
}

impl<'a> Reader<'a> {
    fn object(&mut self, number: usize, depth: usize) -> Option<Plist<'a>> {
        self.left = self.left.checked_sub(1)?;
        if depth > DEEPEST {
            return None;
        }
        Some(match self.file.object(number)? {
            Object::Integer(n, 1..=8) => Plist::Integer(n as i64),
            Object::Data(data, at) => Plist::Data(data, at),
            Object::Text(text) => {
                self.pay(text.len())?;
                Plist::Text(text.to_owned())
            }
            Object::Wide(units) => {
                self.pay(units.len())?;
                Plist::Text(String::from_utf16(&units).ok()?)
            }
            Object::Array(items) => {
                self.pay(items.len())?;
                let items = items.into_iter().map(|i| self.object(i, depth + 1));
                Plist::Array(items.collect::<Option<_>>()?)
            }
            Object::Dictionary(pairs) => {
                self.pay(pairs.len())?;
                let pairs = pairs.into_iter().map(|(key, value)| {
                    let key = self.object(key, depth + 1)?.text()?.to_owned();
                    Some((key, self.object(value, depth + 1)?))
                });
                Plist::Dictionary(pairs.collect::<Option<_>>()?)
            }
            _ => Plist::Other,
        })
    }

    fn pay(&mut self, count: usize) -> Option<()> {
        self.left = self.left.checked_sub(count / 16)?;
        Some(())
    }
}
