//! Compression: gzip (RFC 1952), zlib (RFC 1950), raw deflate (RFC 1951), brotli (RFC 7932), zstd (RFC 8878),
//! bzip2, xz, LZ4 and Snappy.

use crate::model::{Bucket, Side};
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Guess, Handle, Hint, Input, Out, Peeler, Probe, Spec, Step, Then,
};
use flate2::{Decompress, FlushDecompress, Status};
use std::cell::RefCell;
use std::io::Read;

macro_rules! row {
    ($static:ident, $name:literal, $title:literal, $eats:expr, [$($hint:literal),*], $probe:expr, $open:expr) => {
        /// The row.
        pub static $static: Spec = Spec {
            name: $name,
            title: $title,
            family: Family::Codec,
            eats: $eats,
            forms: &[Form::Binary, Form::Text],
            answers: |h| matches!(h, Hint::Encoding(e) if [$($hint),*].contains(&e.as_str())),
            shapes: &[],
            probe: Some($probe),
            facts: &[],
            notes: &["compression-broken", "expansion-limit", "compressed-trailing-bytes"],
            open: $open,
        };
    };
}

mod brotli;
mod headed;
mod lz4;
mod lzma;
mod snappy;

row!(GZIP, "gzip", "gzip (RFC 1952)", Eats::Stream, ["gzip", "x-gzip"], gzip_probe, || Box::new(
    Inflate::new()
));
row!(ZLIB, "zlib", "zlib (RFC 1950)", Eats::Message, ["deflate"], |p| whole(p, unzlib), || Box::new(Whole(
    unzlib
)));
row!(DEFLATE, "deflate", "Raw deflate (RFC 1951)", Eats::Message, ["deflate-raw"], deflate_probe, || {
    Box::new(Whole(undeflate))
});
row!(BROTLI, "brotli", "Brotli (RFC 7932)", Eats::Message, ["br"], brotli_probe, || Box::new(Whole(
    brotli::undo
)));
row!(ZSTD, "zstd", "Zstandard (RFC 8878)", Eats::Message, ["zstd"], zstd_probe, || Box::new(Whole(unzstd)));

row!(BZIP2, "bzip2", "bzip2", Eats::Message, ["bzip2", "x-bzip2"], bzip2_probe, || Box::new(Whole(unbzip2)));
row!(XZ, "xz", "xz", Eats::Message, ["xz", "x-xz"], lzma::xz_probe, || Box::new(Whole(lzma::unxz)));
row!(
    LZMA,
    "lzma",
    "LZMA alone (lzma-file-format.txt)",
    Eats::Message,
    ["lzma", "x-lzma"],
    lzma::probe,
    || { Box::new(Whole(lzma::undo)) }
);
row!(
    HEADED,
    "headed",
    "Compressed bytes behind a header of a few octets",
    Eats::Message,
    [],
    |p| if p.form == Form::Binary && headed::undo(p.bytes, LOOKED_AT).is_some() {
        Guess::Sure
    } else {
        Guess::No
    },
    || Box::new(Whole(headed::undo))
);
row!(
    LZ4,
    "lz4",
    "LZ4 (lz4_Frame_format.md, and blocks with their size)",
    Eats::Message,
    ["lz4", "x-lz4"],
    |p| magic_or_whole(p, lz4::MAGIC, lz4::undo),
    || Box::new(Whole(lz4::undo))
);
row!(
    SNAPPY,
    "snappy",
    "Snappy (framing_format.txt, format_description.txt)",
    Eats::Message,
    ["snappy", "x-snappy", "x-snappy-framed"],
    |p| magic_or_whole(p, snappy::MAGIC, snappy::undo),
    || Box::new(Whole(snappy::undo))
);

/// The magic of a frame is enough; without one the whole must come out convincingly.
fn magic_or_whole(p: &Probe<'_>, magic: &[u8], undo: Undo) -> Guess {
    match p.bytes.starts_with(magic) {
        true if undo(p.bytes, 4 << 10).is_some() => Guess::Sure,
        true => Guess::No,
        false => whole(p, undo),
    }
}

/// The magic, and that of a block or of the end behind it.
fn bzip2_probe(p: &Probe<'_>) -> Guess {
    match p.bytes {
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Guess::Sure,
        _ => Guess::No,
    }
}

