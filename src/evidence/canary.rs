//! The canary search: planted texts, looked for in every layer's bytes and under every usual encoding.

use super::masked::Masked;
use crate::bytes::hex;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A text that somebody typed on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// The text as typed.
    pub text: String,
    /// A name for reports.
    pub label: Option<String>,
    /// True for a text that must be visible: if it is not found, the search itself failed.
    pub control: bool,
}

impl Canary {
    /// Whether the text is long enough to be searched for; of a shorter one nothing is known.
    pub fn is_searched(&self) -> bool {
        self.text.trim().chars().count() >= SHORTEST
    }
}

/// Where in some bytes a canary begins, and the encodings it stood in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CanaryHit {
    /// Index into the audit's canaries.
    pub canary: u32,
    /// Encoding of the pattern, if it is not plain UTF-8.
    pub encoding: Option<&'static str>,
}

/// The compiled search for all canaries of an audit.
#[derive(Debug, Default)]
pub struct Canaries {
    /// What is searched for.
    pub list: Vec<Canary>,
    folded: Option<Search>,
    exact: Option<Search>,
    longest: usize,
    masked: Masked,
}

#[derive(Debug)]
struct Search {
    automaton: AhoCorasick,
    meaning: Vec<CanaryHit>,
}

/// Characters of a canary that are compared. Longer texts are recognised by their beginning, so that
/// cutting, wrapping and quoting of long messages do not hide them.
const COMPARED: usize = 40;
/// Shorter texts occur by chance and prove nothing.
const SHORTEST: usize = 6;

impl Canaries {
    /// Compiles the search. Texts under six characters are kept in the list but not searched.
    pub fn new(list: Vec<Canary>) -> Self {
        let mut folded: Vec<(Vec<u8>, CanaryHit)> = Vec::new();
        let mut exact: Vec<(Vec<u8>, CanaryHit)> = Vec::new();
        let mut texts: Vec<(u32, Vec<u8>)> = Vec::new();
        for (i, canary) in list.iter().enumerate() {
            let text: String = canary.text.trim().chars().take(COMPARED).collect();
            if !canary.is_searched() {
                continue;
            }
            texts.push((i as u32, text.as_bytes().to_vec()));
            let hit = |encoding| CanaryHit { canary: i as u32, encoding };
            for (encoding, bytes) in insensitive(&text) {
                folded.push((bytes, hit(encoding)));
            }
            for (encoding, bytes) in sensitive(&text) {
                exact.push((bytes, hit(encoding)));
            }
        }
        let longest = folded.iter().chain(&exact).map(|(p, _)| p.len()).max().unwrap_or(0);
        Self {
            list,
            folded: Search::new(folded, Case::Folded),
            exact: Search::new(exact, Case::Exact),
            longest,
            masked: Masked::new(&texts),
        }
    }

    /// Whether there is anything to search for.
    pub fn is_empty(&self) -> bool {
        self.folded.is_none() && self.exact.is_none()
    }

    /// Bytes of the longest pattern: what a search over pieces must carry over is one less.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Canaries under a XOR with any key of up to `longest` octets.
    pub fn find_masked(&self, bytes: &[u8], longest: usize) -> Vec<CanaryHit> {
        self.masked.find(bytes, longest)
    }

