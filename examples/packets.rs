//! Reads captures and prints how many packets of which kind they hold; with `time` in front, also
//! how long each stage took. A yardstick against other instruments.

use plainsight::capture::{self, Batch};
use plainsight::model::{Limits, Notes};
use plainsight::wire::{Decoder, Payload, Proto};
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let timed = words.first().is_some_and(|w| w == "time");
    if timed {
        words.remove(0);
    }
    let paths: Vec<PathBuf> = words.into_iter().map(PathBuf::from).collect();
    let limits = Limits::default();
    let mut source = capture::open(&paths, &limits)?;
    let mut decoder = Decoder::new(&limits);
    let mut batch = Batch::default();
    let mut notes = Notes::default();
    let (mut reading, mut decoding) = (Duration::ZERO, Duration::ZERO);
    let (mut payload, mut secrets, mut names, mut apps) = (0u64, 0usize, 0usize, 0u64);
    loop {
        let start = Instant::now();
        if !source.read(&mut batch)? {
            break;
        }
        let middle = Instant::now();
        reading += middle - start;
        for frame in &batch.frames {
            let bytes = batch.bytes(frame);
            let Some(packet) = decoder.decode(frame.link, bytes, frame.original, frame.at) else {
                continue;
            };
            apps += u64::from(packet.app.is_some());
            if let (Payload::Frame { len, .. }, Proto::Tcp { .. }) = (&packet.payload, packet.proto) {
                payload += u64::from(*len);
            }
        }
        decoding += middle.elapsed();
        secrets += batch.secrets.len();
        names += batch.names.len();
        notes.merge(std::mem::take(&mut batch.notes));
    }
    notes.merge(decoder.notes());
    let c = decoder.counters();
    println!(
        "tcp {} udp {} icmp {} arp {} fragments {} reassembled {}",
        c.tcp, c.udp, c.icmp, c.arp, c.fragments, c.reassembled
    );
    println!("{c:?}\ntcp payload {payload}, secrets {secrets}, names {names}, packets with an app {apps}");
    for (code, note) in &notes.0 {
        println!("note {code} {} first {:?}", note.count, note.examples.first());
    }
    for input in source.inputs() {
        println!("{input:?}");
    }
    if timed {
        let per = decoding.as_nanos() as u64 / c.frames.max(1);
        println!("reading {reading:?}, decoding {decoding:?} ({per} ns a frame)");
    }
    Ok(())
}
