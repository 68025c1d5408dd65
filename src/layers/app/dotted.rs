//! Text that ends with a line holding one dot, whose lines that begin with a dot got another one in
//! front (RFC 5321 section 4.5.2, RFC 1939 section 3).

/// Undoes the dots of one text that may be cut anywhere.
#[derive(Debug)]
pub(super) struct Dotted {
    /// The next byte begins a line.
    fresh: bool,
}

/// A piece of such a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Bytes of the input that are done with.
    pub(super) consumed: usize,
    /// What they stand for.
    pub(super) plain: Vec<u8>,
    /// The last line was among them.
    pub(super) done: bool,
}

impl Dotted {
    /// At the beginning of a text.
    pub(super) fn new() -> Self {
        Self { fresh: true }
    }

    /// After a loss the next bytes may stand anywhere in a line.
    pub(super) fn lose_place(&mut self) {
        self.fresh = false;
    }

    /// Takes what can be decided of `bytes`; a dot whose line is not whole waits unless `end`.
    pub(super) fn take(&mut self, bytes: &[u8], end: bool) -> Piece {
        let mut plain = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            if self.fresh && rest[0] == b'.' {
                match rest {
                    [b'.', b'\r', b'\n', ..] => return Piece { consumed: at + 3, plain, done: true },
                    [b'.', b'\n', ..] => return Piece { consumed: at + 2, plain, done: true },
                    [b'.'] | [b'.', b'\r'] if !end => break,
                    _ => at += 1,
                }
                self.fresh = false;
                continue;
            }
            let n = memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
            plain.extend_from_slice(&rest[..n]);
            self.fresh = rest[n - 1] == b'\n';
            at += n;
        }
        Piece { consumed: at, plain, done: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_anywhere_the_text_is_the_same() {
        let wire = b"one\r\n..two\r\n.three\r\n\r\n...\r\n.\r\nQUIT\r\n";
        let plain = b"one\r\n.two\r\nthree\r\n\r\n..\r\n";
        for cut in 0..wire.len() {
            let mut dots = Dotted::new();
            let mut text = Vec::new();
            let mut from = 0;
            for upto in [cut, wire.len()] {
                let piece = dots.take(&wire[from..upto], false);
                text.extend(piece.plain);
                from += piece.consumed;
                if piece.done {
                    break;
                }
            }
            assert_eq!(text, plain, "cut at {cut}");
            assert_eq!(&wire[from..], b"QUIT\r\n", "cut at {cut}");
        }
    }

    #[test]
    fn a_dot_at_the_end_of_all_bytes_is_text() {
        let mut dots = Dotted::new();
        assert_eq!(dots.take(b"a\r\n.", false).consumed, 3);
        let piece = dots.take(b".", true);
        assert_eq!((piece.consumed, piece.done), (1, false));
    }
}
