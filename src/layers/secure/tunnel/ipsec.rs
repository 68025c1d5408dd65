//! IKE (RFC 7296, RFC 2408) and ESP in UDP (RFC 3948): the header of IKE is checked whole; ESP beside it on
//! the same flow is believed, ESP alone only after several packets of one association whose numbers grow.

use super::Closed;
use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{Eats, End, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step, Why};

/// The row.
pub static SPEC: Spec = Spec {
    name: "ipsec",
    title: "IPsec: IKE (RFC 7296) and ESP in UDP (RFC 3948)",
    family: Family::Secure,
    eats: Eats::Datagram,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Layer("ipsec")),
    shapes: &[],
    probe: Some(probe),
    facts: &["ipsec.version", "ipsec.exchange"],
    notes: &["ipsec-packet-malformed"],
    open: || Box::new(Ipsec::default()),
};

/// Port of ESP in UDP and of IKE behind address translation.
const NAT_PORT: u16 = 4500;
/// Packets of one association with growing numbers after which ESP is believed.
const CONSISTENT: u32 = 3;

struct Ike {
    version: &'static str,
    exchange: String,
    /// Offset of an encrypted body, if the header says that one follows.
    sealed_from: Option<usize>,
}

fn ike(bytes: &[u8]) -> Option<Ike> {
    let body = bytes.strip_prefix(&[0; 4]).unwrap_or(bytes);
    let before = bytes.len() - body.len();
    let mut c = Cursor::new(body);
    let initiator = c.u64()?;
    c.u64()?;
    let (next, version, exchange, flags) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
    c.u32()?;
    let length = usize::try_from(c.u32()?).ok()?;
    if initiator == 0 || length != body.len() {
        return None;
    }
    let (version, exchange, sealed) = match version {
        // Only the three defined flags; payload 46 is the encrypted one, 53 a fragment of it (RFC 7383).
        0x20 if flags & 0xc7 == 0 => ("IKEv2", two(exchange)?, matches!(next, 46 | 53)),
        0x10 if flags & 0xf8 == 0 => ("IKEv1", one(exchange)?, flags & 1 != 0),
        _ => return None,
    };
    let sealed_from = sealed.then_some(before + 28);
    Some(Ike { version, exchange: exchange.to_owned(), sealed_from })
}

fn two(exchange: u8) -> Option<&'static str> {
    Some(match exchange {
        34 => "IKE_SA_INIT",
        35 => "IKE_AUTH",
        36 => "CREATE_CHILD_SA",
        37 => "INFORMATIONAL",
        38 => "IKE_SESSION_RESUME",
        43 => "IKE_INTERMEDIATE",
        44 => "IKE_FOLLOWUP_KE",
        _ => return None,
    })
}

fn one(exchange: u8) -> Option<&'static str> {
    Some(match exchange {
        1 => "base",
        2 => "main mode",
        3 => "authentication only",
        4 => "aggressive mode",
        5 => "informational",
        6 => "transaction",
        32 => "quick mode",
        33 => "new group mode",
        _ => return None,
    })
}

/// Association and number of an ESP packet; the values below 256 are reserved (RFC 4303 section 2.1).
fn esp(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut c = Cursor::new(bytes);
    let (spi, number) = (c.u32()?, c.u32()?);
    (spi >= 256 && number > 0 && bytes.len() >= 32 && bytes.len().is_multiple_of(4)).then_some((spi, number))
}

fn probe(p: &Probe<'_>) -> Guess {
    if ike(p.bytes).is_some() {
        return Guess::Sure;
    }
    if p.server_port != NAT_PORT {
        return Guess::No;
    }
    match esp(p.bytes) {
        _ if p.known && p.bytes == [0xff] => Guess::Sure,
        Some(_) if p.known || p.stated => Guess::Sure,
        // An association that is not renewed for 2^24 packets is rare; random bytes pass one time in 1,000.
        Some((_, number)) if number < 1 << 24 => Guess::Maybe,
        _ => Guess::No,
    }
}

#[derive(Default)]
struct Ipsec {
    closed: Closed,
    /// A key exchange was seen on the flow.
    keyed: bool,
    last: PerSide<Option<(u32, u32)>>,
    consistent: PerSide<u32>,
}

impl Ipsec {
    /// Whether the packet may be called ESP.
    fn believes(&mut self, side: Side, spi: u32, number: u32) -> bool {
        let follows = match self.last[side] {
            Some((known, before)) => known == spi && number > before && number - before < 1 << 16,
            None => true,
        };
        self.consistent[side] = if follows { self.consistent[side].saturating_add(1) } else { 1 };
        self.last[side] = Some((spi, number));
        self.keyed || self.consistent[side] >= CONSISTENT
    }
}

impl Peeler for Ipsec {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let (side, bytes) = (input.side, input.bytes);
        if let Some(ike) = ike(bytes) {
            self.keyed = true;
            out.fact("ipsec.version", ike.version);
            out.fact("ipsec.exchange", ike.exchange);
            if let Some(sealed) = ike.sealed_from.and_then(|from| bytes.get(from..)) {
                self.closed.add(side, sealed, out);
            }
            return Step::again(bytes.len());
        }
        let Some((spi, number)) = esp(bytes) else {
            return match bytes {
                [0xff] => Step::again(1),
                _ => Step::die("ipsec-packet-malformed"),
            };
        };
        match self.believes(side, spi, number) {
            true => self.closed.add(side, bytes.get(8..).unwrap_or_default(), out),
            false => out.leaf("", Form::Binary, side, bytes.len() as u64, End::Opaque, bytes),
        }
        Step::again(bytes.len())
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        self.closed.show(side, Why::NoKey, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_must_be_whole_and_its_length_true() {
        let mut init = [&[7; 8][..], &[0; 8], &[33, 0x20, 34, 8], &[0; 4], &[0, 0, 0, 60], &[1; 32]].concat();
        assert_eq!(ike(&init).unwrap().exchange, "IKE_SA_INIT");
        assert!(ike(&[&[0; 4][..], &init].concat()).is_some());
        init.push(0);
        assert!(ike(&init).is_none());
    }

    #[test]
    fn esp_alone_is_believed_after_several_packets() {
        let mut flow = Ipsec::default();
        let side = Side::Client;
        assert_eq!([1, 2, 3].map(|n| flow.believes(side, 4242, n)), [false, false, true]);
        assert!(!flow.believes(side, 9999, 1));
        flow.keyed = true;
        assert!(flow.believes(Side::Server, 77777, 1));
    }
}
