//! Files in text as Usenet and old mail carry them: uuencode (POSIX) and yEnc (yenc-draft.1.3).

use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "uuencode",
    title: "uuencode and yEnc",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text, Form::Binary],
    answers: |h| match h {
        Hint::Encoding(e) => ["x-uuencode", "uuencode", "x-uue", "x-yencode"].contains(&e.as_str()),
        _ => false,
    },
    shapes: &[],
    probe: Some(|p| if decoded(p.bytes).is_some() { Guess::Sure } else { Guess::No }),
    facts: &[],
    notes: &[],
    open: || Box::new(Uuencode),
};

struct File<'a> {
    name: &'a [u8],
    bytes: Vec<u8>,
}

struct Uuencode;

impl Peeler for Uuencode {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(file) = decoded(input.bytes) else { return Step::again(0) };
        if !file.name.is_empty() {
            out.item("filename", Form::Text, input.side, file.name);
        }
        let form = if std::str::from_utf8(&file.bytes).is_ok() { Form::Text } else { Form::Binary };
        out.message(Child::message().form(form), input.side, &file.bytes);
        Step::again(input.bytes.len())
    }
}

fn decoded(bytes: &[u8]) -> Option<File<'_>> {
    match bytes {
        [b'b', b'e', b'g', b'i', b'n', b' ' | b'-', ..] => uudecoded(bytes),
        [b'=', b'y', b'b', b'e', b'g', b'i', b'n', b' ', ..] => ydecoded(bytes),
        _ => None,
    }
}

fn line(rest: &mut &[u8]) -> Option<usize> {
    (!rest.is_empty()).then(|| memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1))
}

fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// `begin MODE NAME`, lines that say their length, `end`. `begin-base64` does the same with base64.
fn uudecoded(bytes: &[u8]) -> Option<File<'_>> {
    use base64::Engine as _;
    let mut rest = bytes;
    let (head, mut after) = rest.split_at_checked(line(&mut rest)?)?;
    let mut words = trimmed(head).splitn(3, |b| *b == b' ');
    let (word, mode, name) = (words.next()?, words.next()?, words.next()?);
    let octal = (3..=4).contains(&mode.len()) && mode.iter().all(|b| (b'0'..=b'7').contains(b));
    let armored = word == b"begin-base64";
    if !octal || !(armored || word == b"begin") {
        return None;
    }
    let mut plain = Vec::new();
    while let Some(n) = line(&mut after) {
        let (one, next) = after.split_at_checked(n)?;
        after = next;
        match (trimmed(one), armored) {
            (b"====", true) | (b"end", false) => return Some(File { name, bytes: plain }),
            (text, true) => plain.extend(base64::engine::general_purpose::STANDARD.decode(text).ok()?),
            (text, false) => uuline(text, &mut plain)?,
        }
    }
    None
}

fn uuline(text: &[u8], plain: &mut Vec<u8>) -> Option<()> {
    let value = |b: &u8| (b' '..=b'`').contains(b).then(|| (b - b' ') & 63);
    let Some((first, body)) = text.split_first() else { return Some(()) };
    let length = usize::from(value(first)?);
    let start = plain.len();
    // Trailing spaces may be lost on the way.
    if body.len() > length.div_ceil(3) * 4 + 2 {
        return None;
    }
    for group in body.chunks(4) {
        let mut bits = 0u32;
        for i in 0..4 {
            bits = bits << 6 | u32::from(value(group.get(i).unwrap_or(&b' '))?);
        }
        plain.extend_from_slice(bits.to_be_bytes().get(1..)?);
    }
    plain.resize(start + length, 0);
    Some(())
}

/// `=ybegin ... name=NAME`, octets plus 42 with `=` before critical ones, `=yend size=N`.
fn ydecoded(bytes: &[u8]) -> Option<File<'_>> {
    let mut rest = bytes;
    let (head, mut after) = rest.split_at_checked(line(&mut rest)?)?;
    let at = memchr::memmem::find(head, b" name=")?;
    let name = trimmed(head.get(at + 6..)?);
    let mut plain = Vec::new();
    while let Some(n) = line(&mut after) {
        let (one, next) = after.split_at_checked(n)?;
        after = next;
        if one.starts_with(b"=yend ") {
            let at = memchr::memmem::find(one, b"size=")?;
            let digits = one.get(at + 5..)?.iter().take_while(|b| b.is_ascii_digit()).take(12);
            let size = digits.fold(0usize, |n, d| n * 10 + usize::from(d - b'0'));
            return (size == plain.len()).then_some(File { name, bytes: plain });
        }
        if one.starts_with(b"=ypart ") {
            continue;
        }
        let mut octets = trimmed(one).iter();
        while let Some(b) = octets.next() {
            let b = if *b == b'=' { octets.next()?.wrapping_sub(64) } else { *b };
            plain.push(b.wrapping_sub(42));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_back_whole() {
        let text = b"begin 644 note.txt\n/<V5E('EO=2!A=\"!N;V]N\n`\nend\n";
        let file = decoded(text).unwrap();
        assert_eq!((file.name, &file.bytes[..]), (&b"note.txt"[..], &b"see you at noon"[..]));
        let cut = &text[..text.len() - 5];
        assert!(decoded(cut).is_none());
        assert_eq!(decoded(b"begin-base64 644 n\nc2VlIHlvdQ==\n====\n").unwrap().bytes, b"see you");
        let shifted: Vec<u8> = b"see you".iter().map(|b| b.wrapping_add(42)).collect();
        let lines = [b"=ybegin line=128 size=7 name=n\r\n", &shifted[..], b"\r\n=yend size=7\r\n"].concat();
        assert_eq!(decoded(&lines).unwrap().bytes, b"see you");
        assert!(decoded(b"begin with a plan\nend\n").is_none());
    }
}
