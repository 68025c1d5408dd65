//! Operations on octets: XOR with a short key, swapped halves, reversed bits.

use super::Decoded;
use super::words::{frequent, reads};
use crate::bytes::begins_text;
use crate::peel::Form;

/// Longest XOR key that is solved for in one message; longer ones need several messages.
const PERIOD: usize = 16;
/// Octets under each octet of a key.
const COLUMN: usize = 12;

/// How formats begin that are worth finding under a XOR of one octet.
const MAGICS: [&[u8]; 4] = [b"\x28\xb5\x2f\xfd", b"bplist0", b"PK\x03\x04", b"\xfd7zXZ\0"];

/// Octets under one key or a short repeating one. A key of zeros is none.
pub(super) fn xor(bytes: &[u8]) -> Decoded {
    if let Some(key) = under_magic(bytes) {
        return Some((bytes.iter().map(|b| b ^ key).collect(), Form::Binary));
    }
    let longest = if is_damaged_text(bytes) { 1 } else { PERIOD.min(bytes.len() / COLUMN) };
    let mut periods: Vec<(usize, usize)> =
        (1..=longest).filter_map(|period| Some((agreement(bytes, period)?, period))).collect();
    periods.sort_by_key(|(agreement, period)| (std::cmp::Reverse(*agreement), *period));
    let first = bytes.get(..FIRST_LOOK).unwrap_or(bytes);
    for (_, period) in periods.into_iter().take(PERIODS) {
        let octets = (0..period).map(|place| key_octet(first, period, place));
        let Some(key) = octets.collect::<Option<Vec<u8>>>() else { continue };
        // Text that was never changed is as little changed under any other period.
        if key.iter().all(|k| *k == 0) {
            return None;
        }
        // The beginning settles most of what is no text.
        if !begins_text(&under(&key, first)) {
            continue;
        }
        let plain = under(&key, bytes);
        let Some(text) = reads(&plain) else { continue };
        // Under some key of small octets text becomes other text; what reads as it stands was never changed.
        return (!reads_better(bytes, text)).then_some((plain, Form::Text));
    }
    None
}

fn under(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    bytes.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k).collect()
}

/// Whether the bytes themselves read, and no worse than what a key makes of them.
fn reads_better(bytes: &[u8], made: &str) -> bool {
    reads(bytes).is_some_and(|text| frequent(text) >= frequent(made))
}

