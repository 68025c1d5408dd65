//! A sink that writes down what it is told, one line per event, and what a tree needs that is fed by hand:
//! for tests, benches, `peel` listings and fuzzing.

use super::{Env, Hint, Leaf, Memory, NodeRef, Registry, Sink, Tree, Unit};
use crate::bytes::unhex;
use crate::keys::KeyStore;
use crate::model::{Arrival, Ledger, Limits, Side, Value, digest16};

/// Lines in the order of the engine's calls. Nothing in them depends on how input was cut.
#[derive(Debug, Default, Clone)]
pub struct Recorder {
    /// What was told.
    pub lines: Vec<String>,
    /// Sum of the root's ledgers.
    pub root: Ledger,
}

impl Sink for Recorder {
    fn layer(&mut self, node: &NodeRef<'_>, _at: Arrival) {
        self.lines.push(format!(
            "layer {} {:?} {:?} {}",
            node.path(),
            node.trust(),
            node.guard(),
            node.field()
        ));
    }
    fn fact(&mut self, node: &NodeRef<'_>, name: &'static str, value: Value, _at: Arrival) {
        self.lines.push(format!("fact {} {name}={value}", node.path()));
    }
    fn leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let digest = digest16(leaf.bytes);
        self.lines.push(format!(
            "leaf {} {}>{} {:?} {:?} {:?} {} {digest}",
            node.path(),
            node.field(),
            leaf.field,
            leaf.form,
            leaf.side,
            leaf.end,
            leaf.total
        ));
    }
    fn done(&mut self, node: &NodeRef<'_>, ledger: &Ledger) {
        assert!(ledger.balances(), "{}: {ledger:?}", node.path());
        if node.parent().is_none() {
            self.root.merge(ledger);
        }
    }
    fn note(&mut self, node: &NodeRef<'_>, code: &'static str, _at: Arrival) {
        self.lines.push(format!("note {} {code}", node.path()));
    }
}

/// What surrounds trees that are fed by hand: flows between the same two hosts, of which later ones meet what
/// earlier ones left.
#[derive(Debug)]
pub struct Surroundings<'k> {
    /// The layers.
    pub registry: &'k Registry,
    /// The bounds.
    pub limits: Limits,
    /// The secrets.
    pub keys: &'k KeyStore,
    /// What earlier flows left.
    pub memory: Memory,
    /// Transport port of the server.
    pub server_port: u16,
}

impl<'k> Surroundings<'k> {
    /// Usual bounds, no secrets, and nothing before.
    pub fn new(registry: &'k Registry, server_port: u16) -> Self {
        Self {
            registry,
            limits: Limits::default(),
            keys: KeyStore::none(),
            memory: Memory::default(),
            server_port,
        }
    }

    /// What a tree works with that tells all to `sink`.
    pub fn env<'e>(&'e mut self, sink: &'e mut dyn Sink) -> Env<'e> {
        Env {
            registry: self.registry,
            limits: &self.limits,
            keys: self.keys,
            memory: &mut self.memory,
            sink,
            server_port: self.server_port,
            at: Arrival::default(),
        }
    }

    /// What a tree says of all that both sides send.
    pub fn record<B: AsRef<[u8]>>(&mut self, mut tree: Tree, turns: &[(Side, B)]) -> Recorder {
        let mut sink = Recorder::default();
        let mut env = self.env(&mut sink);
        for (side, bytes) in turns {
            tree.feed(&mut env, *side, bytes.as_ref());
        }
        tree.finish(&mut env);
        assert!(sink.root.balances(), "{:?}", sink.root);
        sink
    }
}

/// An exchange written down line by line: `port` of the server, `unit datagram` unless it is a stream, `layer`
/// where something outside states it, `k` a line of its key log, `>` and `<` bytes of the client and the server
/// in hexadecimal, one datagram or write a line. `#` starts a comment.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Stream or datagrams.
    pub unit: Unit,
    /// The layer, where it is stated.
    pub layer: Option<String>,
    /// Transport port of the server.
    pub server_port: u16,
    /// Lines of its key log.
    pub keylog: String,
    /// What the sides sent, in order.
    pub turns: Vec<(Side, Vec<u8>)>,
}

impl Exchange {
    /// Reads what was written down.
    ///
    /// # Panics
    /// On a line that is none of these, with it.
    pub fn read(text: &str) -> Self {
        let (unit, layer, keylog) = (Unit::Stream, None, String::new());
        let mut all = Self { unit, layer, server_port: 443, keylog, turns: Vec::new() };
        for line in text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let rest = rest.trim();
            match word {
                "port" => all.server_port = rest.parse().expect(line),
                "layer" => all.layer = Some(rest.to_owned()),
                "unit" if rest == "datagram" => all.unit = Unit::Datagram,
                "k" => all.keylog.extend([rest, "\n"]),
                ">" => all.turns.push((Side::Client, unhex(rest).expect(line))),
                "<" => all.turns.push((Side::Server, unhex(rest).expect(line))),
                _ => panic!("what is {line:?}?"),
            }
        }
        all
    }

    /// The secrets of its key log.
    ///
    /// # Panics
    /// On a line that is none.
    pub fn keys(&self) -> KeyStore {
        let mut keys = KeyStore::default();
        let report = keys.add_keylog(self.keylog.as_bytes(), "exchange");
        assert!(report.malformed.is_empty(), "{:?}", report.malformed);
        keys
    }

    /// A tree for it.
    ///
    /// # Panics
    /// Where the layer that it states is not there.
    pub fn tree(&self, registry: &Registry) -> Tree {
        match &self.layer {
            Some(name) => Tree::stated(self.unit, Hint::Layer(registry.find(name).expect(name).name)),
            None => Tree::new(self.unit),
        }
    }
}
