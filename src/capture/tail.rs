//! A key log that is read while programs write it.

use super::{CaptureError, Secrets};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes read in one go; more follow with the next.
const GULP: u64 = 4 << 20;
/// Longest line that is waited for; a longer one is no secret.
const LINE: usize = 64 << 10;

/// A growing text file, read line by line.
pub(super) struct Tail {
    path: PathBuf,
    offset: u64,
    /// The start of a line that is not complete yet.
    rest: Vec<u8>,
}

impl Tail {
    /// Makes sure that the file is readable if it is there; one that is not may come later.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let reason = match File::open(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => e,
            _ if path.is_dir() => io::ErrorKind::IsADirectory.into(),
            _ => return Ok(Self { path: path.to_owned(), offset: 0, rest: Vec::new() }),
        };
        Err(CaptureError::Unopened { path: path.display().to_string(), reason })
    }

    /// The complete lines that came since the last time. A file that cannot be read now has none.
    pub fn news(&mut self) -> Option<Secrets> {
        self.more().ok()?;
        let end = self.rest.iter().rposition(|b| *b == b'\n').map(|i| i + 1);
        let Some(end) = end else {
            if self.rest.len() > LINE {
                self.rest.clear();
            }
            return None;
        };
        let rest = self.rest.split_off(end);
        let data = std::mem::replace(&mut self.rest, rest);
        Some(Secrets { kind: Secrets::TLS_KEY_LOG, data })
    }

    fn more(&mut self) -> io::Result<()> {
        let size = std::fs::metadata(&self.path)?.len();
        if size < self.offset {
            // Started anew.
            self.offset = 0;
            self.rest.clear();
        }
        if size == self.offset {
            return Ok(());
        }
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let n = file.take(GULP).read_to_end(&mut self.rest)?;
        self.offset += n as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_come_once_and_only_when_complete() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("keys.log");
        let mut tail = Tail::open(&path).expect("may come later");
        assert_eq!(tail.news(), None);
        let mut file = File::create(&path).expect("created");
        let mut add = |text: &str| file.write_all(text.as_bytes()).expect("written");
        let mut lines = || tail.news().map(|s| String::from_utf8(s.data).expect("text"));
        add("one\ntw");
        assert_eq!(lines().as_deref(), Some("one\n"));
        assert_eq!(lines(), None);
        add("o\nthree\n");
        assert_eq!(lines().as_deref(), Some("two\nthree\n"));
        std::fs::write(&path, "new\n").expect("written");
        assert_eq!(lines().as_deref(), Some("new\n"));
    }
}
