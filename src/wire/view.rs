//! A part of a frame that remembers where in the frame it lies.

use crate::bytes::Cursor;

/// Bytes and their place.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Index of the first one in the frame (or in the reassembled datagram).
    pub at: usize,
}

impl<'a> View<'a> {
    /// All of a frame.
    pub fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// What follows `n` bytes.
    #[inline]
    pub fn skip(self, n: usize) -> Option<Self> {
        Some(Self { bytes: self.bytes.get(n..)?, at: self.at + n })
    }

    /// At most the first `n` bytes.
    #[inline]
    pub fn first(self, n: usize) -> Self {
        Self { bytes: self.bytes.get(..n).unwrap_or(self.bytes), at: self.at }
    }

    /// `part`, which must be a part of this view's bytes; else nothing.
    #[inline]
    pub fn part(self, part: &'a [u8]) -> Option<Self> {
        let offset = (part.as_ptr() as usize).checked_sub(self.bytes.as_ptr() as usize)?;
        Some(self.skip(offset)?.first(part.len()))
    }

    /// What the cursor, made by [`Self::cursor`], has left.
    #[inline]
    pub fn after(self, c: &Cursor<'_>) -> Option<Self> {
        self.skip(c.consumed())
    }

    /// A cursor over the bytes.
    #[inline]
    pub fn cursor(self) -> Cursor<'a> {
        Cursor::new(self.bytes)
    }

    /// A byte by its place.
    #[inline]
    pub fn byte(self, n: usize) -> Option<u8> {
        self.bytes.get(n).copied()
    }

    /// Two bytes at `n`, most significant first.
    #[inline]
    pub fn u16(self, n: usize) -> Option<u16> {
        self.skip(n)?.cursor().u16()
    }
}
