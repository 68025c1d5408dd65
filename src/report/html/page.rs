//! The one way to write HTML here: markup is literal text of this program, and everything else goes
//! through [`Page::text`]. Nothing that came from traffic can become markup, whatever it holds.

use crate::report::lines::clean;
use std::fmt::Write;

/// A page being written.
#[derive(Debug, Default)]
pub struct Page {
    out: String,
}

impl Page {
    /// Markup, which only this program's source can supply.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.out.push_str(markup);
        self
    }

    /// Text of any origin: what is not printable is replaced, what HTML gives a meaning is escaped.
    /// Fit for content and for quoted attributes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        escape(&clean(text), &mut self.out);
        self
    }

    /// Text between two pieces of markup.
    pub fn wrap(&mut self, open: &'static str, text: &str, close: &'static str) -> &mut Self {
        self.raw(open).text(text).raw(close)
    }

    /// A number with one decimal, as coordinates and sizes are written.
    pub fn number(&mut self, n: f64) -> &mut Self {
        let n = if n.is_finite() { n } else { 0.0 };
        let _ = write!(self.out, "{n:.1}");
        self
    }

    /// The text written.
    pub fn done(self) -> String {
        self.out
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup_or_leave_an_attribute() {
        let mut page = Page::default();
        page.raw("<p title=\"").text("\"><script>&'`\u{202e}\u{0}").raw("\">");
        assert_eq!(page.done(), "<p title=\"&quot;&gt;&lt;script&gt;&amp;&#39;&#96;··\">");
    }

    #[test]
    fn numbers_are_always_numbers() {
        let mut page = Page::default();
        page.number(f64::NAN).raw(" ").number(f64::INFINITY).raw(" ").number(1.25);
        assert_eq!(page.done(), "0.0 0.0 1.2");
    }
}
