//! The last bytes handed on, kept to compare repeats with.

use super::TAIL;

/// Up to [`TAIL`] bytes, at the end of the array.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: [u8; TAIL],
    len: u8,
}

impl Tail {
    /// Appends what was handed on.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk::<TAIL>() {
            self.bytes = *last;
            self.len = TAIL as u8;
            return;
        }
        self.bytes.rotate_left(bytes.len());
        if let Some(end) = self.bytes.get_mut(TAIL - bytes.len()..) {
            end.copy_from_slice(bytes);
        }
        self.len = (usize::from(self.len) + bytes.len()).min(TAIL) as u8;
    }

    /// True if `old`, which begins `back` bytes before the end and does not reach beyond it,
    /// contradicts what is kept.
    pub(super) fn differs(&self, back: usize, old: &[u8]) -> bool {
        let kept = usize::from(self.len);
        let ours = self.bytes.get(TAIL - back.min(kept)..).unwrap_or(&[]);
        let theirs = old.get(back.saturating_sub(kept)..).unwrap_or(&[]);
        ours.iter().zip(theirs).any(|(a, b)| a != b)
    }
}
