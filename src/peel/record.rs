//! A sink that writes down what it is told, one line per event: for tests, `peel` listings and fuzzing.

use super::{Leaf, NodeRef, Sink};
use crate::model::{Arrival, Ledger, Value, digest16};

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
