//! Lines of styled text that fit a width: what the terminal renderer is made of.
//!
//! Text from traffic may hold anything. Nothing but printable characters passes through here, so a
//! hostile host name can neither move the cursor nor forge a line.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// ANSI colours.
    On,
    /// Plain text.
    Off,
}

/// How a piece of text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// A heading or a name.
    Strong,
    /// Something to read last.
    Dim,
    /// Exposed.
    Bad,
    /// Half exposed.
    Warn,
    /// Sealed.
    Good,
    /// Unknown.
    Open,
    /// A badge: exposed.
    BadgeBad,
    /// A badge: half exposed.
    BadgeWarn,
    /// A badge: sealed.
    BadgeGood,
    /// A badge: unknown.
    BadgeOpen,
}

impl Tone {
    fn ansi(self) -> &'static str {
        match self {
            Tone::Plain => "",
            Tone::Strong => "1",
            Tone::Dim => "2",
            Tone::Bad => "31",
            Tone::Warn => "33",
            Tone::Good => "32",
            Tone::Open => "36",
            Tone::BadgeBad => "1;97;41",
            Tone::BadgeWarn => "1;30;43",
            Tone::BadgeGood => "1;30;42",
            Tone::BadgeOpen => "1;30;46",
        }
    }
}

/// A piece of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// How it is meant.
    pub tone: Tone,
    /// Printable text.
    pub text: String,
}

/// Text of one tone, cleaned of everything that is not printable.
pub fn span(tone: Tone, text: &str) -> Span {
    Span { tone, text: clean(text) }
}

/// One line.
pub type Line = Vec<Span>;

/// Columns a line takes.
pub fn line_width(line: &Line) -> usize {
    line.iter().map(|s| s.text.width()).sum()
}

/// The text with every character that is not printable (controls, line breaks, direction overrides,
/// zero-width) replaced: white space by one blank, the rest by `·`.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\r' | '\u{2028}' | '\u{2029}' => out.push(' '),
            c if invisible(c) => out.push('·'),
            c => out.push(c),
        }
    }
    out
}

/// Whether a character would not show, or would change how others show.
pub fn invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Breaks spans into lines of at most `width` columns, at blanks where possible, else inside words
/// (preferably after `/`, `.`, `,`, `-` or `&`).
pub fn wrap(spans: &[Span], width: usize) -> Vec<Line> {
    let width = width.max(8);
    let mut folder = Folder { width, lines: Vec::new(), line: Vec::new(), used: 0, blank: false };
    for span in spans {
        for (i, word) in span.text.split(' ').enumerate() {
            folder.blank |= i > 0;
            if !word.is_empty() {
                folder.word(span.tone, word);
            }
        }
    }
    folder.lines.push(folder.line);
    folder.lines.retain(|l| !l.is_empty());
    folder.lines
}

struct Folder {
    width: usize,
    lines: Vec<Line>,
    line: Line,
    used: usize,
    blank: bool,
}

impl Folder {
    fn word(&mut self, tone: Tone, word: &str) {
        let blank = usize::from(std::mem::take(&mut self.blank) && self.used > 0);
        if self.used + blank + word.width() <= self.width {
            if blank == 1 {
                self.put(tone, " ");
            }
            return self.put(tone, word);
        }
        if word.width() <= self.width {
            self.turn();
            return self.put(tone, word);
        }
        if blank == 1 && self.used + 12 < self.width {
            self.put(tone, " ");
        } else if self.used > 0 {
            self.turn();
        }
        let mut rest = word;
        while !rest.is_empty() {
            let (head, tail) = split(rest, self.width.saturating_sub(self.used));
            if head.is_empty() && self.used > 0 {
                self.turn();
                continue;
            }
            self.put(tone, head);
            rest = tail;
            if !rest.is_empty() {
                self.turn();
            }
        }
    }

    fn put(&mut self, tone: Tone, text: &str) {
        self.used += text.width();
        match self.line.last_mut() {
            Some(last) if last.tone == tone => last.text.push_str(text),
            _ => self.line.push(Span { tone, text: text.to_owned() }),
        }
    }

    fn turn(&mut self) {
        self.lines.push(std::mem::take(&mut self.line));
        self.used = 0;
    }
}

/// The longest head of `word` that fits `room`, cut after punctuation where that wastes little.
fn split(word: &str, room: usize) -> (&str, &str) {
    let (mut used, mut end, mut good) = (0, 0, 0);
    for (at, c) in word.char_indices() {
        let w = c.width().unwrap_or(0);
        if used + w > room {
            break;
        }
        used += w;
        end = at + c.len_utf8();
        if matches!(c, '/' | '.' | ',' | '-' | '&' | '|') {
            good = end;
        }
    }
    if end < word.len() && good * 2 > end {
        end = good;
    }
    if end == 0 && room >= 8 {
        end = word.chars().next().map_or(0, char::len_utf8);
    }
    word.split_at(end)
}

/// The text cut to `width` columns, with an ellipsis where something is missing.
pub fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut out, mut used) = (String::new(), 0);
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > width {
            break;
        }
        used += w;
        out.push(c);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// A block of lines beside another, the left one padded to `left_width`, with a gutter between.
pub fn beside(left: Vec<Line>, right: Vec<Line>, left_width: usize, gutter: usize) -> Vec<Line> {
    let rows = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    (0..rows)
        .map(|_| {
            let mut line = left.next().unwrap_or_default();
            if let Some(mut r) = right.next().filter(|r| !r.is_empty()) {
                let gap = (left_width + gutter).saturating_sub(line_width(&line));
                line.push(span(Tone::Plain, &" ".repeat(gap)));
                line.append(&mut r);
            }
            line
        })
        .collect()
}

/// The lines as text, without blanks at their ends.
pub fn print(lines: &[Line], colour: Colour) -> String {
    let mut out = String::new();
    for line in lines {
        let last = line.iter().rposition(|s| !s.text.trim_end().is_empty() || badge(s.tone));
        let count = last.map_or(0, |l| l + 1);
        for (i, s) in line.iter().take(count).enumerate() {
            let text = if i + 1 == count && !badge(s.tone) { s.text.trim_end() } else { &s.text };
            match (colour, s.tone.ansi()) {
                (Colour::Off, _) | (_, "") => out.push_str(text),
                (Colour::On, code) => {
                    out.push_str("\x1b[");
                    out.push_str(code);
                    out.push('m');
                    out.push_str(text);
                    out.push_str("\x1b[0m");
                }
            }
        }
        out.push('\n');
    }
    out
}

fn badge(tone: Tone) -> bool {
    matches!(tone, Tone::BadgeBad | Tone::BadgeWarn | Tone::BadgeGood | Tone::BadgeOpen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_text_is_made_harmless() {
        assert_eq!(clean("a\x1b[2Jb\u{202e}c\nd"), "a·[2Jb·c d");
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_no_letter_is_lost(text in "\\PC{0,200}", width in 8usize..60) {
            let spans = [span(Tone::Plain, &text)];
            let lines = wrap(&spans, width);
            for line in &lines {
                prop_assert!(line_width(line) <= width, "{line:?}");
            }
            let letters = |t: &str| t.chars().filter(|c| *c != ' ').collect::<String>();
            let joined: String = lines.iter().flatten().map(|s| s.text.as_str()).collect();
            prop_assert_eq!(letters(&joined), letters(&clean(&text)));
        }
    }
}
