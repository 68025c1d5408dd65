//! A capped reader over borrowed bytes: it cannot index, cannot panic and cannot read beyond its end. Beside
//! it bytes as hexadecimal digits and back (RFC 4648 section 8).

/// Whether bytes are UTF-8, whose last character may be cut.
pub fn begins_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).err().is_none_or(|e| e.error_len().is_none())
}

/// A cursor over a slice. Every read either yields exactly what was asked for or `None`, and then
/// leaves the cursor where it was.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    start: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, start: bytes.len() }
    }

    /// Bytes not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes have been read.
    pub fn consumed(&self) -> usize {
        self.start - self.rest.len()
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// True at the end.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte, not consumed.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(n)?;
        self.rest = tail;
        Some(head)
    }

    /// The next `n` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.rest.split_first_chunk::<N>()?;
        self.rest = tail;
        Some(*head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[b]| b)
    }
    /// Two bytes, most significant first.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }
    /// Three bytes, most significant first.
    pub fn u24(&mut self) -> Option<u32> {
        self.array::<3>().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }
    /// Four bytes, most significant first.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }
    /// Eight bytes, most significant first.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }
    /// Two bytes, least significant first.
    pub fn u16_le(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }
    /// Four bytes, least significant first.
    pub fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
    /// Eight bytes, least significant first.
    pub fn u64_le(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number in groups of seven bits, least significant first (unsigned LEB128, the varint of Protocol
    /// Buffers): 64 bits in ten bytes at most.
    pub fn varint(&mut self) -> Option<u64> {
        self.groups().map(|(value, _)| value)
    }
    /// The same, only in its shortest form: a last group of zero is a longer way to write the same number.
    pub fn shortest_varint(&mut self) -> Option<u64> {
        let before = *self;
        let found = self.groups().filter(|(_, shortest)| *shortest);
        if found.is_none() {
            *self = before;
        }
        found.map(|(value, _)| value)
    }
    /// A number of 62 bits whose first two bits tell its length (RFC 9000 section 16).
    pub fn quic_varint(&mut self) -> Option<u64> {
        Some(match self.peek()? >> 6 {
            0 => u64::from(self.u8()?),
            1 => u64::from(self.u16()? & 0x3fff),
            2 => u64::from(self.u32()? & 0x3fff_ffff),
            _ => self.u64()? & 0x3fff_ffff_ffff_ffff,
        })
    }

    /// A varint, and whether it is as short as it can be.
    fn groups(&mut self) -> Option<(u64, bool)> {
        let mut value = 0u64;
        for (i, b) in self.rest.iter().take(10).enumerate() {
            let group = u64::from(b & 0x7f);
            if i == 9 && group > 1 {
                return None;
            }
            value |= group << (7 * i);
            if b & 0x80 == 0 {
                self.take(i + 1)?;
                return Some((value, i == 0 || *b != 0));
            }
        }
        None
    }

    /// A sub-cursor over the next `n` bytes.
    pub fn sub(&mut self, n: usize) -> Option<Cursor<'a>> {
        self.take(n).map(Cursor::new)
    }

    /// A vector with an 8-bit length in front (TLS presentation language, RFC 8446 section 3.4).
    pub fn vec8(&mut self) -> Option<&'a [u8]> {
        self.prefixed(|c| c.u8().map(usize::from))
    }
    /// A vector with a 16-bit length in front.
    pub fn vec16(&mut self) -> Option<&'a [u8]> {
        self.prefixed(|c| c.u16().map(usize::from))
    }
    /// A vector with a 24-bit length in front.
    pub fn vec24(&mut self) -> Option<&'a [u8]> {
        self.prefixed(|c| c.u24().map(|n| n as usize))
    }

    fn prefixed(&mut self, length: fn(&mut Self) -> Option<usize>) -> Option<&'a [u8]> {
        let before = *self;
        let taken = length(self).and_then(|n| self.take(n));
        if taken.is_none() {
            *self = before;
        }
        taken
    }
}

/// Two lower-case digits for each byte.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    let mut text = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        text.push(digit(b >> 4));
        text.push(digit(*b));
    }
    text
}

/// The bytes that pairs of digits stand for, in either case; `None` for anything else. No text is no bytes.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_and_go() {
        assert_eq!(hex(&[0x00, 0x9f, 0xa0]), "009fa0");
        assert_eq!(unhex("009FA0"), Some(vec![0x00, 0x9f, 0xa0]));
        assert_eq!(unhex(""), Some(vec![]));
        assert_eq!((unhex("abc"), unhex("0g"), unhex("+1")), (None, None, None));
    }

    #[test]
    fn varints_of_64_bits_at_most() {
        let read = |bytes: &[u8]| {
            let (mut any, mut shortest) = (Cursor::new(bytes), Cursor::new(bytes));
            (any.varint(), shortest.shortest_varint(), any.left(), shortest.left())
        };
        assert_eq!(read(&[0xac, 2, 9]), (Some(300), Some(300), 1, 1));
        assert_eq!(read(&[0x80, 0]), (Some(0), None, 0, 2));
        assert_eq!(read(&[0x80]), (None, None, 1, 1));
        let most = [[0xff; 9].as_slice(), &[1]].concat();
        assert_eq!(read(&most), (Some(u64::MAX), Some(u64::MAX), 0, 0));
        assert_eq!(read(&[[0xff; 9].as_slice(), &[2]].concat()).0, None);
        assert_eq!(Cursor::new(&[0x7b, 0xbd]).quic_varint(), Some(15_293));
    }

    #[test]
    fn a_short_vector_leaves_the_cursor() {
        let mut c = Cursor::new(&[0, 4, 1, 2]);
        assert_eq!(c.vec16(), None);
        assert_eq!(c.left(), 4);
        assert_eq!(c.u16(), Some(4));
        assert_eq!(c.take(3), None);
        assert_eq!(c.rest(), &[1, 2]);
    }
}
