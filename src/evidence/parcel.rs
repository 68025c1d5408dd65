//! What leaves and what arrives: the ciphertext of every message with its size and, for two vantages, its
//! bytes; and public keys of people's identities where they are published or fetched.

use super::collector::Collector;
use super::sequence::{Marks, SEALS, Seal};
use super::{Content, ConversationKey};
use crate::model::{Arrival, Origin, Side, Timestamp, digest16};
use crate::peel::{Leaf, NodeRef};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How large one message's ciphertext was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Size {
    /// Capture time.
    pub time: Timestamp,
    /// Who sent it.
    pub side: Side,
    /// The format, so that only what is alike is compared.
    pub format: String,
    /// Bytes of ciphertext.
    pub bytes: u64,
}

/// Sizes kept of one conversation: the earliest.
pub const SIZES: usize = 1024;

/// A message at one vantage, kept to be found again at the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parcel {
    /// Where it was.
    pub origin: Origin,
    /// The conversation.
    pub conversation: ConversationKey,
    /// Message that it is part of, within its flow.
    pub scope: u64,
    /// Bytes of ciphertext, or of text.
    pub size: u64,
    /// The bytes that must arrive unchanged; empty for a readable text.
    pub bytes: Vec<u8>,
}

/// A public key that says who somebody is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// Where it was.
    pub origin: Origin,
    /// Name and port of the service.
    pub endpoint: String,
    /// What kind of key: only equal kinds are compared.
    pub kind: String,
    /// Whose it is, where the field says so: keys of one owner must be equal.
    pub owner: String,
    /// Digest of the key.
    pub digest: String,
}

/// Parcels and their bytes kept of one flow.
const PARCELS: usize = 8192;
const PARCEL_BYTES: usize = 16 << 20;
/// Identity keys kept of one flow.
const IDENTITIES: usize = 512;
/// Shortest ciphertext that is recognised by itself; of a shorter one the whole envelope is kept.
pub const ALONE: usize = 32;
/// Ciphertexts remembered, so that one is not counted twice.
const RECENT: usize = 128;
/// Longest item that is held while its envelope is read.
const ITEM: usize = 256 << 10;

/// An envelope whose node is not done yet.
#[derive(Debug, Clone)]
struct Open {
    node: u32,
    side: Side,
    format: String,
    content: Content,
    /// What the envelope was read from.
    input: Vec<u8>,
    ciphertexts: usize,
    marks: Marks,
    origin: Origin,
}

/// What a collector keeps of messages on their way.
#[derive(Debug, Clone, Default)]
pub(super) struct Parcels {
    item: (Option<Side>, Vec<u8>),
    open: Vec<Open>,
    /// Ciphertexts met lately, by message and digest.
    seen: VecDeque<(u64, String)>,
    pub parcels: Vec<Parcel>,
    pub identities: Vec<Identity>,
    held: usize,
    /// Something was not kept.
    pub full: bool,
}

impl Parcels {
    /// The marks of the envelope that is being read at a node.
    pub fn marks_of(&mut self, node: &NodeRef<'_>) -> Option<&mut Marks> {
        self.open.iter_mut().rfind(|o| o.node == node.id()).map(|o| &mut o.marks)
    }
}

impl Collector {
    /// Remembers the last item that was handed on: if an envelope is found in it, this is its input.
    pub(super) fn hold_item(&mut self, side: Side, bytes: &[u8]) {
        let item = &mut self.parcels.item;
        item.0 = Some(side);
        item.1.clear();
        item.1.extend_from_slice(bytes.get(..bytes.len().min(ITEM)).unwrap_or_default());
    }

    /// An envelope begins.
    pub(super) fn open_envelope(
        &mut self,
        node: &NodeRef<'_>,
        (format, protocol, class): (&str, &str, &str),
        origin: Origin,
    ) {
        let content = match class {
            "e2ee-message" => Content::Envelope(protocol.to_owned()),
            "symmetric" => Content::Opaque,
            "public-key" => return self.public_key(node, format, origin),
            _ => return,
        };
        let side = self.parcels.item.0.unwrap_or(origin.side);
        let input = if self.shared.vantage { self.parcels.item.1.clone() } else { Vec::new() };
        let origin = Origin { side, ..origin };
        let format = format.to_owned();
        self.parcels.open.push(Open {
            node: node.id(),
            side,
            format,
            content,
            input,
            ciphertexts: 0,
            marks: Marks::default(),
            origin,
        });
    }

