//! Which application a conversation belongs to, how sure that is, whether its host makes sealed traffic
//! weigh, and how vendors' claims stand beside what was observed. None of it moves a verdict.

mod claims;
mod signs;

pub use claims::{Compared, Standing, claims};

use super::{Confidence, Judgement};
use crate::evidence::{Content, Draft};
use crate::ruleset::apps::{self, Role};
use signs::Signs;
use std::net::SocketAddr;

/// An application seen in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Short name.
    pub id: String,
    /// Name as people know it.
    pub name: String,
    /// How sure.
    pub confidence: Confidence,
    /// Why, one phrase each.
    pub signs: Vec<String>,
    /// What else uses the host.
    pub ambiguous: Option<String>,
}

/// What is known of a conversation's application and of its host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recognised {
    /// The application, if anything names one.
    pub app: Option<Sighting>,
    /// What the host is for, if a table knows it, and whose it is.
    pub role: Option<(Role, String)>,
    /// Whether something else uses the host as well.
    pub shared: bool,
}

/// What the conversation's names, addresses and marks tell of its application.
pub fn recognise(draft: &Draft) -> Recognised {
    let host = host_of(&draft.key.endpoint);
    let named = host.and_then(apps::by_host);
    let role = named.map(|m| (m.hosts.role, m.app.name.clone()));
    let shared = named.is_some_and(|m| m.hosts.ambiguous.is_some());
    let mut signs = Signs::new();
    for app in apps::all() {
        let found = signs::signs_of(app, draft, named.filter(|m| m.app.id == app.id).map(|m| m.hosts), host);
        if !found.is_empty() {
            signs.insert(&app.id, found);
        }
    }
    let hosts = named.map(|m| m.hosts);
    let app = match &draft.app {
        Some(name) => Some(signs::by_device(name, &signs)),
        None => signs::by_signs(&signs, hosts),
    };
    Recognised { app, role, shared }
}

/// The endpoint's host name, if it is one and not an address.
fn host_of(endpoint: &str) -> Option<&str> {
    if endpoint.parse::<SocketAddr>().is_ok() {
        return None;
    }
    Some(endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host))
}

/// Sealed traffic weighs where an app's message host is at the other end, and does not where the host is
/// one for statistics, pictures or notifications. What was opened speaks for itself.
pub fn reweigh(draft: &Draft, known: &Recognised, judgement: &mut Judgement) {
    if draft.key.content != Content::Sealed {
        return;
    }
    match &known.role {
        Some((Role::Messages, app)) if !known.shared => {
            judgement.weighs =
                Some(format!("an app's message host ({app}) with traffic that nobody here can open"));
        }
        Some((role, _)) if role.is_background() => judgement.weighs = None,
        _ => {}
    }
}

#[cfg(test)]
mod tests;