    /// All canaries in `bytes`, each once per encoding, in order.
    pub fn find(&self, bytes: &[u8]) -> Vec<CanaryHit> {
        let mut hits = Vec::new();
        for search in [&self.folded, &self.exact].into_iter().flatten() {
            for m in search.automaton.find_overlapping_iter(bytes) {
                if let Some(hit) = search.meaning.get(m.pattern().as_usize())
                    && !hits.contains(hit)
                {
                    hits.push(hit.clone());
                }
            }
        }
        hits.sort();
        hits
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Case {
    Folded,
    Exact,
}

impl Search {
    fn new(patterns: Vec<(Vec<u8>, CanaryHit)>, case: Case) -> Option<Self> {
        if patterns.is_empty() {
            return None;
        }
        let (patterns, meaning): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
        let automaton = AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(case == Case::Folded)
            .build(patterns)
            .ok()?;
        Some(Self { automaton, meaning })
    }
}

type Pattern = (Option<&'static str>, Vec<u8>);

/// Encodings whose letters may change case on the way.
fn insensitive(text: &str) -> Vec<Pattern> {
    let utf16 = |f: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(f).collect::<Vec<u8>>();
    let mut all: Vec<Pattern> = vec![
        (None, text.as_bytes().to_vec()),
        (Some("utf-16le"), utf16(u16::to_le_bytes)),
        (Some("utf-16be"), utf16(u16::to_be_bytes)),
        (Some("hex"), hex(text.as_bytes()).into_bytes()),
        (Some("percent"), percent(text, "%20").into_bytes()),
        (Some("percent"), percent(text, "+").into_bytes()),
        (Some("json-escape"), json_escape(text).into_bytes()),
        (Some("xml-escape"), xml_escape(text).into_bytes()),
        (Some("quoted-printable"), quoted_printable(text).into_bytes()),
        (Some("gsm-7bit"), gsm7(text)),
        (Some("reversed"), text.chars().rev().collect::<String>().into_bytes()),
        (Some("rot13"), turned(text, 13).into_bytes()),
    ];
    all.extend((1..26).filter(|n| *n != 13).map(|n| (Some("caesar"), turned(text, n).into_bytes())));
    let mut seen = Vec::new();
    all.retain(|(_, p)| {
        let new = !p.is_empty() && !seen.contains(p);
        seen.push(p.clone());
        new
    });
    all
}

/// Base64 at the three places a text can take in the stream, without the characters that depend on
/// what stands around it (RFC 4648).
fn sensitive(text: &str) -> Vec<Pattern> {
    let each = |turn: fn(u8) -> u8| text.bytes().map(turn).collect::<Vec<u8>>();
    let mut all: Vec<Pattern> = vec![
        (Some("complement"), each(|b| !b)),
        (Some("nibble-swap"), each(|b| b.rotate_left(4))),
        (Some("bit-reversal"), each(u8::reverse_bits)),
        (Some("base32"), base32(text.as_bytes())),
    ];
    all.retain(|(_, p)| !p.is_empty());
    for shift in 0..3usize {
        let mut padded = vec![0u8; shift];
        padded.extend_from_slice(text.as_bytes());
        let encoded = STANDARD_NO_PAD.encode(&padded);
        let from = [0, 2, 3][shift];
        let whole = padded.len() / 3 * 4;
        if let Some(core) = encoded.get(from..whole)
            && core.len() >= 8
        {
            all.push((Some("base64"), core.as_bytes().to_vec()));
            let url = core.replace('+', "-").replace('/', "_");
            if url != core {
                all.push((Some("base64url"), url.into_bytes()));
            }
        }
    }
    all
}

/// Whole groups of base32 (RFC 4648 section 6), for a text at the start of a group.
fn base32(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let groups = bytes.chunks_exact(5).filter(|_| bytes.len() >= 10);
    groups
        .flat_map(|five| {
            let bits = five.iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
            (0..8).rev().map(move |i| ALPHABET[(bits >> (5 * i) & 31) as usize])
        })
        .collect()
}

fn percent(text: &str, space: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut s, b| {
        match b {
            b' ' => s.push_str(space),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => s.push(b as char),
            _ => {
                let _ = write!(s, "%{b:02X}");
            }
        }
        s
    })
}

/// JSON string with everything beyond ASCII escaped (RFC 8259 section 7).
fn json_escape(text: &str) -> String {
    use std::fmt::Write;
    text.encode_utf16().fold(String::new(), |mut s, u| {
        match u8::try_from(u) {
            Ok(b'"') => s.push_str("\\\""),
            Ok(b'\\') => s.push_str("\\\\"),
            Ok(b) if (0x20..0x7f).contains(&b) => s.push(b as char),
            _ => {
                let _ = write!(s, "\\u{u:04x}");
            }
        }
        s
    })
}

fn xml_escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}

fn quoted_printable(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut s, b| {
        match b {
            b'=' | 0x7f.. => {
                let _ = write!(s, "={b:02X}");
            }
            _ => s.push(b as char),
        }
        s
    })
}

/// Septets packed as SMS does (3GPP TS 23.038), for texts whose characters are the same there.
fn gsm7(text: &str) -> Vec<u8> {
    let same = |c: char| c.is_ascii_alphanumeric() || " !\"#%&'()*+,-./:;<=>?".contains(c);
    if !text.chars().all(same) {
        return Vec::new();
    }
    let (mut out, mut bits, mut have) = (Vec::new(), 0u32, 0);
    for b in text.bytes() {
        bits |= u32::from(b) << have;
        have += 7;
        while have >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            have -= 8;
        }
    }
    out
}

/// Letters turned by a number (Caesar; 13 is ROT13).
fn turned(text: &str, by: u8) -> String {
    let turn = |c: char, a: u8| ((c as u8 - a + by) % 26 + a) as char;
    text.chars()
        .map(|c| match c {
            'a'..='z' => turn(c, b'a'),
            'A'..='Z' => turn(c, b'A'),
            _ => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canaries(text: &str) -> Canaries {
        Canaries::new(vec![Canary { text: text.into(), label: None, control: false }])
    }

    #[test]
    fn finds_a_text_under_each_encoding() {
        let text = "noon under the bridge, Köln";
        let c = canaries(text);
        let base64 = |lead: &str| STANDARD_NO_PAD.encode(format!("{lead}{text} and more"));
        let cases: Vec<(Vec<u8>, Option<&str>)> = vec![
            (format!("x{text}y").into_bytes(), None),
            (text.to_uppercase().replace('Ö', "ö").into_bytes(), None),
            (text.encode_utf16().flat_map(u16::to_le_bytes).collect(), Some("utf-16le")),
            (hex(text.as_bytes()).into_bytes(), Some("hex")),
            (percent(text, "+").into_bytes(), Some("percent")),
            (json_escape(text).into_bytes(), Some("json-escape")),
            (base64("").into_bytes(), Some("base64")),
            (base64("a").into_bytes(), Some("base64")),
            (base64("ab").into_bytes(), Some("base64")),
        ];
        for (bytes, encoding) in cases {
            let hits = c.find(&bytes);
            assert!(hits.iter().any(|h| h.encoding == encoding), "{encoding:?}: {hits:?}");
        }
        assert!(c.find(b"noon under the bridg").is_empty());
    }

    #[test]
    fn a_text_that_occurs_by_chance_is_not_searched() {
        assert!(canaries("ok").is_empty());
    }
}
