//! What the engine tells, handed to the observers.

use super::collector::Collector;
use super::trial::{self, Secret, Stood};
use super::{Kind, Polarity, Strength};
use super::{copies, lookups, purpose};
use crate::model::{Arrival, FrameRef, Ledger, Side, Trust, Value};
use crate::peel::{By, End, Family, Form, Guard, Leaf, NodeRef, Sink};
use crate::ruleset::Context;
use std::borrow::Cow;

/// What a fact is of use for here.
enum Use {
    /// An address and the name that it was looked up by.
    Address,
    /// A media key in signalling.
    MediaKey,
    /// What a stream of media carries.
    Media,
    /// What an envelope shows.
    Envelope,
    /// The name of the service that a connection asks for, and what protects it.
    Connection,
}

fn use_of(node: &NodeRef<'_>, name: &str) -> Option<Use> {
    Some(match (name, node.family()) {
        ("dns.address", _) => Use::Address,
        ("sdp.crypto", _) => Use::MediaKey,
        ("call.media", _) => Use::Media,
        (_, Some(Family::Envelope)) => Use::Envelope,
        (_, Some(Family::Secure)) => Use::Connection,
        _ if name.ends_with(".sni") => Use::Connection,
        _ => return None,
    })
}

/// What rules ask of the exchange that a node belongs to.
impl Context for NodeRef<'_> {
    fn host(&self) -> Option<&str> {
        self.label("host").or_else(|| self.label("sni"))
    }
    fn request_path(&self) -> Option<&str> {
        self.label("path")
    }
    fn content_type(&self) -> Option<&str> {
        self.label("content_type")
    }
}

impl Sink for Collector {
    fn wants_fact(&self, node: &NodeRef<'_>, name: &'static str) -> bool {
        use_of(node, name).is_some()
    }

    fn fact(&mut self, node: &NodeRef<'_>, name: &'static str, value: Value, at: Arrival) {
        match use_of(node, name) {
            Some(Use::Address) => self.looked_up(&value),
            Some(Use::MediaKey) => self.media_key(node, &value, at),
            Some(Use::Media) => self.call_media(node, &value, at),
            Some(Use::Envelope) => self.envelope_fact(node, name, &value, at),
            Some(Use::Connection) => self.connection_fact(node, name, value),
            None => {}
        }
    }

    fn wants_hashes(&self, node: &NodeRef<'_>, side: Side, head: &[u8]) -> bool {
        copies::is_attachment(node, side) && copies::is_file(head)
    }

    fn leaf(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        if super::media::is_media(node, leaf) {
            return self.media_leaf(node, leaf);
        }
        if let End::Sealed(By::Transport, why) = leaf.end {
            return self.sealed_leaf(node, leaf, why);
        }
        if let End::Sealed(By::App, _) = leaf.end {
            self.ciphertext(node, leaf);
            return self.keep_symmetric(node, leaf);
        }
        // A protection that is only guessed at explains nothing.
        let guessed = node.family() == Some(Family::Secure) && node.trust() == Trust::Guessed;
        // What a proxy or a disguise passes on is no better known for that.
        let nobodys = node.scope() == 0 && node.family().is_none() && node.guard() == Guard::Open;
        if (nobodys || guessed) && leaf.end != End::Clear {
            self.unknown[leaf.side] += leaf.total;
        }
        let field = join_fields(node.field(), leaf.field);
        let slot = self.apply_rules(node, leaf, &field);
        self.search_leaf(node, leaf, slot.as_ref().map(|(s, _)| s.as_str()));
        if self.shared.vantage {
            self.identity_field(node, leaf, &field);
        }
        match leaf.end {
            End::Clear => {
                self.device_field(node, leaf, &field);
                self.clear_leaf(node, leaf, &field, slot);
            }
            End::Opaque => self.opaque_leaf(node, leaf, slot.as_ref().map(|(s, _)| s.as_str())),
            End::Sealed(..) | End::Cut(_) => {}
        }
    }

    fn wants_bytes(&self) -> bool {
        self.shared.vantage || !self.shared.canaries.is_empty()
    }

