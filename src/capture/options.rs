//! The small parts of pcapng blocks: byte order, options, time resolution, names.

use crate::bytes::Cursor;
use crate::model::Timestamp;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A section's byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Order {
    /// Most significant byte first.
    Big,
    /// Least significant byte first.
    #[default]
    Little,
}

impl Order {
    #[inline(always)]
    pub fn u16(self, c: &mut Cursor<'_>) -> Option<u16> {
        match self {
            Self::Big => c.u16(),
            Self::Little => c.u16_le(),
        }
    }

    #[inline(always)]
    pub fn u32(self, c: &mut Cursor<'_>) -> Option<u32> {
        match self {
            Self::Big => c.u32(),
            Self::Little => c.u32_le(),
        }
    }

    pub fn u64(self, c: &mut Cursor<'_>) -> Option<u64> {
        match self {
            Self::Big => c.u64(),
            Self::Little => c.u64_le(),
        }
    }
}

/// How an interface counts time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    ticks: Ticks,
    /// Added to every time, in nanoseconds.
    offset: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ticks {
    /// Nanoseconds in a tick.
    Coarse(u64),
    /// Ticks in a second, where a tick is no whole number of nanoseconds.
    PerSecond(u128),
}

impl Default for Clock {
    fn default() -> Self {
        Self { ticks: Ticks::Coarse(1000), offset: 0 }
    }
}

impl Clock {
    /// Reads `if_tsresol` (9) and `if_tsoffset` (14) from an interface's options.
    pub fn from_options(options: &[u8], order: Order) -> Self {
        let mut clock = Self::default();
        for (code, value) in options_of(options, order) {
            match (code, value) {
                (9, [resolution, ..]) => clock.ticks = Ticks::new(*resolution),
                (14, _) => {
                    let seconds = order.u64(&mut Cursor::new(value)).unwrap_or(0) as i64;
                    clock.offset = seconds.saturating_mul(1_000_000_000);
                }
                _ => {}
            }
        }
        clock
    }

    /// The time that `ticks` stand for, saturating.
    #[inline]
    pub fn time(&self, ticks: u64) -> Timestamp {
        let nanos = match self.ticks {
            Ticks::Coarse(n) => i64::try_from(ticks.saturating_mul(n)).unwrap_or(i64::MAX),
            Ticks::PerSecond(per) => {
                let nanos = u128::from(ticks).saturating_mul(1_000_000_000) / per;
                i64::try_from(nanos).unwrap_or(i64::MAX)
            }
        };
        Timestamp(nanos.saturating_add(self.offset))
    }
}

impl Ticks {
    fn new(resolution: u8) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        if resolution & 0x80 != 0 {
            return Self::PerSecond(1u128.checked_shl(exponent).unwrap_or(u128::MAX).max(1));
        }
        match 9u32.checked_sub(exponent) {
            Some(up) => Self::Coarse(10u64.pow(up)),
            None => Self::PerSecond(10u128.checked_pow(exponent).unwrap_or(u128::MAX)),
        }
    }
}

/// The options of a block, up to the first that does not fit.
pub(super) fn options_of(bytes: &[u8], order: Order) -> impl Iterator<Item = (u16, &[u8])> {
    let mut c = Cursor::new(bytes);
    std::iter::from_fn(move || {
        let code = order.u16(&mut c)?;
        let value = padded(&mut c, order)?;
        (code != 0).then_some((code, value))
    })
}

/// The names of a Name Resolution Block, up to `most`.
pub(super) fn names_of(body: &[u8], order: Order, most: usize) -> Vec<(IpAddr, String)> {
    let mut names = Vec::new();
    let mut c = Cursor::new(body);
    while let Some(kind) = order.u16(&mut c).filter(|kind| *kind != 0) {
        let Some(value) = padded(&mut c, order) else {
            break;
        };
        let mut v = Cursor::new(value);
        let ip = match kind {
            1 => v.array().map(|a: [u8; 4]| IpAddr::V4(Ipv4Addr::from(a))),
            2 => v.array().map(|a: [u8; 16]| IpAddr::V6(Ipv6Addr::from(a))),
            _ => None,
        };
        let Some(ip) = ip else { continue };
        for name in v.rest().split(|b| *b == 0).filter(|n| !n.is_empty() && n.len() <= 255) {
            if names.len() < most {
                names.push((ip, String::from_utf8_lossy(name).into_owned()));
            }
        }
    }
    names
}

/// A 16-bit length and that many bytes, padded to four.
fn padded<'a>(c: &mut Cursor<'a>, order: Order) -> Option<&'a [u8]> {
    let n = usize::from(order.u16(c)?);
    let value = c.take(n)?;
    // The last option of a sloppy writer may lack its padding.
    let _ = c.take(n.wrapping_neg() % 4);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_count_in_decimal_and_binary() {
        let clock = |r: u8| Clock { ticks: Ticks::new(r), offset: 0 };
        assert_eq!(clock(6).time(1_500_000), Timestamp(1_500_000_000));
        assert_eq!(clock(9).time(7), Timestamp(7));
        assert_eq!(clock(0).time(3), Timestamp(3_000_000_000));
        assert_eq!(clock(12).time(2_000), Timestamp(2));
        assert_eq!(clock(0x80 | 10).time(512), Timestamp(500_000_000));
        assert_eq!(clock(0xff).time(u64::MAX), Timestamp(0));
        assert_eq!(clock(127).time(u64::MAX), Timestamp(0));
        assert_eq!(clock(0).time(u64::MAX), Timestamp(i64::MAX));
    }
}
