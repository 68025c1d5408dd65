//! WireGuard, recognised by the exact sizes and the reserved bytes of its four messages (the WireGuard paper,
//! section 5.4). Which peers speak is hidden; that they speak, when and how much is not.

use super::Closed;
use crate::bytes::Cursor;
use crate::model::Side;
use crate::peel::{Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step, Why};

/// The row.
pub static SPEC: Spec = Spec {
    name: "wireguard",
    title: "WireGuard",
    family: Family::Secure,
    eats: Eats::Datagram,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Layer("wireguard")),
    shapes: &[],
    probe: Some(probe),
    facts: &["wireguard.message"],
    notes: &["wireguard-message-malformed"],
    open: || Box::new(WireGuard::default()),
};

/// The port that its documents use; elsewhere only a handshake tells it.
const PORT: u16 = 51820;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Message {
    Initiation,
    Response,
    Cookie,
    Data,
}

fn message(bytes: &[u8]) -> Option<Message> {
    let (kind, reserved) = bytes.split_first()?;
    if reserved.get(..3)? != [0; 3] {
        return None;
    }
    match (kind, bytes.len()) {
        (1, 148) => Some(Message::Initiation),
        (2, 92) => Some(Message::Response),
        (3, 64) => Some(Message::Cookie),
        // Payloads are padded to 16 bytes; an empty one is a keep-alive.
        (4, n) if n >= 32 && n % 16 == 0 => Some(Message::Data),
        _ => None,
    }
}

/// A counter that a session can reach: it is renewed long before 2^40 messages.
fn plausible_counter(bytes: &[u8]) -> bool {
    Cursor::new(bytes.get(8..).unwrap_or_default()).u64_le().is_some_and(|n| n < 1 << 40)
}

fn probe(p: &Probe<'_>) -> Guess {
    match message(p.bytes) {
        Some(_) if p.known || p.stated => Guess::Sure,
        Some(Message::Initiation | Message::Response) => Guess::Sure,
        Some(Message::Data) if p.server_port == PORT && plausible_counter(p.bytes) => Guess::Sure,
        Some(Message::Cookie) if p.server_port == PORT => Guess::Sure,
        _ => Guess::No,
    }
}

#[derive(Default)]
struct WireGuard {
    closed: Closed,
}

impl Peeler for WireGuard {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let name = match message(input.bytes) {
            Some(Message::Initiation) => "handshake initiation",
            Some(Message::Response) => "handshake response",
            Some(Message::Cookie) => "cookie reply",
            Some(Message::Data) => "transport data",
            None => return Step::die("wireguard-message-malformed"),
        };
        out.fact("wireguard.message", name);
        // Type, receiver and counter stay readable.
        if let (true, Some(sealed)) = (name == "transport data", input.bytes.get(16..)) {
            self.closed.add(input.side, sealed, out);
        }
        Step::again(input.bytes.len())
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        self.closed.show(side, Why::NoKey, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(bytes: &[u8], server_port: u16, known: bool) -> Guess {
        probe(&Probe { known, ..Probe::alone(bytes, server_port) })
    }

    #[test]
    fn sizes_must_be_exact_and_data_alone_tells_nothing_elsewhere() {
        let of = |kind: u8, len: usize| [&[kind, 0, 0, 0][..], &vec![7; len - 4]].concat();
        assert_eq!(ask(&of(1, 148), 9, false), Guess::Sure);
        assert_eq!(ask(&of(1, 149), 9, false), Guess::No);
        assert_eq!(ask(&of(4, 96), 9, false), Guess::No);
        assert_eq!(ask(&of(4, 96), 9, true), Guess::Sure);
        let mut data = of(4, 96);
        assert_eq!(ask(&data, PORT, false), Guess::No);
        data[8..16].copy_from_slice(&77u64.to_le_bytes());
        assert_eq!(ask(&data, PORT, false), Guess::Sure);
        data[2] = 1;
        assert_eq!(ask(&data, PORT, true), Guess::No);
    }
}
