//! OSCAR, the protocol of AIM and ICQ: FLAP frames, SNACs inside, and the text of instant messages (family
//! 4) as its re-implementations document it.

use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{AfterGap, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "oscar",
    title: "OSCAR (AIM and ICQ)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Layer("oscar")),
    shapes: &[],
    probe: Some(probe),
    facts: &["oscar.family"],
    notes: &["oscar-frame-malformed", "oscar-message-malformed", "oscar-resynchronised"],
    open: || Box::new(Oscar::default()),
};

const START: u8 = 0x2a;
const HEAD: usize = 6;
/// Families that are in use.
const FAMILIES: u16 = 0x25;
const ICBM: u16 = 4;

struct Frame {
    channel: u8,
    length: usize,
}

fn frame(bytes: &[u8]) -> Option<Frame> {
    let mut c = Cursor::new(bytes);
    let (start, channel) = (c.u8()?, c.u8()?);
    c.u16()?;
    let length = usize::from(c.u16()?);
    (start == START && (1..=5).contains(&channel)).then_some(Frame { channel, length })
}

fn probe(p: &Probe<'_>) -> Guess {
    if p.bytes.first().is_some_and(|b| *b != START) {
        return Guess::No;
    }
    if p.bytes.len() < HEAD + 4 {
        return if p.end { Guess::No } else { Guess::More };
    }
    let Some(f) = frame(p.bytes) else { return Guess::No };
    let mut c = Cursor::new(p.bytes.get(HEAD..).unwrap_or_default());
    match f.channel {
        // Both sides open with the version of FLAP, 1.
        1 if f.length >= 4 && c.u32() == Some(1) => Guess::Sure,
        // Joined late: two frames in a row must fit.
        2 if f.length >= 10 && c.u16().is_some_and(|family| (1..=FAMILIES).contains(&family)) => {
            match p.bytes.get(HEAD + f.length..) {
                Some(next) if next.len() >= HEAD => match frame(next) {
                    Some(_) => Guess::Sure,
                    None => Guess::No,
                },
                _ if p.end => Guess::No,
                _ => Guess::More,
            }
        }
        _ => Guess::No,
    }
}

#[derive(Default)]
struct Oscar {
    /// Bytes were lost: the start of a frame has to be searched.
    searching: PerSide<bool>,
}

/// Where a frame of channel 2 with a known family starts, or how far the bytes hold none.
fn search(bytes: &[u8]) -> Result<usize, usize> {
    let fits = |at: &usize| {
        let mut c = Cursor::new(bytes.get(*at..).unwrap_or_default());
        let head = (c.u8(), c.u8(), c.u16(), c.u16(), c.u16(), c.u16());
        matches!(head, (Some(START), Some(2), _, Some(10..=8192), Some(1..=FAMILIES), Some(1..=0x60)))
    };
    let last = bytes.len().saturating_sub(HEAD + 4);
    (0..=last).filter(|at| bytes.get(*at) == Some(&START)).find(fits).ok_or(last)
}

impl Peeler for Oscar {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if input.bytes.len() < HEAD {
            return Step::more(0, HEAD);
        }
        if self.searching[input.side] {
            return self.resynchronise(input, out);
        }
        let Some(f) = frame(input.bytes) else { return Step::die("oscar-frame-malformed") };
        let Some(body) = input.bytes.get(HEAD..HEAD + f.length) else {
            return Step::more(0, HEAD + f.length);
        };
        if f.channel == 2 {
            self.snac(input.side, body, out);
        }
        Step::again(HEAD + f.length)
    }

    fn gap(&mut self, side: Side, _len: u64, _out: &mut Out<'_, '_>) -> AfterGap {
        self.searching[side] = true;
        AfterGap::Continue
    }
}

impl Oscar {
    fn resynchronise(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if input.bytes.len() < HEAD + 4 {
            return Step::more(0, HEAD + 4);
        }
        match search(input.bytes) {
            Ok(at) => {
                self.searching[input.side] = false;
                out.note("oscar-resynchronised");
                Step::again(at)
            }
            Err(none) => Step::more(none + 1, HEAD + 4),
        }
    }

