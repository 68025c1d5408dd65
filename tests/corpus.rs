//! Every file of a folder of captures opens or is refused with a reason, decodes without a panic, and is
//! audited to a report. The folders (separated by `:`) are named by the environment variable PLAINSIGHT_CORPUS;
//! without it the test says so and checks nothing.

use plainsight::audit::{Plan, run};
use plainsight::capture::{self, Batch};
use plainsight::model::Limits;
use plainsight::wire::Decoder;
use std::path::{Path, PathBuf};

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

fn read(path: &Path) -> Result<(u64, String), String> {
    let limits = Limits::default();
    let mut source = capture::open(&[path.to_owned()], &limits).map_err(|e| e.to_string())?;
    let mut decoder = Decoder::new(&limits);
    let mut batch = Batch::default();
    while source.read(&mut batch).map_err(|e| e.to_string())? {
        for frame in &batch.frames {
            let bytes = batch.bytes(frame);
            assert_eq!(bytes.len(), frame.len, "a frame outside its batch in {}", path.display());
            if let Some(packet) = decoder.decode(frame.link, bytes, frame.original, frame.at) {
                let payload = packet.payload.bytes(bytes);
                assert!(payload.len() <= 65_535 + bytes.len(), "payload grew in {}", path.display());
            }
        }
    }
    let input = source.inputs().remove(0);
    assert_eq!(input.bytes, std::fs::metadata(path).map_or(0, |m| m.len()), "{}", path.display());
    Ok((input.packets, input.sha256))
}

/// Audits a file that opens. No more can be understood than was seen.
fn audit(path: &Path) {
    let plan = Plan { captures: vec![path.to_owned()], threads: 1, ..Plan::default() };
    let audit = run(&plan, &|_| {}).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let coverage = audit.report().summary.coverage;
    assert!(coverage.parsed <= coverage.seen, "{}: {coverage:?}", path.display());
}

#[test]
fn every_file_of_the_corpus_is_read_or_refused() {
    let Ok(folders) = std::env::var("PLAINSIGHT_CORPUS") else {
        eprintln!("PLAINSIGHT_CORPUS is not set: no corpus was checked");
        return;
    };
    let mut paths = Vec::new();
    for folder in folders.split(':') {
        files(Path::new(folder), &mut paths);
    }
    assert!(!paths.is_empty(), "PLAINSIGHT_CORPUS names no files");
    paths.sort();
    let (mut opened, mut packets) = (0u64, 0u64);
    for path in &paths {
        match read(path) {
            Ok((n, sha256)) => {
                assert_eq!(sha256.len(), 64);
                audit(path);
                opened += 1;
                packets += n;
            }
            Err(reason) => {
                assert!(reason.starts_with(&*path.to_string_lossy()), "an error without its file: {reason}");
                eprintln!("refused: {reason}");
            }
        }
    }
    eprintln!("{} files, {opened} opened, {packets} frames", paths.len());
}
