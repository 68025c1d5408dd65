//! Where in a recording something stands, as a person would cite it.

use super::dto::{Frame, InputFile, Origin, Report};
use super::prose::{count, plural};
use crate::capture::holds_entries;

/// What an input is counted in: packets of a capture, entries of a recording that was already decrypted.
pub fn counted(input: &InputFile) -> String {
    count(input.packets, if holds_entries(&input.format) { "entry" } else { "packet" })
}

/// `frame 7`, or `entry 7` of a recording that holds entries.
pub fn spot(report: &Report, at: &Frame) -> String {
    let input = report.inputs.get(at.input as usize);
    format!("{} {}", numbered(input), at.frame)
}

/// What the numbers of an input's observations count.
fn numbered(input: Option<&InputFile>) -> &'static str {
    if input.is_some_and(|i| holds_entries(&i.format)) { "entry" } else { "frame" }
}

/// `2 frames of capture.pcapng`, as a person would cite it.
pub fn of(report: &Report, o: &Origin) -> String {
    let mut parts = Vec::new();
    if !o.frames.is_empty() {
        let shown: Vec<String> = o.frames.iter().take(6).map(u64::to_string).collect();
        let more = if o.frames.len() > 6 { ", …" } else { "" };
        let input = report.inputs.get(o.input as usize);
        let noun = numbered(input);
        let noun = if o.frames.len() == 1 { noun.to_owned() } else { plural(noun) };
        let file = match input {
            Some(input) if report.inputs.len() > 1 => format!(" of {}", input.path),
            _ => String::new(),
        };
        parts.push(format!("{noun} {}{more}{file}", shown.join(", ")));
    }
    let path = match (o.layers.is_empty(), o.field.is_empty()) {
        (false, false) => format!("{} {}", o.layers, o.field),
        (false, true) => o.layers.clone(),
        (true, _) => o.field.clone(),
    };
    if !path.is_empty() {
        parts.push(path);
    }
    if o.length > 0 {
        parts.push(count(o.length, "byte"));
    }
    if o.length > 0 && !o.digest.is_empty() {
        parts.push(format!("sha256 {}…", o.digest));
    }
    parts.join(" · ")
}