    fn bytes(&mut self, node: &NodeRef<'_>, field: &str, side: Side, offset: u64, bytes: &[u8], at: Arrival) {
        if self.shared.vantage {
            self.hold_item(side, bytes);
        }
        if self.shared.canaries.is_empty() {
            return;
        }
        if node.family() == Some(Family::Secure) || node.family() == Some(Family::Envelope) {
            return;
        }
        let keep = self.shared.canaries.longest().saturating_sub(1);
        let carry = self.carry.entry((node.id(), side)).or_default();
        if offset == 0 || !field.is_empty() {
            carry.clear();
        }
        carry.extend_from_slice(bytes);
        let hits = self.shared.canaries.find(carry);
        let cut = carry.len().saturating_sub(keep);
        carry.drain(..cut);
        for hit in hits {
            if self.outer.contains_key(&hit.canary) {
                continue;
            }
            let control = self.shared.canaries.list[hit.canary as usize].control;
            let chain = chain_of(node, hit.encoding);
            let kind = Kind::Canary { canary: hit.canary, control, chain, slot: None };
            let polarity = if control { Polarity::Neutral } else { Polarity::Against };
            let leaf = Leaf {
                field,
                form: Form::Binary,
                side,
                bytes,
                total: bytes.len() as u64,
                end: End::Clear,
                at,
                hashes: None,
                known: Default::default(),
            };
            let e = self.evidence(node, &leaf, kind, Strength::Proof, polarity);
            self.outer.insert(hit.canary, e);
        }
    }

    fn layer(&mut self, node: &NodeRef<'_>, at: Arrival) {
        if node.family() == Some(Family::Secure) && self.secure_path.is_empty() {
            self.secure_path = protocol_path(node);
        }
        if matches!(node.family(), Some(Family::App)) && node.scope() != 0 {
            let path = self.protocols(node);
            let message = self.message(node, at);
            // A request is known before what its body speaks. Lines are how a body is written.
            let speaks = !matches!(node.spec().map(|s| s.name), Some("lines" | "framed"));
            let inside = path.strip_prefix(message.path.as_str()).is_some_and(|inner| inner.starts_with('/'));
            if speaks && inside && !message.named {
                message.path = path;
            }
        }
    }

    fn exhibit(&mut self, node: &NodeRef<'_>, name: &'static str, side: Side, bytes: &[u8], at: Arrival) {
        let leaf = Leaf {
            field: "",
            form: Form::Binary,
            side,
            bytes,
            total: bytes.len() as u64,
            end: End::Opaque,
            at,
            hashes: None,
            known: Default::default(),
        };
        if trial::is_material(name) {
            let secret = Secret::Material { format: name.to_owned(), bytes: bytes.to_vec() };
            self.keep_secret(node, &leaf, secret, Stood::Called);
        } else if trial::opens(name) && bytes.len() <= trial::LONGEST {
            self.keep_field(node, &leaf, Some(name));
        }
    }

    fn done(&mut self, node: &NodeRef<'_>, ledger: &Ledger) {
        let coverage = &mut self.result.coverage;
        if node.parent().is_none() {
            coverage.seen += ledger.fed;
            coverage.parsed += ledger.parsed;
            coverage.lost += ledger.lost;
        }
        // What an envelope seals was opened down to it; media seal themselves.
        if matches!(node.family(), Some(Family::Secure | Family::App)) {
            coverage.sealed += ledger.sealed;
        }
        let opened = node.parent().is_some_and(|p| p.family() == Some(Family::Secure));
        if opened && node.guard() == Guard::Confidential {
            coverage.decrypted += ledger.fed;
        }
        if node.family() == Some(Family::Envelope) {
            self.close_envelope(node);
        }
        if self.carry.is_empty() {
            return;
        }
        for side in Side::BOTH {
            self.carry.remove(&(node.id(), side));
        }
    }

    fn note(&mut self, _node: &NodeRef<'_>, code: &'static str, at: Arrival) {
        self.limited |= code.ends_with("-limit");
        let frame = (at.frame != FrameRef::default()).then_some(at.frame);
        self.result.notes.add(code, frame);
    }
}