    /// Ciphertext of an envelope.
    pub(super) fn ciphertext(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let Some(open) = self.parcels.open.iter_mut().rfind(|o| o.node == node.id()) else { return };
        open.ciphertexts += 1;
        let (format, content, marks) = (open.format.clone(), open.content.clone(), open.marks);
        self.seal(node, leaf, (&format, &content), marks);
        let Some(open) = self.parcels.open.iter().rfind(|o| o.node == node.id()) else { return };
        let alone = leaf.bytes.len() >= ALONE || open.input.is_empty();
        let bytes = if alone { leaf.bytes.to_vec() } else { essence(&open.input) };
        let origin = Origin {
            side: leaf.side,
            length: leaf.total,
            digest: digest16(&bytes),
            ..self.origin(node, leaf)
        };
        self.parcel(node, origin, (format, content), leaf.total, bytes);
    }

    /// What an envelope shows of the sequence it belongs to.
    fn seal(
        &mut self,
        node: &NodeRef<'_>,
        leaf: &Leaf<'_>,
        (format, content): (&str, &Content),
        marks: Marks,
    ) {
        let seal = Seal {
            time: leaf.at.time,
            frame: leaf.at.frame,
            side: leaf.side,
            format: format.to_owned(),
            chain: marks.chain,
            counter: marks.counter,
            nonce: marks.nonce,
            partner: None,
            digest: digest16(leaf.bytes),
        };
        let message = self.message(node, leaf.at);
        if matches!(content, Content::Envelope(_)) && message.seals.len() < SEALS {
            message.seals.push((content.clone(), seal));
        }
    }

    /// An opaque or readable message field.
    pub(super) fn message_field(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, content: Content) {
        let bytes = if content == Content::Text { Vec::new() } else { leaf.bytes.to_vec() };
        let origin = self.origin(node, leaf);
        self.parcel(node, origin, ("field".to_owned(), content), leaf.total, bytes);
    }

    /// An envelope ends: one without ciphertext of its own counts whole.
    pub(super) fn close_envelope(&mut self, node: &NodeRef<'_>) {
        let Some(i) = self.parcels.open.iter().rposition(|o| o.node == node.id()) else { return };
        let open = self.parcels.open.remove(i);
        if open.ciphertexts > 0 || open.input.is_empty() {
            return;
        }
        let (size, bytes) = (open.input.len() as u64, essence(&open.input));
        let origin = Origin { side: open.side, length: size, digest: digest16(&bytes), ..open.origin };
        self.parcel(node, origin, (open.format, open.content), size, bytes);
    }

    fn parcel(
        &mut self,
        node: &NodeRef<'_>,
        origin: Origin,
        (format, content): (String, Content),
        size: u64,
        bytes: Vec<u8>,
    ) {
        let at = Arrival { time: origin.time, frame: origin.frame };
        let message = self.message(node, at);
        let scope = message.scope;
        message.named = true;
        let conversation =
            ConversationKey { endpoint: message.endpoint.clone(), path: message.path.clone(), content };
        // The same ciphertext is met once in an object and once more in its field.
        let what = (scope, origin.digest.clone());
        if self.parcels.seen.contains(&what) {
            return;
        }
        self.parcels.seen.push_back(what);
        if self.parcels.seen.len() > RECENT {
            self.parcels.seen.pop_front();
        }
        if conversation.content != Content::Text {
            let one = Size { time: origin.time, side: origin.side, format, bytes: size };
            let message = self.message(node, at);
            if message.sizes.len() < SIZES {
                message.sizes.push((conversation.content.clone(), one));
            }
        }
        if !self.shared.vantage {
            return;
        }
        if self.parcels.parcels.len() >= PARCELS || self.parcels.held + bytes.len() > PARCEL_BYTES {
            self.parcels.full = true;
            return;
        }
        self.parcels.held += bytes.len();
        self.parcels.parcels.push(Parcel { origin, conversation, scope, size, bytes });
    }

    /// A field that names a key of somebody's identity, as Matrix, Signal and their kin name it.
    pub(super) fn identity_field(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, field: &str) {
        let last = field.rsplit(['.', '>']).next().unwrap_or("");
        let (kind, owner) = match last.split_once(':') {
            // Matrix: `keys.ed25519:DEVICE`, but not `signatures.@user.ed25519:DEVICE`.
            Some((kind @ ("ed25519" | "curve25519"), device))
                if field.contains(".keys.")
                    && !field.contains(".signatures.")
                    && !field.contains("one_time") =>
            {
                (format!("matrix-{kind}"), device.to_owned())
            }
            _ if matches!(last, "identityKey" | "identity_key") => ("identity-key".to_owned(), String::new()),
            _ => return,
        };
        let digest = match leaf.text().and_then(decoded) {
            Some(key) => digest16(&key),
            None if (32..=64).contains(&leaf.bytes.len()) => digest16(leaf.bytes),
            None => return,
        };
        let origin = self.origin(node, leaf);
        self.identity(node, origin, kind, owner, digest);
    }

