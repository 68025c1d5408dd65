//! A protocol that nobody knows whose every byte stands in a frame that begins with its length. What a frame
//! holds is handed on as a message, so that text, structure and compression in it are seen for what they are.

mod packed;
mod shape;
mod weigh;

use crate::model::{PerSide, Side};
use crate::peel::{Child, Eats, Family, Form, Guess, Handle, Input, Out, Peeler, Probe, Spec, Step};
use shape::{Head, Shape};

/// The row.
pub static SPEC: Spec = Spec {
    name: "framed",
    title: "Frames behind their length",
    family: Family::Codec,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &["framed.length"],
    notes: &["framed-lost"],
    open: || Box::new(Framed::default()),
};

/// Sure only of content in frames: a chain of lengths around bytes that nobody can read would gain nothing.
fn probe(p: &Probe<'_>) -> Guess {
    // Where both sides are text, a whole line is enough for other layers, and they are not kept waiting. What
    // follows the line is not looked at, so that it is the same whether it came with the line or later.
    let own = first_line(p.bytes).filter(|line| text(line) && text(p.other)).unwrap_or(p.bytes);
    match weigh::race(own, p.other) {
        weigh::Found::Shape(_) => Guess::Sure,
        weigh::Found::Open if !(p.end || text(own) && text(p.other)) => Guess::More,
        weigh::Found::Open | weigh::Found::Nothing => Guess::No,
    }
}

/// A line break behind fewer bytes may be a length or chance.
const TELLING: usize = 8;

/// The bytes up to the first line break that is none by chance.
fn first_line(bytes: &[u8]) -> Option<&[u8]> {
    let at = memchr::memchr(b'\n', bytes.get(TELLING - 1..)?)?;
    bytes.get(..TELLING + at)
}

fn text(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
}

/// Longer bodies are handed on as they come.
const HELD: u64 = 64 << 10;

/// Hands a body on; characters are text, so that nothing guesses at them as octets first.
fn message(side: Side, body: &[u8], out: &mut Out<'_, '_>) {
    let text = std::str::from_utf8(body)
        .is_ok_and(|t| !t.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')));
    let form = if text { Form::Text } else { Form::Binary };
    if !body.is_empty() {
        out.message(Child::message().form(form).field("frame"), side, body);
    }
}

/// What has come of one side.
#[derive(Default)]
struct Half {
    /// Bytes from before the shape was clear, then what is left of them without a whole frame.
    held: Vec<u8>,
    /// Bytes that the frame at hand still lacks, and where they go.
    open: Option<(u64, Handle)>,
}

/// See the module.
#[derive(Default)]
struct Framed {
    shape: Option<Shape>,
    halves: PerSide<Half>,
    /// Who said how much in a row before the shape was clear.
    order: Vec<(Side, usize)>,
}

/// How far the frames of a side went.
enum Walked {
    /// To the last byte.
    All,
    /// So many bytes at the end are no whole frame; it takes that many.
    Rest(usize, usize),
    /// So many bytes at the end begin with what cannot be a length.
    Wrong(usize),
}

impl Peeler for Framed {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(shape) = self.shape else { return self.begin(&input, out) };
        let held = std::mem::take(&mut self.halves[input.side].held);
        if held.is_empty() {
            let walked = self.walk(shape, input.side, input.bytes, out);
            return self.settle(&input, input.bytes, walked, out);
        }
        let joined = [&held, input.bytes].concat();
        let walked = self.walk(shape, input.side, &joined, out);
        self.settle(&input, &joined, walked, out)
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let half = &mut self.halves[side];
        if let Some((_, child)) = half.open.take() {
            out.close(child, side);
        }
        let held = std::mem::take(&mut half.held);
        self.cut(side, &held, out);
    }
}

impl Framed {
    /// Finds the shape again. The probe saw both sides; they come here one after the other.
    fn begin(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let side = input.side;
        self.halves[side].held.extend_from_slice(input.bytes);
        match self.order.last_mut() {
            Some((last, n)) if *last == side => *n += input.bytes.len(),
            _ => self.order.push((side, input.bytes.len())),
        }
        let race = weigh::race(&self.halves[side].held, &self.halves[side.other()].held);
        let weigh::Found::Shape(shape) = race else {
            return match self.halves[side].held.len() <= out.limits().buffer {
                true => Step::again(input.bytes.len()),
                false => Step { consumed: input.bytes.len(), ..Step::die("framed-lost") },
            };
        };
        self.shape = Some(shape);
        out.fact("framed.length", shape.name());
        self.again(shape, input, out)
    }

    /// Goes over what was held until the shape was clear, in the order in which it was said.
    fn again(&mut self, shape: Shape, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let held = [Side::Client, Side::Server].map(|s| std::mem::take(&mut self.halves[s].held));
        let [client, server] = held.each_ref().map(Vec::as_slice);
        let (all, mut seen) = (PerSide { client, server }, PerSide { client: 0, server: 0 });
        // Where each side's first byte without a whole frame stands.
        let mut from = PerSide { client: 0, server: 0 };
        let mut last = Walked::All;
        for (side, n) in std::mem::take(&mut self.order) {
            seen[side] += n;
            let run = all[side].get(from[side]..seen[side]).unwrap_or_default();
            last = self.walk(shape, side, run, out);
            match last {
                Walked::All => from[side] = seen[side],
                Walked::Rest(left, _) => from[side] = seen[side] - left,
                Walked::Wrong(left) => {
                    last = Walked::Wrong(if side == input.side { left } else { 0 });
                    break;
                }
            }
        }
        let other = input.side.other();
        self.halves[other].held = all[other].get(from[other]..).unwrap_or_default().to_vec();
        self.settle(input, all[input.side], last, out)
    }

