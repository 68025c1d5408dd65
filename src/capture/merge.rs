//! Several inputs as one: in the order of time, each file open only while its time comes.

use super::input::Reader;
use super::presecrets;
use super::{Batch, CaptureError, InputInfo, Secrets, Source};
use crate::model::{Limits, Timestamp};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// An input whose turn has not come.
struct Waiting {
    index: usize,
    first: Option<Timestamp>,
    /// Kept open because it cannot be opened twice.
    active: Option<Box<Active>>,
    path: String,
    ahead: bool,
}

/// An input being read, with the frames of its last batch that are still to be delivered.
struct Active {
    index: usize,
    reader: Reader,
    batch: Batch,
    next: usize,
}

/// The merging source.
pub(super) struct Merged {
    limits: Limits,
    waiting: VecDeque<Waiting>,
    active: Vec<Active>,
    infos: Vec<InputInfo>,
    secrets: Vec<Secrets>,
    retired: u64,
}

impl Merged {
    const PEEK: usize = 64 << 10;

    /// Looks at every path and puts them in the order of their first frames.
    pub fn open(paths: &[PathBuf], limits: &Limits) -> Result<Self, CaptureError> {
        let mut merged = Self {
            limits: limits.clone(),
            waiting: VecDeque::new(),
            active: Vec::new(),
            infos: Vec::new(),
            secrets: Vec::new(),
            retired: 0,
        };
        let alone = paths.len() == 1;
        let mut waiting = Vec::with_capacity(paths.len());
        for (index, path) in paths.iter().enumerate() {
            let name = path.to_string_lossy().into_owned();
            let mut reader = Reader::open(&name, index as u32, limits)?;
            merged.infos.push(reader.info());
            let gathered = if name == "-" { None } else { presecrets::gather(path) };
            let ahead = gathered.is_some();
            merged.secrets.extend(gathered.unwrap_or_default());
            if ahead {
                reader = reader.without_secrets();
            }
            let mut active = Box::new(Active { index, reader, batch: Batch::default(), next: 0 });
            let mut first = None;
            if !alone {
                active.reader.fill(&mut active.batch, Self::PEEK)?;
                first = active.batch.frames.first().map(|f| f.at.time);
            }
            let keep = alone || !reopens(path);
            waiting.push(Waiting { index, first, active: keep.then_some(active), path: name, ahead });
        }
        waiting.sort_by_key(|w| (w.first, w.index));
        merged.waiting = waiting.into();
        Ok(merged)
    }

    fn activate(&mut self) -> Result<(), CaptureError> {
        let Some(waiting) = self.waiting.pop_front() else {
            return Ok(());
        };
        let active = match waiting.active {
            Some(active) => *active,
            None => {
                let mut reader = Reader::open(&waiting.path, waiting.index as u32, &self.limits)?;
                if waiting.ahead {
                    reader = reader.without_secrets();
                }
                Active { index: waiting.index, reader, batch: Batch::default(), next: 0 }
            }
        };
        self.active.push(active);
        Ok(())
    }

    fn retire(&mut self, place: usize) {
        let gone = self.active.swap_remove(place);
        let info = gone.reader.info();
        self.retired += info.bytes;
        if let Some(slot) = self.infos.get_mut(gone.index) {
            *slot = info;
        }
    }

    /// Opens every input whose first frame is not later than `time`.
    fn open_until(&mut self, time: Timestamp) -> Result<(), CaptureError> {
        while self.waiting.front().is_some_and(|w| w.first.is_none_or(|first| first <= time)) {
            self.activate()?;
        }
        Ok(())
    }

    /// Reads the only active input straight into `out`; true where `out` may be delivered as it is.
    fn alone(&mut self, out: &mut Batch) -> Result<bool, CaptureError> {
        let Some(only) = self.active.first_mut() else {
            return Ok(false);
        };
        if !only.reader.fill(out, Batch::TARGET)? {
            self.retire(0);
            return Ok(false);
        }
        let Some(next) = self.waiting.front() else {
            return Ok(true);
        };
        let next = next.first.unwrap_or(Timestamp(i64::MIN));
        if out.frames.iter().all(|f| f.at.time < next) {
            return Ok(true);
        }
        std::mem::swap(out, &mut only.batch);
        only.next = 0;
        out.clear();
        Ok(false)
    }

    /// Copies frames of all active inputs by time into `out` until it is full or has to wait.
    fn interleave(&mut self, out: &mut Batch) -> Result<(), CaptureError> {
        out.data.clear();
        while out.data.len() < Batch::TARGET {
            self.refill(out)?;
            let Some(place) = self.earliest() else {
                return Ok(());
            };
            let head = self.active.get(place).and_then(|a| a.batch.frames.get(a.next)).copied();
            let Some(mut head) = head else { return Ok(()) };
            let active_before = self.active.len();
            self.open_until(head.at.time)?;
            if self.active.len() != active_before {
                continue;
            }
            let Some(from) = self.active.get_mut(place) else {
                return Ok(());
            };
            let start = out.data.len();
            out.data.extend_from_slice(from.batch.bytes(&head));
            head.start = start;
            out.frames.push(head);
            from.next += 1;
            if from.next == from.batch.frames.len() && self.active.len() == 1 {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Gives every active input a next frame, and retires those that have none.
    fn refill(&mut self, out: &mut Batch) -> Result<(), CaptureError> {
        let mut place = 0;
        while let Some(active) = self.active.get_mut(place) {
            active.pass_on(out);
            if active.next < active.batch.frames.len() {
                place += 1;
                continue;
            }
            active.next = 0;
            if !active.reader.fill(&mut active.batch, Batch::TARGET)? {
                self.retire(place);
            }
        }
        Ok(())
    }

    fn earliest(&self) -> Option<usize> {
        let heads = self.active.iter().enumerate();
        let timed = heads.filter_map(|(i, a)| Some((a.batch.frames.get(a.next)?.at, i)));
        timed.min_by_key(|(at, _)| (at.time, at.frame.input)).map(|(_, i)| i)
    }

    fn pending(&self) -> bool {
        self.active.iter().any(|a| a.next < a.batch.frames.len())
    }
}

impl Active {
    /// Hands over what came beside the frames.
    fn pass_on(&mut self, out: &mut Batch) {
        out.secrets.append(&mut self.batch.secrets);
        out.names.append(&mut self.batch.names);
        if !self.batch.notes.0.is_empty() {
            out.notes.merge(std::mem::take(&mut self.batch.notes));
        }
    }
}

impl Source for Merged {
    fn read(&mut self, batch: &mut Batch) -> Result<bool, CaptureError> {
        batch.clear();
        while !batch.has_news() {
            if self.active.is_empty() {
                if self.waiting.is_empty() {
                    break;
                }
                self.activate()?;
            }
            if self.active.len() > 1 || self.pending() {
                self.interleave(batch)?;
            } else {
                self.alone(batch)?;
            }
        }
        batch.secrets.append(&mut self.secrets);
        Ok(batch.has_news())
    }

    fn progress(&self) -> u64 {
        self.retired + self.active.iter().map(|a| a.reader.stored()).sum::<u64>()
    }

    fn inputs(&self) -> Vec<InputInfo> {
        let mut infos = self.infos.clone();
        for active in &self.active {
            if let Some(slot) = infos.get_mut(active.index) {
                *slot = active.reader.info();
            }
        }
        infos
    }
}

fn reopens(path: &Path) -> bool {
    path != Path::new("-") && std::fs::metadata(path).is_ok_and(|m| m.is_file())
}
