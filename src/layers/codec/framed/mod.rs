//! A protocol that nobody knows whose every byte stands in a frame that begins with its length. What a frame
//! holds is handed on as a message, so that text, structure and compression in it are seen for what they are.

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
    match weigh::race(p.bytes, p.other) {
        weigh::Found::Shape(_) => Guess::Sure,
        // Where all is text so far, other layers are not kept waiting.
        weigh::Found::Open if !(p.end || text(p.bytes) && text(p.other)) => Guess::More,
        weigh::Found::Open | weigh::Found::Nothing => Guess::No,
    }
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
    /// Bytes from before the shape was clear, then those of a frame that is not whole.
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

impl Peeler for Framed {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let whole = match self.shape {
            Some(shape) => self.walk(shape, input.side, input.bytes, out),
            None => self.begin(&input, out),
        };
        match whole {
            true => Step::again(input.bytes.len()),
            false => Step { consumed: input.bytes.len(), ..Step::die("framed-lost") },
        }
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let half = &mut self.halves[side];
        if let Some((_, child)) = half.open.take() {
            out.close(child, side);
        }
        // A frame that the recording cut.
        let held = std::mem::take(&mut half.held);
        if let Some(Head::Body { at, .. }) = self.shape.map(|s| s.head(&held)) {
            message(side, held.get(at..).unwrap_or_default(), out);
        }
    }
}

impl Framed {
    /// Finds the shape again. The probe saw both sides; they come here one after the other.
    fn begin(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> bool {
        let side = input.side;
        self.halves[side].held.extend_from_slice(input.bytes);
        match self.order.last_mut() {
            Some((last, n)) if *last == side => *n += input.bytes.len(),
            _ => self.order.push((side, input.bytes.len())),
        }
        let race = weigh::race(&self.halves[side].held, &self.halves[side.other()].held);
        let weigh::Found::Shape(shape) = race else {
            return self.halves[side].held.len() <= out.limits().buffer;
        };
        self.shape = Some(shape);
        out.fact("framed.length", shape.name());
        let client = std::mem::take(&mut self.halves.client.held);
        let server = std::mem::take(&mut self.halves.server.held);
        let mut rest = PerSide { client: client.as_slice(), server: server.as_slice() };
        std::mem::take(&mut self.order).into_iter().all(|(side, n)| {
            let (run, left) = rest[side].split_at(n.min(rest[side].len()));
            rest[side] = left;
            self.walk(shape, side, run, out)
        })
    }

    /// Takes more bytes of a side; false where a length cannot be one.
    fn walk(&mut self, shape: Shape, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) -> bool {
        let half = &mut self.halves[side];
        let held = std::mem::take(&mut half.held);
        let joined;
        let mut rest = match held.is_empty() {
            true => bytes,
            false => {
                joined = [&held, bytes].concat();
                &joined
            }
        };
        while !rest.is_empty() {
            let (left, child) = match half.open {
                Some(open) => open,
                None => match shape.head(rest) {
                    Head::Short => {
                        half.held = rest.to_vec();
                        return true;
                    }
                    Head::Wrong => return false,
                    Head::Body { at, len } => {
                        let body = rest.get(at..).unwrap_or_default();
                        match body.get(..usize::try_from(len).unwrap_or(usize::MAX)) {
                            Some(body) if len <= HELD => {
                                rest = rest.get(at + body.len()..).unwrap_or_default();
                                message(side, body, out);
                                continue;
                            }
                            None if len <= HELD => {
                                half.held = rest.to_vec();
                                return true;
                            }
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
        true
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
