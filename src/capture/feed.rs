//! The bytes of one input: a file or standard input, hashed as they are read, unpacked where they
//! are gzip or zstd.

use super::zstd::Unzstd;
use flate2::bufread::MultiGzDecoder;
use ring::digest::{Context, SHA256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, Read};

/// The stored bytes as they come, hashed and counted.
struct Raw {
    inner: Box<dyn Read + Send>,
    hash: Context,
    bytes: u64,
    head: Vec<u8>,
    shown: usize,
    /// The system failed to read, as opposed to damaged packing.
    failed: bool,
}

impl Raw {
    fn pull(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = loop {
            match self.inner.read(buf) {
                Ok(n) => break n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.failed = true;
                    return Err(e);
                }
            }
        };
        if let Some(got) = buf.get(..n) {
            self.hash.update(got);
        }
        self.bytes += n as u64;
        Ok(n)
    }

    /// Reads ahead up to `n` bytes without consuming them.
    fn peek(&mut self, n: usize) -> io::Result<&[u8]> {
        while self.head.len() < n {
            let mut piece = vec![0; n - self.head.len()];
            let got = self.pull(&mut piece)?;
            if got == 0 {
                break;
            }
            piece.truncate(got);
            self.head.append(&mut piece);
        }
        Ok(&self.head)
    }
}

impl Read for Raw {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut ahead = self.head.get(self.shown..).unwrap_or_default();
        if ahead.is_empty() {
            return self.pull(buf);
        }
        let n = ahead.read(buf)?;
        self.shown += n;
        Ok(n)
    }
}

enum Packing {
    Plain(Box<Raw>),
    Gzip(Box<MultiGzDecoder<BufReader<Raw>>>),
    Zstd(Box<Unzstd<BufReader<Raw>>>),
}

/// One input's bytes, unpacked.
pub(super) struct Feed {
    packing: Packing,
}

impl Feed {
    const PACKED_BUFFER: usize = 256 << 10;

    /// Opens `path`; `-` is standard input.
    pub fn open(path: &str) -> io::Result<Self> {
        if path == "-" {
            return Self::new(Box::new(io::stdin()));
        }
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Self::new(Box::new(file))
    }

    /// Looks at the first bytes of `inner` and unpacks what is packed.
    pub fn new(inner: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut raw =
            Raw { inner, hash: Context::new(&SHA256), bytes: 0, head: Vec::new(), shown: 0, failed: false };
        let head = raw.peek(4)?;
        let gzip = head.starts_with(&[0x1f, 0x8b]);
        // RFC 8878 sections 3.1.1 and 3.1.2: a frame, or a skippable frame in front of one.
        let zstd = matches!(head, [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18]);
        let packing = if gzip {
            Packing::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(Self::PACKED_BUFFER, raw))))
        } else if zstd {
            Packing::Zstd(Box::new(Unzstd::new(BufReader::with_capacity(Self::PACKED_BUFFER, raw))))
        } else {
            Packing::Plain(Box::new(raw))
        };
        Ok(Self { packing })
    }

    /// `""`, `" in gzip"` or `" in zstd"`, to stand behind the format's name.
    pub fn wrapping(&self) -> &'static str {
        match self.packing {
            Packing::Plain(_) => "",
            Packing::Gzip(_) => " in gzip",
            Packing::Zstd(_) => " in zstd",
        }
    }

    fn raw(&self) -> &Raw {
        match &self.packing {
            Packing::Plain(raw) => raw,
            Packing::Gzip(gz) => gz.get_ref().get_ref(),
            Packing::Zstd(z) => z.source().get_ref(),
        }
    }

    /// Stored bytes read so far.
    pub fn stored(&self) -> u64 {
        self.raw().bytes
    }

    /// True where the last error came from the system and not from damaged packing.
    pub fn failed(&self) -> bool {
        self.raw().failed
    }

    /// Reads what is left of the stored bytes and gives their number and SHA-256 in hexadecimal.
    pub fn finish(self) -> io::Result<(u64, String)> {
        let mut raw = match self.packing {
            Packing::Plain(raw) => *raw,
            Packing::Gzip(gz) => gz.into_inner().into_inner(),
            Packing::Zstd(z) => z.into_source().into_inner(),
        };
        let mut sink = vec![0; Self::PACKED_BUFFER];
        while raw.pull(&mut sink)? != 0 {}
        let mut text = String::with_capacity(64);
        for b in raw.hash.finish().as_ref() {
            let _ = write!(text, "{b:02x}");
        }
        Ok((raw.bytes, text))
    }
}

impl Read for Feed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.packing {
            Packing::Plain(raw) => raw.read(buf),
            Packing::Gzip(gz) => gz.read(buf),
            Packing::Zstd(z) => z.read(buf),
        }
    }
}
