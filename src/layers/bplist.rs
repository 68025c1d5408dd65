//! Binary property lists (`bplist00`, CoreFoundation's CFBinaryPList.c) object by object: every object lies
//! inside the file. Objects refer to one another by their numbers, and may be shared or hold themselves;
//! who follows references bounds how far.

const MAGIC: &[u8] = b"bplist0";

/// One object.
#[derive(Debug, Clone, PartialEq)]
pub enum Object<'a> {
    /// Null, and what fills a file up.
    Nothing,
    /// A truth.
    Truth(bool),
    /// An integer and the bytes it takes up: eight are signed, fewer are not.
    Integer(u128, usize),
    /// A number, or a date in seconds since 2001.
    Real(f64),
    /// Bytes, and where in the file they lie.
    Data(&'a [u8], usize),
    /// ASCII or UTF-8.
    Text(&'a str),
    /// Units of UTF-16.
    Wide(Vec<u16>),
    /// A reference of a keyed archive.
    Uid(u64),
    /// The numbers of an array's or a set's objects.
    Array(Vec<usize>),
    /// The numbers of a dictionary's keys and values.
    Dictionary(Vec<(usize, usize)>),
    /// A kind that is not known.
    Unknown,
}

/// A file whose trailer holds together.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    bytes: &'a [u8],
    offsets: &'a [u8],
    offset_size: usize,
    reference_size: usize,
    /// Objects in it.
    pub count: usize,
    /// The number of the object that holds all others.
    pub top: usize,
}

impl<'a> File<'a> {
    /// Reads the trailer of a whole file.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        if !bytes.starts_with(MAGIC) {
            return None;
        }
        let trailer_at = bytes.len().checked_sub(32)?;
        let trailer = bytes.get(trailer_at..)?;
        let (offset_size, reference_size) = (usize::from(*trailer.get(6)?), usize::from(*trailer.get(7)?));
        let number = |at: usize| usize::try_from(big_endian(trailer.get(at..at + 8)?)?).ok();
        let (count, top, table) = (number(8)?, number(16)?, number(24)?);
        let offsets = bytes.get(table..trailer_at)?;
        let sizes = (1..=8).contains(&offset_size) && (1..=8).contains(&reference_size);
        let fits = sizes && top < count && offsets.len() >= count.checked_mul(offset_size)?;
        fits.then_some(Self { bytes, offsets, offset_size, reference_size, count, top })
    }

    /// The object of that number.
    pub fn object(&self, number: usize) -> Option<Object<'a>> {
        let entry = number.checked_mul(self.offset_size)?;
        let offset = self.offsets.get(entry..entry.checked_add(self.offset_size)?)?;
        let at = usize::try_from(big_endian(offset)?).ok()?;
        let marker = *self.bytes.get(at)?;
        let (kind, low) = (marker >> 4, marker & 15);
        let width = 1usize << low.min(6);
        Some(match kind {
            0 if matches!(low, 8 | 9) => Object::Truth(low == 9),
            0 => Object::Nothing,
            1 if low <= 4 => {
                let digits = self.slice(at + 1, width)?;
                Object::Integer(digits.iter().fold(0, |n, &b| n << 8 | u128::from(b)), width)
            }
            2 | 3 => Object::Real(real(self.slice(at + 1, width)?)?),
            8 => Object::Uid(big_endian(self.slice(at + 1, usize::from(low) + 1)?)?),
            4..=7 | 10 | 12 | 13 => self.counted(kind, at, low)?,
            _ => Object::Unknown,
        })
    }

    fn counted(&self, kind: u8, at: usize, low: u8) -> Option<Object<'a>> {
        let (count, start) = self.count(at, low)?;
        Some(match kind {
            4 => Object::Data(self.slice(start, count)?, start),
            5 | 7 => Object::Text(std::str::from_utf8(self.slice(start, count)?).ok()?),
            6 => {
                let (pairs, _) = self.slice(start, count.checked_mul(2)?)?.as_chunks::<2>();
                Object::Wide(pairs.iter().map(|p| u16::from_be_bytes(*p)).collect())
            }
            13 => {
                let numbers = self.references(start, count.checked_mul(2)?)?;
                let (keys, values) = numbers.split_at_checked(count)?;
                Object::Dictionary(keys.iter().copied().zip(values.iter().copied()).collect())
            }
            _ => Object::Array(self.references(start, count)?),
        })
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

fn big_endian(bytes: &[u8]) -> Option<u64> {
    (bytes.len() <= 8).then(|| bytes.iter().fold(0, |n, &b| n << 8 | u64::from(b)))
}

fn real(bytes: &[u8]) -> Option<f64> {
    match bytes.len() {
        4 => Some(f64::from(f32::from_be_bytes(bytes.try_into().ok()?))),
        8 => Some(f64::from_be_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}
