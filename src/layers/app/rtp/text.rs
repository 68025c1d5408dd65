//! Text that people type during a call (RFC 4103): a few characters in every packet, often said again in the
//! next ones (RFC 2198), put together to lines.

use crate::bytes::Cursor;
use crate::model::Side;
use crate::peel::{Child, Form, Guard, Out};

/// What payloads of a codec are, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    Text,
    /// Several payloads, of which the older ones were sent before.
    Redundant,
    Other,
}

/// By the codec's name in SDP.
pub(super) fn carried(codec: Option<&str>) -> Carries {
    match codec.and_then(|c| c.split('/').next()).map(str::to_ascii_lowercase).as_deref() {
        Some("t140") => Carries::Text,
        Some("red") => Carries::Redundant,
        _ => Carries::Other,
    }
}

/// The payloads in a redundant one with their types, oldest first (RFC 2198 section 3).
pub(super) fn blocks(payload: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut c = Cursor::new(payload);
    let mut heads = Vec::new();
    loop {
        let first = c.u8()?;
        if first & 0x80 == 0 {
            heads.push((first, None));
            break;
        }
        heads.push((first & 0x7f, Some(usize::try_from(c.u24()? & 0x3ff).ok()?)));
    }
    let body = |(kind, len): (u8, Option<usize>)| {
        Some((
            kind,
            match len {
                Some(len) => c.take(len)?,
                None => c.rest(),
            },
        ))
    };
    heads.into_iter().map(body).collect()
}

/// Characters of a line that are waited for.
const LONGEST: usize = 4096;

/// The line that is being typed.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    last: Option<u16>,
    line: String,
}

impl Assembly {
    /// Takes the texts of a packet, oldest first, of which the last is new and those before it are what the
    /// packets before it said.
    pub fn add(&mut self, number: u16, texts: &[&[u8]], mut show: impl FnMut(&str)) {
        let step = self.last.map_or(u16::MAX >> 1, |last| number.wrapping_sub(last));
        if step == 0 || step > u16::MAX >> 1 {
            return;
        }
        self.last = Some(number);
        let known = texts.len().saturating_sub(usize::from(step));
        for text in texts.iter().skip(known) {
            String::from_utf8_lossy(text).chars().for_each(|c| self.character(c, &mut show));
        }
    }

    /// ITU-T T.140 section 8: erasure, new lines; other control says nothing.
    fn character(&mut self, c: char, show: &mut impl FnMut(&str)) {
        match c {
            '\u{8}' => drop(self.line.pop()),
            '\r' | '\n' | '\u{2028}' => self.end(&mut *show),
            '\u{feff}' => {}
            c if c.is_control() => {}
            c => self.line.push(c),
        }
        if self.line.len() >= LONGEST {
            self.end(&mut *show);
        }
    }

    /// Shows what was typed last.
    pub fn end(&mut self, mut show: impl FnMut(&str)) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            show(&line);
        }
    }
}

/// Hands on a line.
pub(super) fn show(line: &str, side: Side, guard: Guard, out: &mut Out<'_, '_>) {
    let mut child = Child::message().form(Form::Text).field("message");
    if guard == Guard::Confidential {
        child = child.confidential();
    }
    out.message(child, side, line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_with_what_was_lost_and_erased() {
        let (mut assembly, mut lines) = (Assembly::default(), Vec::new());
        let packets: [(u16, &[&[u8]]); 6] = [
            // The first packets of a stream are not known for media yet, but said again.
            (7, &[b"se", b"e y", b"ou"]),
            (8, &[b"e y", b"ou", b" thn\x08"]),
            (8, &[b"e y", b"ou", b" thn\x08"]),
            // 9 was lost.
            (10, &[b" thn\x08", b"ere", b"\xe2\x80\xa8"]),
            (9, &[b"ou", b" thn\x08", b"ere"]),
            (11, &[b"ere", b"\xe2\x80\xa8", b"at six"]),
        ];
        for (number, texts) in packets {
            assembly.add(number, texts, |line| lines.push(line.to_owned()));
        }
        assembly.end(|line| lines.push(line.to_owned()));
        assert_eq!(lines, ["see you there", "at six"]);
    }

    #[test]
    fn redundant_payloads_are_taken_apart() {
        let payload = [&[0xe2, 0, 0, 2, 0xe2, 0, 0, 0, 0x62][..], b"hi", b" there"].concat();
        let expected: Vec<(u8, &[u8])> = vec![(98, b"hi"), (98, b""), (98, b" there")];
        assert_eq!(blocks(&payload), Some(expected));
        assert_eq!(blocks(&[0xe2, 0, 0, 9, 0x62, 1]), None);
        assert_eq!(blocks(&[0xe2]), None);
    }
}
