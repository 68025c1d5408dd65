//! MMTLS, WeChat's own protection: records like those of TLS under version numbers of their own, on a stream
//! or as the body of an HTTP post. Its keys are made inside the app and no key log has them, so the records
//! are recognised and counted.

use crate::bytes::Cursor;
use crate::model::{Bucket, PerSide, Side};
use crate::peel::{
    AfterGap, By, Eats, End, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step, Why,
};

/// The row.
pub static SPEC: Spec = Spec {
    name: "mmtls",
    title: "MMTLS (WeChat)",
    family: Family::Secure,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_: &Hint| false,
    shapes: &[],
    probe: Some(probe),
    facts: &["mmtls.version", "mmtls.record"],
    notes: &["mmtls-record-malformed"],
    open: || Box::new(Mmtls::default()),
};

/// Bytes before a record's body.
const HEAD: usize = 5;

/// Kind, version and length of a record.
fn record(bytes: &[u8]) -> Option<(u8, u8, usize)> {
    let mut c = Cursor::new(bytes);
    let (kind, major, minor, length) = (c.u8()?, c.u8()?, c.u8()?, c.u16()?);
    let fits =
        matches!(kind, 0x15 | 0x16 | 0x17 | 0x19) && major == 0xf1 && matches!(minor, 3 | 4) && length > 0;
    fits.then_some((kind, minor, usize::from(length)))
}

/// Three bytes and a length are not much: the records have to reach exactly to the end, or one has to follow
/// another.
fn probe(p: &Probe<'_>) -> Guess {
    let mut rest = p.bytes;
    let mut records = 0;
    loop {
        if rest.is_empty() && records > 0 {
            return Guess::Sure;
        }
        let Some((_, _, length)) = record(rest) else {
            let begun = rest.len() < HEAD
                && rest.first().is_none_or(|b| matches!(b, 0x15..=0x17 | 0x19))
                && rest.get(1).is_none_or(|b| *b == 0xf1);
            return match (begun && !p.end && !rest.is_empty(), records) {
                (true, _) => Guess::More,
                (false, 2..) if begun => Guess::Sure,
                _ => Guess::No,
            };
        };
        records += 1;
        let Some(next) = rest.get(HEAD + length..) else {
            return match (records > 1, p.end) {
                (true, _) => Guess::Sure,
                (false, true) => Guess::Maybe,
                (false, false) => Guess::More,
            };
        };
        rest = next;
    }
}

/// State of one connection.
#[derive(Default)]
struct Mmtls {
    told: bool,
    sealed: PerSide<u64>,
}

impl Peeler for Mmtls {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some((kind, minor, length)) = record(input.bytes) else {
            return match (input.bytes.len() < HEAD, input.end) {
                (true, false) => Step::more(0, HEAD),
                (true, true) => Step::skip(0, input.bytes.len() as u64, Bucket::Cut),
                (false, _) => Step::die("mmtls-record-malformed"),
            };
        };
        if !std::mem::replace(&mut self.told, true) {
            out.fact("mmtls.version", format!("f1{minor:02x}").as_str());
            let name = match kind {
                0x16 => "handshake",
                0x19 => "handshake with early data",
                0x15 => "alert",
                _ => "application data",
            };
            out.fact("mmtls.record", name);
        }
        let total = (HEAD + length) as u64;
        self.sealed[input.side] += total;
        Step::skip(0, total, Bucket::Sealed)
    }

    fn gap(&mut self, _: Side, _: u64, _: &mut Out<'_, '_>) -> AfterGap {
        AfterGap::Die
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let total = std::mem::take(&mut self.sealed[side]);
        if total > 0 {
            let end = End::Sealed(By::Transport, Why::Unsupported);
            out.leaf("", Form::Binary, side, total, end, &[]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(bytes: &[u8], end: bool) -> Guess {
        probe(&Probe { end, ..Probe::alone(bytes, 443) })
    }

    #[test]
    fn records_that_reach_to_the_end_are_sure() {
        assert_eq!(ask(b"\x16\xf1\x03\x00\x02ab", true), Guess::Sure);
        assert_eq!(ask(b"\x19\xf1\x04\x00\x01a\x17\xf1\x04\x00\x09a", false), Guess::Sure);
        assert_eq!(ask(b"\x16\xf1\x03\x00\x09ab", false), Guess::More);
        assert_eq!(ask(b"\x16\xf1\x03\x00\x02abc", true), Guess::No);
        assert_eq!(ask(b"\x16\x03\x03\x00\x02ab", true), Guess::No, "TLS");
        assert_eq!(ask(b"\x18\xf1\x03\x00\x02ab", true), Guess::No);
        for n in 0..7 {
            assert!(ask(&b"\x16\xf1\x03\x00\x02ab"[..n], true) < Guess::Sure, "{n}");
        }
    }
}
