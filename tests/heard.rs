//! Contract test: what stands in an exchange in readable words is told by the layers, as a field, in the name of one or
//! as a fact. A word that nobody tells could be part of a message, and the claim of envelopes beside it would stay. Every
//! word of every file of `tests/exchanges/` is replaced by one that means nothing, and must be heard. What is not,
//! because it is a protocol's own word or lies in an encoding, stands in `tests/unheard.txt`, where each new
//! line has to be looked at.

use plainsight::layers::REGISTRY;
use plainsight::model::{Arrival, Side, Value};
use plainsight::peel::{Exchange, Leaf, NodeRef, Sink, Surroundings};
use std::collections::BTreeSet;
use std::path::Path;

/// All that was told, in small letters.
#[derive(Default)]
struct Heard(Vec<u8>);

impl Heard {
    fn take(&mut self, bytes: &[u8]) {
        self.0.extend(bytes.to_ascii_lowercase());
        self.0.push(0);
    }
}

impl Sink for Heard {
    fn fact(&mut self, _node: &NodeRef<'_>, _name: &'static str, value: Value, _at: Arrival) {
        self.take(value.to_string().as_bytes());
    }
    fn leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        [node.field().as_bytes(), leaf.field.as_bytes(), leaf.bytes].into_iter().for_each(|b| self.take(b));
    }
    fn exhibit(&mut self, _: &NodeRef<'_>, _name: &'static str, _side: Side, bytes: &[u8], _at: Arrival) {
        self.take(bytes);
    }
}

/// What is told of an exchange whose sides say this.
fn listen(said: &Exchange, turns: &[(Side, Vec<u8>)]) -> Vec<u8> {
    let keys = said.keys();
    let mut around = Surroundings { keys: &keys, ..Surroundings::new(&REGISTRY, said.server_port) };
    let (mut heard, mut tree) = (Heard::default(), said.tree(&REGISTRY));
    let mut env = around.env(&mut heard);
    for (side, bytes) in turns {
        tree.feed(&mut env, *side, bytes);
    }
    tree.finish(&mut env);
    heard.0
}

/// Letters of a word, at least.
const LEAST: usize = 5;

/// Where words stand.
fn words(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let (mut found, mut from) = (Vec::new(), 0);
    for part in bytes.split(|b| !b.is_ascii_alphabetic()) {
        if part.len() >= LEAST {
            found.push(from..from + part.len());
        }
        from += part.len() + 1;
    }
    found
}

/// A word of as many letters that no protocol knows.
fn nonsense(letters: usize) -> Vec<u8> {
    b"qzxjvkwqxzvjkq".iter().copied().cycle().take(letters).collect()
}

/// Words of an exchange that nobody tells.
fn unheard(said: &Exchange) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (turn, (_, bytes)) in said.turns.iter().enumerate() {
        for place in words(bytes) {
            let (mut turns, word) = (said.turns.clone(), nonsense(place.len()));
            for (b, new) in turns[turn].1[place.clone()].iter_mut().zip(&word) {
                *b = if b.is_ascii_uppercase() { new.to_ascii_uppercase() } else { *new };
            }
            if memchr::memmem::find(&listen(said, &turns), &word).is_none() {
                found.insert(String::from_utf8_lossy(&bytes[place]).into_owned());
            }
        }
    }
    found
}

#[test]
fn words_of_exchanges_are_heard() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files: Vec<_> = std::fs::read_dir(tests.join("exchanges"))
        .expect("tests/exchanges")
        .flatten()
        .map(|e| e.path())
        .collect();
    files.sort();
    let mut list = String::new();
    for file in files {
        let said = Exchange::read(&std::fs::read_to_string(&file).expect("text"));
        let missed: Vec<String> = unheard(&said).into_iter().collect();
        if !missed.is_empty() {
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            list.push_str(&format!("{name}: {}\n", missed.join(" ")));
        }
    }
    let known = tests.join("unheard.txt");
    if std::env::var_os("UPDATE_UNHEARD").is_some() {
        std::fs::write(&known, &list).expect("tests/unheard.txt");
    }
    let known = std::fs::read_to_string(known).unwrap_or_default();
    let new: Vec<&str> = list.lines().filter(|line| !known.lines().any(|k| k == *line)).collect();
    assert!(
        new.is_empty(),
        "words that nobody tells; UPDATE_UNHEARD=1 writes the list anew:\n{}",
        new.join("\n")
    );
}