/// Nearly all characters and a few octets that are none. Keys of several octets leave fewer characters,
/// unless all are small.
fn is_damaged_text(bytes: &[u8]) -> bool {
    let bytes = bytes.get(..FIRST_LOOK).unwrap_or(bytes);
    let characters = bytes.iter().filter(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t')).count();
    characters < bytes.len() && characters * 10 >= bytes.len() * 9
}

/// The octet that turns the beginning into that of a known format.
fn under_magic(bytes: &[u8]) -> Option<u8> {
    let first = *bytes.first()?;
    let fits = |magic: &[u8]| {
        let key = first ^ magic.first()?;
        let same = bytes.get(..magic.len())?.iter().zip(magic).all(|(b, m)| b ^ m == key);
        (key != 0 && same).then_some(key)
    };
    // gzip: flags, extra flags and system are few.
    let gzip = fits(b"\x1f\x8b\x08").filter(|key| match bytes.get(3..10) {
        Some(&[flags, _, _, _, _, extra, system]) => {
            (flags ^ key) < 32 && matches!(extra ^ key, 0 | 2 | 4) && matches!(system ^ key, 0..=13 | 255)
        }
        _ => false,
    });
    gzip.or_else(|| MAGICS.iter().find_map(|m| fits(m)))
}

/// Octets that a first look at a period takes in, and those under which most binary data fail already.
const FIRST_LOOK: usize = 512;
const GLANCE: usize = 64;

/// Periods that are solved for, the likeliest ones.
const PERIODS: usize = 3;

/// How many octets one period apart are in one block of 32 characters, if they differ as two characters of text
/// under one key do: hardly ever in the top bit, mostly within such a block, and seldom not at all, as in
/// tables of small numbers. Per thousand.
fn agreement(bytes: &[u8], period: usize) -> Option<usize> {
    let bytes = bytes.get(..FIRST_LOOK).unwrap_or(bytes);
    let (glance, rest) = bytes.split_at_checked(GLANCE + period).unwrap_or((bytes, &[]));
    let seen = differences(glance, period);
    // What one in twenty may be of all is not a quarter of the beginning.
    if seen.far * 4 > glance.len() {
        return None;
    }
    let all = bytes.len().saturating_sub(period);
    let Differences { far, near, equal } = if rest.is_empty() { seen } else { differences(bytes, period) };
    (all > 0 && far * 20 <= all && near * 5 >= all * 2 && equal * 4 <= all).then(|| near * 1000 / all)
}

/// Pairs of octets that differ in the top bit, within a block of 32 characters, not at all.
#[derive(Default)]
struct Differences {
    far: usize,
    near: usize,
    equal: usize,
}

fn differences(bytes: &[u8], period: usize) -> Differences {
    let mut sums = Differences::default();
    let shifted = bytes.get(period..).unwrap_or_default();
    // Sums of a chunk fit an octet, so that many pairs are counted at once.
    for (a, b) in bytes.chunks(128).zip(shifted.chunks(128)) {
        let (mut far, mut near, mut equal) = (0u8, 0u8, 0u8);
        for (a, b) in a.iter().zip(b) {
            let x = a ^ b;
            far += x >> 7;
            near += u8::from(x & 0x60 == 0);
            equal += u8::from(x == 0);
        }
        sums.far += usize::from(far);
        sums.near += usize::from(near);
        sums.equal += usize::from(equal);
    }
    sums
}

/// What is common in text.
const COMMON: &[u8] = b" etaoinsr\"0,:.";
/// Control characters that text has: line ends and the tab.
const CONTROLS: usize = 3;
/// Octets of a column that may stand for something common.
const CANDIDATES: usize = 4;

/// The key octet at one place under which most octets are what text consists of, among those that turn
/// something frequent into something common. None where even that leaves control characters.
fn key_octet(bytes: &[u8], period: usize, place: usize) -> Option<u8> {
    let mut counts = [0u16; 256];
    bytes.iter().skip(place).step_by(period).for_each(|b| counts[usize::from(*b)] += 1);
    let mut present: Vec<(u8, u16)> = Vec::with_capacity(64);
    let mut blocks = [0u8; 8];
    for b in bytes.iter().skip(place).step_by(period) {
        let n = std::mem::take(&mut counts[usize::from(*b)]);
        if n > 0 {
            present.push((*b, n));
            blocks[usize::from(b >> 5)] += 1;
        }
    }
    // A key that turns a block of 32 values into control characters leaves few of them that text has.
    let fits = |key: &u8| usize::from(blocks[usize::from(key >> 5)]) <= CONTROLS;
    if !(0..8u8).any(|block| fits(&(block << 5))) {
        return None;
    }
    present.sort_unstable_by_key(|(b, n)| (std::cmp::Reverse(*n), *b));
    // Control characters speak against a key more than anything speaks for it.
    let score = |key: u8| -> Option<u32> {
        present.iter().try_fold(0, |sum, (b, n)| match WEIGHTS[usize::from(b ^ key)] {
            0 => None,
            weight => Some(sum + u32::from(*n) * weight),
        })
    };
    let frequent = present.iter().take(CANDIDATES);
    let keys = frequent.flat_map(|(b, _)| COMMON.iter().map(move |c| b ^ c));
    keys.filter(fits)
        .filter_map(|k| Some((score(k)?, k)))
        .max_by_key(|(s, k)| (*s, std::cmp::Reverse(*k)))
        .map(|(_, k)| k)
}

/// How much each octet speaks for text.
static WEIGHTS: [u32; 256] = {
    let mut weights = [0; 256];
    let mut b = 0;
    while b < 256 {
        weights[b] = weight(b as u8);
        b += 1;
    }
    weights
};

/// How much an octet speaks for text, roughly as often as it occurs there; nothing for control characters.
const fn weight(b: u8) -> u32 {
    match b {
        b' ' | b'e' => 26,
        b'a' | b'o' | b't' | b'i' | b'n' | b's' | b'r' | b'"' => 22,
        b'a'..=b'z' => 18,
        b'A'..=b'Z' | b'0'..=b'9' | b'.' | b',' | b':' | b'\n' => 14,
        b' '..=b'~' => 10,
        0x80..=0xff | b'\r' | b'\t' => 6,
        _ => 0,
    }
}

pub(super) fn nibbles(bytes: &[u8]) -> Decoded {
    each(bytes, |b| b.rotate_left(4))
}

pub(super) fn bits(bytes: &[u8]) -> Decoded {
    each(bytes, u8::reverse_bits)
}

fn each(bytes: &[u8], turn: fn(u8) -> u8) -> Decoded {
    // Noise fails within the first few.
    if bytes.iter().take(16).any(|b| turn(*b) < b' ' && !matches!(turn(*b), b'\n' | b'\r' | b'\t')) {
        return None;
    }
    let plain: Vec<u8> = bytes.iter().map(|b| turn(*b)).collect();
    reads(&plain)?;
    Some((plain, Form::Text))
}

/// A key of one small octet turns text into other characters. Sought where it leaves no frequent word, and
/// believed where it gives several.
pub(super) fn low_xor(bytes: &[u8]) -> Decoded {
    if bytes.len() < 24 || std::str::from_utf8(bytes).ok().is_none_or(|text| frequent(text) > 0) {
        return None;
    }
    let mut counts = [0u32; 256];
    bytes.iter().take(FIRST_LOOK).for_each(|b| counts[usize::from(*b)] += 1);
    let common = (0..=255u8).max_by_key(|b| counts[usize::from(*b)])?;
    let keys = [b' ', b'"', b'e'].map(|plain| common ^ plain);
    // The first characters settle most keys.
    let fits = |key: &u8| {
        (1..0x80).contains(key) && bytes.iter().take(32).all(|b| WEIGHTS[usize::from(b ^ key)] > 0)
    };
    keys.into_iter().filter(fits).find_map(|key| {
        let plain: Vec<u8> = bytes.iter().map(|b| b ^ key).collect();
        let text = reads(&plain)?;
        (frequent(text) >= 2).then_some((plain, Form::Text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &[u8] =
        br#"{"from":"ana","text":"see you tomorrow at noon under the old bridge","n":7,"room":"r42"}"#;

    #[test]
    fn short_keys_are_solved_from_one_message() {
        for key in [&b"\xa7"[..], b"\xff", b"\x93\x9c\x77\xe1", b"Xq\xf7!k"] {
            assert_eq!(xor(&under(key, JSON)), Some((JSON.to_vec(), Form::Text)), "{key:?}");
        }
        assert_eq!(low_xor(&under(b"\x07", JSON)), Some((JSON.to_vec(), Form::Text)));
        assert_eq!(low_xor(JSON), None);
        assert_eq!(xor(JSON), None);
    }

    #[test]
    fn what_reads_as_it_stands_has_no_key() {
        let sentences: [&[u8]; 5] = [
            b"dentist said the crown is ready 78d6eaf5fb18",
            b"dentist said the crown is ready 2bf0c3310f5f",
            b"garden gate is open for the painter 194f461e6ec3",
            b"garden gate is open for the painter b65235b4785d",
            b"bring two loaves and the old ladder 6fc086c7931d",
        ];
        for sentence in sentences {
            assert_eq!(xor(sentence), None, "{}", String::from_utf8_lossy(sentence));
        }
    }

    #[test]
    fn turned_octets_come_back() {
        let swapped: Vec<u8> = JSON.iter().map(|b| b.rotate_left(4)).collect();
        assert_eq!(nibbles(&swapped), Some((JSON.to_vec(), Form::Text)));
        let turned: Vec<u8> = JSON.iter().map(|b| b.reverse_bits()).collect();
        assert_eq!(bits(&turned), Some((JSON.to_vec(), Form::Text)));
    }

    #[test]
    fn a_format_is_found_by_its_beginning() {
        let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x01\x02\x03";
        assert_eq!(xor(&under(b"\x55", gzip)), Some((gzip.to_vec(), Form::Binary)));
        assert_eq!(xor(gzip), None);
    }
}
