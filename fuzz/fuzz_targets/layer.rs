//! One layer, named by the environment variable PLAINSIGHT_LAYER or by the input's first byte, fed with
//! turns of both sides. The ledger must balance, and splitting must change nothing. A new row of a table
//! is fuzzed without a line of code here. The keys of tests/exchanges are at hand, so that their seeds open.
//! PLAINSIGHT_LAYER=list prints the names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plainsight::keys::KeyStore;
use plainsight::layers::REGISTRY;
use plainsight::model::{Limits, Side};
use plainsight::peel::{Eats, Hint, Recorder, Spec, Surroundings, Tree, Unit};
use std::sync::LazyLock;

static ROWS: LazyLock<Vec<&'static Spec>> = LazyLock::new(|| match std::env::var("PLAINSIGHT_LAYER") {
    Ok(name) if name == "list" => {
        REGISTRY.specs().for_each(|s| println!("{}", s.name));
        std::process::exit(0)
    }
    Ok(name) => vec![REGISTRY.find(&name).expect("PLAINSIGHT_LAYER names no layer")],
    Err(_) => REGISTRY.specs().collect(),
});

static KEYS: LazyLock<KeyStore> = LazyLock::new(|| {
    let mut keys = KeyStore::default();
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/exchanges"));
    let mut files: Vec<_> = folder.into_iter().flatten().flatten().map(|e| e.path()).collect();
    files.sort();
    for text in files.iter().filter_map(|f| std::fs::read_to_string(f).ok()) {
        for line in text.lines().filter_map(|l| l.strip_prefix("k ")) {
            keys.add_keylog(line.as_bytes(), "exchange");
        }
    }
    keys
});

/// Turns: a byte whose lowest bit is the side and whose rest, with the next byte, is the length.
fn turns(data: &[u8]) -> Vec<(Side, &[u8])> {
    let mut all = Vec::new();
    let mut rest = data;
    while let [head, more, tail @ ..] = rest {
        let side = if head & 1 == 0 { Side::Client } else { Side::Server };
        let n = (usize::from(head >> 1) << 4 | usize::from(more & 15)).min(tail.len());
        let (turn, next) = tail.split_at(n);
        all.push((side, turn));
        rest = next;
    }
    all
}

fn run(spec: &'static Spec, turns: &[(Side, &[u8])], piece: usize) -> Recorder {
    let (unit, whole) = match spec.eats {
        Eats::Stream => (Unit::Stream, false),
        Eats::Datagram => (Unit::Datagram, true),
        Eats::Message => (Unit::Datagram, true),
    };
    let limits = Limits { message: 1 << 20, ..Limits::default() };
    let step = if whole { usize::MAX } else { piece };
    let pieces: Vec<_> =
        turns.iter().flat_map(|(s, bytes)| bytes.chunks(step).map(|part| (*s, part))).collect();
    Surroundings { limits, keys: &KEYS, ..Surroundings::new(&REGISTRY, 443) }
        .record(Tree::stated(unit, Hint::Layer(spec.name)), &pieces)
}

fuzz_target!(|data: &[u8]| {
    // Before the input: a list is asked for without any.
    let rows = &*ROWS;
    let Some((row, rest)) = data.split_first() else { return };
    let spec = rows[usize::from(*row) % rows.len()];
    let turns = turns(rest);
    let whole = run(spec, &turns, usize::MAX);
    assert!(whole.root.balances(), "{:?}", whole.root);
    assert_eq!(whole.root.fed, turns.iter().map(|(_, b)| b.len() as u64).sum::<u64>());
    assert_eq!(whole.lines, run(spec, &turns, 3).lines, "{} splits differently", spec.name);
});
