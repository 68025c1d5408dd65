//! Any bytes as a capture file: pcap, pcapng, gzip or zstd around them, read to the end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plainsight::capture::{self, Batch};
use plainsight::model::Limits;
use plainsight::wire::Decoder;
use std::path::PathBuf;

fuzz_target!(|data: &[u8]| {
    let folder = if std::path::Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" };
    let path = PathBuf::from(format!("{folder}/plainsight-fuzz-{}", std::process::id()));
    std::fs::write(&path, data).expect("a file");
    let limits = Limits::default();
    let mut decoder = Decoder::new(&limits);
    if let Ok(mut source) = capture::open(&[path], &limits) {
        let mut batch = Batch::default();
        while source.read(&mut batch).is_ok_and(|more| more) {
            for frame in &batch.frames {
                decoder.decode(frame.link, batch.bytes(frame), frame.original, frame.at);
            }
        }
        assert_eq!(source.inputs()[0].bytes, data.len() as u64);
    }
});