fn gzip_probe(p: &Probe<'_>) -> Guess {
    match p.bytes {
        [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 => Guess::Sure,
        [0x1f] | [0x1f, 0x8b] | [0x1f, 0x8b, 8] if !p.end => Guess::More,
        _ => Guess::No,
    }
}

/// What has no header of zlib's has been tried as raw deflate by the row of zlib.
fn deflate_probe(p: &Probe<'_>) -> Guess {
    if p.stated || is_zlib(p.bytes) { whole(p, undeflate) } else { Guess::No }
}

fn brotli_probe(p: &Probe<'_>) -> Guess {
    match p.stated {
        true => whole(p, brotli::undo),
        false if p.form == Form::Binary && brotli::is(p.bytes) => Guess::Sure,
        false => Guess::No,
    }
}

fn zstd_probe(p: &Probe<'_>) -> Guess {
    if p.bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) { Guess::Sure } else { Guess::No }
}

/// Sure only if the whole input decompresses to its end and what comes out is text or structure.
fn whole(p: &Probe<'_>, undo: Undo) -> Guess {
    if p.stated {
        return if undo(p.bytes, 4 << 10).is_some() { Guess::Sure } else { Guess::No };
    }
    if p.bytes.len() < 8 || p.form != Form::Binary {
        return Guess::No;
    }
    match undo(p.bytes, 64 << 10) {
        Some(plain) if convincing(&plain) => Guess::Sure,
        _ => Guess::No,
    }
}

/// Readable text, or a buffer that is longer than what it came from and has few different bytes.
fn convincing(plain: &[u8]) -> bool {
    let text = match std::str::from_utf8(plain) {
        Ok(t) => t,
        Err(e) if e.error_len().is_none() => std::str::from_utf8(&plain[..e.valid_up_to()]).unwrap_or(""),
        Err(_) => "",
    };
    if plain.len() >= 8 && !text.is_empty() {
        return !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    }
    let printable = plain.iter().filter(|b| b.is_ascii_graphic() || **b == b' ').count();
    plain.len() >= 32 && printable * 10 > plain.len() * 6
}

/// Undoes a whole input; `None` if it does not end where the input ends. Output beyond the limit is cut.
type Undo = fn(&[u8], usize) -> Option<Vec<u8>>;

struct Whole(Undo);

impl Peeler for Whole {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let limit = out.limits().message;
        let Some(plain) = (self.0)(input.bytes, limit) else {
            out.note("compression-broken");
            return Step::again(0);
        };
        if plain.len() >= limit {
            out.note("expansion-limit");
        }
        out.message(Child::message().inherit().form(form_of(&plain)), input.side, &plain);
        Step::again(input.bytes.len())
    }
}

fn form_of(bytes: &[u8]) -> Form {
    if std::str::from_utf8(bytes).is_ok() { Form::Text } else { Form::Binary }
}

#[derive(Clone, Copy, PartialEq)]
enum Wrapper {
    Zlib,
    None,
}

thread_local! {
    /// Setting a decompressor up costs more than what it takes to see that bytes are no deflate.
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

fn flate(wrapper: Wrapper, bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    INFLATE.with_borrow_mut(|z| {
        z.reset(wrapper == Wrapper::Zlib);
        flate_with(z, bytes, limit)
    })
}

fn flate_with(z: &mut Decompress, bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(256);
    loop {
        let used = z.total_in() as usize;
        match z.decompress_vec(bytes.get(used..)?, &mut plain, FlushDecompress::Finish) {
            Ok(Status::StreamEnd) => return (z.total_in() as usize == bytes.len()).then_some(plain),
            _ if plain.len() >= limit => {
                plain.truncate(limit);
                return Some(plain);
            }
            Ok(_) if plain.len() == plain.capacity() => {
                plain.reserve(plain.len().max(bytes.len() * 3));
            }
            Ok(_) if z.total_in() as usize > used => {}
            _ => return None,
        }
    }
}

fn unzlib(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    match is_zlib(bytes) {
        true => flate(Wrapper::Zlib, bytes, limit),
        // RFC 9110 section 8.4.1.2: some senders say deflate and mean it raw.
        false => undeflate(bytes, limit),
    }
}

/// The header of zlib (RFC 1950 section 2.2).
fn is_zlib(bytes: &[u8]) -> bool {
    let header = bytes.first_chunk::<2>().map(|h| u16::from_be_bytes(*h));
    header.is_some_and(|h| h.is_multiple_of(31) && h >> 8 & 0x0f == 8)
}

fn undeflate(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    // Block type 3 does not exist (RFC 1951 section 3.2.3).
    if bytes.first()? & 0x06 == 0x06 {
        return None;
    }
    flate(Wrapper::None, bytes, limit)
}

fn unzstd(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    read(ruzstd::decoding::StreamingDecoder::new(bytes).ok()?, limit)
}

fn unbzip2(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    read(bzip2::read::MultiBzDecoder::new(bytes), limit)
}

/// Output that is looked at before something is called compressed.
const LOOKED_AT: usize = 64 << 10;

/// What comes out before the end, damage or the limit.
fn read(reader: impl Read, limit: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let _ = reader.take(limit as u64).read_to_end(&mut plain);
    (!plain.is_empty()).then_some(plain)
}

/// Where in a gzip member the stream stands.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Header,
    Data,
    Trailer,
    Done,
}

