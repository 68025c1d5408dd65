//! The type language of Telegram (core.telegram.org/mtproto/TL): numbers, strings, and the few types that
//! stand before a message's text.

use crate::bytes::Cursor;

/// A reader of TL.
#[derive(Debug, Clone, Copy)]
pub struct Tl<'a>(pub Cursor<'a>);

/// Constructor of a vector.
pub const VECTOR: u32 = 0x1cb5_c415;
/// Peers inside peers, values inside values.
const DEPTH: usize = 8;

/// Somebody or a group, as a request or an update names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// What it is.
    pub kind: &'static str,
    /// Its number; 0 for oneself.
    pub id: i64,
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.id {
            0 => f.write_str(self.kind),
            id => write!(f, "{} {id}", self.kind),
        }
    }
}

impl<'a> Tl<'a> {
    /// A reader of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Cursor::new(bytes))
    }
    /// A constructor, flags or a number of four bytes.
    pub fn int(&mut self) -> Option<u32> {
        self.0.u32_le()
    }
    /// A number of eight bytes.
    pub fn long(&mut self) -> Option<i64> {
        self.0.u64_le().map(|n| n as i64)
    }
    /// Bytes with their length in front, filled up with zeros to whole words.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let (length, head) = match self.0.u8()? {
            254 => {
                let [a, b, d] = self.0.array::<3>()?;
                (u32::from_le_bytes([a, b, d, 0]) as usize, 4)
            }
            255 => return None,
            n => (usize::from(n), 1),
        };
        let data = self.0.take(length)?;
        let filler = self.0.take((head + length).wrapping_neg() % 4)?;
        filler.iter().all(|b| *b == 0).then_some(data)
    }
    /// Bytes that are UTF-8.
    pub fn string(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
    /// The number of elements of a vector; no more than there are words left.
    pub fn vector(&mut self) -> Option<usize> {
        if self.int()? != VECTOR {
            return None;
        }
        let count = self.int()? as usize;
        (count <= self.0.left() / 4).then_some(count)
    }
    /// An `InputPeer` or a `Peer`, of this and of older layers.
    pub fn peer(&mut self) -> Option<Peer> {
        self.peer_within(0)
    }

    fn peer_within(&mut self, depth: usize) -> Option<Peer> {
        let peer = |kind, id| Some(Peer { kind, id });
        match self.int()? {
            0x7f3b_18ea => peer("nobody", 0),
            0x7da0_7ec9 => peer("oneself", 0),
            0xdde8_a54c => peer("user", self.long_and(8)?),
            0x35a9_5cb9 | 0x36c6_019a => peer("chat", self.long()?),
            0x27bc_bbfc => peer("channel", self.long_and(8)?),
            0x5951_1722 => peer("user", self.long()?),
            0xa2a5_371e => peer("channel", self.long()?),
            // Before identifiers had eight bytes.
            0x7b8e_7de6 => peer("user", self.int_and(8)?),
            0x179b_e863 | 0xbad0_e5bb => peer("chat", self.int_and(0)?),
            0x20ad_aef8 => peer("channel", self.int_and(8)?),
            0x9db1_bc6d => peer("user", self.int_and(0)?),
            0xbddd_e532 => peer("channel", self.int_and(0)?),
            // Named by a message that it stands in.
            found @ (0xa87b_0a1c | 0xbd2a_0840) if depth < DEPTH => {
                self.peer_within(depth + 1)?;
                self.int()?;
                peer(if found == 0xa87b_0a1c { "user" } else { "channel" }, self.long()?)
            }
            _ => None,
        }
    }

    fn long_and(&mut self, skip: usize) -> Option<i64> {
        let id = self.long()?;
        self.0.take(skip).map(|_| id)
    }

    fn int_and(&mut self, skip: usize) -> Option<i64> {
        let id = self.int()?;
        self.0.take(skip).map(|_| i64::from(id))
    }

    /// What a message answers: an `InputReplyTo`, or the number that stood there in older layers.
    pub fn reply(&mut self, flags: u32) -> Option<()> {
        match Tl(self.0).int()? {
            0x3bd4_b7c2 | 0x869f_be10 | 0x22c0_f6d5 => {
                self.int()?;
                let has = self.int()?;
                self.int()?;
                if has & 1 != 0 {
                    self.int()?;
                }
                if has & 2 != 0 {
                    self.peer()?;
                }
                if has & 4 != 0 {
                    self.string()?;
                }
                if has & 8 != 0 {
                    self.entities()?;
                }
                if has & 16 != 0 {
                    self.int()?;
                }
                if has & 32 != 0 {
                    self.peer()?;
                }
                if has & 64 != 0 {
                    self.int()?;
                }
                if has & 128 != 0 {
                    self.bytes()?;
                }
            }
            0x5881_323a => {
                self.int()?;
                self.peer()?;
                self.int()?;
            }
            _ => {
                self.int()?;
                if flags & 1 << 9 != 0 {
                    self.int()?;
                }
            }
        }
        Some(())
    }

    /// Marks in a text: most are a place and a length.
    fn entities(&mut self) -> Option<()> {
        for _ in 0..self.vector()? {
            let kind = self.int()?;
            self.0.take(8)?;
            match kind {
                // A language, an address, a user, a picture.
                0x7392_4be0 | 0x7647_3d25 => self.string().map(drop)?,
                0xdc7b_1140 | 0xc8cf_05f8 => self.long().map(drop)?,
                _ => {}
            }
        }
        Some(())
    }

    /// A `JSONValue`.
    pub fn json(&mut self) -> Option<()> {
        self.json_within(0)
    }

    fn json_within(&mut self, depth: usize) -> Option<()> {
        match self.int()? {
            0x3f6d_7b68 => Some(()),
            0xc734_5e6a => self.int().map(drop),
            0x2be0_dfa4 => self.long().map(drop),
            0xb71e_767a => self.string().map(drop),
            0xf744_4763 if depth < DEPTH => {
                let count = self.vector()?;
                (0..count).try_for_each(|_| self.json_within(depth + 1))
            }
            0x99c1_d49d if depth < DEPTH => {
                let count = self.vector()?;
                (0..count).try_for_each(|_| {
                    (self.int()? == 0xc0de_1bd9).then_some(())?;
                    self.string()?;
                    self.json_within(depth + 1)
                })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_filled_up_with_zeros_and_nothing_else() {
        assert_eq!(Tl::new(b"\x03abc").string(), Some("abc"));
        assert_eq!(Tl::new(b"\x02ab\0").string(), Some("ab"));
        assert_eq!(Tl::new(b"\x02abx").string(), None);
        assert_eq!(Tl::new(b"\x02a").string(), None);
        assert_eq!(Tl::new(b"\xfe\x02\0\0ab\0\0").string(), Some("ab"));
        assert_eq!(Tl::new(b"\xfe\xff\xff\xffab").string(), None);
        assert_eq!(Tl::new(b"\xffabc").string(), None);
    }

    #[test]
    fn peers_in_peers_and_values_in_values_end() {
        let deep: Vec<u8> = std::iter::repeat_n(0xa87b_0a1cu32.to_le_bytes(), 1000).flatten().collect();
        assert_eq!(Tl::new(&deep).peer(), None);
        let nest: Vec<u8> = std::iter::repeat_n(0xf744_4763u32, 1000)
            .flat_map(|c| [c, VECTOR, 1].map(u32::to_le_bytes).concat())
            .collect();
        assert_eq!(Tl::new(&nest).json(), None);
        let many = [VECTOR.to_le_bytes(), u32::MAX.to_le_bytes()].concat();
        assert_eq!(Tl::new(&many).vector(), None);
    }
}
