//! Contents by digest: texts, their beginnings, links, hashes and files. Nothing else of them is remembered.

use super::Digest;
use crate::bytes::unhex;
use crate::model::{Memo, media_head};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

/// Shortest and longest text in bytes; below it chance and habit say the same.
const TEXT: std::ops::RangeInclusive<usize> = 16..=4096;

thread_local! {
    /// The contents of fields met lately.
    static SEEN: RefCell<Memo<Rc<[Digest]>>> = RefCell::default();
}

/// The contents that a field may repeat: a text, also behind the name of who said it; a link; a hash.
pub(super) fn seen_digests(bytes: &[u8]) -> Rc<[Digest]> {
    SEEN.with_borrow_mut(|seen| seen.answer(0, bytes, || digests(bytes).into()))
}

fn digests(bytes: &[u8]) -> Vec<Digest> {
    let mut all = Vec::new();
    match std::str::from_utf8(bytes) {
        Ok(text) if tells(text) => {
            all.push(of_text(text));
            all.extend(cut_off(text).and_then(of_cut));
            if let Some((_, said)) = text.split_once(": ").filter(|(_, t)| tells(t)) {
                all.push(of_text(said));
                all.extend(cut_off(said).and_then(of_cut));
            }
        }
        Ok(text) if text.len() <= 64 && hash_in(text).is_some() => {
            all.extend(hash_in(text).map(|h| of_hash(&h)))
        }
        Ok(text) if TEXT.contains(&text.len()) => all.extend(link(text.trim()).map(of_link)),
        Err(_) if matches!(bytes.len(), 16 | 20 | 32) => all.push(of_hash(bytes)),
        _ => {}
    }
    all
}

/// Whether a text is long and varied enough that chance does not say it twice: three words, or as much in a
/// script without spaces.
pub(super) fn tells(text: &str) -> bool {
    let text = text.trim();
    if !TEXT.contains(&text.len()) {
        return false;
    }
    let wide = text.bytes().filter(|b| *b >= 0x80).count();
    if text.split_whitespace().take(3).count() < 3 && wide < 24 {
        return false;
    }
    let mut seen = [false; 256];
    text.bytes().filter(|b| !std::mem::replace(&mut seen[usize::from(*b)], true)).nth(7).is_some()
}

/// A link that names more than a host.
pub(super) fn link(token: &str) -> Option<&str> {
    let token = token.trim_matches(|c: char| "\"'<>()[].,;!?".contains(c));
    let rest = token.strip_prefix("https://").or_else(|| token.strip_prefix("http://"))?;
    let (_, path) = rest.split_once('/')?;
    (path.len() >= 4 && TEXT.contains(&token.len()) && !token.contains(char::is_whitespace)).then_some(token)
}

/// A hash of 16, 20 or 32 bytes in hexadecimal or base64.
fn hash_in(text: &str) -> Option<Vec<u8>> {
    let core = text.trim().trim_end_matches('=');
    match core.len() {
        32 | 40 | 64 => unhex(core),
        22 | 27 | 43 => STANDARD_NO_PAD.decode(core).or_else(|_| URL_SAFE_NO_PAD.decode(core)).ok(),
        _ => None,
    }
}

/// Case and spaces are no difference.
pub(super) fn of_text(text: &str) -> Digest {
    short(Sha256::new().chain_update(b"text ").chain_update(plain(text).as_bytes()))
}

pub(super) fn of_link(link: &str) -> Digest {
    short(Sha256::new().chain_update(b"link").chain_update(link.as_bytes()))
}

pub(super) fn of_hash(raw: &[u8]) -> Digest {
    short(Sha256::new().chain_update(b"hash").chain_update(raw))
}

fn short(hasher: Sha256) -> Digest {
    let whole = hasher.finalize();
    std::array::from_fn(|i| whole.get(i).copied().unwrap_or(0))
}

/// Characters of a text's beginning that are compared: as many as a cut text still has.
const CUTS: [usize; 5] = [96, 80, 64, 52, 40];

/// What is left of a text that ends in an ellipsis.
fn cut_off(text: &str) -> Option<&str> {
    let text = text.trim_end().trim_end_matches([']', ')']);
    let core = text.strip_suffix('…').or_else(|| text.strip_suffix("..."))?;
    Some(core.trim_end_matches(|c: char| c.is_whitespace() || ".…[(".contains(c)))
}

/// The longest beginning of a cut text that is compared.
fn of_cut(left: &str) -> Option<Digest> {
    let plain = plain(left);
    let length = plain.chars().count();
    let most = CUTS.into_iter().find(|n| *n <= length)?;
    tells(left).then(|| of_beginning(&plain, most))
}

/// The beginnings under which a whole text may stand elsewhere.
pub(super) fn cuts(text: &str) -> Vec<Digest> {
    let plain = plain(text);
    let length = plain.chars().count();
    // What ends where its beginning ends was not cut.
    CUTS.into_iter().filter(|n| *n < length).map(|n| of_beginning(&plain, n)).collect()
}

fn of_beginning(plain: &str, characters: usize) -> Digest {
    let end = plain.char_indices().nth(characters).map_or(plain.len(), |(at, _)| at);
    let beginning = plain.get(..end).unwrap_or(plain);
    short(
        Sha256::new()
            .chain_update(b"cut")
            .chain_update([characters as u8])
            .chain_update(beginning.as_bytes()),
    )
}

/// A text in small letters, with one space between words.
fn plain(text: &str) -> String {
    let lower: Cow<'_, str> = match text.is_ascii() {
        true => text.into(),
        false => text.to_lowercase().into(),
    };
    let mut plain = String::with_capacity(lower.len());
    for word in lower.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(word);
    }
    plain.make_ascii_lowercase();
    plain
}

/// Shortest file that is called an attachment, bytes: smaller ones are icons that everybody has.
const FILE: u64 = 512;

/// Whether bytes begin like a picture, a recording or a document: equal ciphertexts tell nobody anything.
pub(in super::super) fn is_file(bytes: &[u8]) -> bool {
    // TIFF in either order of bytes, and the documents of office programs, old and new.
    const DOCUMENTS: [&[u8]; 4] = [b"PK\x03\x04", b"II*\0", b"MM\0*", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"];
    match media_head(bytes) {
        Some((name, _)) => !matches!(name, "jpeg-2000" | "ivf" | "woff" | "woff2" | "h26x"),
        None => DOCUMENTS.iter().any(|head| bytes.starts_with(head)),
    }
}

/// The content of a file by its length and its first bytes, as far as they are kept.
pub(super) fn of_file(total: u64, bytes: &[u8]) -> Option<Digest> {
    (total >= FILE && is_file(bytes)).then(|| {
        short(Sha256::new().chain_update(b"file").chain_update(total.to_be_bytes()).chain_update(bytes))
    })
}
