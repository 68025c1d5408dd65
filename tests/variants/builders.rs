//! Builders of envelopes: right, or with one rule of their format broken.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// A fixed sequence without a crate (xorshift64*).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| (self.next() >> 32) as u8).collect()
    }

    pub fn blocks(&mut self) -> Vec<u8> {
        let n = 16 * (1 + self.below(20));
        self.bytes(n)
    }

    /// A public key of Curve25519, with the type byte of the Signal protocol or without.
    pub fn key(&mut self, typed: &[u8]) -> Vec<u8> {
        let mut key = [typed, &self.bytes(32)].concat();
        if let Some(last) = key.last_mut() {
            *last &= 0x7f;
        }
        key
    }
}

fn varint(mut n: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while n >= 128 {
        out.push(n as u8 | 128);
        n >>= 7;
    }
    out.push(n as u8);
    out
}

fn number(field: u8, n: u64) -> Vec<u8> {
    [&[field << 3][..], &varint(n)].concat()
}

fn bytes(field: u8, b: &[u8]) -> Vec<u8> {
    [&[field << 3 | 2][..], &varint(b.len() as u64), b].concat()
}

/// What a builder is asked for: all right, or with one thing wrong.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Wrong {
    Nothing,
    Key,
    Length,
    Missing,
    Text,
}

const TEXT: &[u8] =
    b"see you at the old bridge at nine, and bring the lamp with you, please. ok?!  and do not be late";

impl Wrong {
    fn key(self, key: Vec<u8>) -> Vec<u8> {
        if self == Wrong::Key { key[1..].to_vec() } else { key }
    }

    fn ciphertext(self, ciphertext: Vec<u8>) -> Vec<u8> {
        match self {
            Wrong::Length => ciphertext[1..].to_vec(),
            Wrong::Text => TEXT[..96].to_vec(),
            _ => ciphertext,
        }
    }

    fn field(self, field: Vec<u8>) -> Vec<u8> {
        if self == Wrong::Missing { Vec::new() } else { field }
    }
}

fn signal(r: &mut Random, version: u8, w: Wrong) -> Vec<u8> {
    let (key, counter, before) = (r.key(&[5]), r.next() >> 44, r.next() >> 50);
    let ciphertext = r.blocks();
    signal_of(r, version, (w.key(key), counter, before), w.ciphertext(ciphertext), w)
}

pub fn signal_of(
    r: &mut Random,
    version: u8,
    (key, counter, before): (Vec<u8>, u64, u64),
    ciphertext: Vec<u8>,
    w: Wrong,
) -> Vec<u8> {
    [
        vec![version],
        bytes(1, &key),
        w.field(number(2, counter)),
        number(3, before),
        bytes(4, &ciphertext),
        r.bytes(8),
    ]
    .concat()
}

fn signal_prekey(r: &mut Random, w: Wrong) -> Vec<u8> {
    let inner = if w == Wrong::Key { Wrong::Nothing } else { w };
    let inner = signal(r, 0x33, inner);
    let (base, identity) = (r.key(&[5]), r.key(&[5]));
    let id = r.next() >> 50;
    [
        vec![0x33],
        number(1, id),
        bytes(2, &w.key(base)),
        bytes(3, &identity),
        bytes(4, &inner),
        number(5, id),
        number(6, 7),
    ]
    .concat()
}

fn sender_key(r: &mut Random, w: Wrong) -> Vec<u8> {
    let (id, chain, ciphertext) = (r.bytes(16), r.next() >> 33, r.blocks());
    let iteration = number(3, r.next() >> 54);
    [
        vec![0x33],
        bytes(1, &w.key(id)),
        number(2, chain),
        w.field(iteration),
        bytes(4, &w.ciphertext(ciphertext)),
        r.bytes(64),
    ]
    .concat()
}

