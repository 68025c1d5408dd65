//! Formats and alphabets that a whole field can show: a validated head, never a two-byte magic alone.

use super::Class;
use super::histogram::Histogram;
use crate::bytes::Cursor;
use crate::model::media_head;

/// What a field begins with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// The class it belongs to.
    pub class: Class,
    /// Bits against uniform: minus log2 of the chance that random bytes pass the same check.
    pub bits: f64,
}

type Row = (&'static str, &'static [u8]);

/// Fixed heads of three bytes and more: name and bytes.
const COMPRESSED: &[Row] = &[
    ("zstd", b"\x28\xb5\x2f\xfd"),
    ("xz", b"\xfd7zXZ\0"),
    ("lz4-frame", b"\x04\x22\x4d\x18"),
    ("snappy-frame", b"\xff\x06\0\0sNaPpY"),
    ("lzma", b"\x5d\0\0"),
    ("gzip", b"\x1f\x8b\x08"),
    ("zip", b"PK\x03\x04"),
    ("7z", b"7z\xbc\xaf\x27\x1c"),
    ("rar", b"Rar!\x1a\x07"),
];
const STRUCTURED: &[Row] =
    &[("elf", b"\x7fELF"), ("sqlite", b"SQLite format 3\0"), ("binary-plist", b"bplist00")];

/// The format whose head the bytes begin with.
pub fn head(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(b"BZh") && bytes.get(4..10) == Some(b"\x31\x41\x59\x26\x53\x59") {
        return Some(Format { name: "bzip2", class: Class::Compressed, bits: 75.0 });
    }
    let fits = |rows: &[Row], class| {
        let (name, magic) = rows.iter().find(|(_, magic)| bytes.starts_with(magic))?;
        Some((*name, class, magic.len()))
    };
    let media = || media_head(bytes).map(|(name, length)| (name, Class::Media, length));
    let found = fits(COMPRESSED, Class::Compressed).or_else(media);
    if let Some((name, class, length)) = found.or_else(|| fits(STRUCTURED, Class::Structured)) {
        // Of RIFF three kinds are known.
        let bits = if name == "riff" { 62.0 } else { length as f64 * 8.0 - 5.0 };
        return Some(Format { name, class, bits });
    }
    frames(bytes).or_else(|| inflate(bytes))
}

/// Audio frames chained by their own lengths (ISO 11172-3, ISO 13818-7): two must follow each other.
fn frames(bytes: &[u8]) -> Option<Format> {
    let first = adts_length(bytes)?;
    let rest = bytes.get(first..)?;
    (rest.len() < 2 || rest.starts_with(&[0xff])).then_some(Format {
        name: "adts",
        class: Class::Media,
        bits: 18.0,
    })
}

fn adts_length(bytes: &[u8]) -> Option<usize> {
    let h = bytes.first_chunk::<7>()?;
    if h[0] != 0xff || h[1] & 0xf6 != 0xf0 || h[2] >> 2 & 15 > 12 {
        return None;
    }
    let length = usize::from(h[3] & 3) << 11 | usize::from(h[4]) << 3 | usize::from(h[5]) >> 5;
    (length >= 7).then_some(length)
}

/// Inflates as zlib (checked head) or raw deflate. Raw deflate counts only when the field is consumed to
/// its last bytes and grows, or ends in a final block there: random bytes seldom come that far.
fn inflate(bytes: &[u8]) -> Option<Format> {
    let [a, b, ..] = *bytes else { return None };
    let zlib = a & 15 == 8 && a >> 4 <= 7 && u16::from_be_bytes([a, b]) % 31 == 0 && b & 0x20 == 0;
    let body = if zlib { bytes.get(2..)? } else { bytes };
    let (used, made, clean) = trial(body);
    let whole = used * 100 >= body.len() * 97;
    if zlib && clean && made > 0 {
        return Some(Format { name: "zlib", class: Class::Compressed, bits: 12.0 });
    }
    let final_block = clean && body.len() - used.min(body.len()) <= 1;
    let grown = body.len() >= 24 && whole && clean && made > body.len() + body.len() / 8;
    (final_block && made > 2 || grown).then_some(Format {
        name: "deflate",
        class: Class::Compressed,
        bits: 9.0,
    })
}

/// Bytes consumed, bytes made, and whether no error was met.
fn trial(body: &[u8]) -> (usize, usize, bool) {
    let mut state = flate2::Decompress::new(false);
    let mut out = [0u8; 4096];
    let body = body.get(..8192).unwrap_or(body);
    for _ in 0..16 {
        let used = state.total_in() as usize;
        let before = state.total_out();
        let rest = body.get(used..).unwrap_or(&[]);
        match state.decompress(rest, &mut out, flate2::FlushDecompress::None) {
            Err(_) => return (state.total_in() as usize, state.total_out() as usize, false),
            Ok(flate2::Status::StreamEnd) => break,
            Ok(_) if state.total_in() as usize == used && state.total_out() == before => break,
            Ok(_) => {}
        }
    }
    (state.total_in() as usize, state.total_out() as usize, true)
}

