//! A small pcapng writer: one section, nanosecond clocks, frames and secrets.

use super::LinkType;
use crate::model::Timestamp;
use std::io::{self, Write};

/// Writes one little-endian pcapng section. Nothing is buffered here; wrap files in a `BufWriter`.
pub struct PcapngWriter<W> {
    out: W,
    interfaces: u32,
    block: Vec<u8>,
}

impl<W: Write> PcapngWriter<W> {
    /// Writes the section header; `application` is named as the writer.
    pub fn new(out: W, application: &str) -> io::Result<Self> {
        let mut writer = Self { out, interfaces: 0, block: Vec::new() };
        let b = writer.start(0x0a0d_0d0a);
        b.extend_from_slice(&0x1a2b_3c4du32.to_le_bytes());
        b.extend_from_slice(&[1, 0, 0, 0]);
        b.extend_from_slice(&u64::MAX.to_le_bytes());
        option(b, 4, application.as_bytes());
        end_of_options(b);
        writer.finish()?;
        Ok(writer)
    }

    /// Describes an interface and gives its number for [`Self::frame`]. A `snaplen` of 0 means no limit.
    pub fn interface(&mut self, link: LinkType, snaplen: u32, name: &str) -> io::Result<u32> {
        let b = self.start(1);
        b.extend_from_slice(&link.0.to_le_bytes());
        b.extend_from_slice(&[0, 0]);
        b.extend_from_slice(&snaplen.to_le_bytes());
        if !name.is_empty() {
            option(b, 2, name.as_bytes());
        }
        option(b, 9, &[9]);
        end_of_options(b);
        self.finish()?;
        self.interfaces += 1;
        Ok(self.interfaces - 1)
    }

    /// Writes a frame of which `original` bytes were on the wire. Times before 1970 become 1970.
    pub fn frame(&mut self, interface: u32, time: Timestamp, data: &[u8], original: u32) -> io::Result<()> {
        if interface >= self.interfaces {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a frame of an interface that was not described",
            ));
        }
        let captured = length(data)?;
        let ticks = u64::try_from(time.0).unwrap_or(0);
        let b = self.start(6);
        b.extend_from_slice(&interface.to_le_bytes());
        b.extend_from_slice(&((ticks >> 32) as u32).to_le_bytes());
        b.extend_from_slice(&(ticks as u32).to_le_bytes());
        b.extend_from_slice(&captured.to_le_bytes());
        b.extend_from_slice(&original.max(captured).to_le_bytes());
        b.extend_from_slice(data);
        self.finish()
    }

    /// Writes a Decryption Secrets Block of pcapng secrets type `kind`.
    pub fn secrets(&mut self, kind: u32, data: &[u8]) -> io::Result<()> {
        let n = length(data)?;
        let b = self.start(10);
        b.extend_from_slice(&kind.to_le_bytes());
        b.extend_from_slice(&n.to_le_bytes());
        b.extend_from_slice(data);
        self.finish()
    }

    /// Says how many frames of an interface were lost from the beginning until `time`.
    pub fn statistics(&mut self, interface: u32, time: Timestamp, dropped: u64) -> io::Result<()> {
        let ticks = u64::try_from(time.0).unwrap_or(0);
        let b = self.start(5);
        b.extend_from_slice(&interface.to_le_bytes());
        b.extend_from_slice(&((ticks >> 32) as u32).to_le_bytes());
        b.extend_from_slice(&(ticks as u32).to_le_bytes());
        option(b, 7, &dropped.to_le_bytes());
        end_of_options(b);
        self.finish()
    }

    /// Flushes and gives the inner writer back.
    pub fn into_inner(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    /// Flushes the inner writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn start(&mut self, kind: u32) -> &mut Vec<u8> {
        self.block.clear();
        self.block.extend_from_slice(&kind.to_le_bytes());
        self.block.extend_from_slice(&[0; 4]);
        &mut self.block
    }

    fn finish(&mut self) -> io::Result<()> {
        pad(&mut self.block);
        let size = (length(&self.block)? + 4).to_le_bytes();
        if let Some(place) = self.block.get_mut(4..8) {
            place.copy_from_slice(&size);
        }
        self.block.extend_from_slice(&size);
        self.out.write_all(&self.block)
    }
}

fn length(data: &[u8]) -> io::Result<u32> {
    match u32::try_from(data.len()) {
        Ok(n) if n < u32::MAX - 64 => Ok(n),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "more than a pcapng block can hold")),
    }
}

fn pad(b: &mut Vec<u8>) {
    b.resize(b.len().next_multiple_of(4), 0);
}

/// Appends an option; values beyond 64 KiB are cut.
fn option(b: &mut Vec<u8>, code: u16, value: &[u8]) {
    let n = u16::try_from(value.len()).unwrap_or(u16::MAX);
    b.extend_from_slice(&code.to_le_bytes());
    b.extend_from_slice(&n.to_le_bytes());
    b.extend_from_slice(value.get(..usize::from(n)).unwrap_or_default());
    pad(b);
}

fn end_of_options(b: &mut Vec<u8>) {
    b.extend_from_slice(&[0; 4]);
}