    /// A bundle or certificate: the identity key in it, or the whole.
    fn public_key(&mut self, node: &NodeRef<'_>, format: &str, origin: Origin) {
        if !self.shared.vantage {
            return;
        }
        let input = std::mem::take(&mut self.parcels.item.1);
        let side = self.parcels.item.0.unwrap_or(origin.side);
        let origin = Origin { side, ..origin };
        let text = std::str::from_utf8(&input).unwrap_or("");
        let element = ["identityKey", "ik"].iter().find_map(|name| element(text, name));
        let digest = match element.and_then(decoded) {
            Some(key) => Some(digest16(&key)),
            None if format == "openpgp-public-key" => Some(digest16(&input)),
            None => None,
        };
        if let Some(digest) = digest {
            self.identity(node, origin, format.to_owned(), String::new(), digest);
        }
        self.parcels.item.1 = input;
    }

    fn identity(&mut self, node: &NodeRef<'_>, origin: Origin, kind: String, owner: String, digest: String) {
        let endpoint = self.endpoint(node);
        let known = |i: &Identity| {
            (&i.kind, &i.owner, &i.digest, i.origin.side) == (&kind, &owner, &digest, origin.side)
        };
        if self.parcels.identities.len() < IDENTITIES && !self.parcels.identities.iter().any(known) {
            self.parcels.identities.push(Identity { origin, endpoint, kind, owner, digest });
        }
    }
}

/// What of an envelope a relay has no reason to touch: all of it, or of a text the long tokens, since a
/// relay may quote, indent and order what stands around them anew.
fn essence(input: &[u8]) -> Vec<u8> {
    const TOKEN: usize = 16;
    let Ok(text) = std::str::from_utf8(input) else { return input.to_vec() };
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_' | '-');
    let tokens: Vec<&str> = text.split(|c: char| !part(c)).filter(|t| t.len() >= TOKEN).collect();
    match tokens.iter().map(|t| t.len()).sum::<usize>() >= ALONE {
        true => tokens.join(" ").into_bytes(),
        false => input.to_vec(),
    }
}

/// The text of the first element of that name, whatever its prefix.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at + 1..)?;
        let tag = rest.get(..rest.find('>')?)?;
        let local = tag.split([' ', '\t', '\n', '/']).next()?.rsplit(':').next()?;
        if local == name && !tag.ends_with('/') {
            let inner = rest.get(tag.len() + 1..)?;
            return inner.get(..inner.find('<')?);
        }
    }
    None
}

/// A key of 32 bytes, or of 33 with the type byte of the Signal protocol, in base64.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let core: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let core = core.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let bytes = STANDARD_NO_PAD.decode(core).ok()?;
    match (bytes.len(), bytes.first()) {
        (32, _) => Some(bytes),
        (33, Some(5)) => bytes.get(1..).map(<[u8]>::to_vec),
        _ => None,
    }
}

impl Parcel {
    /// Whether the device of this vantage sent it. The device opens its connections.
    pub fn is_sent(&self) -> bool {
        self.origin.side == Side::Client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_and_space_around_tokens_do_not_matter() {
        let key = "MwohBVsPjWyCzk+DP6u0Gw7dQc6BFZeYPfNN/mGdfhfCzCcJEAEYACIw";
        let one = format!("<encrypted xmlns='eu.siacs'><key rid='7'>{key}</key><iv>A6zC</iv></encrypted>");
        let two = one.replace('\'', "\"").replace("><", ">\n<");
        assert_eq!(essence(one.as_bytes()), essence(two.as_bytes()));
        assert_eq!(essence(one.as_bytes()), key.as_bytes());
        assert_eq!(essence(&[0xff; 40]), [0xff; 40]);
    }

    #[test]
    fn an_identity_key_is_read_whatever_its_prefix_and_type_byte() {
        let key = [7u8; 32];
        let typed: Vec<u8> = [5].into_iter().chain(key).collect();
        let xml = |k: &[u8], p: &str| {
            format!(
                "<{p}bundle><{p}spk id='1'>AAAA</{p}spk><{p}ik>{}</{p}ik></{p}bundle>",
                STANDARD_NO_PAD.encode(k)
            )
        };
        for text in [xml(&key, ""), xml(&typed, "o:")] {
            assert_eq!(element(&text, "ik").and_then(decoded), Some(key.to_vec()), "{text}");
        }
        assert_eq!(element("<ik/><a>x", "ik"), None);
        assert_eq!(decoded("AAAA"), None);
    }
}
