//! Why a command stopped, sorted by whose fault it was.

use plainsight::capture::{unread, unwritten};
use std::fmt;
use std::io;

/// A reason to stop, with the sentence the user reads.
#[derive(Debug)]
pub enum Fault {
    /// The command line asks for something that cannot be done: exit 2.
    Usage(String),
    /// An input could not be read or an output not written: exit 3.
    Input(String),
    /// Keys were given and are of no use: exit 5.
    Keys(String),
    /// Whoever read our output has gone: not an error.
    Pipe,
}

impl Fault {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Fault::Usage(_) => 2,
            Fault::Input(_) => 3,
            Fault::Keys(_) => 5,
            Fault::Pipe => 0,
        }
    }

    /// A failed write.
    pub fn write(path: &str, e: &io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::BrokenPipe => Fault::Pipe,
            _ => Fault::Input(format!("{path} cannot be written: {}", unwritten(e))),
        }
    }

    /// A failed read.
    pub fn read(what: &str, path: &str, e: &io::Error) -> Self {
        Fault::Input(format!("{what} {path} cannot be read: {}", unread(e)))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Usage(t) | Fault::Input(t) | Fault::Keys(t) => f.write_str(t),
            Fault::Pipe => f.write_str("broken pipe"),
        }
    }
}
