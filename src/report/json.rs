//! JSON, the form in which a report is saved and compared.

use super::dto::Report;

/// The report as indented JSON with a newline at its end.
pub fn render(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}
