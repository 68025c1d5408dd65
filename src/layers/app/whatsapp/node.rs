//! WhatsApp's binary XML: nodes of a tag, attributes and a content, with words, packed digits and accounts
//! in place of text.

use super::tokens::word;
use crate::bytes::Cursor;

/// A node.
#[derive(Debug, PartialEq, Eq)]
pub struct Node<'a> {
    /// Its tag.
    pub tag: String,
    /// Names and values.
    pub attributes: Vec<(String, String)>,
    /// What it holds.
    pub content: Content<'a>,
}

/// What a node holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// Nothing.
    None,
    /// Nodes.
    Nodes(Vec<Node<'a>>),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A word.
    Word(String),
}

/// Nodes inside one another.
const DEPTH: usize = 24;
/// Nodes and strings of one stanza.
const PARTS: usize = 20_000;

/// Reads a stanza that fills these bytes.
pub fn stanza(bytes: &[u8]) -> Option<Node<'_>> {
    let mut reader = Reader { c: Cursor::new(bytes), left: PARTS };
    let node = reader.node(0)?;
    reader.c.is_empty().then_some(node)
}

struct Reader<'a> {
    c: Cursor<'a>,
    left: usize,
}

enum Text<'a> {
    Word(String),
    Bytes(&'a [u8]),
}

impl Text<'_> {
    fn into_string(self) -> String {
        match self {
            Text::Word(word) => word,
            Text::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

impl<'a> Reader<'a> {
    fn list(&mut self) -> Option<usize> {
        match self.c.u8()? {
            0 => Some(0),
            248 => self.c.u8().map(usize::from),
            249 => self.c.u16().map(usize::from),
            _ => None,
        }
    }

    fn node(&mut self, depth: usize) -> Option<Node<'a>> {
        let size = self.list().filter(|n| *n > 0 && depth < DEPTH)?;
        let tag = self.text()?.into_string();
        let mut attributes = Vec::new();
        for _ in 0..(size - 1) / 2 {
            attributes.push((self.text()?.into_string(), self.text()?.into_string()));
        }
        let content = match size % 2 {
            1 => Content::None,
            _ => self.content(depth)?,
        };
        Some(Node { tag, attributes, content })
    }

    fn content(&mut self, depth: usize) -> Option<Content<'a>> {
        if let 0 | 248 | 249 = self.c.peek()? {
            let count = self.list()?;
            let mut nodes = Vec::new();
            for _ in 0..count {
                nodes.push(self.node(depth + 1)?);
            }
            return Some(Content::Nodes(nodes));
        }
        Some(match self.text()? {
            Text::Bytes(bytes) => Content::Bytes(bytes),
            Text::Word(word) => Content::Word(word),
        })
    }

    fn text(&mut self) -> Option<Text<'a>> {
        self.left = self.left.checked_sub(1)?;
        let word_of = |text: String| Some(Text::Word(text));
        match self.c.u8()? {
            0 => word_of(String::new()),
            token @ 1..=235 => word_of(word(token)),
            book @ 236..=239 => {
                let index = self.c.u8()?;
                word_of(format!("token-{book}-{index}"))
            }
            252 => self.c.vec8().map(Text::Bytes),
            253 => {
                let length = self.c.u24()? & 0x000f_ffff;
                self.c.take(length as usize).map(Text::Bytes)
            }
            254 => {
                let length = self.c.u32()? as usize;
                self.c.take(length).map(Text::Bytes)
            }
            251 => self.packed(b"0123456789ABCDEF").and_then(word_of),
            255 => self.packed(b"0123456789-.").and_then(word_of),
            kind => self.account(kind).and_then(word_of),
        }
    }

    /// Two characters a byte; the top bit of the count leaves the last one out.
    fn packed(&mut self, alphabet: &[u8]) -> Option<String> {
        let head = self.c.u8()?;
        let bytes = self.c.take(usize::from(head & 0x7f))?;
        let mut text = String::new();
        for half in bytes.iter().flat_map(|b| [b >> 4, b & 0x0f]) {
            // A filler stands at the end of an odd count.
            if let Some(c) = alphabet.get(usize::from(half)) {
                text.push(char::from(*c));
            }
        }
        let filled = bytes.last().is_some_and(|b| b & 0x0f == 0x0f);
        if head & 0x80 != 0 && !filled {
            text.pop();
        }
        Some(text)
    }

    fn account(&mut self, kind: u8) -> Option<String> {
        let user = |r: &mut Self| match r.c.peek()? {
            245..=247 | 250 => None,
            _ => r.text().map(Text::into_string),
        };
        match kind {
            250 => {
                let (name, server) = (user(self)?, user(self)?);
                Some(if name.is_empty() { server } else { format!("{name}@{server}") })
            }
            247 => {
                let (agent, device) = (self.c.u8()?, self.c.u8()?);
                let server = match agent {
                    0 => "s.whatsapp.net",
                    1 => "lid",
                    128 | 129 => "hosted",
                    _ => "agent",
                };
                Some(format!("{}:{device}@{server}", user(self)?))
            }
            246 => {
                let name = user(self)?;
                let device = self.c.u16()?;
                Some(format!("{name}:{device}@{}", user(self)?))
            }
            245 => {
                let name = user(self)?;
                let (device, integrator) = (self.c.u16()?, self.c.u16()?);
                Some(format!("{integrator}-{name}:{device}@{}", user(self)?))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_is_read_whole_or_not_at_all() {
        let bytes = b"\xf8\x04\x13\x06\xfa\xff\x86\x15\x55\x01\x00\x00\x1f\x03\xf8\x01\xf8\x02\xfc\x09plaintext\xfc\x02hi";
        let node = stanza(bytes).expect("a stanza");
        assert_eq!(node.tag, "message");
        assert_eq!(node.attributes, [("from".into(), "15550100001@s.whatsapp.net".into())]);
        let Content::Nodes(inner) = &node.content else { panic!("{node:?}") };
        assert_eq!((inner[0].tag.as_str(), &inner[0].content), ("plaintext", &Content::Bytes(b"hi")));
        for n in 0..bytes.len() {
            assert_eq!(stanza(&bytes[..n]), None, "{n}");
        }
        assert_eq!(stanza(&[&bytes[..], b"x"].concat()), None);
    }

    #[test]
    fn nests_and_absurd_lengths_end() {
        assert_eq!(stanza(&[0xf8; 4000]), None);
        let nest: Vec<u8> = std::iter::repeat_n([0xf8, 2, 19, 0xf8, 1], 500).flatten().collect();
        assert_eq!(stanza(&nest), None);
        assert_eq!(stanza(b"\xf8\x02\x13\xfe\xff\xff\xff\xff"), None);
        assert_eq!(stanza(b"\xf9\xff\xff\x13"), None);
    }
}