    /// What a walk over all that a side said, the input at its end, means for the input.
    fn settle(&mut self, input: &Input<'_>, all: &[u8], walked: Walked, out: &mut Out<'_, '_>) -> Step {
        let whole = input.bytes.len();
        match walked {
            Walked::All => Step::again(whole),
            Walked::Rest(left, _) if input.end => {
                self.cut(input.side, all.get(all.len() - left..).unwrap_or_default(), out);
                Step::again(whole)
            }
            Walked::Rest(left, need) if left <= whole => Step::more(whole - left, need),
            // It began in bytes that are done with.
            Walked::Rest(left, _) => {
                self.halves[input.side].held = all.get(all.len() - left..).unwrap_or_default().to_vec();
                Step::again(whole)
            }
            Walked::Wrong(left) => Step { consumed: whole.saturating_sub(left), ..Step::die("framed-lost") },
        }
    }

    /// A frame that the recording cut.
    fn cut(&self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) {
        if let Some(Head::Body { at, .. }) = self.shape.map(|s| s.head(bytes)) {
            message(side, bytes.get(at..).unwrap_or_default(), out);
        }
    }

    /// Hands on the frames of a side.
    fn walk(&mut self, shape: Shape, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) -> Walked {
        let half = &mut self.halves[side];
        let mut rest = bytes;
        while !rest.is_empty() {
            let (left, child) = match half.open {
                Some(open) => open,
                None => match shape.head(rest) {
                    Head::Short => return Walked::Rest(rest.len(), rest.len() + 1),
                    Head::Wrong => return Walked::Wrong(rest.len()),
                    Head::Body { at, len } => {
                        let body = rest.get(at..).unwrap_or_default();
                        let held = len <= HELD.min(out.limits().buffer as u64 / 2);
                        match body.get(..usize::try_from(len).unwrap_or(usize::MAX)) {
                            Some(body) if held => {
                                rest = rest.get(at + body.len()..).unwrap_or_default();
                                message(side, body, out);
                                continue;
                            }
                            None if held => return Walked::Rest(rest.len(), at + len as usize),
                            Some(_) | None => {}
                        }
                        rest = body;
                        (len, out.open(Child::message().field("frame")))
                    }
                },
            };
            let now = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
            let (body, tail) = rest.split_at(now);
            out.feed(child, side, body);
            rest = tail;
            let left = left - now as u64;
            half.open = (left > 0).then_some((left, child));
            if left == 0 {
                out.close(child, side);
            }
        }
        Walked::All
    }
}

#[cfg(test)]
mod tests {
    use super::weigh::{Found, race};

    fn frames(bodies: &[&[u8]], head: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
        bodies.iter().flat_map(|b| [head(b.len()), b.to_vec()].concat()).collect()
    }

    const TALK: [&[u8]; 4] = [
        b"hello there, you",
        b"see you at noon",
        b"{\"text\":\"bring the red umbrella\"}",
        b"and mind the step",
    ];

    #[test]
    fn every_kind_of_length_is_found() {
        type Head = fn(usize) -> Vec<u8>;
        let kinds: [(&str, Head); 9] = [
            ("u32 big", |n| (n as u32).to_be_bytes().to_vec()),
            ("u32 little", |n| (n as u32).to_le_bytes().to_vec()),
            ("u24 big", |n| (n as u32).to_be_bytes()[1..].to_vec()),
            ("u16 big", |n| (n as u16).to_be_bytes().to_vec()),
            ("u16 little", |n| (n as u16).to_le_bytes().to_vec()),
            ("u16 big, with itself", |n| (n as u16 + 2).to_be_bytes().to_vec()),
            ("u32 little, with itself", |n| (n as u32 + 4).to_le_bytes().to_vec()),
            ("octet, u32 big", |n| [&[1][..], &(n as u32).to_be_bytes()].concat()),
            ("octet, u16 little", |n| [&[7][..], &(n as u16).to_le_bytes()].concat()),
        ];
        for (name, head) in kinds {
            let bytes = frames(&TALK, head);
            let Found::Shape(shape) = race(&bytes, &[]) else { panic!("{name} is not found") };
            assert_eq!(shape.name(), name);
        }
    }

    #[test]
    fn one_frame_of_each_side_tells_whether_the_length_counts_itself() {
        let head = |n: usize| [&[2][..], &(n as u32).to_be_bytes()].concat();
        let (own, other) = (frames(&TALK[2..3], head), frames(&TALK[..1], head));
        let Found::Shape(shape) = race(&own, &other) else { panic!("not found") };
        assert_eq!(shape.name(), "octet, u32 big");
    }

    #[test]
    fn short_frames_behind_an_octet_are_found() {
        let bytes =
            frames(&[b"hello", b"see you at noon", b"bring tea", b"the old bridge", b"ok then"], |n| {
                vec![n as u8]
            });
        let Found::Shape(shape) = race(&bytes, &[]) else { panic!("not found") };
        assert_eq!(shape.name(), "u8");
    }

    #[test]
    fn text_noise_and_records_are_not_frames() {
        let text =
            b"(an ordinary text of several lines\nthat nobody framed, whatever its letters count as)\n"
                .repeat(8);
        assert!(!matches!(race(&text, &[]), Found::Shape(_)));
        let noise: Vec<u8> = (0..2048u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(!matches!(race(&noise, &[]), Found::Shape(_)));
        assert!(!matches!(race(&[0; 2048], &[]), Found::Shape(_)));
        // Lengths around bytes that say nothing.
        let closed =
            frames(&[&noise[..64], &noise[64..200], &noise[300..360]], |n| (n as u32).to_be_bytes().to_vec());
        assert!(!matches!(race(&closed, &[]), Found::Shape(_)));
    }
}
