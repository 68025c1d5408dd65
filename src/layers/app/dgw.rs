//! Meta's data gateway frames inside WebSocket messages: several to a message, each a type, a stream and a
//! length; the data is JSON.

use crate::bytes::Cursor;
use crate::peel::{Child, Eats, Family, Form, Guess, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "dgw",
    title: "Meta data gateway frames",
    family: Family::App,
    eats: Eats::Message,
    forms: &[Form::Binary, Form::Text],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Gateway),
};

/// A frame that carries something.
struct Frame<'a> {
    field: &'static str,
    body: &'a [u8],
}

/// Frames that fill the message, one of them with a JSON object: sure. Those without content are one to
/// five bytes of anything and stay unknown.
fn probe(p: &Probe<'_>) -> Guess {
    let json = |f: &Frame<'_>| f.body.first() == Some(&b'{') && f.body.last() == Some(&b'}');
    match frames(p.bytes) {
        Some(list) if !list.is_empty() && list.iter().all(json) => Guess::Sure,
        _ => Guess::No,
    }
}

fn frames(bytes: &[u8]) -> Option<Vec<Frame<'_>>> {
    let mut c = Cursor::new(bytes);
    let mut list = Vec::new();
    while !c.is_empty() {
        match c.u8()? {
            // Empty, deauthenticate, small acknowledgement, ping, pong.
            2 | 4 | 7 | 9 | 10 => {}
            // Drain, with a reason.
            3 => drop(c.take(3)?),
            // Acknowledgement of a number.
            12 => {
                c.take(2)?;
                let n = length(&mut c)?;
                c.take(n)?;
            }
            // Data behind the number to acknowledge.
            13 => {
                c.take(2)?;
                let n = length(&mut c)?;
                let body = c.take(n)?.get(2..)?;
                list.push(Frame { field: "payload", body });
            }
            14 => drop(c.take(2)?),
            // A stream is established with parameters.
            15 => {
                c.take(2)?;
                let n = length(&mut c)?;
                let body = c.take(n)?;
                list.push(Frame { field: "parameters", body });
            }
            _ => return None,
        }
    }
    Some(list)
}

fn length(c: &mut Cursor<'_>) -> Option<usize> {
    let [a, b, d] = c.array::<3>()?;
    Some(u32::from_le_bytes([a, b, d, 0]) as usize)
}

struct Gateway;

impl Peeler for Gateway {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        for frame in frames(input.bytes).unwrap_or_default() {
            out.message(Child::message().form(Form::Text).field(frame.field), input.side, frame.body);
        }
        Step::again(input.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_fill_the_message_or_are_none() {
        let whole = b"\x09\x0d\x00\x00\x09\x00\x00\x01\x80{\"a\":1}\x0e\x00\x00";
        let list = frames(whole).unwrap();
        assert_eq!((list.len(), list[0].body), (1, &b"{\"a\":1}"[..]));
        assert!(frames(&whole[..whole.len() - 1]).is_none());
        assert!(frames(b"\x0d\x00\x00\x01\x00\x00\x01").is_none());
        assert!(frames(b"\x05").is_none());
    }
}
