//! Choice of the next layer: a stated hint first, then all probes, sure before maybe.

use super::feeding::reads_as_text;
use super::memory::Taken;
use super::tree::Env;
use super::{Eats, Family, Form, Guess, Hint, Probe, Registry, Spec, Unit};
use crate::model::{Memo, Side, Trust};
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

/// The same without encodings, where those were asked about enough of the flow's datagrams.
fn probed_for_protocols(registry: &Registry, probe: &Probe<'_>) -> Choice {
    asked(registry, Unit::Datagram, probe, |spec| spec.family != Family::Codec)
}

/// The same for a message that was a datagram, about which layers that eat either were asked.
fn probed_after_datagram(registry: &Registry, probe: &Probe<'_>) -> Choice {
    asked(registry, Unit::Message, probe, |spec| spec.eats != Eats::Message)
}

fn asked(registry: &Registry, unit: Unit, probe: &Probe<'_>, wanted: fn(&Spec) -> bool) -> Choice {
    if probe.form == Form::Plain {
        return Choice::Leaf;
    }
    let mut best: Option<&'static Spec> = None;
    let mut waiting = false;
    let rows = Rows::of(registry);
    for Row { spec, ask, whole } in rows.asked(unit, probe.form).iter().filter(|r| wanted(r.spec)) {
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

/// The layer of a datagram of an undecided flow, which may be an encoding if `codecs`. Where earlier datagrams have a
/// say, nothing is remembered.
pub(super) fn datagram(
    registry: &Registry,
    recent: &mut Memo<Taken>,
    probe: &Probe<'_>,
    codecs: bool,
) -> Taken {
    if !codecs {
        return probed_for_protocols(registry, probe).taken();
    }
    let work = || probed(registry, Unit::Datagram, probe).taken();
    match probe.before {
        [] => recent.answer(tag(Asked::Datagram, probe), probe.bytes, work),
        _ => work(),
    }
}

/// The layer of one whole message. Octets that nobody knows and that read as text are text: their layer is
/// asked for again, and so they are shown.
pub(super) fn seen(env: &mut Env<'_>, form: &mut Form, side: Side, bytes: &[u8]) -> Taken {
    let choice = message(env, Asked::Message, *form, side, bytes);
    if choice.is_some() || *form != Form::Binary || !reads_as_text(bytes) {
        return choice;
    }
    *form = Form::Text;
    message(env, Asked::Message, *form, side, bytes)
}

/// The same for a datagram that no layer claimed.
pub(super) fn after_datagram(env: &mut Env<'_>, form: &mut Form, side: Side, bytes: &[u8]) -> Taken {
    let binary = message(env, Asked::AfterDatagram, *form, side, bytes);
    if binary.is_some() || !reads_as_text(bytes) {
        return binary;
    }
    *form = Form::Text;
    message(env, Asked::Message, *form, side, bytes)
}

fn message(env: &mut Env<'_>, asked: Asked, form: Form, side: Side, bytes: &[u8]) -> Taken {
    let probe = whole(env, form, side, bytes, false);
    let registry = env.registry;
    env.memory.recent.answer(tag(asked, &probe), bytes, || {
        let choice = match asked {
            Asked::AfterDatagram => probed_after_datagram(registry, &probe),
            Asked::Datagram | Asked::Message => probed(registry, Unit::Message, &probe),
        };
        choice.taken()
    })
}

/// A stated layer whose own probe refuses the bytes is not believed.
pub(super) fn contradicted(spec: &Spec, env: &Env<'_>, form: Form, side: Side, bytes: &[u8]) -> bool {
    spec.probe.is_some_and(|p| p(&whole(env, form, side, bytes, true)) == Guess::No)
}

/// A message as probes see it.
fn whole<'a, 'e: 'a>(env: &Env<'e>, form: Form, side: Side, bytes: &'a [u8], stated: bool) -> Probe<'a> {
    Probe {
        bytes,
        side,
        other: &[],
        end: true,
        form,
        server_port: env.server_port,
        stated,
        known: false,
        before: &[],
        keys: env.keys,
    }
}

/// Who was asked about a message.
#[derive(Clone, Copy)]
enum Asked {
    Datagram,
    AfterDatagram,
    Message,
}

/// Everything but the bytes that an answer depends on; it is forgotten when keys come.
fn tag(asked: Asked, probe: &Probe<'_>) -> u64 {
    let side = probe.side as u64;
    u64::from(probe.server_port) << 16 | (asked as u64) << 12 | (probe.form as u64) << 8 | side
}

impl Choice {
    fn taken(self) -> Taken {
        match self {
            Choice::Layer(spec, trust) => Some((spec, trust)),
            Choice::Wait | Choice::Leaf => None,
        }
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
