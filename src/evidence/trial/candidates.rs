//! What could be a key: raw bytes, hexadecimal, base64, tokens of a text, a link's fragment, a media
//! description's key, PEM, and what a message calls a password.

use super::Secret;
use crate::bytes::unhex;
use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::sync::LazyLock;

/// Longest text that is searched for keys.
pub const LONGEST_TEXT: usize = 4096;

/// Words that introduce a password in a message.
const CALLS: [&str; 14] = [
    "password",
    "passwort",
    "passphrase",
    "passcode",
    "pass",
    "pwd",
    "pin",
    "code",
    "key",
    "secret",
    "contraseña",
    "kennwort",
    "mot de passe",
    "пароль",
];

/// Reads opaque bytes as a key: 16 to 64 of them, varied enough.
pub fn of_bytes(bytes: &[u8]) -> Vec<Secret> {
    let text = bytes.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    if text || !is_key(bytes) {
        return Vec::new();
    }
    vec![Secret::Key(bytes.to_vec())]
}

/// Reads a text for keys in it.
pub fn of_text(text: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    if text.len() > LONGEST_TEXT {
        return found;
    }
    let trimmed = text.trim();
    if let Some(bytes) = pem(trimmed) {
        add(&mut found, Secret::Key(bytes));
    }
    for token in tokens(trimmed).filter(|t| (16..=172).contains(&t.len())) {
        // `key=VALUE`: padding is taken off first, so that what is left of it is a name.
        let core = token.trim_end_matches('=');
        let value = core.rsplit_once('=').map_or(core, |(_, v)| v);
        if let Some(bytes) = decoded(value).filter(|b| is_key(b)) {
            add(&mut found, Secret::Key(bytes));
        } else if value.is_ascii()
            && is_key(value.as_bytes())
            && matches!(value.len(), 16 | 24 | 32)
            && mixed(value)
        {
            add(&mut found, Secret::Key(value.as_bytes().to_vec()));
        }
    }
    for word in passwords(trimmed) {
        add(&mut found, Secret::Password(word));
    }
    found
}

/// Where a text falls into words that could be keys.
fn is_between(b: u8) -> bool {
    b.is_ascii_whitespace() || b == 0x0b || b"\"'<>(){}[],;|&?#:".contains(&b)
}

static BETWEEN: LazyLock<[bool; 256]> = LazyLock::new(|| std::array::from_fn(|b| is_between(b as u8)));

/// The words of a text. White space beyond ASCII stands in no key and need not part them.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let between: &[bool; 256] = &BETWEEN;
    // Cut at ASCII only, so every part is UTF-8.
    text.as_bytes().split(|b| between[usize::from(*b)]).filter_map(|t| std::str::from_utf8(t).ok())
}

/// A field that is called a password or passphrase holds one, whatever it looks like.
pub fn of_credential(text: &str) -> Option<Secret> {
    let text = text.trim();
    (4..=128).contains(&text.len()).then(|| Secret::Password(text.to_owned()))
}

fn add(found: &mut Vec<Secret>, secret: Secret) {
    if !found.contains(&secret) {
        found.push(secret);
    }
}

/// Letters of both cases and digits: a word is none of these, a key of printable characters is.
fn mixed(text: &str) -> bool {
    let has = |f: fn(&u8) -> bool| text.as_bytes().iter().any(f);
    has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let coded = |b: u8| b.is_ascii_alphanumeric() || b"+/-_".contains(&b);
    if !text.bytes().all(coded) {
        return None;
    }
    unhex(text).or_else(|| STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok())
}

/// The body of a PEM block, where it is as short as a symmetric key.
fn pem(text: &str) -> Option<Vec<u8>> {
    let rest = text.strip_prefix("-----BEGIN ")?;
    let (_, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END")?;
    let body: String = body.chars().filter(|c| !c.is_whitespace() && *c != '=').collect();
    STANDARD_NO_PAD.decode(body).ok().filter(|b| is_key(b))
}

/// The words that introduce a password, in small letters and, beyond ASCII, in capitals too.
static INTRODUCTIONS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let capitals = CALLS.iter().map(|c| c.to_uppercase());
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(CALLS.iter().map(|c| (*c).to_owned()).chain(capitals))
        .expect("a short list of words makes an automaton")
});

/// The words after "the password is".
fn passwords(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if text.len() > 512 {
        return found;
    }
    let mut called = [None; CALLS.len()];
    for word in INTRODUCTIONS.find_overlapping_iter(text) {
        let (call, end) = (word.pattern().as_usize() % CALLS.len(), word.end());
        called[call].get_or_insert(end);
    }
    for rest in called.into_iter().flatten().filter_map(|end| text.get(end..)) {
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || ":=-".contains(c));
        let rest = ["is ", "ist ", "es ", "est "].iter().find_map(|w| rest.strip_prefix(w)).unwrap_or(rest);
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || ":=\"'".contains(c));
        let line = rest.lines().next().unwrap_or("").trim();
        let word = line.split_whitespace().next().unwrap_or("");
        let bare = |t: &str| t.trim_matches(|c: char| "\"'.,;!".contains(c)).to_owned();
        found.extend([bare(word), bare(line)]);
    }
    found.retain(|w| (4..=128).contains(&w.len()));
    found.dedup();
    found
}

/// 16 to 64 bytes, at least half of them different.
pub fn is_key(bytes: &[u8]) -> bool {
    if !(16..=64).contains(&bytes.len()) {
        return false;
    }
    let mut seen = [false; 256];
    bytes.iter().for_each(|b| seen[usize::from(*b)] = true);
    seen.iter().filter(|s| **s).count() * 2 > bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Vec<u8> {
        (0..32u8).map(|i| i.wrapping_mul(73).wrapping_add(5)).collect()
    }

    #[test]
    fn a_key_is_found_in_every_dress() {
        let key = key();
        let hex: String = key.iter().map(|b| format!("{b:02x}")).collect();
        let (plain, url) = (STANDARD_NO_PAD.encode(&key), URL_SAFE_NO_PAD.encode(&key));
        let texts = [
            hex.clone(),
            hex.to_uppercase(),
            plain.clone(),
            format!("{plain}="),
            format!("https://f.example/x?id=7#key={url}"),
            format!("https://f.example/x#{url}"),
            format!("take this: {plain}, and keep it"),
            format!("{{\"kty\":\"oct\",\"k\":\"{url}\"}}"),
            format!("a=crypto:1 AES_CM inline:{plain}|2^31"),
            format!("-----BEGIN SECRET KEY-----\n{plain}=\n-----END SECRET KEY-----"),
        ];
        for text in texts {
            assert!(of_text(&text).contains(&Secret::Key(key.clone())), "{text}");
        }
        assert_eq!(of_bytes(&key), [Secret::Key(key.clone())]);
    }

    #[test]
    fn words_are_no_keys_but_passwords_are_heard() {
        assert_eq!(of_text("see you at six"), []);
        assert_eq!(of_bytes(b"a text of thirty-two characters."), []);
        let heard = |text: &str, word: &str| of_text(text).contains(&Secret::Password(word.into()));
        assert!(heard("the password is Tr0ub4dor&3, do not lose it", "Tr0ub4dor&3"));
        assert!(heard("Passwort: sieben sieben acht", "sieben sieben acht"));
        assert_eq!(of_text("correct-horse"), []);
        assert_eq!(of_credential(" correct-horse "), Some(Secret::Password("correct-horse".into())));
    }
}