    fn snac(&self, side: Side, body: &[u8], out: &mut Out<'_, '_>) {
        let mut c = Cursor::new(body);
        let (Some(family), Some(subtype), Some(flags), Some(_)) = (c.u16(), c.u16(), c.u16(), c.u32()) else {
            return out.note("oscar-message-malformed");
        };
        out.begin_message();
        out.fact("oscar.family", u64::from(family));
        if family != ICBM || !matches!(subtype, 6 | 7) {
            return;
        }
        // A block of parameters may stand before the content.
        if flags & 0x8000 != 0 && c.vec16().is_none() {
            return out.note("oscar-message-malformed");
        }
        if instant_message(side, subtype, c, out).is_none() {
            out.note("oscar-message-malformed");
        }
    }
}

/// 6 is sent by a client, 7 delivered by the server with who sent it.
fn instant_message(side: Side, subtype: u16, mut c: Cursor<'_>, out: &mut Out<'_, '_>) -> Option<()> {
    c.u64()?;
    let channel = c.u16()?;
    let who = c.vec8()?;
    out.item(if subtype == 6 { "to" } else { "from" }, Form::Text, side, who);
    if subtype == 7 {
        c.u16()?;
        for _ in 0..c.u16()? {
            c.u16()?;
            c.vec16()?;
        }
    }
    while !c.is_empty() {
        let kind = c.u16()?;
        let value = c.vec16()?;
        match (channel, kind) {
            (1, 2) => plain(side, value, out)?,
            (4, 5) => icq(side, value, out)?,
            _ => {}
        }
    }
    Some(())
}

/// Fragments of channel 1: 5 tells abilities, 1 holds a character set and the text, often as HTML.
fn plain(side: Side, value: &[u8], out: &mut Out<'_, '_>) -> Option<()> {
    let mut c = Cursor::new(value);
    while !c.is_empty() {
        let kind = c.u16()? >> 8;
        let mut fragment = Cursor::new(c.vec16()?);
        if kind != 1 {
            continue;
        }
        let charset = fragment.u16()?;
        fragment.u16()?;
        say(side, charset, fragment.rest(), out);
    }
    Some(())
}

fn say(side: Side, charset: u16, said: &[u8], out: &mut Out<'_, '_>) {
    let text: String = match charset {
        2 => {
            let units = said.chunks_exact(2).map(|p| u16::from_be_bytes([p[0], p[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
        }
        _ => match std::str::from_utf8(said) {
            Ok(text) => text.to_owned(),
            Err(_) => said.iter().map(|b| char::from(*b)).collect(),
        },
    };
    out.item("message", Form::Text, side, unmarked(&text).as_bytes());
}

/// What is said without the HTML around it; other text as it is.
fn unmarked(text: &str) -> String {
    if !text.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("<html")) {
        return text.to_owned();
    }
    let (mut said, mut inside) = (String::with_capacity(text.len()), false);
    for letter in text.chars() {
        match letter {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => said.push(letter),
            _ => {}
        }
    }
    for (entity, letter) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&nbsp;", " "), ("&amp;", "&")]
    {
        said = said.replace(entity, letter);
    }
    said
}

/// ICQ's own channel: number, kind, flags, and a text that ends with a zero, little-endian.
fn icq(side: Side, value: &[u8], out: &mut Out<'_, '_>) -> Option<()> {
    let mut c = Cursor::new(value);
    c.u32_le()?;
    let kind = c.u8()?;
    c.u8()?;
    let length = usize::from(c.u16_le()?);
    let said = c.take(length)?;
    if kind == 1 {
        say(side, 0, said.strip_suffix(&[0]).unwrap_or(said), out);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_taken_off_and_other_text_is_left() {
        assert_eq!(unmarked("<HTML><BODY>5 &lt; 6 &amp;amp; so on</BODY></HTML>"), "5 < 6 &amp; so on");
        assert_eq!(unmarked("5 < 6 > 4"), "5 < 6 > 4");
    }

    #[test]
    fn a_frame_is_found_again_in_what_follows_a_gap() {
        let frame = [START, 2, 0, 9, 0, 12, 0, 4, 0, 6, 0, 0];
        assert_eq!(search(&[&[7; 5][..], &frame, &[0; 6]].concat()), Ok(5));
        assert_eq!(search(&[START; 40]), Err(30));
    }
}
