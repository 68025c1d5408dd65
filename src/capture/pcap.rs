//! Classic pcap (draft-ietf-opsawg-pcap): both byte orders, micro- and nanoseconds, and the
//! "modified" variant of Alexey Kuznetzov with its longer packet header.

use super::LinkType;
use super::input::{ABSURD, Sink, Split};
use crate::model::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Big,
    Little,
}

/// Which of the two lengths stands first: versions before 2.4 disagreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    SmallerIsCaptured,
}

/// The splitter of classic pcap files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pcap {
    order: Order,
    nanos: i64,
    header: usize,
    lengths: Lengths,
    link: LinkType,
}

impl Order {
    #[inline(always)]
    fn u32(self, b: [u8; 4]) -> u32 {
        match self {
            Self::Big => u32::from_be_bytes(b),
            Self::Little => u32::from_le_bytes(b),
        }
    }

    fn u16(self, b: [u8; 2]) -> u16 {
        match self {
            Self::Big => u16::from_be_bytes(b),
            Self::Little => u16::from_le_bytes(b),
        }
    }
}

impl Pcap {
    /// Bytes of the file header.
    pub const FILE_HEADER: usize = 24;

    /// Reads the file header; `Ok(None)` where it is something else, `Err` where it is a pcap that
    /// cannot be read.
    pub fn recognise(head: &[u8]) -> Result<Option<Self>, &'static str> {
        let Some((magic, _)) = head.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let (order, nanos, header) = match u32::from_be_bytes(*magic) {
            0xa1b2_c3d4 => (Order::Big, 1000, 16),
            0xd4c3_b2a1 => (Order::Little, 1000, 16),
            0xa1b2_3c4d => (Order::Big, 1, 16),
            0x4d3c_b2a1 => (Order::Little, 1, 16),
            0xa1b2_cd34 => (Order::Big, 1000, 24),
            0x34cd_b2a1 => (Order::Little, 1000, 24),
            0x1c00_01ac | 0xac01_001c | 0x1c00_01ab | 0xab01_001c => {
                return Err("it is a pcap of an IXIA device; convert it with `editcap -F pcapng`");
            }
            _ => return Ok(None),
        };
        let Some((header_bytes, _)) = head.split_first_chunk::<24>() else {
            return Err("it is a pcap that ends inside its file header; record it again");
        };
        let [_, _, _, _, j0, j1, n0, n1, .., l0, l1, l2, l3] = *header_bytes;
        let (major, minor) = (order.u16([j0, j1]), order.u16([n0, n1]));
        let lengths = match (major, minor) {
            (2, 0..=2) => Lengths::OriginalFirst,
            (2, 3) => Lengths::SmallerIsCaptured,
            _ => Lengths::CapturedFirst,
        };
        // The upper half says whether a frame check sequence follows; the IP length rules that out.
        let link = LinkType::stated(order.u32([l0, l1, l2, l3]) as u16);
        Ok(Some(Self { order, nanos, header, lengths, link }))
    }

    /// Such as `pcap us le`.
    pub fn name(&self) -> String {
        let unit = if self.nanos == 1 { "ns" } else { "us" };
        let order = if self.order == Order::Big { "be" } else { "le" };
        let kind = if self.header == 24 { "pcap modified" } else { "pcap" };
        format!("{kind} {unit} {order}")
    }

    /// Finds the frames of `data`, which lies at `base` in the batch.
    pub fn split(&mut self, data: &[u8], base: usize, sink: &mut Sink<'_>) -> Split {
        let this = *self;
        let mut rest = data;
        loop {
            let consumed = data.len() - rest.len();
            let Some((head, _)) = rest.split_first_chunk::<16>() else {
                return Split { consumed, need: this.header, stop: false };
            };
            let [s0, s1, s2, s3, u0, u1, u2, u3, c0, c1, c2, c3, o0, o1, o2, o3] = *head;
            let (len, original) =
                this.sizes(this.order.u32([c0, c1, c2, c3]), this.order.u32([o0, o1, o2, o3]));
            let size = len as usize;
            if size > ABSURD {
                sink.note("capture-length-absurd");
                return Split { consumed, need: 0, stop: true };
            }
            let whole = this.header + size;
            let Some(next) = rest.get(whole..) else {
                return Split { consumed, need: whole, stop: false };
            };
            let seconds = i64::from(this.order.u32([s0, s1, s2, s3]));
            let fraction = i64::from(this.order.u32([u0, u1, u2, u3]));
            // Cannot overflow: both factors fit 32 bits and 30 bits.
            let time = Timestamp(seconds * 1_000_000_000 + fraction * this.nanos);
            sink.frame(time, this.link, base + consumed + this.header, size, original.max(len));
            rest = next;
        }
    }

    #[inline(always)]
    fn sizes(&self, first: u32, second: u32) -> (u32, u32) {
        match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::OriginalFirst => (second, first),
            Lengths::SmallerIsCaptured => (first.min(second), first.max(second)),
        }
    }
}
