//! Header fields (RFC 5322 section 2.2), their parameters (RFC 2045, RFC 2231) and encoded words
//! (RFC 2047).

use super::super::escaped::percent;
use super::body;
use std::borrow::Cow;

/// Header fields read of one part.
const FIELDS: usize = 256;

/// One header field, unfolded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::layers::codec) struct Field {
    /// In lower case.
    pub(in crate::layers::codec) name: String,
    /// Without the folding, encoded words as they stand.
    pub(in crate::layers::codec) value: String,
}

/// The fields of a part and where its body begins. Without any field all is body.
pub(in crate::layers::codec) fn split(bytes: &[u8]) -> (Vec<Field>, usize) {
    let mut fields: Vec<Field> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let n = memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
        let line = rest[..n].trim_ascii_end();
        if line.is_empty() {
            return (fields, at + n);
        }
        if matches!(line[0], b' ' | b'\t') {
            if let Some(last) = fields.last_mut() {
                last.value.push(' ');
                last.value.push_str(&String::from_utf8_lossy(line.trim_ascii()));
            }
            at += n;
            continue;
        }
        match field(line) {
            Some(_) if fields.len() >= FIELDS => {}
            Some(f) => fields.push(f),
            // An mbox line in front is no field; anything else begins the body.
            None if fields.is_empty() && line.starts_with(b"From ") => {}
            None => return (fields, at),
        }
        at += n;
    }
    (fields, at)
}

fn field(line: &[u8]) -> Option<Field> {
    let colon = memchr::memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    let legal = !name.is_empty() && name.len() <= 76 && name.iter().all(|b| matches!(b, 0x21..=0x7e));
    legal.then(|| Field {
        name: String::from_utf8_lossy(name).to_ascii_lowercase(),
        value: String::from_utf8_lossy(line[colon + 1..].trim_ascii()).into_owned(),
    })
}

/// The first field of that name.
pub(in crate::layers::codec) fn value<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
    fields.iter().find(|f| f.name == name).map(|f| f.value.as_str())
}

/// The value before the first semicolon, in lower case.
pub(in crate::layers::codec) fn bare(value: &str) -> String {
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// A parameter, also one written as `name*` or in numbered pieces (RFC 2231).
pub(in crate::layers::codec) fn parameter(value: &str, name: &str) -> Option<String> {
    let mut pieces = String::new();
    let mut coded = false;
    let mut found = false;
    for (key, text) in parameters(value) {
        let Some(rest) = key.strip_prefix(name) else { continue };
        match rest {
            "" => return Some(text),
            _ if rest.starts_with('*') => {
                coded |= rest.ends_with('*');
                pieces.push_str(&text);
                found = true;
            }
            _ => {}
        }
    }
    if !found {
        return None;
    }
    let text = match coded {
        true => pieces.splitn(3, '\'').nth(2).unwrap_or(&pieces).to_owned(),
        false => pieces,
    };
    Some(if coded { String::from_utf8_lossy(&percent(text.as_bytes(), b'+')).into_owned() } else { text })
}

/// All parameters in order, names in lower case, quoting undone.
fn parameters(value: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut rest = value.split_once(';').map_or("", |(_, r)| r);
    while let Some((name, tail)) = rest.split_once('=') {
        let tail = tail.trim_start();
        let mut text = String::new();
        let mut end = tail.len();
        if let Some(quoted) = tail.strip_prefix('"') {
            let mut escaped = false;
            for (i, c) in quoted.char_indices() {
                match c {
                    '\\' if !escaped => escaped = true,
                    '"' if !escaped => {
                        end = i + 2;
                        break;
                    }
                    c => {
                        text.push(c);
                        escaped = false;
                    }
                }
            }
        } else {
            end = tail.find(';').unwrap_or(tail.len());
            text = tail[..end].trim().to_owned();
        }
        let name = name.trim_matches(|c: char| c == ';' || c.is_whitespace());
        out.push((name.to_ascii_lowercase(), text));
        rest = tail.get(end..).unwrap_or("");
        if out.len() >= 64 {
            break;
        }
    }
    out
}

/// Encoded words undone; white space between two of them is dropped.
pub(in crate::layers::codec) fn decoded(value: &str) -> Cow<'_, str> {
    if !value.contains("=?") {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    let mut after_word = false;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        match word(from) {
            Some((text, len)) => {
                if !(after_word && before.trim().is_empty()) {
                    out.push_str(before);
                }
                out.push_str(&text);
                rest = &from[len..];
                after_word = true;
            }
            None => {
                out.push_str(before);
                out.push_str("=?");
                rest = &from[2..];
                after_word = false;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// `=?charset?B or Q?text?=` at the start: what it says and its length.
fn word(from: &str) -> Option<(String, usize)> {
    let mut parts = from.get(2..)?.splitn(3, '?');
    let (charset, coding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let (text, _) = rest.split_once("?=")?;
    let bytes = match coding {
        "B" | "b" => body::base64(text.as_bytes()),
        "Q" | "q" => body::quoted_printable(text.replace('_', " ").as_bytes()),
        _ => return None,
    };
    let charset = charset.split('*').next().unwrap_or("");
    let len = 2 + charset_len(from)? + coding.len() + 1 + text.len() + 2;
    Some((body::text(&bytes, charset).0, len))
}

/// Length of the charset with its question mark.
fn charset_len(from: &str) -> Option<usize> {
    from.get(2..)?.find('?').map(|n| n + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_undone() {
        assert_eq!(decoded("=?utf-8?Q?gr=C3=BC=C3=9Fe?= an =?ISO-8859-1?B?5A==?="), "grüße an ä");
        assert_eq!(decoded("=?utf-8?q?a_b?= =?utf-8?q?c?="), "a bc");
        assert_eq!(decoded("2 =? 3 =?x?Z?y?="), "2 =? 3 =?x?Z?y?=");
        assert_eq!(decoded("=?utf-8*de?B?YWI=?="), "ab");
    }

    #[test]
    fn fields_are_unfolded_and_the_body_found() {
        let (fields, at) = split(b"Subject: one\r\n two\r\nX-A:b\r\n\r\nbody");
        assert_eq!(value(&fields, "subject"), Some("one two"));
        assert_eq!(value(&fields, "x-a"), Some("b"));
        assert_eq!(at, 29);
        assert_eq!(split(b"no header here\r\n").1, 0);
    }

    #[test]
    fn parameters_in_all_their_spellings() {
        let v =
            "multipart/mixed; boundary=\"a;\\\"b\"; name*0=\"on\"; name*1=e; filename*=utf-8''gr%C3%BC.txt";
        assert_eq!(parameter(v, "boundary").as_deref(), Some("a;\"b"));
        assert_eq!(parameter(v, "name").as_deref(), Some("one"));
        assert_eq!(parameter(v, "filename").as_deref(), Some("grü.txt"));
        assert_eq!(parameter(v, "charset"), None);
    }
}
