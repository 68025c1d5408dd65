//! The work that one audit may do on trials.

/// Work that no attempt does for less.
const LEAST: u64 = 400;
/// Work below which nothing is tried any more: even attempts that are not made cost a little.
const SPENT: u64 = 50_000;

/// What is left of the work that one audit may do.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    left: u64,
    /// For stretching passwords, apart: a few of them cost as much as everything else.
    stretching: u64,
    missed: bool,
}

impl Budget {
    /// So many units.
    pub(super) fn new(left: u64) -> Self {
        Self { left, stretching: left / 2, missed: false }
    }
    /// Takes one attempt over `bytes`; false when nothing is left for it.
    pub(super) fn attempt(&mut self, bytes: usize) -> bool {
        self.take(LEAST + 2 * bytes as u64)
    }
    /// Takes so many units for a password that is stretched.
    pub(super) fn stretch(&mut self, units: u64) -> bool {
        let left = self.stretching.checked_sub(units);
        self.missed |= left.is_none();
        self.stretching = left.unwrap_or(self.stretching);
        left.is_some()
    }
    /// Takes so many units. What is too much is left out and leaves the others their work.
    pub(super) fn take(&mut self, units: u64) -> bool {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                self.missed = true;
                false
            }
        }
    }
    /// The next field's turn begins.
    pub(super) fn begin(&mut self) {
        self.missed = false;
    }
    /// Whether nothing more can be tried; what was to be tried is missed then.
    pub(super) fn is_spent(&mut self) -> bool {
        self.missed |= self.left < SPENT;
        self.left < SPENT
    }
    /// Whether something was left out since the turn began.
    pub(super) fn missed(self) -> bool {
        self.missed
    }
}
