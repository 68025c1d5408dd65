//! A capped reader over borrowed bytes: it cannot index, cannot panic and cannot read beyond its end. Beside
//! it bytes as hexadecimal digits and back (RFC 4648 section 8).

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
    fn a_short_vector_leaves_the_cursor() {
        let mut c = Cursor::new(&[0, 4, 1, 2]);
        assert_eq!(c.vec16(), None);
        assert_eq!(c.left(), 4);
        assert_eq!(c.u16(), Some(4));
        assert_eq!(c.take(3), None);
        assert_eq!(c.rest(), &[1, 2]);
    }
}
