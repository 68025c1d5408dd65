//! Bodies: transfer encodings (RFC 2045 section 6), character sets, parts between boundaries (RFC 2046
//! section 5.1).

use super::super::escaped::{character, hex_pair};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Parts read of one multipart.
const PARTS: usize = 200;

/// What a transfer encoding stands for. An unknown one is taken for none.
pub(in crate::layers::codec) fn transfer_decoded(bytes: &[u8], encoding: &str) -> Vec<u8> {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => base64(bytes),
        "quoted-printable" => quoted_printable(bytes),
        _ => bytes.to_vec(),
    }
}

/// Base64 with anything foreign passed over, as RFC 2045 demands; each padded run on its own.
pub(super) fn base64(bytes: &[u8]) -> Vec<u8> {
    let legal = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    for run in bytes.split(|b| *b == b'=') {
        let mut run: Vec<u8> = run.iter().copied().filter(legal).collect();
        if run.len() % 4 == 1 {
            run.pop();
        }
        out.extend(LENIENT.decode(&run).unwrap_or_default());
    }
    out
}

/// Quoted-printable; an equals sign that is followed by no digits stands for itself.
pub(super) fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((b, tail)) = rest.split_first() {
        rest = tail;
        if *b != b'=' {
            out.push(*b);
            continue;
        }
        let blank = tail.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        match tail.get(blank..).unwrap_or_default() {
            [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] => rest = after,
            _ => match hex_pair(tail) {
                Some((byte, after)) => {
                    out.push(byte);
                    rest = after;
                }
                None => out.push(b'='),
            },
        }
    }
    out
}

/// The text in a character set, and whether the set was known.
pub(in crate::layers::codec) fn text(bytes: &[u8], charset: &str) -> (String, bool) {
    let name = charset.trim().to_ascii_lowercase();
    if matches!(name.as_str(), "utf-16" | "utf-16le" | "utf-16be") {
        return (utf16(bytes, name.ends_with("be")), true);
    }
    let latin = matches!(
        name.as_str(),
        "iso-8859-1" | "iso8859-1" | "latin1" | "iso-8859-15" | "windows-1252" | "cp1252"
    );
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), true),
        // Mislabelled UTF-8 with a fault is still better read as UTF-8.
        Err(e) if !latin && e.valid_up_to() * 2 > bytes.len() => {
            (String::from_utf8_lossy(bytes).into_owned(), name == "utf-8")
        }
        Err(_) => (bytes.iter().map(|b| windows1252(*b)).collect(), latin),
    }
}

fn utf16(bytes: &[u8], big: bool) -> String {
    let (body, big) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, false),
        [0xfe, 0xff, rest @ ..] => (rest, true),
        _ => (bytes, big),
    };
    let unit =
        |p: &[u8]| if big { u16::from_be_bytes([p[0], p[1]]) } else { u16::from_le_bytes([p[0], p[1]]) };
    char::decode_utf16(body.chunks_exact(2).map(unit))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Windows-1252, of which ISO 8859-1 is the printable part.
fn windows1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        b => b as char,
    }
}

/// The parts between `--boundary` lines, and the text around them (preamble and epilogue).
pub(in crate::layers::codec) fn parts<'a>(bytes: &'a [u8], boundary: &str) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
    let (mut found, mut around) = (Vec::new(), Vec::new());
    let mut start = 0;
    let mut inside = false;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let n = memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
        let line = rest[..n].trim_ascii_end();
        let tail = line.strip_prefix(b"--").and_then(|l| l.strip_prefix(boundary.as_bytes()));
        let last = tail == Some(b"--");
        if last || tail == Some(b"") {
            let piece = without_line_end(&bytes[start..at]);
            if inside {
                found.push(piece)
            } else {
                around.push(piece)
            }
            inside = !last && found.len() < PARTS;
            start = at + n;
        }
        at += n;
    }
    let piece = bytes.get(start..).unwrap_or_default();
    if inside {
        found.push(piece)
    } else {
        around.push(piece)
    }
    around.retain(|p| !p.trim_ascii().is_empty());
    (found, around)
}

/// The line end before a boundary belongs to the boundary.
fn without_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// What an HTML page says, without tags and with its common entities undone.
pub(in crate::layers::codec) fn html_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let from = &rest[at..];
        let lower: String = from.chars().take(8).collect::<String>().to_ascii_lowercase();
        let close = match () {
            () if lower.starts_with("<style") => from.find("</").map_or(from.len(), |n| n + 2),
            () if lower.starts_with("<script") => from.find("</").map_or(from.len(), |n| n + 2),
            () if lower.starts_with("<!--") => from.find("-->").unwrap_or(from.len()),
            () => 0,
        };
        let end = from.get(close..).and_then(|f| f.find('>')).map_or(from.len(), |n| close + n + 1);
        if ["<p", "<br", "<div", "<li", "<tr", "</p", "</td"].iter().any(|t| lower.starts_with(t)) {
            out.push('\n');
        }
        rest = &from[end..];
    }
    out.push_str(rest);
    entities(&out).trim().to_owned()
}

fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let from = &rest[at + 1..];
        let name = from.split(';').next().filter(|n| n.len() < 10 && n.len() < from.len());
        match name.and_then(character) {
            Some(c) => {
                out.push(c);
                rest = &from[name.map_or(0, str::len) + 1..];
            }
            None => {
                out.push('&');
                rest = from;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_printable_with_soft_breaks() {
        assert_eq!(
            quoted_printable(b"see you =\r\nat the =  \nbridge=3D=C3=BC=\r\n"),
            "see you at the bridge=ü".as_bytes()
        );
        assert_eq!(quoted_printable(b"1=2 =zz ="), b"1=2 =zz =");
    }

    #[test]
    fn base64_passes_over_what_is_foreign() {
        assert_eq!(base64(b"c2Vl\r\nIHlv*dQ==\r\n"), b"see you");
        assert_eq!(base64(b"YQ==YQ=="), b"aa");
        assert_eq!(base64(b"Y"), b"");
    }

    #[test]
    fn parts_and_what_is_around_them() {
        let body = b"preamble\r\n--b\r\n\r\none\r\n--bc\r\n--b \r\n\r\ntwo\r\n--b--\r\nepilogue";
        let (found, around) = parts(body, "b");
        assert_eq!(found, [&b"\r\none\r\n--bc"[..], b"\r\ntwo"]);
        assert_eq!(around, [&b"preamble"[..], b"epilogue"]);
        assert_eq!(parts(b"--b\r\n\r\ncut", "b").0, [b"\r\ncut"]);
    }

    #[test]
    fn character_sets() {
        assert_eq!(text(b"\x80 gr\xfc", "windows-1252"), ("€ grü".into(), true));
        assert_eq!(text(b"h\0i\0", "UTF-16LE"), ("hi".into(), true));
        assert_eq!(text("grü".as_bytes(), "us-ascii").0, "grü");
    }

    #[test]
    fn html_says_its_text() {
        assert_eq!(
            html_text("<style>p{}</style><p>see&nbsp;you &amp; me <b>soon</b></p>"),
            "see you & me soon"
        );
        assert_eq!(html_text("1 < 2"), "1");
    }
}
