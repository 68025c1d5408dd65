//! Two ends and the length law, from evidence to the report's data.

use super::Ids;
use crate::audit::Audit;
use crate::evidence::length::Law;
use crate::evidence::relay::{Fit, Outcome, Relayed, Way};
use crate::evidence::{Draft, Kind, Vantage};
use crate::report::dto;
use std::collections::BTreeMap;

/// What the comparison shows, if there was one.
pub(super) fn vantages(audit: &Audit, ids: &Ids) -> Option<dto::Vantages> {
    let v = audit.vantages.as_ref()?;
    let all = 0..audit.inputs.len() as u32;
    let (sender, receiver) = all.partition(|i| (*i as usize) < v.sender_inputs);
    let ways = audit.drafts.iter().enumerate().flat_map(|(c, d)| {
        d.evidence.iter().enumerate().filter_map(move |(i, e)| match &e.kind {
            Kind::Relay(r) => Some(passage(audit, ids, (c, d), i, r)),
            _ => None,
        })
    });
    Some(dto::Vantages {
        sender,
        receiver,
        clock: v.clock.map(|c| dto::Clock {
            ahead_ms: c.ahead / 1_000_000,
            pairs: c.pairs as u64,
            by: match c.by {
                Fit::BothWays => "both-ways",
                Fit::OneWay => "one-way",
                Fit::Events => "events",
            }
            .to_owned(),
        }),
        ways: ways.collect(),
        identities: v
            .identities
            .iter()
            .map(|i| dto::Identity {
                fetched_by: i.fetched_by.word().to_owned(),
                kind: i.kind.clone(),
                published: i.published.into(),
                equal: i.equal.into(),
                different: i.different.into(),
            })
            .collect(),
        checks: audit
            .checks
            .all()
            .into_iter()
            .map(|(check, passed)| dto::Check { check: check.to_owned(), passed })
            .collect(),
    })
}

fn passage(audit: &Audit, ids: &Ids, (c, d): (usize, &Draft), i: usize, r: &Relayed) -> dto::Passage {
    let peer = r.peer.as_ref().and_then(|key| {
        audit.drafts.iter().position(|other| other.vantage != d.vantage && other.key == *key)
    });
    dto::Passage {
        conversation: Ids::conversation(c),
        vantage: d.vantage.map_or("", Vantage::word).to_owned(),
        way: way(r.way).to_owned(),
        peer: peer.map(Ids::conversation),
        outcome: outcome(r.outcome).to_owned(),
        messages: r.messages.into(),
        same: r.same.into(),
        recut: r.recut.into(),
        changed: r.changed.into(),
        missing: r.missing().into(),
        fanned: r.fanned.into(),
        echoes: r.echoes.into(),
        delay_ms: r.delay_ms,
        growth: r.growth,
        evidence: ids.evidence(c, i),
    }
}

fn way(way: Way) -> &'static str {
    match way {
        Way::Sent => "sent",
        Way::Received => "received",
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unchanged => "unchanged",
        Outcome::Changed => "changed",
        Outcome::Readable => "readable",
        Outcome::Unclear => "unclear",
    }
}

/// What a comparison shows of one conversation, in a sentence.
pub(super) fn relayed(r: &Relayed) -> String {
    let (verb, elsewhere) = match r.way {
        Way::Sent => ("sent here", "reach the other end"),
        Way::Received => ("received here", "left the other end"),
    };
    let n = r.messages;
    match r.outcome {
        Outcome::Unchanged => format!(
            "{} of {n} messages {verb} {elsewhere} with the same sealed bytes{}",
            r.arrived(),
            if r.recut > 0 {
                format!(" ({} of them cut out of a larger whole)", r.recut)
            } else {
                String::new()
            }
        ),
        Outcome::Changed => format!(
            "none of the sealed bytes of {n} messages {verb} {elsewhere}; {} have others of like size at the same time there",
            r.changed
        ),
        Outcome::Readable => format!(
            "none of the sealed bytes of {n} messages {verb} {elsewhere}; {} have a readable message of like size at the same time there",
            r.changed
        ),
        Outcome::Unclear => format!("none of the {n} messages {verb} was recognised at the other end"),
    }
}

/// The law in a sentence.
pub(super) fn law(l: &Law) -> String {
    let step = match l.step {
        Some(1) => ", to the byte".to_owned(),
        Some(s) => format!(", in steps of {s} bytes"),
        None => String::new(),
    };
    let slope =
        l.slope.map_or(String::new(), |s| format!("; each byte of text adds {:.2} bytes", s as f64 / 1000.0));
    let packed = if l.is_compressed() { ", so text is compressed before it is sealed" } else { "" };
    format!(
        "{} ciphertexts have {} different sizes from {} to {} bytes{step}: a size tells up to {:.1} bits{slope}{packed}",
        l.messages,
        l.distinct,
        l.least,
        l.most,
        f64::from(l.centibits) / 100.0
    )
}

/// The laws with what they were read from.
pub(super) fn lengths(audit: &Audit) -> Vec<dto::LengthLaw> {
    let each = |(c, law): &(usize, Law)| {
        let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
        let all = audit.drafts.get(*c).map(|d| d.sizes.as_slice()).unwrap_or_default();
        all.iter().filter(|s| s.format == law.format).for_each(|s| *sizes.entry(s.bytes).or_default() += 1);
        dto::LengthLaw {
            conversation: Ids::conversation(*c),
            format: law.format.clone(),
            messages: law.messages.into(),
            distinct: law.distinct.into(),
            least: law.least,
            most: law.most,
            step: law.step,
            bits: f64::from(law.centibits) / 100.0,
            slope: law.slope.map(|s| s as f64 / 1000.0),
            overhead: law.overhead,
            compressed: law.is_compressed(),
            sizes: sizes.into_iter().collect(),
            texts: law.pairs.clone(),
        }
    };
    audit.lengths.iter().map(each).collect()
}
