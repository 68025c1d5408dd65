//! Choice of the next layer: a stated hint first, then all probes, sure before maybe.

use super::{Eats, Form, Guess, Hint, Probe, Registry, Spec, Unit};
use crate::model::Trust;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

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
    asked(registry, unit, probe, |_| true)
}

/// The same for a message that was a datagram, about which layers that eat either were asked.
pub(super) fn probed_after_datagram(registry: &Registry, probe: &Probe<'_>) -> Choice {
    asked(registry, Unit::Message, probe, |eats| eats != Eats::Message)
}

fn asked(registry: &Registry, unit: Unit, probe: &Probe<'_>, wanted: fn(Eats) -> bool) -> Choice {
    if probe.form == Form::Plain {
        return Choice::Leaf;
    }
    let mut best: Option<&'static Spec> = None;
    let mut waiting = false;
    let rows = Rows::of(registry);
    for Row { spec, ask, whole } in rows.asked(unit, probe.form).iter().filter(|r| wanted(r.spec.eats)) {
        if *whole && !probe.end {
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

/// A row that is asked about bytes of some unit and form.
struct Row {
    spec: &'static Spec,
    ask: fn(&Probe<'_>) -> Guess,
    /// It needs a complete message.
    whole: bool,
}

/// The rows that have a say, by unit and form: most of a registry's rows never look at most bytes.
struct Rows {
    tables: &'static [&'static [&'static Spec]],
    lists: Vec<((Unit, Form), Vec<Row>)>,
}

thread_local! {
    /// The lists of the registry that was used last; a program has one.
    static ROWS: RefCell<Option<Rc<Rows>>> = const { RefCell::new(None) };
}

impl Rows {
    fn of(registry: &Registry) -> Rc<Rows> {
        ROWS.with_borrow_mut(|last| match last {
            Some(rows) if std::ptr::eq(rows.tables, registry.tables) => rows.clone(),
            _ => last.insert(Rc::new(Rows::new(registry))).clone(),
        })
    }

    fn new(registry: &Registry) -> Self {
        let mut lists: Vec<((Unit, Form), Vec<Row>)> = Vec::new();
        for unit in [Unit::Stream, Unit::Datagram, Unit::Message] {
            for spec in registry.specs().filter(|s| serves(s.eats, unit)) {
                let Some(ask) = spec.probe else { continue };
                let whole = spec.eats != Eats::Stream && unit == Unit::Message;
                for form in spec.forms {
                    let key = (unit, *form);
                    let row = Row { spec, ask, whole };
                    match lists.iter_mut().find(|(k, _)| *k == key) {
                        Some((_, list)) => list.push(row),
                        None => lists.push((key, vec![row])),
                    }
                }
            }
        }
        Self { tables: registry.tables, lists }
    }

    fn asked(&self, unit: Unit, form: Form) -> &[Row] {
        self.lists.iter().find(|(k, _)| *k == (unit, form)).map_or(&[], |(_, list)| list)
    }
}