fn olm(r: &mut Random, w: Wrong) -> Vec<u8> {
    let (key, counter, ciphertext) = (r.key(&[]), r.next() >> 50, r.blocks());
    let body = [bytes(1, &w.key(key)), w.field(number(2, counter)), bytes(4, &w.ciphertext(ciphertext))];
    [vec![3], body.concat(), r.bytes(8)].concat()
}

fn megolm(r: &mut Random, w: Wrong) -> Vec<u8> {
    let (index, ciphertext) = (r.next() >> 54, r.blocks());
    let index = w.field(number(1, index));
    // There is no key in it: a signature too short stands for a wrong one.
    let signature = w.key(r.bytes(64));
    [vec![3], index, bytes(2, &w.ciphertext(ciphertext)), r.bytes(8), signature].concat()
}

fn omemo(r: &mut Random, w: Wrong) -> Vec<u8> {
    let (key, counter, ciphertext) = (r.key(&[]), r.next() >> 50, r.blocks());
    let inner = [
        number(1, counter),
        w.field(number(2, 3)),
        bytes(3, &w.key(key)),
        bytes(4, &w.ciphertext(ciphertext)),
    ];
    [bytes(1, &r.bytes(16)), bytes(2, &inner.concat())].concat()
}

/// A vector of MLS (RFC 9420 section 2.1.2).
fn vector(b: &[u8]) -> Vec<u8> {
    let head = match b.len() {
        n @ 0..64 => vec![n as u8],
        n => (n as u16 | 0x4000).to_be_bytes().to_vec(),
    };
    [head, b.to_vec()].concat()
}

fn mls(r: &mut Random, w: Wrong) -> Vec<u8> {
    let n = 81 + r.below(600);
    let (group, epoch, ciphertext) = (r.bytes(16), r.next() >> 40, r.bytes(n));
    let ciphertext = if w == Wrong::Length { ciphertext[..80].to_vec() } else { w.ciphertext(ciphertext) };
    let sender = w.key(r.bytes(28));
    let parts = [&[0, 1, 0, 2][..], &vector(&group), &epoch.to_be_bytes(), &w.field(vec![1]), &vector(&[])];
    [parts.concat(), vector(&sender), vector(&ciphertext)].concat()
}

/// A byte string of CBOR.
fn string(b: &[u8]) -> Vec<u8> {
    let head = match b.len() {
        n @ 0..24 => vec![0x40 | n as u8],
        n @ 24..256 => vec![0x58, n as u8],
        n => [&[0x59][..], &(n as u16).to_be_bytes()].concat(),
    };
    [head, b.to_vec()].concat()
}

fn proteus(r: &mut Random, w: Wrong) -> Vec<u8> {
    let (key, n) = (r.key(&[]), 30 + r.below(400));
    let ciphertext = r.bytes(n);
    // A stream cipher has no wrong length; a tag too short stands for it.
    let tag = r.bytes(if w == Wrong::Length { 15 } else { 16 });
    let ciphertext = if w == Wrong::Text { TEXT.to_vec() } else { ciphertext };
    let count = if w == Wrong::Missing { 0xa4 } else { 0xa5 };
    let body = [
        vec![1, count, 0],
        string(&tag),
        vec![1, r.below(24) as u8, 2, r.below(24) as u8],
        [vec![3, 0xa1, 0], string(&w.key(key))].concat(),
        w.field([vec![4], string(&ciphertext)].concat()),
    ];
    [vec![0xa3, 0, 1, 1, 0xa1, 0], string(&r.bytes(32)), vec![2], string(&body.concat())].concat()
}

pub fn jwe(r: &mut Random, alg: &str, w: Wrong) -> Vec<u8> {
    let n = 40 + r.below(200);
    let header = match w {
        Wrong::Missing => format!("{{\"alg\":\"{alg}\"}}"),
        _ => format!("{{\"alg\":\"{alg}\",\"enc\":\"A256GCM\",\"kid\":\"k{}\"}}", r.below(1000)),
    };
    let iv = r.bytes(if w == Wrong::Length { 11 } else { 12 });
    let key = r.bytes(if w == Wrong::Key { 8 } else { 256 });
    let ciphertext = if w == Wrong::Text { TEXT.to_vec() } else { r.bytes(n) };
    let parts = [header.into_bytes(), key, iv, ciphertext, r.bytes(16)];
    parts.map(|p| URL_SAFE_NO_PAD.encode(p)).join(".").into_bytes()
}

/// DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let n = content.len();
    let head = match n {
        0..128 => vec![tag, n as u8],
        128..256 => vec![tag, 0x81, n as u8],
        _ => vec![tag, 0x82, (n >> 8) as u8, n as u8],
    };
    [&head[..], content].concat()
}

/// EnvelopedData for one recipient whose key is transported under `1.2.840.113549.1.1.N`.
pub fn cms(r: &mut Random, transport: u8, w: Wrong) -> Vec<u8> {
    const PKCS: [u8; 7] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1];
    let oid = |rest: &[u8]| der(6, &[&PKCS[..], rest].concat());
    let serial = [&[1][..], &r.bytes(15)].concat();
    let name = der(0x30, &der(0x31, &der(0x30, &[der(6, &[0x55, 4, 3]), der(0x0c, b"Example CA")].concat())));
    let issuer = der(0x30, &[name, der(2, &serial)].concat());
    let algorithm = der(0x30, &[oid(&[1, transport]), der(5, &[])].concat());
    let info = [der(2, &[0]), issuer, algorithm, der(4, &r.bytes(256))].concat();
    let recipients = der(0x31, &w.field(der(0x30, &info)));
    let aes = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42];
    let cipher = der(0x30, &[der(6, &aes), der(4, &r.bytes(16))].concat());
    let ciphertext = r.blocks();
    let ciphertext = if w == Wrong::Text { TEXT.to_vec() } else { ciphertext };
    let content = der(0x30, &[oid(&[7, 1]), cipher, der(0x80, &ciphertext)].concat());
    let version = der(2, &[if w == Wrong::Length { 9 } else { 0 }]);
    let data = der(0x30, &[version, recipients, content].concat());
    let kind = if w == Wrong::Key { oid(&[7, 9]) } else { oid(&[7, 3]) };
    der(0x30, &[kind, der(0xa0, &data)].concat())
}

/// Version, nonce, ciphertext with two bytes of length, MAC (NIP-44).
fn nip44(r: &mut Random, w: Wrong) -> Vec<u8> {
    let padded = 32 * (1 + r.below(8)) + 2 - usize::from(w == Wrong::Length);
    let version = if w == Wrong::Key { 3 } else { 2 };
    let ciphertext =
        if w == Wrong::Text { TEXT.iter().cycle().take(98).copied().collect() } else { r.bytes(padded) };
    let mac = if w == Wrong::Missing { 16 } else { 32 };
    STANDARD.encode([vec![version], r.bytes(32), ciphertext, r.bytes(mac)].concat()).into_bytes()
}

pub type Builder = fn(&mut Random, Wrong) -> Vec<u8>;

pub const FORMATS: [(&str, Builder); 15] = [
    ("signal-message", |r, w| signal(r, 0x33, w)),
    ("signal-message", |r, w| signal(r, 0x34, w)),
    ("signal-message", |r, w| signal(r, 0x44, w)),
    ("signal-prekey-message", signal_prekey),
    ("signal-sender-key-message", sender_key),
    ("olm-message", olm),
    ("megolm-message", megolm),
    ("omemo-2-key", omemo),
    ("mls-private-message", mls),
    ("proteus-message", proteus),
    ("jwe", |r, w| jwe(r, "RSA-OAEP-256", w)),
    ("jwe", |r, w| jwe(r, "RSA1_5", w)),
    ("cms-enveloped-data", |r, w| cms(r, 1, w)),
    ("cms-enveloped-data", |r, w| cms(r, 7, w)),
    ("nostr-nip44", nip44),
];
