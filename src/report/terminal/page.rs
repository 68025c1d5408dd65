//! The page being written, and the shapes that its sections are made of.

use super::Detail;
use crate::report::alike;
use crate::report::lines::{Line, Span, Tone, beside, fit, line_width, span, wrap};
use unicode_width::UnicodeWidthStr;

/// Longest line of running text that is pleasant to read.
pub const MEASURE: usize = 96;
/// Columns of the labels in a card.
pub const LABEL: usize = 15;

/// Lines for a terminal of so many columns.
pub struct Page {
    /// Columns.
    pub width: usize,
    /// How much is shown.
    pub detail: Detail,
    /// What was written so far.
    pub lines: Vec<Line>,
}

impl Page {
    /// Opens a section with its heading, and a rule that ends in a remark.
    pub fn section(&mut self, title: &str, aside: &str) {
        blank(&mut self.lines);
        let mut line = vec![span(Tone::Strong, &fit(title, self.width)), span(Tone::Plain, " ")];
        let used = line_width(&line);
        let aside = fit(aside, self.width.saturating_sub(used + 4));
        let tail = if aside.is_empty() { 0 } else { aside.width() + 1 };
        line.push(span(Tone::Dim, &"─".repeat(self.width.saturating_sub(used + tail))));
        if !aside.is_empty() {
            line.push(span(Tone::Dim, &format!(" {aside}")));
        }
        self.lines.push(line);
        blank(&mut self.lines);
    }

    /// What a list that was cut leaves out.
    pub fn further(&mut self, all: usize, shown: usize) {
        if let Some(text) = alike::further(all, shown) {
            blank(&mut self.lines);
            self.lines.extend(wrap(&[span(Tone::Dim, &text)], self.width));
        }
    }

    /// Blocks one under another, or in two columns where there is room.
    pub fn blocks(&mut self, make: impl Fn(usize) -> Vec<Vec<Line>>) {
        const GUTTER: usize = 4;
        if self.width < 160 {
            for (i, block) in make(self.width).into_iter().enumerate() {
                if i > 0 {
                    blank(&mut self.lines);
                }
                self.lines.extend(block);
            }
            return;
        }
        let half = (self.width - GUTTER) / 2;
        let mut blocks = make(half).into_iter();
        let mut first = true;
        while let Some(left) = blocks.next() {
            if !std::mem::take(&mut first) {
                blank(&mut self.lines);
            }
            let right = blocks.next().unwrap_or_default();
            self.lines.extend(beside(left, right, half, GUTTER));
        }
    }
}

/// A label in its own column with wrapped text beside it.
pub fn labelled(label: &str, spans: &[Span], width: usize) -> Vec<Line> {
    let wide = label.width().max(LABEL);
    let text = wrap(spans, width.saturating_sub(wide + 1).min(MEASURE));
    beside(vec![vec![span(Tone::Dim, label)]], text, wide, 1)
}

/// A list under one label, a dot before each item.
pub fn bullets(label: &str, items: &[String], width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let text = wrap(&[span(Tone::Plain, item)], width.saturating_sub(LABEL + 3).min(MEASURE - 2));
        let body = beside(vec![vec![span(Tone::Dim, "·")]], text, 1, 1);
        let label = if i == 0 { label } else { "" };
        lines.extend(beside(vec![vec![span(Tone::Dim, label)]], body, LABEL, 1));
    }
    lines
}

/// A coloured bar down the left side of a block.
pub fn barred(lines: Vec<Line>, tone: Tone) -> Vec<Line> {
    let bar = |mut line: Line| {
        line.insert(0, span(tone, "▌ "));
        line
    };
    lines.into_iter().map(bar).collect()
}

/// Leaves a line free.
pub fn blank(lines: &mut Vec<Line>) {
    lines.push(Vec::new());
}
