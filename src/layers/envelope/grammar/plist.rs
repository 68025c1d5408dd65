//! Binary property lists (`bplist00`), as APNs carries them: bounded, every object inside the file.

const MAGIC: &[u8] = b"bplist00";
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
    if !bytes.starts_with(MAGIC) {
        return None;
    }
    let trailer_at = bytes.len().checked_sub(32)?;
    let trailer = bytes.get(trailer_at..)?;
    let (offset_size, reference_size) = (usize::from(*trailer.get(6)?), usize::from(*trailer.get(7)?));
    let number =
        |at: usize| trailer.get(at..at + 8).and_then(big_endian).and_then(|n| usize::try_from(n).ok());
    let (count, top, table) = (number(8)?, number(16)?, number(24)?);
    let fits =
        (1..=8).contains(&offset_size) && (1..=8).contains(&reference_size) && count <= MOST && top < count;
    let table = bytes.get(table..trailer_at)?;
    if !fits || table.len() != count * offset_size {
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
    left: usize,
}

impl<'a> File<'a> {
    fn object(&mut self, index: usize, depth: usize) -> Option<Plist<'a>> {
        self.left = self.left.checked_sub(1)?;
        if depth > DEEPEST {
            return None;
        }
        let entry = index.checked_mul(self.offset_size)?;
        let offset = self.table.get(entry..entry.checked_add(self.offset_size)?)?;
        let at = usize::try_from(big_endian(offset)?).ok()?;
        let marker = *self.bytes.get(at)?;
        let (kind, low) = (marker >> 4, marker & 15);
        if kind == 1 && low <= 3 {
            let width = 1usize << low;
            return Some(Plist::Integer(big_endian(self.bytes.get(at + 1..at + 1 + width)?)? as i64));
        }
        if !matches!(kind, 4 | 5 | 6 | 10 | 13) {
            return Some(Plist::Other);
        }
        let (count, start) = self.count(at, low)?;
        // Objects may be shared: what is copied out again and again has to be paid for.
        self.left = self.left.checked_sub(if kind == 4 { 0 } else { count / 16 })?;
        match kind {
            4 => Some(Plist::Data(self.slice(start, count)?, start)),
            5 => Some(Plist::Text(std::str::from_utf8(self.slice(start, count)?).ok()?.to_owned())),
            6 => {
                let units = self.slice(start, count.checked_mul(2)?)?.chunks_exact(2);
                let units: Vec<u16> =
                    units.filter_map(|p| Some(u16::from_be_bytes([*p.first()?, *p.get(1)?]))).collect();
                Some(Plist::Text(String::from_utf16(&units).ok()?))
            }
            10 => {
                let items = self.references(start, count)?;
                items.into_iter().map(|i| self.object(i, depth + 1)).collect::<Option<_>>().map(Plist::Array)
            }
            _ => self.dictionary(start, count, depth),
        }
    }

    fn dictionary(&mut self, start: usize, count: usize, depth: usize) -> Option<Plist<'a>> {
        let references = self.references(start, count.checked_mul(2)?)?;
        let (keys, values) = references.split_at_checked(count)?;
        let mut pairs = Vec::with_capacity(count);
        for (&key, &value) in keys.iter().zip(values) {
            let key = self.object(key, depth + 1)?.text()?.to_owned();
            pairs.push((key, self.object(value, depth + 1)?));
        }
        Some(Plist::Dictionary(pairs))
    }

    /// A count in the marker, or in the integer object after it.
    fn count(&self, at: usize, low: u8) -> Option<(usize, usize)> {
        if low != 15 {
            return Some((usize::from(low), at + 1));
        }
        let marker = *self.bytes.get(at + 1)?;
        let width = 1usize << (marker & 15).min(4);
        let number = big_endian(self.bytes.get(at + 2..at + 2 + width)?)?;
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
