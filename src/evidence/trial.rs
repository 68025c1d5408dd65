//! Keys in the wrong hands: every candidate key that a party can see is tried on the opaque fields of
//! the same recording. An authenticated success is proof.

use super::uniform::Measure;
use super::{Canaries, ConversationKey, Evidence, Kind, Polarity, Strength};
use crate::model::Origin;
use crate::peel::Guard;
use aes::cipher::{BlockCipherDecrypt, KeyInit};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ring::aead::{self, LessSafeKey, Nonce, UnboundKey};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

/// Bytes that could be a symmetric key, where somebody could see them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Candidate {
    /// Where they stood.
    pub origin: Origin,
    /// Whether the place was confidential on the wire: then the provider saw them, else everybody.
    pub guard: Guard,
    /// 16, 24 or 32 bytes.
    pub key: Vec<u8>,
}

/// An opaque field, kept for trials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Field {
    /// Where it stood.
    pub origin: Origin,
    /// The conversation it belongs to.
    pub conversation: ConversationKey,
    /// Whether it was confidential on the wire.
    pub guard: Guard,
    /// Its bytes, whole.
    pub bytes: Vec<u8>,
    /// Short fields of the same message that may be its nonce or tag.
    pub nearby: Vec<Vec<u8>>,
}

/// A field that a visible key opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Index of the field.
    pub field: usize,
    /// Index of the candidate.
    pub candidate: usize,
    /// Algorithm and layout, for people.
    pub how: &'static str,
    /// What came out.
    pub plaintext: Vec<u8>,
}

/// Longest field that is kept and tried.
pub const LONGEST: usize = 8 << 10;
/// Trials of one audit.
const TRIALS: usize = 400_000;

/// Keeps the earliest of a list, whatever order it came in.
pub(super) fn bounded<T: Ord>(list: &mut Vec<T>, most: usize, time: impl Fn(&T) -> crate::model::Timestamp) {
    list.sort_by(|a, b| (time(a), a).cmp(&(time(b), b)));
    list.truncate(most);
}

