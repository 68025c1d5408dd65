//! ASN.1 BER with the indefinite lengths that streaming writers use (X.690), bounded in depth and count.

/// The deepest nesting walked to find the end of an indefinite length.
const DEEPEST: usize = 24;
/// The most elements walked.
const MOST: usize = 20_000;

/// One element: where its content lies and where the next one starts, both in the bytes it was read from.
#[derive(Debug, Clone, Copy)]
pub struct Tlv<'a> {
    /// The identifier octet; longer identifiers are refused.
    pub tag: u8,
    /// The content, without the end-of-contents octets.
    pub content: &'a [u8],
    /// Where the content starts.
    pub at: usize,
    /// Where the next element starts.
    pub next: usize,
}

/// The element at `at` in `bytes`.
pub fn read(bytes: &[u8], at: usize) -> Option<Tlv<'_>> {
    element(bytes, at, 0, &mut { MOST })
}

fn element<'a>(bytes: &'a [u8], at: usize, depth: usize, left: &mut usize) -> Option<Tlv<'a>> {
    *left = left.checked_sub(1)?;
    let tag = *bytes.get(at)?;
    if tag & 0x1f == 0x1f || depth > DEEPEST {
        return None;
    }
    let (start, end) = match *bytes.get(at + 1)? {
        0x80 if tag & 0x20 != 0 => return indefinite(bytes, tag, at + 2, depth, left),
        short @ 0..0x80 => (at + 2, at + 2 + usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            let digits = bytes.get(at + 2..at + 2 + count)?;
            if !(1..=4).contains(&count) {
                return None;
            }
            let length = digits.iter().fold(0usize, |n, &d| n << 8 | usize::from(d));
            (at + 2 + count, (at + 2 + count).checked_add(length)?)
        }
    };
    Some(Tlv { tag, content: bytes.get(start..end)?, at: start, next: end })
}

fn indefinite<'a>(bytes: &'a [u8], tag: u8, start: usize, depth: usize, left: &mut usize) -> Option<Tlv<'a>> {
    let mut at = start;
    while bytes.get(at..at + 2)? != [0, 0] {
        at = element(bytes, at, depth + 1, left)?.next;
    }
    Some(Tlv { tag, content: bytes.get(start..at)?, at: start, next: at + 2 })
}

/// The elements that fill `bytes` exactly.
pub fn children(bytes: &[u8]) -> Option<Vec<Tlv<'_>>> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let child = read(bytes, at)?;
        at = child.next;
        out.push(child);
        if out.len() > 1000 {
            return None;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_length_forms_read() {
        let definite = read(&[0x30, 3, 2, 1, 5], 0).unwrap();
        let streamed = read(&[0x30, 0x80, 2, 1, 5, 0, 0], 0).unwrap();
        assert_eq!(definite.content, streamed.content);
        assert_eq!((definite.next, streamed.next), (5, 7));
        assert!(read(&[0x30, 4, 2, 1, 5], 0).is_none());
        assert!(read(&[0x30; 40], 0).is_none());
        assert!(read(&[0x30, 0x80].repeat(60), 0).is_none());
    }
}
