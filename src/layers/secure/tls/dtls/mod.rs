//! Datagram Transport Layer Security 1.0, 1.2 and 1.3 (RFC 4347, RFC 6347, RFC 9147): the handshake and the
//! ciphers of TLS over records that may be lost, doubled or out of order.

mod assembly;
mod epochs;
mod export;
mod handshake;
mod protected;
mod record;
#[cfg(test)]
mod tests;

use super::{APPLICATION, HANDSHAKE, Tls, facts};
use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{
    By, Child, Eats, End, Family, Form, Guess, Handle, Hint, Input, Out, Peeler, Probe, Spec, Step, Why,
};
use assembly::{Added, Assembly, Overdue};
use epochs::Keys;
use record::{CID, Record};

/// The row.
pub static SPEC: Spec = Spec {
    name: "dtls",
    title: "Datagram Transport Layer Security (RFC 9147, RFC 6347)",
    family: Family::Secure,
    eats: Eats::Datagram,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: facts::NAMES,
    notes: &[
        "dtls-bad-tag",
        "dtls-record-malformed",
        "dtls-handshake-malformed",
        "dtls-handshake-too-long",
        "tls-suite-unsupported",
    ],
    open: || Box::new(Dtls::default()),
};

fn probe(p: &Probe<'_>) -> Guess {
    let Some(first) = p.bytes.first() else { return Guess::No };
    if record::is_unified(*first) {
        // Nothing but the flow's past tells these from others that begin so (RFC 9443 section 3).
        return if p.known && p.bytes.len() >= 18 { Guess::Sure } else { Guess::No };
    }
    match record::is_whole(p.bytes) {
        true if *first == CID && !p.known => Guess::Maybe,
        true => Guess::Sure,
        false => Guess::No,
    }
}

/// One direction.
#[derive(Default)]
struct Half {
    messages: Assembly,
    keys: Vec<Keys>,
    /// The newest epoch that was opened.
    epoch: u16,
    /// Length of the connection ids that this side's records carry.
    id: usize,
    sealed: u64,
    bad: u32,
    why: Option<Why>,
    closed: bool,
}

/// State of the sessions of one flow.
struct Dtls {
    /// What the handshake said.
    tls: Tls,
    /// The side of the flow that is the client of the session; between peers it may be either.
    client: Side,
    halves: PerSide<Half>,
    child: Option<Handle>,
    buffer: Vec<u8>,
    /// DTLS 1.3: the SRTP profile that the server chose.
    srtp: Option<u16>,
    exported: bool,
}

impl Default for Dtls {
    fn default() -> Self {
        Self {
            tls: Tls::default(),
            client: Side::Client,
            halves: PerSide::default(),
            child: None,
            buffer: Vec::new(),
            srtp: None,
            exported: false,
        }
    }
}

impl Peeler for Dtls {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let mut c = Cursor::new(input.bytes);
        while !c.is_empty() {
            match record::read(&mut c, self.halves[input.side].id) {
                Some(Record::Plain(plain)) => self.plain(input.side, &plain, out),
                Some(Record::Unified(unified)) => self.unified(input.side, &unified, out),
                None => {
                    out.note("dtls-record-malformed");
                    break;
                }
            }
        }
        Step::again(input.bytes.len())
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        self.said(side, Overdue::Yes, out);
        let half = &mut self.halves[side];
        if half.sealed > 0 {
            let why = half.why.unwrap_or(if half.bad > 0 { Why::BadTag } else { Why::NoKey });
            let total = std::mem::take(&mut half.sealed);
            out.leaf("", Form::Binary, side, total, End::Sealed(By::Transport, why), &[]);
        }
        half.closed = true;
        if let Some(child) = self.child {
            out.close(child, side);
        }
        if Side::BOTH.iter().all(|s| self.halves[*s].closed) {
            self.tls.opened = Side::BOTH.iter().any(|s| self.halves[*s].epoch > 0);
            self.tls.last_facts(out);
        }
    }
}

impl Dtls {
    /// The content of a record, decrypted where it was encrypted.
    fn content(&mut self, side: Side, kind: u8, epoch: u16, plain: &[u8], out: &mut Out<'_, '_>) {
        match kind {
            HANDSHAKE => {
                self.begin(side, epoch, plain, out);
                match self.halves[side].messages.add(plain) {
                    Added::Fine => {}
                    Added::Malformed => out.note("dtls-handshake-malformed"),
                    Added::TooLong => out.note("dtls-handshake-too-long"),
                }
                self.said(side, Overdue::No, out);
            }
            APPLICATION => {
                let child = self.child(side, out);
                out.feed(child, side, plain);
            }
            // A change of ciphers shows in the epoch; acknowledgements and alerts carry no content.
            _ => {}
        }
    }

    /// The datagrams inside.
    fn child(&mut self, side: Side, out: &mut Out<'_, '_>) -> Handle {
        if let Some(child) = self.child {
            return child;
        }
        let mut child = Child::datagrams();
        if !self.halves[side].keys.iter().any(Keys::is_null) {
            child = child.confidential();
        }
        if let Some(alpn) = &self.tls.alpn {
            child = child.hint(Hint::Alpn(alpn.clone()));
        }
        let handle = out.open(child);
        self.child = Some(handle);
        handle
    }
}
