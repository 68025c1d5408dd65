//! The envelope recognisers on real bytes: what they answer, that damage never makes a claim stronger,
//! that random bytes claim nothing, and that no damage makes them panic.
//!
//! `tests/envelopes/index.csv` says what each file is, how it was made and what the answer has to be.

use plainsight::layers::envelope::{
    RECOGNISERS, explain_deep, recognise_as, recognise_binary, recognise_text,
};
use std::path::PathBuf;

struct Case {
    name: String,
    bytes: Vec<u8>,
    answer: String,
    answer_class: String,
}

fn cases() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/envelopes");
    let index = std::fs::read_to_string(folder.join("index.csv")).unwrap();
    let rows = index.lines().skip(1).map(|line| {
        // A generator's name may hold quoted commas; the answer stands at the end.
        let fields: Vec<&str> = line.split(',').collect();
        let [name, .., answer, answer_class] = fields.as_slice() else { panic!("{line}") };
        let bytes = std::fs::read(folder.join(name)).unwrap();
        Case {
            name: name.to_string(),
            bytes,
            answer: answer.to_string(),
            answer_class: answer_class.to_string(),
        }
    });
    rows.collect()
}

fn claim(bytes: &[u8]) -> u8 {
    explain_deep(bytes).map_or(0, |(e, _)| e.class.claim())
}

/// A fixed sequence without a crate (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| (self.next() >> 32) as u8).collect()
    }
}

#[test]
fn every_file_gets_its_answer() {
    let cases = cases();
    assert!(cases.len() >= 50);
    for case in cases {
        let found = explain_deep(&case.bytes);
        let (format, class) = match &found {
            Some((e, _)) => (e.format.to_owned(), format!("{:?}", e.class)),
            None => ("-".to_owned(), "-".to_owned()),
        };
        assert_eq!((format, class), (case.answer, case.answer_class), "{}", case.name);
    }
}

#[test]
fn ranges_lie_in_the_bytes_they_count_in() {
    for case in cases() {
        let Some((e, chain)) = explain_deep(&case.bytes) else {
            continue;
        };
        if !chain.is_empty() && e.decoded.is_none() {
            continue;
        }
        let whole = e.decoded.as_deref().unwrap_or(&case.bytes);
        for range in [&e.ciphertext, &e.nonce, &e.ephemeral].into_iter().flatten() {
            assert!(whole.get(range.clone()).is_some(), "{}: {range:?} of {}", case.name, whole.len());
        }
    }
}

#[test]
fn a_cut_or_an_added_byte_never_strengthens_a_claim() {
    for case in cases() {
        let whole = claim(&case.bytes);
        for end in 0..case.bytes.len() {
            assert!(claim(&case.bytes[..end]) <= whole, "{} cut to {end}", case.name);
        }
        for byte in [0, b' ', b'A', b'=', 0x80, 0xff] {
            let longer = [&case.bytes[..], &[byte]].concat();
            assert!(claim(&longer) <= whole, "{} with {byte:#x} added", case.name);
        }
    }
}

#[test]
fn random_bytes_claim_nothing() {
    let mut random = Random(0x5eed);
    for _ in 0..100_000 {
        let length = random.below(700);
        let bytes = random.bytes(length);
        let found = recognise_binary(&bytes).filter(|e| e.class.claim() > 1);
        assert!(found.is_none(), "{found:?}");
    }
}

/// Each family's own first bytes, and then chance.
#[test]
fn random_bytes_behind_a_right_start_claim_nothing() {
    let starts = cases().into_iter().filter(|c| c.bytes.len() > 8).map(|c| c.bytes[..3].to_vec());
    let mut random = Random(0xfeed);
    for start in starts {
        for _ in 0..2_000 {
            let length = random.below(400);
            let bytes = [&start[..], &random.bytes(length)].concat();
            let found = recognise_binary(&bytes).filter(|e| e.class.claim() > 1);
            assert!(found.is_none(), "{start:02x?}: {found:?}");
        }
    }
}

#[test]
fn damage_never_panics() {
    let mut random = Random(0xbad);
    for case in cases() {
        for _ in 0..150 {
            let mut bytes = case.bytes.clone();
            for _ in 0..1 + random.below(4) {
                let at = random.below(bytes.len());
                match random.below(3) {
                    0 => bytes[at] = random.next() as u8,
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, [0, 0xff, 0x80, 0x7f, 0xfd][random.below(5)]),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            let _ = explain_deep(&bytes);
            for row in RECOGNISERS {
                let _ = recognise_as(row.format_family, &bytes);
            }
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let _ = recognise_text(text);
            }
        }
    }
}
