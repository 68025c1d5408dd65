//! Why a capture could not be read: one clear sentence with the file, the place, the reason and a way out.

use std::fmt;
use std::io;

/// An input that cannot be read. Damage inside a capture is not an error but a note.
#[derive(Debug)]
pub enum CaptureError {
    /// The file cannot be opened.
    Unopened {
        /// The path as given.
        path: String,
        /// The system's reason.
        reason: io::Error,
    },
    /// The input holds no byte at all.
    Empty {
        /// The path as given.
        path: String,
    },
    /// The input is something else than a capture.
    NotCapture {
        /// The path as given.
        path: String,
        /// What it looks like, and what to do about it.
        looks: &'static str,
    },
    /// Reading failed half-way (disk, network mount, pipe).
    Io {
        /// The path as given.
        path: String,
        /// Bytes of the file read before.
        offset: u64,
        /// The system's reason.
        reason: io::Error,
    },
    /// An interface that cannot be captured from.
    Interface {
        /// Its name.
        name: String,
        /// Why, and what to do about it.
        reason: String,
    },
    /// A capture filter that libpcap does not understand.
    Filter {
        /// As given.
        filter: String,
        /// libpcap's reason.
        reason: String,
    },
    /// The file for captured frames cannot be written.
    Writing {
        /// The path as given.
        path: String,
        /// The system's reason.
        reason: io::Error,
    },
}

/// Why a file could not be read, and what to do about it where that is known.
pub fn unread(reason: &io::Error) -> String {
    match reason.kind() {
        io::ErrorKind::NotFound => "there is no such file; check the path".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "permission denied; make it readable for this user (what sudo made belongs to root)".to_owned()
        }
        io::ErrorKind::IsADirectory => "it is a folder; name the files inside it".to_owned(),
        _ => reason.to_string(),
    }
}

/// Why a file could not be written, and what to do about it where that is known.
pub fn unwritten(reason: &io::Error) -> String {
    match reason.kind() {
        io::ErrorKind::NotFound => "its folder does not exist; make it first".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "permission denied; name a folder that this user may write to".to_owned()
        }
        io::ErrorKind::IsADirectory => "it is a folder; name a file inside it".to_owned(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "there is no space left; free some or name another disk".to_owned()
        }
        _ => reason.to_string(),
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unopened { path, reason } => write!(f, "{path}: {}", unread(reason)),
            Self::Empty { path } => {
                write!(f, "{path}: is empty (0 bytes); the recorder may not have flushed it yet")
            }
            Self::NotCapture { path, looks } => {
                write!(f, "{path}: not a capture: at byte 0 {looks}")
            }
            Self::Io { path, offset, reason } => {
                write!(
                    f,
                    "{path}: reading failed at byte {offset}: {reason}; copy the file to a local disk and try again"
                )
            }
            Self::Interface { name, reason } => write!(f, "{name}: {reason}"),
            Self::Filter { filter, reason } => {
                write!(f, "the filter {filter:?} is no BPF expression: {reason}; see `man pcap-filter`")
            }
            Self::Writing { path, reason } => write!(f, "{path} cannot be written: {}", unwritten(reason)),
        }
    }
}

impl std::error::Error for CaptureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unopened { reason, .. } | Self::Io { reason, .. } | Self::Writing { reason, .. } => {
                Some(reason)
            }
            _ => None,
        }
    }
}

/// Says what bytes look like that are no capture, with a way out.
pub(super) fn looks_like(head: &[u8]) -> &'static str {
    known_magic(head).unwrap_or_else(|| text_kind(head))
}

fn known_magic(head: &[u8]) -> Option<&'static str> {
    const KINDS: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "it is a ZIP archive; unpack it and name the capture inside"),
        (b"snoop\0\0\0", "it is a Solaris snoop file; convert it with `editcap -F pcapng`"),
        (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive; unpack it and name the capture inside"),
        (b"\xfd7zXZ\0", "it is compressed with xz; unpack it with `xz -dk`"),
        (b"BZh", "it is compressed with bzip2; unpack it with `bzip2 -dk`"),
        (b"\x04\x22\x4d\x18", "it is compressed with lz4; unpack it with `lz4 -d`"),
        (b"Rar!", "it is a RAR archive; unpack it and name the capture inside"),
        (b"%PDF", "it is a PDF document; name a pcap or pcapng file"),
        (b"\x7fELF", "it is a program; name a pcap or pcapng file"),
        (b"SQLite format 3", "it is an SQLite database; name a pcap or pcapng file"),
        (b"\xa1\xb2\xcd\x34\xff", "it is a damaged pcap header; copy the file again"),
        (b"GMBU", "it is a Microsoft Network Monitor file; convert it with `editcap -F pcapng`"),
        (b"RTSS", "it is a Microsoft Network Monitor file; convert it with `editcap -F pcapng`"),
        (b"btsnoop\0", "it is a Bluetooth snoop log, which carries no IP traffic"),
        (b"-----BEGIN", "it is a PEM file (a key or certificate); give a private key with `--tls-key`"),
    ];
    let hit = KINDS.iter().find(|(magic, _)| head.starts_with(magic));
    if hit.is_none() && head.get(257..262) == Some(b"ustar") {
        return Some("it is a tar archive; unpack it and name the capture inside");
    }
    hit.map(|(_, text)| *text)
}

fn text_kind(head: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(head);
    let body = text.trim_start_matches('\u{feff}').trim_start();
    const LABELS: &[&str] = &[
        "CLIENT_RANDOM ",
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
        "CLIENT_TRAFFIC_SECRET_0 ",
        "SERVER_TRAFFIC_SECRET_0 ",
        "EXPORTER_SECRET ",
        "CLIENT_EARLY_TRAFFIC_SECRET ",
        "QUIC_",
        "RSA Session-ID",
    ];
    if LABELS.iter().any(|l| body.lines().take(40).any(|line| line.starts_with(l))) {
        return "it is a TLS key log; give it with `--keylog` beside the capture";
    }
    if (body.starts_with('{') || body.starts_with('[')) && body.contains("\"log\"") {
        return "it looks like a HAR recording whose first member is not `log`; export it again";
    }
    // A section of a settings file begins like an array, and goes on with a letter.
    let array = body
        .strip_prefix('[')
        .is_some_and(|b| !b.trim_start().starts_with(|c: char| c.is_ascii_alphabetic()));
    if body.starts_with('{') || array {
        return "it is JSON text; a saved report is judged again with `plainsight report`";
    }
    if body.starts_with("<?xml") || body.starts_with("<pdml") {
        return "it is XML text; give the capture it was made from";
    }
    if head.iter().take_while(|b| b.is_ascii_digit()).count() > 0 && text.contains(":7:version") {
        return "it looks like flows of mitmproxy and does not begin with one; save them again";
    }
    let printable = head.iter().filter(|b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e)).count();
    if !head.is_empty() && printable * 100 >= head.len() * 95 {
        return "it is plain text; name a pcap or pcapng file";
    }
    if head.iter().all(|b| *b == 0) {
        return "there are only zero bytes; the recording or the copy failed";
    }
    "there is no pcap or pcapng magic number; if a tool made it, convert it with `editcap -F pcapng`"
}
