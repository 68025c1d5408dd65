//! Where results go: standard output or a file.

use super::args::Outputs;
use super::fault::Fault;
use plainsight::report::dto::Report;
use plainsight::report::lines::Colour;
use plainsight::report::terminal::Detail;
use plainsight::report::{html, json, markdown, terminal};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

/// Writes text to a file or, for `-`, to standard output.
pub fn put(path: &Path, text: &str) -> Result<(), Fault> {
    if path.as_os_str() == "-" {
        return say(text);
    }
    std::fs::write(path, text).map_err(|e| Fault::write(&path.display().to_string(), &e))
}

fn put_json(path: &Path, report: &Report) -> Result<(), Fault> {
    const BUFFER: usize = 1 << 18;
    if path.as_os_str() == "-" {
        let out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
        return json::write(report, out).map_err(|e| Fault::write("standard output", &e));
    }
    let file = std::fs::File::create(path).map(|f| BufWriter::with_capacity(BUFFER, f));
    file.and_then(|f| json::write(report, f)).map_err(|e| Fault::write(&path.display().to_string(), &e))
}

/// Writes text to standard output.
pub fn say(text: &str) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| Fault::write("standard output", &e))
}

/// Whether standard output wants colours: a terminal, and `NO_COLOR` is not set.
fn colour() -> Colour {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    match io::stdout().is_terminal() && !refused {
        true => Colour::On,
        false => Colour::Off,
    }
}

/// Columns of the terminal, or of `COLUMNS`, or 100.
fn width() -> usize {
    let named = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal_size::terminal_size_of(io::stdout())
        .map(|(w, _)| usize::from(w.0))
        .or_else(named)
        .unwrap_or(100)
        .min(400)
}

/// Writes a report to every output asked for; on standard output unless another form goes there.
pub fn report(report: &Report, outputs: &Outputs) -> Result<(), Fault> {
    let mut taken = false;
    let put_json: fn(&Path, &Report) -> Result<(), Fault> = put_json;
    let writers = [
        put_json,
        |path, report| put(path, &html::render(report)),
        |path, report| put(path, &markdown::render(report)),
    ];
    for ((_, path), write) in outputs.files().into_iter().zip(writers) {
        let Some(path) = path else { continue };
        write(path, report)?;
        taken |= path.as_os_str() == "-";
    }
    match taken {
        true => Ok(()),
        false => {
            let detail = if outputs.verbose { Detail::Full } else { Detail::Brief };
            say(&terminal::render(report, width(), colour(), detail))
        }
    }
}
