//! pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, interfaces with their own link
//! types and clocks, and a way on after damage.

use super::LinkType;
use super::input::{ABSURD, Sink, Split};
use super::options::{Clock, Order, names_of, options_of};
use super::presecrets::secrets_of;
use crate::bytes::Cursor;
use crate::model::Timestamp;

/// Block types.
pub(super) mod block {
    /// Section Header Block, the same in both byte orders.
    pub const SECTION: u32 = 0x0a0d_0d0a;
    /// Interface Description Block.
    pub const INTERFACE: u32 = 1;
    /// The obsolete Packet Block.
    pub const PACKET: u32 = 2;
    /// Simple Packet Block.
    pub const SIMPLE: u32 = 3;
    /// Name Resolution Block.
    pub const NAMES: u32 = 4;
    /// Interface Statistics Block.
    pub const STATISTICS: u32 = 5;
    /// Enhanced Packet Block.
    pub const ENHANCED: u32 = 6;
    /// systemd journal entry, which Wireshark counts as a frame.
    pub const JOURNAL: u32 = 9;
    /// Decryption Secrets Block.
    pub const SECRETS: u32 = 10;
    /// Custom Blocks, to be copied or not.
    pub const CUSTOM: [u32; 2] = [0x0bad, 0x4000_0bad];
}

/// Blocks above this are damage.
pub(super) const LARGEST_BLOCK: usize = ABSURD + (1 << 15);

#[derive(Debug, Clone, Copy)]
struct Interface {
    link: LinkType,
    snaplen: u32,
    clock: Clock,
    /// Frames that were lost, as its latest Interface Statistics Block counts them.
    dropped: Option<u64>,
}

/// The splitter of pcapng files.
#[derive(Debug, Default)]
pub(super) struct Pcapng {
    order: Order,
    interfaces: Vec<Interface>,
    /// For Simple Packet Blocks, which have no time.
    latest: Timestamp,
    /// Frames lost in sections that are over.
    dropped: Option<u64>,
    without_secrets: bool,
    lost: bool,
}

/// What stands at the start of some bytes.
enum Found<'a> {
    Block { kind: u32, order: Order, body: &'a [u8], size: usize },
    Short(usize),
    Damage,
}

impl Pcapng {
    const INTERFACES: usize = 1 << 16;
    const NAMES: usize = 1 << 16;

    /// Decryption Secrets Blocks are passed over from now on.
    pub fn ignore_secrets(&mut self) {
        self.without_secrets = true;
    }

    /// Finds the frames of `data`, which lies at `base` in the batch.
    pub fn split(&mut self, data: &[u8], base: usize, sink: &mut Sink<'_>) -> Split {
        let mut at = 0;
        loop {
            let rest = data.get(at..).unwrap_or_default();
            if self.lost {
                match self.resume(rest) {
                    Ok(skip) => {
                        self.lost = false;
                        at += skip;
                    }
                    Err(skip) => {
                        return Split { consumed: at + skip, need: RESUME_WINDOW, stop: false };
                    }
                }
                continue;
            }
            match block_at(rest, self.order) {
                Found::Short(need) => {
                    return Split { consumed: at, need, stop: false };
                }
                Found::Damage => {
                    sink.note("capture-block-damaged");
                    self.lost = true;
                    at = (at + 1).min(data.len());
                }
                Found::Block { kind, order, body, size } => {
                    self.order = order;
                    self.block(kind, body, base + at + 8, sink);
                    at += size;
                }
            }
        }
    }

    fn block(&mut self, kind: u32, body: &[u8], start: usize, sink: &mut Sink<'_>) {
        let understood = match kind {
            block::ENHANCED => self.enhanced(body, start, sink),
            block::PACKET => self.obsolete(body, start, sink),
            block::SIMPLE => self.simple(body, start, sink),
            block::INTERFACE => self.interface(body),
            block::STATISTICS => self.statistics(body),
            block::SECTION => {
                self.dropped = self.dropped();
                self.interfaces.clear();
                Some(())
            }
            block::NAMES => {
                let room = Self::NAMES.saturating_sub(sink.names.len());
                sink.names.extend(names_of(body, self.order, room));
                Some(())
            }
            block::SECRETS if !self.without_secrets => {
                secrets_of(body, self.order).map(|s| sink.secrets.push(s))
            }
            block::JOURNAL => {
                sink.tally.frame += 1;
                Some(())
            }
            _ => Some(()),
        };
        if understood.is_none() {
            sink.note("capture-block-malformed");
        }
    }

    fn interface(&mut self, body: &[u8]) -> Option<()> {
        let mut c = Cursor::new(body);
        let link = LinkType::stated(self.order.u16(&mut c)?);
        c.take(2)?;
        let snaplen = self.order.u32(&mut c)?;
        let clock = Clock::from_options(c.rest(), self.order);
        if self.interfaces.len() < Self::INTERFACES {
            self.interfaces.push(Interface { link, snaplen, clock, dropped: None });
        }
        Some(())
    }

    /// `isb_ifdrop` (5) and `isb_osdrop` (7): counts since the capture began, so the latest holds.
    fn statistics(&mut self, body: &[u8]) -> Option<()> {
        let mut c = Cursor::new(body);
        let interface = self.order.u32(&mut c)? as usize;
        self.ticks(&mut c)?;
        let counts = options_of(c.rest(), self.order)
            .filter(|(code, _)| matches!(code, 5 | 7))
            .filter_map(|(_, value)| self.order.u64(&mut Cursor::new(value)));
        let dropped = counts.reduce(u64::saturating_add);
        if let Some(interface) = self.interfaces.get_mut(interface) {
            interface.dropped = dropped.or(interface.dropped);
        }
        Some(())
    }

