//! Lines of IRC (RFC 2812 section 2.3.1, IRCv3 message tags), and the text in them.

use std::borrow::Cow;

/// Tags may take 8191 bytes and the rest 512 (IRCv3 message tags); some servers allow more.
pub const LONGEST: usize = 32 << 10;
/// Parameters and tags of a line that are looked at.
pub const PARAMETERS: usize = 32;

/// One line taken apart.
pub struct Line<'a> {
    pub tags: &'a str,
    pub prefix: &'a str,
    pub command: &'a str,
    pub parameters: Vec<&'a str>,
}

/// Reads a line without its end: `@tags :prefix COMMAND a b :the rest`.
pub fn line(text: &str) -> Option<Line<'_>> {
    let cut = |t: &str| t.find(' ').unwrap_or(t.len());
    let mut rest = text;
    let (mut tags, mut prefix) = ("", "");
    if let Some(t) = rest.strip_prefix('@') {
        let (head, tail) = t.split_at(cut(t));
        (tags, rest) = (head, tail.trim_start_matches(' '));
    }
    if let Some(t) = rest.strip_prefix(':') {
        let (head, tail) = t.split_at(cut(t));
        (prefix, rest) = (head, tail.trim_start_matches(' '));
    }
    let (command, mut rest) = rest.split_at(cut(rest));
    let numeric = command.len() == 3 && command.bytes().all(|b| b.is_ascii_digit());
    let named = (3..=16).contains(&command.len()) && command.bytes().all(|b| b.is_ascii_alphabetic());
    if !numeric && !named {
        return None;
    }
    let mut parameters = Vec::new();
    while !rest.is_empty() {
        rest = rest.trim_start_matches(' ');
        if let Some(last) = rest.strip_prefix(':') {
            parameters.push(last);
            break;
        }
        if parameters.len() + 1 == PARAMETERS {
            parameters.push(rest);
            break;
        }
        let (head, tail) = rest.split_at(cut(rest));
        if !head.is_empty() {
            parameters.push(head);
        }
        rest = tail;
    }
    Some(Line { tags, prefix, command, parameters })
}

/// UTF-8, or else Latin-1, which old clients send.
pub fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect()),
    }
}

/// Text without the codes for colour and style.
pub fn clean(text: &str) -> Cow<'_, str> {
    let styled =
        |c: char| matches!(c, '\u{2}'..='\u{4}' | '\u{f}' | '\u{11}' | '\u{16}' | '\u{1d}'..='\u{1f}');
    if !text.contains(styled) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(styled) {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        let colour = tail.starts_with('\u{3}');
        rest = tail.get(1..).unwrap_or("");
        if colour {
            rest = behind_colour(rest);
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Passes over `12,04`.
fn behind_colour(text: &str) -> &str {
    let digits = |t: &str| t.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let n = digits(text);
    let rest = text.get(n..).unwrap_or("");
    match rest.strip_prefix(',').map(|t| (t, digits(t))) {
        Some((t, m)) if n > 0 && m > 0 => t.get(m..).unwrap_or(""),
        _ => rest,
    }
}
