//! Trial decoders: how far the bytes get as deflate, brotli, LZ4, Snappy, protobuf, and what comes out.

use crate::bytes::Cursor;
use std::io::Read;

/// How far one decoder came.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Trial {
    /// Share of the input consumed, 0..=1.
    pub used: f64,
    /// Bytes made per byte of input (fields, for protobuf).
    pub made: f64,
    /// Share of printable bytes in what was made.
    pub printable: f64,
    /// 1 when the input ended well-formed.
    pub clean: f64,
}

const INPUT: usize = 4096;

fn printable(out: &[u8]) -> f64 {
    let good = out.iter().filter(|b| (0x20..0x7f).contains(*b) || **b == b'\n').count();
    good as f64 / out.len().max(1) as f64
}

/// Raw deflate (RFC 1951) from the first bit on; a missing final block is allowed.
pub fn deflate(bytes: &[u8]) -> Trial {
    let body = bytes.get(..INPUT).unwrap_or(bytes);
    let mut state = flate2::Decompress::new(false);
    let mut out = vec![0u8; (body.len() * 4).clamp(256, 8192)];
    let met = state.decompress(body, &mut out, flate2::FlushDecompress::None);
    let made = (state.total_out() as usize).min(out.len());
    let used = state.total_in() as f64 / body.len().max(1) as f64;
    let clean = match met {
        Ok(flate2::Status::StreamEnd) => 2.0,
        Ok(_) => 1.0,
        Err(_) => 0.0,
    };
    Trial {
        used,
        made: made as f64 / body.len().max(1) as f64,
        printable: printable(out.get(..made).unwrap_or(&[])),
        clean,
    }
}

/// Brotli (RFC 7932): what comes out before the first error or the end.
pub fn brotli(bytes: &[u8]) -> Trial {
    let body = bytes.get(..INPUT).unwrap_or(bytes);
    let mut source = body;
    let mut out = Vec::new();
    let met = brotli_decompressor::Decompressor::new(&mut source, 4096).take(8192).read_to_end(&mut out);
    let size = body.len().max(1) as f64;
    Trial {
        used: 1.0 - source.len() as f64 / size,
        made: out.len() as f64 / size,
        printable: printable(&out),
        clean: f64::from(met.is_ok()),
    }
}

/// LZ4 block syntax: tokens whose literals and offsets fit.
pub fn lz4(bytes: &[u8]) -> Trial {
    let mut at = Cursor::new(bytes.get(..INPUT).unwrap_or(bytes));
    let (mut made, mut literals, mut text) = (0usize, 0usize, 0.0);
    let total = at.left().max(1) as f64;
    let mut clean = 0.0;
    let mut good = at;
    while let Some(token) = at.u8() {
        let Some(run) = length(&mut at, usize::from(token >> 4)) else {
            break;
        };
        let Some(literal) = at.take(run) else { break };
        made += run;
        literals += run;
        text += printable(literal) * run as f64;
        good = at;
        if at.is_empty() {
            clean = 1.0;
            break;
        }
        let Some(offset) = at.u16_le() else { break };
        if offset == 0 || usize::from(offset) > made {
            break;
        }
        let Some(copy) = length(&mut at, usize::from(token & 15)) else {
            break;
        };
        made += copy + 4;
        good = at;
    }
    Trial {
        used: good.consumed() as f64 / total,
        made: made as f64 / total,
        printable: text / literals.max(1) as f64,
        clean,
    }
}

fn length(at: &mut Cursor<'_>, nibble: usize) -> Option<usize> {
    let mut sum = nibble;
    if nibble < 15 {
        return Some(sum);
    }
    loop {
        let more = at.u8()?;
        sum += usize::from(more);
        if more < 255 {
            return Some(sum);
        }
    }
}

/// Snappy's raw form: a length, then elements; `clean` when the elements end at both ends at once.
pub fn snappy(bytes: &[u8]) -> Trial {
    let mut at = Cursor::new(bytes.get(..INPUT).unwrap_or(bytes));
    let total = at.left().max(1) as f64;
    let Some(claimed) = varint(&mut at) else {
        return Trial::default();
    };
    let (mut made, mut literals, mut text) = (0u64, 0usize, 0.0);
    while let Some((length, literal)) = element(&mut at, made) {
        made += length;
        literals += literal.len();
        text += printable(literal) * literal.len() as f64;
    }
    let clean = f64::from(at.is_empty() && made == claimed);
    let plausible =
        if claimed > 0 && claimed < bytes.len() as u64 * 40 { made as f64 / claimed as f64 } else { -1.0 };
    Trial {
        used: at.consumed() as f64 / total,
        made: plausible,
        printable: text / literals.max(1) as f64,
        clean,
    }
}

/// One element's length and, for a literal, its bytes.
fn element<'a>(at: &mut Cursor<'a>, made: u64) -> Option<(u64, &'a [u8])> {
    let mut next = *at;
    let tag = next.u8()?;
    let high = usize::from(tag >> 2);
    let found = match tag & 3 {
        0 => {
            let run = match high {
                60 => usize::from(next.u8()?),
                61 => usize::from(next.u16_le()?),
                62.. => return None,
                short => short,
            };
            (run as u64 + 1, next.take(run + 1)?)
        }
        kind => {
            let offset = match kind {
                1 => u64::from(tag >> 5) << 8 | u64::from(next.u8()?),
                2 => u64::from(next.u16_le()?),
                _ => u64::from(next.u32_le()?),
            };
            if offset == 0 || offset > made {
                return None;
            }
            (if kind == 1 { (high as u64 & 7) + 4 } else { high as u64 + 1 }, &[][..])
        }
    };
    *at = next;
    Some(found)
}

fn varint(at: &mut Cursor<'_>) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let b = at.u8()?;
        value |= u64::from(b & 127) << shift;
        if b < 128 {
            return Some(value);
        }
    }
    None
}

/// Protobuf's wire form: `made` counts fields, `clean` when they end exactly with the input.
pub fn protobuf(bytes: &[u8]) -> Trial {
    let mut at = Cursor::new(bytes.get(..INPUT).unwrap_or(bytes));
    let total = at.left().max(1) as f64;
    let mut fields = 0.0;
    let mut good = at;
    while field(&mut at).is_some() {
        fields += 1.0;
        good = at;
    }
    Trial {
        used: good.consumed() as f64 / total,
        made: fields,
        printable: 0.0,
        clean: f64::from(good.is_empty() && fields > 0.0),
    }
}

fn field(at: &mut Cursor<'_>) -> Option<()> {
    let tag = varint(at)?;
    if !(8..1 << 12).contains(&tag) {
        return None;
    }
    match tag & 7 {
        0 => varint(at).map(drop),
        1 => at.take(8).map(drop),
        2 => {
            let size = usize::try_from(varint(at)?).ok()?;
            at.take(size).map(drop)
        }
        5 => at.take(4).map(drop),
        _ => None,
    }
}

/// All trials, in one order.
pub fn all(bytes: &[u8]) -> [Trial; 5] {
    [deflate(bytes), brotli(bytes), lz4(bytes), snappy(bytes), protobuf(bytes)]
}
