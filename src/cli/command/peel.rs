//! `plainsight peel`: print the tree of layers.

use super::audit::stopped;
use crate::cli::args::PeelArgs;
use crate::cli::fault::Fault;
use crate::cli::meant;
use plainsight::audit::Listing;
use std::io::{BufWriter, Write};

/// Prints the listing to standard output.
pub fn run(p: &PeelArgs) -> Result<u8, Fault> {
    let mut work = meant::sources(&p.sources)?;
    work.plan.reveal = p.reveal;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let listing = if p.json { Listing::Json } else { Listing::Tree };
    plainsight::audit::peel(&work.plan, listing, &mut out).map_err(stopped)?;
    out.flush().map_err(|e| Fault::write("standard output", &e))?;
    Ok(0)
}