/// Streaming gzip.
struct Inflate {
    z: Decompress,
    child: Option<Handle>,
    part: Part,
    fed: u64,
    given: u64,
    buffer: Vec<u8>,
}

impl Inflate {
    fn new() -> Self {
        Self {
            z: Decompress::new(false),
            child: None,
            part: Part::Header,
            fed: 0,
            given: 0,
            buffer: Vec::new(),
        }
    }
}

impl Inflate {
    /// The header of a member; several may follow one another (RFC 1952 section 2.2).
    fn header(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let bytes = input.bytes;
        if !bytes.starts_with(&[0x1f, 0x8b, 8][..bytes.len().min(3)]) {
            if self.child.is_none() {
                return Step::die("compression-broken");
            }
            out.note("compressed-trailing-bytes");
            self.part = Part::Done;
            return Step::again(0);
        }
        let Some(n) = gzip_header(bytes) else { return Step::more(0, bytes.len() + 1) };
        self.part = Part::Data;
        self.z = Decompress::new(false);
        if self.child.is_none() {
            self.child = Some(out.open(Child::message().inherit()));
        }
        Step::again(n)
    }

    fn data(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let before = self.z.total_in();
        self.buffer.clear();
        self.buffer.reserve(32 << 10);
        let status = self.z.decompress_vec(input.bytes, &mut self.buffer, FlushDecompress::None);
        let used = (self.z.total_in() - before) as usize;
        self.fed += used as u64;
        self.given += self.buffer.len() as u64;
        if let Some(child) = self.child {
            out.feed(child, input.side, &self.buffer);
        }
        let limits = out.limits();
        if self.given > self.fed.saturating_mul(limits.expansion) + limits.message as u64 {
            self.part = Part::Done;
            out.note("expansion-limit");
            return Step::again(input.bytes.len());
        }
        match status {
            Ok(Status::StreamEnd) => {
                self.part = Part::Trailer;
                Step::again(used)
            }
            Ok(_) if used == 0 && self.buffer.is_empty() => Step::more(0, input.bytes.len() + 1),
            Ok(_) => Step::again(used),
            // How far the damage reaches back depends on how the input was cut, so all of it is given up.
            Err(_) => {
                out.note("compression-broken");
                Step { consumed: input.bytes.len(), then: Then::Rest(Bucket::Cut) }
            }
        }
    }
}

/// Length of a gzip header, if it is whole.
fn gzip_header(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(3)?;
    let mut at = 10;
    if flags & 4 != 0 {
        at += 2 + usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            at += bytes.get(at..)?.iter().position(|b| *b == 0)? + 1;
        }
    }
    at += if flags & 2 != 0 { 2 } else { 0 };
    (bytes.len() >= at).then_some(at)
}

impl Peeler for Inflate {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        match self.part {
            Part::Header => self.header(&input, out),
            Part::Data => self.data(&input, out),
            Part::Trailer => match input.bytes.len() {
                0..8 if !input.end => Step::more(0, 8),
                n => {
                    self.part = Part::Header;
                    Step::again(n.min(8))
                }
            },
            Part::Done => Step::again(input.bytes.len()),
        }
    }

    fn gap(&mut self, _side: Side, _len: u64, _out: &mut Out<'_, '_>) -> AfterGap {
        AfterGap::Die
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some(child) = self.child.take() {
            out.close(child, side);
        }
    }
}
