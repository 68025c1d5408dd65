//! The identity key that one end fetched against the one that the other published.

use super::Recording;
use crate::evidence::{
    Content, ConversationKey, Evidence, Identity, Kind, Parcel, Polarity, Strength, Vantage,
};
use crate::model::Side;
use crate::peel::Guard;
use std::collections::{BTreeMap, BTreeSet};

/// Keys of one kind, compared in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The end that fetched them.
    pub fetched_by: Vantage,
    /// The kind of key.
    pub kind: String,
    /// Keys that the other end published.
    pub published: u32,
    /// Of these, fetched here as they were published.
    pub equal: u32,
    /// Fetched for the same owner, and another key.
    pub different: u32,
}

type Found = (Vec<(Vantage, ConversationKey, Evidence)>, Vec<Compared>);

/// Compares in both directions.
pub fn compare(sender: &Recording, receiver: &Recording) -> Found {
    let (mut evidence, mut all) = (Vec::new(), Vec::new());
    for (here, by, there) in [(sender, Vantage::Sender, receiver), (receiver, Vantage::Receiver, sender)] {
        let kinds: BTreeSet<&str> = there.identities.iter().map(|i| i.kind.as_str()).collect();
        for kind in kinds {
            let Some((compared, origin)) = one(kind, here, by, there) else { continue };
            let keys: BTreeSet<&ConversationKey> =
                here.parcels.iter().map(|p: &Parcel| &p.conversation).collect();
            let concerned = keys.into_iter().filter(|k| concerns(kind, &k.content));
            evidence.extend(concerned.map(|k| (by, k.clone(), record(&compared, origin))));
            all.push(compared);
        }
    }
    (evidence, all)
}

/// Keys of one kind that `there` published, looked for in what `here` fetched.
fn one<'a>(
    kind: &str,
    here: &'a Recording,
    fetched_by: Vantage,
    there: &Recording,
) -> Option<(Compared, &'a Identity)> {
    let of = |r: &'a Recording, side: Side| -> Vec<&'a Identity> {
        r.identities.iter().filter(|i| i.kind == kind && i.origin.side == side).collect()
    };
    let fetched = of(here, Side::Server);
    let mut published: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for i in there.identities.iter().filter(|i| i.kind == kind && i.origin.side == Side::Client) {
        published.entry(&i.owner).or_default().insert(&i.digest);
    }
    let mut compared = Compared { fetched_by, kind: kind.to_owned(), published: 0, equal: 0, different: 0 };
    let mut place = None;
    for (owner, digests) in &published {
        compared.published += digests.len() as u32;
        let same = fetched.iter().find(|i| digests.contains(i.digest.as_str()));
        let owned = fetched.iter().find(|i| !owner.is_empty() && i.owner == *owner);
        match (same, owned) {
            (Some(i), _) => {
                compared.equal += 1;
                place = place.or(Some(*i));
            }
            // A key without an owner may be anybody's: that it differs says nothing.
            (None, Some(i)) => {
                compared.different += 1;
                place = Some(*i);
            }
            (None, None) => {}
        }
    }
    place.map(|i| (compared, i))
}

/// Whether keys of this kind protect conversations in this kind of envelope.
fn concerns(kind: &str, content: &Content) -> bool {
    let Content::Envelope(protocol) = content else { return false };
    match kind {
        "matrix-ed25519" | "matrix-curve25519" => protocol.contains("Olm"),
        "omemo-bundle" => protocol.contains("OMEMO"),
        "openpgp-public-key" => protocol.contains("OpenPGP"),
        _ => ["Signal", "Proteus", "WhatsApp"].iter().any(|p| protocol.contains(p)),
    }
}

fn record(compared: &Compared, place: &Identity) -> Evidence {
    let polarity = if compared.different > 0 { Polarity::Against } else { Polarity::For };
    Evidence {
        kind: Kind::IdentityKey {
            key: compared.kind.clone(),
            equal: compared.equal,
            different: compared.different,
        },
        strength: Strength::Strong,
        polarity,
        guard: Guard::Confidential,
        origin: place.origin.clone(),
        count: 1,
        shown: None,
    }
}