    /// Frames that the capturing side lost, where the file says so.
    pub fn dropped(&self) -> Option<u64> {
        let counts = self.interfaces.iter().map(|i| i.dropped).chain([self.dropped]).flatten();
        counts.reduce(u64::saturating_add)
    }

    #[inline]
    fn enhanced(&mut self, body: &[u8], start: usize, sink: &mut Sink<'_>) -> Option<()> {
        let mut c = Cursor::new(body);
        let interface = self.order.u32(&mut c)? as usize;
        let ticks = self.ticks(&mut c)?;
        let captured = self.order.u32(&mut c)?;
        let original = self.order.u32(&mut c)?;
        self.timed(interface, ticks, captured, original, (start + 20, c.left()), sink);
        Some(())
    }

    fn obsolete(&mut self, body: &[u8], start: usize, sink: &mut Sink<'_>) -> Option<()> {
        let mut c = Cursor::new(body);
        let interface = usize::from(self.order.u16(&mut c)?);
        c.take(2)?;
        let ticks = self.ticks(&mut c)?;
        let captured = self.order.u32(&mut c)?;
        let original = self.order.u32(&mut c)?;
        self.timed(interface, ticks, captured, original, (start + 20, c.left()), sink);
        Some(())
    }

    fn simple(&mut self, body: &[u8], start: usize, sink: &mut Sink<'_>) -> Option<()> {
        let mut c = Cursor::new(body);
        let original = self.order.u32(&mut c)?;
        let Some(interface) = self.interfaces.first() else {
            self.homeless(sink);
            return Some(());
        };
        let mut len = (original as usize).min(c.left());
        if interface.snaplen > 0 {
            len = len.min(interface.snaplen as usize);
        }
        sink.frame(self.latest, interface.link, start + 4, len, original);
        Some(())
    }

    fn ticks(&self, c: &mut Cursor<'_>) -> Option<u64> {
        let high = self.order.u32(c)?;
        let low = self.order.u32(c)?;
        Some(u64::from(high) << 32 | u64::from(low))
    }

    #[inline]
    fn timed(
        &mut self,
        interface: usize,
        ticks: u64,
        captured: u32,
        original: u32,
        (start, room): (usize, usize),
        sink: &mut Sink<'_>,
    ) {
        let Some(interface) = self.interfaces.get(interface) else {
            self.homeless(sink);
            return;
        };
        self.latest = interface.clock.time(ticks);
        let len = (captured as usize).min(room);
        sink.frame(self.latest, interface.link, start, len, original.max(captured));
        if len < captured as usize {
            sink.note("capture-length-absurd");
        }
    }

    /// A frame of an interface that nothing describes: counted, not delivered.
    fn homeless(&self, sink: &mut Sink<'_>) {
        sink.tally.frame += 1;
        sink.note("capture-interface-unknown");
    }

    /// Looks for the next believable block after damage: `Ok` with the bytes to skip, or `Err` with
    /// the bytes that can be given up while more are needed.
    fn resume(&self, data: &[u8]) -> Result<usize, usize> {
        let believable = |at: &usize| {
            let rest = data.get(*at..).unwrap_or_default();
            match block_at(rest, self.order) {
                Found::Block { kind, size, .. } => known(kind) && size <= RESUME_WINDOW,
                _ => false,
            }
        };
        let last = data.len().saturating_sub(12);
        // A block that starts within the window's last part may not be whole yet.
        (0..last).find(believable).ok_or(data.len().saturating_sub(RESUME_WINDOW))
    }
}

/// After damage, only blocks up to this size are believed.
const RESUME_WINDOW: usize = 512 << 10;

fn known(kind: u32) -> bool {
    matches!(
        kind,
        block::SECTION
            | block::INTERFACE
            | block::PACKET
            | block::SIMPLE
            | block::NAMES
            | block::STATISTICS
            | block::ENHANCED
            | block::JOURNAL
            | block::SECRETS
    ) || block::CUSTOM.contains(&kind)
}

/// Reads the block at the start of `rest`; a section header brings its own byte order.
fn block_at(rest: &[u8], order: Order) -> Found<'_> {
    let mut c = Cursor::new(rest);
    let Some(kind) = order.u32(&mut c) else {
        return Found::Short(12);
    };
    let order = match (kind, rest.get(8..12)) {
        (block::SECTION, None) => return Found::Short(12),
        (block::SECTION, Some([0x1a, 0x2b, 0x3c, 0x4d])) => Order::Big,
        (block::SECTION, Some([0x4d, 0x3c, 0x2b, 0x1a])) => Order::Little,
        (block::SECTION, Some(_)) => return Found::Damage,
        _ => order,
    };
    let Some(size) = order.u32(&mut c).map(|n| n as usize) else {
        return Found::Short(12);
    };
    if !(12..=LARGEST_BLOCK).contains(&size) {
        return Found::Damage;
    }
    let Some(whole) = rest.get(..size) else {
        return Found::Short(size);
    };
    let body = whole.get(8..size - 4).unwrap_or_default();
    let mut tail = Cursor::new(whole.get(size - 4..).unwrap_or_default());
    if order.u32(&mut tail) == Some(size as u32) {
        return Found::Block { kind, order, body, size };
    }
    // Some writers leave the padding out of the length; the block ends at the next multiple of four.
    let padded = size.next_multiple_of(4);
    let Some(whole) = rest.get(..padded) else {
        return Found::Short(padded);
    };
    let mut tail = Cursor::new(whole.get(padded - 4..).unwrap_or_default());
    match order.u32(&mut tail) {
        Some(n) if padded != size && (n as usize == size || n as usize == padded) => {
            Found::Block { kind, order, body: whole.get(8..padded - 4).unwrap_or_default(), size: padded }
        }
        _ => Found::Damage,
    }
}
