//! Datagram Transport Layer Security 1.0, 1.2 and 1.3 (RFC 4347, RFC 6347, RFC 9147): the handshake and the
//! ciphers of TLS over records that may be lost, doubled or out of order.

mod assembly;
mod epochs;
mod export;
mod record;
#[cfg(test)]
mod tests;

use super::hello::{ClientHello, encrypted_srtp};
use super::opener::Opener;
use super::suite::Cipher;
use super::{APPLICATION, HANDSHAKE, Tls, facts, inner_type};
use crate::bytes::Cursor;
use crate::keys::Label;
use crate::model::{PerSide, Side};
use crate::peel::{
    By, Child, Eats, End, Family, Form, Guess, Handle, Hint, Input, Out, Peeler, Probe, Spec, Step, Why,
};
use assembly::{Added, Assembly, Message, Overdue};
use epochs::Keys;
use record::{CID, Plain, Record, Unified};

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

/// Handshake messages that are treated here; the rest is as in TLS.
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const VERIFY_REQUEST: u8 = 3;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const KEY_UPDATE: u8 = 24;

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
    fn plain(&mut self, side: Side, record: &Plain<'_>, out: &mut Out<'_, '_>) {
        if record.epoch == 0 {
            return self.content(side, record.kind, 0, record.body, out);
        }
        self.tls.encrypted_seen = true;
        // What is protected comes behind the hellos; those that are missing were lost.
        Side::BOTH.into_iter().for_each(|s| self.said(s, Overdue::Yes, out));
        let known = self.halves[side].keys.iter().any(|k| k.epoch == record.epoch);
        if !known {
            self.begin_epoch(side, record, out);
        }
        let mut buffer = self.fill(record.body);
        let keys = self.halves[side].keys.iter_mut().find(|k| k.epoch == record.epoch);
        match keys.map(|k| k.open_plain(record, &mut buffer)) {
            Some(Some(range)) => {
                let plain = buffer.get(range).unwrap_or_default();
                let (kind, end) =
                    if record.kind == CID { inner_type(plain) } else { (record.kind, plain.len()) };
                self.opened(side, record.epoch);
                self.content(side, kind, record.epoch, plain.get(..end).unwrap_or_default(), out);
            }
            Some(None) => self.bad_tag(side, record.body.len(), out),
            None => self.no_key(side, record.body.len(), out),
        }
        self.buffer = buffer;
    }

    fn unified(&mut self, side: Side, record: &Unified<'_>, out: &mut Out<'_, '_>) {
        self.tls.encrypted_seen = true;
        Side::BOTH.into_iter().for_each(|s| self.said(s, Overdue::Yes, out));
        let epoch = epoch_of(self.halves[side].epoch, record.epoch);
        self.derive(side, epoch, out);
        let mut buffer = self.fill(record.body);
        let keys = self.halves[side].keys.iter_mut().find(|k| k.epoch == epoch);
        match keys.map(|k| k.open_unified(record, &mut buffer)) {
            Some(Some(range)) => {
                let plain = buffer.get(range).unwrap_or_default();
                let (kind, end) = inner_type(plain);
                self.opened(side, epoch);
                self.content(side, kind, epoch, plain.get(..end).unwrap_or_default(), out);
            }
            Some(None) => self.bad_tag(side, record.body.len(), out),
            None => self.no_key(side, record.body.len(), out),
        }
        self.buffer = buffer;
    }

    /// The keys of a new epoch, up to DTLS 1.2: of several that may be right, those that open its first
    /// record; a single one is kept whether it does or not.
    fn begin_epoch(&mut self, side: Side, record: &Plain<'_>, out: &mut Out<'_, '_>) {
        if let Some(Cipher::Null(mac_len)) = self.tls.suite().map(|s| s.cipher) {
            return epochs::keep(
                &mut self.halves[side].keys,
                Keys::plain(record.epoch, Opener::Null { mac_len }),
            );
        }
        let candidates = self.tls.key_block(self.role(side), out);
        let only = candidates.len() == 1;
        for (opener, master) in candidates {
            let mut keys = Keys::plain(record.epoch, opener);
            let mut trial = record.body.to_vec();
            let opens = keys.open_plain(record, &mut trial).is_some();
            if opens {
                self.tls.settle(master, out);
            }
            if opens || only {
                return epochs::keep(&mut self.halves[side].keys, keys);
            }
        }
    }

    fn fill(&mut self, body: &[u8]) -> Vec<u8> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        buffer.extend_from_slice(body);
        buffer
    }

    fn opened(&mut self, side: Side, epoch: u16) {
        let half = &mut self.halves[side];
        half.epoch = half.epoch.max(epoch);
    }

    /// DTLS 1.3: makes the keys of an epoch (RFC 9147 section 6.1), if its secret is at hand.
    fn derive(&mut self, side: Side, epoch: u16, out: &mut Out<'_, '_>) {
        if self.halves[side].keys.iter().any(|k| k.epoch == epoch) {
            return;
        }
        let Some(suite) = self.tls.suite() else { return };
        let label = match (self.role(side), epoch) {
            (Side::Client, 1) => Label::ClientEarly,
            (Side::Client, 2) => Label::ClientHandshake,
            (Side::Server, 2) => Label::ServerHandshake,
            (Side::Client, 3) => Label::ClientTraffic,
            (Side::Server, 3) => Label::ServerTraffic,
            _ => {
                let before = self.halves[side].keys.iter().find(|k| k.epoch + 1 == epoch);
                if let Some(keys) = before.and_then(|k| k.updated(suite)) {
                    epochs::keep(&mut self.halves[side].keys, keys);
                    out.fact("tls.key_update", true);
                }
                return;
            }
        };
        let secret = self.tls.random().and_then(|r| out.keys().secret(&r, label)).map(<[u8]>::to_vec);
        if let Some(keys) = secret.and_then(|s| Keys::of_secret(epoch, suite, s)) {
            epochs::keep(&mut self.halves[side].keys, keys);
        }
    }

    fn bad_tag(&mut self, side: Side, len: usize, out: &mut Out<'_, '_>) {
        out.note("dtls-bad-tag");
        self.halves[side].bad += 1;
        self.seal(side, len, out);
    }

    fn no_key(&mut self, side: Side, len: usize, out: &mut Out<'_, '_>) {
        let unsupported =
            self.tls.server.is_some() && self.tls.suite().is_none_or(|s| s.cipher == Cipher::Other);
        if unsupported && self.halves[side].why.is_none() {
            self.halves[side].why = Some(Why::Unsupported);
            out.note("tls-suite-unsupported");
        }
        self.seal(side, len, out);
    }

    fn seal(&mut self, side: Side, len: usize, out: &mut Out<'_, '_>) {
        self.halves[side].sealed += len as u64;
        out.declare_sealed(len as u64);
    }

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

    /// A ClientHello with a random that was not heard before begins a handshake, which counts its messages
    /// from zero: under protection it renegotiates, in clear it is another session (RFC 6347 section 4.2.8).
    fn begin(&mut self, side: Side, epoch: u16, fragment: &[u8], out: &mut Out<'_, '_>) {
        let Some(random) = first_hello(fragment) else { return };
        let other = self.tls.client.as_ref().is_some_and(|c| c.random != random);
        if !other {
            return;
        }
        Side::BOTH.into_iter().for_each(|s| self.halves[s].messages = Assembly::default());
        if epoch > 0 {
            return;
        }
        if let Some(child) = self.child.take() {
            Side::BOTH.into_iter().for_each(|s| out.close(child, s));
        }
        self.tls.last_facts(out);
        self.tls = Tls::default();
        self.exported = false;
        self.client = side;
        for half in [&mut self.halves.client, &mut self.halves.server] {
            *half = Half { sealed: half.sealed, bad: half.bad, why: half.why, ..Half::default() };
        }
    }

    /// Reads the handshake messages that are complete.
    fn said(&mut self, side: Side, overdue: Overdue, out: &mut Out<'_, '_>) {
        while let Some(message) = self.halves[side].messages.next(overdue) {
            self.message(side, &message, out);
        }
    }

    fn message(&mut self, side: Side, message: &Message, out: &mut Out<'_, '_>) {
        let (kind, body) = (message.kind, message.body.as_slice());
        match kind {
            CLIENT_HELLO => {
                self.client = side;
                if let Some(hello) = ClientHello::read_datagram(body) {
                    self.tls.greeted(hello, out);
                }
            }
            SERVER_HELLO => {
                self.client = side.other();
                self.tls.message(Side::Server, kind, body, out);
                self.agree_ids();
            }
            VERIFY_REQUEST => out.fact("dtls.cookie", true),
            // The next epoch's keys are made when a record asks for them.
            KEY_UPDATE => {}
            ENCRYPTED_EXTENSIONS => {
                self.srtp = encrypted_srtp(body);
                self.tls.message(Side::Server, kind, body, out);
            }
            _ => {
                if kind == CERTIFICATE {
                    self.compare_fingerprint(body, out);
                }
                self.tls.message(self.role(side), kind, body, out);
            }
        }
        self.export(out);
    }

    /// Which end of the session a side of the flow is.
    fn role(&self, side: Side) -> Side {
        if side == self.client { Side::Client } else { Side::Server }
    }

    /// Connection ids are in use where both hellos speak of them; each end says what it wants to see
    /// (RFC 9146 section 3).
    fn agree_ids(&mut self) {
        let (Some(client), Some(server)) = (&self.tls.client, &self.tls.server) else { return };
        let (Some(to_client), Some(to_server)) = (&client.connection_id, &server.connection_id) else {
            return;
        };
        let side = self.client;
        (self.halves[side].id, self.halves[side.other()].id) = (to_server.len(), to_client.len());
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

/// The random of a ClientHello that is the first message of its handshake, from its first fragment.
fn first_hello(fragment: &[u8]) -> Option<[u8; 32]> {
    let mut c = Cursor::new(fragment);
    let (kind, _, seq, from, _) = (c.u8()?, c.u24()?, c.u16()?, c.u24()?, c.u24()?);
    if kind != CLIENT_HELLO || seq != 0 || from != 0 {
        return None;
    }
    c.u16()?;
    c.array()
}

/// The epoch that a unified header's two bits stand for: the newest one possible (RFC 9147 section 4.2.2).
fn epoch_of(newest: u16, low: u8) -> u16 {
    let back = (newest.saturating_add(1) & 3).wrapping_sub(u16::from(low)) & 3;
    match newest.saturating_add(1).checked_sub(back) {
        Some(epoch) if epoch > 0 => epoch,
        _ => u16::from(low) + if low == 0 { 4 } else { 0 },
    }
}
