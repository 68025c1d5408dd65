//! Cuts an XML stream (RFC 6120 section 4) into its first-level elements, wherever the bytes are split:
//! every byte is looked at once.

/// What was completed by the bytes just fed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// The start tag of the stream, which stays open.
    Header(Vec<u8>),
    /// A whole first-level element.
    Stanza(Vec<u8>),
    /// A first-level element that was longer than the limit: how long, and its beginning.
    Overlong(u64, Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Lex {
    /// Between tags.
    #[default]
    Text,
    /// Just behind a `<`.
    Open,
    /// In a tag, perhaps inside a quoted value.
    Tag { quote: u8, last: u8, end: bool },
    /// Just behind `<!`.
    Bang,
    /// In a section that ends in these bytes and `>`; how many of them were seen.
    Until { twice: u8, seen: u8 },
}

/// The state of one side.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    lex: Lex,
    depth: usize,
    held: Vec<u8>,
    total: u64,
}

/// How much of an element that is too long is kept for show.
const SHOWN: usize = 4096;

impl Cutter {
    /// True outside of any element.
    pub(super) fn idle(&self) -> bool {
        self.depth == 0 && self.lex == Lex::Text
    }

    /// What is held of an element that is not complete.
    pub(super) fn unfinished(&self) -> (u64, &[u8]) {
        (self.total, &self.held)
    }

    /// Forgets what came before missing bytes.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Reads until something is complete. Returns how many bytes were read, and what it was.
    pub(super) fn next(&mut self, bytes: &[u8], limit: usize) -> (usize, Option<Piece>) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|r| !r.is_empty()) {
            if self.lex == Lex::Text {
                let n = memchr::memchr(b'<', rest).unwrap_or(rest.len());
                if self.depth > 0 {
                    self.hold(rest.get(..n).unwrap_or_default(), limit);
                }
                at += n;
                if n < rest.len() {
                    self.hold(b"<", limit);
                    self.lex = Lex::Open;
                    at += 1;
                }
                continue;
            }
            let byte = rest.first().copied().unwrap_or_default();
            self.hold(&[byte], limit);
            at += 1;
            if self.step(byte) {
                let piece = self.complete();
                if piece.is_some() {
                    return (at, piece);
                }
            }
        }
        (at, None)
    }

    fn hold(&mut self, bytes: &[u8], limit: usize) {
        self.total += bytes.len() as u64;
        if self.total <= limit as u64 {
            self.held.extend_from_slice(bytes);
        } else if self.held.len() > SHOWN {
            self.held.truncate(SHOWN);
            self.held.shrink_to_fit();
        }
    }

    /// One byte inside markup. True if something at first level ended.
    fn step(&mut self, byte: u8) -> bool {
        match self.lex {
            Lex::Text => false,
            Lex::Open => {
                self.lex = match byte {
                    b'/' => Lex::Tag { quote: 0, last: 0, end: true },
                    b'?' => Lex::Until { twice: b'?', seen: 0 },
                    b'!' => Lex::Bang,
                    b'>' => Lex::Text,
                    _ => Lex::Tag { quote: 0, last: byte, end: false },
                };
                false
            }
            Lex::Bang => {
                self.lex = match byte {
                    b'-' => Lex::Until { twice: b'-', seen: 0 },
                    b'[' => Lex::Until { twice: b']', seen: 0 },
                    b'>' => Lex::Text,
                    _ => Lex::Tag { quote: 0, last: 0, end: false },
                };
                // Document types are forbidden in streams: passed over like an empty element.
                if matches!(self.lex, Lex::Tag { .. }) {
                    self.lex = Lex::Until { twice: 0, seen: 2 };
                }
                self.lex == Lex::Text && self.depth == 0
            }
            Lex::Until { twice, seen } => self.section(byte, twice, seen),
            Lex::Tag { quote, last, end } => self.tag(byte, quote, last, end),
        }
    }

    fn section(&mut self, byte: u8, twice: u8, seen: u8) -> bool {
        let wanted = match twice {
            b'?' => 1,
            0 => 0,
            _ => 2,
        };
        if byte == b'>' && seen >= wanted {
            self.lex = Lex::Text;
            return self.depth == 0;
        }
        let seen = match byte == twice {
            true => seen.saturating_add(1),
            false => 0,
        };
        self.lex = Lex::Until { twice, seen };
        false
    }

    fn tag(&mut self, byte: u8, quote: u8, last: u8, end: bool) -> bool {
        match (byte, quote) {
            (b'"' | b'\'', 0) => self.lex = Lex::Tag { quote: byte, last: byte, end },
            (b, q) if q != 0 && b == q => self.lex = Lex::Tag { quote: 0, last: byte, end },
            (b'>', 0) => {
                self.lex = Lex::Text;
                match (end, last) {
                    (true, _) => self.depth = self.depth.saturating_sub(1),
                    (false, b'/') => {}
                    (false, _) if self.depth == 0 && is_header(&self.held) => {}
                    (false, _) => self.depth = self.depth.saturating_add(1),
                }
                return self.depth == 0;
            }
            _ => self.lex = Lex::Tag { quote, last: byte, end },
        }
        false
    }

    /// Takes what is held at first level.
    fn complete(&mut self) -> Option<Piece> {
        let held = std::mem::take(&mut self.held);
        let total = std::mem::take(&mut self.total);
        let named = held.get(1).is_some_and(|b| !matches!(b, b'/' | b'?' | b'!' | b'>'));
        match named {
            false => None,
            true if total > held.len() as u64 => Some(Piece::Overlong(total, held)),
            true if is_header(&held) => Some(Piece::Header(held)),
            true => Some(Piece::Stanza(held)),
        }
    }
}

