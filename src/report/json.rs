//! JSON, the form in which a report is saved and compared.

use super::dto::Report;
use std::io::{self, Write};

/// The report as indented JSON with a newline at its end.
pub fn render(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}

/// Writes the same, without holding it as a whole: the report of a large recording has tens of megabytes.
///
/// # Errors
/// What `out` says.
pub fn write(report: &Report, mut out: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, report)?;
    out.write_all(b"\n")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_rendered_are_the_same() {
        let report = Report::default();
        let mut written = Vec::new();
        write(&report, &mut written).expect("a vector takes everything");
        assert_eq!(String::from_utf8(written), Ok(render(&report)));
    }
}
