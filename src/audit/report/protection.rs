//! From the facts of conversations to what protects each endpoint's transport.

use super::Ids;
use crate::evidence::{Content, Draft};
use crate::model::Value;
use crate::report::dto;
use std::collections::{BTreeMap, BTreeSet};

/// Layers that protect a path, as they stand in a conversation's path, and the prefixes of their facts.
const PROTECTORS: [&str; 14] = [
    "tls",
    "quic",
    "dtls",
    "noise",
    "noise-wa",
    "mtproto",
    "mtproto-obfuscated",
    "mmtls",
    "ssh",
    "wireguard",
    "openvpn",
    "openvpn-tcp",
    "ipsec",
    "opened",
];

/// One entry per endpoint and kind of protection, in order of name. Facts of conversations at the same
/// endpoint are joined; where connections differ, all values are shown.
pub fn transport(drafts: &[Draft]) -> Vec<dto::Transport> {
    let mut groups: BTreeMap<(&str, &str), Group<'_>> = BTreeMap::new();
    for (c, d) in drafts.iter().enumerate() {
        let quiet = d.key.content == Content::Background;
        let layer = d.key.path.split('/').find(|l| PROTECTORS.contains(l));
        // Name look-ups and the like have no transport protection to speak of.
        if quiet && layer.is_none() {
            continue;
        }
        let group = groups.entry((&d.key.endpoint, layer.unwrap_or("none"))).or_default();
        group.conversations.push(Ids::conversation(c));
        group.flows = group.flows.max(d.flows);
        for (name, value) in d.facts.iter() {
            let of_a_protector = name.split_once('.').filter(|(layer, _)| PROTECTORS.contains(layer));
            if let Some((_, name)) = of_a_protector {
                group.facts.entry(name).or_default().insert(value);
            }
        }
    }
    groups.into_iter().map(|((endpoint, protocol), group)| entry(endpoint, protocol, group)).collect()
}

#[derive(Default)]
struct Group<'a> {
    conversations: Vec<String>,
    /// Flows of the conversation with the most; conversations may share flows, so no sum would hold.
    flows: u64,
    /// By name, without the layer's.
    facts: BTreeMap<&'a str, BTreeSet<&'a Value>>,
}

impl Group<'_> {
    fn values(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.facts.get(name).into_iter().flatten().copied()
    }

    /// All values as one text, or nothing.
    fn text(&self, name: &str) -> Option<String> {
        let all: BTreeSet<String> =
            self.values(name).map(ToString::to_string).filter(|t| !t.is_empty()).collect();
        (!all.is_empty()).then(|| all.into_iter().collect::<Vec<_>>().join(", "))
    }

    /// The worst of several: true only where every connection says so.
    fn flag(&self, name: &str) -> Option<bool> {
        let all: Vec<bool> = self
            .values(name)
            .filter_map(|v| match v {
                Value::Flag(b) => Some(*b),
                _ => None,
            })
            .collect();
        (!all.is_empty()).then(|| all.iter().all(|b| *b))
    }
}

fn entry(endpoint: &str, protocol: &str, group: Group<'_>) -> dto::Transport {
    let secure = protocol != "none";
    let opened = group.flag("opened").map(|all| if all { "yes" } else { "not all" });
    let remarks = [
        (
            if protocol == "opened" { "opened by the recorder" } else { "opened with keys" },
            opened.map(str::to_owned),
        ),
        ("encrypted hello", group.text("ech").filter(|e| e != "none")),
        ("early data", group.text("early_data").map(|_| "sent".to_owned())),
        ("resumed", group.text("resumed").map(|_| "sessions".to_owned())),
        ("retry", group.text("retry").map(|_| "asked for".to_owned())),
        ("client certificate", group.text("client_certificate").filter(|c| c != "false")),
        ("JA4", group.text("ja4")),
    ];
    let named = remarks.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    dto::Transport {
        endpoint: endpoint.to_owned(),
        protocol: protocol.to_owned(),
        version: group.text("version").filter(|_| secure),
        sni: group.text("sni"),
        alpn: group.text("alpn_selected"),
        suite: group.text("suite"),
        group: group.text("group"),
        post_quantum: group.flag("post_quantum"),
        // QUIC knows no key exchange without an ephemeral part but by a pre-shared key alone, and a group
        // that was agreed on rules that out.
        forward_secrecy: group
            .flag("forward_secrecy")
            .or_else(|| (protocol == "quic" && group.text("group").is_some()).then_some(true)),
        certificate: certificate(&group),
        sessions: if secure { group.flows } else { 0 },
        opened: if secure && opened == Some("yes") { group.flows } else { 0 },
        weak: group.values("weak").map(ToString::to_string).collect::<BTreeSet<_>>().into_iter().collect(),
        facts: named.collect(),
        conversations: group.conversations,
    }
}

fn certificate(group: &Group<'_>) -> Option<dto::Certificate> {
    let subject = group.text("certificate.subject").or_else(|| group.text("certificate.names"))?;
    let mut problems = Vec::new();
    if group.values("certificate.self_signed").any(|v| *v == Value::Flag(true)) {
        problems.push("self-signed".to_owned());
    }
    Some(dto::Certificate {
        subject,
        issuer: group.text("certificate.issuer").unwrap_or_default(),
        not_before: group.text("certificate.not_before"),
        not_after: group.text("certificate.not_after"),
        problems,
    })
}
