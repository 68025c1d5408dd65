//! `plainsight entropy`: how random the bytes of any file look.

use crate::cli::args::EntropyArgs;
use crate::cli::fault::Fault;
use crate::cli::output;
use plainsight::report::entropy::{Whole, page};
use std::io::Read;
use std::path::Path;

/// Bytes that are measured of one input.
const MOST: u64 = 1 << 30;

/// Measures every input and prints one page for each.
pub fn run(e: &EntropyArgs) -> Result<u8, Fault> {
    if e.files.iter().filter(|p| p.as_os_str() == "-").count() > 1 {
        return Err(Fault::Usage("standard input (`-`) can be read only once".to_owned()));
    }
    for (i, path) in e.files.iter().enumerate() {
        let (bytes, whole) = read(path)?;
        let between = if i > 0 { "\n" } else { "" };
        output::say(&format!("{between}{}", page(&path.display().to_string(), &bytes, whole)))?;
    }
    Ok(0)
}

fn read(path: &Path) -> Result<(Vec<u8>, Whole), Fault> {
    let failed = |e: &std::io::Error| Fault::read("the input", &path.display().to_string(), e);
    let mut bytes = Vec::new();
    let got = match path.as_os_str() == "-" {
        true => std::io::stdin().lock().take(MOST + 1).read_to_end(&mut bytes),
        false => std::fs::File::open(path).and_then(|f| f.take(MOST + 1).read_to_end(&mut bytes)),
    };
    got.map_err(|e| failed(&e))?;
    let whole = if bytes.len() as u64 > MOST { Whole::Cut } else { Whole::Yes };
    bytes.truncate(MOST as usize);
    Ok((bytes, whole))
}
