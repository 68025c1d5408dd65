//! simple-obfs, a plugin of Shadowsocks (github.com/shadowsocks/simple-obfs): a disguise as an upgrade to WebSocket or
//! as a resumed TLS session. Everybody can take it off, so it protects nothing. What it carries is by its purpose Shadowsocks,
//! which has no mark by which it could be told, and stays what its own bytes show it to be.

use crate::layers::imitation;
use crate::model::{PerSide, Side};
use crate::peel::{AfterGap, Child, Eats, Family, Form, Handle, Hint, Input, Out, Peeler, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "simple-obfs",
    title: "simple-obfs, a disguise of Shadowsocks",
    family: Family::Secure,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_: &Hint| false,
    shapes: &[],
    probe: Some(imitation::probe),
    facts: &["obfs.mode", "obfs.host"],
    notes: &["simple-obfs-malformed"],
    open: || Box::new(Obfs::default()),
};

/// Where a side stands.
#[derive(Clone, Copy, Default)]
enum Stage {
    /// Nothing was read: a head of HTTP or a hello follows.
    #[default]
    Start,
    /// Whatever follows is carried.
    Bare,
    /// Records, of the current one so much is left.
    Records(u64),
}

/// State of one connection.
#[derive(Default)]
struct Obfs {
    stages: PerSide<Stage>,
    child: Option<Handle>,
    told: bool,
}

impl Peeler for Obfs {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let (side, bytes) = (input.side, input.bytes);
        match self.stages[side] {
            Stage::Start if bytes.first() == Some(&b'G') || bytes.first() == Some(&b'H') => {
                self.head(side, bytes, out)
            }
            Stage::Start => match side {
                Side::Client => self.hello(bytes, out),
                Side::Server => self.flight(bytes, out),
            },
            Stage::Bare => {
                self.give(side, bytes, out);
                Step::again(bytes.len())
            }
            Stage::Records(0) => self.record(side, bytes),
            Stage::Records(left) => {
                let part = bytes.get(..left as usize).unwrap_or(bytes);
                self.stages[side] = Stage::Records(left - part.len() as u64);
                self.give(side, part, out);
                Step::again(part.len())
            }
        }
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        match &mut self.stages[side] {
            Stage::Bare => {}
            // Inside a record its end is known.
            Stage::Records(left) if *left >= len => *left -= len,
            Stage::Start | Stage::Records(_) => return AfterGap::Die,
        }
        if let Some(child) = self.child {
            out.gap(child, side, len);
        }
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some(child) = self.child {
            out.close(child, side);
        }
    }
}

impl Obfs {
    /// The head of a request or a response; what is announced as a body is only the first of what is carried.
    fn head(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) -> Step {
        let Some(head) = imitation::head(bytes) else {
            return if bytes.len() >= imitation::HEAD { WRONG } else { Step::more(0, bytes.len() + 1) };
        };
        let host = if side == Side::Client { imitation::host(head) } else { None };
        self.tell("http", host.as_deref(), out);
        self.stages[side] = Stage::Bare;
        Step::again(head.len())
    }

    /// The client's hello, whose ticket is the first of what is carried.
    fn hello(&mut self, bytes: &[u8], out: &mut Out<'_, '_>) -> Step {
        let hello = match imitation::hello(bytes) {
            Ok(Some(hello)) => hello,
            Ok(None) => return Step::more(0, bytes.len() + 1),
            Err(imitation::Other) => return WRONG,
        };
        let (Some(ticket), Some(name)) = (bytes.get(hello.ticket), bytes.get(hello.name)) else {
            return Step::more(0, hello.len);
        };
        if bytes.len() < hello.len {
            return Step::more(0, hello.len);
        }
        self.tell("tls", Some(&String::from_utf8_lossy(name)), out);
        self.give(Side::Client, ticket, out);
        self.stages.client = Stage::Records(0);
        Step::again(hello.len)
    }

    /// The server's hello and ChangeCipherSpec, and the head of a record that looks like its Finished.
    fn flight(&mut self, bytes: &[u8], out: &mut Out<'_, '_>) -> Step {
        let Some((flight, _)) = bytes.split_first_chunk::<{ imitation::FLIGHT }>() else {
            return Step::more(0, imitation::FLIGHT);
        };
        let [.., 3, 3, high, low] = *flight else { return WRONG };
        self.tell("tls", None, out);
        self.stages.server = Stage::Records(u64::from(u16::from_be_bytes([high, low])));
        Step::again(flight.len())
    }

    fn record(&mut self, side: Side, bytes: &[u8]) -> Step {
        let Some((head, _)) = bytes.split_first_chunk::<5>() else { return Step::more(0, 5) };
        let [kind, major, minor, high, low] = *head;
        if [kind, major, minor] != imitation::DATA {
            return WRONG;
        }
        self.stages[side] = Stage::Records(u64::from(u16::from_be_bytes([high, low])));
        Step::again(head.len())
    }

    fn tell(&mut self, mode: &'static str, host: Option<&str>, out: &mut Out<'_, '_>) {
        if !std::mem::replace(&mut self.told, true) {
            out.fact("obfs.mode", mode);
        }
        if let Some(host) = host {
            out.fact("obfs.host", host);
        }
    }

    fn give(&mut self, side: Side, bytes: &[u8], out: &mut Out<'_, '_>) {
        let child = *self.child.get_or_insert_with(|| out.open(Child::stream()));
        out.feed(child, side, bytes);
    }
}

const WRONG: Step = Step { consumed: 0, then: crate::peel::Then::Die("simple-obfs-malformed") };
