//! How far a long run is, on standard error and only on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Whether the user wants to see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// On a terminal.
    Auto,
    /// Never.
    Never,
}

/// A bar over stored bytes; hidden where nobody looks.
pub fn bar(total: Option<u64>, show: Show) -> ProgressBar {
    if show == Show::Never || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = match total {
        Some(n) => ProgressBar::new(n),
        None => ProgressBar::new_spinner(),
    };
    let form = match total {
        Some(_) => "reading {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
        None => "reading {spinner} {bytes} {bytes_per_sec}",
    };
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
    bar.with_style(ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// One line that says how a capture goes; hidden where nobody looks.
pub fn line(show: Show) -> ProgressBar {
    if show == Show::Never || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let line = ProgressBar::new_spinner();
    line.set_draw_target(ProgressDrawTarget::stderr_with_hz(2));
    line.with_style(
        ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    )
}
