//! What could be a key: raw bytes, hexadecimal, base64, tokens of a text, a link's fragment, a media
//! description's key, PEM, and what a message calls a password.

use super::Secret;
use super::names::{self, Named};
use super::pieces;
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

/// A secret that was read, and what the words before it call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The secret.
    pub secret: Secret,
    /// What introduces it.
    pub called: Named,
    /// How it was read.
    pub reading: Reading,
}

/// How a secret was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// As such values mostly are.
    Usual,
    /// As it is written, although it also decodes: worth a trial only where it is called a key.
    Written,
}

/// Reads opaque bytes as a key: as many as a cipher takes, varied enough.
pub fn of_bytes(bytes: &[u8]) -> Vec<Read> {
    let text = bytes.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    let keys = match (text, is_key(bytes)) {
        (true, _) => Vec::new(),
        (false, true) => vec![bytes],
        (false, false) => pieces::keys(bytes),
    };
    let read = |key: &[u8]| Read {
        secret: Secret::Key(key.to_vec()),
        called: Named::Nothing,
        reading: Reading::Usual,
    };
    keys.into_iter().map(read).collect()
}

/// Reads a text for keys in it.
pub fn of_text(text: &str) -> Vec<Read> {
    let mut found = Vec::new();
    if text.len() > LONGEST_TEXT {
        return found;
    }
    let trimmed = text.trim();
    if let Some(bytes) = pem(trimmed) {
        let called = if trimmed.contains(" PUBLIC ") { Named::Other } else { Named::Secret };
        add(&mut found, Secret::Key(bytes), called, Reading::Usual);
    }
    for (token, intro) in introduced(trimmed).filter(|(t, _)| (16..=172).contains(&t.len())) {
        of_token(&mut found, token, intro);
    }
    for (word, called) in passwords(trimmed) {
        add(&mut found, Secret::Password(word), called, Reading::Usual);
    }
    found
}

/// One word of a text, and what introduces it.
fn of_token(found: &mut Vec<Read>, token: &str, intro: Intro<'_>) {
    // `key=VALUE`: padding is taken off first, so that what is left of it is a name.
    let core = token.trim_end_matches('=');
    let (intro, value) = match core.rsplit_once('=') {
        Some((name, value)) => (Intro::Name(name), value),
        None => (intro, core),
    };
    if let Some(bytes) = uuid(value) {
        let called = if intro.named() == Named::Secret { Named::Secret } else { Named::Other };
        return add(found, Secret::Key(bytes), called, Reading::Usual);
    }
    let decoded = decoded(value).filter(|b| is_key(b));
    let printable =
        matches!(value.len(), 16 | 24 | 32) && value.is_ascii() && is_key(value.as_bytes()) && mixed(value);
    if !printable && decoded.is_none() {
        return;
    }
    let called = intro.named();
    if printable {
        let reading = if decoded.is_some() { Reading::Written } else { Reading::Usual };
        add(found, Secret::Key(value.as_bytes().to_vec()), called, reading);
    }
    if let Some(bytes) = decoded {
        let called = if called == Named::Nothing && is_words(value) { Named::Other } else { called };
        add(found, Secret::Key(bytes), called, Reading::Usual);
    }
}

/// Base64 of a key has letters of both cases, but for one in a hundred thousand of the shortest: paths and
/// names joined by hyphens have not.
fn is_words(text: &str) -> bool {
    let has = |f: fn(&u8) -> bool| text.as_bytes().iter().any(f);
    unhex(text).is_none() && !(has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase))
}

/// The 16 bytes of a UUID (RFC 9562): an identifier, hardly ever a key.
fn uuid(text: &str) -> Option<Vec<u8>> {
    if text.len() != 36 {
        return None;
    }
    let groups: Vec<&str> = text.split('-').collect();
    let lengths = groups.iter().map(|g| g.len());
    if !lengths.eq([8, 4, 4, 4, 12]) {
        return None;
    }
    unhex(&groups.concat())
}

/// Where a text falls into words that could be keys.
fn is_between(b: u8) -> bool {
    b.is_ascii_whitespace() || b == 0x0b || b"\"'<>(){}[],;|&?#:".contains(&b)
}

static BETWEEN: LazyLock<[bool; 256]> = LazyLock::new(|| std::array::from_fn(|b| is_between(b as u8)));

/// What stands before a word.
#[derive(Debug, Clone, Copy)]
enum Intro<'a> {
    /// Nothing that says what it is.
    None,
    /// The mark of a link's fragment, which is not sent to a server.
    Fragment,
    /// A name: before a colon, an equals sign or "is".
    Name(&'a str),
}

impl Intro<'_> {
    fn named(self) -> Named {
        match self {
            Intro::Fragment => Named::Secret,
            Intro::Name(name) if name.len() <= LONGEST_NAME => names::word(&name.to_ascii_lowercase()),
            _ => Named::Nothing,
        }
    }
}

/// The words of a text, each with what stands before it. White space beyond ASCII stands in no key and need
/// not part words.
fn introduced(text: &str) -> impl Iterator<Item = (&str, Intro<'_>)> {
    let between: &[bool; 256] = &BETWEEN;
    let bytes = text.as_bytes();
    let (mut at, mut before, mut verb) = (0, "", false);
    std::iter::from_fn(move || {
        let start = at + bytes.get(at..)?.iter().position(|b| !between[usize::from(*b)])?;
        let rest = bytes.get(start..)?;
        let end = start + rest.iter().position(|b| between[usize::from(*b)]).unwrap_or(rest.len());
        // Cut at ASCII only, so every part is UTF-8.
        let (gap, token) = (bytes.get(at..start)?, text.get(start..end)?);
        let intro = match () {
            () if gap.ends_with(b"#") => Intro::Fragment,
            () if verb || gap.contains(&b':') => Intro::Name(before),
            () => Intro::None,
        };
        verb = VERBS.contains(&token);
        if !verb {
            before = token;
        }
        at = end;
        Some((token, intro))
    })
}

