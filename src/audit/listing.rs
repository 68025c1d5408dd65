//! The layer tree of a recording as text, for people who look inside.

use super::events::Events;
use super::shard::{segment, tree_of};
use super::{AuditError, Plan};
use crate::flow::{Close, Handler, Info, Table};
use crate::layers::REGISTRY;
use crate::model::{Arrival, Ledger, Side, Value};
use crate::peel::{End, Env, Form, Leaf, Memory, NodeRef, Sink, Tree};
use crate::wire::Decoder;
use std::io::Write;

/// How a listing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Indented lines.
    Tree,
    /// One JSON object a line.
    Json,
}

/// Writes the layers, facts and leaves of every flow to `out`, in the order in which flows end.
pub fn peel(plan: &Plan, listing: Listing, out: &mut dyn Write) -> Result<(), AuditError> {
    let mut source = crate::capture::open(&plan.captures, &plan.limits)?;
    let mut decoder = Decoder::new(&plan.limits);
    let mut table = Table::new(&plan.limits);
    let mut keys = (*plan.keys).clone();
    let mut batch = Default::default();
    let memory = Memory::default();
    let mut lister = Lister { plan, listing, keys: keys.clone(), memory, out, failed: None, flows: 0 };
    while source.read(&mut batch)? {
        for secret in &batch.secrets {
            keys.add_secrets(secret.kind, &secret.data);
        }
        if !batch.secrets.is_empty() {
            lister.keys = keys.clone();
            lister.memory.forget_choices();
        }
        for head in &batch.frames {
            let data = batch.bytes(head);
            let Some(packet) = decoder.decode(head.link, data, head.original, head.at) else { continue };
            let segment = segment(&packet, data);
            table.packet(
                &mut lister,
                packet.source,
                packet.target,
                segment,
                packet.app.as_ref().map(|a| &a.name),
                head.at,
            );
        }
    }
    table.finish(&mut lister);
    lister.failed.map_or(Ok(()), |e| Err(AuditError::Output(e)))
}

struct Lister<'p> {
    plan: &'p Plan,
    listing: Listing,
    keys: crate::keys::KeyStore,
    memory: Memory,
    out: &'p mut dyn Write,
    failed: Option<std::io::Error>,
    flows: u64,
}

struct Listed {
    tree: Tree,
    seen: Seen,
}

/// What was seen of a flow, in the form that is wanted.
enum Seen {
    Lines(Lines),
    Events(Events),
}

impl Lister<'_> {
    fn with(
        &mut self,
        state: &mut Listed,
        info: &Info,
        at: Arrival,
        act: impl FnOnce(&mut Tree, &mut Env<'_>),
    ) {
        self.memory.between(info.key.client.ip, info.key.server.ip);
        let sink: &mut dyn Sink = match &mut state.seen {
            Seen::Lines(lines) => lines,
            Seen::Events(events) => events,
        };
        let mut env = Env {
            registry: &REGISTRY,
            limits: &self.plan.limits,
            keys: &self.keys,
            memory: &mut self.memory,
            sink,
            server_port: info.key.server.port,
            at,
        };
        act(&mut state.tree, &mut env);
    }
}

