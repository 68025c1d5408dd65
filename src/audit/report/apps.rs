//! Recognised applications and their vendors' claims, as the report lists them.

use super::{Audit, Ids};
use crate::report::dto;
use crate::verdict::{Compared, Confidence, Recognised, Sighting, Standing};
use std::collections::BTreeMap;

/// One entry per application, by id.
pub fn apps(known: &[Recognised]) -> Vec<dto::App> {
    let mut all: BTreeMap<&str, dto::App> = BTreeMap::new();
    for (c, sighting) in known.iter().enumerate().filter_map(|(c, k)| Some((c, k.app.as_ref()?))) {
        let app = all.entry(&sighting.id).or_insert_with(|| dto::App {
            id: sighting.id.clone(),
            name: sighting.name.clone(),
            ..dto::App::default()
        });
        app.confidence = app.confidence.max(confidence(sighting.confidence));
        app.conversations.push(Ids::conversation(c));
        for sign in &sighting.signs {
            if app.signs.len() < 12 && !app.signs.contains(sign) {
                app.signs.push(sign.clone());
            }
        }
    }
    all.into_values().collect()
}

/// A conversation's application.
pub fn of(known: &Recognised) -> Option<dto::AppRef> {
    let Sighting { id, name, confidence: sure, ambiguous, .. } = known.app.as_ref()?;
    Some(dto::AppRef {
        id: id.clone(),
        name: name.clone(),
        confidence: confidence(*sure),
        ambiguous: ambiguous.clone(),
    })
}

/// The claims with the evidence of the conversations that speak to them.
pub fn claims(audit: &Audit, ids: &Ids) -> Vec<dto::Claim> {
    let reasons = |c: &usize| -> Vec<String> {
        let judgement = audit.judgements.get(*c);
        judgement.into_iter().flat_map(|j| &j.reasons).take(3).map(|i| ids.evidence(*c, *i)).collect()
    };
    let claim = |c: &Compared| dto::Claim {
        app: c.app.id.clone(),
        statement: c.claim.statement.clone(),
        source: c.claim.source.clone(),
        date: c.claim.date.clone(),
        state: match c.standing {
            Standing::Confirmed => dto::ClaimState::Confirmed,
            Standing::Contradicted => dto::ClaimState::Contradicted,
            Standing::Untested => dto::ClaimState::Untested,
            Standing::Expired => dto::ClaimState::Expired,
        },
        why: c.why.clone(),
        evidence: c.conversations.iter().take(4).flat_map(reasons).collect(),
    };
    audit.claims.iter().map(claim).collect()
}

fn confidence(c: Confidence) -> dto::Confidence {
    match c {
        Confidence::Low => dto::Confidence::Low,
        Confidence::Medium => dto::Confidence::Medium,
        Confidence::High => dto::Confidence::High,
    }
}
