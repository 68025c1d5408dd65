//! End-to-end envelopes: what the bytes of an encrypted message look like once every transport and
//! encoding around them is undone. One file a family; each recogniser reads the whole buffer strictly
//! or answers nothing.
//!
//! A match proves that bytes are consistent with a format and shows what that format leaves readable.
//! It does not prove whose keys they are, that a tag verifies, or that no further recipient exists.

pub mod grammar;

mod age;
mod armor;
mod around;
mod carriers;
mod cms;
mod content;
mod cose;
mod deep;
mod imessage;
mod jose;
mod keyed;
mod matrix;
mod messengers;
mod mls;
mod nostr;
mod olm;
mod omemo;
mod openpgp;
mod otr;
mod proteus;
mod repeats;
mod row;
mod saltpack;
mod session;
mod signal;
mod signal_app;
mod snapchat;
mod whatsapp;
mod xmlenc;
mod xmpp;

pub use deep::explain_deep;
pub use jose::PRIVATE_JWK;
pub use repeats::repeats;

use crate::model::Value;
use crate::peel::Spec;
use serde_json::Map;
use std::ops::Range;

pub use row::families;

/// The rows.
pub static TABLE: &[&Spec] = &[&row::BINARY, &row::TEXT, &row::OBJECT, &row::MESSAGE, &row::CARRIED];

/// What a recognised envelope is to the people whose message it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A message only its recipients' devices can open.
    E2eeMessage,
    /// Session setup or group control of an end-to-end protocol.
    E2eeHandshake,
    /// Encrypted under a password or a key whose holders the bytes do not name.
    Symmetric,
    /// A secret that must never be seen outside an encrypted message.
    SecretKey,
    /// Public keys and their announcements.
    PublicKey,
    /// Signed or authenticated, readable by everyone.
    SignedOnly,
    /// A container that may be encrypted and is not.
    NotEncrypted,
    /// Looks encrypted, and a sign says that it protects nothing or not from the provider.
    Broken,
    /// Encryption of one hop.
    TransportCrypto,
}

impl Class {
    /// How much protection the class claims; only the first two claim end-to-end encryption.
    pub fn claim(self) -> u8 {
        match self {
            Class::E2eeMessage => 3,
            Class::E2eeHandshake => 2,
            Class::Symmetric => 1,
            _ => 0,
        }
    }
}

/// Key transport of RSA with the padding of PKCS #1 version 1.5, which a receiver that tells good padding from
/// bad gives away (Bleichenbacher; RFC 8017 section 7.2 keeps it for old applications only).
pub(crate) const PKCS1: &str = "RSAES-PKCS1-v1_5";

/// How far the bytes alone carry the name, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// A magic, a full parse and a nested check: may be reported alone.
    T1,
    /// A full parse with little magic: stronger with two messages or the right carrier.
    T2,
    /// A length and a byte: only where the carrier already says so.
    T3,
}

/// A recognised envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Stable name of the format, such as `signal-message`.
    pub format: &'static str,
    /// The protocol's name for people.
    pub protocol: &'static str,
    /// What it is.
    pub class: Class,
    /// How far the bytes alone carry it.
    pub tier: Tier,
    /// The sign that makes it broken or readable.
    pub why: Option<&'static str>,
    /// The bytes that the ranges below count in, where they are not the input itself (armor, base64).
    pub decoded: Option<Vec<u8>>,
    /// Where the ciphertext lies.
    pub ciphertext: Option<Range<usize>>,
    /// Where the nonce or initialisation vector lies.
    pub nonce: Option<Range<usize>>,
    /// Where the ephemeral or ratchet public key lies.
    pub ephemeral: Option<Range<usize>>,
    /// What it leaves readable: counters, ids, key digests, recipients, algorithms.
    pub facts: Vec<(&'static str, Value)>,
}

impl Envelope {
    fn new(format: &'static str, protocol: &'static str, class: Class, tier: Tier) -> Self {
        Self {
            format,
            protocol,
            class,
            tier,
            why: None,
            decoded: None,
            ciphertext: None,
            nonce: None,
            ephemeral: None,
            facts: Vec::new(),
        }
    }

    fn fact(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.facts.push((name, value.into()));
        self
    }