/// Reads a field's bytes as candidate keys: raw, hexadecimal or base64 of 16, 24 or 32 bytes that are
/// varied enough to be a key.
pub fn candidate(bytes: &[u8]) -> Option<Vec<u8>> {
    if is_key(bytes) && !bytes.iter().all(|b| b.is_ascii_graphic()) {
        return Some(bytes.to_vec());
    }
    if bytes.len() > 64 {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let decoded = match unhex(text) {
        Some(d) => d,
        None => {
            let core = text.trim_end_matches('=');
            STANDARD_NO_PAD.decode(core).or_else(|_| URL_SAFE_NO_PAD.decode(core)).ok()?
        }
    };
    is_key(&decoded).then_some(decoded)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.is_empty() {
        return None;
    }
    let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    text.as_bytes().chunks_exact(2).map(|p| Some(digit(p[0])? << 4 | digit(p[1])?)).collect()
}

/// A key's length, and at least half of its bytes different.
fn is_key(bytes: &[u8]) -> bool {
    if !matches!(bytes.len(), 16 | 24 | 32) {
        return false;
    }
    let mut seen = [false; 256];
    bytes.iter().for_each(|b| seen[*b as usize] = true);
    seen.iter().filter(|s| **s).count() * 2 > bytes.len()
}

/// Tries every candidate on every field, within bounds. At most one opening per field.
pub fn try_all(candidates: &[Candidate], fields: &[Field]) -> Vec<Opened> {
    let mut opened = Vec::new();
    let mut left = TRIALS;
    // A key that opened one field most likely opens the next: it goes first. The same key in a second
    // place opens nothing more.
    let mut distinct = FxHashSet::default();
    let mut order: Vec<(usize, Lock)> = (candidates.iter().enumerate())
        .filter(|(_, c)| distinct.insert(&c.key))
        .map(|(i, c)| (i, Lock::new(&c.key)))
        .collect();
    let mut scratch = Vec::new();
    for (f, field) in fields.iter().enumerate().filter(|(_, f)| is_ciphertext(&f.bytes)) {
        let layouts = layouts(field);
        for place in 0..order.len() {
            if left == 0 {
                return opened;
            }
            left -= 1;
            let (c, lock) = &order[place];
            if let Some((how, plaintext)) = lock.open(field, &layouts, &mut scratch) {
                opened.push(Opened { field: f, candidate: *c, how, plaintext });
                order[..=place].rotate_right(1);
                break;
            }
        }
    }
    opened
}

/// Ciphertext passes for uniform. The bound is far below what uniform bytes ever show, and short fields
/// are always tried.
fn is_ciphertext(bytes: &[u8]) -> bool {
    bytes.len() < 64 || Measure::of(bytes).z > -8.0
}

/// What an opening shows: the key in sight, and any planted text that came out.
pub fn evidence(
    opened: &Opened,
    candidates: &[Candidate],
    fields: &[Field],
    canaries: &Canaries,
) -> Vec<(ConversationKey, Evidence)> {
    let (Some(field), Some(candidate)) = (fields.get(opened.field), candidates.get(opened.candidate)) else {
        return Vec::new();
    };
    let party = if candidate.guard == Guard::Open { "network" } else { "provider" };
    let record = |kind, guard| Evidence {
        kind,
        strength: Strength::Proof,
        polarity: Polarity::Against,
        guard,
        origin: field.origin.clone(),
        count: 1,
        shown: None,
    };
    let sight = Kind::KeyInSight {
        how: opened.how.to_owned(),
        party: party.to_owned(),
        key_at: format!(
            "{} {}, frame {}",
            candidate.origin.layers, candidate.origin.field, candidate.origin.frame.frame
        ),
    };
    // Whoever sees both the key and the ciphertext reads the text: the network only where both are open.
    let guard = candidate.guard.max(field.guard);
    let mut all = vec![(field.conversation.clone(), record(sight, guard))];
    for hit in canaries.find(&opened.plaintext) {
        let control = canaries.list.get(hit.canary as usize).is_some_and(|c| c.control);
        let mut chain = vec![opened.how.to_owned()];
        chain.extend(hit.encoding.map(str::to_owned));
        let kind = Kind::Canary { canary: hit.canary, control, chain, slot: None };
        all.push((field.conversation.clone(), record(kind, guard)));
    }
    all
}

/// A candidate key, set up once for all ciphers that take a key of its length.
struct Lock {
    aeads: Vec<(LessSafeKey, &'static str)>,
    cipher: Option<Cipher>,
}

/// AES as a block cipher.
enum Cipher {
    Aes128(Box<aes::Aes128>),
    Aes192(Box<aes::Aes192>),
    Aes256(Box<aes::Aes256>),
}

impl Lock {
    fn new(key: &[u8]) -> Self {
        let algorithms: &[(&'static aead::Algorithm, &'static str)] = match key.len() {
            16 => &[(&aead::AES_128_GCM, "AES-128-GCM")],
            32 => &[(&aead::AES_256_GCM, "AES-256-GCM"), (&aead::CHACHA20_POLY1305, "ChaCha20-Poly1305")],
            _ => &[],
        };
        let set_up = |algorithm| UnboundKey::new(algorithm, key).ok().map(LessSafeKey::new);
        let aeads = algorithms.iter().filter_map(|(a, name)| Some((set_up(a)?, *name))).collect();
        let cipher = match key.len() {
            16 => aes::Aes128::new_from_slice(key).ok().map(|k| Cipher::Aes128(Box::new(k))),
            24 => aes::Aes192::new_from_slice(key).ok().map(|k| Cipher::Aes192(Box::new(k))),
            32 => aes::Aes256::new_from_slice(key).ok().map(|k| Cipher::Aes256(Box::new(k))),
            _ => None,
        };
        Self { aeads, cipher }
    }

    /// Tries the usual authenticated ciphers in the usual layouts, then the unauthenticated ones where
    /// the result itself convinces.
    fn open(
        &self,
        field: &Field,
        layouts: &[Layout<'_>],
        scratch: &mut Vec<u8>,
    ) -> Option<(&'static str, Vec<u8>)> {
        for (key, name) in &self.aeads {
            for layout in layouts {
                scratch.clear();
                scratch.extend_from_slice(layout.body);
                scratch.extend_from_slice(layout.tag);
                let nonce = Nonce::assume_unique_for_key(layout.nonce);
                if let Ok(plain) = key.open_in_place(nonce, aead::Aad::empty(), scratch) {
                    return Some((name, plain.to_vec()));
                }
            }
        }
        self.cbc(field)
    }

    /// AES-CBC has no tag: only a full PKCS#7 padding over readable text convinces.
    fn cbc(&self, field: &Field) -> Option<(&'static str, Vec<u8>)> {
        let cipher = self.cipher.as_ref()?;
        let own = field.bytes.split_at_checked(16);
        let near = field.nearby.iter().filter(|n| n.len() == 16).map(|n| (n.as_slice(), &*field.bytes));
        own.into_iter().chain(near).find_map(|(iv, body)| {
            if body.is_empty() || !body.len().is_multiple_of(16) {
                return None;
            }
            // The last block alone tells of a wrong key.
            let last = body.len() - 16;
            let before = if last == 0 { iv } else { &body[last - 16..last] };
            padding(&cipher.undo(before, &body[last..]))?;
            let mut plain = cipher.undo(iv, body);
            let keep = plain.len() - padding(&plain)?;
            plain.truncate(keep);
            let text = std::str::from_utf8(&plain).ok()?;
            let readable = keep >= 8 && !text.chars().any(|c| c.is_control() && !c.is_whitespace());
            readable.then_some(("AES-CBC", plain))
        })
    }
}

/// Length of a PKCS#7 padding (RFC 5652 section 6.3).
fn padding(plain: &[u8]) -> Option<usize> {
    let pad = *plain.last()?;
    let keep = plain.len().checked_sub(usize::from(pad)).filter(|_| (1..=16).contains(&pad))?;
    plain[keep..].iter().all(|b| *b == pad).then_some(usize::from(pad))
}

/// Where nonce, ciphertext and tag lie.
struct Layout<'a> {
    nonce: [u8; 12],
    body: &'a [u8],
    tag: &'a [u8],
}

/// Nonce and ciphertext-with-tag in the layouts that apps use.
fn layouts(field: &Field) -> Vec<Layout<'_>> {
    let mut all = Vec::new();
    let bytes = field.bytes.as_slice();
    // A version byte or two may stand in front.
    for lead in 0..3usize {
        if let Some((nonce, body)) = bytes.get(lead..).and_then(|b| b.split_first_chunk::<12>()) {
            all.push(Layout { nonce: *nonce, body, tag: &[] });
        }
    }
    if let Some((body, nonce)) = bytes.split_last_chunk::<12>() {
        all.push(Layout { nonce: *nonce, body, tag: &[] });
    }
    for near in &field.nearby {
        let Ok(nonce) = <[u8; 12]>::try_from(near.as_slice()) else { continue };
        all.push(Layout { nonce, body: bytes, tag: &[] });
        for tag in field.nearby.iter().filter(|t| t.len() == 16) {
            all.push(Layout { nonce, body: bytes, tag });
        }
    }
    all.retain(|l| l.body.len() + l.tag.len() >= 17);
    all
}

impl Cipher {
    /// Undoes CBC from `iv` on.
    fn undo(&self, iv: &[u8], body: &[u8]) -> Vec<u8> {
        match self {
            Cipher::Aes128(cipher) => blocks(&**cipher, iv, body),
            Cipher::Aes192(cipher) => blocks(&**cipher, iv, body),
            Cipher::Aes256(cipher) => blocks(&**cipher, iv, body),
        }
    }
}

fn blocks<C: BlockCipherDecrypt>(cipher: &C, iv: &[u8], body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(body.len());
    let mut previous = iv;
    for chunk in body.chunks_exact(16) {
        let Ok(mut block) = aes::cipher::Block::<C>::try_from(chunk) else { return plain };
        cipher.decrypt_block(&mut block);
        plain.extend(block.iter().zip(previous).map(|(a, b)| a ^ b));
        previous = chunk;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Content;
    use crate::model::{Side, Trust};

    fn origin() -> Origin {
        Origin {
            frame: Default::default(),
            time: Default::default(),
            flow: String::new(),
            side: Side::Client,
            layers: String::new(),
            field: String::new(),
            trust: Trust::Stated,
            length: 0,
            digest: String::new(),
        }
    }

    fn field(bytes: Vec<u8>, nearby: Vec<Vec<u8>>) -> Field {
        let conversation =
            ConversationKey { endpoint: String::new(), path: String::new(), content: Content::Opaque };
        Field { origin: origin(), conversation, guard: Guard::Confidential, bytes, nearby }
    }

    fn sealed(key: &[u8; 32], nonce: [u8; 12], text: &[u8]) -> Vec<u8> {
        let sealer = LessSafeKey::new(UnboundKey::new(&aead::AES_256_GCM, key).unwrap());
        let mut body = text.to_vec();
        sealer
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aead::Aad::empty(), &mut body)
            .unwrap();
        body
    }

    #[test]
    fn a_key_in_sight_opens_what_it_sealed_and_nothing_else() {
        let key: [u8; 32] = std::array::from_fn(|i| (i * 37 + 11) as u8);
        let nonce = *b"twelve bytes";
        let body = sealed(&key, nonce, b"see you at noon");
        let fields = [
            field([nonce.as_slice(), &body].concat(), vec![]),
            field(body.clone(), vec![nonce.to_vec()]),
            field([&[1u8], nonce.as_slice(), &body].concat(), vec![]),
            field(vec![0x5a; 60], vec![]),
        ];
        let candidates = [Candidate { origin: origin(), guard: Guard::Confidential, key: key.to_vec() }];
        let opened = try_all(&candidates, &fields);
        assert_eq!(opened.iter().map(|o| o.field).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(opened.iter().all(|o| o.plaintext == b"see you at noon"));
    }

    #[test]
    fn candidates_are_read_from_hex_and_base64_but_not_from_words() {
        let key: Vec<u8> = (0..32u8).map(|i| i.wrapping_mul(73).wrapping_add(5)).collect();
        let hex: String = key.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(candidate(hex.as_bytes()), Some(key.clone()));
        assert_eq!(candidate(STANDARD_NO_PAD.encode(&key).as_bytes()), Some(key));
        assert_eq!(candidate(b"see you at six"), None);
        assert_eq!(candidate(b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), None);
    }
}
