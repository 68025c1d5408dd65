//! The layer tree of a flow as one JSON object a line, for programs that compare or count
//! (`docs/peers.md` describes the form).

use crate::flow::{Close, Info};
use crate::model::{Arrival, Ledger, PerSide, Side, Value};
use crate::peel::{Form, Leaf, NodeRef, Sink};
use ring::digest::{Context, SHA256};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value as Json, json};

/// Objects kept of one flow.
const MOST: usize = 100_000;

/// Collects what happens in one flow.
#[derive(Default)]
pub(super) struct Events {
    list: Vec<Json>,
    reveal: bool,
    sums: FxHashMap<u32, PerSide<Sum>>,
}

/// What a node was fed on one side.
struct Sum {
    bytes: u64,
    digest: Context,
}

impl Default for Sum {
    fn default() -> Self {
        Self { bytes: 0, digest: Context::new(&SHA256) }
    }
}

impl Events {
    pub fn new(reveal: bool) -> Self {
        Self { reveal, ..Self::default() }
    }

    /// Everything that happened, with the flow's own line first.
    pub fn text(self, number: u64, info: &Info, why: Close) -> String {
        let head = json!({
            "event": "flow",
            "flow": number,
            "transport": format!("{:?}", info.key.transport).to_lowercase(),
            "client": info.key.client.to_string(),
            "server": info.key.server.to_string(),
            "frames": [info.first.frame.frame, info.last.frame.frame],
            "ended": format!("{why:?}").to_lowercase(),
        });
        let cut = (self.list.len() >= MOST).then(|| json!({ "event": "more, not shown" }));
        let mut text = format!("{head}\n");
        for mut event in self.list.into_iter().chain(cut) {
            event["flow"] = json!(number);
            text.push_str(&event.to_string());
            text.push('\n');
        }
        text
    }

    fn push(&mut self, node: &NodeRef<'_>, event: &str, more: Json) {
        if self.list.len() >= MOST {
            return;
        }
        let mut line = Map::new();
        line.insert("event".to_owned(), event.into());
        line.insert("node".to_owned(), node.id().into());
        line.insert("path".to_owned(), node.path().into());
        if let Json::Object(more) = more {
            line.extend(more);
        }
        self.list.push(Json::Object(line));
    }
}

fn side_name(side: Side) -> &'static str {
    if side == Side::Client { "client" } else { "server" }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn lower(word: impl std::fmt::Debug) -> String {
    format!("{word:?}").to_lowercase()
}

impl Sink for Events {
    fn layer(&mut self, node: &NodeRef<'_>, at: Arrival) {
        let more = json!({
            "parent": node.parent().map(|p| p.id()),
            "field": node.field(),
            "trust": lower(node.trust()),
            "guard": lower(node.guard()),
            "frame": at.frame.frame,
        });
        self.push(node, "layer", more);
    }
    fn fact(&mut self, node: &NodeRef<'_>, name: &'static str, value: Value, at: Arrival) {
        self.push(node, "fact", json!({ "name": name, "value": value, "frame": at.frame.frame }));
    }
    fn leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let mut more = json!({
            "field": leaf.field,
            "side": side_name(leaf.side),
            "form": lower(leaf.form),
            "bytes": leaf.total,
            "end": lower(leaf.end),
            "frame": leaf.at.frame.frame,
        });
        if self.reveal && leaf.form != Form::Binary {
            more["text"] = String::from_utf8_lossy(leaf.bytes).into();
        }
        self.push(node, "leaf", more);
    }
    fn bytes(
        &mut self,
        node: &NodeRef<'_>,
        field: &str,
        side: Side,
        offset: u64,
        bytes: &[u8],
        _at: Arrival,
    ) {
        if !field.is_empty() {
            return;
        }
        let sum = &mut self.sums.entry(node.id()).or_default()[side];
        if offset != sum.bytes {
            // Not the next bytes of the node, but a message that it hands on, or a datagram.
            let digest = hexadecimal(ring::digest::digest(&SHA256, bytes).as_ref());
            let more = json!({
                "parent_path": node.path(), "field": node.field(), "side": side_name(side),
                "bytes": bytes.len(), "sha256": digest,
            });
            return self.push(node, "bytes", more);
        }
        sum.bytes += bytes.len() as u64;
        sum.digest.update(bytes);
    }
    fn wants_bytes(&self) -> bool {
        true
    }
    fn done(&mut self, node: &NodeRef<'_>, ledger: &Ledger) {
        let parent = node.parent().map_or("", |p| p.path());
        for side in Side::BOTH {
            let Some(sum) = self.sums.get_mut(&node.id()).map(|s| std::mem::take(&mut s[side])) else {
                continue;
            };
            if sum.bytes == 0 {
                continue;
            }
            let digest = hexadecimal(sum.digest.finish().as_ref());
            let more = json!({
                "parent_path": parent, "field": node.field(), "side": side_name(side),
                "bytes": sum.bytes, "sha256": digest,
            });
            self.push(node, "bytes", more);
        }
        self.sums.remove(&node.id());
        if node.parent().is_none() {
            let more = json!({
                "fed": ledger.fed, "parsed": ledger.parsed, "clear": ledger.clear, "opaque": ledger.opaque,
                "sealed": ledger.sealed, "cut": ledger.cut, "lost": ledger.lost,
            });
            self.push(node, "ledger", more);
        }
    }
    fn note(&mut self, node: &NodeRef<'_>, code: &'static str, _at: Arrival) {
        self.push(node, "note", json!({ "code": code }));
    }
}
