//! What IMAP's lines are made of: words, strings, literals, the data items of FETCH (RFC 9051 section 9).

use crate::model::Side;

/// The word before the first space, and what follows it.
pub(super) fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memchr(b' ', line).unwrap_or(line.len());
    (&line[..at], line.get(at + 1..).unwrap_or_default())
}

/// `{310}`, `{310+}` or `~{310}` at the end: where the text before it ends, the length, and whether the
/// sender waits to be allowed.
pub(super) fn announced(piece: &[u8]) -> Option<(usize, u64, bool)> {
    let inner = piece.strip_suffix(b"}")?;
    let at = memchr::memrchr(b'{', inner)?;
    let digits = &inner[at + 1..];
    let (digits, asks) = match digits.strip_suffix(b"+").or_else(|| digits.strip_suffix(b"-")) {
        Some(d) => (d, false),
        None => (digits, true),
    };
    if digits.is_empty() || digits.len() > 10 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let at = if at > 0 && inner[at - 1] == b'~' { at - 1 } else { at };
    Some((at, std::str::from_utf8(digits).ok()?.parse().ok()?, asks))
}

/// What a literal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// A mail, or its header.
    Mail,
    /// One part of a mail, without its header.
    Part,
    /// A string like any other.
    String,
}

/// What the literal that follows `line` is.
pub(super) fn holds(side: Side, line: &[u8]) -> Holds {
    let upper = line.to_ascii_uppercase();
    let text = String::from_utf8_lossy(&upper);
    if side == Side::Client {
        let mut words = text.split_whitespace();
        let append = words.nth(1) == Some("APPEND");
        // The mailbox may be a literal too; the mail comes behind it.
        return if append && words.next().is_some() { Holds::Mail } else { Holds::String };
    }
    if !text.starts_with("* ") || !text.contains(" FETCH ") {
        return Holds::String;
    }
    let text = text.trim_end();
    let from = text.rfind(" BODY[").or_else(|| text.rfind("(BODY[")).or_else(|| text.rfind("BINARY["));
    let name = match from {
        Some(at) if text.trim_end().ends_with([']', '>']) => {
            text[at..].trim_start_matches([' ', '(']).to_owned()
        }
        _ => text.rsplit([' ', '(']).next().unwrap_or("").to_owned(),
    };
    match () {
        () if whole_mail(&name) => Holds::Mail,
        () if name.contains('[') || name == "RFC822.TEXT" => Holds::Part,
        () => Holds::String,
    }
}

/// Which mail and section the literal behind `line` is a piece of, and where in it: `* 3 FETCH (BODY[]<4096>`.
pub(super) fn piece_of(line: &[u8]) -> Option<(String, u64)> {
    let text = String::from_utf8_lossy(line).to_ascii_uppercase();
    let (before, at) = text.trim_end().strip_suffix('>')?.rsplit_once('<')?;
    let number = text.strip_prefix("* ")?.split(' ').next()?;
    let section = before.get(before.rfind("BODY[").or_else(|| before.rfind("BINARY["))?..)?;
    Some((format!("{number} {section}"), at.parse().ok()?))
}

/// Whether a data item of FETCH begins with a header.
pub(super) fn whole_mail(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let section = name.split_once('[').map(|(_, s)| s.split(']').next().unwrap_or(""));
    let offset = name.rsplit_once('<').map_or("0", |(_, o)| o.trim_end_matches('>'));
    let first = offset.split('.').next() == Some("0");
    match section {
        Some(s) => first && (s.is_empty() || s.contains("HEADER") || s.ends_with("MIME")),
        None => matches!(name.as_str(), "RFC822" | "RFC822.HEADER"),
    }
}

/// Whether an untagged response tells of a mail.
pub(super) fn is_fetch(rest: &[u8]) -> bool {
    let (number, rest) = word(rest);
    number.iter().all(u8::is_ascii_digit) && word(rest).0.eq_ignore_ascii_case(b"FETCH")
}

/// Quoted strings and atoms of a command's arguments.
pub(super) fn strings(rest: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = rest.trim_ascii();
    while !rest.is_empty() && out.len() < 16 {
        let (text, after) = match rest.strip_prefix(b"\"") {
            Some(inner) => quoted(inner),
            None => {
                let (w, after) = word(rest);
                (w.to_vec(), after)
            }
        };
        out.push(text);
        rest = after.trim_ascii_start();
    }
    out
}

/// A quoted string after its opening quote, and what follows the closing one.
fn quoted(inner: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut text = Vec::new();
    let mut at = 0;
    while let Some(b) = inner.get(at) {
        match b {
            b'"' => return (text, &inner[at + 1..]),
            b'\\' if at + 1 < inner.len() => {
                text.push(inner[at + 1]);
                at += 2;
                continue;
            }
            b => text.push(*b),
        }
        at += 1;
    }
    (text, &[])
}

/// Body data items whose value is a quoted string: name and value.
pub(super) fn quoted_bodies(rest: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    let mut rest = rest;
    while let Some(at) = memchr::memmem::find(rest, b" \"") {
        let before = String::from_utf8_lossy(&rest[..at]).into_owned();
        let name = match before.rfind("BODY[").or_else(|| before.rfind("BINARY[")) {
            Some(i) if before.ends_with([']', '>']) => before[i..].to_owned(),
            _ => before.rsplit([' ', '(']).next().unwrap_or("").to_owned(),
        };
        let (text, after) = quoted(&rest[at + 2..]);
        let body = name.contains('[') || name.to_ascii_uppercase().starts_with("RFC822");
        if body && !text.is_empty() && out.len() < 64 {
            out.push((name, text));
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_announced_at_the_end_of_a_line() {
        assert_eq!(announced(b"* 1 FETCH (RFC822 {832}"), Some((18, 832, true)));
        assert_eq!(announced(b"a LOGIN {3+}"), Some((8, 3, false)));
        assert_eq!(announced(b"x BINARY[1] ~{7}"), Some((12, 7, true)));
        assert_eq!(announced(b"{}"), None);
        assert_eq!(announced(b"{99999999999}"), None);
    }

    #[test]
    fn literals_are_known_by_what_stands_before_them() {
        let server = |l: &[u8]| holds(Side::Server, l);
        assert_eq!(server(b"* 1 FETCH (FLAGS (\\Seen) RFC822 "), Holds::Mail);
        assert_eq!(server(b"* 1 FETCH (UID 3 BODY[] "), Holds::Mail);
        assert_eq!(server(b"* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT FROM)] "), Holds::Mail);
        assert_eq!(server(b"* 1 FETCH (BODY[]<0> "), Holds::Mail);
        assert_eq!(server(b"* 1 FETCH (BODY[]<512> "), Holds::Part);
        assert_eq!(server(b"* 1 FETCH (BODY[1] "), Holds::Part);
        assert_eq!(server(b"* 1 FETCH (ENVELOPE (NIL "), Holds::String);
        assert_eq!(server(b"* LIST () \".\" "), Holds::String);
        assert_eq!(holds(Side::Client, b"a1 APPEND INBOX (\\Seen) "), Holds::Mail);
        assert_eq!(holds(Side::Client, b"a1 APPEND "), Holds::String);
        assert_eq!(holds(Side::Client, b"a1 LOGIN "), Holds::String);
    }

    #[test]
    fn arguments_are_split() {
        assert_eq!(
            strings(b"bob@example.host \"pw \\\"4711\\\"\""),
            [b"bob@example.host".to_vec(), b"pw \"4711\"".to_vec()]
        );
    }
}
