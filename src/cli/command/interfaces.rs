//! `plainsight interfaces`: what can be captured from.

use crate::cli::fault::Fault;
use crate::cli::output;
use plainsight::capture::{self, Interface};
use std::fmt::Write;

/// Prints the interfaces.
pub fn run() -> Result<u8, Fault> {
    let all = capture::interfaces().map_err(|e| Fault::Input(e.to_string()))?;
    if all.is_empty() {
        return Err(Fault::Input(
            "no interface can be captured from; run as root or with the capability CAP_NET_RAW".to_owned(),
        ));
    }
    let mut text = format!("{:<18}{:<28}ADDRESSES\n", "NAME", "STATE");
    for i in &all {
        row(&mut text, i);
    }
    let text: String = text.lines().map(|l| format!("{}\n", l.trim_end())).collect();
    output::say(&text)?;
    match capture::permitted() {
        true => Ok(0),
        false => {
            eprintln!(
                "plainsight: this user may not capture; run as root or with the capability CAP_NET_RAW"
            );
            Ok(0)
        }
    }
}

/// One interface, its addresses below one another, its description below those.
fn row(text: &mut String, i: &Interface) {
    let state = i.state.join(" ");
    match i.name.chars().count() < 18 && state.chars().count() < 28 {
        true => _ = write!(text, "{:<18}{state:<28}", i.name),
        false => _ = write!(text, "{} {state}\n{:46}", i.name, ""),
    }
    let mut addresses = i.addresses.iter();
    let _ = writeln!(text, "{}", addresses.next().map(ToString::to_string).unwrap_or_default());
    for a in addresses {
        let _ = writeln!(text, "{:46}{a}", "");
    }
    if let Some(d) = &i.description {
        let _ = writeln!(text, "  {d}");
    }
}