impl Collector {
    fn looked_up(&mut self, value: &Value) {
        let Value::List(parts) = value else { return };
        if let [Value::Text(host), Value::Text(ip)] = parts.as_slice()
            && let Ok(ip) = ip.parse()
        {
            self.result.names.add(ip, host.clone(), lookups::FLOW);
        }
    }

    fn connection_fact(&mut self, node: &NodeRef<'_>, name: &'static str, value: Value) {
        if name.ends_with(".sni")
            && let Value::Text(host) = &value
        {
            self.service = Some(host.clone());
        }
        if node.family() == Some(Family::Secure) {
            self.result.facts.insert(name, value);
        }
    }

    /// Envelope layers state what they are in facts of their own namespace.
    fn envelope_fact(&mut self, node: &NodeRef<'_>, name: &'static str, value: &Value, at: Arrival) {
        if name == "envelope.shows" {
            return self.envelope_shows(node, value);
        }
        if name != "envelope.is" {
            return;
        }
        let Value::List(parts) = value else { return };
        let [
            Value::Text(format),
            Value::Text(protocol),
            Value::Text(class),
            Value::Number(tier),
            Value::Text(why),
        ] = parts.as_slice()
        else {
            return;
        };
        let kind = Kind::Envelope {
            format: format.clone(),
            protocol: protocol.clone(),
            class: class.clone(),
            tier: (*tier).min(3) as u8,
            why: (!why.is_empty()).then(|| why.clone()),
        };
        let polarity = match class.as_str() {
            "e2ee-message" | "e2ee-handshake" => Polarity::For,
            "broken" | "secret-key" | "not-encrypted" => Polarity::Against,
            _ => Polarity::Neutral,
        };
        // A token in a header, a cookie or a link is sealed to a server, not to a person.
        let first = node.field().split('>').next().unwrap_or("");
        let last = node.field().rsplit(['.', '>']).find(|n| !n.is_empty()).unwrap_or("").to_ascii_lowercase();
        let token = first.starts_with("header.")
            || first == "target"
            || first == "query"
            || TOKENS.iter().any(|t| last.contains(t));
        let carried = !(class == "e2ee-message" && purpose::serves(format)) || self.carries_messages(node);
        let strength = if *tier <= 2 && !token && carried { Strength::Strong } else { Strength::Weak };
        let leaf = Leaf {
            field: "",
            form: Form::Binary,
            side: Side::Client,
            bytes: &[],
            total: 0,
            end: End::Opaque,
            at,
            hashes: None,
            known: Default::default(),
        };
        let e = self.evidence(node, &leaf, kind, strength, polarity);
        if !token {
            self.open_envelope(node, (format, protocol, class), e.origin.clone());
        }
        if format == "aesgcm-link" && !token {
            self.open_link(&e, node, at);
        }
        let message = self.message(node, at);
        if token { message.other.push(e) } else { message.envelopes.push(e) }
    }
}

/// Words in the names of fields that hold something sealed to a server, not to a person.
const TOKENS: [&str; 8] = ["token", "assertion", "jwt", "cookie", "captcha", "challenge", "ticket", "saml"];

/// Protection and application layers from the outside in.
pub(super) fn protocol_path(node: &NodeRef<'_>) -> String {
    let mut names: Vec<&str> =
        node.layers().filter(|s| matches!(s.family, Family::Secure | Family::App)).map(|s| s.name).collect();
    names.reverse();
    names.join("/")
}

/// Encodings undone on the way, outermost first.
pub(super) fn chain_of(node: &NodeRef<'_>, encoding: Option<&'static str>) -> Vec<String> {
    let mut names: Vec<String> =
        node.layers().filter(|s| s.family == Family::Codec).map(|s| s.name.to_owned()).collect();
    names.reverse();
    names.extend(encoding.map(str::to_owned));
    names
}

pub(super) fn join_fields<'a>(outer: &'a str, inner: &'a str) -> Cow<'a, str> {
    match (outer.is_empty(), inner.is_empty()) {
        (true, _) => inner.into(),
        (_, true) => outer.into(),
        _ => [outer, ">", inner].concat().into(),
    }
}
