//! MTProxy's disguise as TLS 1.3 (td's `TlsInit.cpp` and `TlsTransport`; secrets that begin with `ee`): a hello whose random
//! is an HMAC under the proxy's secret, then records of application data that hold the obfuscated stream.
//! It protects nothing that the obfuscation does not. Without the secret it is made to look like TLS, and is
//! taken for that.

use super::hello::ClientHello;
use crate::keys::KeyStore;
use crate::model::Side;
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Guess, Handle, Hint, Input, Out, Peeler, Probe, Spec, Step,
};
use ring::hmac;

/// The row.
pub static SPEC: Spec = Spec {
    name: "mtproxy-tls",
    title: "MTProxy in the disguise of TLS",
    family: Family::Secure,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_: &Hint| false,
    shapes: &[],
    probe: Some(probe),
    facts: &["mtproxy.sni"],
    notes: &["mtproxy-record-malformed"],
    open: || Box::new(FakeTls::default()),
};

/// Where the random of a hello stands in its record, and how much of it is the HMAC as it is; the rest is
/// mixed with the time.
const RANDOM: std::ops::Range<usize> = 11..43;
const UNMIXED: usize = 28;
/// Longest record (RFC 8446 section 5.1), with what protection could add.
const LONGEST: usize = 16_384 + 256;

const CHANGE_CIPHER: u8 = 20;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

/// Type and length of a record whose header is whole.
fn record(bytes: &[u8]) -> Option<(u8, usize)> {
    let [kind, 3, 1..=3, high, low] = *bytes.first_chunk::<5>()? else { return None };
    Some((kind, usize::from(high) << 8 | usize::from(low))).filter(|(_, n)| *n <= LONGEST)
}

/// Sure by 28 bytes of an HMAC that a secret of the key log explains.
fn probe(p: &Probe<'_>) -> Guess {
    if p.keys.messengers().mtproxies().is_empty() {
        return Guess::No;
    }
    let client = match p.side {
        Side::Client => p.bytes,
        Side::Server => p.other,
    };
    let whole = match client.first() {
        None if p.side == Side::Server => return Guess::No,
        None => false,
        Some(&HANDSHAKE) => match record(client) {
            Some((HANDSHAKE, n)) => client.len() >= 5 + n,
            Some(_) => return Guess::No,
            None => client.len() >= 5,
        },
        Some(_) => return Guess::No,
    };
    match whole {
        true if disguised(client, p.keys) => Guess::Sure,
        false if !p.end => Guess::More,
        true | false => Guess::No,
    }
}

/// Whether the random of the client's hello is made from a secret at hand.
fn disguised(client: &[u8], keys: &KeyStore) -> bool {
    let Some(mut hello) = record(client).and_then(|(_, n)| client.get(..5 + n)).map(<[u8]>::to_vec) else {
        return false;
    };
    let Some(place) = hello.get_mut(RANDOM) else { return false };
    let random = place.to_vec();
    place.fill(0);
    let made = |secret: &[u8; 16]| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), &hello);
        tag.as_ref().get(..UNMIXED) == random.get(..UNMIXED)
    };
    keys.messengers().mtproxies().iter().any(made)
}

/// State of one connection.
#[derive(Default)]
struct FakeTls {
    child: Option<Handle>,
    /// The server's first record of application data belongs to its hello.
    answered: bool,
}

impl Peeler for FakeTls {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if input.bytes.len() < 5 {
            return Step::more(0, 5);
        }
        let Some((kind, n)) = record(input.bytes) else { return Step::die("mtproxy-record-malformed") };
        let Some(body) = input.bytes.get(5..5 + n) else { return Step::more(0, 5 + n) };
        match (kind, input.side) {
            (HANDSHAKE, Side::Client) if self.child.is_none() => {
                // The disguise names a host as any ClientHello does, behind type and length.
                let hello = body.get(4..).and_then(ClientHello::read);
                if let Some(name) = hello.and_then(|h| h.sni) {
                    out.fact("mtproxy.sni", name.as_str());
                }
                self.child = Some(out.open(Child::stream().hint(Hint::Layer("mtproto-obfuscated"))));
            }
            (DATA, Side::Server) if !self.answered => self.answered = true,
            (DATA, side) => match self.child {
                Some(child) => out.feed(child, side, body),
                None => return Step::die("mtproxy-record-malformed"),
            },
            (HANDSHAKE | CHANGE_CIPHER, _) => {}
            _ => return Step::die("mtproxy-record-malformed"),
        }
        Step::again(5 + n)
    }

    fn gap(&mut self, _: Side, _: u64, _: &mut Out<'_, '_>) -> AfterGap {
        AfterGap::Die
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some(child) = self.child {
            out.close(child, side);
        }
    }
}
