//! Signs of an application in what was seen of a conversation, and how far they go together.

use super::Sighting;
use crate::evidence::{Draft, Kind};
use crate::model::Value;
use crate::ruleset::apps::{self, App, Hosts, Mark, MarkKind, Role, Sureness};
use crate::verdict::Confidence;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// Kinds of sign. Two of different kinds support each other; two of one kind may be one lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    Name,
    Address,
    Protocol,
    Envelope,
}

/// Signs by the app that they are of.
pub type Signs = BTreeMap<&'static str, BTreeSet<(Sign, String)>>;

pub fn signs_of(
    app: &'static App,
    draft: &Draft,
    named: Option<&'static Hosts>,
    host: Option<&str>,
) -> BTreeSet<(Sign, String)> {
    let mut found = BTreeSet::new();
    if let (Some(hosts), Some(host)) = (named, host) {
        let how = if is_sni(draft, host) { "the server name in clear" } else { "the host's name" };
        found.insert((Sign::Name, format!("{how} is {host} ({})", hosts.role.word())));
    }
    if let Ok(server) = draft.server.parse::<SocketAddr>()
        && let Some(list) = app.addresses.iter().find(|a| a.nets.iter().any(|n| n.holds(server.ip())))
    {
        found.insert((Sign::Address, format!("the address is in its list ({})", list.source)));
    }
    for mark in &app.marks {
        if let Some(sign) = shows(mark, draft) {
            found.insert((sign, mark.what.clone()));
        }
    }
    found
}

fn is_sni(draft: &Draft, host: &str) -> bool {
    draft.facts.iter().any(|(name, v)| name.ends_with(".sni") && v.as_text() == Some(host))
}

fn shows(mark: &Mark, draft: &Draft) -> Option<Sign> {
    let text = |v: &Value, wanted: &str| match v {
        Value::List(l) => l.iter().any(|v| v.to_string() == wanted),
        v => v.to_string() == wanted,
    };
    let has = |ending: &str, wanted: &str| {
        draft.facts.iter().any(|(name, v)| name.ends_with(ending) && text(v, wanted))
    };
    let value = mark.value.as_str();
    match mark.kind {
        MarkKind::Alpn => has(".alpn", value).then_some(Sign::Protocol),
        MarkKind::Layer => draft.key.path.split('/').any(|l| l == value).then_some(Sign::Protocol),
        MarkKind::Fact => {
            let (name, wanted) = value.split_once('=')?;
            draft.facts.get(name).any(|v| text(v, wanted)).then_some(Sign::Protocol)
        }
        MarkKind::Envelope => {
            let fits = |kind: &Kind| matches!(kind, Kind::Envelope { format, protocol, .. } if format.starts_with(value) || protocol.starts_with(value));
            draft.evidence.iter().any(|e| fits(&e.kind)).then_some(Sign::Envelope)
        }
    }
}

/// The device that captured knows which program made the traffic; what the traffic shows may agree.
pub fn by_device(name: &str, signs: &Signs) -> Sighting {
    let mut said = vec![format!("the capturing device names {name}")];
    let known = apps::by_device(name);
    let agreeing = known.and_then(|app| signs.get(app.id.as_str()));
    for (id, others) in signs {
        let own = known.is_some_and(|a| a.id == *id);
        for (_, what) in others {
            said.push(if own { what.clone() } else { format!("{what}, which is of {id}") });
        }
    }
    Sighting {
        id: known.map_or_else(|| slug(name), |a| a.id.clone()),
        name: name.to_owned(),
        confidence: if agreeing.is_some() { Confidence::High } else { Confidence::Medium },
        signs: said,
        ambiguous: None,
    }
}

fn slug(name: &str) -> String {
    let letters = name.trim().chars().map(|c| if c.is_alphanumeric() { c } else { '-' });
    letters.collect::<String>().to_lowercase()
}

/// A name alone is what anybody can write, and an address may be handed to somebody else: low. Two kinds of
/// sign: medium. The app's own envelopes under its own name: high. A shared host stays low whatever else
/// the connection shows, unless envelopes tell whose it is.
pub fn by_signs(signs: &Signs, hosts: Option<&'static Hosts>) -> Option<Sighting> {
    let kinds = |set: &BTreeSet<(Sign, String)>| set.iter().map(|(s, _)| *s).collect::<BTreeSet<Sign>>();
    let (id, set) =
        signs.iter().max_by_key(|(_, set)| (kinds(set).len(), kinds(set).contains(&Sign::Name)))?;
    let app = apps::all().iter().find(|a| a.id == *id)?;
    let kinds = kinds(set);
    let own_name = kinds.contains(&Sign::Name);
    let ambiguous = hosts.filter(|_| own_name).and_then(|h| h.ambiguous.clone());
    let sealed_for_it = kinds.contains(&Sign::Envelope);
    if ambiguous.is_some() && !sealed_for_it {
        let telling = hosts.is_some_and(|h| matches!(h.role, Role::Messages | Role::Calls));
        if !telling {
            return None;
        }
    }
    if kinds.len() == 1 && kinds.contains(&Sign::Address) && !owns_range(app) {
        return None;
    }
    let confidence = match kinds.len() {
        _ if ambiguous.is_some() && !sealed_for_it => Confidence::Low,
        1 => Confidence::Low,
        _ if sealed_for_it && own_name => Confidence::High,
        _ => Confidence::Medium,
    };
    Some(Sighting {
        id: app.id.clone(),
        name: app.name.clone(),
        confidence,
        signs: set.iter().map(|(_, what)| what.clone()).collect(),
        ambiguous: ambiguous.filter(|_| !sealed_for_it),
    })
}

/// Whether the app's message addresses are its own by the vendor's word, and not a cloud's.
fn owns_range(app: &App) -> bool {
    app.addresses.iter().any(|a| a.role == Role::Messages && a.confidence == Sureness::High)
}