/// Longest word that is taken for the name of what follows it.
const LONGEST_NAME: usize = 32;
/// Words between a name and what it names.
const VERBS: [&str; 4] = ["is", "ist", "es", "est"];

/// A field that is called a password or passphrase holds one, whatever it looks like.
pub fn of_credential(text: &str) -> Option<Secret> {
    let text = text.trim();
    (4..=128).contains(&text.len()).then(|| Secret::Password(text.to_owned()))
}

fn add(found: &mut Vec<Read>, secret: Secret, called: Named, reading: Reading) {
    match found.iter_mut().find(|r| r.secret == secret) {
        Some(known) => {
            known.called = known.called.min(called);
            known.reading = known.reading.min(reading);
        }
        None => found.push(Read { secret, called, reading }),
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

/// The words after "the password is". A call that is no word of its own ("encode") calls nothing.
fn passwords(text: &str) -> Vec<(String, Named)> {
    let mut found = Vec::new();
    if text.len() > 512 {
        return found;
    }
    let mut called = [None; CALLS.len()];
    for word in INTRODUCTIONS.find_overlapping_iter(text) {
        let call = word.pattern().as_usize() % CALLS.len();
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let inside = is_letter(text.get(..word.start()).and_then(|t| t.chars().next_back()))
            || is_letter(text.get(word.end()..).and_then(|t| t.chars().next()));
        called[call].get_or_insert((word.end(), if inside { Named::Nothing } else { Named::Secret }));
    }
    for (rest, named) in called.into_iter().flatten().filter_map(|(end, n)| Some((text.get(end..)?, n))) {
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || ":=-".contains(c));
        let rest = ["is ", "ist ", "es ", "est "].iter().find_map(|w| rest.strip_prefix(w)).unwrap_or(rest);
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || ":=\"'".contains(c));
        let line = rest.lines().next().unwrap_or("").trim();
        let word = line.split_whitespace().next().unwrap_or("");
        let bare = |t: &str| t.trim_matches(|c: char| "\"'.,;!".contains(c)).to_owned();
        found.extend([(bare(word), named), (bare(line), named)]);
    }
    found.retain(|(w, _)| (4..=128).contains(&w.len()));
    found.dedup();
    found
}

/// As many bytes as some cipher takes for a key, alone (16, 24, 32), two in one (48, 64) or behind a nonce
/// (44, 48), and at least half of them different.
pub fn is_key(bytes: &[u8]) -> bool {
    if !matches!(bytes.len(), 16 | 24 | 32 | 44 | 48 | 64) {
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
            assert!(secrets(&text).contains(&Secret::Key(key.clone())), "{text}");
        }
        assert_eq!(
            of_bytes(&key),
            [Read { secret: Secret::Key(key.clone()), called: Named::Nothing, reading: Reading::Usual }]
        );
    }

    fn secrets(text: &str) -> Vec<Secret> {
        of_text(text).into_iter().map(|r| r.secret).collect()
    }

    #[test]
    fn what_stands_before_a_value_says_what_it_is() {
        let url = URL_SAFE_NO_PAD.encode(key());
        let called = |text: String| {
            let all = of_text(&text);
            all.iter().find(|r| r.secret == Secret::Key(key())).map(|r| r.called)
        };
        let texts = [
            (format!("https://f.example/x#{url}"), Named::Secret),
            (format!("https://f.example/x?v=1&key={url}"), Named::Secret),
            (format!("{{\"alg\":\"A256CTR\",\"k\":\"{url}\"}}"), Named::Secret),
            (format!("the key is {url}"), Named::Secret),
            (format!("a=crypto:1 AES_CM inline:{url}"), Named::Secret),
            (format!("look at {url} there"), Named::Nothing),
            (format!("session_id={url}; path=/"), Named::Other),
            (format!("\"etag\": \"{url}\""), Named::Other),
        ];
        for (text, named) in texts {
            assert_eq!(called(text.clone()), Some(named), "{text}");
        }
        let uuid = of_text("9f4b1c02-7d3e-4a55-8b6f-0c1d2e3f4a5b");
        assert!(uuid.iter().all(|r| r.called == Named::Other) && uuid.len() == 1, "{uuid:?}");
        let path = of_text("/media/v3/download/thumbnails/of");
        let usual = path.iter().filter(|r| r.reading == Reading::Usual);
        assert!(usual.clone().count() == 1 && usual.clone().all(|r| r.called == Named::Other), "{path:?}");
    }

    #[test]
    fn what_no_cipher_takes_is_no_key() {
        let bytes: Vec<u8> = (0..64u8).map(|i| i.wrapping_mul(73).wrapping_add(5)).collect();
        let fits: Vec<usize> = (0..=64).filter(|n| is_key(&bytes[..*n])).collect();
        assert_eq!(fits, [16, 24, 32, 44, 48, 64]);
    }

    #[test]
    fn words_are_no_keys_but_passwords_are_heard() {
        assert_eq!(secrets("see you at six"), []);
        assert_eq!(of_bytes(b"a text of thirty-two characters."), []);
        let heard = |text: &str, word: &str| secrets(text).contains(&Secret::Password(word.into()));
        assert!(heard("the password is Tr0ub4dor&3, do not lose it", "Tr0ub4dor&3"));
        assert!(heard("Passwort: sieben sieben acht", "sieben sieben acht"));
        assert_eq!(secrets("correct-horse"), []);
        assert_eq!(of_credential(" correct-horse "), Some(Secret::Password("correct-horse".into())));
    }
}
