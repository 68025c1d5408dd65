//! The forms that a length takes.

/// How a frame begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Octets of the length; 0 for a variable-length integer of groups of seven bits.
    width: usize,
    /// Least significant octet first.
    little: bool,
    /// The length counts its own octets.
    itself: bool,
    /// Octets in front of it (a type).
    lead: usize,
}

/// A frame that is longer than this is taken for none.
pub(super) const LONGEST: u64 = 16 << 20;

/// The beginning of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// More bytes are needed.
    Short,
    /// Not a length.
    Wrong,
    /// The body of `len` bytes starts `at`.
    Body { at: usize, len: u64 },
}

const fn shape(width: usize, little: bool, itself: bool, lead: usize) -> Shape {
    Shape { width, little, itself, lead }
}

/// All of them. Where several fit equally well the first is taken.
pub(super) const SHAPES: [Shape; 17] = [
    shape(4, false, false, 0),
    shape(4, true, false, 0),
    shape(2, false, false, 0),
    shape(2, true, false, 0),
    shape(3, false, false, 0),
    shape(3, true, false, 0),
    shape(4, false, true, 0),
    shape(4, true, true, 0),
    shape(2, false, true, 0),
    shape(2, true, true, 0),
    shape(4, false, false, 1),
    shape(4, true, false, 1),
    shape(4, false, true, 1),
    shape(2, false, false, 1),
    shape(2, true, false, 1),
    shape(1, false, false, 0),
    shape(0, false, false, 0),
];

impl Shape {
    /// For people.
    pub fn name(self) -> String {
        let lead = if self.lead > 0 { "octet, " } else { "" };
        let order = match (self.width, self.little) {
            (0, _) => return format!("{lead}varint"),
            (1, _) => "",
            (_, true) => " little",
            (_, false) => " big",
        };
        let itself = if self.itself { ", with itself" } else { "" };
        format!("{lead}u{}{order}{itself}", 8 * self.width)
    }

    /// Bits of the length.
    pub fn bits(self) -> u32 {
        match self.width {
            0 => 8,
            n => 8 * n as u32,
        }
    }

    /// Reads the beginning of a frame.
    pub fn head(self, bytes: &[u8]) -> Head {
        let Some(rest) = bytes.get(self.lead..) else { return Head::Short };
        if self.width == 0 {
            return varint(rest, self.lead);
        }
        let Some(octets) = rest.get(..self.width) else { return Head::Short };
        let join = |n: u64, b: &u8| n << 8 | u64::from(*b);
        let value = match self.little {
            true => octets.iter().rev().fold(0, join),
            false => octets.iter().fold(0, join),
        };
        let own = if self.itself { self.width as u64 } else { 0 };
        match value.checked_sub(own) {
            Some(len) if len <= LONGEST => Head::Body { at: self.lead + self.width, len },
            _ => Head::Wrong,
        }
    }
}

/// As protobuf delimits messages; at most four groups.
fn varint(bytes: &[u8], lead: usize) -> Head {
    let mut len = 0;
    for at in 0..4 {
        let Some(b) = bytes.get(at) else { return Head::Short };
        len |= u64::from(b & 0x7f) << (7 * at);
        if b & 0x80 == 0 {
            // A last group of zero would be a longer way to write the same number.
            return if *b == 0 && at > 0 { Head::Wrong } else { Head::Body { at: lead + at + 1, len } };
        }
    }
    Head::Wrong
}
