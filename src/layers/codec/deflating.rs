//! A connection that went over to compression: one deflate stream for each direction, flushed after every
//! write, as IMAP (RFC 4978, without header) and XMPP (XEP-0138, with that of zlib) have it. Only where a
//! protocol says so.

use crate::model::{Bucket, PerSide, Side};
use crate::peel::{AfterGap, Child, Eats, Family, Form, Handle, Hint, Input, Out, Peeler, Spec, Step, Then};
use flate2::{Decompress, FlushDecompress, Status};

/// The row.
pub static SPEC: Spec = Spec {
    name: "deflate-stream",
    title: "Compressed connection (RFC 4978, XEP-0138)",
    family: Family::Codec,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Upgrade(u) if u == "deflate-stream"),
    shapes: &[],
    probe: None,
    facts: &[],
    notes: &["compression-broken", "expansion-limit"],
    open: || Box::new(Deflating::default()),
};

#[derive(Default)]
struct Half {
    z: Option<Decompress>,
    fed: u64,
    given: u64,
}

#[derive(Default)]
struct Deflating {
    halves: PerSide<Half>,
    child: Option<Handle>,
}

/// Whether the two bytes are a header of zlib (RFC 1950 section 2.2).
fn zlib(head: [u8; 2]) -> bool {
    head[0] & 0x0f == 8 && head[0] >> 4 <= 7 && u16::from_be_bytes(head).is_multiple_of(31)
}

/// How far damage reaches back depends on how the input was cut, so all of it is given up, with what follows on
/// this side.
fn given_up(input: &Input<'_>) -> Step {
    Step { consumed: input.bytes.len(), then: Then::Rest(Bucket::Cut) }
}

impl Peeler for Deflating {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let half = &mut self.halves[input.side];
        if half.z.is_none() {
            let Some(head) = input.bytes.first_chunk::<2>() else {
                return if input.end { Step::die("compression-broken") } else { Step::more(0, 2) };
            };
            half.z = Some(Decompress::new(zlib(*head)));
        }
        let Some(z) = &mut half.z else { return Step::again(0) };
        let mut plain = Vec::with_capacity(16 << 10);
        let before = z.total_in();
        let status = z.decompress_vec(input.bytes, &mut plain, FlushDecompress::Sync);
        let used = (z.total_in() - before) as usize;
        half.fed += used as u64;
        half.given += plain.len() as u64;
        let (fed, given) = (half.fed, half.given);
        let child = *self.child.get_or_insert_with(|| out.open(Child::stream().inherit()));
        out.feed(child, input.side, &plain);
        let limits = out.limits();
        if given > fed.saturating_mul(limits.expansion) + limits.message as u64 {
            out.note("expansion-limit");
            return given_up(&input);
        }
        match status {
            // A side may start anew; nothing follows otherwise.
            Ok(Status::StreamEnd) => {
                self.halves[input.side].z = None;
                Step::again(used)
            }
            Ok(_) if used == 0 && plain.is_empty() => Step::more(0, input.bytes.len() + 1),
            Ok(_) => Step::again(used),
            Err(_) => {
                out.note("compression-broken");
                given_up(&input)
            }
        }
    }

    fn gap(&mut self, _side: Side, _len: u64, _out: &mut Out<'_, '_>) -> AfterGap {
        AfterGap::Die
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some(child) = self.child {
            out.close(child, side);
        }
    }
}