/// Whether this is the start tag of a stream (`stream:stream`), or of a BOSH body (XEP-0124), whose
/// children are stanzas.
fn is_header(tag: &[u8]) -> bool {
    let name = tag.get(1..).unwrap_or_default();
    let len = name.iter().position(|b| b.is_ascii_whitespace() || b"/>".contains(b)).unwrap_or(name.len());
    let name = name.get(..len).unwrap_or_default();
    let local = name.rsplit(|b| *b == b':').next().unwrap_or_default();
    let empty = tag.ends_with(b"/>");
    match local {
        b"stream" => !empty,
        b"body" => !empty && memchr::memmem::find(tag, b"http://jabber.org/protocol/httpbind").is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(bytes: &[u8], step: usize) -> Vec<Piece> {
        let mut cutter = Cutter::default();
        let mut out = Vec::new();
        for chunk in bytes.chunks(step) {
            let mut at = 0;
            while at < chunk.len() {
                let (n, piece) = cutter.next(&chunk[at..], 4000);
                at += n;
                out.extend(piece);
            }
        }
        out
    }

    #[test]
    fn cuts_do_not_depend_on_how_bytes_arrive() {
        let text = b"<?xml version='1.0'?><!-- > --><stream:stream to='a>b' xmlns='jabber:client'> \n<message to=\"a'/>\"><body>1 <![CDATA[</message>]]]> &lt; 2</body><x/></message><r/> <iq><a><a/></a></iq></stream:stream>";
        let whole = cut(text, text.len());
        assert_eq!(whole.len(), 4);
        assert!(matches!(&whole[0], Piece::Header(h) if h.ends_with(b"'jabber:client'>")));
        assert!(
            matches!(&whole[1], Piece::Stanza(s) if s.starts_with(b"<message") && s.ends_with(b"</message>"))
        );
        assert_eq!(whole[2], Piece::Stanza(b"<r/>".to_vec()));
        assert_eq!(whole[3], Piece::Stanza(b"<iq><a><a/></a></iq>".to_vec()));
        for step in 1..40 {
            assert_eq!(cut(text, step), whole);
        }
    }

    #[test]
    fn long_and_deep_elements_are_bounded() {
        let mut text = b"<a>".repeat(100_000);
        text.extend(b"</a>".repeat(100_000));
        text.extend(b"<b/>");
        let pieces = cut(&text, 1000);
        assert!(matches!(&pieces[0], Piece::Overlong(700_000, shown) if shown.len() <= SHOWN));
        assert_eq!(pieces[1], Piece::Stanza(b"<b/>".to_vec()));
    }

    #[test]
    fn stray_ends_and_text_are_passed_over() {
        assert_eq!(cut(b"lost half</body></message><iq/>", 3), [Piece::Stanza(b"<iq/>".to_vec())]);
    }
}
