//! Makes one large capture out of a folder of small ones: `cargo run --release --example mixed -- OUT.pcap MIB
//! FOLDER`. Every round copies all of them with addresses of its own, so that every copy is new flows.

use plainsight::capture::{self, Batch, LinkType};
use plainsight::model::Limits;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Longest pause that is kept inside a copy, in nanoseconds.
const PAUSE: i64 = 60_000_000_000;
/// Between the beginnings of two copies.
const STEP: i64 = 1_000_000;

struct Frame {
    /// Since the first frame of its capture.
    after: i64,
    original: u32,
    bytes: Vec<u8>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [out, mebibytes, folder] = words.as_slice() else {
        return Err("usage: mixed OUT.pcap MIB FOLDER".into());
    };
    let limit = mebibytes.parse::<u64>()? << 20;
    let mut paths = Vec::new();
    walk(Path::new(folder), &mut paths)?;
    paths.sort();
    let sources: Vec<Vec<Frame>> = paths.iter().map(|p| load(p)).filter(|f| !f.is_empty()).collect();
    if sources.is_empty() {
        return Err("no capture with Ethernet frames in that folder".into());
    }
    let mut file = BufWriter::with_capacity(1 << 20, File::create(out)?);
    for word in [0xa1b2_3c4du32, 0x0004_0002, 0, 0, 262_144, 1] {
        file.write_all(&word.to_le_bytes())?;
    }
    let (mut written, mut begins, mut round) = (24u64, 1_700_000_000_000_000_000i64, 0u32);
    while written < limit {
        for frames in &sources {
            for frame in frames {
                let mut bytes = frame.bytes.clone();
                move_hosts(&mut bytes, round);
                let time = begins + frame.after.clamp(0, PAUSE);
                let (seconds, nanos) = ((time / 1_000_000_000) as u32, (time % 1_000_000_000) as u32);
                for word in [seconds, nanos, bytes.len() as u32, frame.original] {
                    file.write_all(&word.to_le_bytes())?;
                }
                file.write_all(&bytes)?;
                written += 16 + bytes.len() as u64;
            }
            begins += STEP;
            if written >= limit {
                break;
            }
        }
        round += 1;
    }
    file.flush()?;
    println!("{written} bytes, {round} rounds of {} captures", sources.len());
    Ok(())
}

fn walk(folder: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { walk(&path, into)? } else { into.push(path) }
    }
    Ok(())
}

/// The Ethernet frames of a capture; none where it is something else.
fn load(path: &Path) -> Vec<Frame> {
    let mut frames = Vec::new();
    let Ok(mut source) = capture::open(&[path.to_owned()], &Limits::default()) else { return frames };
    let mut batch = Batch::default();
    let mut first = None;
    while let Ok(true) = source.read(&mut batch) {
        for head in batch.frames.iter().filter(|f| f.link == LinkType(1)) {
            let began = *first.get_or_insert(head.at.time.0);
            let bytes = batch.bytes(head).to_vec();
            frames.push(Frame { after: head.at.time.0 - began, original: head.original, bytes });
        }
    }
    frames
}

/// Gives the IP addresses of a frame to the hosts of another round. Checksums are left as they are:
/// nothing that reads captures may rely on them.
fn move_hosts(frame: &mut [u8], round: u32) {
    let mut at = 12;
    while let Some([0x81 | 0x88, 0x00 | 0xa8]) = frame.get(at..at + 2) {
        at += 4;
    }
    let places = match frame.get(at..at + 3) {
        Some([8, 0, v]) if v >> 4 == 4 => [at + 2 + 12, at + 2 + 16],
        Some([0x86, 0xdd, v]) if v >> 4 == 6 => [at + 2 + 8 + 2, at + 2 + 24 + 2],
        _ => return,
    };
    for place in places {
        if let Some([first, second, ..]) = frame.get_mut(place..place + 4)
            && *first < 224
            && *first != 127
        {
            *second ^= round as u8;
            *first ^= (round >> 8) as u8 & 0x1f;
        }
    }
}