/// How long the clear head of a well-known encrypted envelope or record is, when the bytes start with
/// one whose lengths agree. What follows is the ciphertext.
pub fn envelope_head(bytes: &[u8]) -> Option<usize> {
    let n = bytes.len();
    match bytes {
        // TLS application data (RFC 8446 section 5.2): the length must be the rest.
        [23, 3, 3, a, b, ..] if usize::from(u16::from_be_bytes([*a, *b])) + 5 == n => Some(5),
        // Signal message: version, then field 1 with a 33-byte key.
        [0x33 | 0x44, 0x0a, 0x21, 5, ..] => signal_body(bytes),
        [0x33 | 0x44, ..] if bytes.get(1..24)?.windows(3).any(|w| w == [0x12, 0x21, 5]) => Some(n.min(24)),
        // Olm and Megolm: version 3, ratchet key or index.
        [3, 0x0a, 0x20, ..] => Some(n.min(40)),
        [3, 0x08, _, 0x12, _, ..] | [3, 0x08, _, _, 0x12, ..] => Some(n.min(7)),
        // MLS private message (RFC 9420 section 6): version 1, wire format 2, group id.
        [0, 1, 0, 2, id, ..] => Some(n.min(usize::from(*id) + 17)),
        // Fernet: version 0x80 and a time in seconds before the year 2106.
        [0x80, 0, 0, 0, 0, t, ..] if *t > 0x40 => Some(9),
        // OpenPGP SEIPD (RFC 9580 section 5.13).
        [0xd2, l, 1 | 2, ..] if usize::from(*l) + 2 == n => Some(3),
        [0xd2, 192..=223, _, 1 | 2, ..] => Some(4),
        // A bare big-endian length in front of the rest.
        [a, b, ..] if n > 16 && usize::from(u16::from_be_bytes([*a, *b])) + 2 == n => Some(2),
        [0, a, b, ..] if n > 16 && usize::from(u16::from_be_bytes([*a, *b])) + 3 == n => Some(3),
        [a, b, c, d, ..] if n > 16 && u32::from_be_bytes([*a, *b, *c, *d]) as usize + 4 == n => Some(4),
        _ => None,
    }
}

fn signal_body(bytes: &[u8]) -> Option<usize> {
    let mut at = Cursor::new(bytes);
    at.take(36)?;
    for _ in 0..3 {
        let tag = at.u8()?;
        while at.u8()? & 0x80 != 0 {}
        if tag == 0x22 {
            break;
        }
    }
    Some(at.consumed())
}

/// The alphabet that holds every byte, if it is an encoding's: its name and size.
pub fn alphabet(bytes: &[u8], counts: &Histogram) -> Option<(&'static str, f64)> {
    let only =
        |allowed: fn(u8) -> bool| counts.counts().iter().zip(0u8..=255).all(|(c, b)| *c == 0 || allowed(b));
    let has =
        |wanted: fn(u8) -> bool| counts.counts().iter().zip(0u8..=255).any(|(c, b)| *c > 0 && wanted(b));
    let kinds = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit]
        .iter()
        .filter(|k| counts.counts().iter().zip(0u8..=255).any(|(c, b)| *c > 0 && k(&b)))
        .count();
    if bytes.starts_with(b"-----BEGIN ")
        || bytes.starts_with(b"data:") && bytes.windows(7).any(|w| w == b"base64,")
    {
        return Some(("armour", 64.0));
    }
    if only(|b| b.is_ascii_hexdigit() || b" :-".contains(&b))
        && has(|b| b.is_ascii_digit())
        && has(|b| b.is_ascii_alphabetic())
    {
        return Some(("hex", 16.0));
    }
    if only(|b| b.is_ascii_uppercase() || b"234567=".contains(&b)) {
        return Some(("base32", 32.0));
    }
    if only(|b| b.is_ascii_alphanumeric() || b"+/=\r\n".contains(&b)) && kinds >= 2 {
        return Some(("base64", 64.0));
    }
    if only(|b| b.is_ascii_alphanumeric() || b"-_=.".contains(&b)) && kinds == 3 {
        return Some(("base64url", 64.0));
    }
    let spaces = counts.counts()[32] + counts.counts()[10];
    if only(|b| b.is_ascii_graphic() || b == b'\n')
        && kinds == 3
        && spaces * 40 < counts.total()
        && counts.shannon() > super::null_mean_sd(bytes.len()).0 - 2.2
    {
        return Some(("base85", 85.0));
    }
    escapes(bytes)
}

/// Percent and quoted-printable escapes, and text in 16-bit units.
fn escapes(bytes: &[u8]) -> Option<(&'static str, f64)> {
    let triple = |mark: u8| {
        bytes
            .windows(3)
            .filter(|w| w[0] == mark && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit())
            .count()
    };
    if bytes.len() >= 12 && bytes.is_ascii() {
        if triple(b'%') * 12 >= bytes.len() && triple(b'%') >= 2 {
            return Some(("percent", 96.0));
        }
        if triple(b'=') * 12 >= bytes.len() && triple(b'=') >= 2 {
            return Some(("quoted-printable", 96.0));
        }
    }
    let small = |skip: usize| bytes.iter().skip(skip).step_by(2).filter(|b| **b < 0x0e).count() * 2;
    let text = |skip: usize| bytes.iter().skip(skip).step_by(2).filter(|b| **b >= 0x20).count() * 2;
    let wide =
        [0, 1].iter().any(|&s| small(s) * 10 >= bytes.len() * 9 && text(1 - s) * 10 >= bytes.len() * 9);
    (wide && bytes.len() >= 8).then_some(("utf-16", 256.0))
}