    fn maybe(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.fact(name, value),
            None => self,
        }
    }

    fn sealed(mut self, range: Option<Range<usize>>) -> Self {
        self.ciphertext = range;
        self
    }

    fn nonce(mut self, range: Option<Range<usize>>) -> Self {
        self.nonce = range;
        self
    }

    fn ephemeral(mut self, range: Option<Range<usize>>) -> Self {
        self.ephemeral = range;
        self
    }

    fn decoded(mut self, bytes: Vec<u8>) -> Self {
        self.decoded = Some(bytes);
        self
    }

    fn because(mut self, why: &'static str) -> Self {
        self.why = Some(why);
        self
    }

    /// Turns it into a broken one if there is a sign; keeps the first sign.
    fn broken_if(mut self, sign: Option<&'static str>) -> Self {
        if sign.is_some() && self.class != Class::Broken {
            self.class = Class::Broken;
            self.why = sign;
        }
        self
    }

    /// A fact's value.
    pub fn fact_named(&self, name: &str) -> Option<&Value> {
        self.facts.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }
}

/// What a recogniser reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any bytes.
    Binary,
    /// UTF-8 text.
    Text,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Recogniser {
    /// Stable name of the family.
    pub format_family: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// What it reads.
    pub tries: Form,
    /// Reads the whole input strictly, or answers nothing. Rejects in a few instructions.
    pub recognise: fn(&[u8]) -> Option<Envelope>,
}

/// A recogniser of JSON objects.
#[derive(Debug, Clone, Copy)]
pub struct ObjectRecogniser {
    /// Stable name of the family.
    pub format_family: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// Reads one object, not those inside it.
    pub recognise: fn(&Map<String, serde_json::Value>) -> Option<Envelope>,
}

/// All recognisers of JSON objects, the most distinctive first.
pub static OBJECT_RECOGNISERS: &[ObjectRecogniser] =
    &[matrix::EVENTS, nostr::EVENTS, jose::OBJECTS, session::REQUESTS, keyed::OBJECTS];

/// All recognisers, the most distinctive first.
pub static RECOGNISERS: &[Recogniser] = &[
    signal::MESSAGES,
    signal_app::ENVELOPES,
    snapchat::REQUESTS,
    olm::MESSAGES,
    omemo::KEYS,
    mls::MESSAGES,
    proteus::MESSAGES,
    age::FILES,
    saltpack::BINARY,
    otr::BINARY,
    session::ENVELOPES,
    proteus::FAN_OUT,
    messengers::XMTP,
    messengers::TELEGRAM,
    messengers::THREEMA,
    messengers::SIMPLEX,
    imessage::PAYLOADS,
    whatsapp::NODES,
    carriers::ZRTP,
    carriers::FERNET,
    carriers::RCS,
    cms::CONTENT,
    openpgp::PACKETS,
    cose::MESSAGES,
    omemo::STANZAS,
    xmpp::STANZAS,
    xmpp::LINKS,
    xmlenc::ELEMENTS,
    otr::TEXTS,
    saltpack::ARMOR,
    armor::BLOCKS,
    armor::SMIME,
    jose::TOKENS,
    nostr::CONTENTS,
    otr::FISH,
    carriers::SDES,
    messengers::GATEWAY,
    messengers::TOX,
    OBJECT,
];

/// The first recogniser for bytes that is sure enough to stand without its carrier.
pub fn recognise_binary(bytes: &[u8]) -> Option<Envelope> {
    first(Form::Binary, bytes)
}

/// The first recogniser for text that is sure enough to stand without its carrier.
pub fn recognise_text(text: &str) -> Option<Envelope> {
    first(Form::Text, text.trim().as_bytes())
}

/// What one family makes of `bytes` where the carrier names the family; the only way to a match of
/// the third tier.
pub fn recognise_as(family: &str, bytes: &[u8]) -> Option<Envelope> {
    RECOGNISERS.iter().filter(|r| r.format_family == family).find_map(|r| (r.recognise)(bytes))
}

/// What a JSON object is. Objects inside it are not looked at: a matching child has its own place.
pub fn recognise_object(object: &Map<String, serde_json::Value>) -> Option<Envelope> {
    OBJECT_RECOGNISERS.iter().filter_map(|r| (r.recognise)(object)).find(|e| e.tier != Tier::T3)
}

/// The row for a text that is one JSON object.
const OBJECT: Recogniser = Recogniser {
    format_family: "json-object",
    title: "Envelopes in JSON",
    tries: Form::Text,
    recognise: object,
};

fn object(bytes: &[u8]) -> Option<Envelope> {
    if bytes.first() != Some(&b'{') || bytes.last() != Some(&b'}') {
        return None;
    }
    recognise_object(&serde_json::from_slice(bytes).ok()?)
}

fn first(form: Form, bytes: &[u8]) -> Option<Envelope> {
    let rows = RECOGNISERS.iter().filter(|r| r.tries == form);
    rows.filter_map(|r| (r.recognise)(bytes)).find(|e| e.tier != Tier::T3)
}
