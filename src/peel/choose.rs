//! Choice of the next layer: a stated hint first, then all probes, sure before maybe.

use super::{Eats, Form, Guess, Hint, Probe, Registry, Spec, Unit};
use crate::model::Trust;
use std::collections::VecDeque;

/// What the look at some bytes came to.
pub(super) enum Choice {
    /// This layer, with the trust that its identification has.
    Layer(&'static Spec, Trust),
    /// Some layer cannot tell yet.
    Wait,
    /// None fits.
    Leaf,
}

/// Whether a layer that eats `eats` can be fed in `unit`.
fn serves(eats: Eats, unit: Unit) -> bool {
    matches!(
        (eats, unit),
        (Eats::Stream, Unit::Stream | Unit::Message)
            | (Eats::Datagram, Unit::Datagram)
            | (Eats::Message, Unit::Message | Unit::Datagram)
    )
}

/// Takes the first hint that a layer answers to off the list. Hints that no layer knows are dropped
/// one by one, so that an unknown media type does not hide the bytes.
pub(super) fn stated(registry: &Registry, unit: Unit, hints: &mut VecDeque<Hint>) -> Option<&'static Spec> {
    while let Some(hint) = hints.pop_front() {
        if let Some(spec) = registry.answering(&hint).filter(|s| serves(s.eats, unit)) {
            return Some(spec);
        }
    }
    None
}

/// Asks every layer that could eat this about the bytes. `whole` layers (those that need a complete
/// message) are asked only when `probe.end` holds.
pub(super) fn probed(registry: &Registry, unit: Unit, probe: &Probe<'_>) -> Choice {
    if probe.form == Form::Plain {
        return Choice::Leaf;
    }
    let mut best: Option<&'static Spec> = None;
    let mut waiting = false;
    for spec in registry.specs() {
        let Some(ask) = spec.probe else { continue };
        let whole = spec.eats != Eats::Stream && unit == Unit::Message;
        if !serves(spec.eats, unit) || !spec.forms.contains(&probe.form) {
            continue;
        }
        if whole && !probe.end {
            waiting = true;
            continue;
        }
        match ask(probe) {
            Guess::Sure => return Choice::Layer(spec, Trust::Proven),
            Guess::Maybe if best.is_none() => best = Some(spec),
            Guess::More => waiting |= !probe.end,
            Guess::Maybe | Guess::No => {}
        }
    }
    match best {
        _ if waiting => Choice::Wait,
        Some(spec) => Choice::Layer(spec, Trust::Guessed),
        None => Choice::Leaf,
    }
}