impl Handler for Lister<'_> {
    type State = Listed;
    fn open(&mut self, info: &Info) -> Listed {
        let seen = match self.listing {
            Listing::Tree => Seen::Lines(Lines { reveal: self.plan.reveal, ..Default::default() }),
            Listing::Json => Seen::Events(Events::new(self.plan.reveal)),
        };
        Listed { tree: tree_of(info.key.transport), seen }
    }
    fn data(&mut self, state: &mut Listed, info: &Info, side: Side, bytes: &[u8], at: Arrival) {
        self.with(state, info, at, |tree, env| tree.feed(env, side, bytes));
    }
    fn gap(&mut self, state: &mut Listed, info: &Info, side: Side, len: u64, at: Arrival) {
        self.with(state, info, at, |tree, env| tree.gap(env, side, len));
    }
    fn datagram(
        &mut self,
        state: &mut Listed,
        info: &Info,
        side: Side,
        bytes: &[u8],
        _missing: u32,
        at: Arrival,
    ) {
        self.with(state, info, at, |tree, env| tree.feed(env, side, bytes));
    }
    fn end_side(&mut self, state: &mut Listed, info: &Info, side: Side, at: Arrival) {
        self.with(state, info, at, |tree, env| tree.end(env, side));
    }
    fn close(&mut self, mut state: Listed, info: &Info, why: Close) {
        self.with(&mut state, info, info.last, |tree, env| tree.finish(env));
        let text = match state.seen {
            Seen::Lines(lines) => lines.text(info, why),
            Seen::Events(events) => events.text(self.flows, info, why),
        };
        self.flows += 1;
        if self.failed.is_none()
            && let Err(e) = self.out.write_all(text.as_bytes())
        {
            self.failed = Some(e);
        }
    }
}

/// Lines kept of one flow.
const LINES: usize = 10_000;

#[derive(Default)]
struct Lines {
    list: Vec<String>,
    reveal: bool,
}

impl Lines {
    fn text(self, info: &Info, why: Close) -> String {
        let (first, last) = (info.first.frame.frame, info.last.frame.frame);
        let mut text = format!("{}  frames {first}..{last}  {why:?}\n", info.key);
        for line in self.list {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    fn push(&mut self, node: &NodeRef<'_>, text: String) {
        let depth = std::iter::successors(node.parent(), |n| n.parent()).count();
        match self.list.len() {
            n if n < LINES => self.list.push(format!("{:indent$}{text}", "", indent = 2 + 2 * depth)),
            LINES => self.list.push("  ... more, not shown".into()),
            _ => {}
        }
    }
}

impl Sink for Lines {
    fn layer(&mut self, node: &NodeRef<'_>, at: Arrival) {
        let name = node.spec().map_or("?", |s| s.name);
        let field = node.field().rsplit('>').next().unwrap_or("");
        let place = if field.is_empty() { String::new() } else { format!(" in {field}") };
        self.push(
            node,
            format!("{name}{place}  [{:?}, frame {}]", node.trust(), at.frame.frame).to_lowercase(),
        );
    }
    fn fact(&mut self, node: &NodeRef<'_>, name: &'static str, value: Value, _at: Arrival) {
        self.push(node, format!("  {name} = {value}"));
    }
    fn leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let shown = match leaf.form {
            Form::Binary => String::new(),
            _ if self.reveal || leaf.form == Form::Plain => {
                format!("  {:?}", String::from_utf8_lossy(&leaf.bytes[..leaf.bytes.len().min(120)]))
            }
            Form::Text | Form::Plain => String::new(),
        };
        let end = match leaf.end {
            End::Clear => "clear".to_owned(),
            End::Opaque => "opaque".to_owned(),
            End::Sealed(by, why) => format!("sealed by {by:?}, {why:?}").to_lowercase(),
            End::Cut(why) => format!("cut, {why:?}").to_lowercase(),
        };
        let side = if leaf.side == Side::Client { ">" } else { "<" };
        let field = if leaf.field.is_empty() { "(whole)" } else { leaf.field };
        self.push(node, format!("  {side} {field}: {} bytes, {end}{shown}", leaf.total));
    }
    fn done(&mut self, node: &NodeRef<'_>, ledger: &Ledger) {
        if node.parent().is_none() {
            self.list.push(format!(
                "  = {} bytes: {} parsed, {} clear, {} opaque, {} sealed, {} cut; {} lost",
                ledger.fed,
                ledger.parsed,
                ledger.clear,
                ledger.opaque,
                ledger.sealed,
                ledger.cut,
                ledger.lost
            ));
        }
    }
    fn note(&mut self, node: &NodeRef<'_>, code: &'static str, _at: Arrival) {
        self.push(node, format!("  ! {code}"));
    }
}
