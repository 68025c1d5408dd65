//! Who learns what: data items against parties.

use super::{Grade, Judgement, Network, Provider};
use crate::evidence::{Content, Draft, Kind, Strength};
use crate::peel::Guard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether a party learns an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Knows {
    /// Evidence shows it.
    Learns,
    /// The recording cannot tell.
    Unknown,
    /// Evidence excludes it for what was looked at.
    DoesNot,
}

/// One cell of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Exposure {
    /// Data item.
    pub item: String,
    /// `network`, or the service's endpoint.
    pub party: String,
    /// Whether it learns the item.
    pub state: Knows,
    /// Conversation and evidence that show it.
    pub evidence: Vec<(usize, usize)>,
}

/// The matrix as a list of cells, items in alphabetical order after the message text.
pub fn exposures(drafts: &[Draft], judgements: &[Judgement]) -> Vec<Exposure> {
    let mut cells: BTreeMap<(String, String), Exposure> = BTreeMap::new();
    let mut set = |item: &str, party: &str, state: Knows, evidence: Option<(usize, usize)>| {
        let cell = cells.entry((item.to_owned(), party.to_owned())).or_insert_with(|| Exposure {
            item: item.to_owned(),
            party: party.to_owned(),
            state,
            evidence: Vec::new(),
        });
        cell.state = cell.state.min(state);
        if let Some(e) = evidence.filter(|_| cell.evidence.len() < 4) {
            cell.evidence.push(e);
        }
    };
    for (c, (draft, judgement)) in drafts.iter().zip(judgements).enumerate() {
        let provider = draft.key.endpoint.as_str();
        if judgement.weighs.is_some() {
            let first = judgement.reasons.first().map(|i| (c, *i));
            let operator = match judgement.provider {
                Provider::Readable => Knows::Learns,
                // Structure alone does not tell whether the provider holds the keys.
                Provider::Sealed if judgement.grade >= Grade::G3 => Knows::DoesNot,
                Provider::Sealed => Knows::Unknown,
                Provider::Unknown => Knows::Unknown,
            };
            let network = match judgement.network {
                Network::Readable => Knows::Learns,
                // Whoever is on the path sees all that the provider sees, and no more is known of it.
                Network::Protected
                    if judgement.provider == Provider::Sealed && in_the_open(draft, judgement) =>
                {
                    operator
                }
                Network::Protected => Knows::DoesNot,
                Network::Unknown => Knows::Unknown,
            };
            let item = if draft.key.content == Content::Call { "call-media" } else { "message-text" };
            set(item, "network", network, first);
            set(item, provider, operator, first);
            for item in ["timing", "sizes", "ip-address"] {
                set(item, "network", Knows::Learns, None);
                set(item, provider, Knows::Learns, None);
            }
        }
        for (i, e) in draft.evidence.iter().enumerate() {
            if let Kind::Copy { of, service, .. } = &e.kind
                && of == "text"
                && e.strength >= Strength::Strong
            {
                set("message-text", service, Knows::Learns, Some((c, i)));
                if e.guard == Guard::Open {
                    set("message-text", "network", Knows::Learns, Some((c, i)));
                }
            }
            let Kind::Metadata { item, .. } = &e.kind else { continue };
            set(item, provider, Knows::Learns, Some((c, i)));
            let network = if e.guard == Guard::Open { Knows::Learns } else { Knows::DoesNot };
            set(item, "network", network, Some((c, i)));
        }
    }
    let mut all: Vec<Exposure> = cells.into_values().collect();
    all.sort_by_key(|e| (e.item != "message-text", e.item.clone(), e.party != "network", e.party.clone()));
    all
}

/// Whether what a judgement rests on stood where anybody on the path sees it.
fn in_the_open(draft: &Draft, judgement: &Judgement) -> bool {
    judgement.reasons.iter().filter_map(|i| draft.evidence.get(*i)).any(|e| e.guard == Guard::Open)
}
