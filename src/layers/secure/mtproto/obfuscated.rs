//! MTProto's transport obfuscation: AES-256-CTR under a key that stands in the first 64 bytes
//! (core.telegram.org/mtproto/mtproto-transports#transport-obfuscation). Whoever sees the bytes undoes it,
//! so what comes out is no more confidential than what went in. Behind a proxy with a secret, the secret is
//! part of the key.

use super::framing::Transport;
use crate::keys::KeyStore;
use crate::model::{PerSide, Side};
use crate::peel::{AfterGap, Child, Guess, Handle, Hint, Input, Out, Peeler, Probe, Step};
use aes::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use ring::digest::{SHA256, digest};

type Ctr = ctr::Ctr128BE<aes::Aes256>;

/// Bytes that open a connection.
const INIT: usize = 64;
/// Where the transport's name stands in them, once undone, and the data centre behind it.
const TAG: std::ops::Range<usize> = 56..60;
const CENTRE: std::ops::Range<usize> = 60..62;

/// The ciphers of a connection.
struct Ciphers {
    streams: PerSide<Ctr>,
    transport: Transport,
    centre: i16,
    /// The key has a proxy's secret in it.
    proxied: bool,
}

fn cipher(material: &[u8], secret: Option<&[u8; 16]>) -> Option<Ctr> {
    let (key, iv) = material.split_at_checked(32)?;
    match secret {
        Some(secret) => Ctr::new_from_slices(digest(&SHA256, &[key, secret].concat()).as_ref(), iv).ok(),
        None => Ctr::new_from_slices(key, iv).ok(),
    }
}

/// What a client never sends first, because another protocol begins so.
fn forbidden(init: &[u8; INIT]) -> bool {
    let word = &init[..4];
    init[0] == 0xef
        || [&b"HEAD"[..], b"POST", b"GET ", b"OPTI", &[0xdd; 4], &[0xee; 4], &[0x16, 3, 1, 2]].contains(&word)
        || init[4..8] == [0; 4]
}

fn ciphers(init: &[u8; INIT], keys: &KeyStore) -> Option<Ciphers> {
    if forbidden(init) {
        return None;
    }
    let secrets = keys.messengers().mtproxies();
    std::iter::once(None).chain(secrets.iter().map(Some)).find_map(|secret| {
        let mut client = cipher(init.get(8..56)?, secret)?;
        let mut plain = *init;
        client.try_apply_keystream(&mut plain).ok()?;
        let transport = Transport::tagged(plain.get(TAG)?)?;
        let backwards: Vec<u8> = init.get(8..56)?.iter().rev().copied().collect();
        let server = cipher(&backwards, secret)?;
        let centre = i16::from_le_bytes(plain.get(CENTRE)?.try_into().ok()?);
        Some(Ciphers { streams: PerSide { client, server }, transport, centre, proxied: secret.is_some() })
    })
}

/// The name of a transport comes out of random bytes three times in four thousand million.
pub fn probe(p: &Probe<'_>) -> Guess {
    let client = match p.side {
        Side::Client => p.bytes,
        Side::Server => p.other,
    };
    let Some(init) = client.first_chunk::<INIT>() else {
        return Guess::No;
    };
    if ciphers(init, p.keys).is_some() { Guess::Sure } else { Guess::No }
}

/// State of one connection.
#[derive(Default)]
pub struct Obfuscated {
    ciphers: Option<Ciphers>,
    child: Option<Handle>,
}

impl Peeler for Obfuscated {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let (Some(ciphers), Some(child)) = (&mut self.ciphers, self.child) else {
            return self.begin(&input, out);
        };
        let mut plain = input.bytes.to_vec();
        if ciphers.streams[input.side].try_apply_keystream(&mut plain).is_err() {
            return Step::die("mtproto-obfuscation-lost");
        }
        out.feed(child, input.side, &plain);
        Step::again(input.bytes.len())
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        let (Some(ciphers), Some(child)) = (&mut self.ciphers, self.child) else {
            return AfterGap::Die;
        };
        let stream = &mut ciphers.streams[side];
        let position: u64 = stream.current_pos();
        if stream.try_seek(position.saturating_add(len)).is_err() {
            return AfterGap::Die;
        }
        out.gap(child, side, len);
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some(child) = self.child {
            out.close(child, side);
        }
    }
}

impl Obfuscated {
    fn begin(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let init = match (input.side, input.bytes.first_chunk::<INIT>()) {
            (Side::Client, Some(init)) => init,
            (Side::Client, None) if !input.end => return Step::more(0, INIT),
            // The server cannot be read before the client has begun.
            _ => return Step::die("mtproto-obfuscation-lost"),
        };
        let Some(ciphers) = ciphers(init, out.keys()) else { return Step::die("mtproto-obfuscation-lost") };
        out.fact(
            "mtproto.obfuscation",
            if ciphers.proxied { "with a proxy's secret" } else { "key in band" },
        );
        out.fact("mtproto.data_centre", ciphers.centre.to_string().as_str());
        let child = Child::stream().hint(Hint::Layer("mtproto"));
        // A proxy's secret is shared by all its users and guards against blocking, not against reading;
        // still it is a secret that the bytes do not show.
        let child = out.open(if ciphers.proxied { child.confidential() } else { child });
        out.feed(child, Side::Client, ciphers.transport.magic());
        (self.ciphers, self.child) = (Some(ciphers), Some(child));
        Step::again(INIT)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Obfuscates a connection as a client does: the bytes it sends, for packets framed already.
    pub fn obfuscate(tag: u8, framed: &[u8], secret: Option<&[u8; 16]>) -> Vec<u8> {
        let mut init: [u8; INIT] = std::array::from_fn(|i| (i as u8).wrapping_mul(37).wrapping_add(11));
        init[TAG].copy_from_slice(&[tag; 4]);
        init[CENTRE].copy_from_slice(&2i16.to_le_bytes());
        let mut stream = cipher(&init[8..56], secret).unwrap();
        let mut sealed = init;
        stream.apply_keystream(&mut sealed);
        let mut wire = init[..56].to_vec();
        wire.extend_from_slice(&sealed[56..]);
        let mut rest = framed.to_vec();
        stream.apply_keystream(&mut rest);
        wire.extend_from_slice(&rest);
        wire
    }

    #[test]
    fn the_name_of_the_transport_comes_out_of_the_head() {
        let wire = obfuscate(0xdd, b"x", None);
        let found = ciphers(wire.first_chunk().unwrap(), &KeyStore::default()).expect("undone");
        assert_eq!((found.transport, found.centre, found.proxied), (Transport::Padded, 2, false));
        let secret = [9; 16];
        let wire = obfuscate(0xef, b"x", Some(&secret));
        assert!(ciphers(wire.first_chunk().unwrap(), &KeyStore::default()).is_none());
        let mut keys = KeyStore::default();
        keys.add_keylog(format!("MTPROXY_SECRET dd{}", "09".repeat(16)).as_bytes(), "test");
        let found = ciphers(wire.first_chunk().unwrap(), &keys).expect("undone with the secret");
        assert_eq!((found.transport, found.proxied), (Transport::Abridged, true));
    }
}
